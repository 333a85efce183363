"""Semi-nonparametric laws: a normal density times a squared polynomial.

The map is the inverse of a polynomial, found by Newton's method between bounds. Polynomials
are written in powers of the distance from the nearer end of the unit interval, so that tails keep
their digits; the upper half is the lower one of the mirrored law.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from math import comb

import numpy as np
from scipy.special import ndtr, ndtri

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.kernels.compiling import part
from bayesmix.kernels.law_functions import law_map
from bayesmix.kernels.laws import LEAST_SCALE
from bayesmix.kernels.normal_quantile import inverse_normal
from bayesmix.kernels.standard_normal import FARTHEST, below
from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, independent
from bayesmix.specification.laws.normal import NORMAL

MOST = 5
"""Largest degree: powers of higher ones cancel in double precision."""
FLOOR = 0.1
"""Weight of the normal law beside the squared polynomial: densities are above 0 where it is 0."""
LEGENDRE = np.array(
    [
        [
            math.sqrt(2 * k + 1) * (-1) ** (k + m) * comb(k, m) * comb(k + m, m)
            for m in range(MOST + 1)
        ]
        for k in range(MOST + 1)
    ]
)
"""Legendre polynomials of length 1 on [0, 1], (MOST + 1, MOST + 1), in powers of x."""
CLOSE = 1e-9
"""Step of Newton's method, of a logarithm, after which the next is below rounding."""
NODES = np.linspace(-10.0, 10.0, 801)


def SemiNonparametric(*terms: str, degree: int = 2, mean: str = "1") -> Law:
    """Independent coefficients whose law takes the shape that the choices ask for.

    A normal density with ``mean`` and ``sd`` times a squared polynomial of its distribution
    function ``x = Phi((beta - mean) / sd)``, which makes it skewed, flat or of several peaks::

        f(beta) = phi((beta - mean) / sd) / sd q(x)
        q(x) = ((1 + sum_k shape_k L_k(x))^2 + e) / (1 + sum_k shape_k^2 + e)

    with ``L_k`` the Legendre polynomials of length 1 on [0, 1] and ``e = 0.1``, a trace of the
    normal law, with which densities are positive everywhere (as in Gallant and Nychka 1987).
    ``mean`` and ``sd`` are those of the normal law, not of the coefficient: the summary has both.
    Shapes of 0 are the normal law, and a last shape of 0 that of one degree less: ``lr_test`` and
    ``wald_test`` test them, `compare_laws` puts degrees beside one another. Between two peaks few
    people stand, and what is integrated rises steeply there: 256 centred nodes are few. Source:
    Fosgerau and Bierlaire (2007).

    Parameters
    ----------
    *terms, mean
        As in `Normal`; the mean is that of the normal law.
    degree
        Number of shapes ``shape[x, 1]``, ``shape[x, 2]``, ..., 1 to 5: two give two peaks.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If the degree is no whole number from 1 to 5.

    Examples
    --------
    >>> print(SemiNonparametric("time", degree=3))
    independent semi-nonparametric of degree 3: time
    """
    arguments.whole("degree", degree, least=1, most=MOST)
    return independent("SemiNonparametric", terms, f"semi-nonparametric-{degree}", mean=mean)


@part(error_model="numpy")
def _polynomials(
    shapes: Array, side: float, base: Array, powers: Array
) -> None:  # pragma: no cover
    """Powers of x of ``1 + sum shape_k L_k`` (base), of ``Q`` and its slopes by shapes (powers).

    ``side`` is -1 for the mirrored law, in powers of ``1 - x``.
    """
    size = shapes.shape[0] + 1
    weights = np.ones(size)
    total, sign = 1.0 + FLOOR, 1.0
    for k in range(1, size):
        sign *= side
        weights[k] = sign * shapes[k - 1]
        total += shapes[k - 1] ** 2
    for m in range(size):
        base[m] = 0.0
        for k in range(size):
            base[m] += weights[k] * LEGENDRE[k, m]
    powers[:] = 0.0
    powers[0, 1] = FLOOR / total
    for a in range(size):
        for b in range(size):
            own = base[a] / ((a + b + 1) * total)
            powers[0, a + b + 1] += own * base[b]
            for k in range(1, size):
                powers[k, a + b + 1] += 2.0 * own * LEGENDRE[k, b]
    for k in range(1, size):
        for m in range(powers.shape[1]):
            powers[k, m] -= 2.0 * weights[k] / total * powers[0, m]


