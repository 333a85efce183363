"""A range of persons as choice data, and its end on the columns of a store."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.long import Roles, choice_table
from bayesmix.data.store.encoding import Column
from bayesmix.data.store.folder import Growing
from bayesmix.data.store.sort import ROW
from bayesmix.data.store.source import Source
from bayesmix.data.table import ChoiceTable
from bayesmix.errors import DataError

PERSON, SITUATION = ".person", ".situation"
"""Columns of labels of persons and situations in a store."""


@dataclass(eq=False)
class Totals:
    """What is counted over ranges, and how the stored frame looks; as a record it is resumed.

    Parameters
    ----------
    rows, rows_left_out, situations_left_out
        Counts so far.
    alternatives
        Labels in the order of their first appearance; stored codes are places in it.
    frame
        Columns of the frame, with the type of their numbers.
    staged
        Whether the data are rankings.
    """

    rows: int = 0
    rows_left_out: int = 0
    situations_left_out: int = 0
    alternatives: list[Any] = field(default_factory=list)
    frame: dict[str, str] = field(default_factory=dict)
    staged: bool = False


def frame_of(
    values: Mapping[str, np.ndarray], columns: Sequence[Column], index: pd.Index
) -> pd.DataFrame:
    """The rows of a range as the user's frame has them."""
    found = {column.name: column.series(values[column.name]) for column in columns}
    frame = pd.DataFrame(found, index=index, copy=False)
    for column in columns:
        if column.boolean:
            frame[column.name] = frame[column.name].astype(bool)
    return frame


def choices_of(
    values: Mapping[str, np.ndarray],
    columns: Sequence[Column],
    roles: Roles,
    outside_option: bool,
    source: Source,
) -> ChoiceTable:
    """A range of persons as choice data.

    Raises
    ------
    DataError
        Whose rows are named by file and number in the file.
    """
    rows = values[ROW]
    try:
        index = pd.Index(rows)
        return choice_table(ChoiceTable, frame_of(values, columns, index), roles, outside_option)
    except DataError:
        named = pd.Index([source.words(int(row)) for row in rows], dtype=object)
        return choice_table(ChoiceTable, frame_of(values, columns, named), roles, outside_option)


def add_range(
    data: ChoiceTable, columns: Mapping[str, Column], store: Growing, totals: Totals
) -> None:
    """Append a range of persons, which come after all that are there, to the store's columns."""
    _append_frame(data.frame, columns, store, totals)
    place = {label: number for number, label in enumerate(totals.alternatives)}
    for label in map(_plain, data.alternatives):
        place.setdefault(label, len(place))
    totals.alternatives = list(place)
    codes = np.array([place[_plain(label)] for label in data.alternatives], dtype=np.int64)
    person = columns[data.situation if data.person is None else data.person]
    situations = data.situations.get_level_values(1)
    store.append(PERSON, _numbers(data.persons, person))
    store.append(SITUATION, _numbers(situations, columns[data.situation]))
    store.append(".sizes", np.diff(data.person_start))
    store.append(".situation_sizes", np.diff(data.situation_start))
    store.append(".alternative_code", codes[data.alternative_code])
    chosen = data.chosen_row
    store.append(".chosen_row", np.where(chosen >= 0, chosen + totals.rows, chosen))
    store.append(".weights", np.asarray(data.weights, dtype=np.float64))
    store.append(".rows", data.rows.to_numpy(dtype=np.int64))
    if data.stage is not None:
        store.append(".stage", np.asarray(data.stage, dtype=np.int64))
        totals.staged = True
    totals.rows += data.n_rows
    totals.rows_left_out += data.rows_left_out
    totals.situations_left_out += data.situations_left_out


def _append_frame(
    frame: pd.DataFrame, columns: Mapping[str, Column], store: Growing, totals: Totals
) -> None:
    for number, name in enumerate(frame.columns):
        series = frame[name]
        column = columns.get(str(name))
        if column is not None and column.levels is not None:
            values = _numbers(series, column)
        else:
            values = series.to_numpy()
        store.append(file_of(number), values)
        totals.frame[str(name)] = values.dtype.str


def file_of(number: int) -> str:
    """The file of a column of the frame: names of columns may hold what names of files may not."""
    return f"column-{number}"


def _numbers(labels: Any, column: Column) -> np.ndarray:
    """Labels as the store has them: numbers, or codes of the column's levels."""
    if column.levels is None:
        return np.asarray(labels, dtype=column.dtype)
    if isinstance(labels.dtype, pd.CategoricalDtype):
        place = np.append(column.levels.get_indexer(labels.cat.categories), -1)
        return place[labels.cat.codes.to_numpy()].astype(column.dtype)
    return column.levels.get_indexer(labels).astype(column.dtype)


def _plain(label: Hashable) -> Any:
    return label.item() if isinstance(label, np.generic) else label
