"""Estimates of several fits, Bayesian and classical, side by side."""

import shutil
from collections.abc import Callable, Mapping
from html import escape
from textwrap import fill
from typing import Any, ClassVar, Protocol, runtime_checkable

import pandas as pd
import xarray as xr

from bayesmix.arguments import flag, refused
from bayesmix.bayes.pointwise import CONSTANTS
from bayesmix.bayes.read import posterior_draws, posterior_group
from bayesmix.data.display import Table, html, number, whole
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.reporting.joined_rows import joined_rows
from bayesmix.reporting.model_facts import below, model_facts
from bayesmix.reporting.named_draws import SAMPLE_DIMS, flat_items
from bayesmix.reporting.units import units_in_words
from bayesmix.specification.layout import Layout

ROUNDING = 1e-12
"""Part of an estimate below which a standard error is none: the parameter is held."""


DIFFERENCE = "difference (std errors)"
MOST_CONSTANTS = 6
"""Constants by market and alternative, which may be thousands, that are printed."""


class NoEstimates(SpecificationError, TypeError):
    """What was handed over holds no estimates: a TypeError too, as it has been before."""


@runtime_checkable
class HasEstimates(Protocol):
    """What a classical fit offers: two Series by flat name, and what these name (a `Fit` does)."""

    @property
    def space(self) -> Layout: ...

    @property
    def params(self) -> pd.Series: ...

    @property
    def std_errors(self) -> pd.Series: ...


class Comparison(Table):
    """Estimates beside one another, with what models are of, and units, below.

    Attributes
    ----------
    models
        Counts, log-likelihoods, criteria, grids, certificates and seconds, a row each.
    units
        Sentences on means and standard deviations that are of a logarithm and the like, and on
        money: what names of rows do not say.
    """

    _metadata: ClassVar[list[str]] = ["models", "units"]
    models: pd.DataFrame
    units: tuple[str, ...]

    @property
    def _constructor(self) -> Callable[..., Table]:
        return Table

    def __repr__(self) -> str:
        shown, left_out = self._shown()
        facts, sentences = below(self.models)
        sentences = [*left_out, *self.units, *sentences]
        width = shutil.get_terminal_size().columns
        lines = [fill(one, width, subsequent_indent="  ") for one in sentences]
        tables = [whole(shown, number), whole(facts)]
        return "\n\n".join([*tables, *(["\n".join(lines)] if lines else [])])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        shown, left_out = self._shown()
        facts, sentences = below(self.models)
        words = [f"<p>{escape(s)}</p>" for s in [*left_out, *self.units, *sentences]]
        return html(shown, number) + html(facts) + "".join(words)

    def _shown(self) -> tuple[pd.DataFrame, list[str]]:
        """The rows that are printed, and a sentence on those that are too many."""
        of_markets = self.index.str.startswith(f"{CONSTANTS}[")
        many = int(of_markets.sum())
        if many <= MOST_CONSTANTS:
            return self, []
        return self[~of_markets], [
            f"{many:,} constants by market and alternative are in the table, and not printed: "
            f"table.filter(like='{CONSTANTS}', axis=0).to_string()"
        ]


def compare(
    fits: Mapping[str, xr.DataTree | HasEstimates],
    *,
    differences: bool = False,
    grid: Rule | Centred | None = None,
) -> Comparison:
    """Put the estimates of several fits side by side.

    Parameters
    ----------
    fits
        By label: a posterior (DataTree, of which mean and standard deviation are taken) or a `Fit`
        (estimate and standard error).
    differences
        Adds, for every fit but the first, its estimate minus the first one's, in standard errors
        (posterior standard deviations) of the first.
    grid
        A rule on which the log-likelihoods of all fits are computed anew, such as
        ``bm.centred(bm.sobol(512))``: those that fits report are on grids of their own, and differ
        by integration errors too.

    Returns
    -------
    DataFrame (P, 2 or 3 columns a fit)
        Rows by flat name, in order of first appearance; columns (label, "estimate" | "std error" |
        "difference (std errors)"). A parameter that a fit does not have is NaN there. A
        coefficient that is fixed in one model and random in another has one row, ``"fixed[x]"``,
        where its mean is in the same units. Constants by market and alternative are rows too, which
        are not printed where they are more than six. ``models``, printed below, has counts,
        log-likelihoods, AIC, BIC, grids, certificates and seconds.

    Raises
    ------
    SpecificationError
        For a value of another type, an empty mapping, or draws that are no numbers.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit, fewer = (bm.msle(bm.MixedLogit(terms), data) for terms in ("pf + cl", "pf"))
    >>> table = compare({"both": fit, "again": fit, "one": fewer}, differences=True)
    >>> float(table.loc["fixed[cl]", ("again", "difference (std errors)")])
    0.0
    >>> float(table.loc["fixed[cl]", ("one", "estimate")])
    nan
    """
    flag("differences", differences)
    if grid is not None and not isinstance(grid, Rule | Centred):
        raise refused("grid", "a rule, such as bm.centred(bm.sobol(512))", grid)
    columns = {label: _estimates(label, fit) for label, fit in labelled("fits", fits).items()}
    joined = joined_rows(fits, {label: table.index for label, table in columns.items()})
    columns = {label: table.rename(index=joined) for label, table in columns.items()}
    rows = list(dict.fromkeys(name for table in columns.values() for name in table.index))
    columns = {label: table.reindex(rows) for label, table in columns.items()}
    if differences:
        first = next(iter(columns.values()))
        errors = first["std error"].where(first["std error"] > ROUNDING * first["estimate"].abs())
        for table in list(columns.values())[1:]:
            table[DIFFERENCE] = (table["estimate"] - first["estimate"]) / errors
    result = Comparison(pd.concat(columns, axis="columns"))
    result.index.name = "parameter"
    result.models = model_facts(fits, grid, certificates=True)
    result.units = units_in_words(fits)
    return result


def _estimates(label: str, fit: xr.DataTree | HasEstimates) -> pd.DataFrame:
    """(P, 2): estimate and standard error by flat name."""
    if isinstance(fit, xr.DataTree):
        return _moments(label, fit)
    if isinstance(fit, HasEstimates):
        return pd.DataFrame({"estimate": fit.params, "std error": fit.std_errors})
    raise NoEstimates(
        f"compare: {label!r} is a {type(fit).__name__}; expected a posterior (DataTree) or a Fit"
    )


def labelled(name: str, results: Any) -> Mapping[str, Any]:
    """Results by label, at least one."""
    if not isinstance(results, Mapping):
        kind = type(results).__name__
        raise NoEstimates(
            f"argument {name!r} must be results by label, such as {{'MSLE': fit}}, got a {kind}"
        )
    if not results:
        raise NoEstimates(
            f"argument {name!r} has no results: give at least one fit by label, {{'MSLE': fit}}"
        )
    return results


def _moments(label: str, posterior: xr.DataTree) -> pd.DataFrame:
    try:
        posterior_group(posterior)
    except SpecificationError as error:
        raise NoEstimates(f"compare: {label!r}: {error}") from None
    dataset = posterior_draws(posterior, f"the posterior {label!r}")
    return pd.DataFrame.from_dict(
        {name: _mean_and_sd(draws) for name, draws in flat_items(dataset)},
        orient="index",
        columns=["estimate", "std error"],
    )


def _mean_and_sd(draws: xr.DataArray) -> tuple[float, float]:
    """Mean and standard deviation over all draws; of a single one there is no deviation."""
    sd = float(draws.std(SAMPLE_DIMS, ddof=1)) if draws.size > 1 else float("nan")
    return float(draws.mean(SAMPLE_DIMS)), sd
