"""Rows of choice data a part at a time, in the order of situations: what sums over rows need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.data.pages import release
from bayesmix.data.table import ChoiceTable

PART = 2**17
"""Rows of a part, about: sums over data of more are sums of parts' sums, in their order."""


class Rows(Protocol):
    """Columns (R, M) that rows are taken from: an array, or what computes them."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: slice, /) -> Array: ...


@dataclass(frozen=True, eq=False)
class Part:
    """Consecutive situations, as if they were all.

    Parameters
    ----------
    situations, rows
        Which they are.
    situation_start
        First row (t + 1,) of each, counted from the part's.
    outside_option
        Whether an alternative of utility 0 is available in each.
    """

    situations: slice
    rows: slice
    situation_start: Indices
    outside_option: bool

    @cached_property
    def row_situation(self) -> Indices:
        """Situation of each row, counted from the part's."""
        sizes = np.diff(self.situation_start)
        return np.repeat(np.arange(len(sizes)), sizes)

    def chosen(self, data: ChoiceTable) -> Indices:
        """Chosen rows (t,), counted from the part's, or -1 as in `chosen_row`."""
        chosen = data.chosen_row[self.situations]
        return np.where(chosen >= 0, chosen - self.rows.start, chosen)


def part_of(data: ChoiceTable, first: int, last: int) -> Part:
    """Situations first .. last - 1."""
    start = data.situation_start[first : last + 1]
    rows = slice(int(start[0]), int(start[-1]))
    return Part(slice(first, last), rows, start - rows.start, data.outside_option)


def parts(data: ChoiceTable, *values: Rows) -> Iterator[Part]:
    """Parts of the data, in the order of rows.

    Pages of ``values`` that are mapped are given back when a part is done.
    """
    start, first = data.situation_start, 0
    while first < len(start) - 1:
        past = int(np.searchsorted(start, start[first] + PART, side="right")) - 1
        last = max(first + 1, past)
        part = part_of(data, first, last)
        yield part
        for mapped in _arrays(values):
            release(mapped[part.rows])
        first = last


def _arrays(values: Iterable[Rows]) -> Iterator[Array]:
    """The arrays that columns are taken from."""
    for one in values:
        if isinstance(one, np.ndarray):
            yield one
        else:
            yield from _arrays(getattr(one, "of", ()))


@dataclass(frozen=True, eq=False)
class Beside:
    """Columns of several arrays beside one another, put together for the rows asked for."""

    of: tuple[Rows, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.of[0].shape[0], sum(values.shape[1] for values in self.of)

    def __getitem__(self, rows: slice) -> Array:
        return np.concatenate([values[rows] for values in self.of], axis=1)
