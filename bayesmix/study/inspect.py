"""What a file holds: columns, guesses of their roles, and what looks wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.data.read import checked_path
from bayesmix.data.sources.reader import FileOptions
from bayesmix.data.sources.registry import format_of, read_file
from bayesmix.errors import DataError
from bayesmix.study.guess import Guess, guess_long, named
from bayesmix.study.guess_wide import guess_wide
from bayesmix.study.sniff import SniffedFile, sniffed
from bayesmix.study.terms import attributes, varies_within
from bayesmix.study.text_numbers import not_numbers

CODES = (-9, -99, -999, -9999, 99999, 999999)
"""Numbers that files put where a value is missing."""


WIDTH = 40
"""Characters of a column's examples."""


@dataclass(frozen=True, eq=False)
class Inspection:
    """What `inspect_file` found; prints itself.

    Parameters
    ----------
    path
        The file.
    frame
        Its table.
    options, why
        How it had to be read, and why so.
    guess
        Layout and roles, with reasons.
    data
        The choice data that these make; None where they make none.
    suspicions
        Sentences on what looks wrong.
    """

    path: Path
    frame: pd.DataFrame
    options: FileOptions
    why: dict[str, str]
    guess: Guess
    data: ChoiceData | None
    suspicions: tuple[str, ...]

    @property
    def columns(self) -> pd.DataFrame:
        """A row for each column: type, missing values, distinct values, examples, role."""
        role = {name: key for key, name in self.guess.roles.items() if isinstance(name, str)}
        rows = [
            {
                "column": str(name),
                "type": _kind(values),
                "missing": int(values.isna().sum()),
                "distinct": int(values.nunique()),
                "examples": _examples(values),
                "role": role.get(str(name), ""),
            }
            for name, values in self.frame.items()
        ]
        return pd.DataFrame(rows).set_index("column")

    def __str__(self) -> str:
        kind = format_of(self.path.name)
        read = [
            f"  {key} = {_shown(value)}  ({self.why[key]})"
            for key, value in asdict(self.options).items()
            if key in self.why
        ]
        rows = f"{len(self.frame):,} rows, {self.frame.shape[1]} columns"
        return "\n".join(
            [
                f"{self.path}: {kind.words if kind else ''}, {rows}",
                *read,
                "",
                self.columns.to_string(),
                "",
                *self._roles(),
                "",
                *(f"suspicious: {one}" for one in self.suspicions),
                *([] if self.suspicions else ["nothing suspicious"]),
            ]
        )

    def _roles(self) -> list[str]:
        if not self.guess.layout:
            return [
                "no roles guessed: no columns name sets in which at most one alternative is "
                "chosen, and none are called by attribute and alternative"
            ]
        row = "an alternative" if self.guess.layout == "long" else "a situation"
        said = [f"guessed: one row {row} ({self.guess.layout})"]
        return said + [
            f"  {role} = {_shown(value)}  ({self.guess.why[role]})"
            for role, value in self.guess.roles.items()
        ]

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def inspect_file(path: str | Path) -> Inspection:
    """What a data file holds, how it must be read, and which columns have which roles.

    Roles are guesses: of all columns that could name sets, alternatives and choices, those are
    taken that make choice data and are called so.

    Raises
    ------
    DataError
        Where the file cannot be read.
    SpecificationError
        Where ``path`` is no path.
    """
    path = checked_path(path)
    found, guess = _read(path)
    frame = found.table.frame
    notes = list(found.table.notes)
    data = None
    if guess.layout:
        make = ChoiceData.from_long if guess.layout == "long" else ChoiceData.from_wide
        roles = {"person": None, **guess.roles}
        if guess.layout == "wide":
            frame_read = frame.assign(**{roles["chosen"]: _as_text(frame[roles["chosen"]])})
        else:
            frame_read = frame
        try:
            data = make(frame_read, **roles)
        except DataError as error:
            notes.append(f"as guessed the file is no choice data yet: {error}")
    suspicions = (*notes, *_of_columns(frame), *(_of_choices(data) if data else []))
    return Inspection(path, frame, found.options, found.why, guess, data, suspicions)


