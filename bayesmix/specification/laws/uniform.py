"""The uniform law."""

from __future__ import annotations

import math

import numpy as np
import scipy

from bayesmix.arrays import Array
from bayesmix.kernels.law_functions import law_map
from bayesmix.kernels.laws import LEAST_SCALE
from bayesmix.kernels.standard_normal import FARTHEST, below, density
from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Law, independent

SQRT_3 = math.sqrt(3.0)


def Uniform(*terms: str, mean: str = "1") -> Law:
    """Independent uniform coefficients, ``beta_k = mean_k + sd_k sqrt(3) (2 Phi(z_k) - 1)``.

    ``mean`` and ``sd`` are those of the coefficient itself: it lies within ``sqrt(3) sd`` of its
    mean. Inside `Correlated`, ``z`` are correlated normals (a Gaussian copula). Source: Train
    (2009), chapter 6; Hensher and Greene (2003).

    Parameters
    ----------
    *terms, mean
        As in `Normal`.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If there is no term, one is no name, or ``mean`` is no text.

    Examples
    --------
    >>> print(Uniform("time"))
    independent uniform: time
    """
    return independent("Uniform", terms, "uniform", mean=mean)


@law_map
def _map(  # pragma: no cover - compiled
    d: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    loc, s = at[0], max(at[1], LEAST_SCALE)
    for n in range(d.shape[0]):
        z = min(max(d[n] / s, -FARTHEST), FARTHEST)
        h, rise = SQRT_3 * (2.0 * below(z) - 1.0), 2.0 * SQRT_3 * density(z)
        out[0, n], out[1, n], out[2, n], out[3, n] = loc + s * h, rise, 1.0, h - z * rise


UNIFORM = register(
    Family(
        name="uniform",
        words="uniform",
        make=Uniform,
        map=_map,
        moves=True,
        even=True,
        formulas=Formulas(
            mean_and_sd=lambda c, loc, scale: (loc, np.full(len(loc), scale)),
            cdf=lambda c, loc, scale, index: np.clip(
                0.5 + (index - loc) / scale / math.sqrt(12.0), 0.0, 1.0
            ),
        ),
        twin=lambda c, loc, scale: scipy.stats.uniform(loc - SQRT_3 * scale, 2.0 * SQRT_3 * scale),
    )
)
