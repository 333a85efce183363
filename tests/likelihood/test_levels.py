"""Levels and sizes of columns: only differences within situations matter, in any units."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import ConvergenceError, DataError
from bayesmix.formulas.variation import levels
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind, written
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial, starting_values
from tests.simulated import attributes, choice_data

LEVELS = [1e6, 1e9, 2e11]
MODELS = {
    "multinomial": bm.MixedLogit("x + y"),
    "mixed": bm.MixedLogit("x + y", bm.LKJNormal("x", "y")),
    "interaction": bm.MixedLogit("x + y + x:inc", bm.Normal("x")),
    "constants": bm.MixedLogit("C(alt) + x + y", bm.LogNormal("x", sign=-1)),
    "shift": bm.MixedLogit("x + y", bm.Normal("x", mean="1 + inc")),
    "willingness to pay": bm.MixedLogit("x + y", bm.Normal("y"), wtp="x"),
    "classes": bm.MixedLogit("x + y", bm.LatentClass("x", "y")),
}


@cache
def frame(persons=60, situations=3, outside=False):
    """Attributes on a grid of 1/64, so that levels up to 2e11 are added without rounding."""
    rng = np.random.default_rng(4)
    made = attributes(rng, persons, situations)
    made[["x", "y"]] = np.round(64 * made[["x", "y"]]) / 64
    made["inc"] = (made["who"] % 4) / 4
    utility = 0.6 * made["y"] - 0.8 * made["x"] + rng.gumbel(size=len(made))
    best = utility.groupby(made["task"]).transform("max")
    made["choice"] = ((utility == best) & ~(outside & (best < 0.5))).astype(int)
    return made


def data(level=0.0, *, size=1.0, outside=False, **columns):
    made = frame(outside=outside)
    made = made.assign(x=made["x"] * size + level, **columns)
    roles = {name: name for name in columns if name in ("offset", "weights")}
    return choice_data(made, outside_option=outside, **roles)


def fitted(model, at, **options):
    return bm.msle(model, at, grid=bm.centred(bm.sobol(16)), starts=1, rng=1, **options)


@cache
def mixed():
    return fitted(bm.MixedLogit("x + y", bm.Normal("x")), data())


@cache
def lognormal(level):
    return fitted(bm.MixedLogit("x + y", bm.LogNormal("x", sign=-1)), data(level))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", list(MODELS))
def test_a_constant_changes_no_log_likelihood_and_no_score(name, level):
    problems = bind(MODELS[name], data()), bind(MODELS[name], data(level))
    size = problems[0].parameters.n_random
    grid = population_grid(bm.halton(8) if size else bm.gauss_hermite(1), size, 60, 1)
    theta = starting_values(problems[0].within, multinomial(problems[0]))
    if problems[0].parameters.classes > 1:
        theta = problems[0].parameters.join(np.stack([theta, 1.5 * theta]), np.zeros((2, 1)))
    one, other = (Likelihood(p, grid).by_person(theta) for p in problems)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("level", LEVELS)
def test_a_constant_changes_no_estimate(level):
    fit = fitted(bm.MixedLogit("x + y", bm.Normal("x")), data(level))
    np.testing.assert_allclose(fit.params, mixed().params, rtol=1e-6)
    np.testing.assert_allclose(fit.std_errors, mixed().std_errors, rtol=1e-5)
    assert bm.check(fit.model, data(level)).ok


@pytest.mark.parametrize("estimator", [bm.msm, bm.mss])
def test_a_constant_changes_no_moment_and_no_simulated_score(estimator):
    one, other = (estimator(mixed().model, data(level), rng=1).params for level in (0, 1e9))
    np.testing.assert_allclose(one, other, rtol=1e-4)


def test_shares_diversion_and_changes_of_surplus_stay_and_elasticities_grow():
    """An elasticity is a derivative times the attribute, whose level counts."""
    found = {}
    for level in (0.0, 1e6):
        at, fit = data(level), lognormal(level)
        how = {"draws": 5, "rng": 1}
        dearer = at.with_attribute("x", lambda rows: rows["x"] + 0.5 * (rows["alt"] == 1))
        found[level] = {
            "shares": bm.shares(fit, at, **how),
            "moved": bm.shares(fit, at, scenario=dearer, **how),
            "removal": bm.diversion(fit, at, **how),
            "price": bm.diversion(fit, at, kind="price", attribute="x", **how),
            "change": bm.surplus(fit, at, price="x", scenario=dearer, **how),
            "without": bm.surplus(fit, at, price="x", scenario=at.without(0), **how),
            "level": bm.surplus(fit, at, price="x", **how) + level,
            "elasticities": bm.elasticities(fit, at, "x", **how) / (level or 1.0),
        }
    for name in found[0.0]:
        one, other = (np.asarray(found[level][name]["estimate"]) for level in (0.0, 1e6))
        if name != "elasticities":
            np.testing.assert_allclose(one, other, rtol=2e-5, err_msg=name)
    # At a level far above the values' own an elasticity is the level times the derivative.
    other = found[1e6]["elasticities"]["estimate"].to_numpy()
    small = 1e-3
    shares = [
        bm.shares(
            lognormal(1e6), data(1e6), draws=5, rng=1,
            scenario=data(1e6).with_attribute("x", lambda r, s=s: r["x"] + s * (r["alt"] == 1)),
        )["estimate"].to_numpy()
        for s in (small, -small)
    ]  # fmt: skip
    derivative = (shares[0] - shares[1]) / (2 * small)
    expected = derivative / np.asarray(found[1e6]["shares"]["estimate"])
    np.testing.assert_allclose(other[1], expected, rtol=1e-4)


def test_levels_are_of_situations_and_none_where_values_are_near_0():
    at = data(1e6)
    far = levels(at.frame[["x", "y"]].to_numpy(float), at)
    assert (far[:, 1] == 0).all()
    assert np.abs(far[:, 0] - 1e6).max() < 5
    assert levels(data().frame[["x", "y"]].to_numpy(float), data()) is None
    problem = bind(mixed().model, at)
    np.testing.assert_array_equal(written(problem).x[:, 0], at.frame["x"])


@pytest.mark.parametrize("level", [1e6, 1e160])
def test_an_offset_has_no_level_either(level):
    offset = np.zeros(len(frame())) + level
    fit = fitted(bm.MixedLogit("x + y", bm.Normal("x")), data(offset=offset))
    np.testing.assert_allclose(fit.params, mixed().params, rtol=1e-6)


def test_an_offset_that_decides_choices_is_refused_in_words():
    with pytest.raises(ConvergenceError, match=r"offset, decides choices.*units, in utils"):
        fitted(bm.MixedLogit("x + y"), data(offset=1e5 * frame()["alt"]))


@pytest.mark.parametrize("size", [2.0**300, 2.0**-300])
def test_units_are_units(size):
    fit = fitted(bm.MixedLogit("x + y", bm.Normal("x")), data(size=size))
    scaled = fit.params * np.where(["[x]" in name for name in fit.params.index], size, 1.0)
    np.testing.assert_allclose(scaled, mixed().params, rtol=1e-6)
    moments = bm.msm(fit.model, data(size=size), rng=1).params["mean[x]"] * size
    assert moments == pytest.approx(bm.msm(fit.model, data(), rng=1).params["mean[x]"], rel=1e-4)


@pytest.mark.parametrize("size", [1e160, 1e-200, 1e-310])
def test_numbers_without_squares_are_refused_in_words(size):
    model, at = mixed().model, data(size=size)
    with pytest.raises(DataError, match=r"'x' varies by .*cannot hold the squares.*other units"):
        bm.msle(model, at)
    report = bm.check(model, at)
    assert not report.ok
    assert "cannot hold the squares" in str(report)


@pytest.mark.parametrize("weight", [1e300, 1e-200])
def test_weights_without_squares_are_refused_in_words(weight):
    with pytest.raises(DataError, match="ratios of weights matter: divide them by the largest"):
        data(weights=weight)


def test_rounding_is_told():
    with pytest.raises(DataError, match=r"no variation .*numbers near 1e\+18 to within 1e\+02"):
        bm.msle(bm.MixedLogit("x + y"), data(1e18))
    report = bm.check(bm.MixedLogit("x + y"), data(2e14))
    assert "'x' has few digits: numbers near 2e+14 are 0.03 apart" in " ".join(str(report).split())


def test_a_column_near_the_constant_beside_it_is_refused_with_the_column_to_take():
    at = data(1e6, outside=True)
    with pytest.raises(DataError, match=r"'x' is near 1e\+06 .*I\(x - 1e\+06\)"):
        bm.msle(bm.MixedLogit("1 + x + y"), at)
    fit = bm.msle(bm.MixedLogit("1 + I(x - 1e6) + y"), at)
    plain = bm.msle(bm.MixedLogit("1 + x + y"), data(outside=True))
    np.testing.assert_allclose(fit.params, plain.params, rtol=1e-8)
    bm.msle(bm.MixedLogit("x + y"), at)  # without a constant, the level is one


@pytest.mark.parametrize("where", ["mean", "share"])
def test_a_covariate_near_the_constant_beside_it_is_refused_with_the_column_to_take(where):
    laws = {
        "mean": lambda formula: bm.Normal("x", mean=formula),
        "share": lambda formula: bm.LatentClass("x", share=formula),
    }
    at = data(inc=frame()["inc"] - 1e6)
    with pytest.raises(DataError, match=r"'inc' is near -1e\+06 .*I\(inc \+ 1e\+06\)"):
        bind(bm.MixedLogit("x + y", laws[where]("1 + inc")), at)
    problem = bind(bm.MixedLogit("x + y", laws[where]("1 + I(inc + 1e6)")), at)
    plain = bind(bm.MixedLogit("x + y", laws[where]("1 + inc")), data())
    if where == "mean":
        np.testing.assert_array_equal(problem.z, plain.z)
    else:
        np.testing.assert_array_equal(problem.share_z, plain.share_z)
    with pytest.raises(DataError, match="1e\\+160 in size"):
        bind(bm.MixedLogit("x + y", laws[where]("1 + inc")), data(inc=frame()["inc"] + 1e160))


def test_levels_of_other_data_are_their_own():
    """Predictions for people at another level, whose differences keep their digits."""
    fit = lognormal(1e6)
    there = fit.predict(data(3e9))["probability"]
    here = fit.predict(data(1e6))["probability"]
    assert isinstance(there, pd.Series)
    np.testing.assert_allclose(there, here, rtol=1e-8)
