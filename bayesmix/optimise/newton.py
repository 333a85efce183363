"""Newton's method to where scores of posteriors vanish, on nodes that follow these.

A log-likelihood whose nodes are fixed at an anchor has, in long panels, maxima that are made of its
nodes, several nats above the truth and several standard errors away. One whose nodes are placed
anew at every point, with the same draws, is a smooth function without them, as precise everywhere
as it is at its best; but its slope is not that of any fixed nodes. So steps come from the scores of
`bayesmix.optimise.anchored_scores`, their lengths from the log-likelihood on nodes that follow, and
what is found is a root of the scores. For curvature the scores' outer product comes first, updated
from step to step (Broyden, Fletcher, Goldfarb and Shanno); differences of the scores where that
leads on too slowly; where these are not those of a maximum, eigenvalues count by their size
(Greenstadt 1967).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, anchored_grid
from bayesmix.integration.descriptions import Centred
from bayesmix.integration.grids import PopulationGrid
from bayesmix.journal import Later, remembered
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.anchored_scores import (
    anchored_scores,
    followable,
    following_scores,
    freezable_at,
)
from bayesmix.optimise.leave_boundary import at_boundary, raised
from bayesmix.optimise.louis import plausible
from bayesmix.optimise.maximise import ByPerson, Optimum, coordinates, curvature, whitening
from bayesmix.specification.parameters import ParameterSpace

ROUNDS = 48
LOOSE = 0.3
"""Least part of a coefficient's standard deviation that others do not tell, where a search starts:
correlations of 1 are where climbs on nodes end, and there is no density to take slopes of."""
ROOT, NEAR = 5e-3, 0.05
"""Standard errors from the root at which a search ends, and within which it must have come."""
CURVATURE_NODES = 32
"""Nodes a person of the curvature, which decides how many steps are taken alone."""
FLOOR = 0.05
"""Least curvature of a direction, relative to the scores' outer product."""
RADIUS, SHORTEST = 2.0, 1e-3
"""Standard errors of the first step, at most, and of one that is not worth trying."""
NOISE = 0.02
"""Nats by which a log-likelihood on nodes that follow may fall: its slope is another's."""
STALLED = 8
"""So many steps that neither halve the way nor raise the log-likelihood end a search."""
WAYMARKS = (0.25, 0.5, 0.75)
"""Parts of the way at which a line is looked at."""
SLOW, PATIENCE = 0.7, 3
"""So many steps in turn that leave so much of the way before them ask for a new curvature."""


class _OnGrid(NamedTuple):
    """The grid anchored at a point, and log-integrals (I,) and scores (I, P) of persons on it."""

    grid: PersonGrid
    logp: Array
    scores: Array


@dataclass(frozen=True, eq=False)
class _Point:
    """A free vector, what is known of it in sum, and what that is of, made where it is asked for.

    ``normal`` says whether anybody's nodes follow a posterior there.
    """

    theta: Array
    there: Later[_OnGrid]
    value: float
    gradient: Array
    normal: bool

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


@dataclass(frozen=True, eq=False)
class _Model:
    """The log-likelihood's second-order model: whitening ``root`` (P, Q), and curvature in it."""

    root: Array
    curvature: Array

    def step(self, gradient: Array) -> tuple[Array, float]:
        """The move (P,) to the model's stationary point, and its length in standard errors."""
        values, vectors = np.linalg.eigh(self.curvature)
        values = np.maximum(np.abs(values), FLOOR)
        along = (vectors.T @ (self.root.T @ gradient)) / values
        return self.root @ (vectors @ along), float(np.linalg.norm(along * np.sqrt(values)))

    def updated(self, move: Array, fall: Array) -> _Model:
        """The model that has seen the gradient fall by ``fall`` (P,) along ``move`` (P,)."""
        step, fall = coordinates(self.root, move), self.root.T @ fall
        before, along = self.curvature @ step, float(fall @ step)
        if not along > FLOOR * float(step @ step):
            return self
        new = self.curvature - np.outer(before, before) / float(step @ before)
        return replace(self, curvature=new + np.outer(fall, fall) / along)


def newton(
    problem: Problem,
    rule: Centred,
    theta: Array,
    base: PopulationGrid,
    *,
    callback: Callable[[float], None] | None = None,
    known: Callable[[Array], bool] | None = None,
    hessian: Array | None = None,
    near: float = ROOT,
) -> tuple[Optimum, PersonGrid] | None:
    """The root of the scores that is uphill from ``theta``, and the grid anchored there.

    None where there is none: where posteriors are far from normal, where nodes cannot be frozen, or
    scores are too noisy for one.

    Parameters
    ----------
    problem
        The model bound to data.
    rule, base
        A person-centred rule of draws, and the draws that all its grids are made of.
    theta
        Free vector (P,) where the search starts; `loosened`, unless it is a root on other nodes.
    known
        Whether a point is so near to a known root that it leads there: the search ends.
    hessian
        The curvature (P, P) at ``theta``, where it is known.
    near
        Standard errors from the root at which the search ends: fewer nodes know it less well.
    """
    if not followable(problem):
        return None
    theta = problem.canonical(theta)
    if not freezable_at(problem, theta):
        return None
    here = _at(problem, rule, theta, base)
    if not here.finite:
        return None
    if not here.normal:
        return None
    model = _outer(problem, here)
    if hessian is not None:
        model = _known(problem, here, hessian)
    young, radius, evaluations, best = False, RADIUS, 1.0, here.value
    dear = (len(theta) + 1) * min(1.0, CURVATURE_NODES / base.size)
    distance, slow, nearest, since = np.inf, 0, np.inf, 0
    for _ in range(ROUNDS):
        move, distance = model.step(here.gradient)
        nearest, since = (distance, 0) if distance < nearest / 2 else (nearest, since + 1)
        stalled = since > STALLED and here.value < best + NOISE
        best, since = (here.value, 0) if here.value > best + NOISE else (best, since)
        if distance < near or stalled or (known is not None and known(here.theta)):
            break
        scale = min(1.0, radius / distance)
        trial = problem.canonical(here.theta + scale * move)
        there = _at(problem, rule, trial, base) if freezable_at(problem, trial) else None
        evaluations += 1
        if there is not None and there.finite and there.value > here.value - NOISE:
            if callback is not None:
                callback(there.value)
            model = model.updated(there.theta - here.theta, here.gradient - there.gradient)
            here, young, radius = there, False, max(radius, 2 * scale * distance)
            slow = slow + 1 if model.step(here.gradient)[1] > SLOW * distance else 0
        else:
            radius, slow = scale * distance / 4, 0 if young else PATIENCE
            if radius < SHORTEST:
                break
        if slow == PATIENCE:
            model, young, slow = _by_differences(problem, here), True, 0
            evaluations += dear
    if not (distance < NEAR or (known is not None and known(here.theta))):
        return None
    words = "scores of the posteriors vanish"
    found = here.there.made
    own = ByPerson(here.theta, found.logp, found.scores)
    spent = int(np.ceil(evaluations))
    optimum = Optimum(
        here.theta, here.value, here.gradient, distance, spent, True, words, own, frozen="newton"
    )
    return optimum, found.grid


