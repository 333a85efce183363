"""Arrays in files: memory that the system may take back, and is given back once it was used."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arrays import Array

PRESENT, SWAPPED, OF_FILE = (np.uint64(1 << bit) for bit in (63, 62, 61))
"""Bits of an entry of Linux's page map: in memory, on the disk of memory, as it is in a file."""

ROWS = 2**17
"""Rows that are copied at a time."""


def scratch(shape: tuple[int, ...], folder: Path | None) -> Array:
    """An array (R, M) of numbers in a file without a name, which is gone with it.

    In ``folder``, or where temporary files are if nothing can be written there.
    """
    if not np.prod(shape):
        return np.zeros(shape)
    where = folder if folder is not None and os.access(folder, os.W_OK) else None
    with tempfile.TemporaryFile(dir=where) as file:
        return np.asarray(np.memmap(file, dtype=np.float64, mode="w+", shape=shape))


def taken(values: Array, places: Sequence[int], folder: Path | None) -> Array:
    """Columns (R, .) of an array at some places, in a file where the array is in one."""
    if list(places) == list(range(values.shape[1])):
        return values
    if _mapping(values) is None:
        return np.ascontiguousarray(values[:, places])
    out = scratch((len(values), len(places)), folder)
    for first in range(0, len(values) if len(places) else 0, ROWS):
        rows = slice(first, first + ROWS)
        out[rows] = values[rows][:, places]
        release(values[rows])
        release(out[rows])
    return out


def release(values: Array) -> None:
    """Give the memory of an array's pages back, if they are mapped from a file.

    They are read again when they are looked at. Pages of a store that somebody has written to stay.
    """
    mapped, size = _mapping(values), values.nbytes
    if mapped is None or not size or not hasattr(mapped, "madvise"):
        return
    first = _address(np.frombuffer(mapped, dtype=np.uint8))
    # Whole pages alone: what its neighbours need is left.
    page = mmap.PAGESIZE
    begin = -(-(_address(values) - first) // page) * page
    end = (_address(values) - first + size) // page * page
    if end > begin and not _written(first + begin, end - begin):
        mapped.madvise(mmap.MADV_DONTNEED, begin, end - begin)


def release_rows(frame: pd.DataFrame, rows: slice) -> None:
    """`release` of some rows of all columns of a frame."""
    for name in range(frame.shape[1]):
        column = frame.iloc[:, name].array
        release(np.asarray(column.codes if isinstance(column, pd.Categorical) else column)[rows])


def _address(values: Array) -> int:
    found: int = values.__array_interface__["data"][0]
    return found


def _mapping(values: Any) -> mmap.mmap | None:
    """What an array, or what it is a view of, is mapped by; None where it is in memory."""
    while isinstance(values, np.ndarray):
        values = values.base
    return values if isinstance(values, mmap.mmap) else None


def _written(address: int, size: int) -> bool:
    """Whether pages are no longer those of the file, or that cannot be told."""
    page = mmap.PAGESIZE
    try:
        with Path("/proc/self/pagemap").open("rb", buffering=0) as file:
            file.seek(8 * (address // page))
            entries = np.frombuffer(file.read(8 * (size // page)), dtype=np.uint64)
    except OSError:
        return True
    own = (entries & PRESENT > 0) & (entries & OF_FILE == 0)
    return bool((own | (entries & SWAPPED > 0)).any())
