"""Stata and SPSS files, through pyreadstat."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import assigned
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable, check_unique, needed
from bayesmix.data.sources.tidy import missing_said, tidied, with_value_labels

TAKES = frozenset({"codes", "encoding", "labels"})


def read_stata(path: Path, options: FileOptions) -> FileTable:
    """A Stata file. Its coded missing values, .a to .z, are missing, and counted in the notes."""
    library = needed("pyreadstat", "stata", "Stata")
    frame, meta = library.read_dta(path, user_missing=True, encoding=options.encoding)
    check_unique(list(meta.column_names), path.name)
    found, notes = {}, []
    for name, letters in meta.missing_user_values.items():
        if not letters:
            continue
        values = frame[name]
        coded = values.map(lambda v: isinstance(v, str)).to_numpy(dtype=bool)
        labels = meta.variable_value_labels.get(name, {})
        notes += missing_said(name, [f".{v}{_meaning(labels, v)}" for v in values[coded]])
        found[name] = pd.to_numeric(values.where(~coded, np.nan))
    return _table(assigned(frame, found), meta, options, notes)


def read_spss(path: Path, options: FileOptions) -> FileTable:
    """An SPSS file. Its user-missing values are missing, and counted in the notes."""
    library = needed("pyreadstat", "spss", "SPSS")
    reader = library.read_por if path.suffix.lower() == ".por" else library.read_sav
    frame, meta = reader(path, user_missing=True, encoding=options.encoding)
    check_unique(list(meta.column_names), path.name)
    found, notes = {}, []
    for name, ranges in meta.missing_ranges.items():
        values = frame[name]
        coded = np.zeros(len(values), dtype=bool)
        for ends in ranges:
            coded |= _between(values, ends["lo"], ends["hi"])
        labels = meta.variable_value_labels.get(name, {})
        notes += missing_said(name, [f"{_number(v)}{_meaning(labels, v)}" for v in values[coded]])
        found[name] = values.where(~coded, np.nan)
    return _table(assigned(frame, found), meta, options, notes)


def _between(values: pd.Series, low: Any, high: Any) -> np.ndarray:
    if isinstance(low, str):  # missing texts are single values
        return (values == low).to_numpy(dtype=bool, na_value=False)
    return values.between(low, high).to_numpy(dtype=bool)


def _meaning(labels: Mapping[Any, str], code: Any) -> str:
    return f" ({labels[code]})" if code in labels else ""


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(frame: pd.DataFrame, meta: Any, options: FileOptions, notes: list[str]) -> FileTable:
    labels = {
        name: {
            code: text for code, text in meaning.items() if not _is_missing_code(frame, name, code)
        }
        for name, meaning in meta.variable_value_labels.items()
    }
    frame, said = with_value_labels(frame, labels, {*options.codes})
    return FileTable(tidied(frame, [""]), (*notes, *said))


def _is_missing_code(frame: pd.DataFrame, name: str, code: Any) -> bool:
    """Whether a label is one of a missing value, such as .a, of a column of numbers."""
    return isinstance(code, str) and frame[name].dtype.kind in "iuf"


STATA = FileFormat("Stata", (".dta",), read_stata, TAKES, typed=True)
SPSS = FileFormat("SPSS", (".sav", ".zsav", ".por"), read_spss, TAKES, typed=True)
