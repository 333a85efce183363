"""A store as choice data, whose columns are read from the disk as they are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.long import Roles
from bayesmix.data.rankings import CHOSEN
from bayesmix.data.row_files import RowFiles
from bayesmix.data.store.folder import FORMAT, MANIFEST, mapped, read_labels, read_record
from bayesmix.data.store.ranges import PERSON, SITUATION, file_of
from bayesmix.data.table import ChoiceTable
from bayesmix.errors import DataError


def stored_key(folder: Path) -> str | None:
    """The key of what a store was made of; None where there is no store.

    Raises
    ------
    DataError
        If the folder is something else, or a later version's store.
    """
    record = read_record(folder / MANIFEST)
    if record is None:
        if folder.exists():
            raise DataError(f"store='{folder}' exists, and is no store: give another folder")
        return None
    if record["format"] > FORMAT:
        raise DataError(
            f"store='{folder}' was made by a later version, {record['bayesmix']}: install that, or "
            "give another folder"
        )
    key: str = record["key"]
    return key


def open_store[Table: ChoiceTable](
    kind: type[Table], folder: Path, roles: Roles, outside_option: bool
) -> Table:
    """The choice data of a ``kind`` in a store."""
    record = read_record(folder / MANIFEST)
    assert record is not None
    person = _labels(folder, "person", PERSON, record)
    situation = _labels(folder, "situation", SITUATION, record)
    sizes = mapped(folder, ".sizes", np.int64)
    panel = roles.person is not None
    persons = pd.Index(person).rename(roles.person if panel else roles.situation)
    person_start = _starts(sizes)
    own, names = pd.factorize(situation, sort=True)
    levels: Any = [persons, pd.Index(names)]  # stubs want sequences
    codes: Any = [np.repeat(np.arange(len(persons)), sizes), own]
    situations = pd.MultiIndex(
        levels=levels,
        codes=codes,
        names=[roles.person if panel else "person", roles.situation],
        verify_integrity=False,
    )
    return kind(
        frame=_frame(folder, record),
        persons=persons,
        situations=situations,
        alternatives=tuple(read_labels(folder / "alternatives.arrow").tolist()),
        person=roles.person,
        situation=roles.situation,
        alternative=roles.alternative,
        chosen=roles.chosen if roles.ranked is None else CHOSEN,
        person_start=person_start,
        situation_start=_starts(mapped(folder, ".situation_sizes", np.int64)),
        alternative_code=mapped(folder, ".alternative_code", np.int64),
        chosen_row=mapped(folder, ".chosen_row", np.int64),
        outside_option=outside_option,
        weights=mapped(folder, ".weights", np.float64),
        rows=pd.Index(mapped(folder, ".rows", np.int64), copy=False),
        rows_left_out=record["rows_left_out"],
        situations_left_out=record["situations_left_out"],
        booleans=frozenset(record["booleans"]),
        stage=mapped(folder, ".stage", np.int64) if record["staged"] else None,
        known=roles.known,
        files=_files(record, folder),
    )


def _files(record: dict[str, Any], folder: Path) -> RowFiles | None:
    """The files of rows; early stores do not tell where each begins."""
    if "starts" not in record:
        return None
    names = tuple(Path(one).name for one in record["files"])
    return RowFiles(names, tuple(record["starts"]), str(folder))


def _frame(folder: Path, record: dict[str, Any]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for number, (name, dtype) in enumerate(record["frame"].items()):
        values: Any = mapped(folder, file_of(number), dtype)
        if name in record["coded"]:
            levels = read_labels(folder / f"{file_of(number)}.arrow")
            values = pd.Categorical.from_codes(values, categories=levels, validate=False)
        columns[name] = values
    return pd.DataFrame(columns, copy=False)


def _labels(folder: Path, role: str, file: str, record: dict[str, Any]) -> Any:
    """Labels of persons, or of situations."""
    values = mapped(folder, file, record["labels"][role])
    path = folder / f"{role}.arrow"
    return read_labels(path)[values] if path.is_file() else values


def _starts(sizes: np.ndarray) -> np.ndarray:
    start = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=start[1:])
    return start
