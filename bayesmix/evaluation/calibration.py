"""Whether predicted probabilities are frequencies: the integral transform, and reliability."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.evaluation.statistics import SetsWithOutside, Statistic

POINTS = np.arange(0.05, 0.99, 0.05)
"""Where the distribution of the transform is computed."""
BINS = 10
"""Bins of probabilities, at quantiles."""


def transform(sets: SetsWithOutside, probability: Array) -> Statistic:
    """The mean non-randomised probability integral transform of the choices, less its argument.

    Alternatives of a situation are ordered from the likeliest on. With ``L`` the probability of
    those before what was chosen and ``p`` its own, ``F_t(u) = (u - L) / p``, cut at 0 and 1, whose
    mean over situations is u if the probabilities hold (Czado, Gneiting and Held 2009). Above it,
    likely alternatives are chosen more often than predicted.
    """
    order = np.lexsort((-probability, sets.situation))
    cumulated = probability[order].cumsum()
    before = np.append(0.0, cumulated)[sets.start[:-1]]
    lower = np.empty(len(probability))
    lower[order] = cumulated - probability[order] - before[sets.situation[order]]
    least = np.finfo(float).tiny

    def of(chosen: Indices) -> Array:
        own = np.maximum(probability[chosen], least)
        reached = np.clip((POINTS - lower[chosen][:, None]) / own[:, None], 0.0, 1.0)
        return sets.weight @ reached / sets.weight.sum() - POINTS

    labels = tuple(f"{u:.2f}" for u in POINTS)
    return Statistic("PIT", labels, of, "mean transform less u", POINTS)


def reliability(sets: SetsWithOutside, probability: Array) -> Statistic:
    """How often what was predicted with some probability was chosen, by bins of probabilities."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, probability, side="left") - 1, 0, None)
    bins = np.unique(place, return_inverse=True)[1]  # those that hold something
    number, weight = int(bins.max()) + 1, sets.weight[sets.situation]
    mass = np.bincount(bins, weight, number)
    mean = np.bincount(bins, weight * probability, number) / mass

    def of(chosen: Indices) -> Array:
        return np.bincount(bins[chosen], sets.weight, number) / mass

    return Statistic("reliability", tuple(f"{p:.3f}" for p in mean), of, "share chosen", mean)
