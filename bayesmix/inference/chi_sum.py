"""Sums of scaled chi-squared laws: likelihood ratios where persons have weights or clusters.

Twice the gain of a weighted log-likelihood is not chi-squared: its curvature is not the variance of
its score. Of d restrictions it is ``sum_j scale_j chi2_1`` (Rotnitzky and Jewell 1990; Lumley and
Scott 2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import brentq

from bayesmix.arrays import Array
from bayesmix.classical.covariance import weighting
from bayesmix.classical.fit import Fit
from bayesmix.errors import ConvergenceError, SpecificationError

SETTLED = 1e-12
"""Share of the integrand's peak by which two successive rules of an integral may differ."""
INTERVALS = (64, 2**18)
"""Intervals of the first rule, and those at which a rule that has not settled is refused."""
DECAY = 45.0
"""Nats below its peak at which the integrand ends."""
SINGULAR = 1e-8
"""Share of the largest scale below which another is 0."""


@dataclass(frozen=True)
class ChiSum:
    """``sum_j scale_j chi2_1``, of independent variables.

    The cumulant function ``K(z) = -1/2 sum_j log(1 - 2 scale_j z)`` is inverted,
    ``P(Q >= t) = (2 pi i)^-1 int exp(K(z) - z t) / z dz``, along a hyperbola between the pole at 0
    and the first branch point ``1 / (2 max scale)``. It crosses the real axis at the saddlepoint,
    so that far tails are as precise as the middle, and opens to the right, where ``exp(-z t)``
    vanishes: the trapezoidal rule converges geometrically, and is doubled until it has settled.

    Parameters
    ----------
    scales
        Scales (d,), positive.

    References
    ----------
    Lugannani and Rice (1980) for the saddlepoint; Weideman and Trefethen (2007) for hyperbolas.

    Examples
    --------
    >>> from scipy.stats import chi2
    >>> bool(abs(ChiSum((2.0, 2.0)).sf(6.0) - chi2.sf(3.0, 2)) < 1e-12)
    True
    >>> print(ChiSum((1.5, 0.5)))
    1.5 chi2(1) plus 0.5 chi2(1), independent
    """

    scales: tuple[float, ...]

    def sf(self, statistic: float) -> float:
        """Probability of a value of at least ``statistic``.

        Raises
        ------
        ConvergenceError
            If the integral does not settle.
        """
        if statistic <= 0:
            return 1.0
        # In units of the branch point: the scales' largest is 1, and z = cosh(v + i angle).
        scales = np.array(self.scales) / max(self.scales)
        t = statistic / (2.0 * max(self.scales))
        saddle = _saddlepoint(scales, t)
        angle = np.arccos(saddle)
        peak = float(_exponent(np.array(saddle), scales, t).real)
        end = np.arccosh(1.0 + DECAY / (t * saddle))

        def values(v: Array) -> Array:
            along = v + 1j * angle
            height = np.exp(_exponent(np.cosh(along), scales, t) - peak)
            # dz / (i dv): the two halves of the hyperbola are each other's conjugates.
            return np.asarray((height * np.sinh(along) / 1j).real)

        count, most = INTERVALS
        step = end / count
        # Half a term at v = 0; at the other end nothing is left.
        total = values(np.arange(1, count) * step).sum() + 0.5 * float(values(np.zeros(1))[0])
        found = step * total
        while count < most:
            total += values((np.arange(count) + 0.5) * step).sum()
            step, count, before = step / 2, 2 * count, found
            found = step * total
            if abs(found - before) <= SETTLED * abs(found):
                return float(np.clip(np.exp(peak) * found / np.pi, 0.0, 1.0))
        raise ConvergenceError(
            f"the law of {self} did not settle at {statistic:.6g}: its integral is "
            f"{found:.6g} on {count} intervals and {before:.6g} on half of them"
        )

    def __str__(self) -> str:
        return f"{' plus '.join(f'{s:.3g} chi2(1)' for s in self.scales)}, independent"


def _exponent(z: Array, scales: Array, t: float) -> Array:
    """``K(z) - z t - log z`` in units of the branch point, of complex ``z``."""
    z = np.asarray(z, dtype=complex)
    return -0.5 * np.log(1.0 - np.multiply.outer(z, scales)).sum(axis=-1) - z * t - np.log(z)


def _saddlepoint(scales: Array, t: float) -> float:
    """Where the exponent is least between 0 and 1: it is convex, and infinite at both ends."""

    def slope(z: float) -> float:
        return float((0.5 * scales / (1.0 - scales * z)).sum() - t - 1.0 / z)

    # The slope is negative at the lower end, and positive at the upper.
    d = len(scales)
    low, high = 1.0 / (t + 1.0 + d), 1.0 - 0.25 / (t + 1.0 + d)
    return float(brentq(slope, low, high))


def ratio_scales(full: Fit, names: tuple[str, ...]) -> Array:
    """Scales (d,) of the law of a likelihood ratio that restricts parameters to given values.

    The eigenvalues of ``V B^-1``, with ``V`` the robust covariance (by cluster where there are
    clusters) of the restricted parameters, and ``B`` that of the inverse curvature.

    Raises
    ------
    SpecificationError
        If one of them has no standard error, or scores of persons (or clusters) vary in fewer
        directions than there are restrictions.
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
        found, d = full.information, len(names)
        words = (
            f"the {found.kind} covariance of {', '.join(names)} is singular: scores of "
            f"{found.n_groups} {'persons' if found.groups is None else 'clusters'} vary in fewer "
            f"than {d} directions, as many as there are restrictions; "
        )
        if found.groups is not None:
            raise SpecificationError(words + "name clusters by a finer column, or restrict less")
        words_of = weighting(found.weights)
        raise SpecificationError(
            words
            + "restrict less, or see whether few persons have nearly all of the weight"
            + (f" ({words_of})" if words_of else "")
        )
    return np.asarray(values, dtype=float)
