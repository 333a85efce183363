"""Where simulated scores vanish whose nodes are held in coefficient space.

Where choices turn around within a small part of a standard deviation, as with lognormal
coefficients in the hundreds, a simulated likelihood whose nodes move with the parameters is a
staircase: its slope is that of a few nodes, and an optimiser climbs on them. Nodes held at their
coefficients keep choice probabilities, and the population's density alone moves: the score is a
posterior mean of polynomials (Fisher's identity). It holds at the anchor only, for away from it
weights degenerate and an optimiser climbs on those; so anchors follow the parameters, and what is
found is the root of the score, as by simulated scores (Hajivassiliou and McFadden 1998), not the
maximum of a function. Where choices move smoothly it is the other way round: polynomials are the
noisier ones. `quieter` tells which it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.follow import followed
from bayesmix.centring.grids import PersonGrid, anchored_grid, centre
from bayesmix.integration.descriptions import Centred, DrawRule
from bayesmix.integration.grids import PopulationGrid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.anchored_scores import anchored_scores, holdable
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
GLANCE, PAIRS = 128, 2
"""Nodes, and pairs of scramblings, that tell which gradient has less noise."""


def quieter(
    problem: Problem, rule: Centred, theta: Array, root: Array, rng: np.random.Generator
) -> bool:
    """Whether the gradient at ``theta`` has less noise on held nodes, of the mixtures of a rule.

    Noise is measured in standard errors, with the ``root`` (P, P) of the inverse curvature, by the
    lengths of the differences of persons' scores between scramblings: squares would be those of a
    few persons.
    """
    assert isinstance(rule.rule, DrawRule)
    few_nodes = replace(rule, rule=replace(rule.rule, nodes=GLANCE))
    grid = centre(problem, few_nodes, theta, rng)
    noise = np.zeros(2)
    for _ in range(PAIRS):
        few = [grid.renewed(rng) for _ in range(2)]
        for kind in range(2):
            one, other = (
                (anchored_scores(problem, g) if kind else Likelihood(problem, g).by_person(theta))[
                    1
                ]
                for g in few
            )
            change = problem.data.weights[:, None] * (one - other)
            noise[kind] += np.linalg.norm(change @ root, axis=1).sum()
    return bool(noise[1] < noise[0])


def settle_held(
    problem: Problem,
    rule: Centred,
    theta: Array,
    base: PopulationGrid,
    *,
    root: Array,
    callback: Callable[[float], None] | None = None,
    known: Callable[[Array], bool] | None = None,
) -> tuple[Optimum, PersonGrid] | None:
    """The root of the scores near ``theta``, and the grid anchored there; None where it is lost.

    Broyden's method (1965) in coordinates whitened by ``root`` (P, P), in which the curvature is
    about 1. Draws are those of ``base`` at every anchor: scores are a smooth function of it. A
    search ends at a point that is ``known`` to lead to another root.
    """
    theta, total = problem.canonical(theta), 0
    best: tuple[Optimum, PersonGrid] | None = None
    renewals = 1 if base.size >= MANY else RENEWALS
    for renewal in range(renewals + 1):
        if not holdable(problem, theta):
            break
        grid = anchored_grid(problem, rule, theta, base)
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
    return replace(best[0], evaluations=total), best[1]


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
        if not (kept and holdable(problem, theta)):
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
    logp, scores = anchored_scores(problem, grid)
    gradient = weighted_sum(weights, scores)
    length = float(np.linalg.norm(root.T @ gradient))
    length = length if np.isfinite(length) else np.inf
    words = "posterior means of the scores are small"
    own = ByPerson(theta, logp, scores)
    value = float(weighted_sum(weights, logp))
    return Optimum(theta, value, gradient, length, 1, length < LOST, words, own, held="broyden")


def _broyden(inverse: Array, step: Array, change: Array) -> Array:
    """The inverse of minus the Jacobian (P, P), such that it takes ``change`` (P,) to -``step``."""
    row = step @ inverse
    below = float(row @ change)
    if abs(below) < 1e-8 * float(step @ step):
        return inverse
    return inverse + np.outer(-step - inverse @ change, row) / below
