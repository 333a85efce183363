"""From constraints on printed parameters to the free vectors that keep them.

``theta = offset + D phi``: optimisers move ``phi``, and the free vector ``theta`` keeps what is
held and tied. Means, coefficients, shifts and shares are entries of the free vector; a standard
deviation is one where the direction of its row of the Cholesky factor is known: of coefficients
that are not correlated with those before them, or whose correlations with them are held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.errors import SpecificationError
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.elimination import KEPT, RANK, eliminated
from bayesmix.specification.held_rows import Equations, left_at_zero, within_a_class
from bayesmix.specification.held_values import (
    Words,
    argument_of,
    check_names,
    contradiction,
    held_values,
    in_words,
)
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameter import CORRELATION, LOGGED, SD
from bayesmix.specification.parameters import ParameterSpace


@dataclass(frozen=True, eq=False)
class ConstraintMap:
    """Free vectors ``theta = offset + D phi`` that keep some constraints.

    Parameters
    ----------
    constraints
        In the words in which they were given.
    equations, values
        ``A theta = q``, (n, P) and (n,).
    offset, directions
        (P,) and ``D`` (P, Q).
    free
        Entries (Q,) of the free vector that are ``phi``.
    held
        Which printed parameters (P,) are constants.
    undefined
        Which of them are correlations with a standard deviation that is held at 0.
    linear
        Rows (P,) whose product with a free vector is a printed parameter, or its logarithm.
    """

    constraints: Constraints
    equations: Array
    values: Array
    offset: Array
    directions: Array
    free: Indices
    held: Flags
    undefined: Flags
    linear: Mapping[int, Array]

    @property
    def size(self) -> int:
        """Number Q of parameters that are free."""
        return len(self.free)

    def kept_by(self, theta: Array) -> bool:
        """Whether a free vector (P,) keeps the constraints."""
        gap = np.abs(self.equations @ theta - self.values)
        return bool((gap <= KEPT * (np.abs(self.equations) @ np.abs(theta) + 1.0)).all())

    def nearest(self, theta: Array) -> Array:
        """The nearest free vector (P,) that keeps the constraints; itself where it does."""
        if self.kept_by(theta):
            return theta
        if not self.size:
            return self.offset
        phi = np.linalg.lstsq(self.directions, theta - self.offset, rcond=None)[0]
        return self.offset + self.directions @ phi

    def project(self, scores: Array) -> Array:
        """The part of scores (I, P) along the directions that are free."""
        return scores @ self.directions @ np.linalg.pinv(self.directions)


def constraint_map(space: Layout, constraints: Constraints) -> ConstraintMap:
    """The free vectors of ``space`` that keep the constraints; bounds are not among them.

    Raises
    ------
    SpecificationError
        If a name is no parameter, a value cannot be one, or the constraints contradict each other
        or are not linear in the free vector.
    """
    check_names(space, constraints)
    rows = in_words(space, constraints)
    held = held_values(space, constraints, rows)
    while True:
        found = _collected(space, constraints, held, rows)
        solved = _solved(space, constraints, held, found)
        none = left_at_zero(space, solved.offset, solved.directions, found.linear)
        further = [place for place in none if place not in held]
        if not further:
            return solved
        # Standard deviations that ties leave at 0 are held there, as if by name.
        held |= dict.fromkeys(further, 0.0)


def _collected(
    space: Layout,
    constraints: Constraints,
    held: Mapping[int, float],
    rows: Sequence[Words],
) -> Equations:
    """All equations, and what is linear in the free vector, where some parameters are held."""
    found = Equations(space.size)
    for within, entries, printed in _classes(space):
        within_a_class(within, entries, printed, held, found)
    for place in range(space.size - len(space.shares), space.size):
        found.linear[place] = found.unit(place)
    for place, value in held.items():
        parameter = space.listed[place]
        if parameter.kind == CORRELATION:
            continue  # rows of the Cholesky factor keep them already
        if place not in found.linear:
            raise SpecificationError(
                f"{argument_of(constraints, parameter)}: {parameter} beside correlations that are "
                f"free is not linear in the Cholesky factor: put {parameter.terms[0]!r} first in "
                "its law, where it can be held, or hold its correlations too"
            )
        found.add(found.linear[place], _on_entries(space, place, value))
    for row, value in _tied(space, constraints, found, held):
        found.add(row, value)
    for one in rows:
        if not one.alone:
            found.add(_of_words(space, one, found), one.value)
    return found


def _of_words(space: Layout, one: Words, found: Equations) -> Array:
    """A linear constraint as the left side (P,) of an equation of the free vector."""
    row = np.zeros(space.size)
    for place in np.flatnonzero(one.coefficients):
        if space.listed[place].kind in LOGGED:
            raise SpecificationError(
                f"argument 'linear': {one.words!r}: scales are held (fixed=) or equal to "
                "scales (equal=), and coefficients of nests likewise, for logarithms are what is "
                "estimated"
            )
        row += one.coefficients[place] * _row(space, int(place), found, "linear")
    return row


def _classes(space: Layout) -> Iterator[tuple[ParameterSpace, Indices, Indices]]:
    """The space of each class, with its entries in the free vector and its printed parameters."""
    for entries, printed in zip(space.select, space.select_printed, strict=True):
        yield space.within, entries, printed


def _on_entries(space: Layout, place: int, value: float) -> float:
    """A printed value as it stands in the free vector."""
    return float(np.log(value)) if space.listed[place].kind in LOGGED else value


def _tied(
    space: Layout, constraints: Constraints, found: Equations, held: Mapping[int, float]
) -> Iterator[tuple[Array, float]]:
    """Equations of parameters that are equal, and free."""
    for group in constraints.equal:
        first = space.names.index(group[0])
        for name in group[1:]:
            other = space.names.index(name)
            kinds = {space.listed[place].kind in LOGGED for place in (first, other)}
            if len(kinds) > 1:
                raise SpecificationError(
                    f"argument 'equal': {group[0]} and {name} are of different kinds: scales are "
                    "equal to scales alone, and coefficients of nests to such"
                )
            if first in held and other in held:
                continue  # at one value
            row = _row(space, first, found, "equal") - _row(space, other, found, "equal")
            yield row, 0.0


def _row(space: Layout, place: int, found: Equations, argument: str) -> Array:
    if place in found.linear:
        return found.linear[place]
    parameter = space.listed[place]
    remedy = "hold it at a value, fixed="
    if parameter.kind == SD:
        remedy = "take laws that are not correlated, or the first coefficient of a law"
    raise SpecificationError(
        f"argument {argument!r}: {parameter} is not linear in the Cholesky factor: {remedy}"
    )


def _solved(
    space: Layout, constraints: Constraints, held: Mapping[int, float], found: Equations
) -> ConstraintMap:
    """The map of the equations, and what it leaves constant."""
    equations = np.array(found.rows).reshape(-1, space.size)
    values = np.array(found.values)
    solution = eliminated(equations, values)
    if solution is None:
        raise contradiction(constraints)
    offset, directions, left = solution
    free = np.flatnonzero(left)
    directions = directions[:, free]
    constant = np.zeros(space.size, dtype=bool)
    for place, row in found.linear.items():
        constant[place] = not np.abs(row @ directions).max(initial=0.0) > RANK
    constant[list(held)] = True
    undefined = np.zeros(space.size, dtype=bool)
    undefined[list(found.undefined)] = True
    return ConstraintMap(
        constraints,
        equations,
        values,
        offset,
        directions,
        free,
        constant | undefined,
        undefined,
        found.linear,
    )
