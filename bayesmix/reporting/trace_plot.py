"""Draws by iteration and their densities, as ArviZ draws them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import matplotlib
import xarray as xr

from bayesmix.picture import save_figure
from bayesmix.reporting.diagnostics import SHAPE_LIMIT
from bayesmix.reporting.named_draws import flat_items, population_variables

MOST_TRACES = 40
WIDTH, HEIGHT = 8.0, 1.25
WARN = 1.01
"""R-hat from which a title is red."""


def save_trace(posterior: xr.DataTree, path: Path) -> None:
    """Densities and draws by iteration as a PNG file, a row a parameter and a colour a chain.

    R-hat stands in the titles, red from 1.01; of importance sampling, whose draws were resampled
    and are no chains, what they are worth. Beyond 40 parameters the correlations are left out.
    """
    import arviz as az
    from matplotlib.pyplot import close

    names, count = _traced(posterior["posterior"].to_dataset())
    with _agg(), az.rc_context({"plot.max_subplots": 2 * count}):
        collection = az.plot_trace_dist(
            posterior,
            var_names=names,
            compact=False,
            combined=False,
            backend="matplotlib",
            visuals={
                "trace": {"width": 0.4, "alpha": 0.8},
                "label": False,
                "xlabel_trace": False,
            },
            figure_kwargs={"figsize": (WIDTH, 0.3 + HEIGHT * count), "layout": "constrained"},
        )
        figure = collection.get_viz("figure")
        _title(collection, posterior, names)
        save_figure(figure, path)
        close(figure)


def _title(collection: object, posterior: xr.DataTree, names: list[str]) -> None:
    """The flat name and R-hat above each row, where axes stand in the order of parameters."""
    import arviz as az

    known = posterior["posterior"].attrs
    weighted = known.get("method") == "importance"
    parameters = list(flat_items(az.rhat(posterior, var_names=names)))
    axes = collection.get_viz("figure").axes  # type: ignore[attr-defined]
    for (name, rhat), left, right in zip(parameters, axes[::2], axes[1::2], strict=True):
        value = float(rhat)
        figures = f"R-hat {value:.3f}"
        bad = not value < WARN
        if weighted:
            figures = f"effective draws {known['ess']:,.0f}, Pareto k {known['pareto_k']:.2f}"
            bad = known["pareto_k"] > SHAPE_LIMIT
        colour = "C3" if bad else "black"
        left.set_title(f"{name}, {figures}", fontsize=8, loc="left", color=colour)
        for axis in (left, right):
            axis.tick_params(labelsize=7)


def _traced(draws: xr.Dataset) -> tuple[list[str], int]:
    """Variables to trace, and how many scalar parameters they hold."""
    names = population_variables(draws)
    count = sum(1 for _ in flat_items(draws[names]))
    if count <= MOST_TRACES or names == ["corr"]:
        return names, count
    names = [name for name in names if name != "corr"]
    return names, sum(1 for _ in flat_items(draws[names]))


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
