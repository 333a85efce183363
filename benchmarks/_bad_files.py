"""Files that are none of what they are called, or odd ones that are."""

# One case a line, however long.
# ruff: noqa: E501

import gzip
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from _bad_case import Case
from _bad_tables import MODEL, base, right

import bayesmix as bm
from tests.arguments.things import LONG


def file_cases() -> Iterator[Case]:
    folder = Path(tempfile.mkdtemp())
    text = base().to_csv(index=False)
    lines = text.splitlines()
    for name, (file, content, words) in BAD(text, lines).items():
        path = _written(folder, file, content)
        yield Case("file", name, lambda p=path: estimated(p), words=words)
    for name, (file, content, given) in FINE(text, lines).items():
        path = _written(folder, file, content)
        yield Case("file", name, lambda p=path, g=given: estimated(p, **g), right())
    for name, (given, words) in OPTIONS.items():
        path = _written(folder, "good.csv", text.encode())
        yield Case("file", name, lambda p=path, g=given: estimated(p, **g), words=words)


def estimated(path: Any, **given: Any) -> list[float]:
    fit = bm.msle(MODEL, bm.read_choices(path, **{**LONG, **given}))
    return [fit.loglik, *fit.params]


def _written(folder: Path, file: str, content: bytes | Callable[[Path], Any] | None) -> Path:
    path = folder / str(len(list(folder.iterdir()))) / file
    path.parent.mkdir()
    if callable(content):
        content(path)
    elif content is not None:
        path.write_bytes(content)
    return path


