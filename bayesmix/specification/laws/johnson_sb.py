"""Johnson's SB law, between two bounds."""

from __future__ import annotations

import math

import scipy

from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.kernels.law_functions import law_map
from bayesmix.specification.laws.base import Family, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, checked_bounds, independent


def JohnsonSB(*terms: str, lower: float = 0.0, upper: float = 1.0, mean: str = "1") -> Law:
    """Independent coefficients between two bounds, ``lower + (upper - lower) / (1 + exp(-b_k))``.

    ``b_k`` is normal with ``mean`` and ``sd``: with a large ``sd`` the law has two modes, at the
    bounds. Source: Johnson (1949); Train and Sonnier (2005).

    Parameters
    ----------
    *terms, mean
        As in `Normal`; the mean is that of ``b``.
    lower, upper
        Bounds in units of the coefficient.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If the bounds are not finite or not in order.

    Examples
    --------
    >>> print(JohnsonSB("price", lower=-3, upper=0))
    independent Johnson SB: price in [-3, 0]
    """
    bounds = checked_bounds("JohnsonSB", lower, upper)
    if None in bounds:
        raise SpecificationError("JohnsonSB needs both bounds: give lower= and upper=")
    return independent("JohnsonSB", terms, "johnson-sb", mean=mean, bounds=bounds)


@law_map
def _map(  # pragma: no cover - compiled
    b: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    low, width = known[1], known[2] - known[1]
    for s in range(b.shape[0]):
        p = 1.0 / (1.0 + math.exp(-b[s]))
        out[0, s], out[1, s] = low + width * p, width * p * (1.0 - p)


def _twin(c: Coefficient, loc: float, scale: float) -> object:
    low, high = c.limits
    return scipy.stats.johnsonsb(-loc / scale, 1.0 / scale, loc=low, scale=high - low)


JOHNSON_SB = register(
    Family(
        name="johnson-sb",
        words="Johnson SB",
        make=JohnsonSB,
        map=_map,
        unit="position",
        of="the logit of the place of {coefficient} between its bounds",
        divides=True,
        # The poles of the logistic are at a distance of pi.
        steep=0.8,
        twin=_twin,
    )
)
