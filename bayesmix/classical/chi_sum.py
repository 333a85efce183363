"""Sums of scaled chi-squared laws: likelihood ratios where persons have weights or clusters.

Twice the gain of a weighted log-likelihood is not chi-squared: its curvature is not the variance of
its score. Of d restrictions it is ``sum_j scale_j chi2_1`` (Rotnitzky and Jewell 1990; Lumley and
Scott 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.stats import chi2

from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError

Array = NDArray[np.float64]

TERMS, LEFT = 20_000, 1e-13
"""Terms of the mixture at most, and the probability that later terms may still have."""
SINGULAR = 1e-8
"""Share of the largest scale below which another is 0."""


@dataclass(frozen=True)
class ChiSum:
    """``sum_j scale_j chi2_1``, of independent variables.

    With ``b`` the least scale this is ``b`` times a mixture of chi-squared laws of ``d + 2k``
    degrees of freedom, whose weights are positive and sum to 1 (Ruben 1962)::

        c_0 = prod_j (b / scale_j)^1/2
        c_k = sum_{r<k} g_{k-r} c_r / (2k),  g_m = sum_j (1 - b / scale_j)^m

    Parameters
    ----------
    scales
        Scales (d,), positive.

    Examples
    --------
    >>> from scipy.stats import chi2
    >>> bool(abs(ChiSum((2.0, 2.0)).sf(6.0) - chi2.sf(3.0, 2)) < 1e-12)
    True
    >>> print(ChiSum((1.5, 0.5)))
    1.5 chi2(1) plus 0.5 chi2(1), independent
    """

    scales: tuple[float, ...]

    @cached_property
    def weights(self) -> Array:
        """Weights ``c`` of the mixture, until what is left is less than `LEFT`."""
        scales = np.array(self.scales)
        ratio = scales.min() / scales
        rest = (1.0 - ratio)[ratio < 1.0]
        power, slopes, found = np.ones(len(rest)), np.zeros(TERMS), np.zeros(TERMS)
        found[0] = total = float(np.sqrt(np.prod(ratio)))
        k = 1
        while total < 1.0 - LEFT and k < TERMS:
            power *= rest
            slopes[k - 1] = power.sum()
            found[k] = slopes[:k][::-1] @ found[:k] / (2 * k)
            total += found[k]
            k += 1
        return found[:k]

    def sf(self, statistic: float) -> float:
        """Probability of a value of at least ``statistic``."""
        if statistic <= 0:
            return 1.0
        dofs = len(self.scales) + 2 * np.arange(len(self.weights))
        found = float(self.weights @ chi2.sf(statistic / min(self.scales), dofs))
        # Where the scales are too far apart for the terms, an upper bound.
        left = 1.0 - float(self.weights.sum())
        return min(1.0, found + (left if left > 10 * LEFT else 0.0))

    def __str__(self) -> str:
        return f"{' plus '.join(f'{s:.3g} chi2(1)' for s in self.scales)}, independent"


def ratio_scales(full: Fit, names: tuple[str, ...]) -> Array:
    """Scales (d,) of the law of a likelihood ratio that restricts parameters to given values.

    The eigenvalues of ``V B^-1``, with ``V`` the robust covariance (by cluster where there are
    clusters) of the restricted parameters, and ``B`` that of the inverse curvature.

    Raises
    ------
    SpecificationError
        If one of them has no standard error, or there are fewer clusters than restrictions.
    """
    robust = full.covariance().loc[list(names), list(names)]
    naive = full.covariance("hessian").loc[list(names), list(names)]
    none = [name for name in names if np.isnan(full.std_errors[name])]
    if none:
        raise SpecificationError(
            f"{', '.join(none)}: no standard error ({full.message}), from which the law of the "
            "likelihood ratio comes where persons have weights or clusters; fit both models "
            "without them"
        )
    values = eigh(robust.to_numpy(), naive.to_numpy(), eigvals_only=True)
    if not values[0] > SINGULAR * values[-1]:
        raise SpecificationError(
            f"the {full.information.kind} covariance of {', '.join(names)} is singular: there are "
            "fewer clusters than restrictions; take a finer column, or restrict less"
        )
    return np.asarray(values, dtype=float)
