"""The gamma law of one shape at many nodes: local polynomials in place of as many inversions.

Everybody's coefficient has the same shape, and so one table serves all persons and nodes. On each
cell of a lattice of ``z`` the logarithm of ``q(Phi(z); a) / a`` is the quintic that has its values,
slopes and curvatures at both ends (an error of 1e-12), and its derivative by ``s`` the cubic that
has values and slopes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bayesmix.kernels.compiling import compiled
from bayesmix.kernels.gamma import NEARLY_NORMAL, gamma_law

Array = NDArray[np.float64]

REACH = 8.5
"""Standard normals that the lattice covers; beyond it the law is computed itself."""
STEP = 1.0 / 16.0
CELLS = round(2 * REACH / STEP)
COLUMNS = 10
"""Coefficients of a cell: six of the quintic, four of the cubic, lowest power first."""


@compiled(error_model="numpy")
def digamma(a: float) -> float:  # pragma: no cover - compiled
    """Derivative of ``log Gamma(a)``: recurrence upwards, then the asymptotic series."""
    total = 0.0
    while a < 10.0:
        total -= 1.0 / a
        a += 1.0
    b = 1.0 / (a * a)
    series = b * (1 / 12 - b * (1 / 120 - b * (1 / 252 - b * (1 / 240 - b / 132))))
    return total + math.log(a) - 0.5 / a - series


@compiled(error_model="numpy")
def _jet(z: float, s: float, psi: float, out: Array) -> None:  # pragma: no cover - compiled
    """``Y = log(q / a)``, ``Y_z``, ``Y_zz``, ``Y_s`` and ``Y_sz``, in units of the step.

    ``Y_z = phi(z) / f`` with ``log f = a y - exp(y) - log Gamma(a)`` and ``y = log q``.
    """
    ratio, by_z, by_s = gamma_law(z, s)
    a = 1.0 / (s * s)
    q = ratio * a
    slope, log_by_s = by_z / ratio, by_s / ratio
    by_shape = s * s - 0.5 * s * s * s * log_by_s  # of log q
    turned = -(math.log(q) + (a - q) * by_shape - psi)  # of log Y_z
    out[0], out[1] = math.log(ratio), STEP * slope
    out[2] = STEP * STEP * slope * (-z - (a - q) * slope)
    out[3], out[4] = log_by_s, STEP * slope * turned * (-2.0 / (s * s * s))


@compiled(error_model="numpy")
def fill_table(s: float, table: Array) -> None:  # pragma: no cover - compiled
    """Polynomials of the gamma law of coefficient of variation s into ``table`` (CELLS, COLUMNS).

    Left at 0 where the law is an expansion, which costs less.
    """
    if s < NEARLY_NORMAL:
        return
    psi = digamma(1.0 / (s * s))
    left, right = np.empty(5), np.empty(5)
    _jet(-REACH, s, psi, left)
    for cell in range(CELLS):
        _jet(-REACH + (cell + 1) * STEP, s, psi, right)
        c, rise = table[cell], right[0] - left[0]
        c[0], c[1], c[2] = left[0], left[1], 0.5 * left[2]
        c[3] = 10.0 * rise - 6.0 * left[1] - 4.0 * right[1] - 1.5 * left[2] + 0.5 * right[2]
        c[4] = -15.0 * rise + 8.0 * left[1] + 7.0 * right[1] + 1.5 * left[2] - right[2]
        c[5] = 6.0 * rise - 3.0 * (left[1] + right[1]) - 0.5 * (left[2] - right[2])
        rise = right[3] - left[3]
        c[6], c[7] = left[3], left[4]
        c[8] = 3.0 * rise - 2.0 * left[4] - right[4]
        c[9] = -2.0 * rise + left[4] + right[4]
        left[:] = right


@compiled(error_model="numpy")
def gamma_at(  # pragma: no cover - compiled
    table: Array, z: float, s: float
) -> tuple[float, float, float]:
    """As `gamma_law`, from a table that `fill_table` made for s."""
    place = (z + REACH) / STEP
    cell = math.floor(place)
    if cell < 0 or cell >= CELLS or table[0, 1] == 0.0:
        return gamma_law(z, s)
    c, t = table[cell], place - cell
    if not math.isfinite(c[5] + c[9]):  # a quantile of 0 in double precision at one end
        return gamma_law(z, s)
    y = c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * c[5]))))
    slope = c[1] + t * (2.0 * c[2] + t * (3.0 * c[3] + t * (4.0 * c[4] + t * 5.0 * c[5])))
    ratio = math.exp(y)
    by_s = c[6] + t * (c[7] + t * (c[8] + t * c[9]))
    return ratio, ratio * slope / STEP, ratio * by_s
