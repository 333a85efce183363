"""People who are sure: utilities hundreds apart, where 1 - P is no number that floats can tell."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import logsumexp, softmax

import bayesmix as bm
from bayesmix.bayes.one_class_model import coordinates
from bayesmix.bayes.tree import complete
from bayesmix.likelihood.bind import bind
from tests.simulated import attributes, choice_data

HOW = {"draws": 1, "rng": 1, "nodes": 64}


def result(model, data, **values):
    """A posterior of one draw."""
    problem = bind(model, data)
    dims = {"fixed": "term", "mean": "random", "sd": "random"}
    draws = {k: (("chain", "draw", dims[k]), np.reshape(v, (1, 1, -1))) for k, v in values.items()}
    names = {k: v for k, v in coordinates(problem).items() if k in [dims[k] for k in values]}
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset(draws, {**names, "chain": [0], "draw": [0]})}
    )
    return complete(tree, problem, np.zeros((1, 1, data.n_persons)), None, {})


@cache
def tails():
    """Heavy tails: a standard deviation of 600 utils a unit of x."""
    frame = attributes(np.random.default_rng(1), 25, 2).assign(price=1.0)
    data = choice_data(frame)
    model = bm.MixedLogit("x + y", bm.Normal("x"))
    return data, result(model, data, mean=[10.0], sd=[600.0], fixed=[40.0])


def after(posterior, data, scenario, **options):
    return bm.shares(posterior, data, scenario=scenario, **HOW, **options)["estimate"]


@pytest.mark.parametrize("people", ["population", "known"])
def test_removal_is_the_scenario_without_the_alternative(people):
    data, posterior = tails()
    found = bm.diversion(posterior, data, people=people, **HOW)["estimate"]
    now = after(posterior, data, None, people=people)
    for j in range(3):
        then = after(posterior, data, data.without(j), people=people)
        others = then["alternative"].to_numpy()
        expected = (then - now.sel(alternative=others)) / now.sel(alternative=j)
        np.testing.assert_allclose(found.sel(origin=j, destination=others), expected, atol=1e-12)


def test_products_are_removed_together():
    """Brand "a" has two rows in every situation."""
    frame = tails()[0].frame
    again = frame[frame["alt"] == 0].assign(alt=3, choice=0, x=lambda f: f["x"] + 0.3)
    both = pd.concat([frame, again], ignore_index=True)
    data = choice_data(both.assign(brand=np.array(["a", "b", "c", "a"])[both["alt"]]))
    posterior = result(bm.MixedLogit("x + y", bm.Normal("x")), data, mean=[0], sd=[600], fixed=[40])
    how = {"products": "brand", **HOW}
    found = bm.diversion(posterior, data, **how)["estimate"]
    now = bm.shares(posterior, data, **how)["estimate"]
    then = bm.shares(posterior, data, scenario=data.without(0, 3), **how)["estimate"]
    for k in "bc":
        gained = then.sel(alternative=k) - now.sel(alternative=k)
        expected = float(gained / now.sel(alternative="a"))
        assert float(found.sel(origin="a", destination=k)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("step", [3.0, -0.5, 1e-3])
def test_finite_changes_are_differences_of_shares(step):
    data, posterior = tails()
    how = {"attribute": "x", "change": lambda rows: rows["x"] + step}
    found = bm.diversion(posterior, data, "finite", **how, **HOW)["estimate"]
    effect = bm.elasticities(posterior, data, "x", change=how["change"], **HOW)["estimate"]
    now = after(posterior, data, None)
    for j in range(3):
        there = data.with_attribute("x", how["change"], alternative=j)
        change = after(posterior, data, there) - now
        np.testing.assert_allclose(effect.sel(changed=j), change, atol=1e-13)
        expected = -(change / change.sel(alternative=j)).to_numpy()
        expected[j] = 0.0
        np.testing.assert_allclose(found.sel(origin=j), expected, atol=1e-10)


def test_a_price_curve_goes_through_shares_of_scenarios():
    data, posterior = tails()
    at = [-3.0, 0.0, 2.0]
    found = bm.price_curve(posterior, data, 1, prices=at, price="x", **HOW)["estimate"]
    for p in at:
        share = after(posterior, data, data.with_attribute("x", p, alternative=1))
        assert float(found.sel(quantity="share", price=p)) == pytest.approx(
            float(share.sel(alternative=1)), abs=1e-13
        )


# Everybody is sure: with fixed coefficients the limits are those of logarithms.


@cache
def everybody():
    """Two persons of whom both are sure of alternative 0, and a third who is not offered it."""
    frame = attributes(np.random.default_rng(2), 3, 1)
    frame["x"] = [800.0, 2.0, 0.0, 900.0, 0.0, 0.1, 0.5, 0.2, 0.1]
    frame["price"] = [1.0, 2.0, 3.0, 2.0, 3.0, 1.0, 3.0, 1.0, 2.0]
    frame = frame[~((frame["who"] == 2) & (frame["alt"] == 0))]
    frame["choice"] = (frame["alt"] == frame["who"].map({0: 0, 1: 0, 2: 1})).astype(int)
    data = choice_data(frame)
    return data, result(bm.MixedLogit("x + price"), data, fixed=[1.0, -1.0])


def test_the_limits_of_removal():
    data, posterior = everybody()
    found = bm.diversion(posterior, data, **HOW)
    v = (data.frame["x"] - data.frame["price"]).to_numpy()
    expected = (softmax(v[1:3]) + softmax(v[4:6])) / 2
    for name in ("estimate", "logit"):
        np.testing.assert_allclose(found[name].sel(origin=0)[1:], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["quality", "price"])
def test_small_changes_move_those_who_are_least_sure(kind):
    """The first person's doubt is exp(100) times the second's: all who leave are like the first."""
    data, posterior = everybody()
    found = bm.diversion(posterior, data, kind, **HOW)
    v = (data.frame["x"] - data.frame["price"]).to_numpy()
    for name in ("estimate", "logit"):
        np.testing.assert_allclose(found[name].sel(origin=0)[1:], softmax(v[1:3]), rtol=1e-12)
    who = bm.marginal_consumers(posterior, data, kind, covariates=["x"], **HOW)["estimate"]
    assert float(who.sel(origin=0, characteristic="x")) == pytest.approx(800.0)


def test_elasticities_of_a_share_that_is_no_number():
    """Of alternatives that all but nobody would choose, in the two first persons' sets alone."""
    whole, _ = everybody()
    data = choice_data(whole.frame[whole.frame["who"] < 2])
    posterior = result(bm.MixedLogit("x + price"), data, fixed=[1.0, -1.0])
    found = bm.elasticities(posterior, data, "price", **HOW)["estimate"]
    price = data.frame["price"].to_numpy().reshape(2, 3)
    v = data.frame["x"].to_numpy().reshape(2, 3) - price
    logp = v - logsumexp(v, axis=1, keepdims=True)
    for k in (1, 2):
        weight = softmax(logp[:, k])  # whose share it is
        for j in range(3):
            own = 1.0 if j == k else 0.0
            expected = -(weight * price[:, j] * (own - np.exp(logp[:, j]))).sum()
            assert float(found.sel(changed=j, responding=k)) == pytest.approx(expected, abs=1e-12)
    assert np.isfinite(found).all()
    arc = bm.elasticities(posterior, data, "price", arc=1e-4, **HOW)["estimate"]
    np.testing.assert_allclose(arc, found, atol=2e-3)


def test_surplus_is_that_of_the_choice_when_everybody_is_sure():
    data, posterior = everybody()
    v = (data.frame["x"] - data.frame["price"]).to_numpy()
    expected = (v[0] + v[3] + logsumexp(v[6:])) / 3
    assert float(bm.surplus(posterior, data, **HOW)["estimate"]) == pytest.approx(expected)
