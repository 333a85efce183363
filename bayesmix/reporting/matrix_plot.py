"""Elasticities and diversion ratios as a matrix of coloured cells."""

from __future__ import annotations

import textwrap

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.arguments import whole
from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.picture import sheet
from bayesmix.reporting.heat_map import cell_size, draw_cells, name_columns, shades
from bayesmix.reporting.matrix_words import is_diversion, one_segment, title_words, value_words


def plot_matrix(found: xr.Dataset, *, segment: object = None, digits: int = 2) -> Figure:
    """Heat map of elasticities or diversion ratios, the changed alternative by row.

    The outside option's column stands apart. Diversion ratios are the darker the larger they are;
    of the outside option in greys of their own, since its share would take all of a common scale.
    Elasticities are blue below and red above 0.

    Parameters
    ----------
    found
        What ``bm.elasticities`` or ``bm.diversion`` returned.
    segment
        Which segment, where there are any.
    digits
        Decimals of the numbers in cells, which are shown where they can be read.

    Returns
    -------
    Figure
        Not known to pyplot: it appears in a notebook as the value of a cell, and
        ``figure.savefig(path)`` writes it whatever the backend.

    Raises
    ------
    SpecificationError
        If ``found`` is no matrix, or its segment is not named.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> found = bm.diversion(bm.msle(bm.MixedLogit("pf + cl"), data), data, draws=20, rng=1)
    >>> [text.get_text() for text in bm.plot_matrix(found).axes[0].get_yticklabels()]
    ['1', '2', '3', '4']
    """
    whole("digits", digits, least=0)
    one = one_segment(found, segment)
    values = one["estimate"]
    if values.ndim != 2:
        raise SpecificationError(
            f"expected what elasticities or diversion returned, got dimensions {values.dims}"
        )
    matrix = values.to_numpy().copy()
    if is_diversion(one):
        np.fill_diagonal(matrix, np.nan)
    rows, columns = ([str(label) for label in values[dim].to_numpy()] for dim in values.dims)
    outside = [k for k, name in enumerate(columns) if name not in rows]
    cells = cell_size(len(columns)), cell_size(len(rows))
    letters = 0.08 * max(map(len, rows))
    width = 1.6 + letters + cells[0] * len(columns) + 0.3 * bool(outside)
    height = 1.2 + cells[1] * len(rows) + (0.08 * max(map(len, columns)))
    figure = sheet(max(width, 3.4), max(height, 2.4))
    axes = _places(figure, len(columns) - len(outside), len(outside))
    _draw(axes, matrix, outside, (min(cells), digits, is_diversion(one)))
    inside = [name for k, name in enumerate(columns) if k not in outside]
    for axis, names in zip(axes, (inside, [columns[k] for k in outside]), strict=False):
        name_columns(axis, names, cells[0])
    axes[0].set_yticks(range(len(rows)), rows)
    axes[0].set_xlabel(str(values.dims[1]))
    axes[0].set_ylabel(str(values.dims[0]))
    bar = figure.colorbar(axes[0].get_images()[0], ax=axes, shrink=0.9, aspect=25, pad=0.02)
    bar.set_label(value_words(one))
    bar.outline.set_visible(False)
    letters_a_line = int(figure.get_figwidth() / 0.085)
    figure.suptitle(textwrap.fill(title_words(one, segment), letters_a_line), fontsize=10)
    return figure


def _places(figure: Figure, inside: int, outside: int) -> list[Axes]:
    """Axes for the alternatives, and for the outside option apart from them."""
    if not outside:
        return [figure.subplots()]
    left, right = figure.subplots(
        1, 2, sharey=False, width_ratios=[inside, outside], gridspec_kw={"wspace": 0.04}
    )
    right.set_yticks([])
    return [left, right]


def _draw(
    axes: list[Axes], matrix: Array, outside: list[int], style: tuple[float, int, bool]
) -> None:
    """Cells of the alternatives and of the outside option."""
    cell, digits, diversion = style
    parts = [np.delete(matrix, outside, axis=1), matrix[:, outside]]
    if diversion:
        scales = [shades(parts[0], "sequential"), shades(parts[1], "grey")]
    else:
        scales = [shades(matrix, "diverging")] * 2
    for axis, part, scale in zip(axes, parts, scales, strict=False):
        draw_cells(axis, part, scale, cell, digits)
