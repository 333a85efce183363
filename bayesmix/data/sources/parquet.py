"""Parquet files, which say themselves what type a column has and what is missing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bayesmix.data.sources.table import FileOptions, Format, Table


def read_parquet(path: Path, options: FileOptions) -> Table:
    """The table, an index with names among its columns."""
    frame = pd.read_parquet(path)
    return Table(frame.reset_index() if any(frame.index.names) else frame)


PARQUET = Format("Parquet", (".parquet",), read_parquet, frozenset({"labels"}), typed=True)
