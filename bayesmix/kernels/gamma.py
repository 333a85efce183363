"""The gamma law as a map of a standard normal, compiled, with its derivatives.

``beta / mean = q(Phi(z); a) / a`` with shape ``a = 1 / s^2``, so that ``s`` is the coefficient of
variation. The quantile is found by Newton's method on the logarithm of the nearer tail, which is
concave in ``log x``: no start can make it diverge. SciPy's ``gammaincinv`` is the oracle in tests.
"""

from __future__ import annotations

import math

from bayesmix.kernels.compiling import compiled

HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)
SQRT_2 = math.sqrt(2.0)
NEARLY_NORMAL = 0.03
"""Coefficient of variation below which five terms of the Cornish-Fisher expansion are exact."""
STEP = 0.01
"""Step of the differences with respect to the shape, in units of what tails vary over."""


@compiled(error_model="numpy")
def _log_lower(a: float, y: float) -> float:  # pragma: no cover - compiled
    """Logarithm of the regularised lower incomplete gamma function at ``x = exp(y)``: series."""
    x = math.exp(y)
    term, total, n = 1.0, 1.0, 1.0
    while term > 1e-17 * total:
        term *= x / (a + n)
        total += term
        n += 1.0
    return a * y - x - math.lgamma(a + 1.0) + math.log(total)


@compiled(error_model="numpy")
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


@compiled(error_model="numpy")
def _log_tail(a: float, y: float, lower: bool) -> float:  # pragma: no cover - compiled
    return _log_lower(a, y) if lower else _log_upper(a, y)


@compiled(error_model="numpy")
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


@compiled(error_model="numpy")
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


@compiled(error_model="numpy")
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
