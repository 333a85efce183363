"""Estimates of resampled persons: covariances, intervals, tables."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.data.display import html, whole
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameter import SD


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Estimates in samples of persons drawn with replacement.

    Parameters
    ----------
    estimate
        The fit's estimates, by flat name.
    thetas
        Free vectors (D, P) of the replications that converged, standard deviations at the boundary
        exactly 0.
    params
        The same as parameters that people read, a row a replication; the index numbers them.
    space
        Names, kinds and layout of the parameters.
    replications
        How many were asked for.
    failed
        Numbers of those that did not converge, which are not in ``params``.
    interrupted
        Whether the run was ended before all had been made.
    held
        In words, what is held, tied or left undefined in the fit, by flat name; None without any.
    first_stage
        Coefficients (D, G) of the first stage of a control function in the replications; None
        without one.
    """

    estimate: pd.Series
    thetas: Array
    params: pd.DataFrame
    space: Layout
    replications: int
    failed: tuple[int, ...] = ()
    interrupted: bool = False
    held: pd.Series | None = None
    first_stage: Array | None = None

    @property
    def covariance(self) -> pd.DataFrame:
        """Covariance (P, P) of the estimates over replications."""
        return self.params.cov()

    @property
    def std_errors(self) -> pd.Series:
        """Standard deviations of the estimates over replications, by flat name.

        0 for parameters that are held; NaN where all are at the boundary 0, and none tells how far
        an estimate may be from it.
        """
        spread = self.params.std(ddof=1).mask((self.params == 0).all())
        if self.held is not None:
            spread = spread.mask(self.held == "held", 0.0)
        return spread.rename("std error")

    def intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Percentile intervals (Efron 1979), by flat name."""
        arguments.real("level", level, above=0, below=1)
        tail = (1 - level) / 2
        ends = self.params.quantile([tail, 1 - tail]).T
        return ends.set_axis([f"{100 * tail:g} %", f"{100 * (1 - tail):g} %"], axis="columns")

    def summary(self) -> pd.DataFrame:
        """Estimates, bootstrap standard errors and 95 % percentile intervals.

        A column ``note`` says in how many replications a standard deviation is 0, where in any, and
        what is held.
        """
        table = pd.DataFrame({"estimate": self.estimate, "std error": self.std_errors})
        table = pd.concat([table, self.intervals()], axis="columns")
        notes = self._notes()
        return table.assign(note=notes) if (notes != "").any() else table

    def _notes(self) -> pd.Series:
        """In words, how many replications have a parameter at the boundary, by flat name."""
        names, n = self.params.columns, len(self.params)
        zero = (self.params == 0).sum().where(self.space.of_kind(SD), 0)
        none = self.params.isna().sum()
        words = [
            f"at the boundary 0 in {z} of {n} replications"
            if z
            else f"no value in {k} of {n} replications: a standard deviation is 0"
            if k
            else ""
            for z, k in zip(zero, none, strict=True)
        ]
        found = pd.Series(words, index=names)
        return found if self.held is None else found.mask(self.held != "", self.held)

    def headline(self) -> str:
        """How many replications there are, and what became of the others."""
        words = f"bootstrap over persons, {len(self.params)} of {self.replications} replications"
        if self.failed:
            numbers = ", ".join(map(str, self.failed[:10]))
            more = ", ..." if len(self.failed) > 10 else ""
            words += f"; {len(self.failed)} did not converge (numbers {numbers}{more})"
        return words + ("; interrupted" if self.interrupted else "")

    def __str__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.summary(), '{:.4f}', blank='NaN')}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = escape(self.headline(), quote=False)
        return f"<p>{words}</p>{html(self.summary(), '{:.4f}', blank='NaN')}"
