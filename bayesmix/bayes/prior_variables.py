"""Priors as random variables of PyMC's models."""

from __future__ import annotations

from typing import Any

import pymc as pm
import pytensor.tensor as pt

from bayesmix.bayes.horseshoe import by_ratio, quantile
from bayesmix.bayes.scalar_priors import Law, Laws

PYMC: dict[str, tuple[Any, tuple[str, ...]]] = {
    "normal": (pm.Normal, ("mu", "sigma")),
    "student": (pm.StudentT, ("nu", "mu", "sigma")),
    "laplace": (pm.Laplace, ("mu", "b")),
    "half-normal": (pm.HalfNormal, ("sigma",)),
    "half-student": (pm.HalfStudentT, ("nu", "sigma")),
    "exponential": (pm.Exponential, ("lam",)),
    "gamma": (pm.Gamma, ("alpha", "beta")),
    "inverse-gamma": (pm.InverseGamma, ("alpha", "beta")),
    "lognormal": (pm.LogNormal, ("mu", "sigma")),
}
"""PyMC's law of each family, and its arguments in the order of the family's."""


def prior_variable(laws: Laws, name: str, **how: Any) -> Any:
    """A vector of independent parameters, in the model that is open.

    One variable of PyMC's where they are of one family. Where they are of several it is a stand-in
    of about their sizes, and a potential makes up for the difference in log-density. With horseshoe
    priors among them it is a function of standard normals, named ``_normal``, and of others.
    """
    if any(law.kind == "horseshoe" for law in laws.each):
        return _with_horseshoes(laws, name, how.get("dims"))
    own = _stand_ins(laws)
    kind, values = _called(own)
    found = kind(name, **values, **how)
    add_difference(laws, found, name)
    return found


def _with_horseshoes(laws: Laws, name: str, dims: Any) -> Any:
    """Parameters of which some have a horseshoe prior."""
    found: Any = pt.zeros(len(laws))
    own = {p: law.values for p, law in enumerate(laws.each) if law.kind == "horseshoe"}
    normals = pt.zeros(len(laws))[list(own)].set(
        pm.Normal(f"{name}_normal", 0.0, 1.0, shape=len(own))
    )
    for places, tau, slab in by_ratio(own):
        found = found[places].set(quantile(pt, normals[places], tau, slab)[0])
    rest = [place for place in range(len(laws)) if place not in own]
    if rest:
        others = Laws(tuple(laws.each[place] for place in rest))
        found = found[rest].set(prior_variable(others, f"{name}_others", shape=len(rest)))
    return pm.Deterministic(name, found, dims=dims)


def prior_distribution(laws: Laws) -> Any:
    """`prior_variable` without a name, for a variable that is made of it; see `add_difference`."""
    kind, values = _called(_stand_ins(laws))
    return kind.dist(**values, shape=len(laws))


def add_difference(laws: Laws, values: Any, name: str) -> None:
    """The potential of parameters whose variable has stand-ins for their laws."""
    own = _stand_ins(laws)
    if own is not laws:
        pm.Potential(f"{name}_prior", laws.symbolic(pt, values) - own.symbolic(pt, values))


def _called(laws: Laws) -> tuple[Any, dict[str, Any]]:
    family, _, values = laws.groups[0]
    kind, names = PYMC[family]
    return kind, dict(zip(names, values, strict=True))


def _stand_ins(laws: Laws) -> Laws:
    """The laws, or normal and half-normal ones where they are of several families."""
    if len(laws.groups) == 1:
        return laws
    return Laws(tuple(_stand_in(law) for law in laws.each))


def _stand_in(law: Law) -> Law:
    low, middle, high = (float(law.frozen.ppf(q)) for q in (0.25, 0.5, 0.75))
    if law.own.positive:
        return Law("half-normal", (1.5 * middle,))
    return Law("normal", (middle, (high - low) / 1.35))
