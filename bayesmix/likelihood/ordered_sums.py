"""Sums whose order does not depend on threads: the last bits of BLAS's do, on many rows."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array


def weighted_sum(weights: Array, values: Array) -> Array:
    """``weights @ values`` of values (n,) or (n, P).

    >>> weighted_sum(np.array([1.0, 2.0]), np.array([[3.0, 4.0], [5.0, 6.0]]))
    array([13., 16.])
    """
    total: Array = np.einsum("i,i...->...", weights, values)
    return total


def linear(x: Array, theta: Array) -> Array:
    """``x @ theta`` of columns (R, F)."""
    utility: Array = np.einsum("rf,f->r", x, theta)
    return utility


def cross(x: Array, weights: Array) -> Array:
    """``X' W X`` (P, P) of columns (n, P).

    >>> cross(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 2.0]))
    array([[19., 26.],
           [26., 36.]])
    """
    product: Array = np.einsum("np,nq->pq", x * weights[:, None], x)
    return product
