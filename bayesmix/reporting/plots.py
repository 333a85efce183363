"""Plots of fits: estimates with intervals (a matplotlib Figure) and traces (a PNG file)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.bayes.read import posterior_draws
from bayesmix.classical.intervals import intervals
from bayesmix.reporting.compare import Estimates, compare
from bayesmix.reporting.named_draws import flat_items, named_items, population_variables

DPI = 120
MAX_TRACES = 40
PROBABILITIES = [0.025, 0.25, 0.75, 0.975]
HEADINGS = {
    "mean": "means of the mixing law",
    "sd": "standard deviations of the mixing law",
    "corr": "correlations",
    "fixed": "fixed coefficients",
}


def forest(fits: Mapping[str, xr.DataTree | Estimates]) -> Figure:
    """Estimates of several fits with 50 % and 95 % intervals, a panel for each kind of parameter.

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
    """
    estimates = compare(fits).xs("estimate", axis="columns", level=1)
    intervals = {label: _intervals(fit).reindex(estimates.index) for label, fit in fits.items()}
    known = _kinds_and_labels(fits)
    panels = [
        (kind, list(names)) for kind, names in groupby(estimates.index, lambda name: known[name][0])
    ]
    rows = [len(names) for _, names in panels]
    height = sum(rows) * (0.16 + 0.1 * len(fits)) + 0.55 * len(panels) + 0.4
    figure = Figure(figsize=(7, height), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[n + 1 for n in rows])[:, 0]
    for axis, (kind, names) in zip(axes, panels, strict=True):
        for number, label in enumerate(fits):
            offset = 0.5 * ((number + 0.5) / len(fits) - 0.5)
            _draw_intervals(axis, estimates.loc[names, label], intervals[label], offset, number)
        _dress(axis, HEADINGS.get(kind, kind), [known[name][1] for name in names])
    if len(fits) > 1:
        handles = axes[0].get_lines()[: len(fits)]
        figure.legend(
            handles, list(fits), loc="outside upper right", ncols=len(fits), frameon=False
        )
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG file, whatever backend is in use."""
    figure.savefig(path, dpi=DPI, format="png")


def save_trace(posterior: xr.DataTree, path: Path) -> None:
    """Draws by iteration, a panel a parameter and a colour a chain, as a PNG file.

    Beyond 40 parameters the correlations are left out.
    """
    import arviz as az
    from matplotlib.pyplot import close

    names, count = _traced(posterior["posterior"].to_dataset())
    columns = min(4, count)
    with _agg():
        collection = az.plot_trace(
            posterior,
            var_names=names,
            backend="matplotlib",
            labeller=_one_line_labeller(),
            visuals={"trace": {"width": 0.5, "alpha": 0.8}, "xlabel": False},
            col_wrap=columns,
            figure_kwargs={
                "figsize": (3.2 * columns, 0.4 + 1.5 * -(-count // columns)),
                "layout": "constrained",
            },
        )
        figure = collection.get_viz("figure")
        save_figure(figure, path)
        close(figure)


def _traced(draws: xr.Dataset) -> tuple[list[str], int]:
    """Variables to trace, and how many scalar parameters they hold."""
    names = population_variables(draws)
    count = sum(1 for _ in flat_items(draws[names]))
    if count <= MAX_TRACES or names == ["corr"]:
        return names, count
    names = [name for name in names if name != "corr"]
    return names, sum(1 for _ in flat_items(draws[names]))


def _one_line_labeller() -> object:
    """Titles by flat name, ``mean[pf]``, instead of two lines."""
    from arviz_base.labels import BaseLabeller

    class OneLine(BaseLabeller):
        make_label_vert = BaseLabeller.make_label_flat

    return OneLine()


@contextmanager
def _agg() -> Iterator[None]:
    """Draw with pyplot on the file-only backend, then give the user's backend back.

    A backend that cannot be loaded here (a window system without a display) was not in use.
    """
    from matplotlib import pyplot

    previous = matplotlib.get_backend()
    pyplot.switch_backend("agg")
    try:
        yield
    finally:
        with suppress(ImportError):
            pyplot.switch_backend(previous)


def _intervals(fit: xr.DataTree | Estimates) -> pd.DataFrame:
    """(P, 4): the ends of the 95 % and of the 50 % interval, from left to right, by flat name."""
    if isinstance(fit, xr.DataTree):
        draws = flat_items(posterior_draws(fit))
        ends = {name: np.quantile(values, PROBABILITIES) for name, values in draws}
        return pd.DataFrame.from_dict(ends, orient="index")
    table = pd.DataFrame({"estimate": fit.params, "std error": fit.std_errors})
    kinds = [parameter.kind for parameter in fit.space.listed]
    outer, inner = (intervals(table, kinds, level).iloc[:, -2:] for level in (0.95, 0.5))
    return pd.concat([outer.iloc[:, 0], inner, outer.iloc[:, 1]], axis="columns")


def _draw_intervals(
    axis: Axes, centre: pd.Series, ends: pd.DataFrame, offset: float, number: int
) -> None:
    rows, colour = np.arange(len(centre)) + offset, f"C{number}"
    axis.plot(centre, rows, "o", color=colour, markersize=4, zorder=3)
    outer_low, inner_low, inner_high, outer_high = ends.loc[centre.index].to_numpy().T
    axis.hlines(rows, outer_low, outer_high, color=colour, linewidth=1)
    axis.hlines(rows, inner_low, inner_high, color=colour, linewidth=2.5)


def _dress(axis: Axes, heading: str, labels: list[str]) -> None:
    axis.set_title(heading, loc="left", fontsize=10)
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.axvline(0, color="0.8", linewidth=1, zorder=0)
    axis.grid(axis="y", color="0.93")
    axis.tick_params(left=False, labelsize=9)
    axis.spines[["top", "right", "left"]].set_visible(False)


def _kinds_and_labels(
    fits: Mapping[str, xr.DataTree | Estimates],
) -> dict[str, tuple[str, str]]:
    """Of each flat name what stands before its brackets and in them; itself where it has none."""
    found: dict[str, tuple[str, str]] = {}
    for fit in fits.values():
        if isinstance(fit, xr.DataTree):
            found |= {name: parts for name, parts, _ in named_items(posterior_draws(fit))}
        else:
            found |= {str(p): (p.kind.name, p.label) for p in fit.space.listed}
    return found
