"""The regularised horseshoe of Piironen and Vehtari (2017), with its local scales integrated out.

A parameter is normal with variance ``1 / (1 / slab^2 + 1 / (tau^2 l^2))``, and its local scale
``l`` half-Cauchy. In ``y = x / tau``, with ``r = tau / slab``, its density is

    p(y) = int_0^oo N(y; 0, v(l)) 2 / (pi (1 + l^2)) dl,    1 / v(l) = 1 / l^2 + r^2,

a sum over equal steps of ``log l``, whose error falls exponentially with their number. At 0 it
grows without bound, as a logarithm does, and no sampler gets over that. But it is the law of an
increasing function of a standard normal variable, `quantile`, in which nothing is left of the pole.
Samplers move that variable near 0, and the parameter itself far from it, `stretched`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import erf, erfinv, log_ndtr, logsumexp, ndtri, ndtri_exp

from bayesmix.arrays import Array, Indices

STEP = 0.2
LOG_LOCAL = STEP * np.arange(-170, 181)
"""Logarithms of the local scales of the sum: what lies beyond has less than 1e-14 of the mass."""
INVERSE_SQUARE = np.exp(-2 * LOG_LOCAL)
LOG_MASS = math.log(2 * STEP / math.pi) - LOG_LOCAL - np.logaddexp(0.0, -2 * LOG_LOCAL)
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
NEAREST = 1e-12
"""Size of y below which the density is held, and of a normal below which the quantile is linear."""
FURTHEST = 37.0
"""Standard normal beyond which there are no numbers for what is left of its law."""
KNOTS = 2000
STRETCH, BEND = 5.0, 2.0
"""Largest slope of a parameter by its coordinate, in tau: standard errors are some times it. And
the size, in tau, from which the slope is near that: nothing may be bent where x changes sign."""


def kernel(m: Any, x: Any, tau: Any, slab: Any) -> Any:
    """Log-density at ``x`` (..., M), whole but for what neither x nor tau / slab are in.

    ``m`` is the module of numbers, NumPy or PyTensor's.
    """
    square, r = m.maximum((x / tau) ** 2, NEAREST**2), tau / slab
    each = _log_terms(r)
    if m is np and square.ndim > 1:  # many draws, which have many terms each
        found = np.empty(square.shape)
        for place in np.ndindex(square.shape[:-2]):
            found[place] = [_kernel(m, row, each, r) for row in square[place]]
        return found
    return _kernel(m, square, each, r)


def _kernel(m: Any, square: Any, each: Array, r: Any) -> Any:
    terms = each - 0.5 * square[..., None] * INVERSE_SQUARE
    top = m.max(terms, axis=-1)
    return top + m.log(m.exp(terms - top[..., None]).sum(axis=-1)) - 0.5 * square * r**2


def slope(x: Array, tau: Array, slab: Array) -> Array:
    """Derivative of the log-density at ``x`` (M,)."""
    y, r = x / tau, tau / slab
    terms = _log_terms(r) - 0.5 * np.maximum(y**2, NEAREST**2)[..., None] * INVERSE_SQUARE
    weights = np.exp(terms - logsumexp(terms, axis=-1, keepdims=True))
    return -y * ((weights * INVERSE_SQUARE).sum(axis=-1) + r**2) / tau


def constant(tau: Array, slab: Array) -> Array:
    """What the kernel leaves out."""
    return -np.log(tau)


def _log_terms(r: Array) -> Array:
    """Logarithms (..., S) of the mass of local scales over their normal laws' heights."""
    squares = np.asarray(r)[..., None] ** 2
    return np.asarray(LOG_MASS + 0.5 * np.log(squares + INVERSE_SQUARE) - HALF_LOG_2PI)


def quantile(m: Any, z: Any, tau: Any, slab: float) -> tuple[Any, Any]:
    """The parameters (...) at standard normals ``z`` (...), and their derivatives.

    ``x = sign(z) tau exp(s(log |z|))`` with a cubic spline s, linear in z next to 0. The ratio
    ``tau / slab`` is one number for all; ``m`` is as in `kernel`.
    """
    size = m.maximum(abs(z), NEAREST)
    log_y, rising = _spline(float(np.ravel(tau)[0]) / slab)[0].at(m, size)
    ratio = tau * m.exp(log_y) / size
    return z * ratio, ratio * m.where(abs(z) > NEAREST, rising, 1.0)


def stretched(w: Array, tau: Array, slab: float) -> tuple[Array, Array, Array, Array]:
    """The parameters (...) at coordinates w, their derivatives, and the law of w.

    ``w = z + sign(x) x^2 / (5 tau (|x| + 2 tau))``, z the standard normal of `quantile`. Where z is
    large, x rises steeply with it; with w never by more than 5 tau. The last two are the
    log-density of w, whole, and its derivative.
    """
    _, values, densities = _spline(float(np.ravel(tau)[0]) / slab)
    size = np.maximum(np.abs(w), NEAREST)
    log_y, rising = values.at(np, size)
    log_density, falling = densities.at(np, size)
    ratio, inner = tau * np.exp(log_y) / size, np.abs(w) > NEAREST
    slopes = np.where(inner, falling, 0.0) * np.sign(w) / size
    return w * ratio, ratio * np.where(inner, rising, 1.0), log_density, slopes


