"""Sawtooth Software's .cho files of choice-based conjoint, after the layout in its manual.

A respondent is a line of five numbers (respondent, extra variables, attributes, tasks, kind of none
option), a line of the extra variables, and for each task a line with its number of concepts and
its depth (1), a line of levels for each concept, and a line with the concept chosen and the seconds
that it took. Where the none option was chosen, the concept is one more than there are; 0 says that
the task was not answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from bayesmix.data.columns import first_few
from bayesmix.data.sources.reader import FileFormat, FileOptions, FileTable
from bayesmix.data.sources.text import decoded
from bayesmix.errors import DataError

ROLES = {
    "person": "respondent",
    "situation": "task",
    "alternative": "concept",
    "chosen": "chosen",
}
NONE, OFFERED, DUAL = 0, 1, 2

Lines = Iterator[tuple[int, list[str]]]


def read_cho(path: Path, options: FileOptions) -> FileTable:
    """One row a concept: levels as categories, ``chosen`` 0 or 1, of a none option none is 1.

    Raises
    ------
    DataError
        Naming the line that is not what the layout has there; for tasks with an allocation or a
        dual-response none.
    """
    rows: list[dict[str, Any]] = []
    skipped: list[tuple[int, int]] = []
    kinds: dict[int, int] = {}
    lines = iter(
        (k, line.split())
        for k, line in enumerate(decoded(path, options).splitlines(), 1)
        if line.split()
    )
    for number, cells in lines:
        respondent, extras, attributes, tasks, kind = _whole(path, number, cells, 5)
        if kind not in (NONE, OFFERED):
            raise DataError(
                f"'{path.name}', line {number}: none option {kind} of respondent {respondent}; "
                "expected 0 or 1: export tasks with a dual-response none as CSV, and make the "
                "second answer an alternative of its own"
            )
        kinds[kind] = number
        known = _extras(path, lines, extras)
        for task in range(1, tasks + 1):
            found = _task(path, lines, attributes, kind)
            if found is None:
                skipped.append((respondent, task))
                continue
            rows += [{"respondent": respondent, "task": task, **one, **known} for one in found]
    if len(kinds) > 1:
        raise DataError(
            f"'{path.name}' has respondents with a none option (line {kinds[OFFERED]}) and without "
            f"one (line {kinds[NONE]}): make a file of each, for they are different choice sets"
        )
    frame = pd.DataFrame(rows)
    for name in frame.columns[frame.columns.str.startswith("attribute_")]:
        frame[name] = pd.Categorical(frame[name].astype(str), _in_order(frame[name]))
    many = "1 task was" if len(skipped) == 1 else f"{len(skipped)} tasks were"
    said = [f"{many} not answered, and left out (respondent and task {first_few(skipped)})"]
    notes = said if skipped else []
    return FileTable(frame, tuple(notes), {**ROLES, "outside_option": OFFERED in kinds})


def _in_order(levels: pd.Series) -> list[str]:
    return [str(level) for level in sorted(levels.unique())]


def _task(path: Path, lines: Lines, attributes: int, kind: int) -> list[dict[str, Any]] | None:
    """A task's concepts, None where it was not answered."""
    number, cells = _next(path, lines)
    concepts, depth = _whole(path, number, cells, 2)
    if depth != 1:
        raise DataError(
            f"'{path.name}', line {number}: depth of preference {depth}; expected 1, one choice"
        )
    shown = [_whole(path, *_next(path, lines), attributes) for _ in range(concepts)]
    number, cells = _next(path, lines)
    chosen, seconds = _whole(path, number, cells, 2)
    if not 0 <= chosen <= concepts + kind:
        raise DataError(
            f"'{path.name}', line {number}: concept {chosen} was chosen of {concepts}"
            f"{' and none' if kind else ''}: correct it"
        )
    if chosen == 0:
        return None
    return [
        {"concept": k, "chosen": int(k == chosen), "seconds": seconds}
        | {f"attribute_{a}": level for a, level in enumerate(levels, 1)}
        for k, levels in enumerate(shown, 1)
    ]


def _extras(path: Path, lines: Lines, count: int) -> dict[str, float]:
    if not count:
        return {}
    number, cells = _next(path, lines)
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = []
    if len(values) != count:
        raise _unexpected(path, number, cells, f"{count} extra variables, all numbers")
    return {f"extra_{k}": value for k, value in enumerate(values, 1)}


def _next(path: Path, lines: Lines) -> tuple[int, list[str]]:
    try:
        return next(lines)
    except StopIteration:
        raise DataError(
            f"'{path.name}' ends within a respondent: export it again, it is not whole"
        ) from None


def _whole(path: Path, number: int, cells: list[str], count: int) -> list[int]:
    if len(cells) != count or not all(cell.lstrip("-").isdigit() for cell in cells):
        raise _unexpected(path, number, cells, f"{count} whole numbers")
    return [int(cell) for cell in cells]


def _unexpected(path: Path, number: int, cells: list[str], expected: str) -> DataError:
    return DataError(
        f"'{path.name}', line {number}: expected {expected}, got {' '.join(cells)!r}: is it a .cho "
        "file, and whole?"
    )


SAWTOOTH = FileFormat(
    "Sawtooth", (".cho",), read_cho, frozenset({"encoding", "labels"}), typed=True
)
