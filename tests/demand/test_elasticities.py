"""Elasticities: brute force through scenarios, closed forms, transforms, segments, uncertainty."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.demand.interventions import derivative
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.bind import bind
from tests.demand.test_shares import softmax
from tests.simulated import attributes, choice_data

QUICK = {"draws": 3, "rng": 5, "nodes": 64}


def bootstrapped(fit, thetas):
    """A bootstrap whose replications found ``thetas``."""
    params = pd.DataFrame([fit.space.natural(t) for t in thetas], columns=fit.space.names)
    return bm.Bootstrap(fit.params, thetas, params, fit.space, len(thetas))


def moved(fit, data, attribute, function, label, **options):
    """Shares where an attribute of one alternative is a function of what it was."""
    there = data.with_attribute(attribute, lambda r: function(r[attribute]), alternative=label)
    return bm.shares(fit, data, scenario=there, **QUICK, **options)["estimate"]


@pytest.mark.parametrize("people", ["population", "known"])
@pytest.mark.parametrize("attribute", ["price", "quality", "size", "new"])
def test_brute_force(fit, data, attribute, people):
    """Differences of shares between scenarios, by segment."""
    options = {"people": people, "by": "half"}
    found = {
        kind: bm.elasticities(fit, data, attribute, kind=kind, **QUICK, **options)["estimate"]
        for kind in ("elasticity", "semi", "marginal")
    }
    now = bm.shares(fit, data, **QUICK, **options)["estimate"].to_numpy()
    h = 1e-5
    for j in (0, 3):
        up, down = (
            moved(fit, data, attribute, lambda x, s=s: x * (1 + s * h), j, **options)
            for s in (1, -1)
        )
        expected = (up - down).to_numpy() / (2 * h) / now
        np.testing.assert_allclose(found["elasticity"].sel(changed=j), expected, atol=1e-6)
        up, down = (
            moved(fit, data, attribute, lambda x, s=s: x + s * h, j, **options) for s in (1, -1)
        )
        expected = (up - down).to_numpy() / (2 * h)
        np.testing.assert_allclose(found["marginal"].sel(changed=j), expected, atol=1e-6)
        np.testing.assert_allclose(found["semi"].sel(changed=j), expected / now, atol=1e-6)


def test_finite_changes_are_differences_of_shares(fit, data):
    now = bm.shares(fit, data, **QUICK)["estimate"].to_numpy()
    effect = bm.elasticities(fit, data, "new", change=1, **QUICK)["estimate"]
    arc = bm.elasticities(fit, data, "price", arc=0.5, **QUICK)["estimate"]
    for j in range(4):
        then = moved(fit, data, "new", lambda x: 0 * x + 1, j).to_numpy()
        np.testing.assert_allclose(effect.sel(changed=j), then - now, atol=1e-14)
        then = moved(fit, data, "price", lambda x: 1.5 * x, j).to_numpy()
        expected = (then - now) / (then + now) / ((1.5 - 1) / (1.5 + 1))
        np.testing.assert_allclose(arc.sel(changed=j), expected, atol=1e-13)


def test_scenarios_have_elasticities_of_their_own(fit, data):
    """Without one alternative, and with a new one that is like another."""
    new = {"price": 1.2, "quality": 0.5, "size": 2.0, "new": 1}
    there = data.without(0).with_alternative("e", new, like=2)
    found = bm.elasticities(fit, data, "price", scenario=there, **QUICK)["estimate"]
    assert found["responding"].to_numpy().tolist() == [1, 2, 3, "e", "outside"]
    h = 1e-5
    up, down = (
        bm.shares(fit, data, scenario=there.with_attribute("price", p, alternative="e"), **QUICK)
        for p in (1.2 * (1 + h), 1.2 * (1 - h))
    )
    now = bm.shares(fit, data, scenario=there, **QUICK)["estimate"].to_numpy()
    expected = (up["estimate"] - down["estimate"]).to_numpy() / (2 * h) / now
    np.testing.assert_allclose(found.sel(changed="e"), expected, atol=1e-6)


def test_a_small_arc_is_the_elasticity(fit, data):
    arc = bm.elasticities(fit, data, "price", arc=1e-7, **QUICK)["estimate"]
    exact = bm.elasticities(fit, data, "price", **QUICK)["estimate"]
    np.testing.assert_allclose(arc, exact, atol=1e-7)


def test_multinomial_logit_in_closed_form():
    frame = attributes(np.random.default_rng(3), 60, 2)
    frame["w"] = 1.0 + frame["who"] % 3
    frame["choice"] = (frame["alt"] == frame["task"] % 3).astype(int)
    data = choice_data(frame, weights="w")
    fit = bm.msle(bm.MixedLogit("x + y + C(alt)"), data)
    p = softmax(data, bind(fit.model, data).design.fixed @ fit.theta).reshape(-1, 3)
    x, w = data.frame["x"].to_numpy().reshape(-1, 3), np.repeat(data.weights, 2)
    slope = fit.params["fixed[x]"] * x * p
    effect = np.einsum("t,tj,tjk->jk", w, slope, np.eye(3) - p[:, None, :])
    expected = effect / (w @ p)
    found = bm.elasticities(fit, data, "x", draws=3, rng=1)["estimate"]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_derivatives_of_transforms(data):
    """To 1e-11 of the closed form, where the formula learns centres and spreads from the data."""
    formula = "scale(price) + I(price**3) + np.log(price):poor + quality"
    problem = bind(bm.MixedLogit(formula), data)
    x, poor = data.frame["price"].to_numpy(), data.frame["poor"].to_numpy()
    expected = {"scale(price)": 1 / x.std(ddof=1), "I(price ** 3)": 3 * x**2}
    expected |= {"np.log(price):poor": poor / x, "quality": 0 * x, "known": 0 * x}
    names = [*problem.parameters.fixed, "known"]
    columns = pd.DataFrame(derivative(problem, "price"), columns=names)
    assert set(columns) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(columns[name], values, rtol=1e-11, atol=1e-11)


def test_intervals_by_every_method_agree(fit, data):
    options = {"rng": 5, "nodes": 32}
    drawn = bm.elasticities(fit, data, draws=800, **options)
    delta = bm.elasticities(fit, data, uncertainty="delta", **options)
    np.testing.assert_allclose(delta["estimate"], drawn["estimate"], atol=1e-12)
    widths = [(r["high"] - r["low"]).to_numpy() for r in (drawn, delta)]
    np.testing.assert_allclose(*widths, rtol=0.35)
    assert np.median(widths[0] / widths[1]) == pytest.approx(1.0, abs=0.12)
    assert delta.attrs["draws"] == 0


def test_bootstrap_draws_are_used_as_they_are(fit, data):
    thetas = fit.theta + 0.01 * np.random.default_rng(1).normal(size=(5, len(fit.theta)))
    found = bm.shares(fit, data, uncertainty=bootstrapped(fit, thetas), **QUICK)
    assert found.attrs["draws"] == 5
    each = [
        bm.shares(fit, data, uncertainty=bootstrapped(fit, np.stack([t, t])), **QUICK)
        for t in thetas
    ]
    values = np.stack([e["low"].to_numpy() for e in each])
    np.testing.assert_allclose(found["low"], np.quantile(values, 0.025, axis=0), atol=1e-14)


def test_a_bootstrap_goes_in_as_it_comes(fit, data):
    again = bm.bootstrap(fit, data, 20, rng=1, processes=1)
    found = bm.shares(fit, data, uncertainty=again, **QUICK)
    assert found.attrs["draws"] == len(again.thetas)
    drawn = bm.shares(fit, data, draws=400, rng=5, nodes=64)
    width, other = (float((f["high"] - f["low"]).mean()) for f in (found, drawn))
    assert width == pytest.approx(other, rel=0.4)
    moved_fit = replace(fit, theta=fit.theta + 1e-6)
    with pytest.raises(SpecificationError, match="a bootstrap of another fit"):
        bm.shares(moved_fit, data, uncertainty=again, **QUICK)


def test_a_posterior_gives_the_mean_over_its_draws(fit, data, posterior):
    found = bm.elasticities(posterior, data, draws=6, rng=5, nodes=32)
    draws = posterior["posterior"].to_dataset().stack(all=("chain", "draw"))
    total = 0.0
    for d in range(6):
        one = draws.isel(all=d)
        values = np.concatenate([one[kind].to_numpy() for kind in ("mean", "sd", "fixed")])
        theta = fit.space.theta(dict(zip(fit.space.names, values, strict=True)))
        at = bootstrapped(fit, np.stack([theta, theta]))
        total = total + bm.elasticities(fit, data, uncertainty=at, rng=5, nodes=32)["low"]
    np.testing.assert_allclose(found["estimate"], total / 6, atol=1e-12)


@pytest.mark.parametrize(
    ("attribute", "options", "error", "words"),
    [
        ("cost", {}, DataError, "no column 'cost'"),
        ("w", {}, SpecificationError, "do not depend on column 'w'"),
        ("price", {"kind": "own"}, SpecificationError, "must be one of .*got 'own'"),
        ("price", {"arc": 0.1, "change": 2.0}, SpecificationError, "give one"),
        ("price", {"arc": -1.0}, SpecificationError, "'arc' must be a finite number above -1"),
        ("new", {"change": 1, "kind": "elasticity"}, SpecificationError, "arc=0.1"),
        ("price", {"people": "mine"}, SpecificationError, "'people' must be one of"),
        ("price", {"uncertainty": "none"}, SpecificationError, "'uncertainty' must be one of"),
        ("price", {"uncertainty": "bootstrap"}, SpecificationError, r"uncertainty=bm.bootstrap\("),
        ("price", {"nodes": 0}, SpecificationError, "'nodes' must be a whole number of at least 1"),
    ],
)
def test_arguments_are_checked(fit, data, attribute, options, error, words):
    with pytest.raises(error, match=words):
        bm.elasticities(fit, data, attribute, **options)


def test_categories_have_no_derivative():
    frame = attributes(np.random.default_rng(3), 60, 2)
    frame["grade"] = np.random.default_rng(1).integers(0, 3, len(frame))
    data = choice_data(frame.assign(choice=(frame["alt"] == frame["task"] % 3).astype(int)))
    fit = bm.msle(bm.MixedLogit("x + C(grade)"), data)
    with pytest.raises(SpecificationError, match="no derivative in column 'grade'"):
        bm.elasticities(fit, data, "grade")
    found = bm.elasticities(fit, data, "grade", change=2, draws=3, rng=1)["estimate"]
    now = bm.shares(fit, data, draws=3, rng=1)["estimate"]
    then = bm.shares(
        fit, data, scenario=data.with_attribute("grade", 2, alternative=1), draws=3, rng=1
    )
    np.testing.assert_allclose(found.sel(changed=1), then["estimate"] - now, atol=1e-14)


def test_a_fits_uncertainty_is_not_a_posteriors(posterior, data):
    with pytest.raises(SpecificationError, match="a posterior has its own draws"):
        bm.elasticities(posterior, data, uncertainty="delta")
