"""Files that rows of choice data were read from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class RowFiles(NamedTuple):
    """Files of rows that are numbered through all of them from 0.

    ``names`` (F,), and ``starts`` (F + 1,), the number of the first row of each, and of all rows;
    ``folder`` is that of the store which they were sorted into.

    >>> RowFiles(("a.parquet", "b.parquet"), (0, 10, 20)).words(12)
    'b.parquet: row 3'
    """

    names: tuple[str, ...]
    starts: tuple[int, ...]
    folder: str = ""

    def words(self, row: int) -> str:
        """A row as messages call it: its file, and its number in that, from 1."""
        file = int(np.searchsorted(self.starts, row, side="right")) - 1
        return f"{self.names[file]}: row {row - self.starts[file] + 1}"
