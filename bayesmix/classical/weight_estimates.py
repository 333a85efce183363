"""Coefficients of the weights of points, and fixed ones beside them: estimates and criteria."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.data.display import Table


@dataclass(frozen=True, eq=False)
class WeightEstimates:
    """Coefficients that the shares of types are a logit of, and fixed coefficients.

    Parameters
    ----------
    names
        Of the P parameters, such as ``weight[price, 1]`` and ``fixed[time]``.
    values
        (P,).
    matrix
        Their robust covariance matrix (P, P), ``H^-1 (sum_i w_i^2 s_i s_i') H^-1``; NaN where the
        curvature ``H`` is not that of a maximum: a share that falls to 0 has no coefficient.
    loglik
        Log-likelihood, nats.
    n_persons
        Number of persons.
    """

    names: tuple[str, ...]
    values: Array
    matrix: Array
    loglik: float
    n_persons: int

    @property
    def params(self) -> pd.Series:
        """Estimates by name."""
        return pd.Series(self.values, index=list(self.names), name="estimate")

    @property
    def covariance(self) -> pd.DataFrame:
        """Robust covariance of the estimates."""
        return pd.DataFrame(self.matrix, index=list(self.names), columns=list(self.names))

    @property
    def aic(self) -> float:
        """Akaike's criterion ``2 P - 2 log L``."""
        return 2.0 * len(self.names) - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion ``P log I - 2 log L``: persons are the independent observations."""
        return len(self.names) * float(np.log(self.n_persons)) - 2.0 * self.loglik

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Estimates, robust standard errors, z and normal intervals.

        Parameters
        ----------
        level
            Probability of the intervals.
        """
        arguments.real("level", level, above=0, below=1)
        error = np.sqrt(np.diag(self.matrix))
        tail = (1 - level) / 2
        width = -norm.ppf(tail) * error
        columns = {
            "estimate": self.values,
            "std error": error,
            "z": self.values / error,
            f"{100 * tail:g} %": self.values - width,
            f"{100 * (1 - tail):g} %": self.values + width,
        }
        return Table(pd.DataFrame(columns, index=pd.Index(self.names, name="parameter")))
