"""Parquet files, which say themselves what type a column has and what is missing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bayesmix.data.columns import assigned, first_few
from bayesmix.data.parquet_categories import categories_lost, categories_of_numbers
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable
from bayesmix.data.widen import EXACT


def read_parquet(path: Path, options: FileOptions) -> FileTable:
    """The table, an index with names among its columns.

    Whole numbers beside missing values come as floats, which are exact up to 2^53: columns that go
    further are text, with a note.
    """
    frame = pd.read_parquet(path)
    frame = frame.reset_index() if any(frame.index.names) else frame
    whole = {field.name for field in pq.read_schema(path) if pa.types.is_integer(field.type)}
    large = [
        name
        for name in frame.columns
        if name in whole and frame[name].dtype.kind == "f" and (frame[name].abs() >= EXACT).any()
    ]
    numbered = categories_of_numbers(pq.read_schema(path))
    notes = (categories_lost(numbered),) if numbered else ()
    if not large:
        return FileTable(frame, notes=notes)
    exact = pq.read_table(path, columns=large).to_pandas(integer_object_nulls=True)
    written = {name: exact[name].map(str, na_action="ignore").array for name in large}
    note = (
        f"whole numbers of {first_few(large)} are too large for a column with missing values: they "
        "are read as text"
    )
    return FileTable(assigned(frame, written), notes=(note, *notes))


PARQUET = FileFormat("Parquet", (".parquet",), read_parquet, frozenset({"labels"}), typed=True)
