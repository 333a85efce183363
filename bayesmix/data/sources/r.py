"""Files of R, .rds and .rda, through rdata."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import first_few, show
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable, check_unique, needed
from bayesmix.data.sources.tidy import missing_said, tidied, with_value_labels
from bayesmix.data.widen import EXACT
from bayesmix.errors import DataError

TAKES = frozenset({"codes", "encoding", "labels", "table"})
ROW_NAMES = "rownames"
ONE = "the object"


@dataclass(frozen=True, eq=False)
class Labelled:
    """A vector of codes with value labels, and which are user-missing, as haven makes them."""

    values: Any
    labels: Mapping[Any, str]
    missing: np.ndarray


@dataclass(frozen=True, eq=False)
class Frame:
    """A data frame of R, before its columns are pandas'."""

    columns: Any
    names: tuple[str, ...]
    rows: Any


def read_r(path: Path, options: FileOptions) -> FileTable:
    """A data frame of an R file: factors are categories, row names that are no numbers a column.

    Raises
    ------
    DataError
        Where it is not clear which object is meant, or one is no data frame.
    """
    library = needed("rdata", "r", "R")
    known = {**library.conversion.DEFAULT_CLASS_MAP, **_constructors()}
    single = path.suffix.lower() == ".rds"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read = library.read_rds if single else library.read_rda
        content = read(path, constructor_dict=known, default_encoding=options.encoding)
    objects = {ONE: content} if single else content
    frame = _chosen(objects, path, options)
    odd = [str(w.message) for w in caught if "will be used instead" not in str(w.message)]
    labels, columns, notes = {}, {}, [_odd(message) for message in dict.fromkeys(odd)]
    check_unique(list(frame.names), path.name)
    for name in frame.names:
        found = frame.columns[name]
        column = pd.Series(_column(getattr(found, "values", found), name, path))
        if isinstance(found, Labelled):
            labels[name] = found.labels
            codes = [f"{v:g}" for v in column[found.missing]]
            notes += missing_said(name, codes)
            column = column.where(~found.missing, np.nan)
        columns[name] = column
    made = _with_row_names(pd.DataFrame(columns), frame.rows)
    made, said = with_value_labels(made, labels, options.codes)
    return FileTable(tidied(made), (*notes, *said))


def _odd(message: str) -> str:
    """What rdata says of a class that it does not know, in other words."""
    known = re.search(r'R class "(.*?)"', message)
    return f"values of R's class {known[1]} are read as bare numbers" if known else message


def _constructors() -> dict[str, Any]:
    return {
        "data.frame": lambda obj, attrs: Frame(
            obj, tuple(str(name) for name in attrs["names"]), attrs["row.names"]
        ),
        "haven_labelled": _haven,
        "haven_labelled_spss": _haven,
        "labelled": _haven,
        "Date": lambda obj, attrs: _times(obj, "D"),
        "POSIXct": lambda obj, attrs: _times(obj, "s"),
        "integer64": lambda obj, attrs: _long_integers(obj),
    }


def _haven(obj: Any, attrs: Mapping[str, Any]) -> Any:
    """Codes with their labels; rdata gives a named vector as an array with one coordinate."""
    labels = attrs.get("labels")
    meaning: dict[Any, str] = {}
    if labels is not None and hasattr(labels, "coords"):
        texts = [str(text) for text in labels[labels.dims[0]].to_numpy()]
        meaning = dict(zip(labels.to_numpy().tolist(), texts, strict=True))
    missing = np.isin(obj, attrs.get("na_values", []))
    if (ends := attrs.get("na_range")) is not None:
        missing |= (obj >= ends[0]) & (obj <= ends[1])
    return Labelled(obj, meaning, np.asarray(np.ma.filled(missing, False)))


def _long_integers(obj: Any) -> Any:
    """Integers of 64 bits, which R keeps in the bytes of floating-point numbers."""
    numbers = np.ascontiguousarray(np.ma.getdata(obj), dtype=np.float64).view(np.int64)
    missing = numbers == np.iinfo(np.int64).min
    if not missing.any():
        return numbers
    exact = (np.abs(numbers[~missing]) < EXACT).all()
    return np.where(missing, np.nan, numbers if exact else numbers.astype(object))


def _times(obj: Any, unit: str) -> Any:
    """Days or seconds since 1970 as times, to the microsecond."""
    numbers = np.ma.filled(np.ma.asarray(obj, dtype=np.float64), np.nan)
    missing = ~np.isfinite(numbers)
    scale = {"D": 86_400_000_000, "s": 1_000_000}[unit]
    whole = np.rint(np.where(missing, 0.0, numbers) * scale).astype(np.int64)
    return np.where(missing, np.datetime64("NaT", "us"), whole.astype("datetime64[us]"))


def _chosen(objects: Mapping[str, Any], path: Path, options: FileOptions) -> Frame:
    frames = {str(name): one for name, one in objects.items() if isinstance(one, Frame)}
    if options.table is not None:
        if options.table in frames:
            return frames[options.table]
        raise DataError(
            f"'{path.name}' has no data frame {show(options.table)}: it has "
            f"{first_few(list(frames), 12) or 'none'}"
        )
    if not frames:
        raise DataError(
            f"'{path.name}' holds no data frame: save one, saveRDS(as.data.frame(x), ...)"
        )
    if len(frames) > 1:
        raise DataError(
            f"'{path.name}' has several data frames, {first_few(list(frames), 12)}: say which one "
            f'is meant, table = "{next(iter(frames))}"'
        )
    return next(iter(frames.values()))


def _column(values: Any, name: str, path: Path) -> Any:
    if isinstance(values, Frame | list | dict) or getattr(values, "ndim", 1) != 1:
        raise DataError(
            f"'{path.name}': column {show(name)} is itself a table or a list: make it columns of "
            "one value a row (of a dfidx, as.data.frame(unfold_idx(x)))"
        )
    if isinstance(values, pd.Categorical):
        return values
    if hasattr(values, "dims"):  # a vector with names
        values = values.to_numpy()
    if not isinstance(values, np.ma.MaskedArray):
        return values
    filled = values.astype(object)
    filled[np.ma.getmaskarray(values)] = np.nan
    plain = np.asarray(filled.data)
    return plain.astype(np.float64) if values.dtype.kind in "iu" else plain


def _with_row_names(frame: pd.DataFrame, rows: Any) -> pd.DataFrame:
    """With the row names as a column, where they are more than the rows' numbers."""
    given = np.ma.asarray(rows)
    if given.dtype.kind in "iuf" or not len(given):
        return frame
    texts = [str(one) for one in given]
    if texts == [str(k + 1) for k in range(len(frame))] or ROW_NAMES in frame:
        return frame
    frame.insert(0, ROW_NAMES, texts)
    return frame


R = FileFormat("R", (".rds", ".rda", ".rdata"), read_r, TAKES, typed=True)
