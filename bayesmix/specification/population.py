"""Moments of a coefficient over people whose laws differ in location: a mixture of laws."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import norm

from bayesmix.specification.families import Moments, at_zero_scale, scipy_law
from bayesmix.specification.mixing import Coefficient

Array = NDArray[np.float64]

NODES = 48
"""Gauss-Hermite nodes of moments that have no quick closed form."""


def population_moments(coefficient: Coefficient, loc: Array, scale: float, share: Array) -> Moments:
    """Moments of a coefficient whose location is ``loc_g`` for a share ``share_g`` of people.

    Mean and variance are ``sum_g share_g m_g`` and ``sum_g share_g (s_g^2 + m_g^2) - mean^2``, the
    median solves ``sum_g share_g F_g(x) = 1/2``.

    Parameters
    ----------
    coefficient
        The law.
    loc, share
        (G,); shares sum to 1.
    scale
        The scale of all.

    Examples
    --------
    >>> from bayesmix import Normal
    >>> law = Normal("x").coefficients[0]
    >>> found = population_moments(law, np.array([-1.0, 1.0]), 1.0, np.array([0.5, 0.5]))
    >>> [round(float(m), 6) for m in found]
    [0.0, 0.0, 1.414214, 0.5]
    """
    if scale == 0.0:
        values = np.array([at_zero_scale(coefficient, float(at)) for at in loc])
        middle, sd = _step(values, share), _spread(values, 0.0, share)
        return Moments(float(share @ values), middle, sd, float(share @ (values > 0)))
    low, high = coefficient.limits
    if coefficient.family == "censored-normal":
        return _censored(loc, scale, (low, high), share)
    law = scipy_law(coefficient.family, loc, scale, low, high)
    means, sds = _each(coefficient.family, law)
    mean, median, sd = float(share @ means), _median(law, share), _spread(means, sds, share)
    if coefficient.sign < 0:
        return Moments(-mean, -median, sd, float(share @ law.cdf(0.0)))
    return Moments(mean, median, sd, float(share @ law.sf(0.0)))


def _spread(means: Array, sds: Array | float, share: Array) -> float:
    """Standard deviation over people and within their laws."""
    return float(np.sqrt(share @ (sds**2 + (means - share @ means) ** 2)))


def _each(family: str, law: Any) -> tuple[Array, Array]:
    """Means and standard deviations (G,) of the laws of a positive sign."""
    if family not in ("johnson-sb", "truncated-normal"):
        return law.mean(), law.std()
    z, weights = _normal_nodes()
    # Upper quantiles from the upper tail: 1 less a small number would be 1.
    values = np.where(z[:, None] < 0, law.ppf(ndtr(z)[:, None]), law.isf(ndtr(-z)[:, None]))
    means = weights @ values
    return means, np.sqrt(weights @ (values - means) ** 2)


@cache
def _normal_nodes() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def _median(law: Any, share: Array) -> float:
    """Where the mixture's distribution function is 1/2: between the medians of its laws."""
    middle = law.median()
    low, high = float(middle.min()), float(middle.max())
    if not high > low:
        return low
    return float(brentq(lambda x: share @ law.cdf(x) - 0.5, low, high, xtol=1e-15))


def _step(values: Array, share: Array) -> float:
    """The median of a law with few values."""
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(share[order]), 0.5 - 1e-12)])


def _censored(loc: Array, scale: float, limits: tuple[float, float], share: Array) -> Moments:
    """Of ``min(max(b, low), high)`` with ``b`` normal around each location."""
    a, b = ((end - loc) / scale for end in limits)
    inside, first = norm.cdf(b) - norm.cdf(a), norm.pdf(a) - norm.pdf(b)
    mean = loc * inside + scale * first
    square = (loc**2 + scale**2) * inside + scale * loc * first
    for end, tail, slope in zip(
        limits, (norm.cdf(a), norm.sf(b)), (norm.pdf(a), -norm.pdf(b)), strict=True
    ):
        if np.isfinite(end):
            mean, square = mean + end * tail, square + end**2 * tail + scale * end * slope
    low, high = limits
    positive = (
        np.ones_like(loc) if low > 0 else np.zeros_like(loc) if high <= 0 else ndtr(loc / scale)
    )
    median = min(max(_median(norm(loc, scale), share), low), high)
    sds = np.sqrt(np.maximum(square - mean**2, 0.0))
    return Moments(float(share @ mean), median, _spread(mean, sds, share), float(share @ positive))
