"""The exponential law."""

from __future__ import annotations

import math
from typing import Literal

import scipy

from bayesmix.arrays import Array
from bayesmix.kernels.law_functions import law_map
from bayesmix.kernels.laws import LEAST_SCALE
from bayesmix.kernels.standard_normal import FARTHEST, below, density
from bayesmix.specification.laws.base import Family, register
from bayesmix.specification.laws.coefficient import Law, independent


def Exponential(*terms: str, sign: Literal[1, -1] = 1) -> Law:
    """Independent exponential coefficients, ``beta_k = -sign sd_k log(1 - Phi(z_k))``.

    One parameter, ``sd``: the standard deviation of the coefficient, which is also its mean (times
    ``sign``). Inside `Correlated`, ``z`` are correlated normals (a Gaussian copula).

    Parameters
    ----------
    *terms
        Columns of the design.
    sign
        -1 for attributes that everybody dislikes.

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
    >>> print(Exponential("price", sign=-1))
    independent exponential: -price
    """
    return independent("Exponential", terms, "exponential", sign=sign, mean="0")


@law_map
def _map(  # pragma: no cover - compiled
    d: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    s, sign = max(at[1], LEAST_SCALE), known[0]
    for n in range(d.shape[0]):
        z = min(max(d[n] / s, -FARTHEST), FARTHEST)
        tail = below(-z)
        h, rise = -math.log(tail), density(z) / tail
        out[0, n], out[1, n] = sign * s * h, sign * rise
        out[2, n], out[3, n] = 0.0, sign * (h - z * rise)


EXPONENTIAL = register(
    Family(
        name="exponential",
        words="exponential",
        make=Exponential,
        map=_map,
        moves=True,
        located=False,
        one_sided=True,
        twin=lambda c, loc, scale: scipy.stats.expon(scale=scale),
    )
)
