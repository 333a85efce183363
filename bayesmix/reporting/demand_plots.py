"""Plots of demand: matrices of substitution, price curves, willingness to pay over people."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from bayesmix.arguments import shown, whole
from bayesmix.demand.quantiles import SAME
from bayesmix.errors import SpecificationError
from bayesmix.reporting.compare import labelled
from bayesmix.reporting.demand_tables import check_demand

DPI = 120
MOST_NUMBERS = 12
"""Alternatives up to which the cells of a matrix show their numbers."""


def plot_matrix(found: xr.Dataset, *, segment: object = None, digits: int = 2) -> Figure:
    """Heat map of elasticities or diversion ratios, the changed alternative by row.

    Parameters
    ----------
    found
        What ``bm.elasticities`` or ``bm.diversion`` returned.
    segment
        Which segment, where there are any.
    digits
        Decimals of the numbers in cells, shown up to 12 alternatives.

    Raises
    ------
    SpecificationError
        If ``found`` is no matrix, or its segment is not named.
    """
    whole("digits", digits, least=0)
    values = _one_segment(found, segment)["estimate"]
    if values.ndim != 2:
        raise SpecificationError(
            f"expected what elasticities or diversion returned, got dimensions {values.dims}"
        )
    matrix = values.to_numpy().copy()
    if "origin" in values.dims:
        np.fill_diagonal(matrix, np.nan)
    rows, columns = ([str(label) for label in values[dim].to_numpy()] for dim in values.dims)
    size = [1.6 + 0.55 * min(len(n), 20) for n in (columns, rows)]
    figure = Figure(figsize=(size[0] + 1.0, size[1]), dpi=DPI, layout="constrained")
    axis = figure.subplots()
    bound = float(np.nanmax(np.abs(matrix))) or 1.0
    scale = TwoSlopeNorm(0.0, -bound, bound)
    image = axis.imshow(matrix, cmap="RdBu_r", norm=scale, aspect="auto")
    axis.set_xticks(range(len(columns)), columns, rotation=90 if len(columns) > 8 else 0)
    axis.set_yticks(range(len(rows)), rows)
    axis.set_xlabel(str(values.dims[1]))
    axis.set_ylabel(str(values.dims[0]))
    if len(rows) <= MOST_NUMBERS:
        _write_numbers(axis, matrix, bound, digits)
    figure.colorbar(image, ax=axis, shrink=0.8)
    return figure


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

    Raises
    ------
    SpecificationError
        If there is no result, one is no matrix, or alternatives differ between results.
    """
    several = labelled("found", found)
    results = {str(k): _one_segment(one, segment, str(k)) for k, one in several.items()}
    rows, columns = _same_labels(results)
    height = 1.0 + 0.28 * len(columns) * max(len(results), 2) / 2
    wide = min(len(rows), 4)
    deep = -(-len(rows) // wide)
    figure = Figure(figsize=(2.2 + 2.6 * wide, 0.6 + height * deep), dpi=DPI, layout="constrained")
    axes = figure.subplots(deep, wide, squeeze=False, sharex=True, sharey=True).ravel()
    for axis in axes[len(rows) :]:
        axis.set_visible(False)
    for number, (axis, origin) in enumerate(zip(axes, rows, strict=False)):
        for place, (label, one) in enumerate(results.items()):
            # The diagonal of diversion is 0 by definition: nobody diverts to what they leave.
            shown = [c for c, name in enumerate(columns) if "changed" in one.dims or name != origin]
            shift = 0.5 * ((place + 0.5) / len(results) - 0.5)
            _points(axis, one[["estimate", "low", "high"]].isel({_first(one): number}), shown,
                    shift, f"C{place}", label)  # fmt: skip
        axis.set_title(f"{_first(next(iter(results.values())))}: {origin}", fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(columns)), columns)
    axes[0].invert_yaxis()
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _first(one: xr.Dataset) -> str:
    return str(one["estimate"].dims[0])


def _points(
    axis: Axes, row: xr.Dataset, shown: list[int], shift: float, color: str, label: str
) -> None:
    """Estimates of one row at some places, with bars from low to high."""
    values, low, high = (row[n].to_numpy()[shown] for n in ("estimate", "low", "high"))
    at = np.array(shown) + shift
    # A posterior's mean may lie outside of an interval of quantiles: lines, not error bars.
    axis.hlines(at, low, high, color=color, lw=1.2)
    axis.plot(values, at, "o", color=color, ms=3.5, label=label)


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


