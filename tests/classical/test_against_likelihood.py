"""Moments and simulated scores on few persons: near the likelihood, or warned of in words."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bayesmix import Normal
from bayesmix.classical.against_likelihood import Likeliest, apart_words, weak_words
from bayesmix.classical.moment_fit import Solution
from bayesmix.classical.msle import msle
from bayesmix.classical.msm import msm
from bayesmix.classical.mss import mss
from bayesmix.integration.rules import centred, monte_carlo, sobol
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

AT = {"mean[x]": 1.0, "sd[x]": 1.2, "fixed[y]": -0.6}
MODEL = MixedLogit("x + y", random=Normal("x"))


@cache
def data(persons):
    return simulated(MODEL, AT, persons, 3, seed=0)


@cache
def moments():
    return msm(MODEL, data(300), grid=sobol(32), rng=1)


@cache
def likelihood():
    return msle(MODEL, data(300), grid=centred(sobol(64)), starts=1, rng=1)


def test_what_is_well_determined_has_no_warning():
    assert "Weakly" not in moments().message
    assert "Far from" not in moments().message


def test_weak_directions_are_named_with_their_standard_error():
    """The smallest singular value of the whitened derivatives is one over an error in utils."""
    fit = moments()
    weak = replace(fit.information, hessian=fit.information.hessian.copy())
    entry = fit.space.names.index("sd[x]")
    weak.hessian[entry] = weak.hessian[:, entry] = 0.0
    unit = 1.0 / fit.problem.design.spread[0]
    weak.hessian[entry, entry] = 1.0 / (3.9 * unit) ** 2
    words = weak_words(fit.problem, weak, fit.theta)
    assert "Weakly identified: sd[x] has a standard error of 3.9 utils" in words
    assert "derivatives 0.26" in words
    assert weak_words(fit.problem, fit.information, fit.theta) == ""


def test_estimates_far_from_the_likelihoods_are_named():
    fit, other = moments(), likelihood()
    scores = Likelihood(other.problem, other.grid).by_person(other.theta)[1]
    near = Likeliest(other.theta, scores)
    assert apart_words(fit.problem, fit.information, fit.theta, near) == ""
    far = fit.theta + np.array([0.0, 0.0, 8.0 * fit.std_errors["fixed[y]"]])
    words = apart_words(fit.problem, fit.information, far, near)
    assert (
        f"Far from the likelihood's estimates: fixed[y] ({other.params['fixed[y]']:.4g})" in words
    )
    assert "sd[x]" not in words
    assert apart_words(fit.problem, fit.information, far, None) == ""


def test_without_a_root_the_first_step_stands_and_says_so(monkeypatch):
    first = msm(MODEL, data(300), grid=sobol(32), steps="one-step", rng=1)
    exact = property(lambda self: self.criterion.root.shape[1] == len(self.theta))
    monkeypatch.setattr(Solution, "rootless", lambda self, problem: exact.fget(self))
    fit = msm(MODEL, data(300), grid=sobol(32), rng=1)
    assert "No parameters make the moments of the last step 0" in fit.message
    np.testing.assert_array_equal(fit.params, first.params)


def test_persons_without_accepted_draws_have_the_scores_of_their_own_grids(monkeypatch):
    monkeypatch.setattr("bayesmix.classical.score_root.WITHOUT", 1.0)
    fit = mss(MODEL, data(300), grid=monte_carlo(24), accepted=10, rng=1)
    assert "No candidate was accepted for" in fit.message
    assert "their scores are those of centred(sobol(64)" in fit.message
    off = (fit.params - likelihood().params) / likelihood().std_errors
    # Of draws that are few the score is noisy, and it still has no bias.
    assert off.abs().max() < 1.5, off.to_string()
    assert np.isfinite(fit.std_errors).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_few_persons_and_one_situation_each_are_near_or_warned_of(seed):
    few = simulated(MODEL, AT, 60, 1, seed=seed)
    fit, other = msm(MODEL, few, grid=sobol(64), rng=1), msle(MODEL, few, rng=1)
    off = (fit.params - other.params)["mean[x]"] / fit.std_errors["mean[x]"]
    warned = "Weakly" in fit.message or "Far from" in fit.message
    assert warned or (abs(off) < 2 and fit.std_errors["mean[x]"] < 1.5), fit.summary()
