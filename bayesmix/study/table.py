"""A study's data file as a frame: text where labels are meant, exactly as it is written.

CSV files say nothing of types. Labels (persons, situations, alternatives, categories) are text
until all of them are written as Python writes a number, so that 0001 and 00001, or 1.1 and 1.10,
stay two; a column has one type, whatever the length of the file; an empty field alone is missing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.data.columns import assigned, first_few
from bayesmix.study.parse import Place

CSV = (".csv", ".csv.gz")
ENDINGS = (*CSV, ".parquet")
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
CODED = re.compile(r"\bC\(\s*`?([^(),`]+?)`?\s*[,)]")
NAME = r"(?:`([^`]+)`|\b([^\W\d][\w.]*))"
COMPARED = re.compile(
    rf"{NAME}\s*(?:[=!]=\s*|(?:not\s+)?in\s*[\[(]\s*)['\"]|['\"]\s*[=!]=\s*{NAME}"
)
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
TRUTHS = ("chosen", "availability")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")


def is_csv(name: str) -> bool:
    """Whether a file is a table of text, by its name."""
    return name.lower().endswith(CSV)


def read_table(
    path: Path, place: Place, *, labels: Collection[str], missing: Sequence[str]
) -> pd.DataFrame:
    """The file; of CSV its columns ``labels`` as text, and ``missing`` said in empty fields.

    Raises
    ------
    SpecificationError
        Where the file is none that can be read, naming the key of the study.
    """
    ending = next((e for e in ENDINGS if path.name.lower().endswith(e)), None)
    if ending is None:
        place.fail(f"cannot read '{path.name}': expected one of {', '.join(ENDINGS)}")
    if not path.is_file():
        place.fail(f"no file '{path}': a relative path starts at the study file's folder")
    if missing and ending not in CSV:
        place.fail(f"key 'missing' is for CSV files: '{path.name}' says itself what is missing")
    try:
        if ending in CSV:
            return _read_csv(path, place, labels, missing)
        frame = pd.read_parquet(path)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        place.fail(f"'{path}' is not a readable {ending} file: {error}")
    return frame.reset_index() if any(frame.index.names) else frame


def _read_csv(
    path: Path, place: Place, labels: Collection[str], missing: Sequence[str]
) -> pd.DataFrame:
    _check_heading(path, place)
    frame = pd.read_csv(
        path,
        dtype=dict.fromkeys(labels, str),
        keep_default_na=False,
        na_values=["", *missing],
        low_memory=False,
    )
    if not isinstance(frame.index, pd.RangeIndex) and frame.iloc[:, -1].isna().all():
        place.fail(
            f"the lines of '{path.name}' have one field more than its heading: take the comma away "
            "that they end with, or give that column a heading"
        )
    return frame


def _check_heading(path: Path, place: Place) -> None:
    """Refuse other separators, and columns of one name, of which pandas would rename the later."""
    heading = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    names = heading.iloc[0]
    other = next((s for s in SEPARATORS if len(names) == 1 and s in names[0]), None)
    if other:
        place.fail(
            f"the fields of '{path.name}' are separated by {SEPARATORS[other]}; expected commas, "
            "and points in decimal numbers: save it so, in Python "
            f"pd.read_csv(..., sep={other!r}, decimal=...).to_csv(..., index=False)"
        )
    repeated = names[names.duplicated() & (names != "")].unique()
    if len(repeated):
        place.fail(f"'{path.name}' has columns of the same name: {first_few(repeated)}; rename one")


def as_written(text: pd.Series) -> pd.Series:
    """Labels as numbers where that loses nothing of how they are written; else the text.

    >>> as_written(pd.Series(["1", "10", "2"])).tolist()
    [1, 10, 2]
    >>> as_written(pd.Series(["0001", "10"])).tolist()
    ['0001', '10']
    """
    written = text.dropna().unique()
    if len(written) and all(WHOLE.fullmatch(one) for one in written):
        return pd.to_numeric(text)
    if len(written) and all(_is_plain_decimal(one) for one in written):
        return text.astype(float)
    return text


def _is_plain_decimal(text: str) -> bool:
    return bool(DECIMAL.fullmatch(text)) and repr(float(text)) == text != "-0.0"


def check_numbers(frame: pd.DataFrame, roles: Mapping[str, str], place: Place) -> None:
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

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame of text labels with numbers where nothing is lost by them."""
        found = {}
        for name in self.all & set(frame.columns):
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
