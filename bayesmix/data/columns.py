"""Columns of the user's frame: conversion to pandas, existence, completeness, 0 and 1."""

from collections.abc import Hashable, Mapping, Sequence
from os import PathLike
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from bayesmix.close_names import close_name
from bayesmix.data.widen import numbers
from bayesmix.errors import DataError

SHOWN = 3  # offending places listed in a message, before "and n more"


REMEDY = "collect a lazy frame first; build a frame from arrays with pandas.DataFrame"


def show(label: object) -> str:
    """Text of a label in a message: numbers bare, text in quotes."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def first_few(labels: Any, shown: int = SHOWN) -> str:
    """The first labels, and how many more there are."""
    text = ", ".join(show(label) for label in labels[:shown])
    return text + (f" and {len(labels) - shown} more" if len(labels) > shown else "")


def as_pandas(frame: Any) -> pd.DataFrame:
    """The user's frame as pandas, whatever eager frame narwhals understands."""
    if isinstance(frame, pd.DataFrame):
        table = frame
    else:
        try:
            table = _converted(nw.from_native(frame, eager_only=True))
        except TypeError:
            file = isinstance(frame, str | PathLike)
            remedy = (
                "bm.read_choices reads files, bm.read_table makes frames of them"
                if file
                else REMEDY
            )
            raise DataError(
                f"frame must be a data frame (pandas, polars, ...), got {type(frame).__name__}: "
                f"{remedy}"
            ) from None
    if table.columns.nlevels > 1:
        raise DataError(
            "frame has more than one level of column names: flatten frame.columns first"
        )
    if not table.columns.is_unique:
        repeated = table.columns[table.columns.duplicated()].unique()
        raise DataError(f"frame has columns of the same name: {first_few(repeated)}; rename one")
    if len(table) == 0:
        raise DataError("frame has no rows: check the filter or the file it comes from")
    return table


def _converted(frame: nw.DataFrame[Any]) -> pd.DataFrame:
    """Pandas from another library, without pyarrow; only enumerations keep their order."""
    columns: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if isinstance(values.dtype, nw.Enum):
            columns[name] = pd.Categorical(values.to_list(), categories=values.dtype.categories)
        elif values.dtype in (nw.Int128, nw.UInt128) or (
            values.dtype.is_integer() and values.null_count()
        ):  # NumPy has floats for these, which lose digits
            columns[name] = np.array(values.to_list(), dtype=object)
        else:
            columns[name] = values.to_numpy()
    return pd.DataFrame(columns)


def assigned(frame: pd.DataFrame, columns: Mapping[Any, Any]) -> pd.DataFrame:
    """The frame with other columns, one called "self" among them."""
    found = frame.copy(deep=False)
    for name, values in columns.items():
        found[name] = values
    return found


def nearest(name: object, names: Sequence[object] | pd.Index) -> str:
    """A hint at the existing name close to `name`, or at all of them when there are few."""
    texts = [str(candidate) for candidate in names]
    close = close_name(name, texts)
    if close is not None:
        return f"did you mean {close!r}?"
    return f"it has {first_few(texts, shown=12)}"


def require_column(name: Any, frame: pd.DataFrame) -> None:
    """Raise unless the data have a column of this name."""
    if not isinstance(name, Hashable):
        raise DataError(f"a column is named by its name, got a {type(name).__name__}")
    if name not in frame.columns:
        raise DataError(f"the data have no column {show(name)}; {nearest(name, frame.columns)}")


def require_columns(frame: pd.DataFrame, roles: Mapping[str, str | None]) -> None:
    """Raise unless every column named for a role exists, and none is named for two roles.

    Parameters
    ----------
    roles : role -> column name, None where the role is not used
    """
    used: dict[str, str] = {}
    for role, column in roles.items():
        if column is None:
            continue
        if not isinstance(column, str):
            raise DataError(
                f"{role}= is the name of a column, text, got a {type(column).__name__}: give its "
                "name; what is no column yet must become one, and names that are no text are made "
                "so by frame.rename(columns=str)"
            )
        if column not in frame.columns:
            hint = nearest(column, frame.columns)
            if column in frame.index.names:
                hint = "it is a level of the index: call frame.reset_index() first"
            raise DataError(f"{role}={show(column)}: frame has no such column; {hint}")
        if column in used:
            remedy = "give each role its own column"
            if {role, used[column]} == {"person", "situation"}:
                remedy = "where every situation is its own person, give person=None"
            raise DataError(f"column {show(column)} is both {used[column]} and {role}: {remedy}")
        used[column] = role


def require_complete(frame: pd.DataFrame, columns: Sequence[str | None]) -> None:
    """Raise where one of these columns has missing values."""
    for column in columns:
        if column is None:
            continue
        missing = frame[column].isna().to_numpy()
        if missing.any():
            raise DataError(
                f"column {show(column)} has missing values in {missing.sum()} of {len(frame)} rows "
                f"(rows {first_few(frame.index[missing])}): fill them in, or drop the "
                "situations that they are of whole (a set without one of its rows is another set); "
                "pandas reads None and NA as missing unless keep_default_na=False"
            )


def binary(frame: pd.DataFrame, column: str, remedy: str) -> np.ndarray:
    """A column of 0/1 or True/False as (R,) bool, text and categories of these included.

    Its missing values have been refused before.
    """
    values = numbers(_said(frame[column]))
    if values is None:
        examples = first_few(pd.unique(frame[column]))
        raise DataError(
            f"column {show(column)} holds {examples}; expected 0/1 or True/False: {remedy}"
        )
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        raise DataError(
            f"column {show(column)} holds {first_few(np.unique(values[wrong]))} in {wrong.sum()} "
            f"rows (rows {first_few(frame.index[wrong])}); expected 0/1 or True/False: {remedy}"
        )
    return values.astype(bool)


def _said(values: pd.Series) -> pd.Series:
    """The text "TRUE" or "false" as what it says; other values as they are."""
    if values.dtype.kind in "iufb":
        return values
    words = {"false": 0, "true": 1}
    return values.astype(object).map(lambda v: words.get(v.lower(), v) if isinstance(v, str) else v)
