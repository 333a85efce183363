"""How one model is nested in another: what the restrictions are, and which are at a boundary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesmix.classical.fit import Fit
from bayesmix.errors import SpecificationError
from bayesmix.inference.held_nesting import restricted_terms
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.laws.coefficient import Coefficient, Law
from bayesmix.specification.maps import location_of
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.parameter import FIXED, MEAN, Parameter


@dataclass(frozen=True)
class Nesting:
    """Restrictions that lead from a full model to a restricted one.

    Parameters
    ----------
    blocks
        Random coefficients of the full model that do not vary in the restricted one, those that
        share a covariance matrix together: their variances are 0, at the boundary.
    free
        Number of restrictions without a boundary.
    null
        The restrictions in words.
    names
        Parameters of the full model that they set to a value.
    """

    blocks: tuple[tuple[str, ...], ...]
    free: int
    null: str
    names: tuple[str, ...] = ()

    @property
    def sizes(self) -> list[int]:
        return [len(block) for block in self.blocks]

    @property
    def fixed(self) -> tuple[str, ...]:
        """The coefficients that do not vary in the restricted model."""
        return tuple(term for block in self.blocks for term in block)


def nesting(restricted: Fit, full: Fit) -> Nesting:
    """Compare two models, coefficient by coefficient.

    Raises
    ------
    SpecificationError
        If ``restricted`` is not nested in ``full``, or they are the same model.
    """
    if _unconstrained(restricted.model) == _unconstrained(full.model):
        if restricted.model.constraints == full.model.constraints:
            raise _not_nested("they have the same parameters")
        return Nesting(*restricted_terms(restricted, full))
    _check_nests(restricted.model, full.model)
    if restricted.model.constraints or full.model.constraints:
        raise _not_nested(
            "they are different models, and parameters are held or tied; fit one model with more "
            "and with fewer constraints"
        )
    _check_classes(restricted.model, full.model)
    mine = {c.term: c for c in restricted.model.coefficients}
    theirs = {c.term: c for c in full.model.coefficients}
    for term, coefficient in mine.items():
        if term not in theirs:
            raise _not_nested(f"{term!r} is random in the first, and not in the second")
        if coefficient not in _plainer(theirs[term]):
            raise _not_nested(f"{term!r} has another law in each")
    columns = {*full.space.random, *full.space.fixed}
    strange = [n for n in (*restricted.space.random, *restricted.space.fixed) if n not in columns]
    if strange:
        raise _not_nested(f"{strange[0]!r} is in the first alone")
    still = [term for term in theirs if term not in mine]
    for term in still:
        law = theirs[term]
        if location_of(law, 0.0) is None and term not in restricted.space.fixed:
            raise _not_nested(f"{term!r} is {law.law.words}, and never 0")
        if law.law.shapes:
            raise _not_nested(
                f"{term!r} is {law.law.words}, whose shape says nothing where it does not vary: "
                "test the coefficient's Normal law against a constant"
            )
        if not law.law.located:
            raise _not_nested(f"{term!r} is {law.law.words}, which no value makes a constant")
    same = {_same(parameter, still) for parameter in restricted.space.listed}
    left = [parameter for parameter in full.space.listed if parameter not in same]
    extra = same - set(full.space.listed)
    if extra:
        raise _not_nested(f"{min(map(str, extra))} is in the first alone")
    if not left:
        raise _not_nested("they have the same parameters")
    blocks = _blocks(full, set(still)) if still else ()
    bounded = sum(m * (m + 1) // 2 for m in map(len, blocks))
    groups = ((at, [str(p) for p in left if p.kind.neutral == at]) for at in (0, 1))
    null = ", ".join(f"{', '.join(names)} = {at}" for at, names in groups if names)
    return Nesting(blocks, len(left) - bounded, null, tuple(map(str, left)))


def _check_nests(restricted: MixedLogit, full: MixedLogit) -> None:
    """Refuse a null of nests at their bound of 1, in words that say what to fit in its place."""
    if full.nests is not None and full.nests.bounded and restricted.nests is None:
        raise SpecificationError(
            "nests: their coefficients are 1 in the first fit, which is their bound in the second, "
            "where the law of the likelihood ratio is not known here: fit the second with "
            "bm.Nests(..., bounded=False), of which 1 is a value as any other"
        )


def _plainer(coefficient: Coefficient) -> list[Coefficient]:
    """It, and the same with each law that it is where shapes are 0: all, or the last of them."""
    found, law = [coefficient], coefficient.law.plain
    while law is not None:
        found.append(replace(coefficient, family=law.name))
        law = law.plain
    return found


def _unconstrained(model: MixedLogit) -> MixedLogit:
    return replace(model, constraints=Constraints())


def null_params(restricted: Fit, full: Fit) -> dict[str, float]:
    """The restricted estimates as parameters of the full model, by flat name."""
    values = {str(parameter): parameter.kind.neutral for parameter in full.space.listed}
    params = restricted.params
    for c in full.model.coefficients:
        if c.term in restricted.space.fixed:
            value = float(params[f"fixed[{c.term}]"])
            location = location_of(c, value)
            if location is None:
                where = "has the other sign" if c.bounds == (None, None) else "is beyond its bounds"
                raise _not_nested(f"{c.term!r} {where} in the restricted estimates")
            values[f"mean[{c.term}]"] = location
    known = {str(name): float(v) for name, v in params.items() if name in values}
    return values | {name: value for name, value in known.items() if not np.isnan(value)}


def _same(parameter: Parameter, still: list[str]) -> Parameter:
    """The full model's of a restricted parameter: a fixed coefficient is its mean."""
    constant = parameter.kind == FIXED and parameter.label in still
    return replace(parameter, kind=MEAN) if constant else parameter


