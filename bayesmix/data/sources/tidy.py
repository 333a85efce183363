"""What readers of typed files have in common: whole numbers, empty texts, dates, value labels."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import assigned, first_few, show
from bayesmix.data.widen import EXACT


def tidied(frame: pd.DataFrame, empty: Collection[str] = ()) -> pd.DataFrame:
    """Whole numbers as integers, dates as times, texts that are ``empty`` as missing.

    Formats whose numbers are all floating-point know no 3, but 3.0; those whose texts cannot be
    missing have empty ones instead.
    """
    found: dict[Any, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if values.dtype.kind == "f":
            found[name] = whole(values)
        elif isinstance(values.dtype, pd.CategoricalDtype):
            continue
        elif not pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind not in "mM":
            found[name] = _objects(values, empty)
    return assigned(frame, found)


def whole(values: pd.Series) -> pd.Series:
    """Numbers as integers where every one of them is; others as they are.

    >>> whole(pd.Series([1.0, 2.0])).tolist(), whole(pd.Series([1.0, 2.5])).tolist()
    ([1, 2], [1.0, 2.5])
    """
    numbers = values.to_numpy(dtype=np.float64)
    if not len(numbers) or not np.isfinite(numbers).all() or np.abs(numbers).max() > EXACT:
        return values
    return values.astype(np.int64) if (numbers == np.rint(numbers)).all() else values


def _objects(values: pd.Series, empty: Collection[str]) -> pd.Series:
    cells = values.astype(object)
    cells = cells.where(cells.notna() & ~cells.isin(list(empty)), np.nan)
    here = cells.dropna()
    if len(here) and all(isinstance(v, datetime.date) for v in here):
        return pd.to_datetime(cells)
    return cells


def with_value_labels(
    frame: pd.DataFrame, labels: Mapping[str, Mapping[Any, str]], codes: Collection[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Columns of coded values as categories, in the order of their codes, and what to say of it.

    Only where the labels say all that the codes do: each value in use has one, and no two are the
    same text. Columns in ``codes`` stay as they are.
    """
    found, notes = {}, []
    for name, meaning in labels.items():
        if name not in frame or name in codes or not meaning:
            continue
        values = frame[name]
        bare = [v for v in pd.unique(values.dropna()) if v not in meaning]
        texts = list(meaning.values())
        twice = [text for text in dict.fromkeys(texts) if texts.count(text) > 1]
        if bare:
            notes.append(
                f"column {show(name)}: its codes are read, for {first_few(bare)} has no value label"
            )
        elif twice:
            notes.append(
                f"column {show(name)}: its codes are read, for several of them are labelled "
                f"{first_few(twice)}"
            )
        else:
            order = sorted(meaning)
            position = {code: k for k, code in enumerate(order)}
            at = [position[v] if pd.notna(v) else -1 for v in values]
            categories = pd.Index([meaning[code] for code in order], dtype=object)
            found[name] = pd.Series(
                pd.Categorical.from_codes(at, categories=categories), index=frame.index
            )
    return assigned(frame, found), notes


def missing_said(name: str, coded: list[str]) -> list[str]:
    """A sentence on coded missing values, none where there are none."""
    if not coded:
        return []
    kinds = list(dict.fromkeys(coded))
    several = f"{len(coded)} values are" if len(coded) > 1 else "1 value is"
    return [
        f"column {show(name)}: {several} coded as missing in the file ({first_few(kinds, 6)}), and "
        "missing here"
    ]
