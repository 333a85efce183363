"""Moments of a coefficient at one location and scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.specification.laws.coefficient import Coefficient
from bayesmix.specification.maps import (
    at_zero_scale,
    index_cdf,
    location_of,
    mean_and_sd,
    values_at,
)


class Moments(NamedTuple):
    """Mean, median and standard deviation of a coefficient, and its probability to be positive."""

    mean: float
    median: float
    sd: float
    positive: float


def moments(c: Coefficient, loc: float, scale: float) -> Moments:
    """Moments of the coefficient itself at a location and a scale.

    >>> from bayesmix import LogNormal
    >>> law = LogNormal("price", sign=-1).coefficients[0]
    >>> [round(float(m), 4) for m in moments(law, 0.0, 0.5)]
    [-1.1331, -1.0, 0.6039, 0.0]
    """
    at = np.array([loc])
    if scale == 0.0:
        value = float(at_zero_scale(c, at)[0])
        return Moments(value, value, 0.0, float(value > 0))
    if c.law.twin is not None:
        law = c.law.twin(c, loc, scale)
        with np.errstate(over="ignore", invalid="ignore"):  # of a wide lognormal law: infinite
            mean, median, sd = float(law.mean()), float(law.median()), float(law.std())
        if c.sign < 0:
            return Moments(-mean, -median, sd, float(law.cdf(0.0)))
        return Moments(mean, median, sd, float(law.sf(0.0)))
    (mean,), (sd,) = mean_and_sd(c, at, scale)
    median = float(values_at(c, at, scale, np.zeros(1))[0, 0])
    return Moments(
        c.sign * float(mean), c.sign * median, float(sd), float(above_zero(c, at, scale)[0])
    )


def above_zero(c: Coefficient, loc: Array, scale: float) -> Array:
    """Probabilities (G,) of a positive coefficient."""
    if c.side and not (c.law.atoms and c.limits[0] == 0.0):
        return np.full(len(loc), float(c.side > 0))
    zero = location_of(c, 0.0)
    below = index_cdf(c, loc, scale, 0.0 if zero is None else zero)
    return 1.0 - below if c.sign > 0 else below
