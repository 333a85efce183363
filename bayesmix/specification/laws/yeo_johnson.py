"""Yeo and Johnson's law: a normal index through the inverse of their power transformation."""

from __future__ import annotations

import math

import numpy as np
import scipy

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import part
from bayesmix.kernels.law_functions import law_map
from bayesmix.specification.laws.base import Family, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, independent
from bayesmix.specification.laws.normal import NORMAL


def YeoJohnson(*terms: str, mean: str = "1") -> Law:
    """Independent coefficients that are skewed either way, of both signs.

    ``b_k``, normal with ``mean`` and ``sd``, is Yeo and Johnson's power transformation of the
    coefficient, with the power ``l = 2 / (1 + exp(-shape))`` between 0 and 2::

        beta = (1 + l b)^(1/l) - 1                   for b >= 0
        beta = 1 - (1 - (2 - l) b)^(1/(2 - l))       for b < 0

    A ``shape`` of 0 is the normal law, a negative one a long tail of positive coefficients, a
    positive one of negative coefficients: ``lr_test(normal, fit)`` and ``wald_test(fit,
    "shape[time] = 0")`` test the normal law. Source: Yeo and Johnson (2000).

    Parameters
    ----------
    *terms, mean
        As in `Normal`; the mean is that of ``b``.

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
    >>> print(YeoJohnson("time"))
    independent Yeo-Johnson: time
    """
    return independent("YeoJohnson", terms, "yeo-johnson", mean=mean)


@part(error_model="numpy")
def _above(b: float, power: float) -> tuple[float, float, float, float]:  # pragma: no cover
    """``T`` for ``b >= 0``, and its derivatives by b, by the power, and twice by b."""
    x = power * b
    if x < 1e-4:
        y = b * (1.0 - x * (1.0 / 2.0 - x * (1.0 / 3.0 - x / 4.0)))
        turn = b * b * (-1.0 / 2.0 + x * (2.0 / 3.0 - x * (3.0 / 4.0 - x * 4.0 / 5.0)))
    else:
        y = math.log1p(x) / power
        turn = (b / (1.0 + x) - y) / power
    rise = math.exp(y) / (1.0 + x)
    return math.expm1(y), rise, math.exp(y) * turn, rise * (1.0 - power) / (1.0 + x)


@law_map
def _map(  # pragma: no cover - compiled
    b: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    half = 1.0 / (1.0 + math.exp(-at[2]))
    by_shape = 2.0 * half * (1.0 - half)
    for s in range(b.shape[0]):
        if b[s] >= 0.0:
            value, rise, turn, bend = _above(b[s], 2.0 * half)
            out[0, s], out[1, s], out[4, s], out[5, s] = value, rise, turn * by_shape, bend
        else:
            value, rise, turn, bend = _above(-b[s], 2.0 * (1.0 - half))
            out[0, s], out[1, s], out[4, s], out[5, s] = -value, rise, turn * by_shape, -bend


def _location(c: Coefficient, value: float) -> float:
    """The transformation itself."""
    (shape,) = c.shapes
    return float(scipy.stats.yeojohnson(np.array([value]), 2.0 / (1.0 + math.exp(-shape)))[0])


YEO_JOHNSON = register(
    Family(
        name="yeo-johnson",
        words="Yeo-Johnson",
        make=YeoJohnson,
        map=_map,
        bends=True,
        of="the normal that {coefficient} is a transformation of",
        location=_location,
        shapes=(("shape", 0.0),),
        plain=NORMAL,
    )
)
