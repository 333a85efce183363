"""Matrices as coloured cells with their numbers, of whatever size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from bayesmix.arrays import Array

CELL, MOST = 0.55, 11.0
"""Inches of a cell, and of all cells side by side at most: beyond, cells are smaller."""
LETTER = 0.62
"""Width of a digit, as a part of its size."""
SMALLEST, LARGEST = 4.5, 8.0
"""Sizes of numbers, in points: where not even the smallest fits there are none."""
DARK = 0.45
Kind = Literal["sequential", "diverging", "grey"]


@dataclass(frozen=True)
class Shades:
    """Colours of values: from 0 up (``"sequential"``), or to both sides of 0."""

    colours: str
    low: float
    high: float

    @property
    def scale(self) -> Normalize:
        """From values to places on the scale."""
        return Normalize(self.low, self.high)


def shades(values: Array, kind: Kind) -> Shades:
    """Colours that reach as far as the values do; greys are of shares, and reach to 1."""
    size = np.abs(values[np.isfinite(values)])
    bound = float(size.max(initial=0.0)) or 1.0
    if kind == "diverging":
        return Shades("RdBu_r", -bound, bound)
    return Shades("Blues", 0.0, bound) if kind == "sequential" else Shades("Greys", 0.0, 1.0)


def cell_size(count: int) -> float:
    """Inches of one of so many cells side by side."""
    return min(CELL, MOST / max(count, 1))


def draw_cells(axis: Axes, matrix: Array, shade: Shades, cell: float, digits: int) -> None:
    """Coloured cells, with numbers where one of a readable size fits."""
    axis.imshow(matrix, cmap=shade.colours, norm=shade.scale, aspect="auto")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    words = {at: f"{value:.{digits}f}" for at, value in np.ndenumerate(matrix) if value == value}
    colours = matplotlib.colormaps[shade.colours]
    longest = max(map(len, words.values()), default=1)
    size = min(LARGEST, 72 * 0.92 * cell / (LETTER * longest))
    if size < SMALLEST:
        return
    for (row, column), word in words.items():
        red, green, blue, _ = colours(shade.scale(matrix[row, column]))
        light = 0.299 * red + 0.587 * green + 0.114 * blue
        colour = "white" if light < DARK else "black"
        axis.text(column, row, word, ha="center", va="center", color=colour, fontsize=size)


def name_columns(axis: Axes, names: Sequence[str], cell: float) -> None:
    """Names of columns, upright where they are too long to stand beside each other."""
    turned = max(map(len, names), default=0) * 0.085 > cell
    axis.set_xticks(range(len(names)), names, rotation=90 if turned else 0)
