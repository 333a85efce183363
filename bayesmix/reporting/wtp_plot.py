"""Willingness to pay over people."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.arrays import Array
from bayesmix.demand.quantiles import SAME
from bayesmix.errors import SpecificationError
from bayesmix.picture import sheet
from bayesmix.reporting.compare import labelled
from bayesmix.reporting.demand_tables import check_demand

SHOWN = (0.01, 0.99)
"""Quantiles between which a density is drawn: of a ratio, tails would take all of the axis."""
FEW = 25
"""Different values up to which they are those of classes, each with its share."""
COLUMNS = 3


def plot_wtp(found: xr.Dataset | Mapping[str, xr.Dataset]) -> Figure:
    """Density of willingness to pay over people, a panel for each attribute and price.

    A kernel density of the values at the estimate, from the 1st to the 99th percentile of people;
    where people are of a few types, such as those of latent classes, bars of their shares.
    Lines mark medians, and bands the intervals of the medians.

    Parameters
    ----------
    found
        What ``bm.wtp`` returned, or several of them by label. Those of one attribute and one price
        share a panel: they are in the same units.

    Returns
    -------
    Figure
        Not known to pyplot: it appears in a notebook as the value of a cell, and
        ``figure.savefig(path)`` writes it whatever the backend.

    Raises
    ------
    SpecificationError
        If ``found`` is anything else, or everybody would pay the same.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc", bm.Normal("cl")), data, rng=1)
    >>> (axis,) = bm.plot_wtp(bm.wtp(fit, "cl", price="pf", draws=20, rng=1)).axes
    >>> axis.get_xlabel()
    'pf for a unit of cl'
    """
    several = {"": found} if isinstance(found, xr.Dataset) else labelled("found", found)
    results = {str(label): _checked(one) for label, one in several.items()}
    units = {label: (one.attrs["term"], one.attrs["price"]) for label, one in results.items()}
    order = list(dict.fromkeys(units.values()))
    groups = groupby(
        sorted(results, key=lambda label: order.index(units[label])), units.__getitem__
    )
    panels = {unit: list(labels) for unit, labels in groups}
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = sheet(max(4.6, 3.4 * columns), 0.3 + 2.9 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, ((term, price), labels) in zip(axes, panels.items(), strict=False):
        for number, label in enumerate(labels):
            _draw(axis, results[label], label, f"C{number}")
        axis.axvline(0, color="0.8", lw=0.8, zorder=0)
        axis.set(xlabel=f"{price} for a unit of {term}", ylim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
        if labels != [""]:
            axis.legend(frameon=False, fontsize=8)
    for axis in axes[::columns]:
        axis.set_ylabel("density over people")
    for axis in axes[len(panels) :]:
        axis.remove()
    return figure


def _checked(one: xr.Dataset) -> xr.Dataset:
    check_demand(one)
    if not {"law", "term", "price"} <= set(one.attrs) or "statistic" not in one.dims:
        raise SpecificationError(
            f"argument 'found' must be what bm.wtp returned, with its attribute 'law', got "
            f"dimensions {one['estimate'].dims} and attributes {sorted(map(str, one.attrs))}"
        )
    values = np.asarray(one.attrs["law"], dtype=float)
    # Values that differ by rounding are equal: a density between them would have any height.
    if np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0):
        raise SpecificationError(
            f"willingness to pay for {one.attrs['term']!r} is the same for everybody: there is no "
            "density to draw; print the table"
        )
    return one


def _draw(axis: Axes, one: xr.Dataset, label: str, color: str) -> None:
    """A density, or bars of shares where there are a few values; the median and its interval."""
    values = np.sort(np.asarray(one.attrs["law"], dtype=float))
    at, count = np.unique(values.round(12), return_counts=True)
    if len(at) <= FEW:
        width = 0.02 * np.ptp(at)
        axis.bar(at, count / len(values), width, color=color, alpha=0.6, label=label)
        axis.set_ylabel("share of people")
    else:
        grid, height = density(values)
        axis.fill_between(grid, height, color=color, alpha=0.3, lw=0)
        axis.plot(grid, height, color=color, lw=1.3, label=label)
    middle = _median(one)
    if middle is not None:
        axis.axvline(float(middle["estimate"]), color=color, lw=1)
        low, high = float(middle["low"]), float(middle["high"])
        axis.axvspan(low, high, color=color, alpha=0.12, lw=0)


def density(values: Array) -> tuple[Array, Array]:
    """A kernel density of sorted values between two of their quantiles; over all it is 1."""
    from arviz_stats.base import array_stats

    low, high = np.quantile(values, SHOWN)
    room = 0.15 * (high - low)
    near = values[(values >= low - room) & (values <= high + room)]
    grid, height, _ = array_stats.kde(near, bw="silverman", bound_correction=True)
    inside = (grid >= low) & (grid <= high)
    return grid[inside], height[inside] * len(near) / len(values)


def _median(one: xr.Dataset) -> xr.Dataset | None:
    """The quantile whose probability is 0.5, to the last bits but some."""
    for name in map(str, one["statistic"].to_numpy()):
        probability = 0.5 if name == "median" else float(name.split()[-1] if name != "mean" else 0)
        if abs(probability - 0.5) < SAME:
            return one.sel(statistic=name)
    return None
