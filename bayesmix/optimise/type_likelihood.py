"""Likelihoods of persons at given coefficients: one point, many, or a mixture of these.

The problem is bound with laws for the coefficients whose points these are; with means of 0 and
standard deviations of 1, the nodes of a law are its coefficients, and every kernel serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import qr
from scipy.optimize import minimize

from bayesmix.arrays import Array, Indices
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.persons import GivenNodes, joined, over_persons, ranges
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.mixing_weights import least_on_simplex

FIXED_TOLERANCE = 1e-3
"""Distance, in standard errors, from the fixed coefficients that are best for given weights."""
BLOCK_ROWS = 2_048
"""Rows whose probabilities at all points are computed at once, for least squares."""


@dataclass(frozen=True, eq=False)
class TypeLikelihood:
    """Probabilities of each person's choices at points (M, K), and fixed coefficients (F,)."""

    problem: Problem

    @cached_property
    def _places(self) -> tuple[Indices, Indices]:
        """Entries of the free vector that are coefficients of points, and fixed ones."""
        space = self.problem.parameters.within
        k, f = space.n_random, len(space.fixed)
        numbers = np.arange(1.0, k + f + 1)
        found = space.pack(numbers[:k], np.zeros((k, k)), numbers[k:])
        order = np.array([int(np.flatnonzero(found == n)[0]) for n in numbers], dtype=np.int64)
        return order[:k], order[k:]

    @property
    def dimension(self) -> int:
        """Number K of the coefficients of a point."""
        return len(self._places[0])

    @property
    def n_fixed(self) -> int:
        return len(self._places[1])

    @property
    def persons(self) -> Array:
        """Weights (I,) of persons."""
        weights: Array = self.problem.data.weights
        return weights

    def _theta(self, fixed: Array) -> Array:
        k = self.dimension
        return self.problem.parameters.within.pack(np.zeros(k), np.eye(k), fixed)

    def log_probabilities(self, points: Array, fixed: Array) -> Array:
        """``log P(y_i | b_m)`` (I, M), block of persons by block."""
        here = Point(self.problem, self._theta(fixed))
        return np.asarray(joined(over_persons(here, _nodes(points), _node_logs))[0])

    def at(self, point: Array, fixed: Array) -> tuple[Array, Array]:
        """``log P(y_i | b)`` (I,) of one point (K,), and derivatives (I, K) by it."""
        logp, scores = self._mixed(point[None], np.ones(1), fixed)
        return logp, scores[:, self._places[0]]

    def _mixed(self, points: Array, weights: Array, fixed: Array) -> tuple[Array, Array]:
        own = Likelihood(self.problem, _nodes(points, weights), keep=False)
        return own.by_person(self._theta(fixed))

    def fixed_scores(self, points: Array, weights: Array, fixed: Array) -> tuple[Array, Array]:
        """``log sum_m pi_m P(y_i | b_m)`` (I,) and its scores (I, F) in fixed coefficients."""
        logp, scores = self._mixed(points, weights, fixed)
        return logp, scores[:, self._places[1]]

    def distance(self, points: Array, weights: Array, fixed: Array) -> float:
        """How far fixed coefficients are from the best for these weights, in standard errors."""
        if not self.n_fixed:
            return 0.0
        scores = self.fixed_scores(points, weights, fixed)[1] * np.sqrt(self.persons)[:, None]
        gradient = scores.T @ np.sqrt(self.persons)
        return float(np.sqrt(gradient @ np.linalg.pinv(scores.T @ scores) @ gradient))

    def best_fixed(self, points: Array, weights: Array, fixed: Array) -> Array:
        """Fixed coefficients (F,) of the largest log-likelihood for given points and weights."""
        if not self.n_fixed:
            return fixed
        unit = 1.0 / self.problem.design.spread[self.dimension :]

        def loss(step: Array) -> tuple[float, Array]:
            logp, scores = self.fixed_scores(points, weights, fixed + step * unit)
            return -float(self.persons @ logp), -(self.persons @ scores) * unit

        found = minimize(loss, np.zeros(len(unit)), jac=True, method="L-BFGS-B")
        if not np.isfinite(found.fun):
            raise ConvergenceError(
                "fixed coefficients beside types are not finite: look for separated choices with "
                "bm.check, or let these coefficients vary over types"
            )
        best: Array = fixed + found.x * unit
        return best

    def least_squares(self, points: Array) -> Array:
        """Weights (M,) on the simplex of least squares of choices less their probabilities.

        ``min sum_itj w_i (y_itj - sum_m pi_m P_itj(b_m))^2`` over all alternatives offered, the
        outside option too (Fox, Kim, Ryan and Bajari 2011), from triangles of blocks of rows: no
        matrix of all rows is made.
        """
        data, base = self.problem.data, self.problem.offset
        x, triangle = self.problem.x, np.zeros((0, len(points)))
        starts = data.situation_start
        persons = np.repeat(data.weights, np.diff(data.person_start))
        for first, last in ranges(0, data.n_situations, _situations(starts)):
            rows = slice(starts[first], starts[last])
            utility = x[rows] @ points.T
            utility += 0.0 if base is None else base[rows, None]
            begin = starts[first:last] - starts[first]
            sizes = np.diff(starts[first : last + 1])
            top = np.maximum.reduceat(utility, begin)
            if data.outside_option:
                top = np.maximum(top, 0.0)
            odds = np.exp(utility - np.repeat(top, sizes, axis=0))
            total = np.add.reduceat(odds, begin)
            outside = np.exp(-top) if data.outside_option else np.zeros((0, len(points)))
            total += outside if data.outside_option else 0.0
            off = odds / np.repeat(total, sizes, axis=0)
            chosen = data.chosen_row[first:last]
            inside = chosen >= 0
            off[chosen[inside] - starts[first]] -= 1.0
            off *= np.sqrt(np.repeat(persons[first:last], sizes))[:, None]
            if data.outside_option:
                left = outside / total - (~inside)[:, None]
                off = np.vstack([off, left * np.sqrt(persons[first:last])[:, None]])
            triangle = qr(np.vstack([triangle, off]), mode="r")[0][: len(points)]
        return least_on_simplex(triangle)


def _situations(starts: Indices) -> int:
    """Situations of a block of some `BLOCK_ROWS` rows."""
    return max(1, BLOCK_ROWS * (len(starts) - 1) // max(int(starts[-1]), 1))


def _nodes(points: Array, weights: Array | None = None) -> GivenNodes:
    ones = np.ones(len(points)) if weights is None else weights
    return GivenNodes(np.ascontiguousarray(points.T)[None], ones[None])


def _node_logs(here: Point, nodes: GivenNodes) -> tuple[Array]:
    return (here.log_probabilities(here.mixture(*nodes.block(0, 1))),)
