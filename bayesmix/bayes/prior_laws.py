"""Priors as people give them: numbers, `Prior`, and the laws of PyMC, PreliZ and bambi.

The latter two are told by their attributes, and are never imported.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np
from pymc.exceptions import NotConstantValueError
from pymc.pytensorf import constant_fold
from pytensor.graph.basic import Variable

from bayesmix import arguments
from bayesmix.bayes.inverse_wishart import InverseWishart
from bayesmix.bayes.scalar_priors import FAMILIES, Law
from bayesmix.errors import SpecificationError


class _Named(NamedTuple):
    """How a law is called by PyMC, PreliZ and bambi: its arguments, and the family that it is of.

    ``before`` are numbers that stand in front of the arguments in the family's parameters.
    """

    arguments: tuple[str, ...]
    kind: str
    before: tuple[float, ...] = ()


NAMED = {
    "normal": _Named(("mu", "sigma"), "normal"),
    "studentt": _Named(("nu", "mu", "sigma"), "student"),
    "cauchy": _Named(("alpha", "beta"), "student", (1.0,)),
    "laplace": _Named(("mu", "b"), "laplace"),
    "halfnormal": _Named(("sigma",), "half-normal"),
    "halfstudentt": _Named(("nu", "sigma"), "half-student"),
    "halfcauchy": _Named(("beta",), "half-student", (1.0,)),
    "exponential": _Named(("lam",), "exponential"),
    "gamma": _Named(("alpha", "beta"), "gamma"),
    "inversegamma": _Named(("alpha", "beta"), "inverse-gamma"),
    "lognormal": _Named(("mu", "sigma"), "lognormal"),
    "lkjcorr": _Named(("eta",), "lkj"),
}
ALSO = {
    "student": "studentt",
    "halfstudent": "halfstudentt",
    "lkj": "lkjcorr",
    "lkjcholeskycov": "lkjcorr",
    "t": "studentt",
    "invgamma": "inversegamma",
}
"""Other names of the same laws: shorter ones, and those of PyTensor's random variables."""
LOCATIONS = ("mu", "location")
WORDS = (
    "normal, student-t, cauchy, laplace; half-normal, half-student-t, half-cauchy, exponential, "
    "gamma, inverse-gamma, lognormal; lkj"
)


class Prior:
    """The prior law of parameters, by its name and with PyMC's arguments.

    Of any real number ``"normal"`` (mu, sigma), ``"student-t"`` (nu, mu, sigma), ``"cauchy"``
    (alpha, beta), ``"laplace"`` (mu, b); of positive ones ``"half-normal"`` (sigma),
    ``"half-student-t"`` (nu, sigma), ``"half-cauchy"`` (beta), ``"exponential"`` (lam), ``"gamma"``
    (alpha, beta: mean alpha / beta), ``"inverse-gamma"`` (alpha, beta), ``"lognormal"`` (mu,
    sigma); of the correlations of a law ``"lkj"`` (eta).

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
        known = _known(name, "argument 'name'")
        self.values = _numbers(name, known, values, "argument")
        self.law = _law(known, self.values)

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
    if _is_number(value) or isinstance(value, tuple | list | np.ndarray):
        return _of_numbers(name, value, default)
    law, scaled = as_law(name, value)
    if law.kind == "lkj":
        raise SpecificationError(
            f"priors[{name!r}]: an LKJ law is of the correlations of a law; give it by the name "
            "'corr', or 'corr[a, b]' with the terms of one"
        )
    if law.own.positive != default.own.positive:
        where = "any real number" if law.own.positive else "a positive number"
        laws = [k for k, own in NAMED.items() if k != "lkjcorr" and _fits(own, default)]
        raise SpecificationError(
            f"priors[{name!r}]: the parameter can be {where}, and {law} is not a law of these; "
            f"expected one of {', '.join(laws)}"
        )
    return law.scaled(unit) if scaled else law


def read_eta(name: str, value: PriorLike) -> float:
    """LKJ's eta, given as a number or as a law."""
    if _is_number(value):
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
        return _of_pymc(name, value), False
    found = _bambi(value) or _preliz(value)
    if found is None:
        raise SpecificationError(
            f"priors[{name!r}] must be numbers, a bm.Prior, or a law of PyMC, PreliZ or bambi, got "
            f"{arguments.shown(value)}"
        )
    known = _known(found[0], f"priors[{name!r}]")
    values = found[1]
    if known.kind == "lkj":  # PreliZ and bambi give its dimension too
        values = {k: v for k, v in values.items() if k == "eta"}
    return _law(known, _numbers(found[0], known, values, f"priors[{name!r}]:")), False


