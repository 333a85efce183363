"""`bm.priors`: the priors of a model in words, and against the likelihood's scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix.bayes.control import refuse_posterior_nests
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.prior_summary import COLUMNS, prior_summary
from bayesmix.data.choices import ChoiceData
from bayesmix.data.display import Table
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.bind import bind, bind_sets
from bayesmix.likelihood.multinomial import multinomial
from bayesmix.likelihood.problem import Problem
from bayesmix.picture import sheet
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import FIXED, MEAN

GREY, BLUE, RED = "0.55", "C0", "C3"


@dataclass(frozen=True, eq=False)
class PriorTable:
    """Priors of a model on data; prints itself as a table.

    Parameters
    ----------
    table
        By flat name: ``law`` in words, ``sd`` and quantiles of the prior, ``unit`` (the natural
        unit of the parameter) and ``scaled to`` (what that is).
    likelihood
        By flat name, ``estimate`` and ``std error`` of the multinomial logit, for means and fixed
        coefficients that it has; empty where the data have no choices, or it has no maximum.
    """

    table: pd.DataFrame
    likelihood: pd.DataFrame

    def __repr__(self) -> str:
        return repr(Table(self.table.round(4)))

    def _repr_html_(self) -> str:
        return Table(self.table.round(4))._repr_html_()

    def plot(self) -> Figure:
        """Priors in natural units (50 and 95 %), and the multinomial logit's estimates (95 %).

        A natural unit of a coefficient is one util a typical difference of its attribute: priors
        far wider than what choices say, or beside it, are seen at a glance.
        """
        shown = self.table[self.table["50 %"].notna()].iloc[::-1]
        height = 0.9 + 0.24 * len(shown)
        figure = sheet(7, height)
        axis = figure.subplots()
        for place, (name, row) in enumerate(shown.iterrows()):
            _interval(axis, place, row)
            if name in self.likelihood.index:
                self._estimate(axis, place, str(name), row)
        axis.set_yticks(range(len(shown)), list(shown.index))
        axis.axvline(0.0, color="0.8", linewidth=0.8, zorder=0)
        axis.set_xscale("symlog", linthresh=1.0)
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_xlabel("natural units: utils of a typical difference of the attribute")
        axis.spines[["top", "right"]].set_visible(False)
        lines = axis.plot([], [], color=BLUE, linewidth=3), axis.plot([], [], "D", color=RED, ms=4)
        labels = ["prior, 50 and 95 %", "multinomial logit, 95 %"]
        kept = 2 if len(self.likelihood) else 1
        handles = [line for (line,) in lines][:kept]
        figure.legend(handles, labels[:kept], loc="outside upper right", ncols=2, frameon=False)
        return figure

    def _estimate(self, axis: Axes, place: int, name: str, row: pd.Series) -> None:
        estimate, error = self.likelihood.loc[name, ["estimate", "std error"]] / row["unit"]
        axis.plot([estimate - 1.96 * error, estimate + 1.96 * error], [place + 0.2] * 2, color=RED)
        axis.plot(estimate, place + 0.2, "D", color=RED, ms=4)


def _interval(axis: Axes, place: int, row: pd.Series) -> None:
    low, q1, middle, q3, high = (row[list(COLUMNS)] / row["unit"]).to_numpy(float)
    axis.plot([low, high], [place] * 2, color=BLUE, linewidth=1)
    axis.plot([q1, q3], [place] * 2, color=BLUE, linewidth=3)
    axis.plot(middle, place, "o", color=BLUE, ms=4)


def priors(
    model: MixedLogit, data: ChoiceData, priors: Mapping[str, PriorLike] | None = None
) -> PriorTable:
    """The priors that ``bm.sample`` gives a model on data, before anything is sampled.

    Parameters
    ----------
    model, data
        The model, and the data to which default priors are scaled.
    priors
        Replacements of defaults, by flat name or by kind: ``{"mean[x]": (0, 1), "sd":
        bm.Prior("half-student-t", nu=4, sigma=1, scaled=True), "corr": 2}``; see
        `bayesmix.bayes.priors.make_priors`.

    Returns
    -------
    PriorTable
        With the DataFrame ``table`` by flat name (law, sd and quantiles in the parameter's own
        units, natural unit), and ``plot()``, which sets the priors against the multinomial logit's
        estimates.

    Raises
    ------
    SpecificationError, DataError
        If model, data and priors do not fit together.

    Examples
    --------
    >>> import bayesmix as bm
    >>> model = bm.MixedLogit("pf + cl", random=bm.Normal("pf"))
    >>> given = {"sd": bm.Prior("gamma", alpha=2, beta=4)}
    >>> found = bm.priors(model, bm.examples.electricity(), given)
    >>> print(found.table.loc["sd[pf]", "law"])
    gamma(shape=2, rate=4)
    >>> round(float(found.table.loc["sd[pf]", "sd"]), 6)  # sqrt(2) / 4
    0.353553
    """
    observed = isinstance(data, ChoiceData) and data.observed
    refuse_posterior_nests(model)
    problem = bind(model, data) if observed else bind_sets(model, data)
    table = prior_summary(problem, priors)
    return PriorTable(table, _likelihood(problem) if observed else _nothing())


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({"estimate": [], "std error": []}, dtype=float)


def _likelihood(problem: Problem) -> pd.DataFrame:
    """The multinomial logit's estimates by flat name, of coefficients that are no index."""
    if problem.price >= 0:
        return _nothing()
    try:
        logit = multinomial(problem)
    except ConvergenceError:
        return _nothing()
    names, k = [*problem.design.random_names, *problem.design.fixed_names], len(problem.index)
    rows = {}
    for place, name in enumerate(names):
        indexed = place < k and problem.index[place]
        parameter = f"{(MEAN if place < k else FIXED).name}[{name}]"
        if parameter not in problem.parameters.names:  # one of each class
            continue
        if not indexed and np.isfinite(logit.std_errors[place]):
            pair = logit.coefficients[place], logit.std_errors[place]
            rows[parameter] = pair
    return pd.DataFrame.from_dict(rows, orient="index", columns=["estimate", "std error"])
