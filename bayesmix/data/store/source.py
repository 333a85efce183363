"""Parquet files as one table: their rows in the order of the files' names, numbered from 0."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from glob import glob
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bayesmix.arguments import refused
from bayesmix.data.columns import first_few, nearest, show
from bayesmix.data.parquet_categories import categories_of_numbers
from bayesmix.data.row_files import RowFiles
from bayesmix.errors import DataError

BATCH = 2**17
"""Rows that are read at a time."""


@dataclass(frozen=True, eq=False)
class Source:
    """Parquet files of the same columns.

    Parameters
    ----------
    paths
        The files, sorted by name.
    names
        The columns that are taken, in the order of the first file.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        """Of the first file."""
        return _read_schema(self.paths[0])

    @cached_property
    def starts(self) -> np.ndarray:
        """Number of the first row of each file, and of all rows, (F + 1,)."""
        rows = [pq.read_metadata(path).num_rows for path in self.paths]
        return np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)

    @property
    def n_rows(self) -> int:
        return int(self.starts[-1])

    def batches(self, columns: Sequence[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Some columns of all rows, a few at a time, with the number of the first of them."""
        first = 0
        for path in self.paths:
            with pq.ParquetFile(path, memory_map=True, pre_buffer=False) as file:
                for batch in file.iter_batches(BATCH, columns=list(columns), use_threads=True):
                    yield first, batch.select(list(columns))
                    first += len(batch)

    def has_missing(self, name: str) -> bool:
        """Whether a column has missing values somewhere: what the files say of themselves, or do.

        Parquet's statistics are optional.
        """
        known = [self._missing_in(path, name) for path in self.paths]
        if None not in known:
            return any(known)
        return any(batch.column(0).null_count for _, batch in self.batches([name]))

    def _missing_in(self, path: Path, name: str) -> bool | None:
        metadata = pq.read_metadata(path)
        found = False
        for g in range(metadata.num_row_groups):
            group = metadata.row_group(g)
            for c in range(group.num_columns):
                column = group.column(c)
                if column.path_in_schema != name:
                    continue
                statistics = column.statistics
                if statistics is None or not statistics.has_null_count:
                    return None
                found = found or statistics.null_count > 0
        return found

    def words(self, row: int) -> str:
        """A row as messages call it: its file, and its number in that, from 1."""
        return self.row_files.words(row)

    @property
    def row_files(self) -> RowFiles:
        """Names and first rows of the files."""
        return RowFiles(tuple(path.name for path in self.paths), tuple(self.starts.tolist()))

    @cached_property
    def numbered(self) -> list[str]:
        """Columns of numbers that were categories, whose order such files do not keep."""
        return [name for name in categories_of_numbers(self.schema) if name in self.names]

    def key(self, roles: Any) -> str:
        """Digest of what a store is made from: the files as they are now, columns and roles."""
        files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.paths]
        text = json.dumps([files, self.names, roles])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def open_source(path: Any, columns: Sequence[str] | None, needed: Sequence[str]) -> Source:
    """The files that a path, a pattern, a folder or a list of paths stands for.

    Parameters
    ----------
    path
        As the user gave it.
    columns
        Those to take; all by default.
    needed
        Columns that are taken in any case.

    Raises
    ------
    DataError
        If there is no file, one cannot be read, or files have other columns than the first.
    """
    paths = source_paths(path)
    first = _read_schema(paths[0])
    twice = sorted({name for name in first.names if first.names.count(name) > 1})
    if twice:
        words = f"'{paths[0]}' has columns of the same name: {first_few(twice)}"
        raise DataError(f"{words}; rename one")
    wanted = list(first.names if columns is None else dict.fromkeys([*needed, *columns]))
    for name in [name for name in wanted if name not in first.names]:
        raise DataError(
            f"'{paths[0].name}' has no column {show(name)}; {nearest(name, first.names)}"
        )
    for other in paths[1:]:
        _check_same(first, _read_schema(other), wanted, (paths[0], other))
    return Source(paths, tuple(name for name in first.names if name in wanted))


def source_paths(path: Any) -> tuple[Path, ...]:
    """The files that a path, a pattern, a folder or a list of paths stands for, sorted by name."""
    if isinstance(path, list | tuple) and path:
        return tuple(sorted(one for each in path for one in source_paths(each)))
    if not isinstance(path, str | os.PathLike) or isinstance(path, bytes) or not str(path):
        raise refused("path", "the path of a Parquet file, a pattern, or a list of paths", path)
    place = Path(path)
    if place.is_dir():
        found = sorted(place.glob("*.parquet"))
        words = f"no file *.parquet in the folder '{place}'"
    elif place.is_file():
        return (place,)
    else:
        found = sorted(Path(one) for one in glob(str(place), recursive=True) if Path(one).is_file())
        words = f"no file '{place}'"
    if not found:
        raise DataError(f"argument 'path': {words}: check the name, and the folder it starts from")
    return tuple(found)


def _read_schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"'{path}' is not a readable Parquet file: {error}: save it again from the program "
            "that made it"
        ) from error


def _check_same(first: pa.Schema, other: pa.Schema, wanted: list[str], paths: Any) -> None:
    for name in wanted:
        if name not in other.names:
            raise DataError(
                f"'{paths[1].name}' has no column {show(name)}, and '{paths[0].name}' has: give "
                "all files the same columns"
            )
        own, its = first.field(name).type, other.field(name).type
        if own != its:
            raise DataError(
                f"column {show(name)} is {own} in '{paths[0].name}' and {its} in "
                f"'{paths[1].name}': give it one type in all files"
            )
