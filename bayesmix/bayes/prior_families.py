"""Families of laws that priors are of: densities, slopes, draws and quantiles.

A density is written once, for numbers and for PyTensor's variables: the modules `numpy` and
`pytensor.tensor` share the names of functions that it takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import gammaln

from bayesmix.arrays import Array
from bayesmix.bayes import horseshoe

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Family:
    """A family of laws.

    Parameters
    ----------
    parameters
        Their names, in order; all but ``location`` are positive.
    positive
        Whether its support is the positive half-line; all of it elsewhere.
    kernel
        ``(m, x, *p)``: log-density up to what does not depend on x; ``m`` is the module of numbers.
    slope
        ``(x, *p)``: its derivative by x.
    constant
        ``(*p)``: what the kernel leaves out.
    frozen
        ``(*p)``: SciPy's law, for draws and quantiles.
    scaled
        ``(u, *p)``: parameters of the law of ``u x``.
    """

    parameters: tuple[str, ...]
    positive: bool
    kernel: Callable[..., Any]
    slope: Callable[..., Array]
    constant: Callable[..., Array]
    frozen: Callable[..., Any]
    scaled: Callable[..., tuple[Any, ...]]


def _student(m: Any, x: Any, df: Any, location: Any, scale: Any) -> Any:
    return -(df + 1) / 2 * m.log1p(((x - location) / scale) ** 2 / df)


def _student_slope(x: Array, df: Array, location: Array, scale: Array) -> Array:
    z = (x - location) / scale
    return -(df + 1) * z / (df + z**2) / scale


def _student_constant(df: Array, location: Array, scale: Array) -> Array:
    found: Array = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return found - np.log(scale)


FAMILIES: Mapping[str, Family] = {
    "normal": Family(
        ("location", "scale"),
        False,
        lambda m, x, location, scale: -0.5 * ((x - location) / scale) ** 2,
        lambda x, location, scale: -(x - location) / scale**2,
        lambda location, scale: -np.log(scale) - HALF_LOG_2PI,
        lambda location, scale: stats.norm(location, scale),
        lambda u, location, scale: (u * location, u * scale),
    ),
    "student": Family(
        ("df", "location", "scale"),
        False,
        _student,
        _student_slope,
        _student_constant,
        lambda df, location, scale: stats.t(df, location, scale),
        lambda u, df, location, scale: (df, u * location, u * scale),
    ),
    "laplace": Family(
        ("location", "scale"),
        False,
        lambda m, x, location, scale: -abs(x - location) / scale,
        lambda x, location, scale: -np.sign(x - location) / scale,
        lambda location, scale: -np.log(2 * scale),
        lambda location, scale: stats.laplace(location, scale),
        lambda u, location, scale: (u * location, u * scale),
    ),
    "half-normal": Family(
        ("scale",),
        True,
        lambda m, x, scale: -0.5 * (x / scale) ** 2,
        lambda x, scale: -x / scale**2,
        lambda scale: math.log(2.0) - np.log(scale) - HALF_LOG_2PI,
        lambda scale: stats.halfnorm(scale=scale),
        lambda u, scale: (u * scale,),
    ),
    "half-student": Family(
        ("df", "scale"),
        True,
        lambda m, x, df, scale: _student(m, x, df, 0.0, scale),
        lambda x, df, scale: _student_slope(x, df, np.zeros(1), scale),
        lambda df, scale: math.log(2.0) + _student_constant(df, np.zeros(1), scale),
        lambda df, scale: _HalfStudent(df, scale),
        lambda u, df, scale: (df, u * scale),
    ),
    "exponential": Family(
        ("rate",),
        True,
        lambda m, x, rate: -rate * x,
        lambda x, rate: -rate * np.ones_like(x),
        lambda rate: np.log(rate),
        lambda rate: stats.expon(scale=1 / rate),
        lambda u, rate: (rate / u,),
    ),
    "gamma": Family(
        ("shape", "rate"),
        True,
        lambda m, x, shape, rate: (shape - 1) * m.log(x) - rate * x,
        lambda x, shape, rate: (shape - 1) / x - rate,
        lambda shape, rate: shape * np.log(rate) - gammaln(shape),
        lambda shape, rate: stats.gamma(shape, scale=1 / rate),
        lambda u, shape, rate: (shape, rate / u),
    ),
    "inverse-gamma": Family(
        ("shape", "scale"),
        True,
        lambda m, x, shape, scale: -(shape + 1) * m.log(x) - scale / x,
        lambda x, shape, scale: -(shape + 1) / x + scale / x**2,
        lambda shape, scale: shape * np.log(scale) - gammaln(shape),
        lambda shape, scale: stats.invgamma(shape, scale=scale),
        lambda u, shape, scale: (shape, u * scale),
    ),
    "lognormal": Family(
        ("location", "scale"),
        True,
        lambda m, x, location, scale: -m.log(x) - 0.5 * ((m.log(x) - location) / scale) ** 2,
        lambda x, location, scale: -(1 + (np.log(x) - location) / scale**2) / x,
        lambda location, scale: -np.log(scale) - HALF_LOG_2PI,
        lambda location, scale: stats.lognorm(scale, scale=np.exp(location)),
        lambda u, location, scale: (location + np.log(u), scale),
    ),
    "horseshoe": Family(
        ("tau", "slab"),
        False,
        horseshoe.kernel,
        horseshoe.slope,
        horseshoe.constant,
        horseshoe.HorseshoeLaw,
        lambda u, tau, slab: (u * tau, u * slab),
    ),
    # What another prior is about, such as that of a covariance.
    "none": Family(
        (),
        False,
        lambda m, x: 0.0 * x,
        lambda x: np.zeros_like(x),
        lambda: np.zeros(1),
        lambda: stats.norm(np.nan, np.nan),
        lambda u: (),
    ),
}  # fmt: skip


class _HalfStudent:
    """The law of a Student variable's size, with SciPy's methods."""

    def __init__(self, df: Array, scale: Array) -> None:
        self.whole = stats.t(df, 0.0, scale)

    def ppf(self, q: Any) -> Any:
        return self.whole.ppf((1 + np.asarray(q)) / 2)

    def logpdf(self, x: Any) -> Any:
        return self.whole.logpdf(x) + math.log(2.0)

    def rvs(self, size: Any, random_state: np.random.Generator) -> Any:
        return np.abs(self.whole.rvs(size, random_state=random_state))

    def var(self) -> Any:
        """``E x^2 - (E x)^2``: infinite up to 2 degrees of freedom."""
        df, scale = (np.asarray(one, dtype=float) for one in (self.whole.args[0], self.scale))
        with np.errstate(all="ignore"):
            mean = 2 * scale * np.sqrt(df / np.pi) / (df - 1)
            mean = mean * np.exp(gammaln((df + 1) / 2) - gammaln(df / 2))
            return np.where(df > 2, scale**2 * df / (df - 2) - mean**2, np.inf)

    def std(self) -> Any:
        return np.sqrt(self.var())

    @property
    def scale(self) -> Any:
        return self.whole.args[2]
