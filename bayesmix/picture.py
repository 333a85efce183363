"""Figures that notebooks show by themselves, whether or not pyplot is in use."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure

DPI = 120


class Picture(Figure):
    """A figure of matplotlib that is its own picture in a notebook.

    No figure of pyplot: nothing opens a window, nothing has to be closed, and the backend is the
    user's. Where pyplot's own display of figures is switched on it draws this one too, once.
    """

    def _repr_png_(self) -> bytes:
        stream = BytesIO()
        self.savefig(stream, format="png")
        return stream.getvalue()


def sheet(width: float, height: float) -> Picture:
    """An empty figure of so many inches, whose parts find their places themselves."""
    return Picture(figsize=(width, height), dpi=DPI, layout="constrained")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG file, whatever backend is in use."""
    figure.savefig(path, dpi=DPI, format="png")
