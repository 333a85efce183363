"""The gamma law.

``beta / mean = q(Phi(z); a) / a`` with shape ``a = 1 / s^2``, so that ``s`` is the coefficient of
variation. The quantile is found by Newton's method on the logarithm of the nearer tail, which is
concave in ``log x``: no start can make it diverge. SciPy's ``gammaincinv`` is the oracle in tests.

Everybody's coefficient has the same shape, and so one table serves all persons and nodes. On each
cell of a lattice of ``z`` the logarithm of ``q(Phi(z); a) / a`` is the quintic that has its values,
slopes and curvatures at both ends (an error of 1e-12), and its derivative by ``s`` the cubic that
has values and slopes.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import scipy
from scipy.special import gammainc

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import part
from bayesmix.kernels.law_functions import law_map
from bayesmix.kernels.laws import LEAST_SCALE
from bayesmix.kernels.standard_normal import FARTHEST, SQRT_2
from bayesmix.specification.laws.base import Family, Formulas, register
from bayesmix.specification.laws.coefficient import Coefficient, Law, independent

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
NEARLY_NORMAL = 0.03
"""Coefficient of variation below which five terms of the Cornish-Fisher expansion are exact."""
STEP = 0.01
"""Step of the differences with respect to the shape, in units of what tails vary over."""
REACH = 8.5
"""Standard normals that the table's lattice covers; beyond it the law is computed itself."""
CELL = 1.0 / 16.0
CELLS = round(2 * REACH / CELL)
COLUMNS = 10
"""Coefficients of a cell: six of the quintic, four of the cubic, lowest power first."""


def Gamma(*terms: str, sign: Literal[1, -1] = 1, mean: str = "1") -> Law:
    """Independent gamma coefficients of one sign.

    ``beta_k = sign exp(mean_k) q(Phi(z_k); a_k) / a_k``, with ``q`` the quantile function of the
    gamma law of shape ``a_k = 1 / sd_k^2``: ``mean`` is the logarithm of the coefficient's mean,
    and ``sd`` its standard deviation over its mean (the coefficient of variation). ``sd = 1`` is
    the exponential law. Source: Train (2009), chapter 6.

    Parameters
    ----------
    *terms
        Columns of the design.
    sign
        -1 for attributes that everybody dislikes.
    mean
        Formula of the log mean in covariates of persons, as in `Normal`.

    Returns
    -------
    Law
        One coefficient a term; it prints itself in words.

    Raises
    ------
    SpecificationError
        If ``sign`` is neither 1 nor -1.

    Examples
    --------
    >>> print(Gamma("price", sign=-1))
    independent gamma: -price
    """
    return independent("Gamma", terms, "gamma", sign=sign, mean=mean)


@part(error_model="numpy")
def _log_lower(a: float, y: float) -> float:  # pragma: no cover - compiled
    """Logarithm of the regularised lower incomplete gamma function at ``x = exp(y)``: series."""
    x = math.exp(y)
    term, total, n = 1.0, 1.0, 1.0
    while term > 1e-17 * total:
        term *= x / (a + n)
        total += term
        n += 1.0
    return a * y - x - math.lgamma(a + 1.0) + math.log(total)


@part(error_model="numpy")
def _log_upper(a: float, y: float) -> float:  # pragma: no cover - compiled
    """Logarithm of the upper one: Legendre's continued fraction, by Lentz's method."""
    x = math.exp(y)
    if x < a + 1.0:
        return math.log1p(-math.exp(_log_lower(a, y)))
    b = x + 1.0 - a
    c, d = 1e300, 1.0 / b
    fraction = d
    for n in range(1, 10_000):
        top = -n * (n - a)
        b += 2.0
        d = 1.0 / (top * d + b)
        c = b + top / c
        fraction *= c * d
        if abs(c * d - 1.0) < 1e-16:
            break
    return a * y - x - math.lgamma(a) + math.log(fraction)


@part(error_model="numpy")
def _log_tail(a: float, y: float, lower: bool) -> float:  # pragma: no cover - compiled
    return _log_lower(a, y) if lower else _log_upper(a, y)


@part(error_model="numpy")
def _log_quantile(z: float, a: float) -> float:  # pragma: no cover - compiled
    """``log q(Phi(z); a)``."""
    lower = z < 0.0
    target = math.log(0.5 * math.erfc(abs(z) / SQRT_2))
    cube_root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * math.sqrt(a))  # Wilson and Hilferty (1931)
    if cube_root > 0.3:
        y = math.log(a) + 3.0 * math.log(cube_root)
    else:
        below = 0.5 * math.erfc(-z / SQRT_2)
        y = (math.log(below) + math.lgamma(a + 1.0)) / a
    for _ in range(100):
        tail = _log_tail(a, y, lower)
        slope = math.exp(a * y - math.exp(y) - math.lgamma(a) - tail)
        step = (target - tail) / (slope if lower else -slope)
        step = min(max(step, -2.0), 2.0) if abs(y) < 100.0 else step
        y += step
        if abs(step) < 1e-14 * max(1.0, abs(y)):
            break
    return y


