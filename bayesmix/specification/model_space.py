"""The layout of a model's parameters, from its laws and the names of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bayesmix.specification.covariates import Covariates
from bayesmix.specification.description import Description
from bayesmix.specification.laws.coefficient import Law
from bayesmix.specification.layout import Layout
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
    scales: tuple[str, ...] = (),
) -> Layout:
    """Layout of the parameters of a model; fixed coefficients, and scales of sources, by name."""
    within = space_of(model.laws, model.latent.points + fixed, persons)
    nests = () if model.nests is None else model.nests.names
    within = replace(within, scales=scales, nests=nests)
    return model.latent.layout(within, shares)
