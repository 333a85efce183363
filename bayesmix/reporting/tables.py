"""A DataFrame as a table on the terminal or as a CSV file."""

from pathlib import Path

import pandas as pd
from rich import box
from rich.table import Table


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
    table.add_column(str(frame.index.name or ""), no_wrap=True)
    previous = None
    for column in frame.columns:
        header, previous = _header(column, previous), column
        table.add_column(header, justify="right", no_wrap=True)
    for row in frame.itertuples():
        table.add_row(str(row[0]).replace("[", r"\["), *(_cell(value, digits) for value in row[1:]))
    return table


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


def _cell(value: object, digits: int) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)