@part(error_model="numpy")
def _value(row: Array, x: float) -> float:  # pragma: no cover - compiled
    total = 0.0
    for m in range(row.shape[0] - 1, -1, -1):
        total = total * x + row[m]
    return total


@part(error_model="numpy")
def _slope(row: Array, x: float) -> float:  # pragma: no cover - compiled
    total = 0.0
    for m in range(row.shape[0] - 1, 0, -1):
        total = total * x + m * row[m]
    return total


@part(error_model="numpy")
def _inverse(p: float, total: float, base: Array, powers: Array) -> float:  # pragma: no cover
    """The x in (0, 1) with ``Q(x) = p <= 1/2``; arrays of this side and the other."""
    size = base.shape[1]
    target, most = math.log(p), 1.0 * size * size  # of a density on [0, 1]
    low, high = target - math.log(most) - 1e-9, -0.25 / most
    u = min(target, high)
    for _ in range(100):
        x = math.exp(u)
        if x <= 0.5:
            found, root = _value(powers[0, 0], x), _value(base[0], x)
        else:
            found, root = 1.0 - _value(powers[1, 0], 1.0 - x), _value(base[1], 1.0 - x)
        off = math.log(found) - target
        if off > 0.0:
            high = u
        else:
            low = u
        step = off * found * total / (x * (root * root + FLOOR))
        moved = u - step
        if abs(step) <= CLOSE:
            return math.exp(moved)
        u = moved if low < moved < high else 0.5 * (low + high)
    return math.exp(u)


