"""Delimited text as a frame: text where labels are meant, exactly as it is written.

Text files say nothing of types. Labels (persons, situations, alternatives, categories) are text
until all of them are written as Python writes a number, so that 0001 and 00001, or 1.1 and 1.10,
stay two; a column has one type, whatever the length of the file; an empty field alone is missing.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.data.columns import assigned, first_few, show
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable, check_unique
from bayesmix.data.widen import EXACT
from bayesmix.errors import DataError

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tab", ".dat", ".txt")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}
BLANKS = r"[ \t]+"
PADDED = re.compile(r"[-+]?0[0-9]")
FIELD = re.compile(r'"[^"]*"|\S+')
DIGITS = re.compile(r"[-+]?[0-9]+")
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
OFFERED = ("cp1252", "cp1251", "shift_jis", "gb18030")
OLD = tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1)
NEAREST = {"float_precision": "round_trip"} if OLD else {}
"""Numbers are the nearest to what is written: by this option, since pandas 3.1 always."""

TAKES = frozenset({"labels", "missing", "separator", "decimal", "encoding"})


def read_text(path: Path, options: FileOptions) -> FileTable:
    """The table in a text file.

    Raises
    ------
    DataError
        For other separators than those asked for, columns of one name, lines that are longer or
        shorter than the heading, and bytes that are no text in the encoding.
    """
    encoding = _encoding(path, options)
    heading = _heading(path, encoding)
    separator = options.separator or _usual(path, heading)
    wanted = {"sep": separator, "encoding": encoding, **_engine(separator)}
    names = _check_heading(path, heading, wanted, options)
    if wanted["sep"] == r"\s+":
        _check_lengths(path, encoding, len(names))
    frame = pd.read_csv(
        path,
        dtype=dict.fromkeys(options.labels, str),
        keep_default_na=False,
        na_values=["", *options.missing],
        decimal=options.decimal or ".",
        **wanted,
    )
    if not isinstance(frame.index, pd.RangeIndex):
        if not frame.iloc[:, -1].isna().all():
            raise DataError(
                f"the lines of '{path.name}' have more fields than its heading: give every column "
                "a heading, and put quotes around fields that hold the separator"
            )
        raise DataError(
            f"the lines of '{path.name}' have one field more than its heading: take the separator "
            "away that they end with, or give that column a heading"
        )
    if len(frame) and frame.iloc[:, -1].isna().any():  # as the last field of a short line is
        _check_fields(path, encoding, separator, len(names))
    made = [str(name) for name in frame.columns if name not in names]
    table = _padded(path, frame, wanted, options)
    said = [f"columns without a heading are called {first_few(made)}"] if made else []
    return replace(table, notes=(*said, *table.notes))


def _check_fields(path: Path, encoding: str, separator: str, fields: int) -> None:
    """Refuse lines that end before the heading does: what they lack would be missing unsaid."""
    if len(separator) != 1:
        return
    lines = csv.reader(io.StringIO(_content(path).decode(encoding)), delimiter=separator)
    short = []
    for found in lines:
        if 0 < len(found) < fields and found != [""]:
            short.append(lines.line_num)
    if short:
        raise DataError(
            f"lines of '{path.name}' have fewer fields than its heading, which has {fields}: "
            f"{len(short)} of them, such as line {first_few(short)}. Were they cut off? A field "
            f"that is empty still has its separator, {separator!r}"
        )


def _check_lengths(path: Path, encoding: str, fields: int) -> None:
    """Refuse lines with fewer fields than the heading: between blanks nothing can be left empty."""
    text = _content(path).decode(encoding)
    short = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if 0 < len(FIELD.findall(line)) < fields
    ]
    if short:
        raise DataError(
            f"lines of '{path.name}' have fewer fields than its heading, {len(short)} of them, "
            f"such as line {first_few(short)}: between blanks a field cannot be left empty, and "
            'those behind it would move; write a word there that missing = ["..."] names, or '
            "separate fields by commas or tabs"
        )


def decoded(path: Path, options: FileOptions) -> str:
    """What a text file holds.

    Raises
    ------
    DataError
        Naming the first byte that is no text in the encoding.
    """
    return _content(path).decode(_encoding(path, options))


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return gzip.decompress(content) if path.name.lower().endswith(".gz") else content


def _encoding(path: Path, options: FileOptions) -> str:
    """The encoding, checked on the whole file."""
    content = _content(path)
    mark = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8-sig")
    encoding = options.encoding or mark
    try:
        text = content.decode(encoding)
    except LookupError:
        raise DataError(
            f"encoding={encoding!r} is no encoding that Python knows: give one such as 'utf-8', "
            "'cp1252', 'latin-1' or 'utf-16'"
        ) from None
    except UnicodeError as error:
        raise _undecodable(path, content, encoding, error) from None
    if "\0" in text:
        lines = [number for number, line in enumerate(text.split("\n"), 1) if "\0" in line]
        raise DataError(
            f"'{path.name}' has null bytes in {len(lines)} lines, such as line {first_few(lines)}: "
            "a copy or a program that was interrupted leaves them in the place of text, and text "
            "in another encoding has them; write the file anew, or say which encoding it has, such "
            "as encoding = 'utf-16'"
        )
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return "utf-8-sig"  # the mark that some editors put first is no part of a name
    return encoding


def _undecodable(path: Path, content: bytes, encoding: str, error: UnicodeError) -> DataError:
    at = error.start if isinstance(error, UnicodeDecodeError) else 0
    line = content[:at].count(b"\n") + 1
    others = [one for one in OFFERED if _reads(content, one)]
    named = encoding.removesuffix("-sig")
    hint = " or ".join(f'encoding = "{one}"' for one in others[:2])
    return DataError(
        f"'{path.name}' is no {named} text: byte 0x{content[at]:02x} at position {at} (line "
        f"{line}): say which encoding it has, such as {hint or 'that of the program it is from'} "
        "(look at its letters afterwards), or save it as UTF-8"
    )


def _reads(content: bytes, encoding: str) -> bool:
    try:
        return "\0" not in content.decode(encoding)
    except UnicodeError:
        return False


def _heading(path: Path, encoding: str) -> str:
    opened = gzip.open if path.name.lower().endswith(".gz") else open
    with opened(path, "rt", encoding=encoding) as stream:
        return str(stream.readline().rstrip("\r\n"))


def _usual(path: Path, heading: str) -> str:
    """What separates fields in files of this name: commas, tabs, or any blanks."""
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        return ","
    if name.endswith((".tsv", ".tab")):
        return "\t"
    return next((s for s in ("\t", ";", ",", "|") if s in heading), BLANKS)


def _engine(separator: str) -> dict[str, Any]:
    """Fields between blanks begin after those that a line is indented by."""
    if separator == " " or separator == BLANKS:
        return {"sep": r"\s+", **NEAREST, "low_memory": False}
    if len(separator) > 1:
        return {"sep": re.escape(separator), "engine": "python"}
    return {**NEAREST, "low_memory": False}


def _check_heading(
    path: Path, heading: str, wanted: Mapping[str, Any], options: FileOptions
) -> list[str]:
    """The names; refuses other separators, and columns of one name, which pandas would rename."""
    read = {k: v for k, v in wanted.items() if k not in ("float_precision", "low_memory")}
    first = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False, **read)
    names = first.iloc[0]
    other = next((s for s in SEPARATORS if len(names) == 1 and s in heading), None)
    if other:
        said = "\\t" if other == "\t" else other
        expected = SEPARATORS.get(str(options.separator or wanted["sep"]), "other separators")
        remedy = f'separator = "{said}"'
        raise DataError(
            f"the fields of '{path.name}' are separated by {SEPARATORS[other]}; expected "
            f'{expected}: give {remedy} and, where numbers are written as 1,5, decimal = ","'
        )
    check_unique([name for name in names if name != ""], path.name)
    return list(names)


def _padded(
    path: Path, frame: pd.DataFrame, wanted: Mapping[str, Any], options: FileOptions
) -> FileTable:
    """With columns of digits that begin with 0, such as 0012, as text: they are no quantities."""
    whole = [
        name
        for name in frame.columns
        if name not in options.labels and frame[name].dtype.kind in "iuf"
    ]
    if options.quantities or not whole:
        return FileTable(frame)
    empty = ["", *options.missing]
    written = pd.read_csv(
        path, usecols=whole, dtype=str, keep_default_na=False, na_values=empty, **wanted
    )
    kept = [n for n in whole if any(PADDED.match(t) for t in written[n].dropna().unique())]
    large = [n for n in whole if n not in kept and _rounded(frame[n], written[n])]
    frame = assigned(frame, {name: written[name] for name in (*kept, *large)})
    padded = (
        f"numbers of {first_few(kept)} begin with 0, such as {show(_example(written, kept))}: they "
        "are read as text"
        if kept
        else ""
    )
    long = (
        f"whole numbers of {first_few(large)} are too large for a column with missing values: they "
        "are read as text"
        if large
        else ""
    )
    return FileTable(frame, tuple(note for note in (padded, long) if note))


def _rounded(values: pd.Series, written: pd.Series) -> bool:
    """Whether missing values made floating-point numbers of integers that these cannot hold."""
    large = (values.dtype.kind == "f") & (values.abs() >= EXACT)
    return any(DIGITS.fullmatch(t) and int(t) != int(float(t)) for t in written[large].unique())


def _example(written: pd.DataFrame, kept: Sequence[str]) -> str:
    return next(one for one in written[kept[0]].dropna() if PADDED.match(one))


TEXT = FileFormat("delimited text", ENDINGS, read_text, TAKES)
