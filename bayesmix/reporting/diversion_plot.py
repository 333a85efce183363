"""Diversion ratios, or elasticities, of several results beside one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.errors import SpecificationError
from bayesmix.picture import sheet
from bayesmix.reporting.compare import labelled
from bayesmix.reporting.matrix_words import is_diversion, one_segment, title_words, value_words

WIDEST = 4
FEW = 8
"""Destinations up to which there is place to spare; of more, as little as is legible."""


class Panel(NamedTuple):
    """What stands in a panel: the alternative that is left, and the destinations that are shown."""

    origin: str
    number: int
    shown: list[int]


def plot_diversion(found: Mapping[str, xr.Dataset], *, segment: object = None) -> Figure:
    """Diversion ratios of several results side by side, with their intervals.

    A panel for each alternative that is left, a group of points for each destination: results that
    agree overlap. The same picture serves elasticities.

    Parameters
    ----------
    found
        By label, what ``bm.diversion`` (or ``bm.elasticities``) returned, with the same
        alternatives: ``{"NUTS": bm.diversion(posterior, data), "MSLE": bm.diversion(fit, data)}``.
    segment
        Which segment, where there are any.

    Returns
    -------
    Figure
        Not known to pyplot: it appears in a notebook as the value of a cell, and
        ``figure.savefig(path)`` writes it whatever the backend.

    Raises
    ------
    SpecificationError
        If there is no result, one is no matrix, or alternatives differ between results.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> found = {kind: bm.diversion(fit, data, kind, draws=20, rng=1) for kind in ("removal", "pf")}
    >>> [axis.get_title() for axis in bm.plot_diversion(found).axes]
    ['from 1', 'from 2', 'from 3', 'from 4']
    """
    several = labelled("found", found)
    results = {str(k): one_segment(one, segment, str(k)) for k, one in several.items()}
    rows, columns = _same_labels(results)
    first = next(iter(results.values()))
    step = max(0.12 * len(results) + 0.08, 0.28 if len(columns) <= FEW else 0.19)
    wide = min(len(rows), WIDEST)
    deep = -(-len(rows) // wide)
    letters = 0.075 * max(map(len, columns))
    figure = sheet(0.9 + letters + 2.5 * wide, 1.1 + (0.5 + step * len(columns)) * deep)
    axes = figure.subplots(deep, wide, squeeze=False, sharex=True, sharey=True).ravel()
    for number, (axis, origin) in enumerate(zip(axes, rows, strict=False)):
        # The diagonal of diversion is 0 by definition: nobody diverts to what they leave.
        shown = [c for c, name in enumerate(columns) if not is_diversion(first) or name != origin]
        _draw(axis, results, Panel(origin, number, shown))
        axis.set_title(f"{'from' if is_diversion(first) else 'change of'} {origin}", fontsize=9)
    for axis in axes[len(rows) :]:
        axis.remove()
    axes[0].set_yticks(range(len(columns)), columns)
    axes[0].set_ylim(len(columns) - 0.5, -0.5)
    for axis in axes[max(0, len(rows) - wide) : len(rows)]:
        axis.xaxis.set_tick_params(labelbottom=True)
        axis.set_xlabel(value_words(first), fontsize=8)
    figure.suptitle(title_words(first, segment) if _alike(results) else "", fontsize=10)
    if len(results) > 1:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _alike(results: Mapping[str, xr.Dataset]) -> bool:
    """Whether all results are of one intervention, which a title can name."""
    known = [(one.attrs.get("kind"), one.attrs.get("attribute")) for one in results.values()]
    return all(one == known[0] for one in known)


def _draw(axis: Axes, results: Mapping[str, xr.Dataset], panel: Panel) -> None:
    """The points of one alternative that is left, a colour a result."""
    axis.axvline(0, color="0.8", lw=0.8, zorder=0)
    for place, (label, one) in enumerate(results.items()):
        row = one[["estimate", "low", "high"]].isel({one["estimate"].dims[0]: panel.number})
        values, low, high = (row[n].to_numpy()[panel.shown] for n in ("estimate", "low", "high"))
        at = np.array(panel.shown) + 0.5 * ((place + 0.5) / len(results) - 0.5)
        # A posterior's mean may lie outside of an interval of quantiles: lines, not error bars.
        axis.hlines(at, low, high, color=f"C{place}", lw=1.2)
        axis.plot(values, at, "o", color=f"C{place}", ms=3.5, label=label)
    axis.grid(axis="y", color="0.93")
    axis.set_axisbelow(True)
    axis.tick_params(labelsize=8, left=False)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _same_labels(results: Mapping[str, xr.Dataset]) -> tuple[list[str], list[str]]:
    """Labels of rows and columns, the same in all results."""
    labels = {}
    for name, one in results.items():
        values = one["estimate"]
        if values.ndim != 2:
            raise SpecificationError(
                f"result {name!r}: expected what diversion returned, got dimensions {values.dims}"
            )
        labels[name] = [[str(v) for v in values[d].to_numpy()] for d in values.dims]
    first, *others = labels.items()
    for name, here in others:
        if here != first[1]:
            raise SpecificationError(
                f"results {first[0]!r} and {name!r} are about different alternatives: "
                f"{first[1]} and {here}"
            )
    rows, columns = first[1]
    return rows, columns
