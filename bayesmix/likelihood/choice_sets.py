"""Choice sets as kernels of demand read them, the outside option a row like the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.nests import Nests
from bayesmix.kernels.substitution import Sets, Size
from bayesmix.likelihood.problem import Problem


@dataclass(frozen=True, eq=False)
class Piece:
    """Choice sets of some persons, the outside option a row like the others.

    ``rows`` (n,) says where the rows of the problem stand among those of ``panel``. ``nests`` are
    those of its rows, without their coefficients.
    """

    panel: Panel
    sets: Sets
    rows: Indices
    nests: Nests | None = None

    @cached_property
    def situation(self) -> Indices:
        """Situation of each row of ``panel``."""
        return np.repeat(np.arange(len(self.sets.weight)), np.diff(self.panel.situation_start))

    def add_up(self, values: Array, size: Size) -> Array:
        """Weighted sums (G, A, ...) of values (rows of ``panel``, ...)."""
        cell = self.sets.group[self.situation] * size.alternatives + self.sets.alternative
        out = np.zeros((size.groups * size.alternatives, *values.shape[1:]))
        np.add.at(out, cell, (values.T * self.sets.weight[self.situation]).T)
        return out.reshape(size.groups, size.alternatives, *values.shape[1:])

    def place(self, values: Array) -> Array:
        """Values of the problem's rows, with 0 for the outside option's."""
        out = np.zeros((len(self.panel.x), *values.shape[1:]))
        out[self.rows] = values
        return out


@dataclass(frozen=True, eq=False)
class Pieces:
    """The choice sets of all persons, made once.

    ``segments`` (T,) are those of the situations, and ``goods`` the code (R,) of each row, and the
    number of codes: the outside option's is next.
    """

    problem: Problem
    segments: Indices
    goods: tuple[Indices, int]

    @cached_property
    def _made(self) -> dict[tuple[int, int], Piece]:
        return {}

    def part(self, start: int, stop: int) -> Piece:
        """The sets of persons start .. stop - 1."""
        if (start, stop) not in self._made:
            self._made[start, stop] = piece(self.problem, self.segments, self.goods, start, stop)
        return self._made[start, stop]


def piece(
    problem: Problem, segments: Indices, goods: tuple[Indices, int], start: int, stop: int
) -> Piece:
    """The choice sets of persons start .. stop - 1, as kernels of demand read them."""
    data = problem.data
    panel, outside = problem.panel(start, stop), int(data.outside_option)
    first, last = data.person_start[start], data.person_start[stop]
    n, rows = int(last - first), problem.rows(start, stop)
    sizes = np.diff(panel.situation_start)
    places = np.arange(len(panel.x)) + outside * np.repeat(np.arange(n), sizes)
    x = np.zeros((len(panel.x) + outside * n, panel.x.shape[1]))
    x[places] = panel.x
    codes = np.full(len(x), goods[1], dtype=np.int64)
    codes[places] = goods[0][rows]
    weights = np.repeat(data.weights[start:stop], np.diff(panel.person_start))
    explicit = Panel(
        x,
        np.arange(n + 1),
        panel.situation_start + outside * np.arange(n + 1),
        np.full(n, -1, dtype=np.int64),
        False,
    )
    sets = Sets(panel.person_start, codes, segments[first:last], weights)
    nests = problem.design.nests
    if nests is not None:
        alternative = np.full(len(x), nests.outside, dtype=np.int64)
        alternative[places] = nests.alternative[rows]
        nests = nests._replace(alternative=alternative)
    return Piece(explicit, sets, places, nests)
