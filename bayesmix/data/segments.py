"""What demand is counted by: goods that rows belong to, and segments of people or situations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesmix.arrays import Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import nearest
from bayesmix.data.reserved import OUTSIDE
from bayesmix.errors import DataError


def goods_of(data: ChoiceData, products: str | None) -> tuple[Indices, tuple]:
    """Code (R,) of each row's alternative, or product, and their labels."""
    if products is None:
        return data.alternative_code, tuple(data.alternatives)
    if products not in data.frame.columns:
        raise DataError(
            f"argument 'products': the data have no column {products!r}; "
            f"{nearest(products, data.frame.columns)}"
        )
    codes, names = pd.factorize(data.frame[products], sort=True)
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        raise DataError(
            f"argument 'products': column {products!r} has missing values, first in row "
            f"{data.rows[missing[0]]}; every row is of a product"
        )
    if data.outside_option and OUTSIDE in list(names):
        raise DataError(
            f"argument 'products': column {products!r} has a product {OUTSIDE!r}, which is the "
            "name of the outside option: give it another label"
        )
    return codes.astype(np.int64), tuple(names)


def segments_of(
    data: ChoiceData, by: str | None, sets: ChoiceData, argument: str = "by"
) -> tuple[Indices, list]:
    """Segment (T,) of each situation, and the segments' names; ``argument`` names the column.

    Those of situations that have lost their rows in a scenario are as in the sets it is made from.
    """
    if by is None:
        return np.zeros(data.n_situations, dtype=np.int64), ["all"]
    if by not in data.frame.columns:
        near = nearest(by, data.frame.columns)
        raise DataError(f"argument {argument!r}: the data have no column {by!r}; {near}")
    lost = np.flatnonzero(np.diff(data.situation_start) == 0)
    column = data.frame[by]
    if len(lost):
        column = pd.concat([column, _of_situations(sets, by, lost)])
    codes, names = pd.factorize(column, sort=True)
    if (codes < 0).any():
        raise DataError(f"argument {argument!r}: column {by!r} has missing values")
    rows = codes[: data.n_rows]
    first = rows[np.minimum(data.situation_start[:-1], data.n_rows - 1)]
    first[lost] = codes[data.n_rows :]
    mixed = np.flatnonzero(rows != first[data.row_situation])
    if len(mixed):
        raise DataError(
            f"argument {argument!r}: column {by!r} varies within situations (first in row "
            f"{data.rows[mixed[0]]}); segments are of situations or persons"
        )
    return first, [bool(name) for name in names] if by in data.booleans else list(names)


def _of_situations(sets: ChoiceData, by: str, which: Indices) -> pd.Series:
    """Values of a column in the first rows of some situations."""
    empty = np.diff(sets.situation_start)[which] == 0
    if empty.any() or by not in sets.frame.columns:
        raise DataError(
            f"argument 'by': {len(which)} situations have no rows and so no {by!r}: give the sets "
            "before they lost them as the data, and what is left as scenario="
        )
    return sets.frame[by].iloc[sets.situation_start[:-1][which]]
