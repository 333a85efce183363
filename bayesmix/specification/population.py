"""Moments of a coefficient over people whose laws differ in location: a mixture of laws.

Of more than a few hundred kinds of people, what has no quick closed form is interpolated in the
location, see `bayesmix.specification.location_nodes`: with a relative error below 1e-5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import brentq

from bayesmix.arrays import Array
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.location_nodes import nodes
from bayesmix.specification.maps import (
    TERMS,
    at_zero_scale,
    from_index,
    hermite,
    index_cdf,
    lift,
    mean_and_sd,
    slope,
    values_at,
)
from bayesmix.specification.moments import Moments, above_zero, moments

CLEAR = 1e-3
"""An error of a correlation that makes no difference to what is printed."""


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
    c = coefficient
    if scale == 0.0:
        values = at_zero_scale(c, loc)
        positive = _average(share, (values > 0).astype(float))
        mean, sd = _mean_and_sd(c, loc, scale, share)
        return Moments(mean, _step(values, share), sd, positive)
    if not c.law.located:
        return moments(c, 0.0, scale)
    mean, sd = _mean_and_sd(c, loc, scale, share)
    # Where the index alone is normal, its distribution function is quick: that of everybody.
    at, of_node = _few(c, loc, scale, share) if c.law.moves else (loc, share)
    positive = _average(of_node, above_zero(c, at, scale))
    return Moments(mean, c.sign * _median(c, at, scale, of_node), sd, positive)


def _few(c: Coefficient, loc: Array, scale: float, share: Array) -> tuple[Array, Array]:
    """Locations and shares that stand for those of people, where a law is dear."""
    formulas = c.law.formulas
    if c.law.located and formulas.mean_and_sd is not None and not formulas.dear:
        return loc, share
    few = nodes(c, loc, scale)
    return few.loc, few.sums(share)


def _mean_and_sd(c: Coefficient, loc: Array, scale: float, share: Array) -> tuple[float, float]:
    """Over all people."""
    if scale == 0.0:
        values = at_zero_scale(c, loc)
        return float(share @ values), _spread(values, np.zeros(1), share)
    at, of_node = _few(c, loc, scale, share)
    means, sds = mean_and_sd(c, at, scale)
    return c.sign * float(of_node @ means), _spread(means, sds, of_node)


def _average(share: Array, values: Array) -> float:
    """An average of probabilities: of equal ones exactly theirs, though shares are rounded."""
    low, high = float(values.min()), float(values.max())
    return min(max(float(share @ values), low), high)


def _spread(means: Array, sds: Array, share: Array) -> float:
    """Standard deviation over people and within their laws."""
    away = means - share @ means
    size = max(float(np.abs(away).max()), float(sds.max()))
    if not 0.0 < size < math.inf:
        return size
    # In units of the largest, whose square may be too large for a number.
    return size * math.sqrt(max(float(share @ ((sds / size) ** 2 + (away / size) ** 2)), 0.0))


def _median(c: Coefficient, loc: Array, scale: float, share: Array) -> float:
    """Where the mixture's distribution function is 1/2: between the medians of its laws."""
    ends = np.array([loc.min(), loc.max()])
    if c.law.moves and not c.law.even:  # their index is not symmetric around loc
        ends = values_at(c, ends, scale, np.zeros(1))[0]
        if c.law.unit == "logarithm":
            ends = np.log(np.maximum(ends, np.finfo(float).tiny))
    low, high = (float(end) for end in ends)

    def excess(index: float) -> float:
        return float(share @ index_cdf(c, loc, scale, index)) - 0.5

    # Of people who are nearly alike rounding may put both ends on one side.
    if not low < high or excess(low) >= 0.0:
        return from_index(c, low)
    if excess(high) <= 0.0:
        return from_index(c, high)
    return from_index(c, float(brentq(excess, low, high, xtol=1e-15)))


def _step(values: Array, share: Array) -> float:
    """The median of a law with few values."""
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(share[order]), 0.5 - 1e-12)])


