"""`bm.table`: several models beside one another, as journals print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from bayesmix import arguments
from bayesmix.classical.fit import Fit
from bayesmix.classical.latex_table import errors_of
from bayesmix.data.booktabs import tabular
from bayesmix.data.display import Table, html
from bayesmix.reporting.compare import compare, labelled
from bayesmix.reporting.model_facts import in_words, model_facts
from bayesmix.reporting.units import units_in_words
from bayesmix.reporting.word import write_word

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

    def to_word(self, path: str | PathLike[str], *, caption: str | None = None) -> None:
        """Write the table and its notes as a Word document.

        Three rules, as journals have them: above and below the heading, and at the end.

        Parameters
        ----------
        path
            Of the file, ``"table.docx"``; an older one is replaced.
        caption
            A line above.

        Raises
        ------
        DataError
            Where python-docx is not installed, naming the extra that installs it.
        """
        if caption is not None:
            arguments.text("caption", caption)
        write_word(self.frame, path, self.notes, caption)


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
        ``to_latex()``, ``to_html()``, ``to_markdown()`` and ``to_word(path)`` write it; ``frame``
        holds its cells.

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
    columns = {
        label: _column(label, result, estimates, (stars, digits))
        for label, result in several.items()
    }
    rows: list[tuple[str, list[str]]] = []
    for name in estimates.index:
        cells = [columns[label].get(name, ("", "")) for label in several]
        rows += [(words.get(name, name), [c[0] for c in cells]), ("", [c[1] for c in cells])]
    below = in_words(model_facts(several))
    rows += [
        (str(name), list(row)) for name, row in zip(below.index, below.to_numpy(), strict=True)
    ]
    frame = pd.DataFrame(
        [cells for _, cells in rows],
        index=pd.Index([name for name, _ in rows]),
        columns=[str(label) for label in several],
    )
    return RegressionTable(frame, (*_own_notes(several, stars), *notes))


def _column(
    label: str,
    result: Any,
    estimates: pd.DataFrame,
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
        found[str(name)] = (f"{value:.{digits}f}{mark}", brackets)
    return found


def _stars(value: float, error: float) -> str:
    if not (np.isfinite(error) and error > 0):
        return ""
    p = 2 * norm.sf(abs(value / error))
    return next((mark for level, mark in LEVELS if p < level), "")


def _own_notes(results: Mapping[str, Any], stars: bool) -> list[str]:
    """Which standard errors these are, how certain integrals, and on which grids."""
    fits = {label: result for label, result in results.items() if isinstance(result, Fit)}
    said = [f"{label}: {errors_of(fit, fit.information.kind)}." for label, fit in fits.items()]
    if len(fits) < len(results):
        said.append("Posteriors: means, and standard deviations in brackets.")
    said += [f"{words}." for words in units_in_words(results)]
    if stars:
        said.append("* p < 0.1, ** p < 0.05, *** p < 0.01, two-sided, normal.")
    said += [
        f"{label}: {fit.integration}." for label, fit in fits.items() if fit.integration is not None
    ]
    rules = {str(f.grid.rule) for f in fits.values() if f.space.n_random}
    if len(rules) > 1:
        said.append("Log-likelihoods are on different grids: compare them with their errors.")
    return said
