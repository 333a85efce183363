"""Simultaneous bands of the empirical distribution of ranks that ought to be uniform.

Säilynoja, Bürkner and Vehtari (2022). Of N ranks among 0 .. L, the number below each of the points
``i / (L + 1)``, i = 1 .. L, is binomial; the band is of equal-tailed intervals of these binomials,
all at the largest tail probability at which all of them together hold with at least the probability
that is asked for, which a recursion over the points gives exactly.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import bdtr, gammaln, xlog1py, xlogy

from bayesmix.arrays import Array, Indices

STEPS = 40
"""Halvings of the tail probability's interval."""


def simultaneous_band(n: int, points: int, probability: float) -> tuple[Indices, Indices]:
    """Least and largest numbers (points,) of N ranks below ``i / (points + 1)``, both inside.

    Parameters
    ----------
    n
        Number N of ranks.
    points
        L, the draws that each was ranked among.
    probability
        That all L numbers are inside, ranks being uniform and independent.
    """
    lower, upper = _band(int(n), int(points), float(probability))
    return lower.copy(), upper.copy()


@lru_cache(maxsize=64)
def _band(n: int, points: int, probability: float) -> tuple[Indices, Indices]:
    z = np.arange(1, points + 1) / (points + 1)
    cdf = bdtr(np.arange(n + 1)[:, None], n, z[None, :])
    low, high = np.log(1e-12), 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        inside = probability_inside(n, *_intervals(cdf, np.exp(middle))) >= probability
        low, high = (middle, high) if inside else (low, middle)
    return _intervals(cdf, np.exp(low))


def _intervals(cdf: Array, tails: float) -> tuple[Indices, Indices]:
    """Equal-tailed intervals, with at most ``tails`` outside, from distributions (N + 1, L)."""
    lower = (cdf < tails / 2).sum(axis=0)
    upper = (cdf < 1 - tails / 2).sum(axis=0)
    return lower, np.minimum(upper, len(cdf) - 1)


def probability_inside(n: int, lower: Indices, upper: Indices) -> float:
    """Probability that of n uniform ranks the numbers below all L points are in their intervals."""
    points = len(lower)
    counts, chances = np.array([0]), np.array([1.0])
    for i in range(points):
        # Of those not below the last point, each is below this one with this probability.
        step = 1.0 / (points + 1 - i)
        now = np.arange(lower[i], upper[i] + 1)
        more, left = now[None, :] - counts[:, None], n - counts[:, None]
        can = (more >= 0) & (more <= left)
        some = np.where(can, more, 0)
        logs = gammaln(left + 1) - gammaln(some + 1) - gammaln(left - some + 1)
        logs = logs + xlogy(some, step) + xlog1py(left - some, -step)
        chances = chances @ np.where(can, np.exp(logs), 0.0)
        counts = now
    return float(chances.sum())


def counts_below(ranks: Indices, points: int) -> Indices:
    """Numbers (points,) of ranks, of 0 .. points, that are below i, i = 1 .. points."""
    found: Indices = np.searchsorted(np.sort(ranks), np.arange(1, points + 1), side="left")
    return found
