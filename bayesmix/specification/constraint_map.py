"""From constraints on printed parameters to the free vectors that keep them.

``theta = offset + D phi``: optimisers move ``phi``, and the free vector ``theta`` keeps what is
held and tied. Means, coefficients, shifts and shares are entries of the free vector; a standard
deviation is one where the direction of its row of the Cholesky factor is known: of coefficients
that are not correlated with those before them, or whose correlations with them are held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.data.columns import nearest
from bayesmix.errors import SpecificationError
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.parameter import CORRELATION, SCALE, SD
from bayesmix.specification.parameters import ParameterSpace
from bayesmix.specification.restrictions import read_restrictions

KEPT = 1e-9
"""Share of its terms by which an equation may be off and still hold."""
RANK = 1e-10


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
    """

    constraints: Constraints
    equations: Array
    values: Array
    offset: Array
    directions: Array
    free: Indices
    held: Flags
    undefined: Flags

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
        phi = np.linalg.lstsq(self.directions, theta - self.offset, rcond=None)[0]
        return self.offset + self.directions @ phi

    def project(self, scores: Array) -> Array:
        """The part of scores (I, P) along the directions that are free."""
        return scores @ self.directions @ np.linalg.pinv(self.directions)


@dataclass(eq=False)
class _Equations:
    """Equations as they are collected, and what is linear in the free vector."""

    size: int
    rows: list[Array] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    linear: dict[int, Array] = field(default_factory=dict)
    """Rows (P,) whose product with a free vector is a printed parameter, or its logarithm."""
    undefined: set[int] = field(default_factory=set)

    def unit(self, entry: int, value: float = 1.0) -> Array:
        row = np.zeros(self.size)
        row[entry] = value
        return row

    def add(self, row: Array, value: float) -> None:
        self.rows.append(row)
        self.values.append(value)


def constraint_map(space: ParameterSpace, constraints: Constraints) -> ConstraintMap:
    """The free vectors of ``space`` that keep the constraints; bounds are not among them.

    Raises
    ------
    SpecificationError
        If a name is no parameter, a value cannot be one, or the constraints contradict each other
        or are not linear in the free vector.
    """
    _check_names(space, constraints)
    held = {space.names.index(name): value for name, value in constraints.fixed}
    _check_values(space, held)
    found = _Equations(space.size)
    for within, entries, printed in _classes(space):
        _within_a_class(within, entries, printed, held, found)
    for place in range(space.size - len(space.shares), space.size):
        found.linear[place] = found.unit(place)
    for place, value in held.items():
        parameter = space.listed[place]
        if parameter.kind == CORRELATION:
            continue  # rows of the Cholesky factor keep them already
        if place not in found.linear and value != 0.0:
            raise SpecificationError(
                f"argument 'fixed': {parameter} beside correlations that are free is not linear "
                f"in the Cholesky factor: put {parameter.terms[0]!r} first in its law, where it "
                "can be held, or hold its correlations too"
            )
        if place in found.linear:
            found.add(found.linear[place], _on_entries(space, place, value))
    for row, value in _tied(space, constraints, found):
        found.add(row, value)
    return _solved(space, constraints, held, found)


def check_constraints(space: ParameterSpace, constraints: Constraints) -> None:
    """Refuse names of constraints that are no parameters, and what contradicts or leaves nothing.

    Raises
    ------
    SpecificationError
        As `constraint_map`, or if nothing is left to estimate.
    """
    if constraints and not constraint_map(space, constraints).size:
        raise SpecificationError(
            f"the constraints hold all parameters, and leave nothing to estimate: {constraints}"
        )


def _check_names(space: ParameterSpace, constraints: Constraints) -> None:
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


def _check_values(space: ParameterSpace, held: Mapping[int, float]) -> None:
    for place, value in held.items():
        parameter = space.listed[place]
        wanted = {
            SD: (value >= 0.0, "0 at least"),
            CORRELATION: (-1.0 < value < 1.0, "between -1 and 1"),
            SCALE: (value > 0.0, "above 0"),
        }.get(parameter.kind, (True, ""))
        if not wanted[0]:
            raise SpecificationError(
                f"argument 'fixed': {parameter} is to be held at {value:g}; expected {wanted[1]}"
            )


def _classes(space: ParameterSpace) -> Iterator[tuple[ParameterSpace, Indices, Indices]]:
    """The space of each class, with its entries in the free vector and its printed parameters."""
    for entries, printed in zip(space.select, space.select_printed, strict=True):
        yield space.within, entries, printed


