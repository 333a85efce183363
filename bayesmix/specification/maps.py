"""Laws as maps of a standard normal: their means, and their coefficients in Hermite polynomials.

For a positive sign and locations (G,): signs and people are what
`bayesmix.specification.population` knows.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import (
    expit,
    gammainc,
    gammainccinv,
    gammaincinv,
    log_ndtr,
    ndtr,
    ndtri_exp,
)
from scipy.stats import norm

from bayesmix.arrays import Array
from bayesmix.specification.families import censored_moments
from bayesmix.specification.mixing import Coefficient

TERMS = 128
"""Hermite polynomials of a map."""
STEP, FARTHEST = 0.125, 10.0
"""Of the trapezoidal rule, whose error falls exponentially in 1 / step for smooth maps."""
STEEP = 0.8
"""Step in units of a logistic map, whose poles are at a distance of pi from the real line."""
MOST = 2000
"""Nodes on each side at most: of a Johnson SB law with a scale of 160."""


def mean_and_sd(c: Coefficient, loc: Array, scale: float) -> tuple[Array, Array]:
    """Means and standard deviations (G,) of the laws, of positive scale."""
    match c.family:
        case "normal" | "uniform" | "triangular":
            return loc, np.full(len(loc), scale)
        case "lognormal":
            with np.errstate(over="ignore"):
                mean = np.exp(loc + 0.5 * scale**2)
                return mean, mean * np.sqrt(np.expm1(scale**2))
        case "gamma":
            return np.exp(loc), scale * np.exp(loc)
        case "censored-normal":
            mean, sd, _ = censored_moments(loc, scale, *c.limits)
            return mean, sd
    z, weights = _nodes(c, scale)
    values = values_at(c, loc, scale, z)
    means = weights @ values
    return means, np.sqrt(weights @ (values - means) ** 2)


def lift(c: Coefficient, loc: Array, scale: float, shift: float) -> Array:
    """How far means (G,) rise where the standard normal moves: ``E[T(z + shift)] - E[T(z)]``."""
    match c.family:
        case "normal":
            return np.full(len(loc), scale * shift)
        case "lognormal":
            return mean_and_sd(c, loc, scale)[0] * np.expm1(scale * shift)
        case "censored-normal":
            ends = (mean_and_sd(c, loc + move, scale)[0] for move in (scale * shift, 0.0))
            return next(ends) - next(ends)
    z, weights = _nodes(c, scale)
    return weights @ (values_at(c, loc, scale, z + shift) - values_at(c, loc, scale, z))


def slope(c: Coefficient, loc: Array, scale: float) -> Array:
    """``E[T(z) z]`` (G,), which is the mean of the map's slope."""
    match c.family:
        case "normal":
            return np.full(len(loc), scale)
        case "lognormal":
            return scale * mean_and_sd(c, loc, scale)[0]
        case "censored-normal":
            low, high = ((end - loc) / scale for end in c.limits)
            return scale * (ndtr(high) - ndtr(low))
    z, weights = _nodes(c, scale)
    return (weights * z) @ values_at(c, loc, scale, z)


def hermite(c: Coefficient, loc: Array, scale: float) -> Array:
    """``E[T(z) h_k(z)]`` (K, G), ``h_k`` the Hermite polynomials of length 1."""
    if c.family == "censored-normal":
        return _hermite_censored(c, loc, scale)
    z, weights = _nodes(c, scale)
    return (_polynomials(z) * weights) @ values_at(c, loc, scale, z)


def _hermite_censored(c: Coefficient, loc: Array, scale: float) -> Array:
    """The same of a map with kinks, by parts: its slope is ``scale`` between them, or 0."""
    ends = [np.clip((end - loc) / scale, -38.0, 38.0) for end in c.limits]
    low, high = (_polynomials(end) * norm.pdf(end) for end in ends)
    k = np.arange(2.0, TERMS)[:, None]
    first = slope(c, loc, scale)
    mean, _ = mean_and_sd(c, loc, scale)
    return np.vstack([mean, first, scale * (low - high)[:-2] / np.sqrt(k * (k - 1.0))])


def _polynomials(z: Array) -> Array:
    """Hermite polynomials (K, N) of length 1 at ``z`` (N,)."""
    rows = [np.ones_like(z), z]
    for n in range(1, TERMS - 1):
        rows.append((z * rows[n] - np.sqrt(n) * rows[n - 1]) / np.sqrt(n + 1))
    return np.array(rows)


