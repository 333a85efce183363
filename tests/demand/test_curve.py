"""Price curves: shares of scenarios, revenue, and the best price against a fine search."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from tests.demand.test_elasticities import QUICK

AT = [0.5, 1.0, 1.5, 2.0, 3.0]


def share_at(fit, data, price, **options):
    there = data.with_attribute("price", price, alternative=2)
    return bm.shares(fit, data, scenario=there, **options)["estimate"].sel(alternative=2)


def test_points_are_shares_of_scenarios(fit, data):
    options = {"by": "half", **QUICK}
    found = bm.price_curve(fit, data, 2, prices=AT, **options)
    assert found["estimate"].dims == ("segment", "quantity", "price")
    for p in (0.5, 2.0):
        share = share_at(fit, data, p, **options)
        point = found["estimate"].sel(price=p)
        np.testing.assert_allclose(point.sel(quantity="share"), share, atol=1e-14)
        np.testing.assert_allclose(point.sel(quantity="revenue"), p * share, atol=1e-14)


def test_the_best_price_is_that_of_a_fine_search(data):
    """With a fixed coefficient revenue has one top; with lognormal ones it need not have any."""
    fit = bm.msle(bm.MixedLogit("price + quality"), data)
    options = {"uncertainty": "delta", "rng": 1}
    found = bm.price_curve(fit, data, 2, prices=np.linspace(0.3, 6, 30), **options)["best_price"]
    exact = minimize_scalar(
        lambda p: -p * float(share_at(fit, data, p, **options)), bounds=(0.3, 6), method="bounded"
    ).x
    assert float(found.sel(limit="estimate")) == pytest.approx(exact, abs=0.01)
    low, high = float(found.sel(limit="low")), float(found.sel(limit="high"))
    assert low < exact < high
    drawn = bm.price_curve(fit, data, 2, prices=np.linspace(0.3, 6, 30), draws=400, rng=1)
    width = np.ptp(drawn["best_price"].to_numpy()[1:])
    assert high - low == pytest.approx(width, rel=0.25)


def test_a_top_at_the_end_is_no_best_price(fit, data):
    found = bm.price_curve(fit, data, 2, prices=[0.1, 0.2, 0.3], **QUICK)
    assert np.isnan(found["best_price"]).all()
    assert "revenue is highest at an end of the prices at 4 of 4" in found.attrs["note"]
    inside = bm.price_curve(fit, data, 2, prices=np.linspace(0.2, 30, 40), **QUICK)
    assert "note" not in inside.attrs or np.isnan(inside["best_price"]).any()


def test_prices_by_default_are_around_the_mean(fit, data):
    found = bm.price_curve(fit, data, 2, draws=1, nodes=4, rng=1)
    mean = data.frame.loc[data.frame["alt"] == 2, "price"].mean()
    np.testing.assert_allclose(found["price"][[0, -1]], [0.5 * mean, 2 * mean])


def test_arguments_are_checked(fit, data):
    with pytest.raises(DataError, match="no alternative 9"):
        bm.price_curve(fit, data, 9)
    with pytest.raises(SpecificationError, match="three or more rising numbers"):
        bm.price_curve(fit, data, 2, prices=[1.0, 0.5, 2.0])