def _blocks(full: Fit, still: set[str]) -> tuple[tuple[str, ...], ...]:
    # Of classes: what varies outside them, in one block for all.
    space = full.space.within
    names = space.random
    blocks = (tuple(names[k] for k in block if names[k] in still) for block in space.blocks)
    return tuple(block for block in blocks if block)


def last_in_their_laws(model: MixedLogit, terms: tuple[str, ...]) -> MixedLogit:
    """The same model with these coefficients at the end of their laws."""
    laws: list[Any] = []
    for law in model.random:
        if not isinstance(law, Law):
            laws.append(law)
            continue
        ordered = sorted(law.coefficients, key=lambda c: c.term in terms)
        laws.append(replace(law, coefficients=tuple(ordered)))
    return replace(model, random=tuple(laws), constraints=Constraints())


def _check_classes(restricted: MixedLogit, full: MixedLogit) -> None:
    """Refuse other latent classes, of which likelihood ratios have no ordinary law."""
    mine, theirs = restricted.latent, full.latent
    if mine.number != theirs.number:
        raise SpecificationError(
            f"the models have {mine.number} and {theirs.number} latent classes, and their number "
            "has no likelihood ratio law: compare aic and bic"
        )
    alone = [term for term in mine.terms if term not in theirs.terms]
    if alone:
        raise _not_nested(f"{alone[0]!r} differs between classes in the first alone")
    varying = {c.term for c in full.coefficients}
    before = {c.term for c in restricted.coefficients}
    for term in theirs.terms:
        if term in varying and term not in before:
            raise SpecificationError(
                f"whether {term!r} varies within latent classes has no likelihood ratio law that "
                "is known here: compare aic and bic"
            )
        if term not in mine.terms:
            names = [f"{'mean' if term in varying else 'fixed'}[{term}, {c}]" for c in (1, 2)]
            raise SpecificationError(
                f"{term!r} differs between classes in the second model alone, which lr_test does "
                f"not compare: write wald_test(full, '{names[0]} = {names[1]}')"
            )


def _not_nested(why: str) -> SpecificationError:
    return SpecificationError(
        f"the first model is not nested in the second: {why}; give lr_test(restricted, full)"
    )