def coordinate(x: Array, tau: Array, slab: float) -> Array:
    """The coordinates w (...) of parameters (...): the inverse of `stretched`."""
    x = np.asarray(x, dtype=float)
    return normal_score(x, tau, slab) + np.sign(x) * _stretch(np.abs(x) / tau)[0]


def _stretch(y: Array) -> tuple[Array, Array]:
    """What a coordinate is above a normal, at sizes ``y >= 0``, and its derivative."""
    share = y / (y + BEND)
    return y * share / STRETCH, share * (2.0 - share) / STRETCH


def normal_score(x: Array, tau: Array, slab: float) -> Array:
    """The standard normals (...) of parameters (...): the inverse of `quantile`."""
    found: Array = _score(np.asarray(x, dtype=float) / tau, float(np.ravel(tau)[0]) / slab)
    return found


def _score(y: Array, r: float) -> Array:
    """``Phi^-1`` of the law function at ``y`` (...), good to the last digits near 0 and far out."""
    z = np.abs(y)[..., None] * np.sqrt(INVERSE_SQUARE + r**2)
    near = (np.exp(LOG_MASS) * erf(z / math.sqrt(2.0))).sum(axis=-1)
    far = logsumexp(LOG_MASS + log_ndtr(-z), axis=-1)
    with np.errstate(all="ignore"):
        inside = math.sqrt(2.0) * erfinv(near)
        found = np.where(near < 0.5, inside, -ndtri_exp(far))
    return np.asarray(np.sign(y) * found)


def by_ratio(own: Mapping[int, tuple[float, ...]]) -> list[tuple[Indices, Array, float]]:
    """Places, scales and the first's slab of those with one ratio of the two, from (tau, slab)."""
    found: dict[float, list[int]] = {}
    for place, (tau, slab) in own.items():
        found.setdefault(round(tau / slab, 12), []).append(place)
    return [
        (
            np.array(places, dtype=np.int64),
            np.array([own[p][0] for p in places]),
            own[places[0]][1],
        )
        for places in found.values()
    ]


class _Spline(NamedTuple):
    """A cubic spline of the logarithm of a size: first knot, step, coefficients (N, 4)."""

    first: float
    step: float
    table: Array

    @staticmethod
    def through(x: Array, y: Array, last: float) -> _Spline:
        """From values ``y`` at ``x``, on equal steps from the logarithm of the nearest size."""
        knots = np.linspace(math.log(NEAREST), min(last, float(x[-1])), KNOTS)
        own = CubicSpline(knots, CubicSpline(x, y)(knots))
        return _Spline(float(knots[0]), float(knots[1] - knots[0]), np.ascontiguousarray(own.c.T))

    def at(self, m: Any, size: Any) -> tuple[Any, Any]:
        """Values (...) at sizes (...), and derivatives by their logarithms."""
        last = len(self.table) - 1
        at = m.minimum((m.log(size) - self.first) / self.step, last + 1.0)
        place = m.clip(m.floor(at), 0, last)
        table = self.table if m is np else m.constant(self.table)
        own, d = table[place.astype("int64")], (at - place) * self.step
        value = ((own[..., 0] * d + own[..., 1]) * d + own[..., 2]) * d + own[..., 3]
        return value, (3 * own[..., 0] * d + 2 * own[..., 1]) * d + own[..., 2]


@lru_cache(maxsize=64)
def _spline(r: float) -> tuple[_Spline, _Spline, _Spline]:
    """``log y`` by that of its normal score, by that of its coordinate, and the latter's law."""
    log_y = np.arange(math.log(1e-14), math.log(1.1 * FURTHEST * max(1.0, 1 / r)), 0.03)
    y = np.exp(log_y)
    z = _score(y, r)
    kept = np.isfinite(z) & (z < FURTHEST)
    log_y, y, z = log_y[kept], y[kept], z[kept]
    density = kernel(np, y, 1.0, 1 / r)
    more, slope_of_more = _stretch(y)
    rising = np.exp(density + 0.5 * z**2 + HALF_LOG_2PI) + slope_of_more
    log_w = np.log(z + more)
    return (
        _Spline.through(np.log(z), log_y, math.log(FURTHEST)),
        _Spline.through(log_w, log_y, np.inf),
        _Spline.through(log_w, density - np.log(rising), np.inf),
    )


class HorseshoeLaw:
    """The law with SciPy's methods."""

    def __init__(self, tau: Any, slab: Any) -> None:
        self.tau, self.slab = np.asarray(tau, dtype=float), np.asarray(slab, dtype=float)

    def ppf(self, q: Any) -> Any:
        slab = float(np.ravel(self.slab)[0])
        return quantile(np, np.asarray(ndtri(q)), self.tau, slab)[0]

    def logpdf(self, x: Any) -> Any:
        return kernel(np, np.asarray(x), self.tau, self.slab) + constant(self.tau, self.slab)

    def rvs(self, size: Any, random_state: np.random.Generator) -> Any:
        local = self.tau * np.abs(random_state.standard_cauchy(size))
        spread = 1 / np.sqrt(1 / local**2 + 1 / self.slab**2)
        return spread * random_state.standard_normal(size)

    def std(self) -> Any:
        """``E v = tau^2 / (r (1 + r))``."""
        r = self.tau / self.slab
        return self.tau / np.sqrt(r * (1 + r))
