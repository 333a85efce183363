"""Which points of a nonparametric law are types, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bayesmix.classical.types import Types
from bayesmix.optimise.type_search import WeightedPoints

LEAST_SHARE = 1e-6
"""Share below which a point is counted, and left out of the fit."""
ROUNDING = 1e-9
"""Distance from an end of the box, as a part of it, at which a point is there."""


def kept(at: WeightedPoints) -> tuple[WeightedPoints, tuple[int, float]]:
    """The points that are types, the largest first, and number and share of those left out."""
    small = (at.weights > 0) & (at.weights < LEAST_SHARE)
    kept = np.flatnonzero(at.weights >= LEAST_SHARE)
    kept = kept[np.argsort(-at.weights[kept], kind="stable")]
    weights = at.weights[kept] / at.weights[kept].sum()
    own = replace(at, points=at.points[kept], logs=at.logs[:, :0], weights=weights)
    return own, (int(small.sum()), float(at.weights[small].sum()))


def types_words(
    at: WeightedPoints, types: Types, method: str, dropped: tuple[int, float], unit: float
) -> str:
    """How many types there are, how near to the best shares, and what was left out."""
    number = int((at.weights >= LEAST_SHARE).sum())
    gap = f"{at.gap * unit:.1e}"
    words = [f"{number} types among {len(at.points)} points tried"]
    if method == "least-squares":
        words.append(
            "shares by least squares: other shares of these points have a log-likelihood higher "
            f"by up to {gap} nats"
        )
    else:
        words.append(f"no shares of these points have a log-likelihood higher by {gap} nats")
    if np.isfinite(at.largest):
        words.append(
            f"no point found in the box from {at.starts} starts raises it by more than "
            f"{at.largest * unit:.1e}"
        )
    if dropped[0]:
        words.append(
            f"{dropped[0]} points with shares below {LEAST_SHARE:g}, {dropped[1]:.1e} together, "
            "are left out"
        )
    low, high = types.bounds
    used = at.points[at.weights >= LEAST_SHARE]
    moving = high > low
    near = ROUNDING * (high - low)
    ends = int(((used <= low + near) | (used >= high - near))[:, moving].any(axis=1).sum())
    if ends:
        words.append(f"at an end of the box: {ends} of them")
    words.append(
        "no covariance matrix: intervals are those of the bootstrap over persons, "
        "bm.nonparametric(..., replications=200)"
    )
    return ". ".join(words)
