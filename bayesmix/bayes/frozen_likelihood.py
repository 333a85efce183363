"""The integrated likelihood on nodes frozen in coefficient space, by `kernels.frozen_nodes`.

There an evaluation does not depend on the number of choices. It is what chains move on, one free
vector at a time on one thread, and what importance sampling weighs, thousands at once on all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid
from bayesmix.kernels.coefficient_space import CoefficientNodes
from bayesmix.kernels.frozen_nodes import (
    ROWS,
    FrozenNodes,
    Population,
    frozen_log_integrals,
    frozen_moments,
)
from bayesmix.likelihood.chain import summed_in_theta
from bayesmix.likelihood.halves import first_share, without_bias
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import ranges
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.threads import in_threads
from bayesmix.optimise.freeze import freeze

LOG_2PI = math.log(2 * math.pi)
TOGETHER = 32
"""Free vectors of one call: a person's nodes are read once for all of them."""
PERSONS = 64
"""Persons of one task of several threads."""


@dataclass(frozen=True, eq=False)
class FrozenLikelihood:
    """Log-likelihoods of a problem on nodes that are frozen.

    Parameters
    ----------
    problem
        The model bound to data.
    halves
        Nodes of all persons, or two halves of them.
    centre
        What the indices are less (K,).
    threads
        That share persons; any number gives the same bits.
    """

    problem: Problem
    halves: tuple[FrozenNodes, ...]
    centre: Array
    threads: int | None = 1

    @staticmethod
    def on(problem: Problem, grid: Grid, threads: int | None = 1) -> FrozenLikelihood | None:
        """On the nodes of ``grid``, where these can be frozen.

        Where coefficients are fixed they cannot: choice probabilities at a node move with them.
        """
        if not isinstance(grid, PersonGrid) or problem.parameters.fixed:
            return None
        if problem.design.residuals is not None:  # columns move too
            return None
        found = freeze(problem, grid)
        if not found:
            return None
        space = problem.parameters.within
        centre = space.unpack(grid.anchors.theta).mean[: space.n_random]
        halves = tuple(frozen_nodes(problem, nodes, centre) for nodes in found)
        return FrozenLikelihood(problem, halves, centre, threads)

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """The weighted log-likelihood at ``theta`` (P,), and its gradient (P,)."""
        here, space = Point(self.problem, theta), self.problem.parameters.within
        chol = here.parameters.chol
        inverse = np.linalg.inv(chol)
        law = self._population(here.locations, inverse)
        logp, first, second = self._moments(law)
        data, size = self.problem.data, len(chol)
        by_loc = first[:, :size] @ law.precision[:size, :size]
        total = weighted_sum(data.weights, second)[:size, :size]
        total = total + np.tril(total, -1).T
        # d log N / d L = L^-T (y y' - I), y = L^-1 (b - loc)
        d_chol = inverse.T @ (inverse @ total @ inverse.T - data.weights.sum() * np.eye(size))
        gradient = summed_in_theta(space, data.weights, by_loc, d_chol, here.persons.z)
        return float(weighted_sum(data.weights, logp)), gradient

    def by_draw(self, thetas: Array) -> Array:
        """``log P_i`` (D, I) at free vectors (D, P), in threads; NaN at those out of reach."""
        parts = [thetas[a:b] for a, b in ranges(0, len(thetas), TOGETHER)]
        found = in_threads([partial(self._some, part) for part in parts], None)
        return np.concatenate(found) if found else np.empty((0, self.problem.n_persons))

    def values(self, thetas: Array) -> Array:
        """Weighted log-likelihoods (D,) at free vectors (D, P), as `by_draw`."""
        weights = self.problem.data.weights

        def some(part: Array) -> Array:
            return weighted_sum(weights, self._some(part).T)

        parts = [thetas[a:b] for a, b in ranges(0, len(thetas), TOGETHER)]
        found = in_threads([partial(some, part) for part in parts])
        return np.concatenate(found) if found else np.empty(0)

    def _some(self, thetas: Array) -> Array:
        points = [Point(self.problem, theta) for theta in thetas]
        loc = np.stack([here.locations for here in points])
        chol = np.stack([here.parameters.chol for here in points])
        diagonal = np.diagonal(chol, axis1=1, axis2=2)
        good = np.isfinite(thetas).all(axis=1) & (np.abs(diagonal) > 0).all(axis=1)
        chol[~good] = np.eye(chol.shape[1])
        inverses = np.linalg.inv(chol)
        laws = [self._population(*law) for law in zip(loc, inverses, strict=True)]
        where, precision, constant = (np.stack(own) for own in zip(*laws, strict=True))
        each = [frozen_log_integrals(where, precision, constant, *nodes) for nodes in self.halves]
        logp: Array = each[0] if len(each) == 1 else without_bias(*each)
        logp[~good] = np.nan
        return logp

    def _population(self, loc: Array, inverse: Array) -> Population:
        """Of locations (1 or I, K + .) and the inverse of ``L`` (K, K)."""
        size, room = len(self.centre), self.halves[0].nodes.shape[1]
        padded, precision = np.zeros((len(loc), room)), np.zeros((room, room))
        padded[:, :size] = loc[:, :size] - self.centre
        precision[:size, :size] = inverse.T @ inverse
        logs = float(np.log(np.abs(np.diagonal(inverse))).sum())
        return Population(padded, precision, logs - 0.5 * size * LOG_2PI)

    def _moments(self, law: Population) -> tuple[Array, Array, Array]:
        """Log-integrals (I,), and moments of each person's posterior: (I, .) and (I, ., .)."""
        each = [self._moments_on(nodes, law) for nodes in self.halves]
        if len(each) == 1:
            return each[0]
        (logp, first, second), (other, *others) = each
        # Derivatives of log-integrals are linear in these moments.
        share = first_share(logp, other)[:, None]
        mean = share * first + (1.0 - share) * others[0]
        share = share[:, None]
        return without_bias(logp, other), mean, share * second + (1.0 - share) * others[1]

    def _moments_on(self, frozen: FrozenNodes, law: Population) -> tuple[Array, Array, Array]:
        loc, precision, constant = law
        nodes, constants, linked = frozen

        def part(start: int, stop: int) -> tuple[Array, Array, Array]:
            own = loc if len(loc) == 1 else loc[start:stop]
            some = nodes[start:stop], constants[start:stop]
            found: tuple[Array, Array, Array] = frozen_moments(
                own, precision, constant, *some, linked
            )
            return found

        if self.threads == 1:
            return part(0, len(nodes))
        cuts = ranges(0, len(nodes), PERSONS)
        found = in_threads([partial(part, *cut) for cut in cuts], self.threads)
        logp, first, second = (np.concatenate(own) for own in zip(*found, strict=True))
        return logp, first, second


def frozen_nodes(problem: Problem, nodes: CoefficientNodes, centre: Array) -> FrozenNodes:
    """Nodes as the kernels read them."""
    n, size, n_nodes = nodes.nodes.shape
    room = -(-size // ROWS) * ROWS
    padded = np.zeros((n, room, n_nodes))
    padded[:, :size] = nodes.nodes - centre[:, None]
    linked = np.eye(room // ROWS, dtype=bool)
    for block in problem.parameters.within.blocks:
        groups = np.unique(np.array(block) // ROWS)
        linked[np.ix_(groups, groups)] = True
    return FrozenNodes(padded, np.ascontiguousarray(nodes.constants), linked)
