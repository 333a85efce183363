"""Moments of a coefficient over people whose laws differ in location: a mixture of laws."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, ndtr
from scipy.stats import norm

from bayesmix.specification.families import Moments, at_zero_scale, moments, scipy_law
from bayesmix.specification.mixing import Coefficient

Array = NDArray[np.float64]

NODES = 48
"""Gauss-Hermite nodes of moments that have no quick closed form."""
TERMS = 40
"""Hermite polynomials of a correlation."""
CONVERGED = 1e-4
"""Share of the last terms in the sum of all that makes no difference to what is printed."""


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
    if not coefficient.law.located:
        return moments(coefficient, 0.0, scale)
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
    _, weights = _normal_nodes()
    values = _at_nodes(law)
    means = weights @ values
    return means, np.sqrt(weights @ (values - means) ** 2)


def _at_nodes(law: Any) -> Array:
    """Quantiles (N, G) at the normal nodes: the law as a map of a standard normal."""
    z, _ = _normal_nodes()
    # Upper quantiles from the upper tail: 1 less a small number would be 1.
    return np.where(z[:, None] < 0, law.ppf(ndtr(z)[:, None]), law.isf(ndtr(-z)[:, None]))


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


def population_correlation(
    pair: tuple[Coefficient, Coefficient],
    locs: tuple[Array, Array],
    scales: tuple[float, float],
    correlation: float,
    share: Array,
) -> float:
    """Correlation over people of two coefficients whose indices have a given correlation.

    With ``a_k = E[T_a(z) h_k(z)]`` of each map of its index, ``h_k`` the Hermite polynomials of
    length 1 (Mehler's formula)::

        cov = sum_g share_g sum_{k>=1} corr^k a_k b_k + the covariance over g of a_0 and b_0

    NaN where a coefficient does not vary, or the series has not converged: beside the other a
    lognormal's with a standard deviation of many.

    Parameters
    ----------
    pair
        Two laws.
    locs
        Locations (G,) of each, of kinds of people.
    scales, correlation
        Scales of the two, correlation of their indices.
    share
        (G,), of each kind; they sum to 1.

    Examples
    --------
    Of two lognormals, ``(e^(corr s^2) - 1) / (e^(s^2) - 1)``:

    >>> from bayesmix import LogNormal
    >>> law, zero = LogNormal("x").coefficients[0], np.zeros(1)
    >>> found = population_correlation((law, law), (zero, zero), (1.0, 1.0), 0.5, np.ones(1))
    >>> bool(np.isclose(found, np.expm1(0.5) / np.expm1(1.0)))
    True
    """
    each = list(zip(pair, locs, scales, strict=True))
    a, b = (_hermite(c, loc, scale) for c, loc, scale in each)
    if {c.family for c in pair} == {"lognormal"}:
        within = a[0] * b[0] * np.expm1(correlation * scales[0] * scales[1])
    else:
        terms = correlation ** np.arange(1.0, TERMS)[:, None] * a[1:] * b[1:]
        within = terms.sum(axis=0)
        if (np.abs(terms[-2:]).max(axis=0) > CONVERGED * np.abs(terms).sum(axis=0)).any():
            return math.nan
    covariance = share @ (within + a[0] * b[0]) - (share @ a[0]) * (share @ b[0])
    sds = [population_moments(c, loc, scale, share).sd for c, loc, scale in each]
    return float(covariance) / math.prod(sds) if all(sds) else math.nan


def _hermite(c: Coefficient, loc: Array, scale: float) -> Array:
    """Coefficients (K, G) of the map of a standard normal in Hermite polynomials of length 1."""
    k = np.arange(TERMS)[:, None]
    if c.family == "normal":
        return np.where(k == 0, loc, np.where(k == 1, scale, 0.0))
    if c.family == "lognormal":
        size = scale**k * np.exp(-0.5 * gammaln(k + 1.0))
        return c.sign * np.exp(loc + 0.5 * scale**2) * size
    if scale == 0.0:
        return np.where(k == 0, [at_zero_scale(c, float(at)) for at in loc], 0.0)
    if c.family == "censored-normal":
        return _hermite_censored(loc, scale, c.limits)
    z, weights = _normal_nodes()
    law = scipy_law(c.family, loc if c.law.located else loc[:1], scale, *c.limits)
    found = (_polynomials(z) * weights) @ _at_nodes(law)
    return c.sign * np.broadcast_to(found, (TERMS, len(loc)))


def _hermite_censored(loc: Array, scale: float, limits: tuple[float, float]) -> Array:
    """The same of a map with kinks, by parts: its slope is ``scale`` between them, or 0."""
    ends = [np.clip((end - loc) / scale, -38.0, 38.0) for end in limits]
    low, high = (_polynomials(end) * norm.pdf(end) for end in ends)
    k = np.arange(2.0, TERMS)[:, None]
    first = scale * (ndtr(ends[1]) - ndtr(ends[0]))
    mean = [_censored(loc[[g]], scale, limits, np.ones(1)).mean for g in range(len(loc))]
    return np.vstack([mean, first, scale * (low - high)[:-2] / np.sqrt(k * (k - 1.0))])


def _polynomials(z: Array) -> Array:
    """Hermite polynomials (K, N) of length 1 at ``z`` (N,)."""
    rows = [np.ones_like(z), z]
    for n in range(1, TERMS - 1):
        rows.append((z * rows[n] - np.sqrt(n) * rows[n - 1]) / np.sqrt(n + 1))
    return np.array(rows)
