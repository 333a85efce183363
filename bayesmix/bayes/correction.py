"""A few nodes with the slope and the curvature of many.

Over a posterior the integration error of a log-likelihood on anchored nodes is smooth: nearly all
of it is a quadratic. The quadratic is found once, from a grid of many nodes, and taken out of every
evaluation on few, at no cost (a control variate, as Taylor expansions are for subsampling: Quiroz,
Kohn, Villani and Tran 2019). What it leaves is checked against independent references like any
other integration error.

A quadratic of what, matters in the tails. Where a standard deviation goes to 0 so do its row of
``L`` and all that nodes can err by on its account, and the error stands still; the sampler's
logarithm goes on for ever, and a quadratic of it with it. The row enters as ``L_k asinh(s_k / m_k)
/ s_k``, ``s_k`` its length and ``m_k`` that at the mode: linear in ``L`` below the mode, and a
logarithm far above.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.coordinates import Coordinates

REACH = 3.0
"""Distance from the mode, in units of sqrt(P), at which the quadratic stops to grow: a posterior
lies at 1, and beyond its tails a quadratic must not win over the log-likelihood."""
LEAST = 1e-150
"""Length that a row has at least: squares of smaller entries are 0, and 0 / 0 is no ratio."""


@dataclass(frozen=True, eq=False)
class Features:
    """What an integration error is a quadratic of: ``v(x)``, which is ``x`` near the mode.

    Parameters
    ----------
    within
        From the sampler's coordinates ``q`` to the free vector.
    centre, root
        ``q = centre + root x``.
    at_mode, inverse
        Of ``v = inverse (bent(x) - at_mode)``: (P,) and (Q, P).
    """

    within: Coordinates
    centre: Array
    root: Array
    at_mode: Array
    inverse: Array

    @staticmethod
    def around(within: Coordinates, centre: Array, root: Array) -> Features:
        """Of a mode ``centre`` (P,) and a root (P, Q) of the inverse curvature there."""
        size, origin = len(centre), np.zeros(root.shape[1])
        raw = Features(within, centre, root, np.zeros(size), np.eye(size))
        return Features(
            within, centre, root, raw(origin[None])[0], np.linalg.pinv(raw.slopes(origin).T)
        )

    @cached_property
    def _rows(self) -> tuple[Array, Array]:
        """Which entries (K, P) of a vector are each row's, and the rows' lengths (K,) there."""
        found = np.zeros((len(self.within.rows), len(self.centre)))
        for k, row in enumerate(self.within.rows):
            found[k, [*row.before, row.diagonal]] = 1.0
        diagonal = np.array([row.diagonal for row in self.within.rows], dtype=np.int64)
        return found, np.exp(self.centre[diagonal])

    def _q(self, x: Array) -> Array:
        # Not by BLAS, whose last bits depend on threads.
        found: Array = self.centre + np.einsum("pq,...q->...p", self.root, x)
        return found

    def _ratios(self, theta: Array) -> tuple[Array, Array]:
        """Lengths ``s`` (..., K) of the rows of free vectors (..., P), and ``asinh(s / m) / s``."""
        members, mode = self._rows
        size = np.sqrt(np.einsum("kp,...p->...k", members, theta**2))
        size = np.maximum(size, LEAST)
        return size, np.arcsinh(size / mode) / size

    def _of(self, theta: Array) -> Array:
        """``v`` (..., Q) of free vectors (..., P)."""
        more = np.einsum("kp,...k->...p", self._rows[0], self._ratios(theta)[1] - 1.0)
        bent = theta * (1.0 + more) - self.at_mode
        return np.asarray(np.einsum("qp,...p->...q", self.inverse, bent))

    def __call__(self, x: Array) -> Array:
        """``v`` (D, Q) at ``x`` (D, Q)."""
        return self._of(self.within.theta(self._q(x)))

    def at(self, x: Array) -> tuple[Array, Callable[[Array], Array]]:
        """``v`` (Q,) at ``x`` (Q,), and `pulled` there."""
        q = self._q(x)
        theta = self.within.point(q)[0]
        return self._of(theta), partial(self._pulled, q, theta)

    def pulled(self, x: Array, by_v: Array) -> Array:
        """Derivatives by ``x`` (Q,) of what has ``by_v`` (Q,) by ``v``."""
        return self.at(x)[1](by_v)

    def _pulled(self, q: Array, theta: Array, by_v: Array) -> Array:
        members, mode = self._rows
        by_bent = np.einsum("qp,q->p", self.inverse, by_v)
        size, ratio = self._ratios(theta)
        # d (r(s) L) = r dL + (r'(s) / s) L L' dL, with s r' = 1 / sqrt(s^2 + m^2) - r
        turned = np.einsum("kp,p->k", members, by_bent * theta) / size
        along = (1.0 / np.hypot(size, mode) - ratio) * turned / size
        change = np.einsum("kp,ak->ap", members, np.stack([ratio - 1.0, along]))
        by_theta = (1.0 + change[0]) * by_bent + change[1] * theta
        return np.einsum("pq,p->q", self.root, self.within.gradient(q, theta, by_theta))

    def slopes(self, x: Array) -> Array:
        """``d v_f / d x_q`` at ``x`` (Q,), of the shape (q, f)."""
        return np.stack([self.pulled(x, one) for one in np.eye(len(self.inverse))], axis=1)


@dataclass(frozen=True, eq=False)
class Correction:
    """``c(x) = g' y + y' H y / 2`` with ``y = v(x) / (1 + (|v(x)| / r)^4)^(1/4)``.

    Parameters
    ----------
    features
        The coordinates ``v``.
    gradient, hessian
        Of the log-likelihood on many nodes less that on few: slope (Q,) and second derivatives
        (Q, Q), by ``v``.
    """

    features: Features
    gradient: Array
    hessian: Array

    @staticmethod
    def fitted(features: Features, points: Array, slopes: Array) -> Correction:
        """The quadratic whose gradient is nearest to ``slopes`` (N, Q) by ``x`` at ``points``.

        Over points (N, Q) drawn from a standard normal it is the best quadratic for a posterior
        that is nearly normal, better than the expansion at the mode.
        """
        by_v = [
            np.linalg.solve(features.slopes(x), own) for x, own in zip(points, slopes, strict=True)
        ]
        design = np.column_stack([np.ones(len(points)), features(points)])
        found = np.linalg.lstsq(design, np.array(by_v), rcond=None)[0]
        return Correction(features, found[0], (found[1:] + found[1:].T) / 2)

    @property
    def _scale(self) -> float:
        return REACH**2 * len(self.gradient)

    def value_and_slope(self, x: Array) -> tuple[float, Array]:
        """The correction at ``x`` (Q,), and its gradient (Q,)."""
        v, pulled = self.features.at(x)
        ratio = (v @ v) / self._scale
        root = 1.0 + ratio**2
        shrunk = root**-0.25
        y = v * shrunk
        bent = self.hessian @ y
        by_y = self.gradient + bent
        # d shrunk / d v = -ratio (1 + ratio^2)^(-5/4) v / scale
        by_v = shrunk * by_y - ((by_y @ v) * ratio * shrunk / root / self._scale) * v
        return float(y @ self.gradient + 0.5 * (y @ bent)), pulled(by_v)

    def values(self, x: Array) -> Array:
        """The correction (D,), nats, at ``x`` (D, Q)."""
        v = self.features(x)
        ratio = (v**2).sum(axis=1, keepdims=True) / self._scale
        y = v * (1.0 + ratio**2) ** -0.25
        bent = np.einsum("dp,pq->dq", y, self.hessian)
        return np.asarray(np.einsum("dp,dp->d", y, self.gradient + 0.5 * bent))