@part(error_model="numpy")
def _expansion(z: float, s: float) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """Cornish and Fisher's expansion of ``q / a`` in powers of ``s``, and its derivatives."""
    z2 = z * z
    c2, c3 = (z2 - 1.0) / 3.0, z * (z2 - 7.0) / 36.0
    c4 = -(3.0 * z2 * z2 + 7.0 * z2 - 16.0) / 810.0
    c5 = z * (9.0 * z2 * z2 + 256.0 * z2 - 433.0) / 38880.0
    d2, d3 = 2.0 * z / 3.0, (3.0 * z2 - 7.0) / 36.0
    d4 = -z * (12.0 * z2 + 14.0) / 810.0
    d5 = (45.0 * z2 * z2 + 768.0 * z2 - 433.0) / 38880.0
    ratio = 1.0 + s * (z + s * (c2 + s * (c3 + s * (c4 + s * c5))))
    by_z = s * (1.0 + s * (d2 + s * (d3 + s * (d4 + s * d5))))
    by_s = z + s * (2.0 * c2 + s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5)))
    return ratio, by_z, by_s


@part(error_model="numpy")
def gamma_law(z: float, s: float) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """``q(Phi(z); a) / a`` with ``a = 1 / s^2``, and its derivatives by z and by s."""
    if s < NEARLY_NORMAL:
        return _expansion(z, s)
    a = 1.0 / (s * s)
    y = _log_quantile(z, a)
    lower = z < 0.0
    log_density = a * y - math.exp(y) - math.lgamma(a)  # of x, times x
    ratio = math.exp(y) / a
    by_z = ratio * math.exp(-0.5 * z * z - HALF_LOG_2PI - log_density)
    step = STEP * min(a, math.sqrt(a))
    near = _log_tail(a + step, y, lower) - _log_tail(a - step, y, lower)
    far = _log_tail(a + 2.0 * step, y, lower) - _log_tail(a - 2.0 * step, y, lower)
    moved = (8.0 * near - far) / (12.0 * step)
    slope = math.exp(log_density - _log_tail(a, y, lower))
    by_shape = -moved / (slope if lower else -slope)
    return ratio, by_z, ratio * (by_shape - s * s) * (-2.0 / (s * s * s))


@part(error_model="numpy")
def digamma(a: float) -> float:  # pragma: no cover - compiled
    """Derivative of ``log Gamma(a)``: recurrence upwards, then the asymptotic series."""
    total = 0.0
    while a < 10.0:
        total -= 1.0 / a
        a += 1.0
    b = 1.0 / (a * a)
    series = b * (1 / 12 - b * (1 / 120 - b * (1 / 252 - b * (1 / 240 - b / 132))))
    return total + math.log(a) - 0.5 / a - series


@part(error_model="numpy")
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
    out[0], out[1] = math.log(ratio), CELL * slope
    out[2] = CELL * CELL * slope * (-z - (a - q) * slope)
    out[3], out[4] = log_by_s, CELL * slope * turned * (-2.0 / (s * s * s))


@part(error_model="numpy")
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
        _jet(-REACH + (cell + 1) * CELL, s, psi, right)
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


@part(error_model="numpy")
def gamma_at(  # pragma: no cover - compiled
    table: Array, z: float, s: float
) -> tuple[float, float, float]:
    """As `gamma_law`, from a table that `fill_table` made for s."""
    place = (z + REACH) / CELL
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
    return ratio, ratio * slope / CELL, ratio * by_s


@law_map
def _map(  # pragma: no cover - compiled
    d: Array, at: Array, known: Array, table: Array, out: Array
) -> None:
    s, size = max(at[1], LEAST_SCALE), known[0] * math.exp(at[0])
    cells = table.reshape(table.shape[0] // COLUMNS, COLUMNS)
    for n in range(d.shape[0]):
        z = min(max(d[n] / s, -FARTHEST), FARTHEST)
        if cells.shape[0] > 0:
            ratio, by_z, by_s = gamma_at(cells, z, s)
        else:
            ratio, by_z, by_s = gamma_law(z, s)
        out[0, n], out[1, n] = size * ratio, size * by_z / s
        out[2, n], out[3, n] = size * ratio, size * (by_s - z * by_z / s)


@law_map
def _fill(at: Array, known: Array, table: Array) -> None:  # pragma: no cover - compiled
    fill_table(at[1], table.reshape(CELLS, COLUMNS))


def _cdf(c: Coefficient, loc: Array, scale: float, index: float) -> Array:
    return np.asarray(gammainc(scale**-2, np.exp(index - loc) * scale**-2))


GAMMA = register(
    Family(
        name="gamma",
        words="gamma",
        make=Gamma,
        map=_map,
        fill=_fill,
        table=CELLS * COLUMNS,
        moves=True,
        unit="logarithm",
        of="{coefficient}: mean is the logarithm of its mean, sd its sd over its mean",
        one_sided=True,
        formulas=Formulas(
            mean_and_sd=lambda c, loc, scale: (np.exp(loc), scale * np.exp(loc)),
            cdf=_cdf,
            dear=True,
        ),
        twin=lambda c, loc, scale: scipy.stats.gamma(scale**-2, scale=np.exp(loc) * scale**2),
    )
)
