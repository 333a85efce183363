"""Levels of data: rows that have the same values of some columns, such as a product in a market."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Indices
from bayesmix.data.attributes import check_complete
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few, show
from bayesmix.errors import DataError

type Key = tuple[Hashable, ...]


@dataclass(frozen=True, eq=False)
class Levels:
    """The level of each row.

    Parameters
    ----------
    on
        The columns.
    keys
        Their values, a level each, L of them, in the order of the first rows.
    code
        The level (R,) of each row.
    """

    on: tuple[str, ...]
    keys: tuple[Key, ...]
    code: Indices

    @property
    def first(self) -> Indices:
        """The first row (L,) of each level."""
        return np.unique(self.code, return_index=True)[1]

    def words(self, level: int) -> str:
        """A level in words."""
        values = self.keys[level]
        return ", ".join(f"{c} {show(v)}" for c, v in zip(self.on, values, strict=True))


def levels_of(data: ChoiceData, on: Sequence[str]) -> Levels:
    """The levels of data, numbered from 0.

    Raises
    ------
    DataError
        If a column is missing, or has missing values.
    """
    values = [check_complete(data, column) for column in on]
    code = np.zeros(data.n_rows, dtype=np.int64)
    for column in values:
        own, labels = pd.factorize(column)
        code = pd.factorize(code * max(len(labels), 1) + own)[0].astype(np.int64)
    first = np.unique(code, return_index=True)[1]
    keys = zip(*(column.iloc[first].tolist() for column in values), strict=True)
    return Levels(tuple(on), tuple(keys), code)


def of_levels(values: Array, levels: Levels, data: ChoiceData, what: str) -> Array:
    """The values (L, ...) of levels, from those of rows, which have to be the same.

    Raises
    ------
    DataError
        If they are not: ``what`` names them, rows are named.
    """
    own: Array = values[levels.first]
    other = values != own[levels.code]
    other = other.reshape(len(other), -1).any(axis=1)
    if other.any():
        row = int(np.flatnonzero(other)[0])
        level = int(levels.code[row])
        first = int(levels.first[level])
        raise DataError(
            f"{what} is not the same in all rows of {levels.words(level)}: rows "
            f"{show(data.rows[first])} and {show(data.rows[row])} differ, and so do "
            f"{int(other.sum())} rows in all, of {len(np.unique(levels.code[other]))} levels "
            f"(rows {first_few(data.rows[np.flatnonzero(other)])}): a first stage has one value a "
            f"level: name further columns in on={levels.on!r}, or average it in each level"
        )
    return own
