"""Which parameters constraints hold, and where: by name, alone in words, equal to what is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.columns import nearest
from bayesmix.errors import SpecificationError
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.elimination import KEPT
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameter import CORRELATION, NEST, SCALE, SD, Parameter
from bayesmix.specification.restrictions import read_restrictions


@dataclass(frozen=True, eq=False)
class Words:
    """One linear constraint in words: its coefficients (P,) of printed parameters, its value."""

    words: str
    coefficients: Array
    value: float

    @property
    def alone(self) -> bool:
        """Whether it holds one parameter at a value."""
        return bool(np.count_nonzero(self.coefficients) == 1)


def check_names(space: Layout, constraints: Constraints) -> None:
    """Refuse names that are no parameters."""
    for argument, names in (
        ("fixed", [name for name, _ in constraints.fixed]),
        ("equal", [name for group in constraints.equal for name in group]),
        ("bounds", [name for name, _, _ in constraints.bounds]),
    ):
        for name in names:
            if name not in space.names:
                hint = nearest(name, space.names)
                raise SpecificationError(
                    f"argument {argument!r} names {name!r}, which is no parameter of the model: "
                    f"{hint}"
                )


def _check_values(space: Layout, constraints: Constraints, held: Mapping[int, float]) -> None:
    for place, value in held.items():
        parameter = space.listed[place]
        wanted = {
            SD: (value >= 0.0, "0 at least"),
            CORRELATION: (-1.0 < value < 1.0, "between -1 and 1"),
            SCALE: (value > 0.0, "above 0"),
            NEST: (value > 0.0, "above 0"),
        }.get(parameter.kind, (True, ""))
        if not wanted[0]:
            raise SpecificationError(
                f"{argument_of(constraints, parameter)}: {parameter} is to be held at {value:g}; "
                f"expected {wanted[1]}"
            )


def argument_of(constraints: Constraints, parameter: Parameter) -> str:
    """The argument that holds a parameter."""
    name = str(parameter)
    tied = any(name in group for group in constraints.equal)
    found = "fixed" if name in dict(constraints.fixed) else "equal" if tied else "linear"
    return f"argument {found!r}"


def in_words(space: Layout, constraints: Constraints) -> list[Words]:
    """The linear constraints in words, one by one."""
    found = []
    for words in constraints.linear:
        read = read_restrictions(words, 0.0, space.names, argument="linear")
        pairs = zip(read.matrix, read.values, strict=True)
        found += [Words(words, row, float(value)) for row, value in pairs]
    return found


def held_values(space: Layout, constraints: Constraints, rows: Sequence[Words]) -> dict[int, float]:
    """The parameters that are held, and where: by name, or alone in a linear constraint."""
    held = {space.names.index(name): value for name, value in constraints.fixed}
    for one in rows:
        if one.alone:
            place = int(np.flatnonzero(one.coefficients)[0])
            value = one.value / float(one.coefficients[place]) + 0.0  # no -0
            if abs(held.setdefault(place, value) - value) > KEPT * (1.0 + abs(value)):
                raise contradiction(constraints)
    _pass_on(space, constraints, held)
    _check_values(space, constraints, held)
    return held


def _pass_on(space: Layout, constraints: Constraints, held: dict[int, float]) -> None:
    """Hold what is equal to what is held, whether or not it could be tied while it is free."""
    groups = [[space.names.index(name) for name in group] for group in constraints.equal]
    before = -1
    while before != len(held):
        before = len(held)
        for group in groups:
            known = [held[place] for place in group if place in held]
            if known and any(abs(v - known[0]) > KEPT * (1.0 + abs(v)) for v in known):
                raise contradiction(constraints)
            held |= dict.fromkeys(group, known[0]) if known else {}


def contradiction(constraints: Constraints) -> SpecificationError:
    """What is raised where nothing keeps all constraints."""
    return SpecificationError(
        f"the constraints contradict each other, or leave nothing that keeps all of them: "
        f"{constraints}"
    )
