"""A DataFrame as a table on the terminal or as a CSV file."""

from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bayesmix.data.display import number

UNBOUNDED = 100_000


def rich_table(frame: pd.DataFrame, *, title: str | None = None, digits: int = 4) -> Table:
    """Render a DataFrame for the terminal; blank where a value is missing.

    Parameters
    ----------
    frame
        One or two levels of columns; rows by name. Two levels become two lines of heading.
    title
        Printed above.
    digits
        Decimals of floating-point numbers.

    Examples
    --------
    >>> table = rich_table(pd.DataFrame({"estimate": [-1.0]}, index=["mean[pf]"]))
    >>> [column.header for column in table.columns]
    ['', 'estimate']
    """
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column(escape(str(frame.index.name or "")), no_wrap=True)
    previous = None
    for column in frame.columns:
        header, previous = _header(column, previous), column
        table.add_column(escape(header), justify="right", no_wrap=True)
    for row in frame.itertuples():
        cells = str(row[0]), *(_cell(value, digits) for value in row[1:])
        table.add_row(*map(escape, cells))
    return table


def print_whole(frame: pd.DataFrame, *, title: str | None = None, digits: int = 4) -> None:
    """Print a DataFrame with every digit: what is too wide for the terminal follows below.

    A column that is wider than the terminal all by itself is left to the terminal to break.
    """
    width = Console().width
    for place, block in enumerate(blocks(frame, width, digits)):
        table = rich_table(block, title=title if place == 0 else None, digits=digits)
        Console(width=max(width, _width(table)), highlight=False).print(table)


def blocks(frame: pd.DataFrame, width: int, digits: int = 4) -> list[pd.DataFrame]:
    """The columns in groups, each as many as a terminal of this width has place for.

    Examples
    --------
    >>> frame = pd.DataFrame([[1.0, 2.0, 3.0]], index=["mean[pf]"], columns=["a", "b", "c"])
    >>> [list(block.columns) for block in blocks(frame, 32)]
    [['a', 'b'], ['c']]
    """
    found, first = [], 0
    for last in range(1, frame.shape[1] + 1):
        too_wide = _width(rich_table(frame.iloc[:, first:last], digits=digits)) > width
        if too_wide and last - first > 1:
            found.append(frame.iloc[:, first : last - 1])
            first = last - 1
    return [*found, frame.iloc[:, first:]]


def _width(table: Table) -> int:
    """Characters that a table takes where it is not cut."""
    return Console(width=UNBOUNDED).measure(table).maximum


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a DataFrame as CSV in full precision, two levels of columns joined by a space."""
    flat = frame.copy()
    flat.columns = pd.Index([_joined(column) for column in frame.columns])
    flat.to_csv(path, lineterminator="\n")


def _joined(column: object) -> str:
    return " ".join(map(str, column)) if isinstance(column, tuple) else str(column)


def _header(column: object, previous: object) -> str:
    """The outer level is shown once, above the first of its columns."""
    if not isinstance(column, tuple):
        return str(column)
    outer, *inner = map(str, column)
    repeated = isinstance(previous, tuple) and str(previous[0]) == outer
    return "\n".join(["" if repeated else outer, *inner])


def _cell(value: Any, digits: int) -> str:
    if pd.isna(value):
        return ""
    return number(value, digits) if isinstance(value, float) else str(value)
