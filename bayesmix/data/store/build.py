"""A store made from Parquet files, step by step; what is finished is not done again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress

from bayesmix.data.columns import binary, require_columns, show
from bayesmix.data.long import Roles
from bayesmix.data.store.encoding import Column, learn
from bayesmix.data.store.finish import finish
from bayesmix.data.store.folder import (
    FORMAT,
    MANIFEST,
    ORDER,
    PROGRESS,
    Growing,
    read_record,
    write_record,
)
from bayesmix.data.store.ranges import Totals, add_range, choices_of
from bayesmix.data.store.sort import ROW, Ranges, find_ranges, read_range, write_units
from bayesmix.data.store.source import Source
from bayesmix.errors import DataError
from bayesmix.locks import LOCK, locked

FAULTS = 10
"""Faults that a message names."""


@dataclass(frozen=True, eq=False)
class Order:
    """What a store is made of.

    Parameters
    ----------
    source
        The files.
    roles, outside_option
        As `ChoiceData.from_long` takes them.
    """

    source: Source
    roles: Roles
    outside_option: bool

    @property
    def key(self) -> str:
        """Digest of the files as they are, of columns and roles."""
        return self.source.key([asdict(self.roles), self.outside_option, FORMAT])


def build(order: Order, folder: Path, *, progress: bool) -> None:
    """Make the store of an order in ``folder``, or go on where it was interrupted.

    Raises
    ------
    DataError
        If the files do not hold choice data: faults of every range of persons are named.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    with (
        locked(partial, "store", "give another one by store="),
        Progress(console=Console(stderr=True), disable=not progress, transient=True) as bar,
    ):
        if (folder / MANIFEST).is_file():  # made by who held the lock before
            shutil.rmtree(partial)
            return
        _begin(order, partial)
        try:
            _fill(order, partial, bar)
        except DataError:
            shutil.rmtree(partial)  # what it was made of has to change
            raise
        _discard(partial)
        partial.rename(folder)
    (folder / LOCK).unlink(missing_ok=True)


def _begin(order: Order, folder: Path) -> None:
    """Keep what an interrupted call left, if it was of the same files and arguments."""
    record = {"key": order.key}
    if read_record(folder / ORDER) != record:
        for path in folder.iterdir():
            if path.name != LOCK:
                path.unlink()
        write_record(folder / ORDER, record)


def _fill(order: Order, folder: Path, bar: Progress) -> None:
    source, roles = order.source, order.roles
    if not source.n_rows:
        raise DataError("the files have no rows: check the filter that made them")
    task = bar.add_task(f"store {folder.name[1:-8]}: columns", total=3 * source.n_rows)
    require_columns(pd.DataFrame(columns=list(source.names)), vars(roles))
    columns = {name: learn(source, name) for name in source.names}
    person = columns[roles.situation if roles.person is None else roles.person]
    _check_labels(roles, columns)
    ranges = find_ranges(source, person)
    bar.update(task, completed=source.n_rows, description="store: rows by person")
    units = []
    for done, path in write_units(source, list(columns.values()), ranges, folder):
        units.append(path)
        bar.update(task, completed=source.n_rows + done)
    bar.update(task, description="store: checks")
    totals = _check_ranges(order, columns, (ranges, units), folder, (bar, task))
    # The last step changes codes in their places, and cannot be done twice: where it is cut off,
    # the columns are written anew.
    (folder / PROGRESS).unlink(missing_ok=True)
    finish(order, columns, totals, folder)


def _check_ranges(
    order: Order,
    columns: dict[str, Column],
    sorted_rows: tuple[Ranges, Sequence[Path]],
    folder: Path,
    shown: Any,
) -> Totals:
    """Every range of persons, checked and appended; where one has faults, none is appended."""
    ranges, units = sorted_rows
    found = read_record(folder / PROGRESS) or {"done": 0, "lengths": {}, "totals": {}}
    totals, store = Totals(**found["totals"]), Growing(folder, found["lengths"])
    faults: list[str] = []
    rows = 0
    for number in range(len(ranges.ends)):
        if number < found["done"]:
            continue
        values = read_range(units, number)
        rows += len(values[ROW])
        if _nothing_offered(order, values, columns, totals):
            continue
        try:
            data = choices_of(
                values, list(columns.values()), order.roles, order.outside_option, order.source
            )
        except DataError as error:
            faults.append(str(error))
            continue
        if not faults:
            add_range(data, columns, store, totals)
            record = {"done": number + 1, "lengths": store.lengths, "totals": asdict(totals)}
            write_record(folder / PROGRESS, record)
        bar, task = shown
        bar.update(task, completed=2 * order.source.n_rows + rows)
    if faults:
        raise DataError(_words(faults, len(ranges.ends)))
    if not totals.rows:
        raise DataError(
            f"column {show(order.roles.availability)} leaves no row: check it, and what it says"
        )
    return totals


def _words(faults: list[str], ranges: int) -> str:
    if len(faults) == 1:
        return faults[0]
    listed = "\n".join(f"  {fault}" for fault in faults[:FAULTS])
    more = f"\n  and {len(faults) - FAULTS} more" if len(faults) > FAULTS else ""
    return f"{len(faults)} of {ranges} ranges of persons are no choice data:\n{listed}{more}"


def _nothing_offered(
    order: Order, values: dict[str, np.ndarray], columns: dict[str, Column], totals: Totals
) -> bool:
    """Whether the outside option alone is offered in a whole range, which then is left out."""
    name = order.roles.availability
    if name is None or not order.outside_option:
        return False
    series = pd.Series(columns[name].series(values[name]), name=name)
    if series.isna().any() or binary(series.to_frame(), name, "").any():
        return False
    keys = [n for n in (order.roles.person, order.roles.situation) if n is not None]
    totals.rows_left_out += len(series)
    totals.situations_left_out += len(pd.DataFrame({n: values[n] for n in keys}).drop_duplicates())
    return True


def _check_labels(roles: Roles, columns: dict[str, Column]) -> None:
    for role in ("person", "situation", "alternative"):
        name = getattr(roles, role)
        if name is None:
            continue
        if columns[name].boolean:
            raise DataError(
                f"column {show(name)} of labels, {role}=, is True and False in the files: make it "
                "text or whole numbers"
            )
        if role == "alternative" and columns[name].dtype.kind == "M":
            raise DataError(
                f"column {show(name)} of alternatives holds times: make it text or whole numbers"
            )


def _discard(folder: Path) -> None:
    """Take away what served to make the store."""
    for path in [*folder.glob("unit-*"), folder / ORDER]:
        path.unlink(missing_ok=True)
