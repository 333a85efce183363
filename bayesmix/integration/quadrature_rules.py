"""Quadratures as users ask for them: the same nodes for everyone, in every dimension."""

from typing import Literal

from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import GaussHermite, Sparse, Trapezoid
from bayesmix.integration.rule_arguments import whole

MAX_POINTS = 64
MAX_TRAPEZOID = 4096
MAX_LEVEL = 15  # the nested rules are stored up to 19 points


def gauss_hermite(points: int) -> GaussHermite:
    """Product of Gauss-Hermite rules, the same for everyone.

    Parameters
    ----------
    points : int
        Points in every dimension, points**K nodes in all: for few random coefficients. Exact for
        polynomials of degree up to 2*points - 1 in every coordinate.

    Returns
    -------
    GaussHermite
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``points`` is no whole number from 1 to 64.

    Examples
    --------
    >>> gauss_hermite(7)
    gauss_hermite(7)
    """
    return GaussHermite(whole("points", points, 1, MAX_POINTS, "7 is a usual choice"))


def trapezoid(points: int) -> Trapezoid:
    """Product of equally spaced nodes in the standard normal, the same for everyone.

    Parameters
    ----------
    points : int
        Points in every dimension, points**K nodes in all: for few random coefficients.

    Returns
    -------
    Trapezoid
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``points`` is no whole number from 1 to 4096.

    Notes
    -----
    The rule for single choices: their probabilities are steep in coefficients that vary much, which
    Gauss-Hermite's points, far apart and far out, follow slowly; here the error falls like
    ``exp(-2 pi d / h)`` with the step h, d the distance of the integrand's singularities (Trefethen
    and Weideman 2014). Every mixing law is a smooth map of a normal, and with bounded ones this is
    the error-function rule of Takahasi and Mori (1973).

    Examples
    --------
    >>> trapezoid(128)
    trapezoid(128)
    """
    return Trapezoid(whole("points", points, 1, MAX_TRAPEZOID, "64 is a usual choice"))


def sparse(level: int = 5, family: Literal["kpn", "gqn"] = "kpn") -> Sparse:
    """Smolyak's sparse grid (Heiss and Winschel 2008), the same for everyone.

    Parameters
    ----------
    level : int
        Exact for polynomials of total degree up to 2*level - 1.
    family : {"kpn", "gqn"}
        One-dimensional rules: nested ones of Genz and Keister (1996), or Gauss-Hermite.

    Returns
    -------
    Sparse
        A description, which prints as the call that makes it.

    Raises
    ------
    SpecificationError
        If ``level`` is no whole number from 1 to 15, or ``family`` is another one.

    Notes
    -----
    Weights can be negative: for smooth integrands (cross-sections), not for long panels.

    Examples
    --------
    >>> sparse(5)
    sparse(level=5, family='kpn')
    """
    if not isinstance(family, str) or family not in ("kpn", "gqn"):
        raise SpecificationError(
            f"argument 'family': expected 'kpn' (nested) or 'gqn' (Gauss-Hermite), got {family!r}: "
            "'kpn' needs fewer nodes"
        )
    return Sparse(whole("level", level, 1, MAX_LEVEL, "levels 3 to 5 are usual"), family)
