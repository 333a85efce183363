"""The layout of a model's parameters, from its laws and the names of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from bayesmix.specification.class_space import ClassSpace
from bayesmix.specification.covariates import Covariates
from bayesmix.specification.description import Description
from bayesmix.specification.laws.coefficient import Law
from bayesmix.specification.parameters import ParameterSpace


def space_of(
    laws: Sequence[Law], fixed: tuple[str, ...], persons: Covariates | None = None
) -> ParameterSpace:
    """Layout of the parameters of these laws and of fixed coefficients by name."""
    blocks: list[tuple[int, ...]] = []
    position = 0
    for law in laws:
        here = range(position, position + len(law.coefficients))
        blocks += [tuple(here)] if law.correlated else [(k,) for k in here]
        position += len(law.coefficients)
    coefficients = [c for law in laws for c in law.coefficients]
    without = tuple(k for k, c in enumerate(coefficients) if c.mean == "0")
    return ParameterSpace(
        random=tuple(c.term for c in coefficients),
        fixed=fixed,
        blocks=tuple(blocks),
        centred=without if persons is None else persons.centred,
        shifts=() if persons is None else persons.shifts,
        shapes=tuple((k, label) for k, c in enumerate(coefficients) for label in c.shape_labels),
    )


def model_space(
    model: Description,
    fixed: tuple[str, ...],
    persons: Covariates | None = None,
    shares: Covariates | None = None,
) -> ParameterSpace:
    """Layout of the parameters of a model, with fixed coefficients by name.

    With latent classes it is a `ClassSpace`, which stands in for a `ParameterSpace` everywhere but
    where a coefficient must have one law.
    """
    latent = model.latent
    if latent is None:
        return space_of(model.laws, fixed, persons)
    space = ClassSpace(
        within=space_of(model.laws, latent.points + fixed, persons),
        classes=latent.number,
        points=latent.points,
        own=tuple(term for law in latent.laws for term in law.terms),
        constant=latent.share != "0" if shares is None else not shares.centred,
        covariates=() if shares is None else tuple(name for _, name in shares.shifts),
    )
    return cast(ParameterSpace, space)
