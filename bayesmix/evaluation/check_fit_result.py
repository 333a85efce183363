"""The record of a check of a fit: p-values, tables, a page of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from bayesmix.data.display import html, whole
from bayesmix.evaluation.envelope import Envelope
from bayesmix.evaluation.statistics import Statistic

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class FitCheck:
    """Observed choices among replicated ones; what `check_fit` returns.

    Parameters
    ----------
    statistics, bands
        What was compared, and the observed curve of each among the replicated ones.
    persons, situations, replications
        How many of each.
    interval
        Probability of the simultaneous bands.
    notes
        In words, whose coefficients were drawn, and what that checks.
    """

    statistics: tuple[Statistic, ...]
    bands: tuple[Envelope, ...]
    persons: int
    situations: int
    replications: int
    interval: float
    notes: tuple[str, ...]

    @cached_property
    def checks(self) -> pd.DataFrame:
        """By check: ``p-value``, and where it is most extreme, ``at``, ``observed``, ``expected``.

        The p-value is the share of the curves, replicated and observed, that are as extreme.
        """
        rows = {
            one.name: {
                "p-value": band.p_value,
                "at": one.labels[band.worst],
                "observed": band.observed[band.worst],
                "expected": band.expected[band.worst],
            }
            for one, band in zip(self.statistics, self.bands, strict=True)
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("check")

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every point of every check: ``observed``, ``expected``, ``low`` and ``high``."""
        parts = [
            pd.DataFrame(
                {
                    "check": one.name,
                    "at": one.labels,
                    "observed": band.observed,
                    "expected": band.expected,
                    "low": band.low,
                    "high": band.high,
                }
            )
            for one, band in zip(self.statistics, self.bands, strict=True)
        ]
        return pd.concat(parts, ignore_index=True)

    def plot(self) -> Figure:
        """One page: a panel a check, observed values, expected ones and their bands.

        Of attributes the six with the smallest p-values are drawn; `table` has all.
        """
        from bayesmix.evaluation.check_plot import page  # matplotlib, when it is asked for

        return page(self.statistics, self.bands)

    def __repr__(self) -> str:
        return "\n".join([self._heading, whole(self.checks, "{:.4g}"), *self.notes])

    def _repr_html_(self) -> str:
        lines = [self._heading, html(self.checks, "{:.4g}"), *self.notes]
        return "".join(line if line.startswith("<") else f"<p>{line}</p>" for line in lines)

    @property
    def _heading(self) -> str:
        return (
            f"{self.situations} choices of {self.persons} persons among {self.replications} "
            f"replications; bands hold {100 * self.interval:g} % of these everywhere at once"
        )