def population_correlation(
    pair: tuple[Coefficient, Coefficient],
    locs: tuple[Array, Array],
    scales: tuple[float, float],
    correlation: float,
    share: Array,
) -> float:
    """Correlation over people of two coefficients whose indices have a given correlation.

    Beside the covariance over kinds of people of the means it has that within them. With a normal
    coefficient this is ``corr s_1 E[T_2(z) z]``, with a lognormal one of mean ``m_1`` it is ``m_1
    E[T_2(z + corr s_1) - T_2(z)]``. Otherwise, with ``a_k = E[T(z) h_k(z)]`` of each map of its
    index, ``h_k`` the Hermite polynomials of length 1 (Mehler's formula)::

        sum_{k>=1} corr^k a_k b_k

    of which 128 terms are used. NaN where a coefficient does not vary, where a standard deviation
    is too large for a number, and where the remaining terms might matter: they are at most ``corr^K
    sqrt(A B)``, with what the variances have beyond the terms used.

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
    laws = [_Law(*each) for each in zip(pair, locs, scales, strict=True)]
    sds = [_mean_and_sd(*law, share)[1] for law in laws]
    if not all(0.0 < sd < math.inf for sd in sds):
        return math.nan
    size = sds[0] * sds[1]
    first, second = sorted(laws, key=lambda law: law.c.law.formulas.joint is None)
    with np.errstate(over="ignore", invalid="ignore"):
        if 0.0 in scales:
            means = [law.means() for law in laws]
            covariance = float((share * (means[0] - share @ means[0])) @ means[1])
        elif first.c.law.formulas.joint is not None:
            covariance = _closed(first, second, correlation, share)
        else:
            covariance, error = _series(first, second, correlation, share)
            if error > CLEAR * size:
                return math.nan
        found = pair[0].sign * pair[1].sign * (covariance / sds[0] / sds[1])
    return found if math.isfinite(found) else math.nan


class _Law(NamedTuple):
    """A law at its locations (G,) and scale."""

    c: Coefficient
    loc: Array
    scale: float

    def means(self) -> Array:
        """Of each kind of people (G,), for a positive sign."""
        if self.scale == 0.0:
            return self.c.sign * at_zero_scale(self.c, self.loc)
        few = nodes(self.c, self.loc, self.scale)
        return np.asarray(few.matrix @ mean_and_sd(self.c, few.loc, self.scale)[0])


def _closed(first: _Law, second: _Law, correlation: float, share: Array) -> float:
    """Covariance of positive signs where that of the first with any other is known."""
    joint, other = first.c.law.formulas.joint, second.c.law.formulas
    assert joint is not None
    few = None if other.lift is not None else nodes(*second)
    at = second.loc if few is None else few.loc

    def sums(values: Array) -> Array:
        return values if few is None else few.sums(values)

    mean, _ = mean_and_sd(first.c, first.loc, first.scale)
    weights, of_other = joint(
        mean,
        correlation * first.scale,
        lambda: slope(second.c, at, second.scale),
        lambda shift: lift(second.c, at, second.scale, shift),
    )
    means, _ = mean_and_sd(second.c, at, second.scale)
    within = sums(share * weights) @ of_other
    return float(within + sums(share * (mean - share @ mean)) @ means)


def _series(first: _Law, second: _Law, correlation: float, share: Array) -> tuple[float, float]:
    """Covariance of positive signs by Mehler's formula, and a bound of its error."""
    few = [nodes(*law) for law in (first, second)]
    joint = few[0].matrix.T @ sparse.diags(share) @ few[1].matrix
    terms, beyond = [], 1.0
    for law, own in zip((first, second), few, strict=True):
        a = hermite(law.c, own.loc, law.scale)
        mean, sd = mean_and_sd(law.c, own.loc, law.scale)
        weights = own.sums(share)
        missing = np.maximum(sd**2 - (a[1:] ** 2).sum(axis=0), 0.0)
        beyond *= max(float(weights @ missing), 0.0)
        a[0] = mean - weights @ mean
        terms.append(a)
    powers = np.append(1.0, correlation ** np.arange(1.0, TERMS))[:, None]
    covariance = float((np.asarray(joint.T @ (powers * terms[0]).T).T * terms[1]).sum())
    return covariance, abs(correlation) ** TERMS * math.sqrt(beyond)
