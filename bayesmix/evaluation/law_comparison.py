"""What `compare_laws` returns: a table, fits, scores, and a picture of laws over one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.data.display import Table
from bayesmix.errors import SpecificationError
from bayesmix.evaluation.cross_validation import CrossValidation
from bayesmix.likelihood.simulate import draw_coefficients
from bayesmix.picture import sheet

COLUMNS = 3
PEOPLE = 4_000
"""People drawn of each law for its picture, at least."""
SHOWN = (0.01, 0.99)
"""Quantiles between which a law is drawn: far tails would take all of the axis."""


@dataclass(frozen=True, eq=False, repr=False)
class LawComparison:
    """Laws for one utility beside one another.

    Parameters
    ----------
    table
        A row a law, the best AIC first, as `compare_laws` says.
    fits
        By label, of the laws that could be fitted.
    scores
        By label, of people left out; empty where they were not asked for.
    failed
        By label, why a law could not be fitted, or why its row has gaps.
    """

    table: pd.DataFrame
    fits: Mapping[str, Fit]
    scores: Mapping[str, CrossValidation]
    failed: Mapping[str, str]

    def plot(self, terms: Sequence[str] | None = None) -> Figure:
        """The share of people whose coefficient is at most a value, a line a law.

        A panel a term that is random under some law, at the estimates, for the people of the
        data: 4,000 draws or more. Where a law has it fixed there is a step. Each line goes from
        the law's 1st to its 99th percentile.

        Parameters
        ----------
        terms
            Which of the terms; all by default.

        Raises
        ------
        SpecificationError
            If a term is random under no law.
        """
        found = {label: _random(fit) for label, fit in self.fits.items()}
        known = list(dict.fromkeys(term for own in found.values() for term in own))
        if not known:
            raise SpecificationError("no law has a random coefficient, and nothing is distributed")
        shown = known if terms is None else arguments.names("terms", terms, "random terms")
        strange = [term for term in shown if term not in known]
        if strange or not shown:
            raise SpecificationError(f"argument 'terms' must be of {known}, got {list(shown)}")
        columns = min(COLUMNS, len(shown))
        rows = -(-len(shown) // columns)
        figure = sheet(1.2 + 3.1 * columns, 0.8 + 2.4 * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, term in zip(axes, shown, strict=False):
            self._panel(axis, term, found)
        for axis in axes[::columns]:
            axis.set_ylabel("share of people at most")
        for axis in axes[len(shown) :]:
            axis.remove()
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
        return figure

    def _panel(self, axis: Axes, term: str, found: Mapping[str, Mapping[str, Array]]) -> None:
        for number, label in enumerate(self.fits):
            own, color = found[label], f"C{number % 10}"
            if term in own:
                values = np.sort(own[term])
                share = (np.arange(len(values)) + 0.5) / len(values)
                inside = (share >= SHOWN[0]) & (share <= SHOWN[1])
                axis.plot(values[inside], share[inside], color=color, label=label)
            elif f"fixed[{term}]" in self.fits[label].params:
                value = float(self.fits[label].params[f"fixed[{term}]"])
                axis.plot([value, value], [0.0, 1.0], color=color, ls="--", label=label)
            else:
                axis.plot([], [], color=color, label=label)
        axis.axvline(0.0, color="0.7", lw=0.8, zorder=0)
        axis.set(xlabel=term, ylim=(0.0, 1.0))
        axis.spines[["top", "right"]].set_visible(False)

    def _words(self) -> list[str]:
        return [
            f"{label}: {'in part' if label in self.fits else 'not fitted'}: {why}"
            for label, why in self.failed.items()
        ]

    def __repr__(self) -> str:
        return "\n".join([str(Table(self.table.round(4))), *self._words()])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(words)}</p>" for words in self._words())
        return Table(self.table.round(4))._repr_html_() + notes


def _random(fit: Fit) -> dict[str, Array]:
    """Coefficients of people drawn at the estimates, by random term."""
    problem, rng = fit.problem, np.random.default_rng(0)
    terms = problem.parameters.random
    if not terms:
        return {}
    times = -(-PEOPLE // problem.n_persons)
    drawn = np.concatenate([draw_coefficients(problem, fit.theta, rng) for _ in range(times)])
    return dict(zip(terms, drawn.T, strict=True))
