"""Rows of persons brought together: persons in ranges of about equal rows, units of rows by range.

A store's rows are by person, in the order of labels, and files may hold a person's anywhere. Rows
are read in units of a bounded size; each unit is written sorted by the range that its persons are
in, so that a range is one slice of every unit. Nothing larger than a unit, or a range, is in
memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bayesmix.data.columns import show
from bayesmix.data.store.encoding import Column
from bayesmix.data.store.folder import read_record, write_record
from bayesmix.data.store.source import BATCH, Source
from bayesmix.errors import DataError
from bayesmix.files import write_whole

ROWS = 2**20
"""Rows of a unit, and about those of a range of persons."""
ROW = "\0row"
"""The column of the rows' numbers; no column of a file can be called so."""


@dataclass(frozen=True, eq=False)
class Ranges:
    """Ranges of persons, consecutive in the order of their labels.

    Parameters
    ----------
    column
        The column of persons, or of situations where each is its own person.
    ends
        The last label (B,) of each range, as a number of the store; of labels with codes, the
        place of the last in their order.
    rank
        Place (L,) in that order of each code; None of numbers.
    """

    column: Column
    ends: np.ndarray
    rank: np.ndarray | None

    def of(self, values: np.ndarray) -> np.ndarray:
        """The range (n,) of each row."""
        return np.searchsorted(self.ends, values if self.rank is None else self.rank[values])


def find_ranges(source: Source, column: Column) -> Ranges:
    """Ranges of about `ROWS` rows each, from the labels of all rows.

    Raises
    ------
    DataError
        If a label is missing.
    """
    values, counts = np.zeros(0, dtype=column.dtype), np.zeros(0, dtype=np.int64)
    waiting: list[tuple[np.ndarray, np.ndarray]] = []
    missing: list[int] = []
    total = 0
    for first, batch in source.batches([column.name]):
        own = column.values(batch.column(0))
        bad = (own < 0) if column.levels is not None else pd.isna(own)
        total += int(bad.sum())
        if bad.any() and len(missing) < 3:
            missing += [first + int(row) for row in np.flatnonzero(bad)[: 3 - len(missing)]]
        waiting.append(np.unique(own[~bad], return_counts=True))
        if len(waiting) * BATCH >= 2 * ROWS:
            values, counts = _summed([(values, counts), *waiting])
            waiting = []
    values, counts = _summed([(values, counts), *waiting])
    if missing:
        places = ", ".join(show(source.words(row)) for row in missing)
        raise DataError(
            f"column {show(column.name)} has missing values in {total} of {source.n_rows} rows "
            f"({places}): fill them in, or drop the situations that they are of whole"
        )
    rank = None
    if column.levels is not None:
        rank = np.empty(len(column.levels), dtype=np.int64)
        rank[column.levels.argsort()] = np.arange(len(rank))
        order = np.argsort(rank[values])
        values, counts = rank[values][order], counts[order]
    # A range ends with the person whose rows fill it.
    number = (np.cumsum(counts) - counts) // ROWS
    last = np.flatnonzero(np.append(np.diff(number) > 0, True))
    return Ranges(column, values[last], rank)


def _summed(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values of all parts, sorted, with the sums of their counts."""
    values, place = np.unique(np.concatenate([own for own, _ in parts]), return_inverse=True)
    counts = np.bincount(
        place, weights=np.concatenate([own for _, own in parts]), minlength=len(values)
    )
    return values, counts.astype(np.int64)


def write_units(
    source: Source, columns: Sequence[Column], ranges: Ranges, folder: Path
) -> Iterator[tuple[int, Path]]:
    """Write all rows in units; the rows that are done, and the unit; those that are there stay."""
    waiting: list[tuple[int, pa.RecordBatch]] = []
    rows = number = done = 0
    for first, batch in source.batches([column.name for column in columns]):
        waiting.append((first, batch))
        rows += len(batch)
        last = first + len(batch) == source.n_rows
        if rows >= ROWS or last:
            path = folder / f"unit-{number}.arrow"
            if read_record(path.with_suffix(".json")) is None or not path.is_file():
                _write_unit(path, _values(waiting, columns), ranges)
            number, done, rows, waiting = number + 1, done + rows, 0, []
            yield done, path


def _values(
    batches: list[tuple[int, pa.RecordBatch]], columns: Sequence[Column]
) -> dict[str, np.ndarray]:
    """The columns of some batches, and the numbers of their rows."""
    found = {
        column.name: np.concatenate([column.values(batch.column(c)) for _, batch in batches])
        for c, column in enumerate(columns)
    }
    rows = [np.arange(first, first + len(batch), dtype=np.int64) for first, batch in batches]
    return found | {ROW: np.concatenate(rows)}


def read_range(units: Sequence[Path], number: int) -> dict[str, np.ndarray]:
    """The columns of one range of persons, from all units, in the order of the files' rows."""
    parts = []
    for path in units:
        starts = (read_record(path.with_suffix(".json")) or {})["starts"]
        begin, end = starts[number], starts[number + 1]
        if end > begin:
            with pa.memory_map(str(path)) as file:
                batch = pa.ipc.open_file(file).get_batch(0).slice(begin, end - begin)
                parts.append({name: batch[name].to_numpy().copy() for name in batch.schema.names})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _write_unit(path: Path, values: dict[str, np.ndarray], ranges: Ranges) -> None:
    code = ranges.of(values[ranges.column.name])
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(len(ranges.ends) + 1))
    table = pa.record_batch({name: pa.array(own[order]) for name, own in values.items()})

    def write(beside: Path) -> None:
        with pa.OSFile(str(beside), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_batch(table)

    write_whole(path, write)
    write_record(path.with_suffix(".json"), {"starts": starts.tolist()})
