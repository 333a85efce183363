"""The censored normal law: shares of people stand at its bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy
from scipy.special import ndtr

from bayesmix.arrays import Array
from bayesmix.kernels.law_functions import law_map
from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, checked_bounds, independent


def CensoredNormal(
    *terms: str, lower: float | None = None, upper: float | None = None, mean: str = "1"
) -> Law:
    """Independent censored normal coefficients, ``beta_k = min(max(b_k, lower), upper)``.

    ``b_k`` is normal with ``mean`` and ``sd``; a share of people stands exactly at a bound: with
    ``lower=0`` those who do not care for an attribute. Source: Train and Sonnier (2005).

    Parameters
    ----------
    *terms, mean
        As in `Normal`.
    lower, upper
        Bounds in units of the coefficient, one at least.

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
    >>> print(CensoredNormal("quality", lower=0))
    independent censored normal: quality in [0, ]
    """
    bounds = checked_bounds("CensoredNormal", lower, upper)
    return independent("CensoredNormal", terms, "censored-normal", mean=mean, bounds=bounds)


@law_map
def _map(  # pragma: no cover - compiled
    b: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    low, high = known[1], known[2]
    for s in range(b.shape[0]):
        out[0, s] = min(max(b[s], low), high)
        out[1, s] = 1.0 if low < b[s] < high else 0.0


def _mean_and_sd(c: Coefficient, loc: Array, scale: float) -> tuple[Array, Array]:
    """Moments of ``min(max(b, low), high)``, ``b`` normal around each location."""
    low, high = c.limits
    a, b = (low - loc) / scale, (high - loc) / scale
    below, above = ndtr(a), ndtr(-b)
    at_a, at_b = (np.exp(-0.5 * end**2) / math.sqrt(2.0 * math.pi) for end in (a, b))
    # Deviations from the location: their squares lose no digits where it is far from 0.
    mean, square = scale * (at_a - at_b), scale**2 * (1.0 - below - above)
    for mass, end, slope in ((below, low, -at_a), (above, high, at_b)):
        if np.isfinite(end):
            mean = mean + mass * (end - loc)
            square = square + mass * (end - loc) ** 2 - scale * (end - loc) * slope
    return loc + mean, np.sqrt(np.maximum(square - mean**2, 0.0))


def _lift(c: Coefficient, loc: Array, scale: float, shift: float) -> Array:
    there, here = (_mean_and_sd(c, loc + move, scale)[0] for move in (scale * shift, 0.0))
    return there - here


def _slope(c: Coefficient, loc: Array, scale: float) -> Array:
    low, high = ((end - loc) / scale for end in c.limits)
    return np.asarray(scale * (ndtr(high) - ndtr(low)))


def _hermite(
    c: Coefficient, loc: Array, scale: float, polynomials: Callable[[Array], Array]
) -> Array:
    """By parts, of a map with kinks: its slope is ``scale`` between them, or 0."""
    ends = [np.clip((end - loc) / scale, -38.0, 38.0) for end in c.limits]
    low, high = (polynomials(end) * scipy.stats.norm.pdf(end) for end in ends)
    k = np.arange(2.0, len(low))[:, None]
    rest = scale * (low - high)[:-2] / np.sqrt(k * (k - 1.0))
    return np.vstack([_mean_and_sd(c, loc, scale)[0], _slope(c, loc, scale), rest])


CENSORED_NORMAL = register(
    Family(
        name="censored-normal",
        words="censored normal",
        make=CensoredNormal,
        map=_map,
        of="the normal before it is censored to {coefficient}",
        atoms=True,
        formulas=Formulas(mean_and_sd=_mean_and_sd, lift=_lift, slope=_slope, hermite=_hermite),
    )
)
