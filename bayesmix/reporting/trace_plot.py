"""Draws by iteration and their densities, as ArviZ draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import matplotlib
import xarray as xr
from matplotlib.figure import Figure

from bayesmix import arguments
from bayesmix.bayes.read import effective_draws, posterior_draws
from bayesmix.errors import SpecificationError
from bayesmix.picture import Picture, save_figure
from bayesmix.reporting.diagnostics import SHAPE_LIMIT
from bayesmix.reporting.named_draws import flat_items, population_variables

MOST_TRACES = 40
WIDTH, HEIGHT = 8.0, 1.25
WARN = 1.01
"""R-hat from which a title is red."""


def plot_trace(posterior: xr.DataTree, *, parameters: Sequence[str] | None = None) -> Figure:
    """Densities and draws by iteration, a row a parameter and a colour a chain.

    ArviZ's ``plot_trace_dist`` with flat names and R-hat in the titles, red from 1.01; of
    importance sampling, whose draws were resampled and are no chains, what they are worth.

    Parameters
    ----------
    posterior
        What `bm.sample` returned.
    parameters
        Variables, such as ``["mean", "sd"]``; by default all of the population's, beyond 40
        parameters without correlations.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes a parameter.

    Raises
    ------
    SpecificationError
        If there are no draws, or no such variable.

    Examples
    --------
    >>> import numpy as np
    >>> import bayesmix as bm
    >>> draws = np.random.default_rng(1).normal(size=(2, 50))
    >>> tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"x": (("chain", "draw"), draws)})})
    >>> len(bm.plot_trace(tree).axes)
    2
    """
    import arviz as az
    from matplotlib.pyplot import close

    draws = posterior_draws(posterior)
    names, count = _traced(draws) if parameters is None else _chosen(draws, parameters)
    tree = xr.DataTree.from_dict({"posterior": draws[names]})
    with _agg(), az.rc_context({"plot.max_subplots": 2 * count}):
        collection = az.plot_trace_dist(
            tree,
            var_names=names,
            compact=False,
            combined=False,
            backend="matplotlib",
            visuals={
                "trace": {"width": 0.4, "alpha": 0.8},
                "label": False,
                "xlabel_trace": False,
            },
            figure_kwargs={
                "figsize": (WIDTH, 0.3 + HEIGHT * count),
                "layout": "constrained",
                "FigureClass": Picture,
            },
        )
        figure: Figure = collection.get_viz("figure")
        _title(collection, tree, names)
        close(figure)
    return figure


def save_trace(posterior: xr.DataTree, path: Path) -> None:
    """`plot_trace` as a PNG file."""
    save_figure(plot_trace(posterior), path)


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
            worth = effective_draws(posterior["posterior"].to_dataset())
            figures = f"effective draws {worth:,.0f}, Pareto k {known['pareto_k']:.2f}"
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


def _chosen(draws: xr.Dataset, parameters: Sequence[str]) -> tuple[list[str], int]:
    """Variables that are asked for, and how many scalar parameters they hold."""
    known = population_variables(draws)
    names = arguments.names("parameters", parameters, f"some of {known}")
    for name in names:
        if name not in known:
            raise SpecificationError(
                f"argument 'parameters': the posterior has no variable {name!r}; expected some of "
                f"{known}"
            )
    if not names:
        raise SpecificationError(f"argument 'parameters' is empty; expected some of {known}")
    return list(names), sum(1 for _ in flat_items(draws[list(names)]))


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
