"""Firms under draws of the parameters: intervals, and draws that have no answer."""

import numpy as np
import pytest

import bayesmix as bm
from tests.demand.test_elasticities import bootstrapped
from tests.markets.conftest import (
    OWN,
    QUICK,
    estimates,
)


def test_draws_without_an_answer_are_counted(logit):
    data, fit = logit
    good = fit.theta + np.array([[0.0, 0.0], [0.05, 0.0], [-0.05, 0.0]])
    bad = fit.theta * [-1.0, 1.0]
    drawn = bootstrapped(fit, np.vstack([good, bad]))
    with pytest.warns(UserWarning, match=r"no equilibrium was found at 1 of 4 draws .*25\.0%"):
        found = bm.merger(fit, data, OWN, merge=("A", "B"), uncertainty=drawn, rng=1)
    assert found.products["unsolved"].to_numpy().tolist() == [1, 1, 1]
    only = bm.merger(fit, data, OWN, merge=("A", "B"), uncertainty=bootstrapped(fit, good), rng=1)
    for end in ("estimate", "low", "high"):
        np.testing.assert_allclose(found.products[end], only.products[end], rtol=1e-9)
        np.testing.assert_allclose(found.segments[end], only.segments[end], rtol=1e-9)
    assert "1 of 4" in found.products.attrs["note"]
    assert "price_change is relative (0.1 is 10 %)" in repr(found)
    assert not only.note


def test_an_estimate_without_any_draw_has_no_interval(logit):
    data, fit = logit
    drawn = bootstrapped(fit, fit.theta * np.array([[-1.0, 1.0]] * 2))
    with pytest.warns(UserWarning, match=r"at 2 of 2 draws .*NaN where there are none"):
        found = bm.merger(fit, data, OWN, merge=("A", "B"), uncertainty=drawn, rng=1)
    only = bm.merger(fit, data, OWN, merge=("A", "B"), draws=1, rng=1)
    for part, other in ((found.products, only.products), (found.segments, only.segments)):
        np.testing.assert_allclose(part["estimate"], other["estimate"], rtol=1e-9)
        assert np.isnan(part[["low", "high"]].to_array()).all()


def test_intervals_are_of_each_draws_own_costs(logit):
    data, fit = logit
    thetas = fit.theta + np.array([[0.0, 0.0], [0.1, 0.0]])
    both = bm.markups(fit, data, OWN, uncertainty=bootstrapped(fit, thetas), interval=0.999, rng=1)
    each = [
        bm.markups(fit, data, OWN, uncertainty=bootstrapped(fit, np.vstack([t, t])), rng=1)["low"]
        for t in thetas
    ]
    ends = np.sort([e.sel(quantity="cost").to_numpy() for e in each], axis=0)
    low, high = (both[n].sel(quantity="cost").to_numpy() for n in ("low", "high"))
    np.testing.assert_allclose(low, ends[0], atol=1e-3)
    np.testing.assert_allclose(high, ends[1], atol=1e-3)


def test_delta_method_and_posteriors(fit, posterior, logit, data):
    own, plain = logit
    delta = bm.merger(plain, own, OWN, merge=("A", "B"), uncertainty="delta", rng=1).products
    assert (delta["high"] >= delta["low"]).to_numpy()[np.isfinite(delta["low"])].all()
    found = bm.markups(posterior, data, OWN, **{**QUICK, "draws": 6})
    assert found.attrs["draws"] == 6
    assert (estimates(found, "margin") > 0).all()
