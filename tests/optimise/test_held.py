"""Nodes held in coefficient space: their likelihood, its scores, when they are better, the root."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bayesmix import Correlated, LKJNormal, LogNormal
from bayesmix.centring.grids import centre
from bayesmix.classical.ends import SAME_ROOT
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import bind
from bayesmix.optimise.anchored_scores import anchored_integrals, anchored_scores, holdable
from bayesmix.optimise.freeze import hold
from bayesmix.optimise.held import LOST, quieter, settle_held
from bayesmix.optimise.maximise import whitening
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import FIXED
from tests.simulated import simulated

RULE = centred(sobol(128), moments=True)
LOGNORMALS = {"mean[x]": 1.5, "mean[y]": 1.0, "sd[x]": 1.5, "sd[y]": 1.8, "corr[x, y]": 0.7}
NORMALS = {"mean[x]": 0.5, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 1.0, "corr[x, y]": 0.3}


@cache
def case(law="lognormal", shift=""):
    """A problem, the parameters that it was simulated from, and a root of the scores' product."""
    mixing = Correlated(LogNormal("x", "y", sign=-1)) if law == "lognormal" else LKJNormal("x", "y")
    model = MixedLogit("x + y" + shift, random=mixing)
    at = (LOGNORMALS if law == "lognormal" else NORMALS) | ({"fixed[z]": 0.3} if shift else {})
    columns = ("x", "y", "z") if shift else ("x", "y")
    data = simulated(model, at, 200, 6 if law == "lognormal" else 20, columns=columns)
    problem = bind(model, data)
    theta = problem.parameters.theta(at)
    scores = Likelihood(problem, centre(problem, RULE, theta, 1)).by_person(theta)[1]
    return problem, theta, whitening(scores, data.weights)


@pytest.mark.parametrize("shift", ["", " + z"])
def test_at_the_anchor_integrals_are_those_of_the_grid(shift):
    problem, theta, _ = case("normal", shift)
    grid = centre(problem, RULE, theta, 1)
    logp, scores = anchored_scores(problem, grid)
    own, moving = Likelihood(problem, grid).by_person(theta)
    np.testing.assert_allclose(logp, own, rtol=1e-11)
    part = Point(problem, theta).part(30, 50)
    some = anchored_integrals(part, grid.part(30, 50))
    np.testing.assert_array_equal(some[0], logp[30:50])
    np.testing.assert_array_equal(some[1], scores[30:50])
    if shift:  # choice probabilities move with a fixed coefficient, wherever nodes are
        fixed = [p.kind for p in problem.parameters.free_listed].index(FIXED)
        np.testing.assert_allclose(scores[:, fixed], moving[:, fixed], rtol=1e-11)


def test_scores_are_the_slopes_of_the_integrals():
    problem, theta, _ = case()
    grid = centre(problem, RULE, theta, 1)
    scores, held, space = anchored_scores(problem, grid)[1], hold(problem, grid), problem.parameters

    def integrals(at):
        mean, chol, *_ = space.unpack(at)
        return density_integrals(mean[None, :], chol, np.ones((2, 2), dtype=bool), *held)[0]

    for p, move in enumerate(1e-5 * np.eye(len(theta))):
        slope = (integrals(theta + move) - integrals(theta - move)) / 2e-5
        np.testing.assert_allclose(scores[:, p], slope, rtol=1e-5, atol=1e-6)


def test_both_kinds_of_scores_are_those_of_one_integral():
    """Over scramblings their totals agree, in units of standard errors."""
    problem, theta, root = case("normal")
    totals = []
    for seed in range(12):
        grid = centre(problem, centred(sobol(256), moments=True), theta, seed)
        kinds = anchored_scores(problem, grid)[1], Likelihood(problem, grid).by_person(theta)[1]
        totals.append([root.T @ scores.sum(axis=0) for scores in kinds])
    held, moving = np.swapaxes(totals, 0, 1)
    gap = held - moving
    assert (np.abs(gap.mean(axis=0)) < 4 * gap.std(axis=0, ddof=1) / np.sqrt(12)).all()


@pytest.mark.parametrize(("law", "expected"), [("lognormal", True), ("normal", False)])
def test_sharp_choices_are_quieter_on_held_nodes_and_smooth_ones_may_not_be(law, expected):
    """Densities that are nearly singular have steep slopes."""
    problem, theta, root = case(law)
    if law == "normal":
        theta = problem.parameters.theta(NORMALS | {"corr[x, y]": 0.999})
    assert quieter(problem, RULE, theta, root, np.random.default_rng(2)) is expected


def settled(start, seed, **options):
    problem, _, root = case()
    base = population_grid(sobol(512), 2, problem.n_persons, seed)
    rule = centred(sobol(512), population=0.125, moments=True)
    return settle_held(problem, rule, start, base, root=root, **options)


def test_the_root_is_where_scores_vanish_whatever_the_start():
    problem, theta, root = case()
    ends = [settled(theta + root @ move, 3) for move in (np.zeros(5), np.array([1, -1, 1, 0, 1]))]
    for optimum, grid in ends:
        assert optimum.held
        assert optimum.decrement < LOST / 4
        np.testing.assert_array_equal(grid.anchors.theta, optimum.theta)
        on_grid = Likelihood(problem, grid).by_person(optimum.theta)[0].sum()
        assert optimum.value == pytest.approx(on_grid, abs=1e-8)
    gap = np.linalg.solve(root, ends[0][0].theta - ends[1][0].theta)
    assert np.linalg.norm(gap) < SAME_ROOT
    # Independent nodes, many more of them: the root is near the exact maximum.
    fine = centre(problem, centred(sobol(4096), moments=True), ends[0][0].theta, 9)
    slope = anchored_scores(problem, fine)[1].sum(axis=0)
    assert np.linalg.norm(root.T @ slope) < SAME_ROOT


def test_a_search_ends_at_a_root_that_is_known():
    _, theta, root = case()
    optimum, _ = settled(theta, 3)
    start = optimum.theta + root @ np.array([0.2, 0.2, 0.0, 0.0, 0.2])
    near = lambda at: np.linalg.norm(np.linalg.solve(root, at - optimum.theta)) < SAME_ROOT  # noqa: E731
    assert settled(start, 3, known=near)[0].evaluations == 1
    assert settled(start, 3)[0].evaluations > 1


def test_what_cannot_be_held():
    """A standard deviation of 0 has no density; in WTP space a price moves what nodes mean."""
    problem, theta, _ = case()
    assert holdable(problem, theta)
    flat = problem.parameters.theta(LOGNORMALS | {"sd[y]": 0.0, "corr[x, y]": 0.0})
    assert not holdable(problem, flat)
    assert settled(flat, 3) is None
    with_fixed, at, _ = case("normal", " + z")
    assert holdable(with_fixed, at)
    spaces = bind(replace(with_fixed.model, wtp="z"), with_fixed.data)
    assert not holdable(spaces, at)
