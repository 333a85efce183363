"""Tables that are shown whole: columns that do not fit beside each other follow below."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pandas as pd


class Table(pd.DataFrame):
    """A DataFrame that shows every digit, whatever the width, and blanks where there is nothing.

    Examples
    --------
    >>> table = Table({"estimate": [0.5, None]}, index=["mean[price]", "sd[price]"])
    >>> print(table)
                 estimate
    mean[price]       0.5
    sd[price]
    """

    @property
    def _constructor(self) -> Callable[..., Table]:
        return Table

    def __repr__(self) -> str:
        return whole(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return html(self)


def whole(frame: pd.DataFrame, float_format: str | None = None, *, blank: str = "") -> str:
    """A frame as text, in blocks of columns as wide as the terminal; no column is cut."""
    given: dict[str, Any] = {} if float_format is None else {"float_format": float_format.format}
    width = shutil.get_terminal_size().columns
    text = pd.DataFrame(frame).to_string(line_width=width, na_rep=blank, **given)
    return "\n".join(line.rstrip() for line in text.splitlines())


def html(
    frame: pd.DataFrame, float_format: str | None = None, *, blank: str = "", **options: Any
) -> str:
    """A frame as HTML with all of its words, of which pandas would show 50 letters."""
    if float_format is not None:
        options["float_format"] = float_format.format
    with pd.option_context("display.max_colwidth", None):
        return str(pd.DataFrame(frame).to_html(na_rep=blank, **options))