def _within_a_class(
    space: ParameterSpace,
    entries: Indices,
    printed: Indices,
    held: Mapping[int, float],
    found: _Equations,
) -> None:
    """What is linear in one class's parameters, and the equations of its Cholesky factor."""
    m, k, c = len(space.located), space.n_random, len(space.chol_index[0])
    p = len(space.pairs)
    ordinary = [*range(m), *range(m + k + p, space.size)]
    of_free = [*range(m), *range(m + c, space.size)]
    for place, entry in zip(ordinary, of_free, strict=True):
        found.linear[int(printed[place])] = found.unit(int(entries[entry]))
    where = {
        (int(row), int(column)): int(entries[m + e])
        for e, (row, column) in enumerate(zip(*space.chol_index, strict=True))
    }
    deviation = [int(printed[m + row]) for row in range(k)]
    pair = {pair: int(printed[m + k + n]) for n, pair in enumerate(space.pairs)}
    still = {row for row in range(k) if held.get(deviation[row]) == 0.0}
    for (row, column), entry in where.items():
        if row in still or column in still:
            found.add(found.unit(entry), 0.0)
    found.undefined |= {place for (a, b), place in pair.items() if a in still or b in still}
    _check_undefined(space, held, pair, still)
    for block in space.blocks:
        moving = [row for row in block if row not in still]
        for group in _groups(moving, pair, held):
            _correlated(space, group, (where, pair, deviation), held, found)
        member = {row: n for n, g in enumerate(_groups(moving, pair, held)) for row in g}
        for row in moving:
            for column in moving:
                if column < row and member[row] != member[column]:
                    found.add(found.unit(where[row, column]), 0.0)


def _check_undefined(
    space: ParameterSpace,
    held: Mapping[int, float],
    pair: Mapping[tuple[int, int], int],
    still: set[int],
) -> None:
    for (a, b), place in pair.items():
        if (a in still or b in still) and held.get(place, 0.0) != 0.0:
            raise SpecificationError(
                f"argument 'fixed' holds corr[{space.random[a]}, {space.random[b]}] at "
                f"{held[place]:g} beside a standard deviation of 0, which leaves no correlation: "
                "hold one of them"
            )


def _groups(
    rows: list[int], pair: Mapping[tuple[int, int], int], held: Mapping[int, float]
) -> list[list[int]]:
    """Rows of a block in groups between which all correlations are held at 0."""
    groups: list[list[int]] = []
    for row in rows:
        near = [
            g for g in groups if any(held.get(pair[min(o, row), max(o, row)]) != 0.0 for o in g)
        ]
        groups = [g for g in groups if g not in near]
        groups.append(sorted([row, *(o for g in near for o in g)]))
    return groups


def _correlated(
    space: ParameterSpace,
    group: list[int],
    places: tuple[dict[tuple[int, int], int], dict[tuple[int, int], int], list[int]],
    held: Mapping[int, float],
    found: _Equations,
) -> None:
    """The rows of the Cholesky factor of correlated coefficients, one after the other."""
    where, pair, deviation = places
    units: dict[int, Array] = {}
    for n, row in enumerate(group):
        before = group[:n]
        known = [o for o in before if pair[o, row] in held]
        if len(known) == n and all(o in units for o in before):
            unit = _unit_row(
                [units[o][: n + 1] for o in before], [held[pair[o, row]] for o in before]
            )
            if unit is None:
                raise SpecificationError(
                    f"argument 'fixed': the correlations of {space.random[row]!r} are not those "
                    "of a positive definite correlation matrix"
                )
            units[row] = np.append(unit, np.zeros(len(group) - n - 1))
            for o, share in zip(before, unit[:-1], strict=True):
                equation = found.unit(where[row, o])
                equation[where[row, row]] = -share / unit[-1]
                found.add(equation, 0.0)
            found.linear[deviation[row]] = found.unit(where[row, row], 1.0 / unit[-1])
            continue
        for o in known:
            alone = o in units and np.count_nonzero(units[o]) == 1
            if held[pair[o, row]] != 0.0 or not alone:
                raise SpecificationError(
                    f"argument 'fixed': corr[{space.random[o]}, {space.random[row]}] beside "
                    f"correlations of {space.random[row]!r} that are free is not linear in the "
                    f"Cholesky factor: hold all correlations of {space.random[row]!r} with those "
                    f"before it in its law, or put {space.random[o]!r} first and hold it at 0"
                )
            found.add(found.unit(where[row, o]), 0.0)


