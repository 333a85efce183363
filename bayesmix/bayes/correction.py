"""A few nodes with the slope and the curvature of many.

Over a posterior the integration error of a log-likelihood on anchored nodes is smooth: nearly all
of it is a quadratic. The quadratic is found once, from a grid of many nodes, and taken out of every
evaluation on few, at no cost (a control variate, as Taylor expansions are for subsampling: Quiroz,
Kohn, Villani and Tran 2019). What it leaves is checked against independent references like any
other integration error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmix.arrays import Array

REACH = 3.0
"""Distance from the mode, in units of sqrt(P), at which the quadratic stops to grow: a posterior
lies at 1, and beyond its tails a quadratic must not win over the log-likelihood."""


@dataclass(frozen=True, eq=False)
class Correction:
    """``c(x) = g' y + y' H y / 2`` with ``y = x / (1 + (|x| / r)^4)^(1/4)``.

    Parameters
    ----------
    gradient, hessian
        Of the log-likelihood on many nodes less that on few: slope (P,) and second derivatives
        (P, P), in whitened coordinates.
    """

    gradient: Array
    hessian: Array

    @staticmethod
    def fitted(points: Array, slopes: Array) -> Correction:
        """The quadratic whose gradient is nearest to ``slopes`` (N, P) at ``points`` (N, P).

        Over points drawn from a standard normal it is the best quadratic for a posterior that is
        nearly normal, better than the expansion at the mode.
        """
        design = np.column_stack([np.ones(len(points)), points])
        found = np.linalg.lstsq(design, slopes, rcond=None)[0]
        return Correction(found[0], (found[1:] + found[1:].T) / 2)

    def __call__(self, x: Any) -> Any:
        """The correction, nats, at whitened coordinates (P,): an array or a symbolic vector."""
        ratio = (x**2).sum() / (REACH**2 * len(self.gradient))
        y = x * (1.0 + ratio**2) ** -0.25
        return (y * self.gradient).sum() + 0.5 * (y * (self.hessian * y).sum(axis=1)).sum()

    def value_and_slope(self, x: Array) -> tuple[float, Array]:
        """The correction at ``x`` (P,), and its gradient (P,)."""
        scale = REACH**2 * len(self.gradient)
        ratio = (x @ x) / scale
        root = 1.0 + ratio**2
        shrunk = root**-0.25
        y = x * shrunk
        bent = self.hessian @ y
        by_y = self.gradient + bent
        # d shrunk / d x = -ratio (1 + ratio^2)^(-5/4) x / scale
        slope = shrunk * by_y - ((by_y @ x) * ratio * shrunk / root / scale) * x
        return float(y @ self.gradient + 0.5 * (y @ bent)), slope

    def values(self, x: Array) -> Array:
        """The correction (D,) at ``x`` (D, P)."""
        ratio = (x**2).sum(axis=1, keepdims=True) / (REACH**2 * len(self.gradient))
        y = x * (1.0 + ratio**2) ** -0.25
        bent = np.einsum("dp,pq->dq", y, self.hessian)
        return np.asarray(np.einsum("dp,dp->d", y, self.gradient + 0.5 * bent))
