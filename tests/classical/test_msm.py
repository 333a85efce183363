"""Simulated moments: limits, recovery, bias with few draws, instruments, tests, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from bayesmix import LKJNormal, LogNormal, Normal
from bayesmix.classical.fit import Fit
from bayesmix.classical.gmm import Overidentification, SituationMoments, weight_root
from bayesmix.classical.instruments import (
    attribute_instruments,
    optimal_instruments,
)
from bayesmix.classical.moment_steps import _weighted
from bayesmix.classical.msle import msle
from bayesmix.classical.msm import msm
from bayesmix.classical.search import Search
from bayesmix.classical.sequence_moments import draw_sequences
from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, halton, monte_carlo, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.multinomial import multinomial
from bayesmix.reporting.compare import compare
from bayesmix.specification.model import MixedLogit
from tests.classical.moments_fits import AT, MODEL, data, fitted
from tests.oracles import choice_frame, choices
from tests.shares import shares_at
from tests.simulated import choice_data, simulated

CASES = {
    "normal": (Normal("x", "y"), {"mean[x]": 1, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 1.2}, {}),
    "correlated": (
        LKJNormal("x", "y"),
        {"mean[x]": 1, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 1.2, "corr[x, y]": -0.6},
        {},
    ),
    "lognormal": (
        LogNormal("x", sign=-1),
        {"mean[x]": 0.2, "sd[x]": 0.8, "fixed[y]": -0.6},
        {},
    ),
    "outside option": (Normal("x"), AT, {"outside_option": True}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_parameters_are_recovered(case):
    law, at, options = CASES[case]
    model = MixedLogit("x + y", random=law)
    drawn = simulated(model, at, 1500, 3, seed=5, **options)
    fit = msm(model, drawn, grid=sobol(64), rng=1)
    truth = fit.space.series(np.array([at[n] for n in fit.space.names], dtype=float))
    off = (fit.params - truth) / fit.std_errors
    assert np.abs(off).max() < 3, off.to_string()
    # Means are nearly as well known as by the likelihood; heterogeneity cannot be known better.
    likelihood = msle(model, drawn, grid=centred(sobol(64)), starts=1, rng=1)
    assert (fit.std_errors > 0.95 * likelihood.std_errors).all()
    assert (fit.std_errors < 4 * likelihood.std_errors).all()
    assert fit.overidentification.p_value > 0.01


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("weights", [None, "weight"])
def test_without_random_coefficients_it_is_the_maximum_likelihood(outside, weights):
    frame = choice_frame(np.random.default_rng(2), 200, 4, outside=outside)
    drawn = choices(frame, outside_option=outside, weights=weights)
    model = MixedLogit("C(mode) + price + time")
    fit, logit = msm(model, drawn), msle(model, drawn)
    np.testing.assert_allclose(fit.params, logit.params, atol=1e-8)
    assert fit.loglik == pytest.approx(logit.loglik, abs=1e-9)
    # The information equality holds piece by piece: D is the Hessian, moments are the scores.
    np.testing.assert_allclose(fit.std_errors, logit.std_errors, rtol=1e-4)
    assert fit.overidentification == Overidentification(0.0, 0)


def test_a_panel_of_one_situation_with_exact_integration_is_the_likelihood():
    """There ``d log s`` of the chosen is the score: the iterated root is the maximum."""
    drawn = simulated(MODEL, AT, 1500, 1, seed=4)
    rule = gauss_hermite(15)
    fit = msm(MODEL, drawn, grid=rule, steps="iterated")
    likelihood = msle(MODEL, drawn, grid=rule, starts=1)
    np.testing.assert_allclose(fit.params, likelihood.params, atol=2e-3)
    # One has the expected, the other the observed curvature.
    np.testing.assert_allclose(fit.std_errors, likelihood.std_errors, rtol=0.2)
    assert fit.loglik == pytest.approx(likelihood.loglik, abs=1e-3)


def test_few_draws_bias_the_likelihood_and_not_the_moments():
    """A short form of the Monte Carlo study in benchmarks/monte_carlo.py."""
    at = {"mean[x]": 1.5, "sd[x]": 1.5, "fixed[y]": -1.0}
    rule, found = monte_carlo(10), {"msle": [], "msm": []}
    for r in range(20):
        drawn = simulated(MODEL, at, 1000, 1, seed=100 + r)
        found["msm"].append(msm(MODEL, drawn, grid=rule, rng=r).params)
        found["msle"].append(msle(MODEL, drawn, grid=rule, starts=1, rng=r).params)
    errors = {k: pd.DataFrame(v) - pd.Series(at) for k, v in found.items()}
    bias = pd.DataFrame({k: v.mean().abs() for k, v in errors.items()})
    noise = pd.DataFrame({k: v.sem() for k, v in errors.items()})
    assert (bias["msm"] < bias["msle"] / 3).all(), bias
    assert (bias["msle"] > 5 * noise["msle"]).all(), bias / noise
    assert (bias["msm"] < 2.5 * noise["msm"]).all(), bias / noise


def test_the_moments_at_the_estimate_are_zero():
    fit, problem = fitted(), bind(MODEL, data())
    z = attribute_instruments(problem, multinomial(problem))
    chosen = np.zeros(problem.data.n_rows)
    chosen[problem.data.chosen_row] = 1
    (shares,) = shares_at(problem, fit.grid, fit.theta)
    # The means' equations, of the attributes themselves, hold within their noise; the optimal
    # instruments', on any draws of them, far within it.
    for instruments, least in ((z[:, :2], 3.0), (_optimal(problem, fit), 0.5)):
        moments = SituationMoments(problem, fit.grid, instruments).by_person(fit.theta)[0]
        by_hand = instruments.T @ (chosen - shares.values)
        np.testing.assert_allclose(moments.sum(axis=0), by_hand, atol=1e-9)
        assert np.abs(by_hand / np.sqrt((moments**2).sum(axis=0))).max() < least
    assert fit.converged


def _optimal(problem, fit):
    return optimal_instruments(problem, population_grid(sobol(256), 1, 600, 77), fit.theta)


def test_standard_errors_are_the_sandwich():
    fit, problem = msm(MODEL, data(), steps="one-step", grid=sobol(64), rng=1), bind(MODEL, data())
    z = attribute_instruments(problem, multinomial(problem))
    moments = SituationMoments(problem, fit.grid, z)
    values, slopes = moments.by_person(fit.theta)
    spread = values.T @ values
    by_hand = np.linalg.inv(slopes.T @ np.linalg.inv(spread) @ slopes)
    # The weights were made at the estimate before, which is close.
    np.testing.assert_allclose(fit.information.covariance("robust"), by_hand, rtol=0.05)
    np.testing.assert_allclose(fit.information.covariance("opg"), by_hand, rtol=0.05)
    g = values.sum(axis=0)
    j = float(g @ np.linalg.inv(spread) @ g)
    assert fit.overidentification.df == z.shape[1] - 3
    assert fit.overidentification.statistic == pytest.approx(j, rel=0.1)
    assert fit.overidentification.p_value == chi2.sf(
        fit.overidentification.statistic, fit.overidentification.df
    )


def test_the_test_rejects_a_model_that_leaves_an_attribute_out():
    for terms, rejected in (("x", True), ("x + y", False)):
        model = MixedLogit(terms, random=Normal("x"))
        z = "x + y + I(x**2) + I(y**2)"
        fit = msm(model, data(), grid=sobol(64), instruments=z, steps="one-step", rng=1)
        assert (fit.overidentification.p_value < 1e-6) == rejected


def test_weights_are_repeated_persons():
    once = data().frame
    weight = 1.0 + once["who"] % 3
    copies = [
        once[weight > c].assign(who=once["who"] + 1000 * c, task=once["task"] + 10_000 * c)
        for c in range(3)
    ]
    weighted = choice_data(once.assign(weight=weight), weights="weight")
    repeated = choice_data(pd.concat(copies))
    one, other = (msm(MODEL, d, grid=gauss_hermite(15)) for d in (weighted, repeated))
    # Their first steps differ by the weight matrix, which knows that copies are no new persons.
    np.testing.assert_allclose(one.params, other.params, atol=0.1 * one.std_errors.min())
    assert (one.std_errors > other.std_errors).all()


def test_a_seed_gives_the_same_numbers():
    one, same, other = (msm(MODEL, data(), grid=sobol(32), rng=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.theta, same.theta)
    np.testing.assert_array_equal(one.std_errors, same.std_errors)
    assert (one.theta != other.theta).any()


@pytest.mark.parametrize("optimizer", ["bfgs", "l-bfgs-b", "trust-region"])
def test_every_optimizer_finds_the_same(optimizer):
    fit = msm(MODEL, data(), grid=sobol(64), optimizer=optimizer, rng=1)
    off = (fit.params - fitted().params) / fitted().std_errors
    assert np.abs(off).max() < 0.01


def test_starts_and_rounds_agree():
    several = msm(MODEL, data(), grid=sobol(64), starts=3, rng=1)
    assert "3 of 3 starts reached" in several.message
    iterated = msm(MODEL, data(), grid=sobol(64), steps="iterated", rng=1)
    for fit in (several, iterated):
        off = (fit.params - fitted().params) / fitted().std_errors
        assert np.abs(off).max() < 0.2
    assert (iterated.theta != fitted().theta).any()


def test_heterogeneity_that_is_not_there():
    """A standard deviation at its boundary of 0 has no standard error; the others keep theirs."""
    plain = MixedLogit("x + y")
    fits = [
        msm(MODEL, simulated(plain, {"fixed[x]": 0.7, "fixed[y]": -0.6}, 400, 2, seed=s), rng=1,
            grid=sobol(64))
        for s in range(4)
    ]  # fmt: skip
    at_zero = [f for f in fits if "boundary" in f.message]
    assert at_zero
    for fit in at_zero:
        assert fit.params["sd[x]"] < 0.15
        assert np.isfinite(fit.std_errors[["mean[x]", "fixed[y]"]]).all()


def test_it_is_a_fit_like_the_others(tmp_path):
    fit = fitted()
    assert "Hansen's J" in fit.headline()
    assert "simulation makes up to" in fit.headline()
    fit.save(tmp_path / "msm.json")
    again = Fit.load(tmp_path / "msm.json", data())
    np.testing.assert_array_equal(again.theta, fit.theta)
    np.testing.assert_allclose(again.std_errors, fit.std_errors)
    assert again.overidentification == fit.overidentification
    # Its shares add up, on the data that it knows.
    predicted = fit.predict().groupby("situation")["probability"].sum()
    np.testing.assert_allclose(predicted, 1.0)
    pd.testing.assert_series_equal(again.integration.share, fit.integration.share, rtol=0)
    assert again._repr_html_() == fit._repr_html_()
    table = compare({"MSLE": msle(MODEL, data(), rng=1, starts=1), "MSM": fit}, differences=True)
    assert table["MSM"].notna().all(axis=None)


def test_the_simulations_part_of_variances():
    """Against the spread of estimates over seeds: on the same choices it is simulation's alone."""
    rule, seeds = monte_carlo(10), range(16)
    fits = [msm(MODEL, data(), grid=rule, rng=s) for s in seeds]
    share = pd.DataFrame([f.integration.share for f in fits]).mean()
    spread = pd.DataFrame([f.params for f in fits]).var() / fits[0].std_errors ** 2
    # 16 seeds know a variance within a factor of 2 or so.
    assert (share / spread).between(0.4, 2.5).all(), pd.DataFrame([share, spread]).to_string()
    assert fits[0].integration.draws == 10
    assert share.max() > 3 * fitted().integration.share.max()
    words = str(fits[0].integration)
    assert fits[0].integration.worst in words
    assert "has no certificate" in words


