"""What choices are compared by: shares, switches, levels of attributes, spread between persons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Flags, Indices

MOST_LEVELS, BINS = 8, 6
"""Values of an attribute that are shown one by one; bins, at quantiles, of one that has more."""
MOST_COUNTS = 12
"""Numbers of switches that are shown one by one."""


@dataclass(frozen=True, eq=False)
class SetsWithOutside:
    """Choice sets, the outside option a row like the others.

    Parameters
    ----------
    start
        Where each situation begins among the n rows, (T + 1,).
    person
        Person (T,) of each situation, one after the other.
    weight
        Weight (T,) of each situation.
    code
        Good (n,) that each row is of.
    goods
        Their labels.
    segment, segments
        Segment (T,) of each situation, and the segments' labels.
    """

    start: Indices
    person: Indices
    weight: Array
    code: Indices
    goods: tuple[str, ...]
    segment: Indices
    segments: tuple[str, ...]

    @cached_property
    def situation(self) -> Indices:
        """Situation (n,) of each row."""
        return np.repeat(np.arange(len(self.person)), np.diff(self.start))

    @cached_property
    def following(self) -> Flags:
        """Whether a situation (T,) follows one of the same person."""
        return np.append(False, np.diff(self.person) == 0)


@dataclass(frozen=True, eq=False)
class Statistic:
    """A curve that is computed of choices: chosen rows (T,) in, values (M,) out.

    ``labels`` are of its points; with ``at`` these are numbers on an axis.
    """

    name: str
    labels: tuple[str, ...]
    of: Callable[[Indices], Array]
    axis: str
    at: Array | None = None


def shares(sets: SetsWithOutside, by: str | None = None) -> Statistic:
    """Weighted shares of the goods, in all situations or by segment."""
    several = len(sets.segments) if by is not None else 1
    group = sets.segment if by is not None else np.zeros(len(sets.person), dtype=np.int64)
    mass = np.bincount(group, sets.weight, several)

    def of(chosen: Indices) -> Array:
        cell = group * len(sets.goods) + sets.code[chosen]
        sums = np.bincount(cell, sets.weight, several * len(sets.goods))
        return (sums.reshape(several, -1) / mass[:, None]).ravel()

    labels = sets.goods
    if by is not None:
        labels = tuple(f"{segment}: {good}" for segment in sets.segments for good in sets.goods)
    name = "shares" if by is None else f"shares by {by}"
    return Statistic(name, labels, of, "share")


def switches(sets: SetsWithOutside) -> Statistic | None:
    """How often persons change goods from one situation to the next: weighted shares of persons.

    None where nobody has two situations.
    """
    pairs = np.bincount(sets.person, sets.following).astype(np.int64)
    several = pairs > 0
    if not several.any():
        return None
    first = np.unique(sets.person, return_index=True)[1]
    weight = sets.weight[first] * several
    step = max(1, -(-(int(pairs.max()) + 1) // MOST_COUNTS))
    bins = int(pairs.max()) // step + 1

    def of(chosen: Indices) -> Array:
        good = sets.code[chosen]
        changed = sets.following & np.append(False, np.diff(good) != 0)
        number = np.bincount(sets.person, changed).astype(np.int64)
        found = np.bincount(number // step, weight, bins) / weight.sum()
        mean = weight @ (number / np.maximum(pairs, 1)) / weight.sum()
        return np.append(found, mean)

    counts = [
        _whole_range(k * step, min((k + 1) * step - 1, int(pairs.max()))) for k in range(bins)
    ]
    return Statistic("switches", (*counts, "rate"), of, "share of persons")


def _whole_range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def levels(sets: SetsWithOutside, name: str, values: pd.Series, inside: Flags) -> Statistic:
    """Weighted shares of choices by level of an attribute, whose values are of the rows ``inside``.

    Choices of the outside option have none, and are counted in no bin.
    """
    bins, labels = _binned(values)
    place = np.full(len(sets.code), len(labels), dtype=np.int64)
    place[inside] = bins

    def of(chosen: Indices) -> Array:
        sums = np.bincount(place[chosen], sets.weight, len(labels) + 1)
        return sums[:-1] / sets.weight.sum()

    return Statistic(f"chosen {name}", labels, of, "share of choices")


def _binned(values: pd.Series) -> tuple[Indices, tuple[str, ...]]:
    """Bin of every row, and the bins' labels."""
    numeric = pd.api.types.is_numeric_dtype(values)
    if not numeric or values.nunique() <= MOST_LEVELS:
        codes, names = pd.factorize(values, sort=True)
        return codes, tuple(f"{v:g}" if numeric else str(v) for v in names)
    number = values.to_numpy(dtype=float)
    edges = np.unique(np.quantile(number, np.linspace(0, 1, BINS + 1)))
    bins = np.clip(np.searchsorted(edges, number, side="left") - 1, 0, len(edges) - 2)
    return bins, tuple(f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges))


def spread(sets: SetsWithOutside, columns: Array, names: tuple[str, ...]) -> Statistic:
    """Standard deviation over persons of their mean chosen level of each column (n, K).

    Levels are less their mean in the set, so that what is offered does not count, and in units of
    their standard deviation within sets. Persons who differ in tastes differ in it more than chance
    makes equal persons differ.
    """
    sizes = np.diff(sets.start)
    means = np.add.reduceat(columns, sets.start[:-1], axis=0) / sizes[:, None]
    away = columns - means[sets.situation]
    size = np.sqrt(np.square(away).mean(axis=0))
    away /= np.where(size > 0, size, 1.0)  # 0 of what does not vary within sets
    count = np.bincount(sets.person)
    first = np.unique(sets.person, return_index=True)[1]
    weight = sets.weight[first] / sets.weight[first].sum()

    def of(chosen: Indices) -> Array:
        sums = np.zeros((len(count), columns.shape[1]))
        np.add.at(sums, sets.person, away[chosen])
        own = sums / count[:, None]
        return np.sqrt(weight @ np.square(own - weight @ own))

    return Statistic("spread between persons", names, of, "sd over persons, in those within sets")
