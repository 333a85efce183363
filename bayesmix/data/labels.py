"""Labels of persons, situations and alternatives: what they may be, and what files make of them.

Files, coordinates of posteriors and names of parameters know numbers and text. Labels of another
kind (dates, UUIDs, Decimals, bytes, tuples), and labels of several kinds at once, are text there.
Two labels that would be the same text, such as 17 and '17', are refused when data are made.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.columns import show
from bayesmix.errors import DataError

NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
UNIFORM = {"string", "integer", "floating", "boolean"}
"""What pandas calls Python objects that are all of one kind of plain label."""


def label_codes(values: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Codes (R,) and labels of a column, in order of first appearance.

    Raises
    ------
    DataError
        Where labels cannot be told apart: lists or arrays, or several that are the same text.
    """
    try:
        codes, names = pd.factorize(values)
    except TypeError:
        codes = None
    if codes is None or values.dtype.kind == "c":
        raise DataError(
            f"column {show(values.name)} holds {show(values.iloc[0])} in row "
            f"{show(values.index[0])}; expected labels, numbers or text, that can be compared: "
            "make it text"
        )
    labels = pd.Index(names, tupleize_cols=False)
    check_distinct(labels, values.name)
    return codes.astype(np.int64), labels


def check_distinct(labels: pd.Index, column: Hashable) -> None:
    """Refuse labels of several kinds of which two are the same text.

    Raises
    ------
    DataError
        Naming column and labels.
    """
    if labels.dtype != object or pd.api.types.infer_dtype(labels, skipna=False) in UNIFORM:
        return
    seen: dict[str, Any] = {}
    for label in labels:
        other = seen.setdefault(as_text(label), label)
        if other is not label:
            raise DataError(
                f"column {show(column)} holds both {show(other)} and {show(label)}, "
                f"{type(other).__name__} and {type(label).__name__}: if they are the same, make "
                f"the column text, frame[{column!r}].astype(str), or read it as text from its "
                "file; if they are not, give one of them another name"
            )


def as_text(label: Any) -> str:
    """A label as files have it.

    >>> as_text(b"A12"), as_text((np.int64(3), "b")), as_text(pd.Timestamp("2024-05-01"))
    ('A12', "(3, 'b')", '2024-05-01 00:00:00')
    """
    if isinstance(label, bytes):
        return label.decode("utf-8", "backslashreplace")
    if isinstance(label, tuple):
        return f"({', '.join(show(part) for part in label)})"
    return str(label).replace("\0", "\\x00")  # where netCDF would cut the label


def check_same_kind(argument: str, persons: pd.Index, others: pd.Index) -> None:
    """Refuse persons whom other data hold as well, but of another kind, such as '17' and 17.

    Persons are found by their labels: these would be taken for new people without a word.

    Raises
    ------
    DataError
        Naming the first two.
    """
    apart = persons[~persons.isin(others)]
    if not len(apart) or _kinds(apart) == _kinds(others) == {str}:
        return
    known = {(key, type(label)): label for label in others.tolist() for key in _keys(label)}
    kinds = {kind for _, kind in known}
    alike = (
        (label, known[key, kind])
        for label in apart.tolist()
        for key in _keys(label)
        for kind in kinds - {type(label)}
        if (key, kind) in known
    )
    if (pair := next(alike, None)) is not None:
        own, other = pair
        raise DataError(
            f"argument {argument!r} has person {show(own)}, {type(own).__name__}, and the data "
            f"person {show(other)}, {type(other).__name__}: people are found again by equal "
            "labels, and these are not equal; if they are the same person, give the column of "
            "persons one type in both frames, such as frame[column].astype(str); if they are not, "
            "give one of them another name"
        )


def _kinds(labels: pd.Index) -> set[type]:
    return {type(label) for label in labels.tolist()}


def _keys(label: Any) -> set[str]:
    """What a label may be written as: 7, 7.0, '7', '07' alike; a day with and without its hour.

    >>> sorted(_keys("07")), sorted(_keys(7.0)), sorted(_keys(pd.Timestamp("2024-05-01")))
    (['07', '7'], ['7', '7.0'], ['2024-05-01', '2024-05-01 00:00:00'])
    """
    text = as_text(label)
    found = {text}
    if NUMBER.fullmatch(text):
        found.add(str(int(text)) if "." not in text else f"{float(text):.17g}")
    return found | {text.removesuffix(" 00:00:00")}


def alike(labels: Sequence[Hashable], *, capitals: bool) -> list[tuple[str, str]]:
    """Pairs of labels that differ by blanks alone, or by ``capitals`` too.

    >>> alike(["bus", "bus ", "Bus"], capitals=True), alike(["p1", "P1"], capitals=False)
    ([('bus', 'bus '), ('bus', 'Bus')], [])
    """
    first: dict[str, str] = {}
    pairs = []
    for label in labels:
        if isinstance(label, str):
            plain = " ".join(label.split())
            other = first.setdefault(plain.casefold() if capitals else plain, label)
            pairs += [(other, label)] if other != label else []
    return pairs


def say_alike(column: str, labels: Sequence[Hashable], *, capitals: bool) -> None:
    """Warn of labels that people would read as one, and that are two."""
    pairs = alike(labels, capitals=capitals)
    if pairs:
        differ = ", ".join(f"{one!r} and {other!r}" for one, other in pairs[:3])
        more = f" and {len(pairs) - 3} more" if len(pairs) > 3 else ""
        remedy = ".str.strip().str.lower()" if capitals else ".str.strip()"
        warnings.warn(
            f"column {column!r} has {differ}{more}, which differ by blanks"
            f"{' or capitals' if capitals else ''} alone, and are taken for different labels: if "
            f"they are the same, frame[{column!r}] = frame[{column!r}]{remedy}",
            stacklevel=4,
        )


def as_stored(labels: pd.Index) -> np.ndarray:
    """Labels as coordinates and files have them: numbers, or text.

    >>> as_stored(pd.Index([3, 4])).tolist(), as_stored(pd.Index([1001, "A12"])).tolist()
    ([3, 4], ['1001', 'A12'])
    """
    labels = labels.infer_objects()
    if labels.dtype.kind in "iuf":
        return np.asarray(labels, dtype=f"{labels.dtype.kind}8")
    return np.array([as_text(label) for label in labels], dtype=object)


def with_names(
    frame: pd.DataFrame, column: str, codes: np.ndarray, names: tuple[Hashable, ...]
) -> pd.DataFrame:
    """The frame with alternatives' ``names``, where those are not the labels that it holds."""
    _, first = np.unique(codes, return_index=True)
    if all(frame[column].iloc[row] == names[codes[row]] for row in first):
        return frame
    frame = frame.copy(deep=False)
    frame[column] = pd.Categorical.from_codes(codes, categories=pd.Index(names))
    return frame


def alternative_names(labels: Sequence[Hashable]) -> tuple[Hashable, ...]:
    """Alternatives' labels as numbers and text, which names of parameters are made of.

    >>> alternative_names(("bus", 7)), alternative_names((("bus", 1), ("bus", 2)))
    (('bus', 7), ("('bus', 1)", "('bus', 2)"))
    """
    plain = all(isinstance(label, str | int | float | np.number | np.bool_) for label in labels)
    return tuple(labels) if plain else tuple(as_text(label) for label in labels)