def test_quadratures_have_no_simulation_to_tell_of():
    fit = msm(MODEL, data(), grid=gauss_hermite(9), steps="one-step")
    assert fit.integration.share.isna().all()
    assert "simulation error unknown: the 9 nodes are not random" in fit.headline()
    assert msm(MixedLogit("x + y"), data()).integration is None


def test_refusals():
    with pytest.raises(IntegrationError, match=r"own choices say.*biased: use .*sobol"):
        msm(MODEL, data(), grid=centred(sobol(64)))
    with pytest.raises(IntegrationError, match="biased"):
        msm(MODEL, data(), grid=msle(MODEL, data(), grid=centred(sobol(8)), starts=1, rng=1).grid)
    with pytest.raises(SpecificationError, match="must be a rule"):
        msm(MODEL, data(), grid="auto")
    with pytest.raises(SpecificationError, match="'steps' must be one of"):
        msm(MODEL, data(), steps="three-step")
    with pytest.raises(SpecificationError, match="'starts' must be a whole number of at least 1"):
        msm(MODEL, data(), starts=0)
    with pytest.raises(SpecificationError, match="2 different moments, but the model has 3"):
        msm(MODEL, data(), instruments=["x", "y"])
    with pytest.raises(SpecificationError, match="holds the choices"):
        msm(MODEL, data(), instruments=["x", "choice"])
    with pytest.raises(DataError, match="no column 'z'"):
        msm(MODEL, data(), instruments=["z"])
    with pytest.raises(SpecificationError, match="row for each of the 5400 rows"):
        msm(MODEL, data(), instruments=np.ones((3, 4)))


