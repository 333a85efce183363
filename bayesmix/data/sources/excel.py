"""Workbooks of Excel and its relatives, through calamine."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import first_few, show
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable, check_unique, needed
from bayesmix.data.sources.tidy import tidied
from bayesmix.errors import DataError

TAKES = frozenset({"labels", "missing", "table"})


def read_excel(path: Path, options: FileOptions) -> FileTable:
    """One sheet of a workbook, whose first row is the heading.

    Values are those that the program stored; cells that hold an error, such as #N/A, are empty.

    Raises
    ------
    DataError
        Where it is not clear which sheet is meant, or a column has values and no heading.
    """
    library = needed("python_calamine", "excel", "Excel")
    book = library.CalamineWorkbook.from_path(str(path))
    rows = _sheet(book, path, options).to_python(skip_empty_area=True)
    if not rows:
        return FileTable(pd.DataFrame())
    names, body = rows[0], [row for row in rows[1:] if any(cell != "" for cell in row)]
    columns = list(zip(*body, strict=True)) or [()] * len(names)
    kept = [k for k, name in enumerate(names) if name != "" or any(v != "" for v in columns[k])]
    nameless = [k + 1 for k in kept if names[k] == ""]
    if nameless:
        raise DataError(
            f"'{path.name}': column {first_few(nameless)} of the sheet has values and no heading "
            "in its first row: give it one, and take away what stands above the heading"
        )
    texts = [_text(names[k]) for k in kept]
    check_unique(texts, path.name)
    frame = pd.DataFrame(
        {
            name: pd.Series(_cells(columns[k], name in options.labels, options.missing))
            for name, k in zip(texts, kept, strict=True)
        }
    )
    return FileTable(tidied(frame))


def _sheet(book: Any, path: Path, options: FileOptions) -> Any:
    names = list(book.sheet_names)
    if options.table is not None:
        if options.table not in names:
            raise DataError(
                f"'{path.name}' has no sheet {show(options.table)}: it has {first_few(names, 12)}"
            )
        return book.get_sheet_by_name(options.table)
    filled = [name for name in names if book.get_sheet_by_name(name).to_python()]
    if len(filled) > 1:
        raise DataError(
            f"'{path.name}' has several sheets, {first_few(filled, 12)}: say which one is meant, "
            f'table = "{filled[0]}"'
        )
    return book.get_sheet_by_name(filled[0] if filled else names[0])


def _cells(values: Collection[Any], label: bool, missing: Collection[str]) -> list[Any]:
    """A column's cells: empty ones as NaN, whole numbers as such where others are not numbers."""
    cells = [np.nan if v == "" or _text(v) in missing else v for v in values]
    if label:
        return [v if _is_nan(v) else _text(v) for v in cells]
    if all(isinstance(v, float) or _is_nan(v) for v in cells):
        return cells
    return [int(v) if isinstance(v, float) and v.is_integer() else v for v in cells]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _text(value: Any) -> str:
    """A cell as it is shown: 3 rather than 3.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


EXCEL = FileFormat("Excel", (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), read_excel, TAKES)
