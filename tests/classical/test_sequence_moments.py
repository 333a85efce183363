"""Moments of whole sequences of choices: unbiased with two draws, as precise as the likelihood."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest

from bayesmix import LKJNormal, LogNormal, Normal
from bayesmix.classical import sequence_moments
from bayesmix.classical.fit import Fit
from bayesmix.classical.msle import msle
from bayesmix.classical.msm import msm
from bayesmix.classical.sequence_moments import draw_sequences
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, monte_carlo, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

AT = {"mean[x]": 1.0, "sd[x]": 1.2, "fixed[y]": -0.6}
FAR = {"mean[x]": 0.8, "sd[x]": 0.9, "fixed[y]": -0.5}
MODEL = MixedLogit("x + y", random=Normal("x"))


@cache
def data(outside=False):
    return simulated(MODEL, AT, 600, 4, seed=0, outside_option=outside)


@cache
def fitted(moments="sequences"):
    return msm(MODEL, data(), grid=sobol(64), moments=moments, rng=1)


@pytest.mark.parametrize("outside", [False, True])
def test_two_draws_are_unbiased_away_from_where_they_were_drawn(outside):
    problem = bind(MODEL, simulated(MODEL, AT, 6000, 4, seed=3, outside_option=outside))
    truth, far = (problem.parameters.theta(at) for at in (AT, FAR))
    grid = population_grid(monte_carlo(2), 1, 6000, 1)
    moments = draw_sequences(problem, grid, far, np.random.default_rng(2))
    assert len(moments.drawn) == 2

    def z(theta):
        values, _ = moments.by_person(theta)
        return np.abs(values.mean(axis=0) / (values.std(axis=0) / np.sqrt(6000)))

    assert z(truth).max() < 3.3
    # At other parameters they are far from 0.
    assert z(far).max() > 6.0


def test_derivatives_are_the_differences():
    problem = bind(MODEL, data(True))
    theta, far = (problem.parameters.theta(at) for at in (AT, FAR))
    grid = population_grid(sobol(4), 1, 600, 1)
    moments = draw_sequences(problem, grid, far, np.random.default_rng(2))
    _, slopes = moments.by_person(theta)
    for p, step in enumerate(1e-5 * np.eye(3)):
        up, down = (moments.by_person(theta + s * step)[0].sum(axis=0) for s in (1, -1))
        np.testing.assert_allclose((up - down) / 2e-5, slopes[:, p], rtol=1e-6, atol=1e-4)


def test_the_noise_is_the_spread_over_draws():
    problem = bind(MODEL, data())
    theta, found, claimed = problem.parameters.theta(AT), [], []
    for seed in range(40):
        grid = population_grid(monte_carlo(3), 1, 600, seed)
        moments = draw_sequences(problem, grid, theta, np.random.default_rng(seed))
        # The instruments differ little between seeds: their nodes are good ones.
        found.append(moments.by_person(theta)[0].sum(axis=0))
        claimed.append(np.diag(moments.noise(theta)))
    np.testing.assert_allclose(np.mean(claimed, axis=0), np.var(found, axis=0, ddof=1), rtol=0.65)


def test_it_recovers_and_is_as_precise_as_the_likelihood():
    fit, plain = fitted(), fitted("situations")
    truth = fit.space.series(np.array([AT[n] for n in fit.space.names]))
    assert ((fit.params - truth) / fit.std_errors).abs().max() < 3
    likelihood = msle(MODEL, data(), grid=centred(sobol(64)), starts=1, rng=1)
    assert fit.std_errors["sd[x]"] < 0.75 * plain.std_errors["sd[x]"]
    np.testing.assert_allclose(fit.std_errors, likelihood.std_errors, rtol=0.1)
    # Simulation leaves a part of a standard error between the two, and says how large.
    off = (fit.params - likelihood.params) / fit.std_errors
    assert (off**2 < 9 * fit.integration.share).all()
    assert fit.integration.draws == 32
    assert (fit.integration.share < 0.06).all()


def test_refusals():
    with pytest.raises(SpecificationError, match="'moments' must be one of"):
        msm(MODEL, data(), moments="pairs")
    with pytest.raises(SpecificationError, match="steps of their own, got 'iterated'"):
        msm(MODEL, data(), moments="sequences", steps="iterated")
    logit = MixedLogit("x + y")
    same = msm(logit, data(), moments="sequences")
    np.testing.assert_array_equal(same.params, msm(logit, data()).params)


def test_the_expectation_is_the_sum_over_every_sequence(monkeypatch):
    """Two draws, away from where they were drawn, with rough instruments: nothing is biased."""
    scores = sequence_moments._scores
    monkeypatch.setattr(sequence_moments, "SCORES", centred(sobol(2)))
    monkeypatch.setattr(sequence_moments, "_scores", lambda ones, theta, _: scores(ones, theta, 5))
    problem = bind(MODEL, simulated(MODEL, AT, 30, 2, seed=3))
    there = problem.parameters.theta(AT)
    theta = there + np.array([0.3, -0.2, 0.15])
    exact, fine = 0.0, population_grid(gauss_hermite(25), 1, 30)
    first = problem.data.situation_start[:-1]
    for one, two in product(range(3), repeat=2):
        chosen = first + np.where(np.arange(len(first)) % 2, two, one)
        chose = replace(problem, data=problem.data.with_choices(chosen))
        probability = np.exp(Likelihood(chose, fine).by_person(theta)[0])
        exact = exact + probability[:, None] * sequence_moments._scores((chose,), there, 0)[0]
    found = []
    for seed in range(150):
        grid = population_grid(monte_carlo(2), 1, 30, seed)
        drawn = draw_sequences(problem, grid, there, np.random.default_rng(seed))
        found.append(drawn.scores[0] - drawn.by_person(theta)[0])
    gap = np.array(found) - exact
    for each, far in ((gap.sum(axis=1), 3.0), (gap, 4.5)):  # persons together, and one by one
        noise = each.std(axis=0, ddof=1) / np.sqrt(len(found))
        assert np.abs(each.mean(axis=0) / noise).max() < far


@pytest.mark.parametrize(
    ("law", "at"),
    [
        (
            LKJNormal("x", "y"),
            {"mean[x]": 1, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 1.2, "corr[x, y]": -0.6},
        ),
        (LogNormal("x", sign=-1), {"mean[x]": 0.2, "sd[x]": 0.8, "fixed[y]": -0.6}),
    ],
)
def test_other_laws_are_recovered(law, at):
    model = MixedLogit("x + y", random=law)
    drawn = simulated(model, at, 300, 5, seed=7)
    fit = msm(model, drawn, grid=sobol(32), moments="sequences", rng=2)
    assert ((fit.params - pd.Series(at)) / fit.std_errors).abs().max() < 3
    exact = msle(model, drawn, grid=centred(sobol(64)), starts=1, rng=1)
    np.testing.assert_allclose(fit.std_errors, exact.std_errors, rtol=0.25)


def test_it_is_a_fit_like_the_others(tmp_path):
    fit = fitted()
    fit.save(tmp_path / "msm.json")
    again = Fit.load(tmp_path / "msm.json", data())
    np.testing.assert_array_equal(again.theta, fit.theta)
    assert again.headline() == fit.headline()
    same = msm(MODEL, data(), grid=sobol(64), moments="sequences", rng=1)
    np.testing.assert_array_equal(same.theta, fit.theta)


def test_a_standard_deviation_at_its_boundary_has_no_standard_error():
    """Slopes vanish there but for the noise of sequences, which would be taken for precision."""
    at = {"fixed[x]": 0.7, "fixed[y]": -0.6}
    drawn = simulated(MixedLogit("x + y"), at, 150, 4, seed=2)
    fit = msm(MODEL, drawn, grid=sobol(8), moments="sequences", rng=1)
    assert "sd[x] at the boundary 0" in fit.message
    assert np.isnan(fit.std_errors["sd[x]"])
    assert np.isfinite(fit.std_errors[["mean[x]", "fixed[y]"]]).all()
