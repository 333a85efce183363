"""Tables that are shown whole: columns that do not fit beside each other follow below."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from typing import Any

import pandas as pd

LARGE = 1e12
"""From where numbers have exponents."""


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


def number(value: float, digits: int = 4) -> str:
    """An estimate as text, the same wherever it is printed: decimals, and no false zeros.

    Two digits and an exponent where decimals would show nothing but zeros and a rounded digit.

    >>> [number(v) for v in (-1.23456, 0.0, 2.23e-6, 123456.7, 2e12, math.nan)]
    ['-1.2346', '0.0000', '2.2e-06', '123456.7000', '2.0e+12', '']
    """
    if math.isnan(value):
        return ""
    size = abs(value)
    if size >= LARGE or 0 < size < 0.5 * 10.0**-digits:
        return f"{value:.1e}"
    return f"{value:.{digits}f}"


Format = str | Callable[[float], str] | None
"""How floating-point numbers are written: as a format, such as ``"{:.4f}"``, or by a function."""


def _given(float_format: Format) -> dict[str, Any]:
    if float_format is None:
        return {}
    made = float_format.format if isinstance(float_format, str) else float_format
    return {"float_format": made}


def whole(frame: pd.DataFrame, float_format: Format = None, *, blank: str = "") -> str:
    """A frame as text, in blocks of columns as wide as the terminal; no column is cut."""
    given = _given(float_format)
    width = shutil.get_terminal_size().columns
    text = pd.DataFrame(frame).to_string(line_width=width, na_rep=blank, **given)
    return "\n".join(line.rstrip() for line in text.splitlines())


def html(
    frame: pd.DataFrame, float_format: Format = None, *, blank: str = "", **options: Any
) -> str:
    """A frame as HTML with all of its words, of which pandas would show 50 letters."""
    options |= _given(float_format)
    with pd.option_context("display.max_colwidth", None):
        return str(pd.DataFrame(frame).to_html(na_rep=blank, **options))