def curvature_at(problem: Problem, grid: PersonGrid, scores: Array) -> Array | None:
    """The curvature (P, P) at the anchor of ``grid``, of persons' ``scores`` (I, P), for `newton`.

    On few nodes: it decides how many steps are taken, not where they end. None where it is noise.
    """
    weights, units = problem.data.weights, natural_units(problem)
    root = whitening(scores, weights, units, problem.directions)
    few = grid.resized(min(grid.size, CURVATURE_NODES))
    found = curvature(following_scores(problem, few), grid.anchors.theta, root)
    return found if plausible(found, root) else None


def rises(
    problem: Problem, rule: Centred, theta: Array, optimum: Array, base: PopulationGrid, far: float
) -> bool:
    """Whether the log-likelihood rises all the way from ``theta`` (P,) to a known ``optimum`` (P,).

    On nodes that follow, at a few points of the line between them, the first of which is one
    standard error from ``theta`` of the ``far`` that there are: what is no maximum so near by is
    none at all.
    """
    parts, height = sorted({min(0.5, 1.0 / max(far, 1.0)), *WAYMARKS}), -np.inf
    for part in (0.0, *parts, 1.0):
        at = theta + part * (optimum - theta)
        there = _at(problem, rule, at, base) if freezable_at(problem, at) else None
        if there is None or not there.finite or not there.value > height + NOISE:
            return False
        height = there.value
    return True


def loosened(problem: Problem, theta: Array) -> Array:
    """``theta`` with moderate standard deviations for those near 0, and loose correlations."""
    theta, space = raised(problem, theta, at_boundary(problem, theta)), problem.parameters
    own = [_loosened(space.within, part) for part in space.class_thetas(theta)]
    loose: Array = space.join(np.array(own), space.gamma(theta))
    return loose if problem.constraint is None else problem.canonical(loose)


def _loosened(space: ParameterSpace, theta: Array) -> Array:
    """`loosened` of one class, whose standard deviations are moderate."""
    mean, chol, fixed, shift, log_scale = space.unpack(theta)
    chol = chol.copy()
    sd, own = np.sqrt((chol**2).sum(axis=1)), np.abs(np.diag(chol))
    for k in np.flatnonzero((own < LOOSE * sd) & (sd > 0.0)):
        chol[k, :k] *= np.sqrt((1 - LOOSE**2) / (1 - (own[k] / sd[k]) ** 2))
        chol[k, k] = LOOSE * sd[k]
    return space.pack(mean, chol, fixed, shift, log_scale)


def _at(problem: Problem, rule: Centred, theta: Array, base: PopulationGrid) -> _Point:
    def place() -> _OnGrid:
        grid = anchored_grid(problem, rule, theta, base)
        return _OnGrid(grid, *anchored_scores(problem, grid))

    def evaluate() -> tuple[float, Array, float]:
        grid, logp, scores = there.made
        weights = problem.data.weights
        normal = float(grid.anchors.normal.any())
        return float(weighted_sum(weights, logp)), weighted_sum(weights, scores), normal

    there = Later(place)
    value, gradient, normal = remembered("following nodes", theta, evaluate)
    return _Point(theta, there, value, gradient, bool(normal))


def _outer(problem: Problem, here: _Point) -> _Model:
    """Curvature as the scores' outer product, in whose coordinates it is 1."""

    def evaluate() -> tuple[Array]:
        scores, weights = here.there.made.scores, problem.data.weights
        return (whitening(scores, weights, natural_units(problem), problem.directions),)

    (root,) = remembered("outer product", here.theta, evaluate)
    return _Model(root, np.eye(root.shape[1]))


def _known(problem: Problem, here: _Point, hessian: Array) -> _Model:
    """The model of a curvature (P, P) that is known here."""
    root = _outer(problem, here).root
    return _Model(root, root.T @ hessian @ root)


def _by_differences(problem: Problem, here: _Point) -> _Model:
    root = _outer(problem, here).root

    def slope(theta: Array) -> Array:
        grid = here.there.made.grid
        few = grid.resized(min(grid.size, CURVATURE_NODES))
        return following_scores(problem, few)(theta)

    return _known(problem, here, curvature(slope, here.theta, root))
