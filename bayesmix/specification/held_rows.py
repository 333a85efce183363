"""What is linear in the free vector, and the rows of Cholesky factors under what is held.

A standard deviation is linear where the direction of its row of the factor is known: of a
coefficient that is not correlated with those before it, or whose correlations with them are held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog

from bayesmix.arrays import Array, Indices
from bayesmix.errors import SpecificationError
from bayesmix.specification.elimination import RANK
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameter import SD
from bayesmix.specification.parameters import ParameterSpace

INFEASIBLE = 2
"""What SciPy says of linear programs without any solution."""


@dataclass(eq=False)
class Equations:
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


def within_a_class(
    space: ParameterSpace,
    entries: Indices,
    printed: Indices,
    held: Mapping[int, float],
    found: Equations,
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
    for row in still:
        found.linear[deviation[row]] = found.unit(where[row, row])
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
    found: Equations,
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


def left_at_zero(
    space: Layout, offset: Array, directions: Array, linear: Mapping[int, Array]
) -> list[int]:
    """Standard deviations to which ``theta = offset + D phi`` leaves no value but 0.

    Those that do not move, and those whose largest value is 0 where none is negative, such as
    both in ``sd[a] + sd[b] = 0``.

    Raises
    ------
    SpecificationError
        If there is no free vector whose standard deviations are all at least 0.
    """
    places = [p for p in linear if space.listed[p].kind == SD]
    if not places:
        return []
    rows = np.array([linear[p] for p in places])
    # A linear program has one variable at least.
    slopes = np.column_stack([rows @ directions, np.zeros(len(rows))])
    at = rows @ offset
    largest = np.where(np.abs(slopes).max(axis=1, initial=0.0) > RANK, np.inf, at)
    if (at < -RANK).any() or (slopes < -RANK).any():
        bounds = [(None, None)] * slopes.shape[1]
        for n in range(len(places)):
            best = linprog(-slopes[n], A_ub=-slopes, b_ub=at + RANK, bounds=bounds)
            if best.status == INFEASIBLE:
                largest[n] = -np.inf
            elif best.status == 0:
                largest[n] = at[n] - best.fun
    if (largest < -RANK).any():
        none = ", ".join(str(space.listed[p]) for p in places)
        raise SpecificationError(
            f"the constraints leave no values of at least 0 to the standard deviations ({none})"
        )
    return [place for place, most in zip(places, largest, strict=True) if most <= 2 * RANK]
