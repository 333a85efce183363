"""Columns of numbers in the widest type of their kind, so that what is computed from them is right.

Arithmetic happens in a column's own type: products of int8 wrap at 127, float16 keeps three digits,
and the sum of two booleans is True. Stata's bytes, polars' UInt8, downcast Parquet files, dummies
and databases' Decimals come in such types; here they become int64 or float64, with their values.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Flags

EXACT = 2**53
"""Whole numbers beyond may not be floating-point numbers."""

WIDE = (np.dtype(np.int64), np.dtype(np.float64))
NUMBERS = {"integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty"}
PERHAPS = {"mixed", "mixed-integer"}
"""What pandas calls Python objects that are all numbers, and those that may be."""


def widened(frame: pd.DataFrame, labels: Collection[object] = ()) -> pd.DataFrame:
    """The frame with numbers as int64 or float64, booleans as 0 and 1.

    Of the columns of ``labels`` whole numbers alone change their type: 1 stays 1. Numbers that
    would lose digits stay as they are, and are refused where they are used.
    """
    wide = frame.copy(deep=False)
    for name in frame.columns:
        column = frame[name]
        if name not in labels or _whole_label(column):
            found = widest(column)
        else:  # pandas has no index of float16
            found = column.astype(np.float32) if column.dtype == np.float16 else column
        if found is not column:
            wide[name] = found
    return wide


def widest(values: pd.Series) -> pd.Series:
    """A column of numbers as int64 or float64 where none loses digits; others as they are.

    >>> widest(pd.Series([True, False, True])).tolist()
    [1, 0, 1]
    >>> widest(pd.Series([Decimal("0.5"), 2, None], dtype=object)).tolist()
    [0.5, 2.0, nan]
    """
    if values.dtype in WIDE or isinstance(values.dtype, pd.CategoricalDtype):
        return values
    found = numbers(values)
    if found is None or lost_digits(values, found).any():
        return values
    missing = np.isnan(found)
    if missing.all() and _is_object(values):
        return values
    if _whole(values) and not missing.any() and np.abs(found).max(initial=0.0) < 2**63:
        whole = [int(v) for v in values] if _is_object(values) else values.to_numpy(dtype=np.int64)
        return pd.Series(whole, index=values.index, name=values.name, dtype=np.int64)
    return pd.Series(found, index=values.index, name=values.name)


def levels_in_use(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame whose columns of categories have those alone that a row has, in their order."""
    used = frame.copy(deep=False)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            used[name] = frame[name].cat.remove_unused_categories()
    return used


def numbers(values: pd.Series) -> Array | None:
    """Values as float64, missing ones as NaN; None where they are not numbers.

    Numbers are of a numeric or boolean type, Python objects that are all numbers, or categories
    that are 0 and 1, which mean the same as numbers and as categories.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _zero_one(values)
    if values.dtype.kind in "iufb":
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return _objects(values) if _is_object(values) else None


def uncoded(values: pd.Series) -> pd.Series:
    """A column whose role is a number: categories of numbers are these numbers."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values
    return values.astype(values.cat.categories.dtype)


def lost_digits(values: pd.Series, found: Array) -> Flags:
    """Where whole numbers (R,) are not the floating-point ones ``found``: beyond 2**53."""
    lost = np.zeros(len(values), dtype=bool)
    for place in np.flatnonzero(np.abs(found) >= EXACT):
        value = values.iloc[place]
        if isinstance(value, Integral):
            lost[place] = np.isinf(found[place]) or int(value) != int(found[place])
    return lost


def _whole_label(values: pd.Series) -> bool:
    kind = values.dtype.kind
    return kind in "iu" or (kind == "O" and pd.api.types.infer_dtype(values) == "integer")


def _zero_one(values: pd.Series) -> Array | None:
    categories = values.cat.categories
    if categories.dtype.kind not in "iufb" or not np.isin(categories.to_numpy(), (0, 1)).all():
        return None
    return np.append(categories.to_numpy(dtype=np.float64), np.nan)[values.cat.codes]


def _is_object(values: pd.Series) -> bool:
    """Whether values are Python objects; Arrow's decimals come as such."""
    return values.dtype.kind == "O" and not isinstance(
        values.dtype, pd.CategoricalDtype | pd.StringDtype
    )


def _objects(values: pd.Series) -> Array | None:
    kind = pd.api.types.infer_dtype(values, skipna=True)
    missing = values.isna().to_numpy(dtype=bool)
    if kind not in NUMBERS and not (
        kind in PERHAPS and all(_is_number(v) for v in values[~missing])
    ):
        return None
    found = np.full(len(values), np.nan)
    found[~missing] = [_float(v) for v in values[~missing]]
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, Real | Decimal | np.bool_) and not isinstance(value, np.timedelta64)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _whole(values: pd.Series) -> bool:
    if _is_object(values):
        return all(isinstance(v, Integral | np.bool_) for v in values)
    return values.dtype.kind in "iub"
