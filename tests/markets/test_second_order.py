"""Prices that fulfil first-order conditions and are no maximum of profits."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from tests.demand.test_elasticities import bootstrapped


def test_prices_that_are_no_maximum_of_profits_are_said():
    """Two kinds of buyers: between them profits have a valley, where a first-order condition holds.

    Of one product ``p - c = -S / S'``, and profits bend upwards where ``S S'' > 2 S'^2``.
    """
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"who": range(1000), "alt": "a", "firm": "A"})
    rows["flat"] = (rows["who"] % 10 < 3).astype(float)
    rows["price"] = rng.uniform(0.5, 1.5, len(rows))
    model = bm.MixedLogit("1 + flat + price + price:flat")
    truth = {
        "fixed[Intercept]": 8.0,
        "fixed[flat]": -7.5,
        "fixed[price]": -8.0,
        "fixed[price:flat]": 7.5,
    }
    rows["choice"] = 0
    roles = {"person": None, "situation": "who", "alternative": "alt"}
    sets = bm.ChoiceData.from_long(rows, outside_option=True, chosen="choice", **roles)
    data = bm.simulate_choices(model, truth, sets, 1)
    fit = bm.msle(model, data)
    fit = replace(fit, theta=fit.space.theta(truth))
    one, flat, price, both = truth.values()

    def bent(p):
        s = 1.0 / (1.0 + np.exp(-np.array([one + price * p, one + flat + (price + both) * p])))
        b, w = np.array([price, price + both]), np.array([0.7, 0.3])
        first, second = b * s * (1 - s), b**2 * s * (1 - s) * (1 - 2 * s)
        return (w @ s) * (w @ second) - 2 * (w @ first) ** 2

    assert bent(0.9) < -0.1
    assert bent(1.5) > 0.01
    firms, how = bm.Firms("firm"), {"uncertainty": bootstrapped(fit, fit.theta[None])}
    assert "note" not in bm.markups(fit, data.with_attribute("price", 0.9), firms, **how).attrs
    with pytest.warns(UserWarning, match="second-order conditions fail at the estimates"):
        found = bm.markups(fit, data.with_attribute("price", 1.5), firms, **how)
    assert "would gain by leaving them" in found.attrs["note"]
