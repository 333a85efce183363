"""Names of prior laws and of their parameters, as PyMC, PreliZ and bambi have them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from bayesmix import arguments
from bayesmix.bayes.prior_families import FAMILIES
from bayesmix.bayes.scalar_priors import Law
from bayesmix.close_names import close_name
from bayesmix.errors import SpecificationError


class Named(NamedTuple):
    """How a law is called by PyMC, PreliZ and bambi: its arguments, and the family that it is of.

    ``before`` are numbers that stand in front of the arguments in the family's parameters.
    """

    arguments: tuple[str, ...]
    kind: str
    before: tuple[float, ...] = ()


NAMED = {
    "normal": Named(("mu", "sigma"), "normal"),
    "studentt": Named(("nu", "mu", "sigma"), "student"),
    "cauchy": Named(("alpha", "beta"), "student", (1.0,)),
    "laplace": Named(("mu", "b"), "laplace"),
    "horseshoe": Named(("tau", "slab"), "horseshoe"),
    "halfnormal": Named(("sigma",), "half-normal"),
    "halfstudentt": Named(("nu", "sigma"), "half-student"),
    "halfcauchy": Named(("beta",), "half-student", (1.0,)),
    "exponential": Named(("lam",), "exponential"),
    "gamma": Named(("alpha", "beta"), "gamma"),
    "inversegamma": Named(("alpha", "beta"), "inverse-gamma"),
    "lognormal": Named(("mu", "sigma"), "lognormal"),
    "lkjcorr": Named(("eta",), "lkj"),
}
ALSO = {
    "student": "studentt",
    "halfstudent": "halfstudentt",
    "lkj": "lkjcorr",
    "lkjcholeskycov": "lkjcorr",
    "t": "studentt",
    "invgamma": "inversegamma",
    "regularisedhorseshoe": "horseshoe",
    "regularizedhorseshoe": "horseshoe",
}
"""Other names of the same laws: shorter ones, and those of PyTensor's random variables."""
WORDS = (
    "normal, student-t, cauchy, laplace, horseshoe; half-normal, half-student-t, half-cauchy, "
    "exponential, gamma, inverse-gamma, lognormal; lkj"
)


def known_law(name: str, where: str) -> Named:
    """The law of a name, which ``where`` gives.

    Raises
    ------
    SpecificationError
        If there is none of this name.
    """
    plain = plain_name(name)
    if plain in NAMED:
        return NAMED[plain]
    near = close_name(plain, [*NAMED, *ALSO])
    hint = f"did you mean {near!r}?" if near else f"expected one of {WORDS}"
    raise SpecificationError(f"{where}: there is no prior {name!r}: {hint}")


def plain_name(name: str) -> str:
    """A law's name as a key of `NAMED`, if it is one."""
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    return ALSO.get(plain, plain)


def law_numbers(name: str, known: Named, values: Mapping[str, Any], where: str) -> dict[str, float]:
    """The arguments of a law, all there and none too many.

    Raises
    ------
    SpecificationError
        If one is missing, unknown, or not a number that it can be.
    """
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
        good = is_number(value) and math.isfinite(value) and (value > 0 or not positive)
        if not good:
            kind = "a positive number" if positive else "a finite number"
            raise SpecificationError(
                f"{where} {one!r} of {name!r} must be {kind}, got {arguments.shown(value)}"
            )
        found[one] = float(value)
    return found


def law_of(known: Named, values: Mapping[str, float]) -> Law:
    """The law with these arguments."""
    return Law(known.kind, (*known.before, *(values[one] for one in known.arguments)))


def has_support_of(known: Named, default: Law) -> bool:
    """Whether a law is of the numbers that another is of."""
    return FAMILIES[known.kind].positive == default.own.positive


def is_number(value: Any) -> bool:
    """Whether it is a number, which True and False are not."""
    plain = isinstance(value, int | float | np.integer | np.floating)
    return plain and not isinstance(value, bool)
