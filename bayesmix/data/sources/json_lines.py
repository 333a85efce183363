"""JSON lines: an object a line, whose keys are columns."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import show
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable
from bayesmix.data.sources.text import decoded
from bayesmix.data.sources.tidy import tidied
from bayesmix.data.widen import EXACT
from bayesmix.errors import DataError

TAKES = frozenset({"labels", "missing", "encoding"})


def read_json_lines(path: Path, options: FileOptions) -> FileTable:
    """The table; null, and a key that a line lacks, are missing.

    Raises
    ------
    DataError
        Naming the line that is no object, repeats a key, or holds a list or an object.
    """
    lines = decoded(path, options).split("\n")
    rows = [_row(path, k, line) for k, line in enumerate(lines, 1) if line.strip()]
    names = list(dict.fromkeys(name for row in rows for name in row))
    frame = pd.DataFrame(
        {name: _cells([row.get(name) for row in rows], options.missing) for name in names}
    )
    return FileTable(tidied(frame))


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    where = f"'{path.name}', line {number}"

    def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise DataError(f"{where}: a key stands there twice: keep one of them")
        return dict(pairs)

    try:
        row = json.loads(line, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise DataError(f"{where} is no JSON ({error}): write one object a line") from None
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected an object with a key for each column")
    for name, value in row.items():
        if isinstance(value, list | dict):
            raise DataError(
                f"{where}: {show(name)} holds a {type(value).__name__}; expected a text, a number, "
                "true, false or null: give each of its parts a key"
            )
    return row


def _cells(values: list[Any], missing: Collection[str]) -> pd.Series:
    cells = [np.nan if v is None or v in missing else v for v in values]
    large = any(isinstance(v, int) and abs(v) > EXACT for v in cells)
    return pd.Series(cells, dtype=object) if large else pd.Series(cells)  # NaN would round them


JSON_LINES = FileFormat("JSON lines", (".jsonl", ".ndjson"), read_json_lines, TAKES, typed=True)
