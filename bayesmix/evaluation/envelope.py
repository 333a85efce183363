"""Global envelopes: whether a curve is one of many, with bands that hold everywhere at once.

Curves are compared by extreme rank lengths: of each its ranks at all points, counted from the
nearer end and sorted, and curves ordered by these as words are in a dictionary. Under
exchangeability the observed curve's place in that order is uniform, so that the p-value is exact,
and the hull of the curves that are not among the most extreme ones is a band that the observed
curve leaves, somewhere, as often as it should (Myllymaki, Mrkvicka, Grabarnik, Seijo and Hahn
2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from bayesmix.arrays import Array

DIGITS = 12
"""Digits of statistics that count: what differs in later ones is the same, and was rounded."""


@dataclass(frozen=True, eq=False)
class Envelope:
    """A curve among replicated ones.

    Parameters
    ----------
    observed, expected
        The curve (M,), and the mean of the replicated ones.
    low, high
        Ends of the simultaneous band (M,).
    p_value
        Share of the curves, the observed one among them, that are as extreme as it.
    worst
        Point at which it is most extreme.
    """

    observed: Array
    expected: Array
    low: Array
    high: Array
    p_value: float
    worst: int


def envelope(observed: Array, replicated: Array, level: float = 0.95) -> Envelope:
    """The envelope of replicated curves (D, M) around an observed one (M,).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> curves = rng.normal(size=(199, 10))
    >>> envelope(np.zeros(10), curves).p_value > 0.5
    True
    >>> envelope(np.append(np.zeros(9), 6.0), curves).worst
    9
    """
    curves = np.round(np.vstack([observed, replicated]), DIGITS)
    number = len(curves)
    rank = rankdata(curves, axis=0)
    rank = np.minimum(rank, number + 1 - rank)
    _, place, count = np.unique(
        np.sort(rank, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    share = count.cumsum()[place.ravel()] / number
    central = curves[share > 1 - level + 1e-9]
    spread = curves[1:].std(axis=0)
    away = np.abs(curves[0] - curves[1:].mean(axis=0))
    # Of points at which it is as extreme the farthest.
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.nan_to_num(away / spread, nan=0.0, posinf=np.inf)
    worst = np.lexsort((-far, rank[0]))[0]
    return Envelope(
        curves[0],
        curves[1:].mean(axis=0),
        central.min(axis=0),
        central.max(axis=0),
        float(share[0]),
        int(worst),
    )
