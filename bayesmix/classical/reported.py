"""Estimates in tables and words: functions of them, intervals, the summary."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesmix.classical import maketables
from bayesmix.classical.delta import delta
from bayesmix.classical.estimates import Estimates
from bayesmix.classical.headline import headline
from bayesmix.classical.latex_table import fit_to_latex
from bayesmix.classical.summary import confidence_intervals, summary
from bayesmix.data.display import html, number, whole

if TYPE_CHECKING:
    pass


class Reported(Estimates):
    """Estimates in tables and words: the half of `Fit` that prints."""

    __maketables_stat_labels__ = maketables.LABELS
    __maketables_default_stat_keys__ = ("N", "situations", "ll", "aic", "bic")
    __maketables_depvar__ = "choice"

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        return maketables.coefficients(self)

    def __maketables_stat__(self, key: str) -> Any:
        return maketables.statistic(self, key)

    @property
    def __maketables_vcov_info__(self) -> dict[str, str]:
        return {"vcov_type": self.information.kind, "se_type": self.information.kind}

    def delta(
        self,
        function: Callable[[pd.Series], Any],
        kind: str | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Estimates, standard errors and intervals of functions of the parameters.

        The delta method: ``g(b)`` has the covariance ``G V G'``, with ``V`` that of the estimates
        ``b`` and ``G`` the derivatives of ``g`` there, by central differences.

        Parameters
        ----------
        function
            From a Series of the parameters by flat name to a number, a vector, or a Series (or
            dict) of numbers by name.
        kind
            Covariance, see `covariance`.
        level
            Probability of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row a value: ``estimate``, ``std error``, ``z`` and the interval's ends, symmetric
            but for values that are called as a parameter is, whose scale they have; see
            `confidence_intervals`. NaN
            for functions that move with a parameter at a boundary, which has no normal limit.

        Raises
        ------
        SpecificationError
            If the function asks for a parameter that there is not, returns anything else, or other
            names as parameters change.

        References
        ----------
        Oehlert (1992); Daly, Hess and de Jong (2012) for ratios of coefficients.

        Examples
        --------
        >>> import bayesmix as bm
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), bm.examples.electricity())
        >>> table = fit.delta(lambda b: {"year in cents": b["fixed[cl]"] / b["fixed[pf]"]})
        >>> list(table.columns)
        ['estimate', 'std error', 'z', '2.5 %', '97.5 %']
        >>> same = fit.delta(lambda b: b["fixed[pf]"]).loc["value", "std error"]
        >>> bool(abs(same / fit.std_errors["fixed[pf]"] - 1) < 1e-6)
        True
        """
        return delta(self, function, kind, level)

    def confidence_intervals(self, level: float = 0.95, kind: str | None = None) -> pd.DataFrame:
        """Confidence intervals of the parameters, each on a scale on which it has no bounds.

        Parameters
        ----------
        level
            Probability that an interval holds the parameter.
        kind
            Covariance, see `covariance`.

        Returns
        -------
        pandas.DataFrame
            By flat name the interval's two ends, and the ``scale`` on which it is symmetric:
            ``"log"`` for standard deviations, ``"Fisher z"`` for correlations; ``"cut at 0"`` for
            standard deviations smaller than their errors; in words where there is no interval.

        Raises
        ------
        SpecificationError
            If ``level`` is not between 0 and 1, or ``kind`` is unknown.

        Examples
        --------
        >>> import bayesmix as bm
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), bm.examples.electricity())
        >>> found = fit.confidence_intervals(0.9)
        >>> list(found.columns)
        ['5 %', '95 %', 'scale']
        >>> bool((found["5 %"] < fit.params).all())
        True
        """
        return confidence_intervals(self, level, kind)

    def summary(self, level: float = 0.95, kind: str | None = None) -> pd.DataFrame:
        """Estimates, standard errors, z, and confidence intervals; robust by default.

        Intervals of standard deviations are made on the log scale and those of correlations on
        Fisher's z scale, so that they stay within bounds. Where ``mean`` and ``sd`` are not those
        of the coefficient, rows ``implied mean``, ``implied median`` and ``implied sd`` give them;
        where it may have both signs, ``share positive`` is the share of people above 0. Intervals
        of these are by the delta method. Of means with covariates they are of the population: the
        mixture of the laws of the sample's persons, with their weights. ``share negative`` is in
        place of it where a law ends at 0, and a share of people stands there. Where ``corr`` is
        that of the indices of laws, ``implied corr`` is that of the coefficients: with ``sign=-1``
        of the other sign. A column ``note`` says so, and which estimates are at a boundary.
        """
        return summary(self, level, kind)

    def to_latex(
        self,
        *,
        kind: str | None = None,
        caption: str | None = None,
        label: str | None = None,
        digits: int = 3,
    ) -> str:
        r"""The summary as a LaTeX table (booktabs), with notes.

        Below it stand the numbers of persons and situations, the log-likelihood, the kind of
        standard errors, the grid and the certificate of its integration error.

        Parameters
        ----------
        kind
            Covariance, see `covariance`.
        caption, label
            Make it a floating ``table``; a bare ``tabular`` without a caption.
        digits
            Decimals.

        Examples
        --------
        >>> import bayesmix as bm
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), bm.examples.electricity())
        >>> lines = fit.to_latex(digits=2).splitlines()
        >>> print(lines[4].replace(r"\\", "").strip())
        fixed{[}pf] & 0.06 & 0.01 & 8.00 & 0.04 & 0.07
        """
        return fit_to_latex(self, kind=kind, caption=caption, label=label, digits=digits)

    def headline(self) -> str:
        """The fit in a few lines."""
        return headline(self)

    def __repr__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.summary(), number, blank='NaN')}"

    def _repr_html_(self) -> str:
        lines = "<br>".join(escape(self.headline(), quote=False).splitlines())
        return f"<p>{lines}</p>{html(self.summary(), number, blank='NaN')}"