def BAD(text: str, lines: list[str]) -> dict[str, tuple[str, Any, tuple[str, ...]]]:
    raw = text.encode()
    dirty = [*lines[:7], lines[7][:4] + "\x00" + lines[7][4:], *lines[8:]]
    blank = [*lines[:7], "\x00" * 20, *lines[8:]]
    parquet: Callable[[Path], Any] = lambda p: base().to_parquet(p)  # noqa: E731
    return {
        "absent": ("absent.csv", None, ("absent.csv",)),
        "a folder": ("folder.csv", lambda p: p.mkdir(), ("folder.csv",)),
        "nothing in it": ("empty.csv", b"", ("empty.csv",)),
        "blank lines alone": ("blank.csv", b"\n\n\n", ("blank.csv",)),
        "a heading alone": ("heading.csv", (lines[0] + "\n").encode(), ("row",)),
        "no heading": ("bare.csv", "\n".join(lines[1:]).encode(), ("bare.csv", "columns")),
        "null bytes in a field": ("null.csv", "\n".join(dirty).encode(), ("null", "8")),
        "a line of null bytes": ("nulls.csv", "\n".join(blank).encode(), ("null", "8")),
        "null bytes at the end": ("tail.csv", raw + b"\x00" * 4096, ("null",)),
        "null bytes alone": ("zeros.csv", b"\x00" * 4096, ("null",)),
        "a field too many": ("long.csv", "\n".join([*lines[:5], lines[5] + ",7", *lines[6:]]).encode(), ("6",)),
        "a field too few": ("short.csv", "\n".join([*lines[:5], lines[5].rsplit(",", 3)[0], *lines[6:]]).encode(), ("",)),
        "a quotation mark that is not closed": ("quote.csv", "\n".join([*lines[:5], '"' + lines[5], *lines[6:]]).encode(), ("quote.csv",)),
        "semicolons": ("semicolon.csv", raw.replace(b",", b";"), ("separator",)),
        "tabs": ("tabs.csv", raw.replace(b",", b"\t"), ("separator",)),
        "utf-16 without a mark": ("wide.csv", text.encode("utf-16-le"), ("encoding",)),
        "latin-1": ("latin.csv", text.replace("even", "péché").encode("latin-1"), ("encoding",)),
        "a heading twice": ("twice.csv", raw.replace(b"quality", b"price"), ("price",)),
        "a cut file": ("cut.csv", raw[: len(raw) // 2], ("cut.csv",)),
        "Parquet called CSV": ("parquet.csv", parquet, ("parquet.csv",)),
        "gzip called CSV": ("zip.csv", gzip.compress(raw), ("zip.csv",)),
        "CSV called gzip": ("plain.csv.gz", raw, ("plain.csv.gz",)),
        "a cut gzip": ("cut.csv.gz", gzip.compress(raw)[:400], ("cut.csv.gz",)),
        **{f"CSV called {end}": (f"plain.{end}", raw, (f"plain.{end}",)) for end in ENDS},
        **{f"nothing called {end}": (f"empty.{end}", b"", ("row",) if end == "jsonl" else (f"empty.{end}",)) for end in ENDS},
        "a cut Parquet file": ("cut.parquet", _cut_parquet, ("cut.parquet",)),
        "an unknown ending": ("choices.xyz", raw, (".xyz",)),
        "no ending": ("choices", raw, ("choices",)),
        "a picture": ("picture.png", b"\x89PNG\r\n\x1a\n", (".png",)),
    }  # fmt: skip


ENDS = ("parquet", "xlsx", "xls", "ods", "dta", "sav", "zsav", "rds", "rda", "jsonl", "cho")
OPTIONS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "separator of two characters": ({"separator": ";;"}, ("separator",)),
    "separator that is not there": ({"separator": ";"}, ("separator",)),
    "decimal sign x": ({"decimal": "x"}, ("decimal",)),
    "decimal comma where there is none": ({"decimal": ","}, ("'price'", "numbers stored as text")),
    "an unknown encoding": ({"encoding": "utf-99"}, ("encoding",)),
    "a table of a text": ({"table": "Sheet1"}, ("table",)),
    "labels of no column": ({"labels": ["absent"]}, ("absent",)),
    "codes of no column": ({"codes": ["absent"]}, ("codes",)),
    "missing is a text": ({"missing": "NA"}, ("missing",)),
    "missing is a number": ({"missing": [-99]}, ("missing",)),
    "an unknown option": ({"sep": ";"}, ("sep",)),
    "a role of no column": ({"person": "absent"}, ("absent",)),
}


def FINE(text: str, lines: list[str]) -> dict[str, tuple[str, Any, dict[str, Any]]]:
    raw = text.encode()
    comma = base().to_csv(index=False, sep=";", decimal=",").encode()
    return {
        "CSV": ("good.csv", raw, {}),
        "gzip": ("good.csv.gz", gzip.compress(raw), {}),
        "a byte order mark": ("mark.csv", b"\xef\xbb\xbf" + raw, {}),
        "lines of Windows": ("windows.csv", raw.replace(b"\n", b"\r\n"), {}),
        "blank lines between": ("blank.csv", "\n\n".join(lines).encode(), {}),
        "every field in quotation marks": ("quoted.csv", base().to_csv(index=False, quoting=1).encode(), {}),
        "commas as decimal signs": ("comma.csv", comma, {"separator": ";", "decimal": ","}),
        "tabs": ("tabs.tsv", raw.replace(b",", b"\t"), {}),
        "utf-16 with a mark": ("mark16.csv", text.encode("utf-16"), {}),
        "utf-16, said": ("wide.csv", text.encode("utf-16"), {"encoding": "utf-16"}),
        "Parquet": ("good.parquet", lambda p: base().to_parquet(p), {}),
        "JSON lines": ("good.jsonl", lambda p: base().to_json(p, orient="records", lines=True), {}),
        "Stata": ("good.dta", lambda p: base().to_stata(p, write_index=False), {}),
        "a name with blanks": ("my choices (2).csv", raw, {}),
        "an ending in capitals": ("GOOD.CSV", raw, {}),
    }  # fmt: skip


def _cut_parquet(path: Path) -> None:
    pq.write_table(__import__("pyarrow").Table.from_pandas(base()), path)
    path.write_bytes(path.read_bytes()[:2000])
