"""Prior laws of PyMC, PreliZ and bambi.

The latter two are told by their attributes, and never imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
from pymc.exceptions import NotConstantValueError
from pymc.pytensorf import constant_fold
from pytensor.graph.basic import Variable

from bayesmix.bayes.prior_names import (
    NAMED,
    known_law,
    law_numbers,
    law_of,
    plain_name,
)
from bayesmix.bayes.scalar_priors import Law
from bayesmix.errors import SpecificationError


def of_bambi(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of a prior of bambi's."""
    name, values = getattr(value, "name", None), getattr(value, "args", None)
    if isinstance(name, str) and isinstance(values, Mapping):
        return name, dict(values)
    return None


def of_preliz(value: Any) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of a distribution of PreliZ's, whatever parameters it was made with."""
    if inspect.isclass(value) or not hasattr(value, "params_dict"):
        return None
    name = type(value).__name__
    known = NAMED.get(plain_name(name))
    own = () if known is None else known.arguments
    given = value.params_dict if isinstance(value.params_dict, Mapping) else {}
    found = {k: getattr(value, k, given.get(k)) for k in own}
    return name, {k: v for k, v in found.items() if v is not None}


def of_pymc(name: str, value: Variable[Any, Any]) -> Law:
    """The law of a variable that ``pm.Normal.dist`` and the like make."""
    op: Any = None if value.owner is None else value.owner.op
    called = getattr(op, "name", None)
    if not isinstance(called, str) or not hasattr(op, "dist_params"):
        raise SpecificationError(
            f"priors[{name!r}]: expected an unnamed law of PyMC's, such as pm.Normal.dist(0, 1), "
            f"got {value}"
        )
    known = known_law(called, f"priors[{name!r}]")
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
    return law_of(known, law_numbers(called, known, values, f"priors[{name!r}]:"))
