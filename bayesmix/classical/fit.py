"""The one result type of the classical estimators."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from os import PathLike
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesmix.classical.clusters import clustered
from bayesmix.classical.delta import delta
from bayesmix.classical.estimates import Estimates
from bayesmix.classical.headline import headline
from bayesmix.classical.latex import fit_to_latex
from bayesmix.classical.predict import predict as predicted
from bayesmix.classical.storage import load, save
from bayesmix.classical.summary import confidence_intervals, summary
from bayesmix.data.display import html, whole

if TYPE_CHECKING:
    from bayesmix.data.choices import ChoiceData
    from bayesmix.integration.grids import Seed


class Fit(Estimates):
    """Estimates of a mixed logit, with what is needed to judge them.

    Parameters
    ----------
    estimator
        ``"MSLE"``, ``"MSM"`` or ``"MSS"``.
    model
        The model that was fitted.
    space
        Names and layout of its parameters.
    theta
        The free vector (P,) at the optimum.
    loglik
        Weighted log-likelihood on the fit's grid, nats.
    loglik_multinomial
        The multinomial logit's, nats: of coefficients that are the same for everybody, those of
        error components 0. Their means by covariates are no part of it.
    information
        Curvature and scores at the optimum.
    grid
        The grid as used; other estimators accept it.
    integration
        Certificate of the integration error; for moments and scores, which simulation does not
        bias, its part of variances. None where there is nothing to integrate.
    optima
        One row a start: log-likelihood reached, evaluations, whether it converged, and the grid
        on which it was reached (``grid="auto"`` compares starts on a coarse one).
    converged, message
        Whether the optimiser converged, and what there is to know.
    n_persons, n_situations
        Counts.
    seconds
        Wall time of the fit.
    fingerprint
        Digest of the choices and weights; tests compare fits of the same ones alone.
    problem
        The model bound to the data that it was fitted to, for what needs them again.
    overidentification
        Test of the moments that are more than parameters; None for other estimators than MSM.
    """

    def clustered(self, data: ChoiceData, column: str) -> Fit:
        """The same estimates with standard errors by cluster; see `msle`'s ``cluster``."""
        return clustered(self, data, column)

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

    def predict(
        self,
        data: ChoiceData | None = None,
        *,
        scenario: ChoiceData | None = None,
        predict: ChoiceData | None = None,
        people: str = "population",
        rng: Seed = 0,
    ) -> pd.DataFrame:
        """Predicted probability of every alternative in every situation, at the estimates.

        ``E[P_itj(beta)]``, the expectation over the population's coefficients on 256 scrambled
        Sobol nodes a person: what is expected of a person of whom no choice is known. See
        `bayesmix.predict` for intervals and posteriors, `shares` for averages.

        Parameters
        ----------
        data
            The data of the fit by default, or new data with the same columns: of one set too, and
            without choices. Centres, levels and the like that formulas have learnt stay those of
            the fit's data.
        scenario
            Made from ``data`` (or ``predict``) by ``with_attribute``, ``without`` or
            ``with_alternative``.
        predict
            Choice sets to predict for, where these are others than ``data``.
        people
            ``"known"``: each person's coefficients have their law given the person's choices in
            ``data``; to predict new sets of the same persons give these as ``predict``.
        rng
            Seed or Generator of the scrambles; with the same one scenarios compare.

        Returns
        -------
        pandas.DataFrame
            ``person``, ``situation``, ``alternative`` and ``probability``, in the order of
            ``data.frame``; the index holds the labels of the rows of the user's table. With an
            outside option each situation has a further row, ``"outside"``, whose label is None.

        Raises
        ------
        DataError
            If data or scenario are no choice data, or have an outside option where the fit has
            none (or the reverse); with ``people="known"`` if choices would be predicted from
            themselves, or ``predict`` has persons of whom ``data`` have no choices.
        SpecificationError
            If the data have categories that the fit has no coefficient for.

        References
        ----------
        Train (2009), chapter 2.

        Examples
        --------
        >>> import bayesmix as bm
        >>> data = bm.examples.electricity()
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
        >>> found = fit.predict()
        >>> float(found.groupby(["person", "situation"])["probability"].sum().max().round(12))
        1.0
        >>> without = fit.predict(scenario=data.without(4))
        >>> without["alternative"].unique().tolist()
        [1, 2, 3]
        """
        return predicted(self, data, scenario, predict, people, rng)

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

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fit as JSON; `load` reads it."""
        save(self, path)

    @staticmethod
    def load(path: str | PathLike[str], data: ChoiceData, *, trust: bool = False) -> Fit:
        """The fit that `save` wrote.

        A file is data: nothing in it is run, unless it is trusted.

        Parameters
        ----------
        path
            A file that `save` wrote.
        data
            The data of the fit, from which its grid is made again, node by node.
        trust
            True runs the Python that the model's formula holds, where it was fitted with
            ``MixedLogit(..., trust=True)``.

        Raises
        ------
        SpecificationError
            If the formula holds Python, and is not trusted.
        DataError
            If the file is no fit or of another version, or the log-likelihood on ``data`` is not
            the stored one: other choices, attributes or weights.

        Examples
        --------
        >>> import tempfile
        >>> import bayesmix as bm
        >>> data = bm.examples.electricity()
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit.save(f"{folder}/fit.json")
        ...     again = bm.Fit.load(f"{folder}/fit.json", data)
        >>> bool((again.covariance() == fit.covariance()).all(axis=None))
        True
        """
        return load(Fit, path, data, trust=trust)

    def headline(self) -> str:
        """The fit in a few lines."""
        return headline(self)

    def __repr__(self) -> str:
        return f"{self.headline()}\n\n{whole(self.summary(), '{:.4f}', blank='NaN')}"

    def _repr_html_(self) -> str:
        lines = "<br>".join(escape(self.headline(), quote=False).splitlines())
        return f"<p>{lines}</p>{html(self.summary(), '{:.4f}', blank='NaN')}"