def _unit_row(before: list[Array], correlations: list[float]) -> Array | None:
    """A row (n + 1,) of length 1 with these products with the rows before; None without any."""
    n = len(before)
    row = np.zeros(n + 1)
    if n:
        row[:n] = np.linalg.solve(np.array([b[:n] for b in before]), correlations)
    rest = 1.0 - row[:n] @ row[:n]
    if not rest > 0.0:
        return None
    row[n] = np.sqrt(rest)
    return row


def _on_entries(space: ParameterSpace, place: int, value: float) -> float:
    """A printed value as it stands in the free vector."""
    return float(np.log(value)) if space.listed[place].kind == SCALE else value


def _tied(
    space: ParameterSpace, constraints: Constraints, found: _Equations
) -> Iterator[tuple[Array, float]]:
    """Equations of parameters that are equal, and of linear constraints in words."""
    for group in constraints.equal:
        first = space.names.index(group[0])
        for name in group[1:]:
            other = space.names.index(name)
            kinds = {space.listed[place].kind == SCALE for place in (first, other)}
            if len(kinds) > 1:
                raise SpecificationError(
                    f"argument 'equal': {group[0]} and {name} are of different kinds: scales are "
                    "equal to scales alone"
                )
            row = _row(space, first, found, "equal") - _row(space, other, found, "equal")
            yield row, 0.0
    for words in constraints.linear:
        read = read_restrictions(words, 0.0, space.names, argument="linear")
        for coefficients, value in zip(read.matrix, read.values, strict=True):
            row = np.zeros(space.size)
            for place in np.flatnonzero(coefficients):
                if space.listed[place].kind == SCALE:
                    raise SpecificationError(
                        f"argument 'linear': {words!r}: scales are held (fixed=) or equal to "
                        "scales (equal=), for their logarithms are what is estimated"
                    )
                row += coefficients[place] * _row(space, int(place), found, "linear")
            yield row, float(value)


def _row(space: ParameterSpace, place: int, found: _Equations, argument: str) -> Array:
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
    space: ParameterSpace, constraints: Constraints, held: Mapping[int, float], found: _Equations
) -> ConstraintMap:
    """``theta = offset + D phi`` by elimination: entries that are held first, exactly."""
    equations = np.array(found.rows).reshape(-1, space.size)
    values = np.array(found.values)
    offset, directions = np.zeros(space.size), np.eye(space.size)
    left = np.ones(space.size, dtype=bool)
    single = np.count_nonzero(equations, axis=1) == 1
    for row, value in zip(equations[single], values[single], strict=True):
        entry = int(np.flatnonzero(row)[0])
        if not left[entry] and abs(offset[entry] - value / row[entry]) > KEPT:
            raise _contradiction(constraints)
        offset[entry], left[entry] = value / row[entry], False
    directions[~left] = 0.0
    rows, rest = equations[~single], values[~single]
    rest = rest - rows @ offset
    while len(rows):
        part = rows * left
        size = np.abs(part)
        if not size.max() > RANK:
            break
        # The last entry of a largest one depends on the others: ties follow the first.
        n, _ = np.unravel_index(int(np.argmax(size)), size.shape)
        entry = int(np.flatnonzero(size[n] >= size[n].max() * (1 - RANK))[-1])
        pivot = part[n, entry]
        direction = -part[n] / pivot
        direction[entry] = 0.0
        shift = rest[n] / pivot
        directions += np.outer(directions[:, entry], direction)
        offset = offset + directions[:, entry] * shift
        directions[:, entry] = 0.0
        rest = rest - rows[:, entry] * shift
        rows = rows + np.outer(rows[:, entry], direction)
        rows[:, entry] = 0.0
        left[entry] = False
    if len(rest) and np.abs(rest).max() > KEPT * (1.0 + np.abs(values).max()):
        raise _contradiction(constraints)
    free = np.flatnonzero(left)
    directions = directions[:, free]
    constant = np.zeros(space.size, dtype=bool)
    for place, row in found.linear.items():
        constant[place] = not np.abs(row @ directions).max(initial=0.0) > RANK
    constant[list(held)] = True
    undefined = np.zeros(space.size, dtype=bool)
    undefined[list(found.undefined)] = True
    return ConstraintMap(
        constraints, equations, values, offset, directions, free, constant | undefined, undefined
    )


def _contradiction(constraints: Constraints) -> SpecificationError:
    return SpecificationError(
        f"the constraints contradict each other, or leave nothing that keeps all of them: "
        f"{constraints}"
    )
