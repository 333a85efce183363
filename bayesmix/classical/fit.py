"""The one result type of the classical estimators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmix.classical.covariance import Information, natural_covariance
from bayesmix.classical.summary import implied_moments, intervals
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameters import ParameterSpace

if TYPE_CHECKING:
    from bayesmix.classical.gmm import Overidentification
    from bayesmix.data.choices import ChoiceData
    from bayesmix.likelihood.certificate import Certificate

Array = NDArray[np.float64]

SAME_OPTIMUM = 0.1
"""Nats between log-likelihoods of one optimum, reached by different ways."""


@dataclass(frozen=True, eq=False)
class Fit:
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
        The multinomial logit's, nats.
    information
        Curvature and scores at the optimum.
    grid
        The grid as used; other estimators accept it.
    integration
        Certificate of the integration error; None where there is nothing to integrate.
    optima
        One row a start: log-likelihood reached, evaluations, whether it converged, and the grid
        on which it was reached (``grid="auto"`` compares starts on a coarse one).
    converged, message
        Whether the optimiser converged, and what there is to know.
    n_persons, n_situations
        Counts.
    seconds
        Wall time of the fit.
    overidentification
        Test of the moments that are more than parameters; None for other estimators than MSM.
    """

    estimator: str
    model: MixedLogit
    space: ParameterSpace
    theta: Array
    loglik: float
    loglik_multinomial: float
    information: Information
    grid: Any
    integration: Certificate | None
    optima: pd.DataFrame
    converged: bool
    message: str
    n_persons: int
    n_situations: int
    seconds: float
    overidentification: Overidentification | None = None

    @property
    def params(self) -> pd.Series:
        """Estimates by flat name."""
        return self.space.series(self.space.natural(self.theta)).rename("estimate")

    @property
    def aic(self) -> float:
        """Akaike's criterion ``2 P - 2 log L``."""
        return 2.0 * self.space.size - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion ``P log I - 2 log L``: persons are the independent observations."""
        return self.space.size * float(np.log(self.n_persons)) - 2.0 * self.loglik

    @property
    def std_errors(self) -> pd.Series:
        """Robust standard errors by person, by flat name; NaN where there is none."""
        variances = np.diag(self.covariance().to_numpy())
        return self.space.series(np.sqrt(variances)).rename("std error")

    def covariance(self, kind: str = "robust") -> pd.DataFrame:
        """Covariance matrix of `params`: ``"robust"``, ``"hessian"`` or ``"opg"``, by person."""
        free = self.information.covariance(kind)
        names = self.params.index
        values = natural_covariance(self.space, self.theta, free, self.information.silent)
        return pd.DataFrame(values, index=names, columns=names)

    def delta(self, function: Callable[[pd.Series], pd.Series]) -> pd.DataFrame:
        """Estimates and standard errors of a function of the parameters (delta method).

        The function maps a Series by flat name to a Series; derivatives are central differences.
        """
        params = self.params
        columns = []
        for p, value in enumerate(params):
            step = 1e-6 * max(1.0, abs(value))
            up, down = params.copy(), params.copy()
            up.iloc[p] += step
            down.iloc[p] -= step
            columns.append((function(up) - function(down)) / (2 * step))
        jacobian = np.column_stack(columns)
        covariance = self.covariance().to_numpy()
        # A parameter without a standard error spoils the results that move with it, no others.
        unknown = np.isnan(np.diag(covariance))
        variances = np.einsum("ap,pq,aq->a", jacobian, np.nan_to_num(covariance), jacobian)
        variances[(jacobian[:, unknown] != 0).any(axis=1)] = np.nan
        return pd.DataFrame({"estimate": function(params), "std error": np.sqrt(variances)})

    def summary(self) -> pd.DataFrame:
        """Estimates, robust standard errors, z, and 95 % intervals.

        Intervals of standard deviations are made on the log scale and those of correlations on
        Fisher's z scale, so that they stay within bounds. For lognormal coefficients, rows
        ``implied mean``, ``implied median`` and ``implied sd`` give the coefficient's own moments.
        """
        table = pd.DataFrame({"estimate": self.params, "std error": self.std_errors})
        implied = implied_moments(self.model)
        if implied is not None:
            table = pd.concat([table, self.delta(implied)])
        return intervals(table)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fit as JSON; `load` reads it."""
        from bayesmix.classical.storage import save

        save(self, path)

    @staticmethod
    def load(path: str | PathLike[str], data: ChoiceData) -> Fit:
        """The fit that `save` wrote; its grid is made again from ``data``."""
        from bayesmix.classical.storage import load

        return load(path, data)

    def headline(self) -> str:
        """The fit in a few lines."""
        lines = [
            f"{self.estimator} of a {'mixed' if self.model.random else 'multinomial'} logit, "
            f"{self.n_persons} persons, {self.n_situations} situations",
            f"log-likelihood {self.loglik:.3f} (multinomial logit {self.loglik_multinomial:.3f}), "
            f"{self.space.size} parameters, {self.seconds:.1f} s",
            *([f"grid {self.grid.rule}"] if self.model.random else []),
            *([_starts(self.optima)] if len(self.optima) > 1 else []),
            self.message,
        ]
        if self.integration is not None:
            lines.append(str(self.integration))
        if self.overidentification is not None:
            lines.append(str(self.overidentification))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{self.headline()}\n\n{self.summary().to_string(float_format='{:.4f}'.format)}"

    def _repr_html_(self) -> str:
        lines = "<br>".join(escape(self.headline(), quote=False).splitlines())
        return f"<p>{lines}</p>{self.summary().to_html(float_format='{:.4f}'.format)}"


def _starts(optima: pd.DataFrame) -> str:
    """How many starts reached the best log-likelihood, and what became of the others."""
    values = optima["loglik"]
    best = values.max()
    others = values[~(values > best - SAME_OPTIMUM)]
    words = (
        f"{len(values) - len(others)} of {len(values)} starts reached the best log-likelihood, "
        f"{best:.3f} on {optima['grid'].iloc[int(np.nanargmax(values))]}"
    )
    if len(others):
        words += f"; the others {', '.join(f'{v:.3f}' for v in others.sort_values())}"
    return words
