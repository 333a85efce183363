"""The last step of a store: labels in their order, and the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.data.store.encoding import Column
from bayesmix.data.store.folder import FORMAT, MANIFEST, write_labels, write_record
from bayesmix.data.store.ranges import Totals, file_of
from bayesmix.identity import package_identity


def finish(order: Any, columns: dict[str, Column], totals: Totals, folder: Path) -> None:
    """Give codes of labels the order of these, leave out labels of no row, write the manifest."""
    alternative = columns[order.roles.alternative]
    labels = pd.Index(totals.alternatives)
    place = labels if alternative.levels is None else alternative.levels.get_indexer(labels)
    ordered = labels[np.argsort(place)]
    _recode(folder / ".alternative_code.bin", np.int64, ordered.get_indexer(labels))
    write_labels(folder / "alternatives.arrow", ordered)
    levels = {name: column.levels for name, column in columns.items() if column.levels is not None}
    for number, name in enumerate(totals.frame):
        if name in levels:
            _write_levels(folder, file_of(number), levels[name])
    for role in ("person", "situation"):
        name = getattr(order.roles, role) or order.roles.situation
        if name in levels:
            write_labels(folder / f"{role}.arrow", levels[name])
    write_record(
        folder / MANIFEST,
        {
            "format": FORMAT,
            "bayesmix": package_identity(),
            "key": order.key,
            "files": [str(path) for path in order.source.paths],
            "starts": order.source.starts.tolist(),
            "rows": totals.rows,
            "rows_left_out": totals.rows_left_out,
            "situations_left_out": totals.situations_left_out,
            "frame": totals.frame,
            "coded": [name for name in totals.frame if name in levels],
            "labels": {
                role: columns[getattr(order.roles, role) or order.roles.situation].dtype.str
                for role in ("person", "situation")
            },
            "booleans": [name for name, column in columns.items() if column.boolean],
            "staged": totals.staged,
        },
    )


def _write_levels(folder: Path, file: str, levels: pd.Index) -> None:
    """The labels that some row has."""
    path = folder / f"{file}.bin"
    codes = np.memmap(path, dtype=np.int32, mode="r+")
    used = np.zeros(len(levels), dtype=bool)
    for part in _parts(codes):
        used[part[part >= 0]] = True
    if not used.all():
        _recode(path, np.int32, np.cumsum(used) - 1)
    write_labels(folder / f"{file}.arrow", levels[used])


def _recode(path: Path, dtype: Any, new: np.ndarray) -> None:
    codes = np.memmap(path, dtype=dtype, mode="r+")
    if not np.array_equal(new, np.arange(len(new))):
        lookup = np.append(new, -1).astype(dtype)
        for part in _parts(codes):
            part[:] = lookup[part]
    codes.flush()


def _parts(values: np.ndarray) -> list[np.ndarray]:
    step = 2**22
    return [values[a : a + step] for a in range(0, len(values), step)]
