"""Laws as maps of a standard normal: their means, and their coefficients in Hermite polynomials.

For a positive sign and locations (G,): signs and people are what
`bayesmix.specification.population` knows. What has no closed form in the law's file is integrated
over its compiled map.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, ndtr

from bayesmix.arrays import Array
from bayesmix.kernels.laws import law_reach, law_values
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.laws.rows import known_of, row_of

TERMS = 128
"""Hermite polynomials of a map."""
STEP, FARTHEST = 0.125, 10.0
"""Of the trapezoidal rule, whose error falls exponentially in 1 / step for smooth maps."""
MOST = 2000
"""Nodes on each side at most: of a Johnson SB law with a scale of 160."""


def mean_and_sd(c: Coefficient, loc: Array, scale: float) -> tuple[Array, Array]:
    """Means and standard deviations (G,) of the laws, of positive scale."""
    if c.law.formulas.mean_and_sd is not None:
        return c.law.formulas.mean_and_sd(c, loc, scale)
    z, weights = _nodes(c, scale)
    values = values_at(c, loc, scale, z)
    means = weights @ values
    return means, np.sqrt(weights @ (values - means) ** 2)


def lift(c: Coefficient, loc: Array, scale: float, shift: float) -> Array:
    """How far means (G,) rise where the standard normal moves: ``E[T(z + shift)] - E[T(z)]``."""
    if c.law.formulas.lift is not None:
        return c.law.formulas.lift(c, loc, scale, shift)
    z, weights = _nodes(c, scale)
    return weights @ (values_at(c, loc, scale, z + shift) - values_at(c, loc, scale, z))


def slope(c: Coefficient, loc: Array, scale: float) -> Array:
    """``E[T(z) z]`` (G,), which is the mean of the map's slope."""
    if c.law.formulas.slope is not None:
        return c.law.formulas.slope(c, loc, scale)
    z, weights = _nodes(c, scale)
    return (weights * z) @ values_at(c, loc, scale, z)


def hermite(c: Coefficient, loc: Array, scale: float) -> Array:
    """``E[T(z) h_k(z)]`` (K, G), ``h_k`` the Hermite polynomials of length 1."""
    if c.law.formulas.hermite is not None:
        return c.law.formulas.hermite(c, loc, scale, _polynomials)
    z, weights = _nodes(c, scale)
    return (_polynomials(z) * weights) @ values_at(c, loc, scale, z)


def _polynomials(z: Array) -> Array:
    """Hermite polynomials (K, N) of length 1 at ``z`` (N,)."""
    rows = [np.ones_like(z), z]
    for n in range(1, TERMS - 1):
        rows.append((z * rows[n] - np.sqrt(n) * rows[n - 1]) / np.sqrt(n + 1))
    return np.array(rows)


def _nodes(c: Coefficient, scale: float) -> tuple[Array, Array]:
    """Nodes and weights of means over a standard normal, as fine as the map is steep."""
    step = max(min(STEP, c.law.steep / scale), FARTHEST / MOST)
    side = math.ceil(FARTHEST / step)
    z = np.arange(-float(side), side + 1.0) * step
    weights: Array = np.exp(-0.5 * z**2)
    total: float = weights.sum()
    return z, weights / total


def values_at(c: Coefficient, loc: Array, scale: float, z: Array) -> Array:
    """The maps (Z, G) at standard normals ``z`` (Z,)."""
    d = scale * np.clip(z, -37.0, 37.0)
    if c.law.identity:
        return loc + d[:, None]
    loc = np.ascontiguousarray(loc, dtype=float)
    return np.asarray(law_values(row_of(c.law), known_of(c, sign=1), d, loc, _at(c, scale)))


def _at(c: Coefficient, scale: float) -> Array:
    """Location (any), scale and shapes of a law."""
    return np.array([0.0, scale, *c.shapes])


def index_cdf(c: Coefficient, loc: Array, scale: float, index: float) -> Array:
    """Probabilities (G,) of coefficients below that of an index, see `from_index`."""
    if c.law.formulas.cdf is not None:
        return np.asarray(c.law.formulas.cdf(c, loc, scale, index))
    if not c.law.moves:
        return np.asarray(ndtr((index - loc) / scale))
    value = from_index(c, index)
    return np.asarray(
        ndtr(law_reach(row_of(c.law), known_of(c, sign=1), value, loc, _at(c, scale)))
    )


def from_index(c: Coefficient, index: float) -> float:
    """The coefficient that an index stands for: a logarithm, a logit, or a value to be censored."""
    return float(at_zero_scale(c, np.array([index]), sign=1)[0])


def at_zero_scale(c: Coefficient, loc: Array, sign: int | None = None) -> Array:
    """The value of everybody's coefficient at each location (G,) where the scale is 0.

    For the coefficient's own sign unless one is given.
    """
    sign, (low, high) = c.sign if sign is None else sign, c.limits
    if c.law.location is not None:
        loc = np.ascontiguousarray(loc, dtype=float)
        found = law_values(row_of(c.law), known_of(c, sign), np.zeros(1), loc, _at(c, 0.0))
        return np.asarray(found[0])
    if not c.law.located:
        return np.zeros_like(loc)
    if c.law.unit == "logarithm":
        return sign * np.exp(loc)
    if c.law.unit == "position":
        position: Array = low + (high - low) * expit(loc)
        return position
    return np.clip(loc, low, high)


def location_of(c: Coefficient, value: float) -> float | None:
    """The location at which a scale of 0 gives everybody the coefficient ``value``; or None.

    >>> from bayesmix import LogNormal
    >>> location_of(LogNormal("price", sign=-1).coefficients[0], -1.0)
    0.0
    >>> location_of(LogNormal("price").coefficients[0], -1.0) is None
    True
    """
    low, high = c.limits
    if c.law.location is not None:
        return c.law.location(c, value)
    if not c.law.located:
        return None
    if c.law.unit == "logarithm":
        return math.log(c.sign * value) if c.sign * value > 0 else None
    if c.law.unit == "position":
        return math.log((value - low) / (high - value)) if low < value < high else None
    return value if low <= value <= high else None
