"""Symmetric triangular laws, around a mean of their own or bounded by 0."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import scipy

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.kernels.compiling import part
from bayesmix.kernels.law_functions import law_map
from bayesmix.kernels.laws import LEAST_SCALE
from bayesmix.kernels.standard_normal import FARTHEST, below, density
from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, independent

SQRT_6 = math.sqrt(6.0)


def Triangular(
    *terms: str,
    zero_bounded: bool = False,
    sign: Literal[1, -1] | None = None,
    mean: str = "1",
) -> Law:
    """Independent symmetric triangular coefficients.

    ``beta_k = mean_k + sd_k sqrt(6) h(z_k)``, with ``h`` the quantile function of the triangular
    law on [-1, 1] at ``Phi(z)``; ``mean`` and ``sd`` are those of the coefficient. Source: Hensher
    and Greene (2003); Train (2009), chapter 6.

    Parameters
    ----------
    *terms, mean
        As in `Normal`.
    zero_bounded
        Whether the law begins at 0 and ends at twice its mean:
        ``beta_k = sign sd_k sqrt(6) (1 + h(z_k))``. It has one parameter, ``sd``; its mean is
        ``sign sqrt(6) sd``.
    sign
        Of a zero-bounded law: 1 (the default there) or -1.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If a sign is given to a law with both signs, or covariates to one without a mean.

    Examples
    --------
    >>> print(Triangular("price", zero_bounded=True, sign=-1))
    independent zero-bounded triangular: -price
    """
    if arguments.flag("zero_bounded", zero_bounded):
        if not isinstance(mean, str) or mean != "1":
            raise SpecificationError(
                "Triangular(zero_bounded=True) has one parameter, and no mean that covariates "
                "could shift: leave out argument 'mean', or use LogNormal or Gamma"
            )
        side = 1 if sign is None else sign
        return independent("Triangular", terms, "zero-triangular", sign=side, mean="0")
    if sign is not None:
        raise SpecificationError(
            "Triangular: argument 'sign' is for zero_bounded=True; the law around a mean of its "
            "own may have both signs"
        )
    return independent("Triangular", terms, "triangular", mean=mean)


@part(error_model="numpy")
def _triangle(z: float) -> tuple[float, float]:  # pragma: no cover - compiled
    """Quantile of the triangular law on [-1, 1] at ``Phi(z)``, and its slope in z."""
    root = math.sqrt(2.0 * below(-abs(z)))
    return math.copysign(1.0 - root, z), density(z) / root


@law_map
def _map(  # pragma: no cover - compiled
    d: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    loc, s = at[0], max(at[1], LEAST_SCALE)
    for n in range(d.shape[0]):
        z = min(max(d[n] / s, -FARTHEST), FARTHEST)
        h, rise = _triangle(z)
        out[0, n], out[1, n] = loc + SQRT_6 * s * h, SQRT_6 * rise
        out[2, n], out[3, n] = 1.0, SQRT_6 * (h - z * rise)


@law_map
def _from_zero(  # pragma: no cover - compiled
    d: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    s, up = max(at[1], LEAST_SCALE), known[0] * SQRT_6
    for n in range(d.shape[0]):
        z = min(max(d[n] / s, -FARTHEST), FARTHEST)
        h, rise = _triangle(z)
        out[0, n], out[1, n] = up * s * (1.0 + h), up * rise
        out[2, n], out[3, n] = 0.0, up * (1.0 + h - z * rise)


def _cdf(c: Coefficient, loc: Array, scale: float, index: float) -> Array:
    z = (index - loc) / scale
    tail = 0.5 * np.maximum(1.0 - np.abs(z) / SQRT_6, 0.0) ** 2
    return np.where(z < 0, tail, 1.0 - tail)


TRIANGULAR = register(
    Family(
        name="triangular",
        words="triangular",
        make=Triangular,
        map=_map,
        moves=True,
        even=True,
        formulas=Formulas(
            mean_and_sd=lambda c, loc, scale: (loc, np.full(len(loc), scale)), cdf=_cdf
        ),
        twin=lambda c, loc, scale: scipy.stats.triang(
            0.5, loc - SQRT_6 * scale, 2.0 * SQRT_6 * scale
        ),
    )
)

ZERO_TRIANGULAR = register(
    Family(
        name="zero-triangular",
        words="zero-bounded triangular",
        make=Triangular,
        map=_from_zero,
        moves=True,
        located=False,
        one_sided=True,
        divides=True,
        twin=lambda c, loc, scale: scipy.stats.triang(0.5, 0.0, 2.0 * SQRT_6 * scale),
        key="triangular",
    )
)
