"""The record of a classical fit: estimates, curvature, scores, and what is read off these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.classical.covariance import Information, natural_covariance
from bayesmix.specification.layout import Layout
from bayesmix.specification.model import MixedLogit

if TYPE_CHECKING:
    from bayesmix.accuracy.certificate import Certificate
    from bayesmix.classical.gmm import Overidentification
    from bayesmix.classical.market_constants import MarketConstants
    from bayesmix.classical.simulation_error import SimulationError
    from bayesmix.data.choices import ChoiceData
    from bayesmix.likelihood.problem import Problem


OF_TYPES = {"NPMLE": "bm.nonparametric", "LML": "bm.logit_mixed"}
"""Estimators of shares of points, and their functions: of a class logit none has a covariance."""


@dataclass(frozen=True, eq=False, repr=False)
class Estimates:
    """What a `Fit` holds, whose parameters these are; what reads fits takes the estimates."""

    estimator: str
    model: MixedLogit
    space: Layout
    theta: Array
    loglik: float
    loglik_multinomial: float
    information: Information
    grid: Any
    integration: Certificate | SimulationError | None
    optima: pd.DataFrame
    converged: bool
    message: str
    n_persons: int
    n_situations: int
    seconds: float
    problem: Problem
    fingerprint: str = ""
    overidentification: Overidentification | None = None
    market_constants: MarketConstants | None = None
    at_bounds: tuple[str, ...] = ()
    """Parameters that would have crossed a bound of the model, and are held there."""

    @property
    def n_parameters(self) -> int:
        """Parameters that were estimated, those that ended at a bound included."""
        return self.information.size + len(self.at_bounds)

    @property
    def params(self) -> pd.Series:
        """Estimates by flat name."""
        return self.space.series(self.space.natural(self.theta)).rename("estimate")

    @property
    def data(self) -> ChoiceData:
        """The data of the fit; with ``market_shares=`` those given, with constants as an offset."""
        return self.problem.data

    @property
    def offset(self) -> str | None:
        """Column of the known utility in the fit's data, which other data must have too."""
        return self.problem.data.known.offset

    @property
    def aic(self) -> float:
        """Akaike's criterion ``2 P - 2 log L``; NaN for moments and scores.

        A parameter that ended at a bound was estimated, and is one of the P, as Biogeme and lme4
        count it; what is held by ``fixed=`` is none.
        Their estimates do not maximise this log-likelihood. With weights it is that of a weighted
        pseudo-likelihood, which grows with their scale: compare fits with the same weights alone,
        and scale them to a mean of 1.
        """
        if self.estimator != "MSLE":
            return float("nan")
        return 2.0 * self.n_parameters - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion ``P log I - 2 log L``: persons are the independent observations.

        NaN for moments and scores, and with weights of a pseudo-likelihood, as `aic`.
        """
        if self.estimator != "MSLE":
            return float("nan")
        return self.n_parameters * float(np.log(self.n_persons)) - 2.0 * self.loglik

    @property
    def std_errors(self) -> pd.Series:
        """Robust standard errors by person (or cluster), by flat name; NaN where there is none."""
        variances = np.diag(self.covariance().to_numpy())
        return self.space.series(np.sqrt(variances)).rename("std error")

    def covariance(self, kind: str | None = None) -> pd.DataFrame:
        """Covariance matrix of the estimates, of a kind.

        With the curvature ``H``, person weights ``w_i`` and scores ``s_i``:

        - ``"hessian"``: ``H^-1``, right where the model is;
        - ``"opg"``: ``(sum_i w_i s_i s_i')^-1``, the same from scores alone;
        - ``"robust"``: ``H^-1 (sum_i w_i^2 s_i s_i') H^-1``, which allows for weights and for a
          law that is not quite the right one;
        - ``"cluster"``: ``G / (G - 1) H^-1 (sum_g s_g s_g') H^-1`` with ``s_g`` the sum of
          ``w_i s_i`` over the persons of a cluster, of which there are G.

        With a control function every kind carries the sampling of its first stage (Murphy and Topel
        1985): the meat is that of ``sum_i w_i s_i + C (gamma_hat - gamma)``, with ``C`` the scores'
        derivatives in first-stage coefficients. Where the first stage's clusters are within those
        of the fit both are summed together; elsewhere the two are independent (Karaca-Mandic and
        Train 2003).

        All sum over the situations of a person first. They are carried from the
        free vector to the printed parameters by the delta method.

        Parameters
        ----------
        kind
            ``"cluster"`` where the fit has clusters and ``"robust"`` elsewhere, by default.

        Returns
        -------
        pandas.DataFrame
            (P, P) by flat name. 0 for parameters that are held; those that are tied share theirs.
            NaN for parameters at a boundary, such as a standard deviation of
            0, which have no normal limit; all NaN where the curvature is not that of a maximum.

        Raises
        ------
        SpecificationError
            If ``kind`` is unknown, or ``"cluster"`` for a fit without clusters.

        References
        ----------
        Berndt, Hall, Hall and Hausman (1974); White (1982); Liang and Zeger (1986); Murphy and
        Topel (1985); Karaca-Mandic and Train (2003).

        Examples
        --------
        >>> import bayesmix as bm
        >>> data = bm.examples.electricity()
        >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
        >>> robust = fit.covariance("robust")
        >>> bool((robust.to_numpy().diagonal() ** 0.5 == fit.std_errors).all())
        True
        >>> list(robust.columns)
        ['fixed[pf]', 'fixed[cl]']
        """
        free = self.information.covariance(kind)
        names = self.params.index
        values = natural_covariance(
            self.space, self.theta, free, self.information.silent, self.information.constraint
        )
        return pd.DataFrame(values, index=names, columns=names)

    @property
    def weights(self) -> Array:
        """Weights (I,) of persons, as given with the data."""
        weights: Array = self.problem.data.weights
        return weights
