"""What makes a model invalid, by itself or on given data, with the remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bayesmix.close_names import close_name
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.formulas.formula import (
    Columns,
)
from bayesmix.specification.classes import ROLE, check_one_class
from bayesmix.specification.covariates import check_mean
from bayesmix.specification.description import Description


def check_description(model: Description) -> None:
    """Raise SpecificationError where parts of a model do not go together."""
    if model.scale is not None:
        check_one_class(model.latent, "scale", model.scale)
    if model.nests is not None:
        check_one_class(model.latent, "nests")
        if model.scale is not None:
            raise SpecificationError(
                f"nests= with scale={model.scale!r}: coefficients of nests are told in one source "
                "of data; interact attributes with the source in the formula, or leave out one of "
                "the two"
            )
    for mean in {c.mean for c in model.coefficients}:
        check_mean(mean, trust=model.trust)
    check_mean(model.latent.share, ROLE, trust=model.trust)
    terms = [c.term for c in model.varying]
    twice = sorted({t for t in terms if terms.count(t) > 1})
    if twice:
        raise SpecificationError(
            f"term {twice[0]!r} is given two laws: name it in one law of 'random' only"
        )
    for c in model.coefficients:
        if c.term == model.wtp and c.stops_at_0:
            raise SpecificationError(
                f"wtp={model.wtp!r}: some people's price coefficient is 0 by {c.law.words} law, "
                "and a willingness to pay divides by it: write TruncatedNormal in its place"
            )
        if c.term == model.wtp and not c.side:
            raise SpecificationError(
                f"wtp={model.wtp!r}: the law of the price coefficient has both signs, and a "
                f"willingness to pay divides by it: write LogNormal({model.wtp!r}, sign=-1), or "
                "leave it fixed"
            )


def check_flat_names(names: Sequence[str]) -> None:
    """Refuse names of columns whose brackets and commas make two parameters' names one."""
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise SpecificationError(
            f"two parameters would be called {twice[0]!r}: names of columns or categories hold "
            "commas or brackets that make it so; rename one of them"
        )


def check_term(what: str, term: str, utility: tuple[str, Columns], data: ChoiceData) -> None:
    """Raise SpecificationError unless ``term`` is a column of the utility (formula, columns)."""
    formula, names = utility[0], utility[1].names
    if term in utility[1].state.empty:
        raise SpecificationError(
            f"{what} {term!r} is 0 in every row, and has no coefficient: leave it out of the laws"
        )
    if term not in names:
        near = close_name(term, names)
        hint = f"did you mean {near!r}? " if near else ""
        roles = (data.person, data.situation, data.alternative, data.chosen)
        if term in data.frame.columns and term not in roles and not near:
            hint = f"write {f'{formula} + {term}'!r}; "
        raise SpecificationError(
            f"{what} {term!r} is not in the formula {formula!r}: {hint}"
            f"its columns are {list(names)}"
        )
