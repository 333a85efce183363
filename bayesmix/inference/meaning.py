"""What a parameter means, which its name does not tell: its law, units, classes, base levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bayesmix.classical.fit import Fit
from bayesmix.formulas.formula import State, bases, learnt_numbers
from bayesmix.specification.laws.coefficient import Coefficient


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
    base
        Of levels of categories, and of what they interact with, what they are measured against; of
        columns that are computed with centres and scales of the data, these.
    reference
        Where sources have scales, the one whose errors utility is measured in. A fit without scales
        is of any.
    """

    law: str = ""
    units: str = ""
    sources: str = ""
    classes: str = ""
    base: str = ""
    reference: str = ""

    def differs(self, other: Meaning) -> str:
        """In words, how the first fit's parameter differs from the second's; "" if it does not."""
        one, two = vars(self), vars(other)
        other_reference = bool(self.reference and other.reference)
        names = [n for n in one if n != "reference" or other_reference]
        pairs = [(one[n], two[n]) for n in names]
        return "; ".join(f"{a or NONE} and {b or NONE}" for a, b in pairs if a != b)


NONE = "none"
UTILS = "in utils"


def meanings(fit: Fit) -> dict[str, Meaning]:
    """What each parameter of a fit means, by flat name."""
    model, space = fit.model, fit.space
    laws = {c.term: _law(c) for c in model.coefficients}
    design = fit.problem.design
    base = {} if design.state is None else _measured(design.state)
    persons = {} if design.persons is None else design.persons.states
    laws |= {c.term: f"{laws[c.term]}{_bases_of(persons, c.mean)}" for c in model.coefficients}
    reference = "" if design.sources is None else f"relative to {design.sources.labels[0]}"
    alone = space.within
    found = [
        Meaning(
            law=", ".join(laws.get(term, "fixed") for term in p.terms),
            units="" if not p.terms else _units(p.terms, model.wtp),
            sources="" if p.terms else f"sources by {model.scale!r}",
            base=", ".join(dict.fromkeys(base[t] for t in p.terms if base.get(t))),
            # Correlations have no units, and willingness to pay those of the price.
            reference="" if len(p.terms) > 1 or _units(p.terms, model.wtp) != UTILS else reference,
        )
        for p in alone.listed
    ]
    plain = dict(zip(alone.listed, found, strict=True))
    members = ", ".join(sorted(model.latent.terms))
    classes = f"{model.latent.number} classes of {members}"
    out = {parameter: plain[parameter] for parameter in space.listed if parameter in plain}
    for parameter, meaning in plain.items():
        for c in range(1, space.classes + 1):
            out[parameter.of_class(c)] = replace(meaning, sources="", classes=classes)
    states = {} if design.shares is None else design.shares.states
    share = model.latent.share
    shares = Meaning(law=f"shares {share}{_bases_of(states, share)}", classes=classes)
    out |= dict.fromkeys(space.shares, shares)
    return {str(parameter): out[parameter] for parameter in space.listed}


def _measured(state: State) -> dict[str, str]:
    """What each column is measured against, and with what numbers of the data it was computed."""
    against, numbers = bases(state), learnt_numbers(state)
    return {name: ", ".join(filter(None, [against[name], numbers[name]])) for name in against}


def _bases_of(states: Mapping[str, State], formula: str) -> str:
    """Against what the categories in a formula of covariates of persons are measured."""
    if formula not in states:
        return ""
    found = ", ".join(dict.fromkeys(word for word in _measured(states[formula]).values() if word))
    return f" ({found})" if found else ""


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
    return UTILS if wtp is None or set(terms) <= {wtp} else f"in units of {wtp}"
