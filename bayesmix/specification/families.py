"""Families of mixing laws: what each coefficient's law is made of, and its moments.

A coefficient is ``beta = T(d; loc, s)``: ``d = L_k u`` is normal with standard deviation ``s``, and
``z = d / s`` standard normal. Every law is written as a map of that normal, so that laws of any
kind share one covariance matrix: a Gaussian copula.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import stats
from scipy.special import expit, ndtr

from bayesmix.arrays import Array

if TYPE_CHECKING:
    from bayesmix.specification.mixing import Coefficient


@dataclass(frozen=True)
class Family:
    """What estimators need to know of a family.

    Parameters
    ----------
    code
        Its number in the kernels, times the sign of the coefficient.
    words
        Its name in messages.
    located
        Whether it has a location to estimate beside its scale.
    index
        Whether location and scale are those of an index without units: of a logarithm, or of a
        position between two bounds. Otherwise they are in units of the coefficient.
    even
        Whether the law is symmetric around its location.
    """

    code: int
    words: str
    located: bool = True
    index: bool = False
    even: bool = False


FAMILIES = {
    "normal": Family(0, "normal", even=True),
    "lognormal": Family(1, "lognormal", index=True),
    "johnson-sb": Family(2, "Johnson SB", index=True),
    "censored-normal": Family(3, "censored normal"),
    "uniform": Family(4, "uniform", even=True),
    "triangular": Family(5, "triangular", even=True),
    "truncated-normal": Family(6, "truncated normal"),
    "exponential": Family(7, "exponential", located=False),
    "gamma": Family(8, "gamma", index=True),
    "zero-triangular": Family(9, "zero-bounded triangular", located=False),
}


class Moments(NamedTuple):
    """Mean, median and standard deviation of a coefficient, and its probability to be positive."""

    mean: float
    median: float
    sd: float
    positive: float


def moments(coefficient: Coefficient, loc: float, scale: float) -> Moments:
    """Moments of the coefficient itself at a location and a scale.

    >>> from bayesmix import LogNormal
    >>> law = LogNormal("price", sign=-1).coefficients[0]
    >>> [round(float(m), 4) for m in moments(law, 0.0, 0.5)]
    [-1.1331, -1.0, 0.6039, 0.0]
    """
    low, high = coefficient.limits
    if scale == 0.0:
        value = float(at_zero_scale(coefficient, np.array([loc]))[0])
        return Moments(value, value, 0.0, float(value > 0))
    if coefficient.family == "censored-normal":
        mean, sd, positive = map(
            float, np.concatenate(censored_moments(np.array([loc]), scale, low, high))
        )
        return Moments(mean, min(max(loc, low), high), sd, positive)
    law = scipy_law(coefficient.family, loc, scale, low, high)
    with np.errstate(over="ignore", invalid="ignore"):  # of a wide lognormal law: infinite
        mean, median, sd = float(law.mean()), float(law.median()), float(law.std())
    if coefficient.sign < 0:
        return Moments(-mean, -median, sd, float(law.cdf(0.0)))
    return Moments(mean, median, sd, float(law.sf(0.0)))


def scipy_law(family: str, loc: Any, scale: float, low: float, high: float) -> Any:
    """The law for a positive sign, as SciPy has it; ``loc`` is a number or an array."""
    match family:
        case "normal":
            return stats.norm(loc, scale)
        case "lognormal":
            return stats.lognorm(scale, scale=np.exp(loc))
        case "johnson-sb":
            return stats.johnsonsb(-loc / scale, 1.0 / scale, loc=low, scale=high - low)
        case "uniform":
            half = math.sqrt(3.0) * scale
            return stats.uniform(loc - half, 2.0 * half)
        case "triangular":
            half = math.sqrt(6.0) * scale
            return stats.triang(0.5, loc - half, 2.0 * half)
        case "truncated-normal":
            return stats.truncnorm((low - loc) / scale, (high - loc) / scale, loc, scale)
        case "exponential":
            return stats.expon(scale=scale)
        case "gamma":
            return stats.gamma(scale**-2, scale=np.exp(loc) * scale**2)
        case "zero-triangular":
            return stats.triang(0.5, 0.0, 2.0 * math.sqrt(6.0) * scale)
    raise AssertionError(family)


def censored_moments(
    loc: Array, scale: float, low: float, high: float
) -> tuple[Array, Array, Array]:
    """Means, standard deviations and shares above 0 of ``min(max(b, low), high)``.

    ``b`` is normal around each location (G,), with a positive standard deviation.
    """
    a, b = (low - loc) / scale, (high - loc) / scale
    below, above = ndtr(a), ndtr(-b)
    at_a, at_b = (np.exp(-0.5 * end**2) / math.sqrt(2.0 * math.pi) for end in (a, b))
    # Deviations from the location: their squares lose no digits where it is far from 0.
    mean, square = scale * (at_a - at_b), scale**2 * (1.0 - below - above)
    for mass, end, slope in ((below, low, -at_a), (above, high, at_b)):
        if np.isfinite(end):
            mean = mean + mass * (end - loc)
            square = square + mass * (end - loc) ** 2 - scale * (end - loc) * slope
    sd = np.sqrt(np.maximum(square - mean**2, 0.0))
    inside = ndtr(loc / scale)
    positive = np.ones_like(loc) if low > 0 else np.zeros_like(loc) if high <= 0 else inside
    return loc + mean, sd, positive


def at_zero_scale(coefficient: Coefficient, loc: Array) -> Array:
    """The value of everybody's coefficient at each location (G,) where the scale is 0."""
    low, high = coefficient.limits
    match coefficient.family:
        case "lognormal" | "gamma":
            return coefficient.sign * np.exp(loc)
        case "johnson-sb":
            return low + (high - low) * expit(loc)
        case "exponential" | "zero-triangular":
            return np.zeros_like(loc)
        case "normal" | "uniform" | "triangular":
            return loc
    return np.clip(loc, low, high)


def location_of(coefficient: Coefficient, value: float) -> float | None:
    """The location at which a scale of 0 gives everybody the coefficient ``value``; or None.

    >>> from bayesmix import LogNormal
    >>> location_of(LogNormal("price", sign=-1).coefficients[0], -1.0)
    0.0
    >>> location_of(LogNormal("price").coefficients[0], -1.0) is None
    True
    """
    low, high = coefficient.limits
    match coefficient.family:
        case "lognormal" | "gamma":
            signed = coefficient.sign * value
            return math.log(signed) if signed > 0 else None
        case "johnson-sb":
            return math.log((value - low) / (high - value)) if low < value < high else None
        case "exponential" | "zero-triangular":
            return None
        case "normal" | "uniform" | "triangular":
            return value
    return value if low <= value <= high else None
