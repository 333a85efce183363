"""Labels as they are written in files, and as numbers where that loses nothing."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import pandas as pd

from bayesmix.data.columns import assigned
from bayesmix.data.widen import EXACT

WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")


def as_written(text: pd.Series) -> pd.Series:
    """Labels as numbers where that loses nothing of how they are written; else the text.

    >>> as_written(pd.Series(["1", "10", "2"])).tolist()
    [1, 10, 2]
    >>> as_written(pd.Series(["0001", "10"])).tolist()
    ['0001', '10']
    """
    written = text.dropna().unique()
    if len(written) and all(WHOLE.fullmatch(one) for one in written):
        numbers = pd.to_numeric(text)
        exact = numbers.dtype.kind != "f" or (numbers.dropna().abs() < EXACT).all()
        return numbers if exact else text  # missing values make them floating-point numbers
    if len(written) and all(_is_plain_decimal(one) for one in written):
        return text.astype(float)
    return text


def _is_plain_decimal(text: str) -> bool:
    return bool(DECIMAL.fullmatch(text)) and repr(float(text)) == text != "-0.0"


def as_text(frame: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """The frame with columns as text, 3 and not 3.0; categories stay what they are."""
    found = {
        name: frame[name].astype(object).map(_text, na_action="ignore")
        for name in names
        if name in frame and not isinstance(frame[name].dtype, pd.CategoricalDtype)
    }
    return assigned(frame, found)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
