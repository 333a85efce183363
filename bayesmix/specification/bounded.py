"""Mixing laws with bounds: uniform, triangular, truncated and censored normal, Johnson's SB."""

from __future__ import annotations

import math
from numbers import Real

from bayesmix import arguments
from bayesmix.errors import SpecificationError
from bayesmix.specification.mixing import Law, independent


def Uniform(*terms: str, mean: str = "1") -> Law:
    """Independent uniform coefficients, ``beta_k = mean_k + sd_k sqrt(3) (2 Phi(z_k) - 1)``.

    ``mean`` and ``sd`` are those of the coefficient itself: it lies within ``sqrt(3) sd`` of its
    mean. Inside `Correlated`, ``z`` are correlated normals (a Gaussian copula). Source: Train
    (2009), chapter 6; Hensher and Greene (2003).

    Parameters
    ----------
    *terms, mean
        As in `Normal`.

    >>> print(Uniform("time"))
    independent uniform: time
    """
    return independent("Uniform", terms, "uniform", mean=mean)


def Triangular(
    *terms: str, zero_bounded: bool = False, sign: int | None = None, mean: str = "1"
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

    Raises
    ------
    SpecificationError
        If a sign is given to a law with both signs, or covariates to one without a mean.

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


def TruncatedNormal(
    *terms: str, lower: float | None = None, upper: float | None = None, mean: str = "1"
) -> Law:
    """Independent normal coefficients given that they lie between two bounds: no mass at these.

    Density ``phi((beta - mean) / sd) / sd``, over its integral from ``lower`` to ``upper``;
    ``mean`` and ``sd`` are those of the normal before it was truncated. The summary prints the
    moments of the coefficient. To be told from `CensoredNormal`, which moves what lies beyond a
    bound onto it.

    Parameters
    ----------
    *terms, mean
        As in `Normal`.
    lower, upper
        Bounds in units of the coefficient, one at least; ``upper=0`` for a price.

    Raises
    ------
    SpecificationError
        If there is no bound, or they are not in order.

    >>> print(TruncatedNormal("price", upper=0))
    independent truncated normal: price in [, 0]
    """
    bounds = _bounds("TruncatedNormal", lower, upper)
    return independent("TruncatedNormal", terms, "truncated-normal", mean=mean, bounds=bounds)


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

    Raises
    ------
    SpecificationError
        If there is no bound, or they are not in order.

    >>> print(CensoredNormal("quality", lower=0))
    independent censored normal: quality in [0, ]
    """
    bounds = _bounds("CensoredNormal", lower, upper)
    return independent("CensoredNormal", terms, "censored-normal", mean=mean, bounds=bounds)


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

    Raises
    ------
    SpecificationError
        If the bounds are not finite or not in order.

    >>> print(JohnsonSB("price", lower=-3, upper=0))
    independent Johnson SB: price in [-3, 0]
    """
    bounds = _bounds("JohnsonSB", lower, upper)
    if None in bounds:
        raise SpecificationError("JohnsonSB needs both bounds: give lower= and upper=")
    return independent("JohnsonSB", terms, "johnson-sb", mean=mean, bounds=bounds)


def _bounds(
    law: str, lower: float | None, upper: float | None
) -> tuple[float | None, float | None]:
    """Bounds that are numbers, in order; an infinite one is none."""
    found: list[float | None] = []
    for name, value in (("lower", lower), ("upper", upper)):
        real = isinstance(value, Real) and not isinstance(value, bool)
        number = None if value is None else float(value) if real else math.nan
        if number is not None and math.isnan(number):
            raise SpecificationError(f"{law}: argument {name!r} must be a number, got {value!r}")
        found.append(None if number is None or math.isinf(number) else number)
    low, high = found
    if low is None and high is None:
        raise SpecificationError(f"{law} needs a bound: give lower= or upper=, or use Normal")
    if low is not None and high is not None and not low < high:
        raise SpecificationError(f"{law}: lower ({low:g}) must be below upper ({high:g})")
    return low, high
