"""What a parameter means, which its name does not tell: its law, its units, its classes."""

from __future__ import annotations

from dataclasses import dataclass

from bayesmix.classical.fit import Fit
from bayesmix.specification.class_space import ClassSpace
from bayesmix.specification.mixing import Coefficient
from bayesmix.specification.parameters import ParameterSpace


@dataclass(frozen=True)
class Meaning:
    """What two parameters of one name must have in common to be one quantity.

    Parameters
    ----------
    law
        The laws of its coefficients, with signs, bounds and formulas of means.
    units
        Of a coefficient in willingness-to-pay space, whose it is.
    sources
        Of a scale, the column of sources.
    classes
        Of a parameter of a class, the classes.
    """

    law: str = ""
    units: str = ""
    sources: str = ""
    classes: str = ""

    def differs(self, other: Meaning) -> str:
        """In words, how the first fit's parameter differs from the second's; "" if it does not."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return "; ".join(f"{a or NONE} and {b or NONE}" for a, b in pairs if a != b)


NONE = "none"
UTILS = "in utils"


def meanings(fit: Fit) -> dict[str, Meaning]:
    """What each parameter of a fit means, by flat name."""
    model, space = fit.model, fit.space
    laws = {c.term: _law(c) for c in model.coefficients}
    within = space.within if isinstance(space, ClassSpace) else space
    found = [
        Meaning(
            law=", ".join(laws.get(term, "fixed") for term in terms),
            units="" if not terms else _units(terms, model.wtp),
            sources="" if terms else f"sources by {model.scale!r}",
        )
        for terms in _terms(within)
    ]
    if not isinstance(space, ClassSpace) or model.latent is None:
        return dict(zip(space.names, found, strict=True))
    plain = dict(zip(within.names, found, strict=True))
    members = ", ".join(sorted(model.latent.terms))
    classes = f"{model.latent.number} classes of {members}"
    out = {name: plain[name] for name in space.names if name in plain}
    for name in within.names:
        for c in range(1, space.classes + 1):
            out[f"{name[:-1]}, {c}]"] = Meaning(plain[name].law, plain[name].units, "", classes)
    shares = Meaning(law=f"shares {model.latent.share}", classes=classes)
    out |= dict.fromkeys(space.share_names, shares)
    return {name: out[name] for name in space.names}


def _terms(space: ParameterSpace) -> list[tuple[str, ...]]:
    """The coefficients that each parameter is about, in the order of the names; () of scales."""
    return [
        *((term,) for term in space.located_names),
        *((term,) for term in space.random),
        *((space.random[j], space.random[k]) for j, k in space.pairs),
        *((term,) for term in space.fixed),
        *((space.random[k],) for k, _ in space.shifts),
        *(() for _ in space.scales),
    ]


def _law(c: Coefficient) -> str:
    words = [c.law.words]
    if c.sign < 0:
        words.append("sign -1")
    if c.bounds != (None, None):
        low, high = ("none" if b is None else f"{b:g}" for b in c.bounds)
        words.append(f"bounds {low} and {high}")
    if c.law.located and c.mean != "1":
        words.append(f"mean {c.mean}")
    return " ".join(words)


def _units(terms: tuple[str, ...], wtp: str | None) -> str:
    """The price column in whose units a coefficient is; the price's own is in utils anyway."""
    return UTILS if wtp is None or set(terms) == {wtp} else f"in units of {wtp}"