@law_map
def _map(  # pragma: no cover - compiled
    d: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    loc, s, shapes = at[0], max(at[1], LEAST_SCALE), at[2:]
    size = shapes.shape[0] + 1
    total = 1.0 + FLOOR
    for k in range(1, size):
        total += shapes[k - 1] ** 2
    # Of the lower side, of the upper, of the lower again: each side with its other.
    base, powers = np.empty((3, size)), np.empty((3, size, 2 * size))
    for side in range(3):
        _polynomials(shapes, 1.0 if side != 1 else -1.0, base[side], powers[side])
    for n in range(d.shape[0]):
        z = min(max(d[n] / s, -FARTHEST), FARTHEST)
        near, sign = (0, 1.0) if z < 0.0 else (1, -1.0)
        own, every = base[near : near + 2], powers[near : near + 2]
        x = _inverse(below(-abs(z)), total, own, every)
        upper = x > 0.5
        w = 1.0 - x if upper else x
        side = 1 if upper else 0
        y = -inverse_normal(w) if upper else inverse_normal(w)
        root, turn = _value(own[side], w), _slope(own[side], w)
        q = (root * root + FLOOR) / total
        height = math.exp(-0.5 * y * y) / math.sqrt(2.0 * math.pi)
        rise = math.exp(0.5 * (y * y - z * z)) / q
        bend = 2.0 * root * (-turn if upper else turn) / total
        y_bend = rise * (y * rise + abs(z) - bend * height * rise / q)
        out[0, n], out[1, n] = loc + sign * s * y, rise
        out[2, n], out[3, n] = 1.0, sign * y - z * rise
        flip = 1.0
        for k in range(1, size):
            flip = -flip
            # Slopes are those by weights of this side, whose odd ones have the other sign above.
            by = -flip * _value(every[1, k], w) if upper else _value(every[0, k], w)
            mirrored = 1.0 if sign > 0.0 else flip
            out[3 + k, n] = -sign * mirrored * s * by / (q * height)
        out[3 + size, n] = sign * y_bend / s


def _density(shapes: Array, x: Array) -> Array:
    """``q(x)``."""
    weights = np.array([1.0, *shapes])
    root = np.polynomial.polynomial.polyval(x, weights @ LEGENDRE[: len(weights)])
    found: Array = (root**2 + FLOOR) / (weights @ weights + FLOOR)
    return found


def _below(shapes: Array, x: Array) -> Array:
    """``Q(x)`` for x of at most 1/2, with the digits of its logarithm."""
    weights = np.array([1.0, *shapes])
    base = weights @ LEGENDRE[: len(weights)]
    square = np.convolve(base, base)
    square[0] += FLOOR
    powers = np.append(0.0, square / np.arange(1.0, len(square) + 1.0))
    found: Array = np.polynomial.polynomial.polyval(x, powers) / (weights @ weights + FLOOR)
    return found


def _distribution(shapes: tuple[float, ...], y: Array) -> tuple[Array, Array]:
    """``Q(Phi(y))`` and one less it."""
    near, own = ndtr(-np.abs(y)), np.array(shapes)
    mirrored = own * (-1.0) ** np.arange(1, len(own) + 1)
    tail = np.where(y < 0.0, _below(own, near), _below(mirrored, near))
    return np.where(y < 0.0, tail, 1.0 - tail), np.where(y < 0.0, 1.0 - tail, tail)


def _cdf(c: Coefficient, loc: Array, scale: float, index: float) -> Array:
    return _distribution(c.shapes, (index - loc) / scale)[0]


@cache
def _nodes(shapes: tuple[float, ...]) -> tuple[Array, Array]:
    """The standard normal z at which the map is ``loc + s NODES``, and weights: means over z."""
    weights = np.exp(-0.5 * NODES**2)
    weights *= _density(np.array(shapes), ndtr(NODES))
    lower, upper = _distribution(shapes, NODES)
    z = np.where(lower < 0.5, ndtri(lower), -ndtri(upper))
    return z, weights / weights.sum()


def _mean_and_sd(c: Coefficient, loc: Array, scale: float) -> tuple[Array, Array]:
    weights = _nodes(c.shapes)[1]
    mean = weights @ NODES
    sd = math.sqrt(weights @ (NODES - mean) ** 2)
    return loc + scale * mean, np.full(len(loc), scale * sd)


def _lift(c: Coefficient, loc: Array, scale: float, shift: float) -> Array:
    z, weights = _nodes(c.shapes)
    moved = np.expm1(shift * z - 0.5 * shift**2)
    return np.full(len(loc), scale * float((weights * moved) @ NODES))


def _slopes(c: Coefficient, loc: Array, scale: float) -> Array:
    z, weights = _nodes(c.shapes)
    return np.full(len(loc), scale * float((weights * z) @ NODES))


def _hermite(
    c: Coefficient, loc: Array, scale: float, polynomials: Callable[[Array], Array]
) -> Array:
    z, weights = _nodes(c.shapes)
    rows = polynomials(z) * weights
    return rows.sum(axis=1)[:, None] * loc + (scale * (rows @ NODES))[:, None]


def _family(degree: int, plain: Family) -> Family:
    return register(
        Family(
            name=f"semi-nonparametric-{degree}",
            words=f"semi-nonparametric of degree {degree}",
            make=SemiNonparametric,
            map=_map,
            moves=True,
            bends=True,
            of="the normal whose density a polynomial multiplies to that of {coefficient}",
            formulas=Formulas(
                mean_and_sd=_mean_and_sd, lift=_lift, slope=_slopes, hermite=_hermite, cdf=_cdf
            ),
            shapes=tuple((str(k), 0.0) for k in range(1, degree + 1)),
            plain=plain,
            key="semi-nonparametric",
        )
    )


OF_DEGREE = [NORMAL]
for _degree in range(1, MOST + 1):
    OF_DEGREE.append(_family(_degree, OF_DEGREE[-1]))
