"""Files of a step that is no estimate, written one by one, and entered in the manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import isnan
from pathlib import Path

import pandas as pd

from bayesmix.data.sources.written_labels import as_written
from bayesmix.files import file_hash, write_whole
from bayesmix.identity import package_versions
from bayesmix.study.build import Built
from bayesmix.study.keep import Keeper, note
from bayesmix.study.manifest import FinishedStep
from bayesmix.study.run_folder import set_aside

Writer = Callable[[Path], object]


def written(
    built: Built,
    keeper: Keeper,
    name: str,
    made: tuple[str, float],
    writers: Mapping[str, Writer],
) -> dict[str, str]:
    """Write a step's files, going on where one fails: names of those, and why.

    ``made`` is the step's key and its seconds. It is entered in the manifest where all files are
    there, and those of results too, which the next run knows.
    """
    missing = _write(keeper, writers)
    for file, reason in missing.items():
        keeper.lines.problem(f"{file} could not be written ({reason}); the fits are not concerned")
    if not missing and all(one.origin.content for one in keeper.kept.values()):
        hashes = {file: file_hash(keeper.place.folder / file) for file in writers}
        now, seed = time.strftime("%Y-%m-%d %H:%M:%S"), built.study.estimate.seed
        note(keeper, name, FinishedStep(*made, hashes, now, seed, package_versions()))
    return missing


def _write(keeper: Keeper, writers: Mapping[str, Writer]) -> dict[str, str]:
    missing = {}
    for name, writer in writers.items():
        path = keeper.place.folder / name
        try:
            aside = set_aside(keeper.place, name, ours=False)
            if aside:
                keeper.lines.problem(f"{name} was not as a run had written it: now {aside}")
            write_whole(path, writer)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"
    return missing


def read_table(path: Path) -> pd.DataFrame:
    """A table of a run, in which an empty field alone is missing: NA, None and 01 are labels."""
    text = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    columns = {name: _as_it_was(text[name]) for name in text}
    return pd.DataFrame(columns, index=text.index, columns=text.columns)


def _as_it_was(text: pd.Series) -> pd.Series:
    """Numbers where all is written as numbers are, yes and no, else text."""
    written = set(text.dropna())
    if written and written <= {"True", "False"}:
        return text if text.isna().any() else text == "True"
    if all(_is_written_number(one) for one in written):
        return text.astype(float)
    return as_written(text)


def _is_written_number(text: str) -> bool:
    """Whether this is how a number with a decimal point or exponent is written, to the digit."""
    try:
        value = float(text)
    except ValueError:
        return False
    return not isnan(value) and repr(value) == text
