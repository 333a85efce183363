"""The files of a store: plain columns of numbers, labels, and a manifest that is written last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather

from bayesmix.files import write_text, write_whole

MANIFEST, ORDER, PROGRESS = "store.json", "order.json", "progress.json"
FORMAT = 1


class Growing:
    """Columns of numbers that grow at their ends, in a folder.

    After a crash they are cut to the lengths that were last recorded.
    """

    def __init__(self, folder: Path, lengths: Mapping[str, int]) -> None:
        self._folder = folder
        self.lengths = dict(lengths)
        for name, length in self.lengths.items():
            with (folder / f"{name}.bin").open("r+b") as stream:
                stream.truncate(length)

    def append(self, name: str, values: np.ndarray) -> None:
        """Add values to a column, which is made with its first ones."""
        with (self._folder / f"{name}.bin").open("ab" if name in self.lengths else "wb") as stream:
            stream.write(memoryview(np.ascontiguousarray(values).view(np.uint8)))
        self.lengths[name] = self.lengths.get(name, 0) + values.nbytes


def mapped(folder: Path, name: str, dtype: Any) -> np.ndarray:
    """A column as an array whose pages the system reads when they are looked at.

    It can be written to as any array, and nothing of that reaches the file.
    """
    path = folder / f"{name}.bin"
    if not path.stat().st_size:  # an empty file cannot be mapped
        return np.zeros(0, dtype=dtype)
    return np.asarray(np.memmap(path, dtype=dtype, mode="c"))


def write_labels(path: Path, labels: pd.Index) -> None:
    """Labels as an Arrow file."""
    table = pa.table({"label": pa.array(labels, from_pandas=True)})
    write_whole(path, lambda beside: feather.write_feather(table, beside, compression="lz4"))


def read_labels(path: Path) -> pd.Index:
    """What `write_labels` wrote."""
    return pd.Index(feather.read_feather(path)["label"], name=None)


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """A record as JSON, whole or not at all."""
    write_text(path, json.dumps(record, indent=1) + "\n")


def read_record(path: Path) -> dict[str, Any] | None:
    """What `write_record` wrote; None where there is no such file."""
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