def _bambi(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of a prior of bambi's."""
    name, values = getattr(value, "name", None), getattr(value, "args", None)
    if isinstance(name, str) and isinstance(values, Mapping):
        return name, dict(values)
    return None


def _preliz(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of a distribution of PreliZ's, whatever parameters it was made with."""
    if inspect.isclass(value) or not hasattr(value, "params_dict"):
        return None
    name = type(value).__name__
    known = NAMED.get(_plain(name))
    own = () if known is None else known.arguments
    given = value.params_dict if isinstance(value.params_dict, Mapping) else {}
    found = {k: getattr(value, k, given.get(k)) for k in own}
    return name, {k: v for k, v in found.items() if v is not None}


def _of_pymc(name: str, value: Variable[Any, Any]) -> Law:
    """The law of a variable that ``pm.Normal.dist`` and the like make."""
    op: Any = None if value.owner is None else value.owner.op
    called = getattr(op, "name", None)
    if not isinstance(called, str) or not hasattr(op, "dist_params"):
        raise SpecificationError(
            f"priors[{name!r}]: expected an unnamed law of PyMC's, such as pm.Normal.dist(0, 1), "
            f"got {value}"
        )
    known = _known(called, f"priors[{name!r}]")
    try:
        inputs = [np.asarray(one) for one in constant_fold(op.dist_params(value.owner))]
    except NotConstantValueError:  # some are random themselves, or wait for inputs
        raise SpecificationError(
            f"priors[{name!r}]: the law's own parameters must be numbers, and some of {called!r} "
            "are not"
        ) from None
    if any(one.size != 1 for one in inputs):
        raise SpecificationError(
            f"priors[{name!r}]: expected the law of one number, got arrays of parameters: give "
            "each parameter its own prior by name"
        )
    numbers = [float(one.reshape(())) for one in inputs]
    if known.kind == "lkj":
        numbers = numbers[-1:]
    elif known.kind in ("half-normal", "exponential", "gamma"):
        numbers = numbers[-len(known.arguments) :]  # without the location, 0
        if known.kind != "half-normal":
            numbers[-1] = 1.0 / numbers[-1]  # PyTensor has scales where PyMC has rates
    values = dict(zip(known.arguments, numbers, strict=True))
    return _law(known, _numbers(called, known, values, f"priors[{name!r}]:"))


def _known(name: str, where: str) -> _Named:
    plain = _plain(name)
    if plain in NAMED:
        return NAMED[plain]
    near = get_close_matches(plain, [*NAMED, *ALSO], 1)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {WORDS}"
    raise SpecificationError(f"{where}: there is no prior {name!r}: {hint}")


def _plain(name: str) -> str:
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    return ALSO.get(plain, plain)


def _numbers(name: str, known: _Named, values: Mapping[str, Any], where: str) -> dict[str, float]:
    """The arguments of a law, all there and none too many."""
    wanted = ", ".join(known.arguments)
    for one in [*(k for k in values if k not in known.arguments), *known.arguments]:
        if one not in known.arguments or one not in values:
            fault = "has no argument" if one not in known.arguments else "needs its argument"
            raise SpecificationError(
                f"{where} {name!r} {fault} {one!r}: its arguments are {wanted}"
            )
    found = {}
    for one in known.arguments:
        at = known.arguments.index(one) + len(known.before)
        own = ("eta",) if known.kind == "lkj" else FAMILIES[known.kind].parameters
        positive = own[at] != "location"
        value = values[one]
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.item()
        good = _is_number(value) and math.isfinite(value) and (value > 0 or not positive)
        if not good:
            kind = "a positive number" if positive else "a finite number"
            raise SpecificationError(
                f"{where} {one!r} of {name!r} must be {kind}, got {arguments.shown(value)}"
            )
        found[one] = float(value)
    return found


def _law(known: _Named, values: Mapping[str, float]) -> Law:
    return Law(known.kind, (*known.before, *(values[one] for one in known.arguments)))


def _fits(known: _Named, default: Law) -> bool:
    return FAMILIES[known.kind].positive == default.own.positive


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


def _is_number(value: Any) -> bool:
    plain = isinstance(value, int | float | np.integer | np.floating)
    return plain and not isinstance(value, bool)


def is_wishart(value: object) -> bool:
    """Whether a prior is of a covariance."""
    return isinstance(value, InverseWishart)
