"""Maximum simulated likelihood: limits, recovery, optimizers, seeds, starts, refusals."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bayesmix import Correlated, LKJNormal, LogNormal, Normal
from bayesmix.classical.msle import msle
from bayesmix.errors import ConvergenceError, IntegrationError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, sobol, sparse
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.optimise import bhhh as bhhh_module
from bayesmix.optimise import maximise as maximise_module
from bayesmix.specification.model import MixedLogit
from tests.simulated import choice_data, simulated

AT = {"mean[x]": 1.0, "sd[x]": 0.8, "fixed[y]": -0.6}
MODEL = MixedLogit("x + y", random=Normal("x"))
CENTRED = centred(sobol(64))

CASES = {
    "normal": (Normal("x", "y"), {"mean[x]": 1, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 1.2}, {}),
    "correlated": (
        LKJNormal("x", "y"),
        {"mean[x]": 1, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 1.2, "corr[x, y]": -0.6},
        {},
    ),
    "lognormal": (
        LogNormal("x", "y", sign=-1),
        {"mean[x]": 0.2, "mean[y]": -0.5, "sd[x]": 0.6, "sd[y]": 0.9},
        {},
    ),
    "mixed and correlated": (
        [Correlated(Normal("x"), LogNormal("y", sign=-1))],
        {"mean[x]": 1, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 0.7, "corr[x, y]": 0.5},
        {},
    ),
    "fixed and random": (Normal("x"), AT, {}),
    "outside option": (Normal("x"), AT, {"outside_option": True}),
}


@cache
def data(seed=0, persons=250, situations=6):
    return simulated(MODEL, AT, persons, situations, seed=seed)


def within(fit, truth, errors=3.0):
    off = (fit.params - truth.rename(fit.params.name)) / fit.std_errors
    assert np.abs(off).max() < errors, off.to_string()


@pytest.mark.parametrize("case", list(CASES))
def test_parameters_are_recovered(case):
    law, at, options = CASES[case]
    model = MixedLogit("x + y", random=law)
    fit = msle(model, simulated(model, at, 500, 6, seed=2, **options), starts=2, rng=1)
    within(fit, fit.space.series(np.array([at[n] for n in fit.space.names], dtype=float)))
    assert fit.converged
    assert fit.loglik > fit.loglik_multinomial
    assert fit.integration.within(0.5, 0.05)


def test_weights_are_repeated_persons():
    once = data().frame
    weight = 1.0 + once["who"] % 3
    copies = [
        once[weight > c].assign(who=once["who"] + 1000 * c, task=once["task"] + 10_000 * c)
        for c in range(3)
    ]
    weighted = choice_data(once.assign(weight=weight), weights="weight")
    repeated = choice_data(
        type(once)(np.concatenate(copies), columns=once.columns).astype(once.dtypes)
    )
    rule = gauss_hermite(15)  # the same nodes for everyone
    one, other = (msle(MODEL, d, grid=rule, starts=1) for d in (weighted, repeated))
    assert one.loglik == pytest.approx(other.loglik, abs=1e-6)
    np.testing.assert_allclose(one.params, other.params, atol=1e-5)
    hessians = [np.diag(f.covariance("hessian")) for f in (one, other)]
    np.testing.assert_allclose(*hessians, rtol=1e-4)
    # The sandwich knows that copies of a person are no new persons.
    assert (one.std_errors > other.std_errors).all()


def test_no_heterogeneity_allowed_is_the_multinomial_logit():
    """The likelihood at standard deviations of 0 is that of the logit without random terms."""
    logit = msle(MixedLogit("x + y"), data())
    assert logit.loglik == logit.loglik_multinomial
    assert logit.integration is None
    problem = bind(MODEL, data())
    at = {"mean[x]": logit.params["fixed[x]"], "sd[x]": 0.0, "fixed[y]": logit.params["fixed[y]"]}
    for rule in (sobol(20), gauss_hermite(4)):
        grid = population_grid(rule, 1, data().n_persons, 1)
        value, _ = Likelihood(problem, grid).value_and_gradient(problem.parameters.theta(at))
        assert value == pytest.approx(logit.loglik, abs=1e-10)


@pytest.mark.parametrize("grid", [CENTRED, sobol(100), gauss_hermite(9)], ids=str)
def test_the_gradient_at_the_optimum_is_zero(grid):
    fit = msle(MODEL, data(), grid=grid, starts=1, rng=1)
    value, gradient = Likelihood(bind(MODEL, data()), fit.grid).value_and_gradient(fit.theta)
    assert value == pytest.approx(fit.loglik, rel=1e-12)
    covariance = fit.information.covariance("hessian")
    assert gradient @ covariance @ gradient < 1e-5


@pytest.mark.parametrize("optimizer", ["l-bfgs-b", "trust-region", "bhhh"])
@pytest.mark.parametrize("grid", [CENTRED, gauss_hermite(9)], ids=str)
def test_every_optimizer_finds_the_same_optimum(optimizer, grid):
    fits = [
        msle(MODEL, data(), grid=grid, starts=1, optimizer=o, rng=1) for o in ("bfgs", optimizer)
    ]
    # On centred nodes the anchors differ, and the estimates by their noise.
    error = 0.15 if grid is CENTRED else 2e-3
    off = (fits[0].params - fits[1].params) / fits[0].std_errors
    assert np.abs(off).max() < error


@pytest.mark.parametrize("grid", ["auto", sobol(50)], ids=str)
def test_a_seed_gives_the_same_numbers(grid):
    one, same, other = (msle(MODEL, data(), grid=grid, starts=2, rng=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.theta, same.theta)
    assert one.loglik == same.loglik
    np.testing.assert_array_equal(one.std_errors, same.std_errors)
    np.testing.assert_array_equal(one.integration.shift, same.integration.shift)
    random = "sobol" in str(one.grid)  # of a quadrature a seed moves nothing but the starts
    assert (one.theta != other.theta).any() or not random


@pytest.mark.parametrize("grid", [CENTRED, sobol(100)], ids=str)
def test_the_grid_of_a_fit_serves_another(grid):
    first = msle(MODEL, data(), grid=grid, starts=1, rng=1)
    second = msle(MODEL, data(), grid=first.grid, starts=3, rng=7)
    assert second.loglik == pytest.approx(first.loglik, abs=1e-6)
    np.testing.assert_allclose(second.params, first.params, atol=1e-3 * first.std_errors.min())
    assert second.grid is first.grid


def test_starts_are_reported():
    fit = msle(MODEL, data(), grid=gauss_hermite(9), starts=3, rng=1)
    assert fit.optima.index.tolist() == [1, 2, 3]
    assert fit.optima["converged"].all()
    assert (fit.optima["evaluations"] > 3).all()
    assert fit.loglik == fit.optima["loglik"].max()
    np.testing.assert_allclose(fit.optima["loglik"], fit.loglik, atol=1e-5)
    assert (fit.optima["grid"] == "gauss_hermite(9)").all()
    words = f"3 of 3 starts reached the best log-likelihood, {fit.loglik:.3f} on gauss_hermite(9)"
    assert words in fit.headline()
    worse = fit.optima.assign(loglik=fit.optima["loglik"] - [0.0, 2.0, 0.0])
    headline = replace(fit, optima=worse).headline()
    assert words.replace("3 of", "2 of") + f"; the others {fit.loglik - 2:.3f}" in headline


def test_information_criteria_are_those_of_the_log_likelihood():
    fit = msle(MODEL, data(), grid=gauss_hermite(9), starts=1, rng=1)
    size = len(fit.params)
    assert fit.aic == pytest.approx(2 * size - 2 * fit.loglik)
    assert fit.bic == pytest.approx(size * np.log(data().n_persons) - 2 * fit.loglik)


def test_no_convergence_is_an_error_that_says_how_far(monkeypatch):
    monkeypatch.setattr(maximise_module, "GRADIENT_TOLERANCE", 1e-18)
    with pytest.raises(
        ConvergenceError, match=r"stopped before .* standard errors, norm .* condition number"
    ):
        msle(MODEL, data(), grid=gauss_hermite(9), starts=1, rng=1)


@pytest.mark.parametrize(
    ("optimizer", "remedy"), [("bfgs", "try more starts"), ("bhhh", "try optimizer='bfgs'")]
)
def test_no_convergence_at_a_boundary_has_a_remedy(monkeypatch, optimizer, remedy):
    flat = simulated(MixedLogit("x + y"), {"fixed[x]": 0.8, "fixed[y]": -0.6}, 120, 4, seed=3)
    for module in (maximise_module, bhhh_module):
        monkeypatch.setattr(module, "GRADIENT_TOLERANCE", 1e-18)
    words = rf"scaled curvature [\d.]+\. sd\[x\] at the boundary 0: .*; {remedy}"
    with pytest.raises(ConvergenceError, match=words):
        msle(MODEL, flat, grid=gauss_hermite(9), starts=1, rng=1, optimizer=optimizer)


def test_arguments_are_checked():
    for options, words in (
        ({"starts": 0}, "'starts' must be a whole number of at least 1"),
        ({"optimizer": "newton"}, "'optimizer' must be one of"),
        ({"grid": "sobol"}, "'grid' must be a rule or 'auto', got 'sobol'"),
    ):
        with pytest.raises(SpecificationError, match=words):
            msle(MODEL, data(), **options)


@cache
def long_panel(sd, situations):
    model = MixedLogit("x + y", random=Normal("x", "y"))
    at = {"mean[x]": 1.0, "mean[y]": 0.0, "sd[x]": sd, "sd[y]": sd}
    return model, simulated(model, at, 100, situations)


def test_a_start_where_a_signed_rule_fails_does_not_spoil_the_others():
    fit = msle(*long_panel(2.0, 20), grid=sparse(5), starts=4, rng=1)
    failed = fit.optima["loglik"].isna()
    assert 0 < failed.sum() < 4
    assert not fit.optima["converged"][failed].any()
    assert fit.loglik == fit.optima["loglik"].max()


def test_a_rule_that_cannot_follow_the_panel_is_refused_by_name():
    with pytest.raises(IntegrationError, match=r"not positive on sparse\(level=5.*centred\(sobol"):
        msle(*long_panel(4.0, 40), grid=sparse(5), starts=2, rng=1)
