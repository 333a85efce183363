"""Mixing laws compiled: coefficients as maps of normals, and the slopes of these maps.

``beta = T(d; loc, s)`` with ``d = L_k u`` and ``s`` the length of the row ``L_k``, so that
``z = d / s`` is standard normal and every marginal law is a quantile function of ``Phi(z)``. The
derivatives that the chain rule needs are ``T_d``, ``T_loc`` and ``T_s`` at fixed others. Codes are
those of `bayesmix.specification.families`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bayesmix.kernels.compiling import compiled
from bayesmix.kernels.gamma import gamma_law
from bayesmix.kernels.gamma_table import CELLS, COLUMNS, fill_table, gamma_at
from bayesmix.kernels.truncated import FARTHEST, LOG_2PI, below, truncated_law

Array = NDArray[np.float64]

NORMAL, LOGNORMAL, JOHNSON_SB, CENSORED = range(4)
UNIFORM, TRIANGULAR, TRUNCATED, EXPONENTIAL, GAMMA, ZERO_TRIANGULAR = range(4, 10)
MOVING = 4
"""From this code on, laws depend on location and scale by themselves, not through loc + d alone."""

NO_TABLES = np.zeros((0, CELLS, COLUMNS))
NO_BOUNDS = np.zeros((0, 2))
"""Of models whose laws are normal and lognormal: they read no bounds."""

SQRT_3, SQRT_6 = math.sqrt(3.0), math.sqrt(6.0)
LEAST_SCALE = 1e-100

Slopes = tuple[float, float, float, float]


@compiled(error_model="numpy")
def _density(z: float) -> float:  # pragma: no cover - compiled
    return math.exp(-0.5 * (z * z + LOG_2PI))


@compiled(error_model="numpy")
def _triangle(z: float) -> tuple[float, float]:  # pragma: no cover - compiled
    """Quantile of the triangular law on [-1, 1] at ``Phi(z)``, and its slope in z."""
    root = math.sqrt(2.0 * below(-abs(z)))
    return math.copysign(1.0 - root, z), _density(z) / root


@compiled(error_model="numpy")
def law(  # pragma: no cover - compiled
    code: int, d: float, loc: float, scale: float, low: float, high: float
) -> Slopes:
    """``T``, ``T_d``, ``T_loc`` and ``T_s`` of a law that is neither normal nor lognormal."""
    kind, sign = abs(code), (1.0 if code > 0 else -1.0)
    if kind == JOHNSON_SB:
        p = 1.0 / (1.0 + math.exp(-(loc + d)))
        rise = (high - low) * p * (1.0 - p)
        return low + (high - low) * p, rise, rise, 0.0
    if kind == CENSORED:
        b = loc + d
        inside = 1.0 if low < b < high else 0.0
        return min(max(b, low), high), inside, inside, 0.0
    s = max(scale, LEAST_SCALE)
    z = min(max(d / s, -FARTHEST), FARTHEST)
    if kind == UNIFORM:
        h, rise = SQRT_3 * (2.0 * below(z) - 1.0), 2.0 * SQRT_3 * _density(z)
        return loc + s * h, rise, 1.0, h - z * rise
    if kind == TRIANGULAR:
        h, rise = _triangle(z)
        return loc + SQRT_6 * s * h, SQRT_6 * rise, 1.0, SQRT_6 * (h - z * rise)
    if kind == TRUNCATED:
        return truncated_law(z, loc, s, low, high)
    if kind == EXPONENTIAL:
        tail = below(-z)
        h, rise = -math.log(tail), _density(z) / tail
        return sign * s * h, sign * rise, 0.0, sign * (h - z * rise)
    if kind == ZERO_TRIANGULAR:
        h, rise = _triangle(z)
        up = sign * SQRT_6
        return up * s * (1.0 + h), up * rise, 0.0, up * (1.0 + h - z * rise)
    return _scaled_gamma(gamma_law(z, s), sign, loc, z, s)


@compiled(error_model="numpy")
def _scaled_gamma(  # pragma: no cover - compiled
    found: tuple[float, float, float], sign: float, loc: float, z: float, s: float
) -> Slopes:
    ratio, by_z, by_s = found
    size = sign * math.exp(loc)
    return size * ratio, size * by_z / s, size * ratio, size * (by_s - z * by_z / s)


@compiled(error_model="numpy")
def row_length(row: Array) -> float:  # pragma: no cover - compiled
    """Length of a row of the Cholesky factor: the scale of its coefficient."""
    total = 0.0
    for j in range(row.shape[0]):
        total += row[j] * row[j]
    return math.sqrt(total)


@compiled(error_model="numpy")
def law_tables(codes: NDArray[np.int64], chol: Array) -> Array:  # pragma: no cover - compiled
    """Tables (C, ., .) of the laws that are dear at single points; (0, ., .) without such laws.

    ``codes`` (C,), ``chol`` (C, K).
    """
    if not (np.abs(codes) == GAMMA).any():
        return np.zeros((0, CELLS, COLUMNS))
    tables = np.zeros((len(codes), CELLS, COLUMNS))
    for k in range(len(codes)):
        if abs(codes[k]) == GAMMA:
            fill_table(row_length(chol[k]), tables[k])
    return tables


@compiled(error_model="numpy")
def law_at(  # pragma: no cover - compiled
    tables: Array, k: int, code: int, d: float, loc: float, scale: float, low: float, high: float
) -> Slopes:
    """`law` of coefficient k, from its table where there is one."""
    if abs(code) == GAMMA and tables.shape[0] > 0:
        s = max(scale, LEAST_SCALE)
        z = min(max(d / s, -FARTHEST), FARTHEST)
        return _scaled_gamma(gamma_at(tables[k], z, s), 1.0 if code > 0 else -1.0, loc, z, s)
    return law(code, d, loc, scale, low, high)


@compiled(error_model="numpy")
def bend(  # pragma: no cover - compiled
    code: int, d: float, loc: float, scale: float, low: float, high: float
) -> float:
    """``T_dd``, by differences of ``T_d``."""
    step = 1e-4 * (1.0 if abs(code) < MOVING else max(scale, LEAST_SCALE))
    up = law(code, d + step, loc, scale, low, high)[1]
    down = law(code, d - step, loc, scale, low, high)[1]
    return (up - down) / (2.0 * step)


@compiled(error_model="numpy")
def law_table(  # pragma: no cover - compiled
    codes: NDArray[np.int64], d: Array, loc: Array, scale: Array, bounds: Array
) -> Array:
    """``T``, ``T_d``, ``T_loc``, ``T_s`` (4, n, K) of every law, the normal and lognormal too.

    ``d`` (n, K), ``loc`` (1 or n, K), ``scale`` (K,), ``bounds`` (K, 2).
    """
    out = np.zeros((4, *d.shape))
    for i in range(d.shape[0]):
        here = loc[min(i, loc.shape[0] - 1)]
        for k in range(d.shape[1]):
            code = codes[k]
            if code == NORMAL:
                out[0, i, k] = here[k] + d[i, k]
                out[1, i, k] = out[2, i, k] = 1.0
            elif abs(code) == LOGNORMAL:
                out[:3, i, k] = code * math.exp(here[k] + d[i, k])
            else:
                found = law(code, d[i, k], here[k], scale[k], bounds[k, 0], bounds[k, 1])
                for m in range(4):
                    out[m, i, k] = found[m]
    return out
