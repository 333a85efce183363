"""Inverse of the standard normal distribution function, compiled.

Wichura's AS241 (1988), routine PPND16: rational approximations on three ranges, relative accuracy
about 1e-16. SciPy's `ndtri` is the oracle in the tests.
"""

import math

import numpy as np

from bayesmix.kernels.compiling import part

CENTRE_HALF_WIDTH = 0.425
CENTRE_CONSTANT = 0.180625  # CENTRE_HALF_WIDTH squared
TAIL_SPLIT = 5.0  # sqrt(-log p) beyond which the far-tail approximation applies
BELOW_ONE = 1.0 - 2.0**-53  # the largest double below one

CENTRE_TOP = (
    3.3871328727963666080e0,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
)
CENTRE_BOTTOM = (
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
)
TAIL_TOP = (
    1.42343711074968357734e0,
    4.63033784615654529590e0,
    5.76949722146069140550e0,
    3.64784832476320460504e0,
    1.27045825245236838258e0,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
)
TAIL_BOTTOM = (
    1.0,
    2.05319162663775882187e0,
    1.67638483018380384940e0,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)
FAR_TOP = (
    6.65790464350110377720e0,
    5.46378491116411436990e0,
    1.78482653991729133580e0,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
)
FAR_BOTTOM = (
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
)


@part(nogil=True, error_model="numpy")
def _ratio(x: float, top: tuple[float, ...], bottom: tuple[float, ...]) -> float:
    """Ratio of two polynomials of degree 7, coefficients from the constant term up."""
    above = top[7]
    below = bottom[7]
    for power in range(6, -1, -1):
        above = above * x + top[power]
        below = below * x + bottom[power]
    return above / below


@part(nogil=True, error_model="numpy")
def _tail(tail_probability: float) -> float:
    """Distance from zero of the quantile whose smaller tail probability is given."""
    root = math.sqrt(-math.log(tail_probability))
    if root <= TAIL_SPLIT:
        return _ratio(root - 1.6, TAIL_TOP, TAIL_BOTTOM)
    return _ratio(root - TAIL_SPLIT, FAR_TOP, FAR_BOTTOM)


@part(nogil=True, error_model="numpy")
def inverse_normal(u: float) -> float:
    """Quantile of the standard normal at a probability strictly between 0 and 1.

    Source: Wichura (1988), algorithm AS 241, PPND16.

    >>> abs(float(inverse_normal(0.975)) - 1.959963984540054) < 1e-15
    True
    """
    centred = u - 0.5
    if abs(centred) <= CENTRE_HALF_WIDTH:
        x = CENTRE_CONSTANT - centred * centred
        return centred * _ratio(x, CENTRE_TOP, CENTRE_BOTTOM)
    if centred < 0.0:
        return -_tail(u)
    return _tail(1.0 - u)


@part(nogil=True, error_model="numpy")
def to_normal(uniforms: np.ndarray) -> None:
    """Turn a vector of uniforms into standard normals, in place.

    A uniform that rounded to one is read as the largest double below one. The numbers are those of
    `inverse_normal`; the central formula is applied to all of them, which vectorises, and the
    tails, some 15 %, are then done again.
    """
    tails = np.empty(uniforms.size, np.int64)
    kept = np.empty(uniforms.size)
    n_tails = 0
    for s in range(uniforms.size):
        u = min(uniforms[s], BELOW_ONE)
        tails[n_tails], kept[n_tails] = s, u
        n_tails += abs(u - 0.5) > CENTRE_HALF_WIDTH
    for s in range(uniforms.size):
        centred = uniforms[s] - 0.5
        x = CENTRE_CONSTANT - centred * centred
        uniforms[s] = centred * _ratio(x, CENTRE_TOP, CENTRE_BOTTOM)
    for t in range(n_tails):
        uniforms[tails[t]] = inverse_normal(kept[t])