def _nodes(c: Coefficient, scale: float) -> tuple[Array, Array]:
    """Nodes and weights of means over a standard normal, as fine as the map is steep."""
    step = min(STEP, STEEP / scale) if c.family == "johnson-sb" else STEP
    step = max(step, FARTHEST / MOST)
    side = math.ceil(FARTHEST / step)
    z = np.arange(-float(side), side + 1.0) * step
    weights: Array = np.exp(-0.5 * z**2)
    total: float = weights.sum()
    return z, weights / total


def values_at(c: Coefficient, loc: Array, scale: float, z: Array) -> Array:
    """The maps (Z, G) at standard normals ``z`` (Z,); a law without a location has one column."""
    z = np.clip(z, -37.0, 37.0)[:, None]
    low, high = c.limits
    match c.family:
        case "johnson-sb":
            return low + (high - low) * expit(loc + scale * z)
        case "uniform":
            return loc + math.sqrt(3.0) * scale * (2.0 * ndtr(z) - 1.0)
        case "triangular":
            return loc + math.sqrt(6.0) * scale * _triangle(z)
        case "zero-triangular":
            return math.sqrt(6.0) * scale * (1.0 + _triangle(z))
        case "exponential":
            return -scale * log_ndtr(-z)
        case "gamma":
            shape = scale**-2
            below, above = gammaincinv(shape, ndtr(z)), gammainccinv(shape, ndtr(-z))
            return np.where(z < 0, below, above) / shape * np.exp(loc)
        case "truncated-normal":
            return _truncated(z, loc, scale, (low - loc) / scale, (high - loc) / scale)
        case "lognormal":
            return np.exp(loc + scale * z)
        case "normal" | "censored-normal":
            return np.clip(loc + scale * z, low, high)
    raise AssertionError(c.family)


def _triangle(z: Array) -> Array:
    """Quantile of the triangular law on [-1, 1] at ``Phi(z)``."""
    return np.copysign(1.0 - np.sqrt(2.0 * ndtr(-np.abs(z))), z)


def _truncated(z: Array, loc: Array, scale: float, a: Array, b: Array) -> Array:
    """Of a normal between ``a`` and ``b``, from the tail that both are in: nothing underflows."""
    flip = a > 0
    sign = np.where(flip, -1.0, 1.0)
    near, far = np.where(flip, -b, a), np.where(flip, -a, b)
    p, q = log_ndtr(sign * z), log_ndtr(-sign * z)
    # Phi(x) = Phi(z) Phi(far) + Phi(-z) Phi(near)
    x = ndtri_exp(np.logaddexp(p + log_ndtr(far), q + log_ndtr(near)))
    return loc + scale * np.clip(sign * x, a, b)


def _truncated_below(x: Array, a: Array, b: Array) -> Array:
    """Probabilities below ``x`` of standard normals between ``a`` and ``b``, likewise."""
    flip = a > 0
    x = np.clip(x, a, b)
    at, near, far = (np.where(flip, -u, v) for u, v in ((x, x), (b, a), (a, b)))
    log_far = log_ndtr(far)
    whole = np.expm1(log_ndtr(near) - log_far)
    below = (np.exp(log_ndtr(near) - log_far) - np.exp(log_ndtr(at) - log_far)) / whole
    return np.where(flip, 1.0 - below, below)


def index_cdf(c: Coefficient, loc: Array, scale: float, index: float) -> Array:
    """Probabilities (G,) of coefficients below that of an index, see `from_index`."""
    z = (index - loc) / scale
    match c.family:
        case "uniform":
            return np.clip(0.5 + z / math.sqrt(12.0), 0.0, 1.0)
        case "triangular":
            tail = 0.5 * np.maximum(1.0 - np.abs(z) / math.sqrt(6.0), 0.0) ** 2
            return np.where(z < 0, tail, 1.0 - tail)
        case "gamma":
            return np.asarray(gammainc(scale**-2, np.exp(index - loc) * scale**-2))
        case "truncated-normal":
            low, high = c.limits
            return _truncated_below(z, (low - loc) / scale, (high - loc) / scale)
        case "normal" | "lognormal" | "johnson-sb" | "censored-normal":
            return np.asarray(ndtr(z))
    raise AssertionError(c.family)


def from_index(c: Coefficient, index: float) -> float:
    """The coefficient that an index stands for: a logarithm, a logit, or a value to be censored."""
    low, high = c.limits
    if c.family in ("lognormal", "gamma"):
        return math.exp(index)
    if c.family == "johnson-sb":
        return low + (high - low) * float(expit(index))
    return min(max(index, low), high)
