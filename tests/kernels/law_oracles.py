"""Quantiles of mixing laws by SciPy and NumPy."""

import numpy as np
from numpy.polynomial import Legendre, Polynomial
from scipy import special
from scipy.optimize import brentq

from bayesmix.specification.maps import location_of


def reference(c, loc, scale, z):
    """Quantiles at ``Phi(z)``, from the nearer tail, by SciPy's distributions."""
    low, high = c.limits
    if c.law.atoms:
        return np.clip(loc + scale * z, low, high)
    if c.family == "truncated-normal":  # whose own quantiles have fewer digits in SciPy
        a, b = (low - loc) / scale, (high - loc) / scale
        below = special.ndtr(a) + special.ndtr(z) * (special.ndtr(b) - special.ndtr(a))
        above = special.ndtr(-b) + special.ndtr(-z) * (special.ndtr(-a) - special.ndtr(-b))
        return loc + scale * np.where(below < 0.5, special.ndtri(below), -special.ndtri(above))
    if c.family.startswith("semi"):
        return loc + scale * np.vectorize(lambda p: squared_polynomial(c, p))(z)
    if c.law.twin is None:  # SciPy has the map's inverse
        return np.vectorize(lambda b: inverted(c, b), otypes=[float])(loc + scale * z)
    law = c.law.twin(c, loc, scale)
    return c.sign * np.where(z < 0, law.ppf(special.ndtr(z)), law.isf(special.ndtr(-z)))


def squared_polynomial(c, z):
    """Where a normal law times a squared sum of Legendre polynomials has the probability below z.

    From the end that is nearer, of which the polynomials in NumPy keep the digits.
    """
    side = 1.0 if z < 0 else -1.0
    length = [np.sqrt(2 * k + 1) * side**k for k in range(len(c.shapes) + 1)]
    root = Legendre(np.array([1.0, *c.shapes]) * length, domain=[0, 1]).convert(
        domain=[0, 1], kind=Polynomial, window=[0, 1]
    )
    q = root**2 + 0.1
    whole = q.integ()
    p = special.ndtr(-abs(z)) * whole(1.0)
    off = brentq(lambda u: np.log(whole(np.exp(u))) - np.log(p), -60, 0, xtol=1e-15, rtol=1e-15)
    x = np.exp(off)
    return side * (special.ndtri(x) if x < 0.5 else -special.ndtri(-np.expm1(off)))


def inverted(c, b):
    """The coefficient whose location is b."""
    return brentq(lambda x: location_of(c, x) - b, -1e6, 1e6, xtol=1e-14, rtol=1e-15)
