"""Scores at a grid's anchor by Fisher's identity, from the posterior of each person's index.

``d log P_i / d theta = E[d log phi(b; loc_i, L L') / d theta | y_i]``: nodes are held where they
are, choice probabilities with them, and the population's density alone moves. Where the choices
say much of a person, as in long panels, these scores have far less noise than those of nodes that
move with the parameters: a tight posterior's moments are known well, while utilities summed over
many situations turn steeply at each node. Fixed coefficients move no node: their scores are those
of the choice probabilities, on either kind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.follow import followed
from bayesmix.centring.grids import PersonGrid
from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.mixture import locations_at
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.freeze import hold
from bayesmix.optimise.louis import applicable


def holdable(problem: Problem, theta: Array) -> bool:
    """Whether nodes can be held: laws are links of indices that vary, in preference space."""
    return problem.price < 0 and applicable(problem, theta)


def anchored_scores(
    problem: Problem, grid: PersonGrid, start: int = 0, stop: int | None = None
) -> tuple[Array, Array]:
    """``log P_i`` (n,) and scores (n, P) of persons start .. stop - 1 at the anchor of ``grid``.

    With respect to the free vector, unweighted; NaN where a standard deviation is 0.
    """
    theta, space = grid.anchors.theta, problem.parameters
    stop = problem.n_persons if stop is None else stop
    chol = space.unpack(theta)[1]
    if not (np.abs(np.diag(chol)) > 0.0).all():
        return np.full(stop - start, np.nan), np.full((stop - start, len(theta)), np.nan)
    free = np.zeros(chol.shape, dtype=bool)
    free[space.chol_index] = True
    fixed = len(space.located) + len(space.chol_index[0]) + np.arange(len(space.fixed))
    laws = np.setdiff1d(np.arange(len(theta)), fixed)
    likelihood = Likelihood(problem, grid, keep=False)
    logp, scores = np.empty(stop - start), np.empty((stop - start, len(theta)))
    for a, b in problem.blocks(grid, start, stop):
        here, loc = slice(a - start, b - start), locations_at(problem, theta, a, b)
        held = hold(problem, grid, a, b)
        logp[here], d_loc, d_chol = density_integrals(loc, chol, free, *held)
        shifts = d_loc[:, space.shifted] * problem.z[a:b]
        parts = [d_loc[:, space.located], d_chol[:, *space.chol_index], shifts]
        scores[here, laws] = np.concatenate(parts, axis=1)
        if len(fixed):
            scores[here, fixed] = likelihood.by_person(theta, a, b)[1][:, fixed]
    return logp, scores


def following_scores(problem: Problem, grid: PersonGrid) -> Callable[[Array], Array]:
    """Sum (P,) of the weighted `anchored_scores`, a function of theta, on nodes that follow it."""

    def total(theta: Array) -> Array:
        moved = followed(problem, grid, theta)
        assert isinstance(moved, PersonGrid)
        return weighted_sum(problem.data.weights, anchored_scores(problem, moved)[1])

    return total
