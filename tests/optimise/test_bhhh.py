"""BHHH: the optimum of BFGS, its steps, its stopping rule, and where it gives up."""

from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial, starting_values
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.bhhh import HALVINGS, _rise, _scored, bhhh, maximise_likelihood
from bayesmix.optimise.maximise import GRADIENT_TOLERANCE, Steps, whitening
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.LKJNormal("x", "y"))
AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 1.1, "sd[y]": 0.8, "corr[x, y]": 0.4}


@cache
def likelihood(weighted=False):
    data = simulated(MODEL, AT, 200, 6, seed=3)
    if weighted:
        frame = data.frame
        data = choice_data(frame.assign(w=0.2 + frame["who"] % 4), weights="w")
    problem = bind(MODEL, data)
    return Likelihood(problem, population_grid(bm.gauss_hermite(9), 2, 200))


def start(weighted=False):
    problem = likelihood(weighted).problem
    return starting_values(problem, multinomial(problem))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_optimum_is_that_of_bfgs(weighted):
    target = likelihood(weighted)
    weights = target.problem.data.weights
    _, scores = target.by_person(start(weighted))
    root = whitening(scores, weights, natural_units(target.problem))
    ours = maximise_likelihood(target, start(weighted), root, steps=Steps("bhhh"))
    theirs = maximise_likelihood(target, start(weighted), root)
    assert ours.converged
    assert ours.decrement <= GRADIENT_TOLERANCE
    assert ours.message == "the gradient is small"
    assert ours.value == pytest.approx(theirs.value, abs=1e-6)
    np.testing.assert_allclose(ours.theta, theirs.theta, atol=1e-4)
    value, gradient = target.value_and_gradient(ours.theta)
    assert value == pytest.approx(ours.value, rel=1e-12)
    np.testing.assert_allclose(gradient, ours.gradient, atol=1e-8)
    outer = (target.by_person(ours.theta)[1].T * weights) @ target.by_person(ours.theta)[1]
    distance = np.sqrt(gradient @ np.linalg.solve(outer, gradient))
    assert distance == pytest.approx(ours.decrement, rel=0.05)


@pytest.mark.parametrize("optimizer", ["bfgs", "bhhh"])
def test_an_optimum_keeps_what_its_value_is_the_sum_of(optimizer):
    target = likelihood()
    _, scores = target.by_person(start())
    root = whitening(scores, target.problem.data.weights, natural_units(target.problem))
    found = maximise_likelihood(target, start(), root, steps=Steps(optimizer))
    logp, scores = target.by_person(found.theta)
    np.testing.assert_array_equal(found.by_person.theta, found.theta)
    np.testing.assert_array_equal(found.by_person.logp, logp)
    np.testing.assert_array_equal(found.by_person.scores, scores)


def test_the_first_step_is_along_the_scores_regression():
    """``B^-1 g`` is the coefficient vector of a regression of 1 on the scores."""
    target, at = likelihood(), start()
    value, scores = target.by_person(at)
    ours = bhhh(target, at, Steps(iterations=1))
    step = np.linalg.lstsq(scores, np.ones(200), rcond=None)[0]
    scale = (ours.theta - at) @ step / (step @ step)
    assert np.log2(scale) == pytest.approx(np.round(np.log2(scale)), abs=1e-3)
    np.testing.assert_allclose(ours.theta - at, scale * step, atol=2e-4 * np.abs(step).max())
    assert ours.value > value.sum()
    assert not ours.converged
    assert ours.message == "iterations are used up"


def test_every_step_climbs():
    values = []
    bhhh(likelihood(), start(), Steps(callback=values.append))
    assert (np.diff(values) > 0).all()


def test_a_step_that_never_climbs_ends_the_search(monkeypatch):
    target = likelihood()
    by_person = Likelihood.by_person

    def backwards(self, theta):
        logp, scores = by_person(self, theta)
        return logp, -scores

    monkeypatch.setattr(Likelihood, "by_person", backwards)
    found = bhhh(target, start())
    assert not found.converged
    assert found.message == "no step raises the log-likelihood"
    assert found.evaluations == 1 + HALVINGS


def test_a_step_that_is_too_long_is_halved():
    target, at = likelihood(), start()
    logp, scores = target.by_person(at)
    gradient = scores.sum(axis=0)
    direction = np.linalg.solve(scores.T @ scores, gradient)
    far = 2.0**9 * direction
    assert not target.by_person(at + far)[0].sum() > logp.sum()
    found = _rise(target, _scored(target, at), far, gradient @ far)
    assert found is not None
    there, evaluations = found
    np.testing.assert_allclose(there.theta - at, 0.5 ** (evaluations - 1) * far, rtol=1e-9)
    assert evaluations > 3
    assert there.value > logp.sum()