def plot_price_curve(found: xr.Dataset, *, segment: object = None) -> Figure:
    """Share and revenue over prices with their bands, and the best price with its interval.

    Parameters
    ----------
    found
        What ``bm.price_curve`` returned.
    segment
        Which segment, where there are any.
    """
    curve = _one_segment(found, segment)
    if "best_price" not in curve:
        raise SpecificationError(
            f"argument 'found' must be what bm.price_curve returned, got dimensions "
            f"{curve['estimate'].dims}"
        )
    figure = Figure(figsize=(7, 5), dpi=DPI, layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for number, (axis, name) in enumerate(zip(axes, ("share", "revenue"), strict=True)):
        line = curve.sel(quantity=name)
        price = line["price"].to_numpy()
        axis.fill_between(price, line["low"], line["high"], color=f"C{number}", alpha=0.25, lw=0)
        axis.plot(price, line["estimate"], color=f"C{number}")
        axis.set_ylabel(name)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    best, low, high = curve["best_price"].to_numpy()
    if np.isfinite(best):
        axes[1].axvline(best, color="0.3", lw=1)
    if np.isfinite([low, high]).all():
        axes[1].axvspan(low, high, color="0.3", alpha=0.12, lw=0)
    axes[1].set_xlabel("price")
    return figure


def plot_wtp(found: xr.Dataset | Mapping[str, xr.Dataset]) -> Figure:
    """Density of willingness to pay over people: steps between the quantiles that were asked for.

    Between two neighbouring quantiles the density is the probability between them by their
    distance. ``bm.wtp(..., quantiles=np.linspace(0.02, 0.98, 25))`` makes a fine picture.

    Parameters
    ----------
    found
        What ``bm.wtp`` returned, or several of them by label. Lines mark medians, and bands the
        intervals of the medians.
    """
    several = {_term(found): found} if isinstance(found, xr.Dataset) else labelled("found", found)
    figure = Figure(figsize=(7, 3.5), dpi=DPI, layout="constrained")
    axis = figure.subplots()
    for number, (label, one) in enumerate(several.items()):
        probability, value = _quantiles(one)
        density = np.diff(probability) / np.diff(value)
        axis.stairs(density, value, label=label, color=f"C{number}", fill=True, alpha=0.3)
        middle = _median(one)
        if middle is not None:
            axis.axvline(float(middle["estimate"]), color=f"C{number}", lw=1)
            low, high = float(middle["low"]), float(middle["high"])
            axis.axvspan(low, high, color=f"C{number}", alpha=0.12, lw=0)
    axis.set_xlabel("willingness to pay, units of the price")
    axis.set_ylabel("density over people")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return figure


def _term(found: xr.Dataset) -> str:
    """Whose willingness to pay a result is of."""
    return str(found.attrs.get("term", "willingness to pay"))


def _probabilities(one: xr.Dataset) -> dict[str, float]:
    """The statistics that are quantiles, with their probabilities."""
    check_demand(one)
    if "statistic" not in one.dims:
        raise SpecificationError(
            f"argument 'found' must be what bm.wtp returned, got dimensions {one['estimate'].dims}"
        )
    names = [str(n) for n in one["statistic"].to_numpy()]
    return {n: 0.5 if n == "median" else float(n.split()[1]) for n in names if n != "mean"}


def _median(one: xr.Dataset) -> xr.Dataset | None:
    """The quantile whose probability is 0.5, to the last bits but some."""
    for name, probability in _probabilities(one).items():
        if abs(probability - 0.5) < SAME:
            return one.sel(statistic=name)
    return None


def _quantiles(one: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and quantiles, rising; equal values once."""
    at = _probabilities(one)
    pairs = sorted((p, float(one["estimate"].sel(statistic=n))) for n, p in at.items())
    probability, value = np.array(pairs).reshape(-1, 2).T
    # Values that differ by rounding are equal: a step between them would have any height.
    least = 1e-12 * np.abs(value).max(initial=0.0)
    rising = np.append(True, np.diff(value) > least)
    if len(value) < 2 or rising.sum() < 2:
        raise SpecificationError(
            "willingness to pay is the same for everybody, or one quantile is all there is: there "
            "is no density to draw; print the table, or ask for more quantiles"
        )
    return probability[rising], value[rising]


def _write_numbers(axis: Axes, matrix: np.ndarray, bound: float, digits: int) -> None:
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            colour = "white" if abs(value) > 0.6 * bound else "black"
            words = f"{value:.{digits}f}"
            axis.text(column, row, words, ha="center", va="center", color=colour, fontsize=8)


def _one_segment(found: xr.Dataset, segment: object, name: str = "found") -> xr.Dataset:
    check_demand(found, name)
    if "segment" not in found.dims:
        if segment is not None:
            raise SpecificationError("argument 'segment': these results have no segments")
        return found
    names = found["segment"].to_numpy().tolist()
    if not isinstance(segment, Hashable) or segment not in names:
        raise SpecificationError(f"argument 'segment' must be one of {names}, got {shown(segment)}")
    return found.sel(segment=segment)
