"""Pictures of simulation-based calibration, and of the coverage of intervals."""

from __future__ import annotations

from math import ceil

import numpy as np
from matplotlib.figure import Figure

from bayesmix import arguments
from bayesmix.bayes.sbc_ranks import PROBABILITY, SBC
from bayesmix.classical.coverage_result import Coverage
from bayesmix.picture import sheet

COLUMNS = 4
WIDTH, HEIGHT = 2.6, 2.1
INSIDE, OUTSIDE = "#1f77b4", "#d62728"


def plot_sbc(found: SBC, *, probability: float = PROBABILITY) -> Figure:
    """Distributions of ranks less the uniform one, with simultaneous bands; red where outside.

    A curve above 0 has too many small ranks: posteriors too high. One that is above 0 first and
    below it later has too many ranks at both ends: posteriors too narrow; too wide, if it is the
    other way round.

    Parameters
    ----------
    found
        What `bm.sbc` returned.
    probability
        That ranks which are uniform are inside the band everywhere.

    Returns
    -------
    matplotlib.figure.Figure
        An axis for each ranked quantity.

    Raises
    ------
    SpecificationError
        If an argument is of another kind.

    References
    ----------
    Säilynoja, Bürkner and Vehtari (2022).

    Examples
    --------
    >>> import bayesmix as bm
    >>> import numpy as np, pandas as pd
    >>> row = np.arange(20 * 5 * 2)
    >>> frame = pd.DataFrame({"id": row // 10, "task": row // 2, "alt": row % 2, "y": 1 - row % 2})
    >>> frame["x"] = np.random.default_rng(1).normal(size=len(row))
    >>> roles = {"person": "id", "situation": "task", "alternative": "alt", "chosen": "y"}
    >>> design = bm.ChoiceData.from_long(frame, **roles)
    >>> model = bm.MixedLogit("x", random=[bm.Normal("x")])
    >>> options = {"simulations": 3, "rng": 1, "processes": 1, "progress": False}
    >>> found = bm.sbc(model, design, priors={"mean[x]": (0.0, 1.0), "sd[x]": 1.0}, **options)
    >>> figure = bm.plot_sbc(found)
    """
    arguments.instance("found", found, SBC, "what bm.sbc returned")
    arguments.real("probability", probability, above=0, below=1)
    names = [str(name) for name in found.ranks.columns]
    columns = min(COLUMNS, len(names))
    rows = ceil(len(names) / columns)
    figure = sheet(WIDTH * columns, HEIGHT * rows + 0.4)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    inside = found.inside(probability)
    for axis, name in zip(axes, names, strict=False):
        band = found.difference(name, probability)
        z = np.concatenate([[0.0], band.index.to_numpy(), [1.0]])
        lower, upper, curve = (
            np.concatenate([[0.0], band[which].to_numpy(), [0.0]])
            for which in ("lower", "upper", "difference")
        )
        axis.fill_between(z, lower, upper, step="mid", color="0.85", linewidth=0)
        axis.axhline(0.0, color="0.6", linewidth=0.7)
        axis.step(z, curve, where="mid", color=INSIDE if inside[name] else OUTSIDE, linewidth=1.2)
        axis.set_title(name, fontsize=9)
        axis.set_xlim(0, 1)
        axis.tick_params(labelsize=8)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    figure.supxlabel("rank of the truth, as a share", fontsize=9)
    figure.supylabel("distribution less uniform", fontsize=9)
    figure.suptitle(
        f"{found.method}, {len(found.ranks)} simulations, {100 * probability:g} % bands",
        fontsize=10,
    )
    return figure


def plot_coverage(found: Coverage) -> Figure:
    """Coverage of intervals against their level, an axis a parameter, with binomial intervals.

    Parameters
    ----------
    found
        What `bm.coverage` returned.

    Returns
    -------
    matplotlib.figure.Figure
        An axis for each parameter.

    Raises
    ------
    SpecificationError
        If the argument is of another kind.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data, model = bm.examples.electricity(), bm.MixedLogit("pf + cl")
    >>> options = {"simulations": 4, "rng": 1, "processes": 1, "progress": False}
    >>> found = bm.coverage(model, data, truth={"fixed[pf]": -0.6, "fixed[cl]": -0.15}, **options)
    >>> figure = bm.plot_coverage(found)
    """
    arguments.instance("found", found, Coverage, "what bm.coverage returned")
    table = found.summary()
    names = list(table.index.get_level_values("parameter").unique())
    columns = min(COLUMNS, len(names))
    rows = ceil(len(names) / columns)
    figure = sheet(WIDTH * columns, HEIGHT * rows + 0.4)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axis, name in zip(axes, names, strict=False):
        own = table.loc[name]
        level, covered = own.index.to_numpy(float), own["coverage"].to_numpy(float)
        errors = np.abs(own[["lower", "upper"]].to_numpy(float).T - covered)
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.7)
        good = bool(((own["lower"] <= level) & (level <= own["upper"])).all())
        axis.errorbar(
            level, covered, errors, fmt="o", markersize=3, color=INSIDE if good else OUTSIDE
        )
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=8)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    figure.supxlabel("level of the interval", fontsize=9)
    figure.supylabel("share that covers the truth", fontsize=9)
    return figure
