"""Which reader a file has, by the ending of its name; a new format is a line here."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bayesmix.data.columns import first_few, nearest, show
from bayesmix.data.sources.excel import EXCEL
from bayesmix.data.sources.json_lines import JSON_LINES
from bayesmix.data.sources.parquet import PARQUET
from bayesmix.data.sources.r import R
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable
from bayesmix.data.sources.sawtooth import SAWTOOTH
from bayesmix.data.sources.stata_spss import SPSS, STATA
from bayesmix.data.sources.text import TEXT
from bayesmix.data.sources.written_labels import as_text
from bayesmix.errors import DataError, SpecificationError

FORMATS = (TEXT, PARQUET, STATA, SPSS, R, EXCEL, JSON_LINES, SAWTOOTH)
ENDINGS = tuple(ending for one in FORMATS for ending in one.endings)


def format_of(name: str) -> FileFormat | None:
    """The format of a file of this name; None where it is not known."""
    lowered = name.lower()
    return next((one for one in FORMATS if lowered.endswith(one.endings)), None)


def check_named(table: FileTable, path: Path, options: Mapping[str, Any]) -> None:
    """Refuse ``labels`` and ``codes`` that are no columns of the file.

    Raises
    ------
    DataError
        Naming the nearest column.
    """
    for key in ("labels", "codes"):
        absent = [name for name in options.get(key) or () if name not in table.frame]
        if absent:
            raise DataError(
                f"{key}=: '{path.name}' has no column {show(absent[0])}; "
                f"{nearest(absent[0], table.frame.columns)}"
            )


def read_file(path: Path, options: FileOptions) -> FileTable:
    """The table in a file.

    Raises
    ------
    DataError
        For a file of no known format, one that is not there, damaged, or asked for in a way that
        its format does not know.
    """
    kind = format_of(path.name)
    if path.is_dir():
        raise DataError(f"'{path}' is a folder: give the data file in it")
    if kind is None:
        raise DataError(
            f"cannot read '{path.name}': expected one of {', '.join(ENDINGS)}: rename the file, or "
            "save it as one of these"
        )
    if not path.is_file():
        raise DataError(f"no file '{path}': check the name, and the folder it starts from")
    unknown = [name for name in options.given if name not in kind.takes]
    if unknown:
        takers = [one.words for one in FORMATS if unknown[0] in one.takes]
        raise DataError(
            f"'{unknown[0]}' is for files of {first_few(takers, 12)}: '{path.name}' is "
            f"{kind.words}, which says it itself; leave it out"
        )
    ending = next(e for e in kind.endings if path.name.lower().endswith(e))
    try:
        table = kind.read(path, options)
    except (DataError, SpecificationError, MemoryError):
        raise
    except zlib.error as error:
        raise DataError(f"'{path}' is not a readable {ending} file: {error}") from error
    except Exception as error:  # libraries raise what they like for files that are damaged
        said = str(error) or type(error).__name__
        raise DataError(
            f"'{path}' is not a readable {ending} file: {said}: save it again from the program "
            "that made it"
        ) from error
    if kind.typed and options.labels:
        return replace(table, frame=as_text(table.frame, options.labels))
    return table
