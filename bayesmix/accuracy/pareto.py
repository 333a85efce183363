"""The tail of importance weights: the shape k of a generalised Pareto fit.

Below 0.5 the weights have a finite variance, below 0.7 their averages are still reliable at usual
sizes, above they are not (Vehtari, Simpson, Gelman, Yao and Gabry 2024).
"""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array

ROWS = 64
"""Rows that are fitted together: their logarithms at all candidates are 20 kB each."""


def pareto_shape(log_weights: Array) -> Array:
    """Shape k (n,) of the upper tail of each row of log-weights (n, N).

    The tail is the largest ``min(N / 5, 3 sqrt N)`` weights; the fit is that of Zhang and Stephens
    (2009), shrunk towards 0.5 by a prior worth ten observations. Fewer than five values, or no
    spread, give NaN.
    """
    n, size = log_weights.shape
    tail = int(np.ceil(min(size / 5, 3 * np.sqrt(size))))
    if tail < 5 or not n:
        return np.full(n, np.nan)
    groups = range(0, n, ROWS)
    return np.concatenate([_shapes(log_weights[a : a + ROWS], tail) for a in groups])


def _shapes(log_weights: Array, tail: int) -> Array:
    """`pareto_shape` of some rows."""
    top = np.partition(log_weights, -tail - 1, axis=1)[:, -tail - 1 :]
    top.sort(axis=1)
    relative = np.exp(top - top[:, -1:])
    excess = relative[:, 1:] - relative[:, :1]
    flat = excess[:, -1] <= 0
    excess[flat] = 1.0
    shape = _zhang_stephens(np.maximum(excess, 1e-300))
    shape = (tail * shape + 10 * 0.5) / (tail + 10)
    shape[flat] = np.nan
    return shape


def _zhang_stephens(x: Array) -> Array:
    """Posterior mean of k for sorted excesses (n, m), row by row."""
    m = x.shape[1]
    grid_size = 30 + int(np.sqrt(m))
    quantiles = 1 - np.sqrt(grid_size / (np.arange(1, grid_size + 1) - 0.5))
    quartile = x[:, int(m / 4 + 0.5) - 1]
    theta = 1 / x[:, -1:] + quantiles / (3 * quartile[:, None])
    k = np.log1p(-theta[:, :, None] * x[:, None, :]).mean(axis=2)
    profile = m * (np.log(-theta / k) - k - 1)
    weight = np.exp(profile - profile.max(axis=1, keepdims=True))
    best = (weight * theta).sum(axis=1) / weight.sum(axis=1)
    return np.log1p(-best[:, None] * x).mean(axis=1)
