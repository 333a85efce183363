"""Priors as people give them: numbers, `Prior`, and the laws of PyMC, PreliZ and bambi.

The latter two are told by their attributes, and are never imported.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pytensor.graph.basic import Variable

from bayesmix import arguments
from bayesmix.bayes.foreign_priors import of_bambi, of_preliz, of_pymc
from bayesmix.bayes.inverse_wishart import InverseWishart
from bayesmix.bayes.prior_names import (
    NAMED,
    has_support_of,
    is_number,
    known_law,
    law_numbers,
    law_of,
)
from bayesmix.bayes.scalar_priors import Law
from bayesmix.errors import SpecificationError


class Prior:
    """The prior law of parameters, by its name and with PyMC's arguments.

    Of any real number ``"normal"`` (mu, sigma), ``"student-t"`` (nu, mu, sigma), ``"cauchy"``
    (alpha, beta), ``"laplace"`` (mu, b), ``"horseshoe"`` (tau, slab); of positive ones
    ``"half-normal"`` (sigma), ``"half-student-t"`` (nu, sigma), ``"half-cauchy"`` (beta),
    ``"exponential"`` (lam), ``"gamma"`` (alpha, beta: mean alpha / beta), ``"inverse-gamma"``
    (alpha, beta), ``"lognormal"`` (mu, sigma); of the correlations of a law ``"lkj"`` (eta).

    The horseshoe is the regularised one of Piironen and Vehtari (2017), for many parameters most of
    which are nearly 0, such as shifts: each is normal with variance ``1 / (1 / slab^2 + 1 / (tau^2
    l^2))``, where its own ``l`` is half-Cauchy. Below ``tau`` it is pulled to 0, far above it not
    at all up to ``slab``, the largest size that is expected. ``tau`` is given, and not learnt: of D
    parameters of which some p are not 0, with standard errors near s, ``p / (D - p) * s``.

    Parameters
    ----------
    name
        Of the law; capitals, hyphens and underscores do not matter.
    scaled
        Whether arguments are in natural units: of a coefficient utils a typical difference of its
        attribute within situations, so that one prior serves attributes of any size.
    **values
        The law's arguments.

    Raises
    ------
    SpecificationError
        If there is no such law, an argument is missing, unknown, or not a number that it can be.

    Examples
    --------
    >>> Prior("half-student-t", nu=4, sigma=0.5)
    Prior('half-student-t', nu=4.0, sigma=0.5)
    >>> Prior("gama", alpha=2, beta=1)
    Traceback (most recent call last):
    bayesmix.errors.SpecificationError: argument 'name': there is no prior 'gama': did you mean ...
    """

    def __init__(self, name: str, *, scaled: bool = False, **values: float) -> None:
        self.name = arguments.text("name", name, "the name of a law")
        self.scaled = arguments.flag("scaled", scaled)
        known = known_law(name, "argument 'name'")
        self.values = law_numbers(name, known, values, "argument")
        self.law = law_of(known, self.values)

    def __repr__(self) -> str:
        words = [repr(self.name), *(f"{k}={v!r}" for k, v in self.values.items())]
        return f"Prior({', '.join([*words, *(['scaled=True'] if self.scaled else [])])})"


PriorLike = Any
"""A number, two numbers, a `Prior`, an `InverseWishart`, or a law of PyMC, PreliZ or bambi."""


def read_law(name: str, value: PriorLike, default: Law, unit: float) -> Law:
    """The law of a parameter, or of those of a group, as it was given; checked.

    Parameters
    ----------
    name
        Of the parameter, for messages.
    value
        A number or two where the default is normal, half-normal or lognormal; or a law.
    default
        The law that it replaces, which says where the parameter is.
    unit
        Of the parameter, in which a scaled prior is.

    Raises
    ------
    SpecificationError
        If it is none, or of another support.
    """
    if is_number(value) or isinstance(value, tuple | list | np.ndarray):
        return _of_numbers(name, value, default)
    law, scaled = as_law(name, value)
    if law.kind == "lkj":
        raise SpecificationError(
            f"priors[{name!r}]: an LKJ law is of the correlations of a law; give it by the name "
            "'corr', or 'corr[a, b]' with the terms of one"
        )
    if law.own.positive != default.own.positive:
        where = "any real number" if law.own.positive else "a positive number"
        laws = [k for k, own in NAMED.items() if k != "lkjcorr" and has_support_of(own, default)]
        raise SpecificationError(
            f"priors[{name!r}]: the parameter can be {where}, and {law} is not a law of these; "
            f"expected one of {', '.join(laws)}"
        )
    return law.scaled(unit) if scaled else law


def read_eta(name: str, value: PriorLike) -> float:
    """LKJ's eta, given as a number or as a law."""
    if is_number(value):
        found = float(value)
    else:
        law, _ = as_law(name, value)
        if law.kind != "lkj":
            raise SpecificationError(
                f"priors[{name!r}]: correlations have LKJ's law; give eta, a positive number, or "
                f"bm.Prior('lkj', eta=2), got {arguments.shown(value)}"
            )
        found = law.values[0]
    if not (math.isfinite(found) and found > 0):
        raise SpecificationError(f"priors[{name!r}]: LKJ's eta must be positive, got {value!r}")
    return found


def as_law(name: str, value: PriorLike) -> tuple[Law, bool]:
    """The law that a description is of, and whether it is in natural units."""
    if isinstance(value, Prior):
        return value.law, value.scaled
    if isinstance(value, Variable):
        return of_pymc(name, value), False
    found = of_bambi(value) or of_preliz(value)
    if found is None:
        raise SpecificationError(
            f"priors[{name!r}] must be numbers, a bm.Prior, or a law of PyMC, PreliZ or bambi, got "
            f"{arguments.shown(value)}"
        )
    known = known_law(found[0], f"priors[{name!r}]")
    values = found[1]
    if known.kind == "lkj":  # PreliZ and bambi give its dimension too
        values = {k: v for k, v in values.items() if k == "eta"}
    return law_of(known, law_numbers(found[0], known, values, f"priors[{name!r}]:")), False


def _of_numbers(name: str, value: Any, default: Law) -> Law:
    """A scale of a half-normal law, or location and scale of another one."""
    half = default.kind == "half-normal"
    wanted = "a positive scale" if half else "(location, positive scale)"
    try:
        location, scale = (0.0, float(value)) if half else map(float, value)
    except (TypeError, ValueError):
        raise SpecificationError(
            f"priors[{name!r}] must be {wanted}, or a law, got {value!r}"
        ) from None
    if not (math.isfinite(location) and math.isfinite(scale) and scale > 0):
        raise SpecificationError(f"priors[{name!r}] must be {wanted}, or a law, got {value!r}")
    return Law(default.kind, (scale,) if half else (location, scale))


def is_wishart(value: object) -> bool:
    """Whether a prior is of a covariance."""
    return isinstance(value, InverseWishart)
