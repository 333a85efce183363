"""`bm.table`: several models beside one another, as journals print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from bayesmix import arguments
from bayesmix.bayes.read import attributes_of
from bayesmix.classical.fit import Fit
from bayesmix.classical.latex_table import errors_of
from bayesmix.data.booktabs import tabular
from bayesmix.data.display import Table, html
from bayesmix.reporting.compare import compare, labelled

LEVELS = ((0.01, "***"), (0.05, "**"), (0.1, "*"))
TESTED = ("mean", "fixed", "shift")
"""Kinds of parameters for which 0 is a value like others: of these alone there are stars."""


@dataclass(frozen=True, eq=False, repr=False)
class RegressionTable:
    """Estimates of several models, as `table` lays them out; prints itself, here and in notebooks.

    Attributes
    ----------
    frame
        Cells as text, a column a model; below an estimate stands its standard error.
    notes
        Sentences below the table.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join([repr(Table(self.frame)), *self.notes])

    def _repr_html_(self) -> str:
        below = "".join(f"<p><small>{escape(note)}</small></p>" for note in self.notes)
        return f"{html(self.frame)}{below}"

    def to_html(self) -> str:
        """The table and its notes as HTML."""
        return self._repr_html_()

    def to_latex(self, *, caption: str | None = None, label: str | None = None) -> str:
        r"""The table in LaTeX, with the rules of the package booktabs; see `bayesmix.to_latex`."""
        for name, words in (("caption", caption), ("label", label)):
            if words is not None:
                arguments.text(name, words)
        return tabular(self.frame, notes=self.notes, caption=caption, label=label)

    def to_markdown(self) -> str:
        """The table in Markdown, and its notes below."""
        rows = [("", *map(str, self.frame.columns)), ("---", *["---:"] * self.frame.shape[1])]
        rows += [tuple(map(str, row)) for row in self.frame.itertuples()]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        return "\n\n".join(["\n".join(lines), *self.notes])


