"""What a column of Parquet becomes: whole numbers, numbers, labels by their codes, times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bayesmix.data.columns import show
from bayesmix.data.store.source import Source
from bayesmix.data.widen import EXACT
from bayesmix.errors import DataError

TEXT, CATEGORY = "text", "category"


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it is stored.

    Parameters
    ----------
    name
        Of the column.
    dtype
        Of the numbers in the store; those of labels are codes, -1 where a value is missing.
    levels
        The labels of codes, sorted where they are text and in the order of categories where they
        are these; None of columns of numbers and times.
    boolean
        Whether it was True and False.
    """

    name: str
    dtype: np.dtype[Any]
    levels: pd.Index | None = None
    boolean: bool = False

    def values(self, array: pa.Array) -> np.ndarray:
        """A batch (n,) of the column as numbers.

        Raises
        ------
        DataError
            If whole numbers beside missing values are too large for floating-point ones.
        """
        if self.levels is not None:
            return self._codes(array)
        if pa.types.is_decimal(array.type):
            array = array.cast(pa.float64())
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.int8())
        if pa.types.is_integer(array.type):
            self._check_digits(array)
        if array.null_count and self.dtype.kind == "f":
            array = array.cast(pa.float64()).fill_null(np.nan)
        found = array.to_numpy(zero_copy_only=False)
        return np.ascontiguousarray(found, dtype=self.dtype)

    def _check_digits(self, array: pa.Array) -> None:
        beside, most = self.dtype.kind == "f", 2**63
        if beside:
            most = EXACT
        elif array.type != pa.uint64():
            return
        ends = pc.min_max(array)
        largest = max((abs(end) for end in ends.as_py().values() if end is not None), default=0)
        if largest >= most:
            raise DataError(
                f"column {show(self.name)} holds the whole number {largest}, "
                + ("and missing values, beside which numbers " if beside else "and whole numbers ")
                + f"are exact up to 2**{most.bit_length() - 1}: fill the missing values in, "
                "subtract a constant, or make the column text"
            )

    def _codes(self, array: pa.Array) -> np.ndarray:
        assert self.levels is not None
        encoded = _encoded(array)
        own = pd.Index(_labels(encoded.dictionary), dtype=self.levels.dtype)
        place = np.append(self.levels.get_indexer(own), -1).astype(np.int32)
        indices = encoded.indices.cast(pa.int64())  # polars' are unsigned
        return place[indices.fill_null(-1).to_numpy(zero_copy_only=False)]

    def series(self, values: np.ndarray) -> Any:
        """Stored numbers as a column of a frame."""
        if self.levels is None:
            return values
        return pd.Categorical.from_codes(values, categories=self.levels)


def learn(source: Source, name: str) -> Column:
    """How a column of the source is stored, from its type and, of labels, from all of its values.

    Raises
    ------
    DataError
        If it is of a type that no column of choice data has.
    """
    kind = source.schema.field(name).type
    if pa.types.is_dictionary(kind):
        return _learn_labels(source, name, ordered=True)
    if _is_text(kind):
        return _learn_labels(source, name, ordered=False)
    if pa.types.is_boolean(kind):
        dtype = np.float64 if source.has_missing(name) else np.int64
        return Column(name, np.dtype(dtype), boolean=not source.has_missing(name))
    if pa.types.is_integer(kind):
        return Column(name, np.dtype(np.float64 if source.has_missing(name) else np.int64))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Column(name, np.dtype(np.float64))
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return Column(name, np.dtype(f"datetime64[{kind.unit}]"))
    raise DataError(
        f"column {show(name)} is of type {kind}; expected numbers, text, categories, True and "
        "False, or times without a zone: leave it out, columns=[...] without it, or convert it"
    )


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _learn_labels(source: Source, name: str, *, ordered: bool) -> Column:
    """The labels of a column: of categories in their order, of text sorted."""
    seen: dict[Any, None] = {}
    for _, batch in source.batches([name]):
        seen.update(dict.fromkeys(_labels(_encoded(batch.column(0)).dictionary)))
    levels = pd.Index(list(seen))
    return Column(name, np.dtype(np.int32), levels if ordered else levels.sort_values())


def _encoded(array: pa.Array) -> pa.DictionaryArray:
    return array if pa.types.is_dictionary(array.type) else array.dictionary_encode()


def _labels(dictionary: pa.Array) -> Iterable[Any]:
    return dictionary.to_pylist()
