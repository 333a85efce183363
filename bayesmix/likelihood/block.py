"""Consecutive persons of a problem: the arrays that evaluations read, and nothing of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.data.pages import release
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.nests import Nests


@dataclass(frozen=True, eq=False)
class Block:
    """n consecutive persons, with R rows in T situations.

    It can be pickled, and is as large as its persons' rows are.

    Parameters
    ----------
    parameters
        Layout of the free vector.
    laws, known, functions
        Laws (K, 7) of the random coefficients, what their maps know of them (K, 3) or (0, 3), and
        the numbers of the functions that kernels call for them, see `bayesmix.kernels.laws`.
    price
        Position of the price coefficient in WTP space, -1 elsewhere.
    panel
        Attributes whose coefficients vary over nodes, and who chose what.
    x_fixed
        The other attributes (R, F).
    z
        Covariates (n, M) of the means of laws.
    weights
        Person weights (n,).
    offset
        Known utilities (R,); None where there are none.
    source
        Source (T,) of each situation; None where the model has no scales.
    share_z
        Covariates (n, Q) of the class shares; (1, Q) where persons do not differ.
    nests
        Those of the rows, without their coefficients; None where there are none.
    """

    parameters: Any
    laws: Indices
    known: Array
    functions: tuple[int, ...]
    price: int
    panel: Panel
    x_fixed: Array
    z: Array
    weights: Array
    offset: Array | None
    source: Indices | None
    share_z: Array
    nests: Nests | None = None

    @property
    def whole(self) -> Block:
        """Itself: all of the persons that it knows."""
        return self

    def block_at(self, theta: Array) -> Block:
        """Itself: its residuals are those of a first stage already, see `Problem.block_at`."""
        return self

    def points(self, point: Any) -> tuple[Any, ...]:
        """The points of the C >= 1 classes of people, of that of these persons: itself."""
        return (point,)

    def mixture(self, point: Any, nodes: Array, weights: Array) -> Mixture:
        """The mixture of the persons' coefficients at a point, see `Point.mixture`."""
        law: Mixture = point.law
        return law._replace(nodes=nodes, weights=weights)

    @property
    def n_persons(self) -> int:
        return len(self.weights)

    @cached_property
    def first_rows(self) -> Indices:
        """First row (n,) of each person."""
        return self.panel.situation_start[self.panel.person_start[:-1]]

    @cached_property
    def row_person(self) -> Indices:
        """Person (R,) of each row."""
        ends = self.panel.situation_start[self.panel.person_start]
        return np.repeat(np.arange(self.n_persons), np.diff(ends))

    def rows(self, start: int, stop: int) -> slice:
        """Rows of persons start .. stop - 1."""
        panel = self.panel
        first, last = panel.situation_start[panel.person_start[[start, stop]]]
        return slice(int(first), int(last))

    def release(self, start: int, stop: int) -> None:
        """Give memory of rows of persons start .. stop - 1 back, where they are in files."""
        rows = self.rows(start, stop)
        release(self.panel.x[rows])
        release(self.x_fixed[rows])

    def part(self, start: int, stop: int) -> Self:
        """Persons start .. stop - 1 of these."""
        if (start, stop) == (0, self.n_persons):
            return self
        panel, rows = self.panel, self.rows(start, stop)
        persons = panel.person_start[start : stop + 1]
        situations = slice(int(persons[0]), int(persons[-1]))
        chosen = panel.chosen_row[situations]
        own = Panel(
            panel.x[rows],
            persons - persons[0],
            panel.situation_start[situations.start : situations.stop + 1] - rows.start,
            np.where(chosen >= 0, chosen - rows.start, -1),
            panel.outside,
        )
        return replace(
            self,
            panel=own,
            x_fixed=self.x_fixed[rows],
            z=self.z[start:stop],
            weights=self.weights[start:stop],
            offset=None if self.offset is None else self.offset[rows],
            source=None if self.source is None else self.source[situations],
            share_z=self.share_z[start:stop] if len(self.share_z) > 1 else self.share_z,
            nests=None
            if self.nests is None
            else self.nests._replace(alternative=self.nests.alternative[rows]),
        )