def _read(path: Path) -> tuple[SniffedFile, Guess]:
    """The file and its guess; choices that have value labels are taken as 0 and 1, if they are."""
    found = sniffed(path)
    guess = _guess(found.table.frame, found.table.roles)
    labelled = tuple(
        str(name)
        for name, values in found.table.frame.items()
        if named("chosen", str(name))
        and isinstance(values.dtype, pd.CategoricalDtype)
        and len(values.cat.categories) == 2
    )
    if guess.layout == "long" or not labelled:
        return found, guess
    options = replace(found.options, codes=labelled)
    table = read_file(path, options)
    coded = _guess(table.frame, table.roles)
    if coded.layout != "long" or coded.roles["chosen"] not in labelled:
        return found, guess
    why = found.why | {"codes": "its labels stand for 0 and 1: LOOK whether 1 is what was chosen"}
    return SniffedFile(table, options, why), coded


def _guess(frame: pd.DataFrame, known: Any) -> Guess:
    if known:
        return Guess("long", dict(known), dict.fromkeys(known, "the format says so"))
    if len(frame) == 0 or frame.shape[1] < 2:
        return Guess("")
    long = guess_long(frame)
    return long if long.layout else guess_wide(frame)


def _as_text(values: pd.Series) -> pd.Series:
    return values.map(
        lambda v: str(int(v)) if isinstance(v, float) and v.is_integer() else str(v),
        na_action="ignore",
    )


def _of_columns(frame: pd.DataFrame) -> list[str]:
    said = []
    for name, values in frame.items():
        if odd := not_numbers(values):
            said.append(f"column '{name}' is text, for {odd}")
        if values.isna().all():
            said.append(f"column '{name}' is empty")
        elif values.nunique() == 1 and len(frame) > 1:
            some = "" if values.notna().all() else " where it is not missing"
            said.append(f"column '{name}' is constant{some}: {first_few(values.dropna().unique())}")
        elif values.isna().any():
            rows = first_few(frame.index[values.isna()])
            said.append(f"column '{name}' is missing in {values.isna().sum():,} rows (rows {rows})")
        if values.dtype.kind in "if":
            numbers = values.to_numpy(dtype=np.float64)
            codes = [code for code in CODES if (numbers == code).any()]
            rest = numbers[np.isfinite(numbers) & ~np.isin(numbers, CODES)]
            if (
                codes
                and len(rest)
                and (np.abs(rest).max() < abs(codes[0]) or rest.min() >= 0 > codes[0])
            ):
                said.append(
                    f"column '{name}' holds {first_few(codes)} in "
                    f"{np.isin(numbers, codes).sum():,} "
                    "rows: is this a code for a missing value?"
                )
    return said


def _of_choices(data: ChoiceData) -> list[str]:
    said = []
    sizes = np.diff(data.situation_start)
    alone = int((sizes + data.outside_option == 1).sum())
    if alone:
        said.append(f"{alone:,} sets have one alternative alone: they say nothing")
    none = int((data.chosen_row == -1).sum())
    if none:
        said.append(
            f"{none:,} of {len(sizes):,} sets have no choice: an outside option, or no answer?"
        )
    never = [
        label
        for k, label in enumerate(data.alternatives)
        if not (data.alternative_code[data.chosen_row[data.chosen_row >= 0]] == k).any()
    ]
    if never:
        said.append(f"alternatives {first_few(never)} are never chosen")
    varying = attributes(data)
    own = (data.person, data.situation, data.alternative, data.chosen, "situation")
    fixed = [
        name
        for name in data.frame.columns
        if name not in own and name not in varying and data.frame[name].nunique() > 1
        and not varies_within(data, name)
    ]  # fmt: skip
    if fixed:
        said.append(
            f"equal within every set: {first_few(fixed, 8)}: they enter with something that "
            "varies, such as C(alternative):column, or describe people"
        )
    return said


def _examples(values: pd.Series) -> str:
    """The first values, of long ones fewer: none is cut, but numbers have six digits here."""
    shown = ""
    for value in values.dropna().unique()[:3]:
        one = f"{value:.6g}" if isinstance(value, float) else str(value)
        longer = f"{shown}, {one}" if shown else one
        if shown and len(longer) > WIDTH:
            break
        shown = longer
    return shown if len(shown) <= WIDTH else f"{shown[: WIDTH - 3]}..."


def _kind(values: pd.Series) -> str:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return "categories"
    kinds = {"i": "whole", "u": "whole", "f": "number", "b": "true/false", "M": "time"}
    return kinds.get(values.dtype.kind, "text")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
