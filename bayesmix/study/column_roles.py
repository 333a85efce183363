"""Which columns of a study's data file are labels, and which are numbers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bayesmix.data.columns import assigned, first_few
from bayesmix.data.sources.written_labels import as_written
from bayesmix.study.parse import PlaceInFile

CODED = re.compile(r"\bC\(\s*`?([^(),`]+?)`?\s*[,)]")
NAME = r"(?:`([^`]+)`|\b([^\W\d][\w.]*))"
COMPARED = re.compile(
    rf"{NAME}\s*(?:[=!]=\s*|(?:not\s+)?in\s*[\[(]\s*)['\"]|['\"]\s*[=!]=\s*{NAME}"
)
TRUTHS = ("chosen", "availability")


def check_numbers(frame: pd.DataFrame, roles: Mapping[str, str], place: PlaceInFile) -> None:
    """Refuse text in columns of numbers; ``roles`` are keys of the study and their columns.

    Raises
    ------
    SpecificationError
        Naming key, column and the first rows.
    """
    for key, name in roles.items():
        if name not in frame or pd.api.types.infer_dtype(frame[name], skipna=True) != "string":
            continue
        text = frame[name]
        said = pd.to_numeric(text, errors="coerce").notna() | text.isna()
        if key in TRUTHS:
            said |= text.str.lower().isin(["true", "false"])
        wrong = ~said.to_numpy(dtype=bool)
        if wrong.any():
            wanted = "1 and 0, or true and false" if key in TRUTHS else "numbers"
            replace(place, key=key).fail(
                f"column '{name}' holds {first_few(pd.unique(text[wrong]))} in {wrong.sum()} of "
                f"{len(frame)} rows (rows {first_few(frame.index[wrong])}); expected {wanted}: "
                "correct them, or, where they stand for missing values, list them in the key "
                "'missing'"
            )


def numbers_where_available(
    frame: pd.DataFrame, available: str, labels: Collection[str]
) -> pd.DataFrame:
    """The frame with text that stands in unavailable rows alone, such as NA, made missing.

    These rows are left out whatever they hold, and so do not say what type a column has.
    """
    here = frame[available].astype(str).str.lower().isin(["1", "1.0", "true"])
    found = {}
    for name in frame.columns:
        kept = frame.loc[here, name].dropna()
        if name not in labels and pd.api.types.infer_dtype(kept) == "string":
            values = pd.to_numeric(frame[name], errors="coerce")
            if values[kept.index].notna().all():
                found[name] = values
    return assigned(frame, found)


@dataclass(frozen=True)
class Labels:
    """Columns of labels in a study's data file: who chooses what, and formulas' categories.

    Parameters
    ----------
    roles
        Columns of roles, such as the person's.
    coded
        Columns within ``C()``.
    compared
        Columns that formulas compare with text.
    numbers
        Columns that stand outside ``C()`` too, as numbers.
    """

    roles: frozenset[str]
    coded: frozenset[str]
    compared: frozenset[str]
    numbers: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.roles | self.coded | self.compared

    def typed(self, frame: pd.DataFrame, text: Collection[str] = ()) -> pd.DataFrame:
        """The frame of text labels with numbers where nothing is lost by them; not in ``text``."""
        found = {}
        for name in (self.all & set(frame.columns)) - set(text):
            if name in self.compared and name not in self.roles:
                continue  # == '10' is a question about text
            values = as_written(frame[name])
            if name in self.numbers and name not in self.roles:
                values = _as_distinct_numbers(values)
            found[name] = values
        return assigned(frame, found)


def _as_distinct_numbers(text: pd.Series) -> pd.Series:
    """Labels as numbers where no two of them become one number; else as they are."""
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers[text.notna()].notna().all() and numbers.nunique() == text.nunique():
        return numbers
    return text


def labels_of(roles: Iterable[str | None], texts: Iterable[Any]) -> Labels:
    """The columns of labels of a study: of ``roles``, and of formulas in ``texts`` of its records.

    >>> found = labels_of(["id"], ["C(zone) + C(cars) + cars + {area == '07'}:price"])
    >>> sorted(found.coded), sorted(found.compared), sorted(found.numbers)
    (['cars', 'zone'], ['area'], ['cars'])
    """
    every = list(_texts(texts))
    coded = frozenset(name for text in every for name in CODED.findall(text))
    outside = " ".join(CODED.sub(" ", text) for text in every)
    compared = frozenset(name for match in COMPARED.findall(outside) for name in match if name)
    written = {name for match in re.findall(NAME, outside) for name in match if name}
    own = frozenset(name for name in roles if name)
    return Labels(own, coded, compared, coded & frozenset(written))


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, list | tuple):
            yield from _texts(value)
