"""Scores at a grid's anchor, from posteriors whose nodes follow them as the parameters move.

With ``f(b) = P(y_i | b) phi(b; loc_i, L L')`` a person's score is, for *any* field ``v(b)`` with
which nodes move as theta does,

    d log P_i / d theta = E[d log phi / d theta + (d log f / d b)'v + div v | y_i],

since ``E[(d log f / d b)'v + div v | y_i] = 0``. Nodes fixed in the space of standard normals have
``v = u`` in the direction of theta, nodes frozen where they are have ``v = 0`` (Fisher's identity).
Least noise has the field that carries the posterior at theta into the posterior beside it: there
every node says the same. Of a normal posterior with centre m and covariance A, whose choices have
a curvature that stays, it is, for a move ``dloc`` of the location and ``dS`` of ``S = L L'``,

    v = A S^-1 dloc + A S^-1 dS S^-1 (m - loc) + A S^-1 dS S^-1 (b - m) / 2.

Whatever the posterior is, scores are unbiased to the order in which integrals are, and the more
normal it is the less noise they have: on the electricity data a third, on panels of ten choices a
fifth of what nodes have that are fixed in the space of standard normals, on the same nodes.
A fixed coefficient moves the mode by ``-A C``, with the curvature C of the choices in it and b.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.anchors import Anchors
from bayesmix.centring.follow import followed
from bayesmix.centring.grids import PersonGrid
from bayesmix.kernels.posterior_moments import PosteriorMoments, posterior_moments
from bayesmix.likelihood.chain import Slopes, in_theta
from bayesmix.likelihood.halves import corrected
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.louis import applicable, posteriors_tell

BESIDE = 1e-4
"""Standard deviations beside the mode at which the slopes of laws are taken."""


def freezable_at(problem: Problem, theta: Array) -> bool:
    """Whether posteriors can be followed: indices vary, and their law is `followable`."""
    return followable(problem) and applicable(problem, theta)


def followable(problem: Problem) -> bool:
    """Whether laws are smooth links of an index, in preference space."""
    return problem.price < 0 and not problem.kinked and posteriors_tell(problem)


def anchored_scores(problem: Problem, grid: PersonGrid) -> tuple[Array, Array]:
    """``log P_i`` (I,) and scores (I, P) of persons at the anchor of ``grid``.

    With respect to the free vector, unweighted; NaN where a standard deviation is 0.
    """
    point = Point(problem, grid.anchors.theta)
    logp, scores = joined(over_persons(point, grid, anchored_integrals))
    return logp, scores


def anchored_integrals(here: Point, grid: PersonGrid) -> tuple[Array, Array]:
    """`anchored_scores` of a block of persons."""
    if grid.halves:
        return corrected(*(anchored_integrals(here, half) for half in grid.halves))
    persons, chol = here.persons, here.parameters.chol
    if not (np.abs(np.diag(chol)) > 0.0).all():
        scores = np.full((persons.n_persons, len(here.theta)), np.nan)
        return scores[:, 0], scores
    mixture = here.mixture(*grid.block(0, persons.n_persons))
    moments = posterior_moments(here.panel, here.base, mixture)
    inverse = np.linalg.inv(chol)
    centre, covariance = _posterior(grid.anchors, chol)
    precision = inverse.T @ inverse
    square = np.tril(moments.square) + np.tril(moments.square, -1).swapaxes(1, 2)
    by_location, by_factor = moments.node @ inverse, inverse.T @ (square - np.eye(len(chol)))
    # E[d log f / d b], and E[(d log f / d b) (b - m)'].
    slope = moments.score - by_location
    turning = (moments.score_node - inverse.T @ square) @ chol.T
    turning -= slope[:, :, None] * centre[:, None, :]
    d_loc = by_location + (covariance @ slope[:, :, None])[:, :, 0] @ precision
    # The trace of W A S^-1 dS S^-1 with all that v is multiplied by, W: by S, and then by L.
    found = centre[:, :, None] * slope[:, None, :] + turning.swapaxes(1, 2) / 2
    found += np.eye(len(chol)) / 2
    by_square = precision @ found @ covariance @ precision
    d_chol = by_factor + (by_square + by_square.swapaxes(1, 2)) @ chol
    space, fixed = persons.parameters, None
    if space.fixed:
        fixed = _fixed_scores(here, moments, grid.anchors, covariance, slope)
    return moments.logp, in_theta(
        space, Slopes(d_loc, d_chol[:, *space.chol_index], persons.z, fixed)
    )


def _posterior(anchors: Anchors, chol: Array) -> tuple[Array, Array]:
    """Centres ``m - loc`` (n, K) and covariances (n, K, K) of the posteriors of the index.

    Of the first pass, where there was one, otherwise of the curvature at the mode; covariances are
    times what says how normal a posterior is: the less, the less are its nodes to follow. Where
    correlated lognormals make posteriors wide and skewed, following wholly has twice the noise of
    holding nodes where they are.
    """
    roots = chol @ anchors.roots[:, -1]
    covariances = anchors.normal[:, None, None] * (roots @ roots.swapaxes(1, 2))
    return anchors.centres[:, -1] @ chol.T, covariances


def _fixed_scores(
    here: Point, moments: PosteriorMoments, anchors: Anchors, covariance: Array, slope: Array
) -> Array:
    """Scores (n, F) in fixed coefficients, with nodes that move by ``-A C``."""
    persons = here.persons
    own = np.add.reduceat(persons.x_fixed * moments.base[:, None], persons.first_rows, axis=0)
    curvature = _cross_curvature(here, anchors)
    found: Array = own - ((slope[:, None, :] @ covariance) @ curvature)[:, 0]
    return found


def _cross_curvature(here: Point, anchors: Anchors) -> Array:
    """Minus ``d2 log P(y_i | b) / db d delta`` (n, K, F) at the posterior's centre.

    Covariances within situations of attributes with random coefficients, times the slopes of their
    laws, with those of fixed ones.
    """
    persons, panel = here.persons, here.panel
    step = BESIDE * np.linalg.inv(here.parameters.chol).sum(axis=1)
    middle = anchors.centres[:, -1]
    nodes = np.stack([middle - step, middle, middle + step], axis=2)
    below, beta, above = np.moveaxis(here.coefficients(np.ascontiguousarray(nodes)), 2, 0)
    rise = (above - below) / (2 * BESIDE)
    utility = here.base + np.einsum("rk,rk->r", panel.x, beta[persons.row_person])
    starts = panel.situation_start[:-1]
    sizes = np.diff(panel.situation_start)
    top = np.maximum.reduceat(utility, starts)
    top = np.maximum(top, 0.0) if panel.outside else top
    shares = np.exp(utility - np.repeat(top, sizes))
    total = np.add.reduceat(shares, starts) + (np.exp(-top) if panel.outside else 0.0)
    shares /= np.repeat(total, sizes)
    random = panel.x * rise[persons.row_person]
    mean = np.add.reduceat(shares[:, None] * random, starts, axis=0)
    random = (random - np.repeat(mean, sizes, axis=0)) * shares[:, None]
    products = random[:, :, None] * persons.x_fixed[:, None, :]
    found: Array = np.add.reduceat(products, persons.first_rows, axis=0)
    return found


def following_scores(problem: Problem, grid: PersonGrid) -> Callable[[Array], Array]:
    """Sum (P,) of the weighted `anchored_scores`, a function of theta, on nodes that follow it."""
    whole = following_scores_of_groups(problem, [grid], 1)

    def total(theta: Array) -> Array:
        found: Array = whole(theta)[0, 0]
        return found

    return total


def following_scores_of_groups(
    problem: Problem, grids: Sequence[PersonGrid], groups: int
) -> Callable[[Array], Array]:
    """`following_scores` (R, G, P) on R scramblings of a grid, of groups of persons.

    Each group is of every G-th person. Posteriors are followed once, for all scramblings.
    """
    weights = problem.data.weights
    members = [slice(g, None, groups) for g in range(groups)]

    def totals(theta: Array) -> Array:
        moved = followed(problem, grids[0], theta)
        assert isinstance(moved, PersonGrid)
        on_each = [replace(grid, anchors=moved.anchors) for grid in grids]
        scores = [anchored_scores(problem, grid)[1] for grid in on_each]
        return np.stack([[weighted_sum(weights[g], own[g]) for g in members] for own in scores])

    return totals
