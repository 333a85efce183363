"""Curvature and scores at an optimum, by differences or from posteriors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.follow import following_gradient
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.covariance import (
    Information,
)
from bayesmix.classical.curvature_noise import curvature_errors, mean_curvature
from bayesmix.integration.descriptions import DrawRule
from bayesmix.likelihood.classes import ClassGrid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.anchored_scores import following_scores_of_groups
from bayesmix.optimise.louis import DRAFT_NODES, MORE, NODES, checked, noise, plausible
from bayesmix.optimise.maximise import curvature, whitening

SCORE_NODES = 512
"""Person-centred nodes of the scores that standard errors are made of, at least."""
CURVATURE_NODES, CURVATURE_SHARE = 256, 0.125
"""Person-centred nodes of the curvature: so many, or where that is more a share of the grid's.

Errors of nodes that follow the posterior cancel in differences: on the electricity data, standard
errors are within 2 % of those with 4,096 nodes."""

CURVATURE_WORK, SCORE_WORK, MOST_NODES = 2**17, 2**18, 2048
"""Persons times nodes that take no time, of either, and nodes: with few persons there are more."""
SCRAMBLINGS = 2
GROUPS = 32
"""Groups of persons whose curvatures are told apart at a root, see `curvature_noise`."""
APART = 0.01
"""How far standard errors may be off by what scramblings say of their curvature."""
ROOT_NODES, FAR_NODES, ROOT_WORK = (32, 256), 512, 2**20
"""Nodes a person of curvatures by differences of posteriors' scores: least and most at first, where
posteriors are far from normal, and rows times nodes that take little time. Few nodes are off by the
same in all scramblings: by 1 % of a standard error with 32, for 500 persons of two choices."""
FROZEN_NOISE = 0.1
"""How much the mean of such curvatures may be off in any direction, relative to itself."""

OUTER = "standard errors from the outer product of scores, for the curvature is noise"


def information_at(
    likelihood: Likelihood,
    theta: Array,
    scores: Array | None = None,
    *,
    draft: bool = False,
    finer: int = 1,
) -> Information:
    """Curvature and scores at the free vector ``theta`` (P,), on the likelihood's grid.

    A person-centred grid follows theta as differences are taken, with `CURVATURE_NODES` where it
    has more; its scores, one evaluation, are of `SCORE_NODES` at least: their noise does not cancel
    in a sum of squares. ``scores`` (I, P) are the grid's own, where they are known. Where
    coefficients are censored a sum over nodes has kinks, of which small differences see too many or
    too few: theirs are wide, on as many nodes as the scores. A ``draft`` takes the grid's own,
    and ``finer`` has times as many nodes as would be taken.
    Where differences are noise, as with coefficients in the hundreds, see `louis.checked`.
    """
    problem, grid = likelihood.problem, likelihood.grid
    weights = problem.data.weights
    gradient = lambda at: likelihood.value_and_gradient(at)[1]  # noqa: E731
    if made_of_draws(grid):
        cheap = _affordable(problem, CURVATURE_WORK)
        nodes = max(CURVATURE_NODES, cheap, int(CURVATURE_SHARE * grid.size))
        nodes = min(max(grid.size, CURVATURE_NODES, cheap), nodes)
        nodes = SCORE_NODES if problem.kinked else nodes
        nodes = min(grid.size, CURVATURE_NODES) if draft else nodes
        gradient = following_gradient(problem, grid.resized(finer * nodes))
        wanted = finer * max(SCORE_NODES, _affordable(problem, SCORE_WORK))
        if grid.size < wanted and not draft:
            likelihood, scores = Likelihood(problem, grid.resized(wanted), keep=False), None
    elif centred_on_persons(grid):
        gradient = following_gradient(problem, grid)
    if scores is None:
        _, scores = likelihood.by_person(theta)
    units = natural_units(problem)
    root = whitening(scores, weights, units, problem.directions)
    hessian = curvature(gradient, theta, root, units if problem.kinked else None)
    attempts = (DRAFT_NODES,) if draft else (NODES, MORE * NODES)
    found = checked(problem, theta, hessian, root, attempts)
    scores = scores if found.scores is None else found.scores
    constraint = problem.constraint
    if constraint is not None:
        scores = constraint.project(scores)
    return Information(found.hessian, scores, weights, words=found.words, constraint=constraint)


def _affordable(problem: Problem, work: int) -> int:
    """Nodes a person, some at least, that are as much work as that."""
    return min(MOST_NODES, 64 * (work // (64 * problem.n_persons)))


def root_information(
    likelihood: Likelihood,
    theta: Array,
    scores: Array,
) -> tuple[Information, Array | None]:
    """`information_at` a root of posteriors' scores, and the curvatures (2, G, P, P) it is of.

    By differences of these scores, on few nodes in two scramblings, of groups of persons each, and
    nowhere but there: a tenth of a standard error away a standard error may be another by 7 %. On
    the electricity data standard errors are within 1 % with 32 nodes, robust ones within 2 %. Where
    curvatures are none of a maximum, with more nodes, and where these do not agree, from posteriors
    (Louis 1982).
    The outer product of scores stands in for a curvature that is noise on all of these.

    Parameters
    ----------
    likelihood, theta
        The log-likelihood on the grid anchored at ``theta`` (P,).
    scores
        Scores (I, P) there, see `bayesmix.optimise.anchored_scores`.
    """
    problem, grid = likelihood.problem, likelihood.grid
    assert isinstance(grid, PersonGrid)
    weights = problem.data.weights
    root = whitening(scores, weights, natural_units(problem), problem.directions)
    constraint = problem.constraint
    if constraint is not None:
        scores = constraint.project(scores)

    def information(hessian: Array, by_person: Array = scores, words: str = "") -> Information:
        return Information(hessian, by_person, weights, words=words, constraint=constraint)

    best: tuple[Information, Array | None] | None = None
    near, groups = grid.anchors.normal.any(), min(GROUPS, problem.n_persons)
    first = _first_nodes(problem) if near else FAR_NODES
    for nodes in _more_and_more(first):
        few = grid.resized(nodes)
        grids = [few, *(few.renewed(seed) for seed in range(1, SCRAMBLINGS))]
        found = curvature(following_scores_of_groups(problem, grids, groups), theta, root)
        error = noise([root.T @ one @ root for one in found.sum(axis=1)])
        mean = mean_curvature(found)
        if error < FROZEN_NOISE and plausible(mean, root):
            best = information(mean), found
            held = None if constraint is None else constraint.held
            off = curvature_errors(problem.parameters.jacobian(theta), found, held)
            if np.nanmax(np.abs(off), initial=0.0) < APART:
                return best
        elif not error < FROZEN_NOISE * (MOST_NODES / nodes) ** 0.8:
            break  # noise falls like that, and would not fall so far
    if best is not None:
        return best
    outer = information(_outer_product(root), words=OUTER), None
    unknown = np.full((len(theta), len(theta)), np.nan)
    other = checked(problem, theta, unknown, root, (NODES,))
    if other.scores is None:
        return outer
    return information(other.hessian, other.scores, other.words), None


def _first_nodes(problem: Problem) -> int:
    least, most = ROOT_NODES
    return min(most, max(least, 32 * (ROOT_WORK // (32 * problem.data.n_rows))))


def _more_and_more(nodes: int) -> Iterator[int]:
    """Four times as many nodes after these, until there are `MOST_NODES`."""
    while nodes <= MOST_NODES:
        yield nodes
        nodes = MOST_NODES if nodes < MOST_NODES < 4 * nodes else 4 * nodes


def _outer_product(root: Array) -> Array:
    """The outer product (P, P) of scores, of whose inverse ``root`` (P, Q) is a root."""
    back = np.linalg.pinv(root)
    product: Array = back.T @ back
    return product


def centred_on_persons(grid: Grid) -> TypeGuard[PersonGrid | ClassGrid]:
    """Whether a grid is centred on persons, in every class."""
    return isinstance(grid.by_class[0], PersonGrid)


def made_of_draws(grid: Grid) -> TypeGuard[PersonGrid | ClassGrid]:
    """Whether a grid is centred on persons, and made of draws, of which it may have more."""
    return centred_on_persons(grid) and isinstance(grid.rule.rule, DrawRule)
