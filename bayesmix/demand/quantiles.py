"""Quantiles of weighted values, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayesmix.arguments import refused
from bayesmix.arrays import Array

SAME = 1e-9
"""Quantiles nearer to each other than this are one and the same."""


def weighted_quantiles(values: Array, weights: Array, quantiles: Sequence[float]) -> Array:
    """Quantiles of weighted values, interpolated between the middles of their steps."""
    order = np.argsort(values)
    middle = np.cumsum(weights[order]) - weights[order] / 2
    return np.interp(quantiles, middle, values[order])


def step_quantiles(values: Array, weights: Array, quantiles: Sequence[float]) -> Array:
    """Quantiles of a law with a few values, those of latent classes: each is one of them."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - 1e-12
    return values[order][np.minimum(np.searchsorted(reached, quantiles), len(order) - 1)]


def checked_quantiles(quantiles: Any) -> tuple[float, ...]:
    """Quantiles as numbers, each of which has a name of its own."""
    expected = "different numbers between 0 and 1, such as (0.25, 0.5, 0.75)"
    try:
        found = tuple(np.asarray(quantiles, dtype=float).tolist())
        inside = all(0 < q < 1 for q in found)
    except (TypeError, ValueError):
        found, inside = (), False
    if not inside or not found or len({quantile_name(q) for q in found}) < len(found):
        raise refused("quantiles", expected, quantiles)
    return found


def quantile_name(quantile: float) -> str:
    """``"median"`` whatever the last bits of 0.5 are."""
    return "median" if abs(quantile - 0.5) < SAME else f"quantile {quantile:.9g}"
