"""The root of posteriors' scores where posteriors are far from normal, and curvature is noise.

Where coefficients are in the hundreds nodes do not follow posteriors (`bayesmix.centring.anchors`),
and differences of scores from one point to the next are noise that no steps of Newton's can do
with. Broyden's method (1965), in coordinates in which the scores' outer product is 1, learns from
the steps themselves, and ends where it comes no nearer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.follow import followed
from bayesmix.centring.grids import PersonGrid, anchored_grid
from bayesmix.integration.descriptions import Centred
from bayesmix.integration.grids import PopulationGrid
from bayesmix.journal import remembered
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.anchored_scores import anchored_scores, followable, freezable_at
from bayesmix.optimise.maximise import ByPerson, Optimum

ROUNDS, RENEWALS = 12, 2
"""Steps of a search on nodes that follow, and such searches."""
MANY, FEW_ROUNDS = 1024, 4
"""Nodes a person from which on so few steps are taken, once: fewer have found the place already."""
STILL, NEAR, LOST = 0.02, 0.1, 1.0
"""Standard errors from the root at which a search ends; at which it ends if it comes no nearer; and
from which on there is no root. Integration itself leaves more than the first two where nodes must
be held, and the certificate's shifts are those of the parameters as they are."""
LONGEST = 1.0
"""Standard errors of a step, at most."""


def broyden_root(
    problem: Problem,
    rule: Centred,
    theta: Array,
    base: PopulationGrid,
    *,
    root: Array,
    callback: Callable[[float], None] | None = None,
    known: Callable[[Array], bool] | None = None,
) -> tuple[Optimum, PersonGrid] | None:
    """The root of the scores near ``theta``, and the grid anchored there.

    None where it is lost, and where nodes follow posteriors, which Newton's steps are for.

    Broyden's method (1965) in coordinates whitened by ``root`` (P, P), in which the curvature is
    about 1. Draws are those of ``base`` at every anchor: scores are a smooth function of it. A
    search ends at a point that is ``known`` to lead to another root.
    """
    if not followable(problem):
        return None
    theta, total = problem.canonical(theta), 0
    best: tuple[Optimum, PersonGrid] | None = None
    renewals = 1 if base.size >= MANY else RENEWALS
    for renewal in range(renewals + 1):
        if not freezable_at(problem, theta):
            break
        grid = anchored_grid(problem, rule, theta, base)
        if grid.anchors.normal.any():
            return None
        here = _root_at(problem, grid, root)
        total += 1
        if best is None or here.decrement < best[0].decrement:
            best = here, grid
        if here.decrement < NEAR or renewal == renewals or (known is not None and known(theta)):
            break
        # Components with moments keep their places about the modes, and are found anew at the end.
        found = _follow_root(problem, grid, here, root)
        total, theta = total + found.evaluations, found.theta
        if callback is not None:
            callback(found.value)
    if best is None or not best[0].converged:
        return None
    found, grid = best
    if found.by_person is None:  # it was known in sum
        found = replace(found, by_person=ByPerson(found.theta, *anchored_scores(problem, grid)))
    return replace(found, evaluations=total), grid


def _follow_root(problem: Problem, grid: PersonGrid, here: Optimum, root: Array) -> Optimum:
    """The root of the scores on nodes that follow the parameters from ``here``, or near it."""
    best, inverse, shorter = here, np.eye(root.shape[1]), 1.0
    evaluations = 0
    for _ in range(FEW_ROUNDS if grid.size >= MANY else ROUNDS):
        evaluations += 1
        gradient = root.T @ here.gradient
        step = inverse @ gradient
        step *= min(1.0, LONGEST / float(np.linalg.norm(step)))
        theta = here.theta + root @ step
        kept = np.array_equal(problem.canonical(theta), theta)
        if not (kept and freezable_at(problem, theta)):
            break
        moved = followed(problem, grid, theta)
        assert isinstance(moved, PersonGrid)
        new = _root_at(problem, moved, root)
        if new.decrement < best.decrement:
            inverse = _broyden(inverse, step, root.T @ new.gradient - gradient)
            here = best = new
        elif best.decrement < NEAR or shorter < 0.5:
            break
        else:
            # A bad direction: a shorter step from where it was better.
            shorter *= 0.5
            here, inverse = best, shorter * np.eye(root.shape[1])
        if best.decrement < STILL:
            break
    return replace(best, evaluations=evaluations)


def _root_at(problem: Problem, grid: PersonGrid, root: Array) -> Optimum:
    """How far the scores at an anchor are from 0; infinitely where they do not exist."""
    theta, weights = grid.anchors.theta, problem.data.weights
    own: list[ByPerson] = []

    def evaluate() -> tuple[float, Array]:
        logp, scores = anchored_scores(problem, grid)
        own.append(ByPerson(theta, logp, scores))
        return float(weighted_sum(weights, logp)), weighted_sum(weights, scores)

    value, gradient = remembered("anchored scores", theta, evaluate)
    length = float(np.linalg.norm(root.T @ gradient))
    length = length if np.isfinite(length) else np.inf
    words = "posterior means of the scores are small"
    kept = own[0] if own else None
    return Optimum(theta, value, gradient, length, 1, length < LOST, words, kept, frozen="broyden")


def _broyden(inverse: Array, step: Array, change: Array) -> Array:
    """The inverse of minus the Jacobian (P, P), such that it takes ``change`` (P,) to -``step``."""
    row = step @ inverse
    below = float(row @ change)
    if abs(below) < 1e-8 * float(step @ step):
        return inverse
    return inverse + np.outer(-step - inverse @ change, row) / below
