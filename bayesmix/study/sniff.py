"""A file of which nothing is said: how it must be read, found by trying."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from bayesmix.data.columns import first_few
from bayesmix.data.sources.reader import FileOptions, FileTable
from bayesmix.data.sources.registry import format_of, read_file
from bayesmix.data.sources.text import OFFERED, TEXT
from bayesmix.errors import DataError

SEPARATOR = re.compile(r'separator = "(.*?)" ')
COMMA = re.compile(r"-?[0-9]+,[0-9]+")
NOTHING = ("NA", "N/A", "n/a", "nan", "NaN", "NULL", "null", "None", ".", "-", "#N/A", "missing")
"""How files say that a value is missing, where it is not an empty field."""


@dataclass(frozen=True, eq=False)
class SniffedFile:
    """A file, read, with the options that it took and why."""

    table: FileTable
    options: FileOptions
    why: dict[str, str]


def sniffed(path: Path) -> SniffedFile:
    """The file, read with the separator, decimal mark, encoding and missing texts that it has.

    Raises
    ------
    DataError
        Where it cannot be read however.
    """
    options = FileOptions()
    why: dict[str, str] = {}
    if format_of(path.name) is not TEXT or not path.is_file():
        return SniffedFile(read_file(path, options), options, why)
    try:
        table = read_file(path, options)
    except DataError as error:
        options, why = _otherwise(path, error)
        table = read_file(path, options)
    if any(_commas(table.frame[name]) for name in table.frame.columns):
        options = replace(options, decimal=",")
        why["decimal"] = "numbers are written as 1,5"
        table = read_file(path, options)
    comma = options.decimal == ","
    found = {name: _nothing(table.frame[name], comma=comma) for name in table.frame}
    nothing = sorted({text for texts in found.values() for text in texts})
    if nothing:
        options = replace(options, missing=tuple(nothing))
        also = [n for n, own in found.items() if not own and table.frame[n].isin(nothing).any()]
        lost = f"; in {first_few(also)} too, where they are missing then: LOOK" if also else ""
        why["missing"] = f"these stand among numbers{lost}"
        table = read_file(path, options)
    return SniffedFile(table, options, why)


def _otherwise(path: Path, error: DataError) -> tuple[FileOptions, dict[str, str]]:
    """Another encoding, another separator, or both, as the error says."""
    options, why = FileOptions(), {}
    if "position" in str(error):
        content = path.read_bytes()
        for encoding in OFFERED:
            try:
                content.decode(encoding)
            except UnicodeError:
                continue
            options = replace(options, encoding=encoding)
            why["encoding"] = "it is no UTF-8: look whether letters with accents are right"
            break
        try:
            read_file(path, options)
            return options, why
        except DataError as other:
            error = other
    other_separator = SEPARATOR.search(str(error))
    if other_separator is None:
        raise error
    separator = other_separator[1].replace("\\t", "\t")
    why["separator"] = "the heading has it"
    return replace(options, separator=separator), why


def _texts(values: pd.Series) -> list[str]:
    here = values.dropna().unique()
    return [v for v in here if isinstance(v, str)]


def _commas(values: pd.Series) -> bool:
    texts = [text for text in _texts(values) if text not in NOTHING]
    commas = [bool(COMMA.fullmatch(text)) for text in texts]
    return any(commas) and all(
        comma or text.lstrip("-").isdigit() for comma, text in zip(commas, texts, strict=True)
    )


def _nothing(values: pd.Series, *, comma: bool) -> list[str]:
    """Texts that mean missing, in a column whose other values are numbers."""
    texts = _texts(values)
    words = [text for text in texts if text in NOTHING]
    others = [t.replace(",", ".") if comma else t for t in texts if t not in NOTHING]
    rest = pd.to_numeric(pd.Series(others), errors="coerce")
    return words if words and len(rest) and bool(rest.notna().all()) else []
