"""Choice data from Parquet files, by way of a store."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from bayesmix.arguments import flag, refused
from bayesmix.data.derived import Derivable
from bayesmix.data.long import Roles, say_alike_labels
from bayesmix.data.parquet_categories import categories_lost
from bayesmix.data.store.build import Order, build
from bayesmix.data.store.mapped import open_store, stored_key
from bayesmix.data.store.source import open_source
from bayesmix.errors import DataError


class Storable(Derivable):
    """Choice data that may be larger than memory."""

    @classmethod
    def from_parquet(
        cls,
        path: Any,
        *,
        person: str | None,
        situation: str,
        alternative: str,
        chosen: str | None = None,
        ranked: str | None = None,
        availability: str | None = None,
        outside_option: bool = False,
        weights: str | None = None,
        offset: str | None = None,
        sampling: str | None = None,
        correction: str | None = None,
        columns: Sequence[str] | None = None,
        store: str | os.PathLike[str] | None = None,
        progress: bool = False,
    ) -> Self:
        """Choice data from Parquet files of any size, a row for each alternative of each situation.

        The same data as `from_long` makes of the files' rows, one file after the other by name, but
        in bounded memory: rows are checked and sorted by person in parts, wherever in the files
        they are, and written to a folder of plain columns, the store, which is then mapped, and
        read as it is looked at. The same call opens the store in no time as long as the files stay
        as they are; a call that was interrupted goes on where it was. Text comes as categories in
        sorted order. `rows` are numbered through the files from 0.

        Parameters
        ----------
        path : path, pattern, folder or list of paths
            ``"trips.parquet"``, ``"trips/*.parquet"``, or a folder of files of that ending. All
            files have the columns of the first, of the same types. Of other engines write Parquet
            first: ``lazy.sink_parquet(path)`` of polars, ``relation.write_parquet(path)`` of
            DuckDB.
        person, situation, alternative, chosen, ranked, availability, weights : columns
            As in `from_long`, and so `offset`, `sampling` and `correction`.
        outside_option : bool
            As in `from_long`.
        columns : list of columns, optional
            Those to keep besides the ones named above; all by default.
        store : path, optional
            The folder to make; beside the first file, called after what it holds, by default. It
            takes about as much room as the columns' numbers in 8 bytes each, and twice that while
            it is made.
        progress : bool
            Whether to show a progress bar.

        Raises
        ------
        DataError
            As `from_long`, naming file and row; if a file cannot be read, files have other columns,
            or ``store`` is made of other files or with other arguments.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import bayesmix as bm
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> whole = bm.examples.electricity()
        >>> whole.frame.sample(frac=1.0, random_state=1).to_parquet(folder / "part.parquet")
        >>> data = bm.ChoiceData.from_parquet(
        ...     folder, person="id", situation="chid", alternative="alt", chosen="choice")
        >>> bool((data.chosen_row == whole.chosen_row).all())
        True
        """
        flag("outside_option", outside_option)
        flag("progress", progress)
        roles = Roles(
            person, situation, alternative, chosen, ranked, availability, weights, offset,
            sampling, correction,
        )  # fmt: skip
        order = Order(open_source(path, _names(columns), _needed(roles)), roles, outside_option)
        if order.source.numbered:
            warnings.warn(categories_lost(order.source.numbered), stacklevel=2)
        folder = _folder(order, store)
        key = stored_key(folder)
        if key is None:
            build(order, folder, progress=progress)
        elif key != order.key:
            raise DataError(
                f"store='{folder}' was made of other files, of files that have changed since, or "
                "with other arguments: give another folder, or take this one away"
            )
        data = open_store(cls, folder, roles, outside_option)
        say_alike_labels(data)
        return data


def _names(columns: Any) -> Sequence[str] | None:
    if columns is None:
        return None
    if not isinstance(columns, list | tuple) or not all(isinstance(c, str) for c in columns):
        raise refused("columns", "a list of columns", columns)
    return columns


def _needed(roles: Roles) -> list[str]:
    """The columns of all roles.

    Raises
    ------
    DataError
        If one is not named by text.
    """
    given = {role: name for role, name in vars(roles).items() if name is not None}
    for role in ("situation", "alternative"):
        if role not in given:
            raise DataError(f"argument {role!r} must be the name of a column, got None")
    for role, name in given.items():
        if not isinstance(name, str):
            raise DataError(f"{role}= is the name of a column, text, got {name!r}")
    return list(given.values())


def _folder(order: Order, store: Any) -> Path:
    if store is None:
        first = order.source.paths[0]
        return first.with_name(f"{first.stem}-{order.key}.store")
    if not isinstance(store, str | os.PathLike) or isinstance(store, bytes) or not str(store):
        raise refused("store", "the path of a folder", store)
    return Path(store)
