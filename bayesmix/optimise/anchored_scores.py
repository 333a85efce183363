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
from bayesmix.likelihood.chain import Slopes, in_theta
from bayesmix.likelihood.evaluate import log_integrals
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.freeze import hold
from bayesmix.optimise.louis import applicable


def holdable(problem: Problem, theta: Array) -> bool:
    """Whether nodes can be held: laws are links of indices that vary, in preference space."""
    return problem.price < 0 and applicable(problem, theta)


def anchored_scores(problem: Problem, grid: PersonGrid) -> tuple[Array, Array]:
    """``log P_i`` (I,) and scores (I, P) of persons at the anchor of ``grid``.

    With respect to the free vector, unweighted; NaN where a standard deviation is 0.
    """
    point = Point(problem, grid.anchors.theta)
    logp, scores = joined(over_persons(point, grid, anchored_integrals))
    return logp, scores


def anchored_integrals(here: Point, grid: PersonGrid) -> tuple[Array, Array]:
    """`anchored_scores` of a block of persons."""
    persons, chol = here.persons, here.parameters.chol
    if not (np.abs(np.diag(chol)) > 0.0).all():
        scores = np.full((persons.n_persons, len(here.theta)), np.nan)
        return scores[:, 0], scores
    space, fixed = persons.parameters, None
    free = np.zeros(chol.shape, dtype=bool)
    free[space.chol_index] = True
    held = hold(here.problem, grid)
    logp, d_loc, d_chol = density_integrals(here.locations, chol, free, *held)
    if space.fixed:
        first = len(space.located) + len(space.chol_index[0])
        fixed = log_integrals(here, grid)[1][:, first : first + len(space.fixed)]
    return logp, in_theta(space, Slopes(d_loc, d_chol[:, *space.chol_index], persons.z, fixed))


def following_scores(problem: Problem, grid: PersonGrid) -> Callable[[Array], Array]:
    """Sum (P,) of the weighted `anchored_scores`, a function of theta, on nodes that follow it."""

    def total(theta: Array) -> Array:
        moved = followed(problem, grid, theta)
        assert isinstance(moved, PersonGrid)
        return weighted_sum(problem.data.weights, anchored_scores(problem, moved)[1])

    return total
