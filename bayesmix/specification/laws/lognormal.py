"""The lognormal law."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import scipy

from bayesmix.arrays import Array
from bayesmix.kernels.law_functions import law_map
from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, independent


def LogNormal(*terms: str, sign: Literal[1, -1] = 1, mean: str = "1") -> Law:
    """Independent lognormal coefficients, ``beta_k = sign * exp(mean_k + sd_k u_k)``.

    ``sign=-1`` is for attributes that everybody dislikes, such as prices. ``mean`` and ``sd`` are
    those of the underlying normal, as everywhere in this literature (Train 2009, chapter 6).

    Parameters
    ----------
    *terms
        Columns of the design.
    sign
        -1 for attributes that everybody dislikes.
    mean
        Formula of the underlying normal's mean in covariates of persons, as in `Normal`.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If ``sign`` is neither 1 nor -1.

    Examples
    --------
    >>> print(LogNormal("price", sign=-1))
    independent lognormal: -exp(price)
    """
    return independent("LogNormal", terms, "lognormal", sign=sign, mean=mean)


@law_map
def _map(  # pragma: no cover - compiled
    b: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    """All derivatives of a signed exponential are itself."""
    for s in range(b.shape[0]):
        value = known[0] * math.exp(b[s])
        out[0, s] = out[1, s] = out[4, s] = value


def _mean_and_sd(c: Coefficient, loc: Array, scale: float) -> tuple[Array, Array]:
    with np.errstate(over="ignore"):
        mean = np.exp(loc + 0.5 * scale**2)
        return mean, mean * np.sqrt(np.expm1(scale**2))


def _lift(c: Coefficient, loc: Array, scale: float, shift: float) -> Array:
    return np.asarray(_mean_and_sd(c, loc, scale)[0] * np.expm1(scale * shift))


LOGNORMAL = register(
    Family(
        name="lognormal",
        words="lognormal",
        make=LogNormal,
        map=_map,
        bends=True,
        unit="logarithm",
        of="the logarithm of {coefficient}",
        one_sided=True,
        divides=True,
        formulas=Formulas(
            mean_and_sd=_mean_and_sd,
            lift=_lift,
            slope=lambda c, loc, scale: scale * _mean_and_sd(c, loc, scale)[0],
            # exp(s z) is a density, up to its mean: that of a normal whose mean is s.
            joint=lambda means, move, slope, lift: (means, lift(move)),
        ),
        twin=lambda c, loc, scale: scipy.stats.lognorm(scale, scale=np.exp(loc)),
    )
)
