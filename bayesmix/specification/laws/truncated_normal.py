"""The truncated normal law: no mass at its bounds.

``x(z; a, b)`` is the quantile at ``Phi(z)`` of a standard normal between ``a`` and ``b``. Where
both bounds are far on one side of the mean, probabilities underflow, and it is found from the ratio
of tails, ``log Q(a + t) - log Q(a)``, which does not.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from scipy.special import log_ndtr

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import part
from bayesmix.kernels.law_functions import law_map
from bayesmix.kernels.laws import LEAST_SCALE
from bayesmix.kernels.normal_quantile import inverse_normal
from bayesmix.kernels.standard_normal import FARTHEST, LOG_2PI, below
from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, checked_bounds, independent

Slopes = tuple[float, float, float, float]

FAR = 25.0
"""Bounds beyond this are far from the mean: five terms of the tail's series are exact."""


def TruncatedNormal(
    *terms: str, lower: float | None = None, upper: float | None = None, mean: str = "1"
) -> Law:
    """Independent normal coefficients given that they lie between two bounds: no mass at these.

    Density ``phi((beta - mean) / sd) / sd``, over its integral from ``lower`` to ``upper``;
    ``mean`` and ``sd`` are those of the normal before it was truncated. The summary prints the
    moments of the coefficient. To be told from `CensoredNormal`, which moves what lies beyond a
    bound onto it.

    Parameters
    ----------
    *terms, mean
        As in `Normal`.
    lower, upper
        Bounds in units of the coefficient, one at least; ``upper=0`` for a price.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If there is no bound, or they are not in order.

    Examples
    --------
    >>> print(TruncatedNormal("price", upper=0))
    independent truncated normal: price in [, 0]
    """
    bounds = checked_bounds("TruncatedNormal", lower, upper)
    return independent("TruncatedNormal", terms, "truncated-normal", mean=mean, bounds=bounds)


@part(error_model="numpy")
def _log_mills(x: float) -> float:  # pragma: no cover - compiled
    """``log (Q(x) / phi(x))`` far in the tail (Abramowitz and Stegun 1964, 26.2.12)."""
    r = 1.0 / (x * x)
    return -math.log(x) + math.log1p(-r * (1.0 - r * (3.0 - r * (15.0 - r * (105.0 - 945.0 * r)))))


@part(error_model="numpy")
def _far(z: float, a: float, b: float) -> Slopes:  # pragma: no cover - compiled
    """``t = x - a``, and the derivatives of x by z, a and b, for ``FAR < a < b``."""
    at_a, ratio = _log_mills(a), 0.0
    if b < math.inf:
        w = b - a
        ratio = math.exp(_log_mills(b) - at_a - w * (a + 0.5 * w))
    # Q(x) = Q(a) (1 - Phi(z) (1 - Q(b) / Q(a)))
    e = -math.log(max(below(-z) + below(z) * ratio, 1e-300))
    t = 2.0 * e / (a + math.sqrt(a * a + 2.0 * e))
    for _ in range(50):
        x = a + t
        gap = t * (a + 0.5 * t) + at_a - _log_mills(x) - e
        step = gap * math.exp(_log_mills(x))
        t = max(t - step, 0.0)
        if abs(step) <= 1e-15 * t:
            break
    if b < math.inf:
        t = min(t, b - a)
    rise = t * (a + 0.5 * t)
    by_z = math.exp(at_a + math.log1p(-ratio) + rise - 0.5 * (LOG_2PI + z * z))
    by_a, by_b = below(-z) * math.exp(rise), 0.0
    if b < math.inf:
        by_b = below(z) * math.exp(rise - (b - a) * (a + 0.5 * (b - a)))
    return t, by_z, by_a, by_b


@part(error_model="numpy")
def _near(z: float, a: float, b: float) -> Slopes:  # pragma: no cover - compiled
    """x, and its derivatives by z, a and b."""
    # Tail probabilities from the nearer end: neither side loses digits.
    lower = below(a) + below(z) * (below(b) - below(a))
    upper = below(-b) + below(-z) * (below(-a) - below(-b))
    if lower < 0.5:
        mass = below(b) - below(a)
        x = inverse_normal(lower) if lower > 0.0 else a
    else:
        mass = below(-a) - below(-b)
        x = -inverse_normal(upper) if upper > 0.0 else b
    x = min(max(x, a), b)
    by_a = by_b = 0.0
    if a > -FARTHEST:
        by_a = below(-z) * math.exp(0.5 * (x * x - a * a))
    if b < FARTHEST:
        by_b = below(z) * math.exp(0.5 * (x * x - b * b))
    return x, mass * math.exp(0.5 * (x * x - z * z)), by_a, by_b


@part(error_model="numpy")
def truncated_law(  # pragma: no cover - compiled
    z: float, loc: float, s: float, low: float, high: float
) -> Slopes:
    """``T``, ``T_d``, ``T_loc`` and ``T_s`` of a normal between two bounds, one may be infinite.

    ``T = loc + s x(z; a, b)`` with ``a = (low - loc) / s`` and ``b = (high - loc) / s``.
    """
    a, b = (low - loc) / s, (high - loc) / s
    if a > FAR:
        t, by_z, by_a, by_b = _far(z, a, b)
        x, value = a + t, low + s * t
    elif b < -FAR:
        t, by_z, by_b, by_a = _far(-z, -b, -a)
        x, value = b - t, high - s * t
    else:
        x, by_z, by_a, by_b = _near(z, a, b)
        value = loc + s * x
    turn = (a * by_a if by_a > 0.0 else 0.0) + (b * by_b if by_b > 0.0 else 0.0)
    return value, by_z, 1.0 - by_a - by_b, x - turn - z * by_z


@law_map
def _map(  # pragma: no cover - compiled
    d: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    loc, s = at[0], max(at[1], LEAST_SCALE)
    for n in range(d.shape[0]):
        z = min(max(d[n] / s, -FARTHEST), FARTHEST)
        found = truncated_law(z, loc, s, known[1], known[2])
        out[0, n], out[1, n], out[2, n], out[3, n] = found


def _cdf(c: Coefficient, loc: Array, scale: float, index: float) -> Array:
    """From the tail that both bounds are in: nothing underflows."""
    a, b = ((end - loc) / scale for end in c.limits)
    flip = a > 0
    x = np.clip((index - loc) / scale, a, b)
    at, near, far = (np.where(flip, -u, v) for u, v in ((x, x), (b, a), (a, b)))
    log_far = log_ndtr(far)
    whole = np.expm1(log_ndtr(near) - log_far)
    below_x = (np.exp(log_ndtr(near) - log_far) - np.exp(log_ndtr(at) - log_far)) / whole
    below: Array = np.where(flip, 1.0 - below_x, below_x)
    return below


def _twin(c: Coefficient, loc: float, scale: float) -> object:
    low, high = c.limits
    return scipy.stats.truncnorm((low - loc) / scale, (high - loc) / scale, loc, scale)


TRUNCATED_NORMAL = register(
    Family(
        name="truncated-normal",
        words="truncated normal",
        make=TruncatedNormal,
        map=_map,
        moves=True,
        of="the normal before it is truncated to {coefficient}",
        formulas=Formulas(cdf=_cdf),
        twin=_twin,
    )
)
