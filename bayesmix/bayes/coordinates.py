"""Coordinates of samplers: logarithms of standard deviations, Fisher's z of partial correlations.

With ``U_k`` the row of the Cholesky factor of the correlations, ``L_k = sd_k U_k`` and

    U_kj = tanh(y_kj) prod_{i < j} sech(y_ki),    U_kk = prod_{j < k} sech(y_kj),

where ``tanh(y_kj)`` is the correlation of coefficients k and j given those before j (Lewandowski,
Kurowicka and Joe 2009). In ``(log sd_k, y_k)`` nothing pulls a standard deviation near 0 further
down: in the entries of ``L`` themselves the density grows there without bound, for correlations
need room that a tiny row does not have. Neither does a correlation near 1 bend the others.

Parameters whose priors have poles stand by coordinates of their own, and their priors are part of
the Jacobian (`bayesmix.bayes.warped`). Everything else stands in the coordinates ``q``
(P,) as in the free vector; an entry of ``L`` in the place of its ``y``, or of ``log sd``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.warped import Warped, warped
from bayesmix.kernels.partial_correlations import factor_at, factor_slopes
from bayesmix.likelihood.problem import Problem


class Row(NamedTuple):
    """Positions in the free vector of a row of ``L``: of its diagonal, and of the M entries before.

    Entries that are held, at 0, are none of them.
    """

    diagonal: int
    before: Indices


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The map from coordinates ``q`` (P,) to the free vector, row by row of ``L``.

    Parameters
    ----------
    rows
        The rows, in the order of the random coefficients.
    warped
        What stands by coordinates without poles.
    """

    rows: tuple[Row, ...]
    warped: tuple[Warped, ...] = ()

    @cached_property
    def places(self) -> tuple[Indices, Indices, Indices]:
        """The rows as kernels read them."""
        sizes = [len(row.before) for row in self.rows]
        before = [row.before for row in self.rows] or [np.zeros(0, dtype=np.int64)]
        diagonal = np.array([row.diagonal for row in self.rows], dtype=np.int64)
        start = np.cumsum([0, *sizes]).astype(np.int64)
        return diagonal, start, np.concatenate(before).astype(np.int64)

    def point(self, q: Array) -> tuple[Array, float, Array]:
        """`theta` and `log_jacobian` at one ``q`` (P,), and the gradient (P,) of the latter."""
        theta, total, slope = factor_at(q, *self.places)
        for one in self.warped:
            w = q[one.places]
            value, slope[one.places] = one.log_density(w)
            theta[one.places] = one.values(w)[0]
            total += float(value)
        return theta, total, slope

    def gradient(self, q: Array, theta: Array, by_theta: Array) -> Array:
        """`slopes` (P,) of one gradient (P,) by the free vector ``theta`` (P,) at ``q`` (P,)."""
        found: Array = factor_slopes(q, theta, by_theta, self.places)
        for one in self.warped:
            found[one.places] *= one.values(q[one.places])[1]
        return found

    def theta(self, q: Array) -> Array:
        """The free vectors (..., P) at ``q`` (..., P)."""
        theta = q.copy()
        for row in self.rows:
            size = np.exp(q[..., [row.diagonal]])
            theta[..., [*row.before, row.diagonal]] = size * _unit(q[..., row.before])
        for one in self.warped:
            theta[..., one.places] = one.values(q[..., one.places])[0]
        return theta

    def at(self, theta: Array) -> Array:
        """``q`` of free vectors (..., P) with a positive diagonal: the inverse of `theta`."""
        q = theta.copy()
        for row in self.rows:
            entries = theta[..., [*row.before, row.diagonal]]
            rest = np.sqrt(np.cumsum(entries[..., ::-1] ** 2, axis=-1))[..., ::-1]
            q[..., row.before] = np.arcsinh(entries[..., :-1] / rest[..., 1:])
            q[..., row.diagonal] = np.log(rest[..., 0])
        for one in self.warped:
            q[..., one.places] = one.coordinates(theta[..., one.places])
        return q

    def slopes(self, q: Array, by_theta: Array) -> Array:
        """Derivatives (..., P) by ``q`` (P,) of what has some by the free vector, (..., P)."""
        found = by_theta.copy()
        for row in self.rows:
            size, y = np.exp(q[row.diagonal]), q[row.before]
            unit = _unit(y)
            own = by_theta[..., [*row.before, row.diagonal]]
            # Of the entries from each on: an entry's y turns it up, and all that follow down.
            after = np.cumsum((own * unit)[..., ::-1], axis=-1)[..., ::-1]
            product = np.cumprod(np.append(1.0, _sech(y)))[:-1]
            turned = _sech(y) ** 2 * product * own[..., :-1] - np.tanh(y) * after[..., 1:]
            found[..., row.before] = size * turned
            found[..., row.diagonal] = size * after[..., 0]
        for one in self.warped:
            found[..., one.places] *= one.values(q[one.places])[1]
        return found

    def log_jacobian(self, q: Array) -> Array:
        """``log |d theta / d q|`` (...) at ``q`` (..., P), and the prior of what is `warped`.

        ``sum_k ((M + 1) log sd_k + sum_a (M + 1 - a) log sech(y_ka))``, a = 1 .. M, and the
        log-densities of coordinates.
        """
        total = np.zeros(q.shape[:-1])
        for row in self.rows:
            y, m = q[..., row.before], len(row.before)
            cosh = np.logaddexp(y, -y) - np.log(2.0)
            total = total + (m + 1) * q[..., row.diagonal] - (cosh * np.arange(m, 0, -1)).sum(-1)
        for one in self.warped:
            total = total + one.log_density(q[..., one.places])[0]
        return total


def coordinates_of(problem: Problem, priors: Priors | None = None) -> Coordinates:
    """The coordinates of a problem with one class; without priors none has a pole."""
    space, constraint = problem.parameters.within, problem.constraint
    rows, columns = space.chol_index
    places = len(space.located) + np.arange(len(rows))
    free = places if constraint is None else constraint.free
    kept = np.isin(places, free)
    return Coordinates(
        tuple(
            Row(
                int(places[(rows == k) & (columns == k)][0]),
                places[(rows == k) & (columns < k) & kept],
            )
            for k in range(space.n_random)
        ),
        () if priors is None else warped(problem, priors),
    )


def _unit(y: Array) -> Array:
    """Rows (..., M + 1) of length 1."""
    one = np.ones((*y.shape[:-1], 1))
    product = np.cumprod(np.concatenate([one, _sech(y)], axis=-1), axis=-1)
    return np.asarray(np.concatenate([np.tanh(y), one], axis=-1) * product)


def _sech(y: Array) -> Array:
    small = np.exp(-np.abs(y))
    return np.asarray(2.0 * small / (1.0 + small**2))