def test_a_search_that_does_not_arrive_is_refused(monkeypatch):
    monkeypatch.setattr("bayesmix.classical.gmm.ARRIVED", -1.0)
    monkeypatch.setattr("bayesmix.optimise.maximise.GRADIENT_TOLERANCE", 0.0)
    with pytest.raises(ConvergenceError, match="optimiser stopped before the slope was small"):
        msm(MODEL, data(), grid=halton(32, scramble=False), steps="one-step")


def test_moments_at_a_collapsed_law_are_a_failure_of_the_search():
    problem = bind(MixedLogit("x + y", random=LogNormal("x")), data())
    grid = population_grid(sobol(8), 1, problem.n_persons, 1)
    assert problem.parameters.names == ("mean[x]", "sd[x]", "fixed[y]")
    collapsed = np.array([-400.0, 0.5, -0.6])  # no choice depends on the law of x
    drawn = draw_sequences(problem, grid, collapsed, np.random.default_rng(1))
    search = Search(problem, multinomial(problem), "bfgs", np.random.default_rng(1), None, 0.0)
    with pytest.raises(ConvergenceError, match=r"shrunk to a point.*more starts"):
        _weighted(search, drawn, collapsed)
    with pytest.raises(ConvergenceError, match=r"overflow.*smaller scale"):
        weight_root(np.full((2, 2), np.nan), 2)
