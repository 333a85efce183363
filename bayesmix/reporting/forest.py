"""Estimates of several results with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.picture import sheet
from bayesmix.reporting.compare import HasEstimates, compare
from bayesmix.reporting.forest_rows import ENDS, Panel, panels, rows_of, units_of

TALL = 22
"""Rows up to which panels stand in one column."""
BARS = "dots: estimates, of posteriors means; thick lines: 50 % intervals, thin ones: 95 %"


def plot_forest(fits: Mapping[str, xr.DataTree | HasEstimates]) -> Figure:
    """Estimates of several fits with 50 % and 95 % intervals, a panel for each kind of parameter.

    Where sizes differ by more than six times there is a panel for the smaller ones. Means and
    standard deviations of a law's index, such as a lognormal's logarithm, have panels of their own,
    and the moments of the coefficients that they imply stand below: those of a fit as in its
    summary, those of a posterior of its draws.

    Parameters
    ----------
    fits
        As for `compare`. Intervals of a posterior are its quantiles, those of a `Fit` as in its
        summary.

    Returns
    -------
    Figure
        Not known to pyplot: it appears in a notebook as the value of a cell, and
        ``figure.savefig(path)`` writes it whatever the backend.

    Raises
    ------
    SpecificationError
        If a result is none, or there are none.

    Examples
    --------
    >>> import bayesmix as bm
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", bm.Normal("cl")), bm.examples.electricity(), rng=1)
    >>> len(bm.plot_forest({"MSLE": fit}).axes)  # means, standard deviations, fixed coefficients
    3
    """
    compare(fits)  # which refuses what is none
    rows = {str(label): rows_of(fit) for label, fit in fits.items()}
    units = {name: unit for fit in fits.values() for name, unit in units_of(fit).items()}
    shown = panels(rows, units)
    columns = _columns(shown)
    step = 0.16 + 0.1 * len(rows)
    heights = [sum(step * len(p.names) + 0.6 for p in own) for own in columns]
    figure = sheet(6.8 if len(columns) == 1 else 11.5, max(heights) + 0.7)
    grid = figure.add_gridspec(1, len(columns))
    for column, own in enumerate(columns):
        ratios = [step * len(panel.names) + 0.3 for panel in own]
        spare = max(heights) - sum(step * len(p.names) + 0.6 for p in own)
        if spare > 0.3:
            ratios.append(spare)
        inner = grid[column].subgridspec(len(ratios), 1, height_ratios=ratios)
        for number, panel in enumerate(own):
            _draw(figure.add_subplot(inner[number]), rows, panel)
    figure.supxlabel(BARS, fontsize=8, color="0.3")
    if len(rows) > 1:
        handles = figure.axes[0].get_lines()[: len(rows)]
        figure.legend(
            handles, list(rows), loc="outside upper right", ncols=len(rows), frameon=False
        )
    return figure


def _columns(shown: Sequence[Panel]) -> list[list[Panel]]:
    """The panels in one column, or in two of about the same height."""
    sizes = np.array([len(panel.names) + 2 for panel in shown])
    if sizes.sum() <= TALL or len(shown) == 1:
        return [list(shown)]
    left = np.cumsum(sizes)[:-1]
    cut = 1 + int(np.argmin(np.abs(left - sizes.sum() / 2)))
    return [list(shown[:cut]), list(shown[cut:])]


def _draw(axis: Axes, rows: Mapping[str, pd.DataFrame], panel: Panel) -> None:
    """Dots and bars of every result, a colour a result."""
    for number, own in enumerate(rows.values()):
        here = own.reindex(list(panel.names))
        at = np.arange(len(here)) + 0.5 * ((number + 0.5) / len(rows) - 0.5)
        colour = f"C{number}"
        axis.plot(here["estimate"].astype(float), at, "o", color=colour, markersize=4, zorder=3)
        outer_low, inner_low, inner_high, outer_high = here[ENDS].to_numpy(dtype=float).T
        axis.hlines(at, outer_low, outer_high, color=colour, linewidth=1)
        axis.hlines(at, inner_low, inner_high, color=colour, linewidth=2.5)
    axis.set_title(panel.heading, loc="left", fontsize=9)
    axis.set_yticks(range(len(panel.labels)), panel.labels)
    axis.set_ylim(len(panel.labels) - 0.5, -0.5)
    axis.axvline(0, color="0.8", linewidth=1, zorder=0)
    axis.grid(axis="y", color="0.93")
    axis.tick_params(left=False, labelsize=8)
    axis.spines[["top", "right", "left"]].set_visible(False)
