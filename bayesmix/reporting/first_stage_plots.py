"""Plots of the first stage of a control function."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.arguments import instance
from bayesmix.arrays import Array
from bayesmix.inference.first_stage_table import FirstStageResult
from bayesmix.picture import sheet

MOST_OPAQUE = 200
"""Points up to which they are drawn opaque."""


def plot_first_stage(found: FirstStageResult) -> Figure:
    """An attribute against its first stage: what all regressors say of it, and instruments alone.

    On the left observed values against fitted ones. On the right both less what the exogenous
    regressors explain of them: the slope there is 1, and the share of variance explained is the
    partial R2 of the instruments. Distances to the lines are the residuals in the utility.

    Parameters
    ----------
    found
        What ``bm.first_stage`` returned.

    Returns
    -------
    Figure
        Not known to pyplot: it appears in a notebook as the value of a cell, and
        ``figure.savefig(path)`` writes it whatever the backend.

    Raises
    ------
    SpecificationError
        If ``found`` is anything else.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> control = bm.ControlFunction("pf", instruments="cl", on=("chid", "alt"))
    >>> found = bm.first_stage(bm.MixedLogit("pf + loc", control=control), data)
    >>> len(bm.plot_first_stage(found).axes)
    2
    """
    instance("found", found, FirstStageResult, "what bm.first_stage(fit) returned")
    figure = sheet(9, 4.2)
    left, right = figure.subplots(1, 2)
    levels, name = found.levels, found.attribute
    _scatter(left, levels["fitted"].to_numpy(), levels["observed"].to_numpy())
    left.set_xlabel(f"{name}, fitted by all regressors")
    left.set_ylabel(f"{name}, observed")
    left.set_title(f"{len(levels)} levels", loc="left", fontsize=10)
    _scatter(right, levels["net fitted"].to_numpy(), levels["net"].to_numpy())
    right.set_xlabel(f"{name}, fitted by instruments alone")
    right.set_ylabel(f"{name} less exogenous regressors")
    s = found.strength
    words = f"partial R2 {s.partial_r2:.3f}, effective F {s.effective_f:.1f}"
    right.set_title(f"{words}{' (weak)' if s.weak else ''}", loc="left", fontsize=10)
    return figure


def _scatter(axis: Axes, x: Array, y: Array) -> None:
    """Points, and the line of equal values."""
    alpha = 0.8 if len(x) <= MOST_OPAQUE else max(0.1, 0.8 * (MOST_OPAQUE / len(x)) ** 0.5)
    axis.scatter(x, y, s=10, alpha=alpha, linewidths=0, color="C0")
    ends = np.array([x.min(), x.max()])
    axis.plot(ends, ends, color="0.2", linewidth=1)
    axis.spines[["top", "right"]].set_visible(False)
