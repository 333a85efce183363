"""Attributes that nobody minds: their coefficients are held at 0."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.utility import Utility


def check_minded(problem: Utility, columns: Array, attribute: str) -> None:
    """Refuse a change of columns (R, M + 1) that moves nothing but what is held at 0.

    Of such a change nobody takes notice, and a ratio of its effects is 0 over 0.

    Raises
    ------
    SpecificationError
        With the parameters that are held.
    """
    moved = np.any(columns[:, :-1] != 0.0, axis=0)
    if moved.any() and _held(problem)[moved].all():
        raise _refused(
            attribute, [name for name, m in zip(_names(problem), moved, strict=True) if m]
        )


def check_priced(problem: Utility, price: str) -> None:
    """Refuse a price whose coefficient is held at 0 for everybody.

    Raises
    ------
    SpecificationError
        With the parameters that are held.
    """
    own = np.array([name.partition("[")[2] == f"{price}]" for name in _names(problem)], dtype=bool)
    if own.any() and _held(problem)[own].all():
        raise _refused(price, np.array(_names(problem))[own])


def _names(problem: Utility) -> list[str]:
    """The parameter that each column of the design has, of the mean where it is random."""
    random = [f"mean[{c.term}]" for c in problem.design.coefficients]
    return [*random, *(f"fixed[{term}]" for term in problem.design.fixed_names)]


def _held(problem: Utility) -> Flags:
    """Which columns have a coefficient that is 0 for everybody."""
    held = dict(problem.model.constraints.fixed)
    means = {c.term for c in problem.design.coefficients if c.mean == "0"}

    def nothing(name: str) -> bool:
        kind, _, term = name.rstrip("]").partition("[")
        level = held.get(name) == 0.0 or (kind == "mean" and term in means)
        return level and (kind == "fixed" or held.get(f"sd[{term}]") == 0.0)

    return np.array([nothing(name) for name in _names(problem)], dtype=bool)


def _refused(attribute: str, names: Iterable[str]) -> SpecificationError:
    return SpecificationError(
        f"{', '.join(names)} held at 0: {attribute!r} matters to nobody in this model, and what a "
        "change of it does, or a worth in its units, has no value: leave the parameter free, or "
        "hold it at another number"
    )