def table(
    results: Mapping[str, Fit | xr.DataTree],
    *,
    stars: bool = False,
    digits: int = 3,
    labels: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> RegressionTable:
    """Put several models beside one another, standard errors below estimates.

    A coefficient that is fixed in one model and random in another has one row, where its mean is
    in the same units; the mean of a law's index, such as a lognormal's, has its own,
    ``mean[price]``.

    Parameters
    ----------
    results
        By label, fits and posteriors. Of a posterior there are means and standard deviations.
    stars
        Whether estimates of coefficients have stars, for 10, 5 and 1 % of a two-sided normal test.
        Standard deviations and posteriors have none: 0 is no value like others there.
    digits
        Decimals.
    labels
        Words by flat name, ``{"fixed[pf]": "Price, cents"}``, in place of names.
    notes
        Sentences below, after the table's own.

    Returns
    -------
    RegressionTable
        ``to_latex()``, ``to_html()`` and ``to_markdown()`` write it; ``frame`` holds its cells.

    Raises
    ------
    SpecificationError
        If there is no result, one is neither, or an argument is of the wrong kind.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fits = {n: bm.msle(bm.MixedLogit(n), data) for n in ("pf", "pf + cl")}
    >>> found = bm.table(fits, digits=2)
    >>> found.frame.loc["fixed[pf]"].tolist() == [f"{f.params['fixed[pf]']:.2f}" for f in
    ...     fits.values()]
    True
    """
    arguments.whole("digits", digits, least=0, most=30)
    arguments.flag("stars", stars)
    arguments.names("notes", notes, "a list of sentences")
    several = labelled("results", results)
    words = arguments.mapping("labels", {} if labels is None else labels, "words by flat name")
    for value in words.values():
        arguments.text("labels", value, "words by flat name")
    estimates = compare(several)
    joined = _joined(several)
    order = list(dict.fromkeys(joined.get(name, name) for name in estimates.index))
    columns = {
        label: _column(label, result, estimates, joined, (stars, digits))
        for label, result in several.items()
    }
    rows: list[tuple[str, list[str]]] = []
    for name in order:
        cells = [columns[label].get(name, ("", "")) for label in several]
        rows += [(words.get(name, name), [c[0] for c in cells]), ("", [c[1] for c in cells])]
    rows += _below(several)
    frame = pd.DataFrame(
        [cells for _, cells in rows],
        index=pd.Index([name for name, _ in rows]),
        columns=[str(label) for label in several],
    )
    return RegressionTable(frame, (*_own_notes(several, stars), *notes))


def _joined(results: Mapping[str, Any]) -> dict[str, str]:
    """Names of means that share a row with the fixed coefficient of another model."""
    fixed = {
        str(p) for r in results.values() if isinstance(r, Fit) for p in r.space.listed
        if p.kind.name == "fixed"
    }  # fmt: skip
    found: dict[str, str] = {}
    for result in results.values():
        if not isinstance(result, Fit) or result.problem is None:
            continue
        for coefficient in result.problem.design.coefficients:
            name = f"fixed[{coefficient.term}]"
            if not coefficient.law.index and name in fixed:
                found[f"mean[{coefficient.term}]"] = name
    return {mean: name for mean, name in found.items() if not _indices(results, mean)}


def _indices(results: Mapping[str, Any], mean: str) -> bool:
    """Whether a mean of this name is an index's in some model, or of one that does not say."""
    for result in results.values():
        if not isinstance(result, Fit):
            return True
        if mean not in result.params.index:
            continue
        problem = result.problem
        if problem is None:
            return True
        if any(c.law.index and f"mean[{c.term}]" == mean for c in problem.design.coefficients):
            return True
    return False


def _column(
    label: str,
    result: Any,
    estimates: pd.DataFrame,
    joined: Mapping[str, str],
    style: tuple[bool, int],
) -> dict[str, tuple[str, str]]:
    """By row, an estimate and its standard error in brackets."""
    stars, digits = style
    found = {}
    for name, (value, error) in estimates[label].iterrows():
        if pd.isna(value):
            continue
        tested = stars and isinstance(result, Fit) and str(name).partition("[")[0] in TESTED
        mark = _stars(value, error) if tested else ""
        brackets = f"({error:.{digits}f})" if np.isfinite(error) and error > 0 else "(held)"
        if not np.isfinite(error):
            brackets = "(.)"
        found[joined.get(str(name), str(name))] = (f"{value:.{digits}f}{mark}", brackets)
    return found


def _stars(value: float, error: float) -> str:
    if not (np.isfinite(error) and error > 0):
        return ""
    p = 2 * norm.sf(abs(value / error))
    return next((mark for level, mark in LEVELS if p < level), "")


def _below(results: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What models are of and how they were estimated, a row each; "" where it is not known."""
    every = [_facts(result) for result in results.values()]
    names = list(dict.fromkeys(name for facts in every for name in facts))
    return [(name, [facts.get(name, "") for facts in every]) for name in names]


def _facts(result: Any) -> dict[str, str]:
    if not isinstance(result, Fit):
        group = result["posterior"] if "posterior" in result.children else result
        sizes = group.sizes
        facts = {"method": "posterior", "draws": f"{sizes['chain'] * sizes['draw']:,}"}
        known = attributes_of(result)
        return facts | ({"grid": str(known["grid"])} if "grid" in known else {})
    facts = {
        "method": result.estimator,
        "persons": f"{result.n_persons:,}",
        "situations": f"{result.n_situations:,}",
        "parameters": str(result.information.size),
        "log-likelihood": f"{result.loglik:.3f}",
    }
    if result.estimator == "MSLE":
        facts |= {"AIC": f"{result.aic:.1f}", "BIC": f"{result.bic:.1f}"}
    if result.space.n_random:
        facts["grid"] = str(result.grid.rule)
    return facts | {"seconds": f"{result.seconds:.1f}"}


def _own_notes(results: Mapping[str, Any], stars: bool) -> list[str]:
    """Which standard errors these are, how certain integrals, and on which grids."""
    fits = {label: result for label, result in results.items() if isinstance(result, Fit)}
    said = [f"{label}: {errors_of(fit, fit.information.kind)}." for label, fit in fits.items()]
    if len(fits) < len(results):
        said.append("Posteriors: means, and standard deviations in brackets.")
    if stars:
        said.append("* p < 0.1, ** p < 0.05, *** p < 0.01, two-sided, normal.")
    said += [
        f"{label}: {fit.integration}." for label, fit in fits.items() if fit.integration is not None
    ]
    rules = {str(f.grid.rule) for f in fits.values() if f.space.n_random}
    if len(rules) > 1:
        said.append("Log-likelihoods are on different grids: compare them with their errors.")
    return said
