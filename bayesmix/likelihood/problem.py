"""A model bound to data: the arrays that every path reads, whole or cut into chunks of persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import DataError, Fault
from bayesmix.kernels.logit import Panel
from bayesmix.likelihood.block import Block
from bayesmix.likelihood.utility import Utility
from bayesmix.specification.component_findings import component_faults
from bayesmix.specification.nests import refuse_nests


class Grid(Protocol):
    """Nodes and weights, for everyone or person by person."""

    @property
    def size(self) -> int: ...

    @property
    def shared(self) -> bool: ...

    @property
    def halves(self) -> tuple[Any, ...]:
        """Two grids that halve its nodes, see `bayesmix.likelihood.halves`; empty without."""

    @property
    def by_class(self) -> tuple[Any, ...]:
        """The grids of the classes, or the one that serves all of them."""

    def of_class(self, c: int) -> Any:
        """The grid of class c."""

    def renumbered(self, order: Sequence[int]) -> Any:
        """The grid of the same classes in another order: class c is what was ``order[c]``."""

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        """Nodes (n, K, S) and weights (n, S) of persons start .. stop - 1; n = 1 when shared."""

    def part(self, start: int, stop: int) -> Any:
        """The grid of persons start .. stop - 1 alone."""


class Chunk(NamedTuple):
    """Arrays of n consecutive persons, or the PyTensor variables that stand for them."""

    x: Any
    person_start: Any
    situation_start: Any
    chosen_row: Any
    row_person: Any
    x_fixed: Any
    person_weights: Any
    nodes: Any
    node_weights: Any
    z: Any
    offset: Any
    source: Any


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem(Utility):
    """A model bound to data.

    Parameters
    ----------
    model, data
        As the user gave them.
    design
        The columns of the utility.
    """

    data: ChoiceData

    @cached_property
    def unidentified(self) -> tuple[Fault, ...]:
        """Variances of error components that these choice sets do not tell."""
        design = self.design
        values = design.attributes
        names = (*design.random_names, *design.fixed_names)
        return tuple(component_faults(values, names, self.moving_laws, self.data))

    def at_first_stage(self, gamma: Array) -> Problem:
        """The problem with the residuals of other first-stage coefficients ``gamma`` (G,)."""
        return replace(self, design=self.design.at_first_stage(gamma))

    def block_at(self, theta: Array) -> Block:
        """The arrays of all persons at a vector, first-stage coefficients its last entries."""
        rest = theta[self.parameters.size :]
        return self.at_first_stage(rest).whole if len(rest) else self.whole

    def split(self, theta: Array) -> tuple[Problem, Array]:
        """The problem at the first-stage coefficients behind the free vector, and that (P,)."""
        own, rest = np.split(theta, [self.parameters.size])
        return (self.at_first_stage(rest) if len(rest) else self), own

    @property
    def z(self) -> Array:
        """Covariates (I, M) of persons, a column for each shift of a mean."""
        persons = self.design.persons
        return np.zeros((self.n_persons, 0)) if persons is None else persons.values

    @property
    def n_persons(self) -> int:
        return self.data.n_persons

    @cached_property
    def memory(self) -> dict[str, Any]:
        """What is worked out of it once, and asked for often."""
        return {}

    @cached_property
    def whole(self) -> Block:
        """The arrays of all persons."""
        data, found = self.data, self.design.sources
        panel = Panel(
            self.x, data.person_start, data.situation_start, data.chosen_row, data.outside_option
        )
        source = None if found is None else found.code
        return self.block(panel, self.z, data.weights, source, lambda within: within.whole)

    def panel(self, start: int = 0, stop: int | None = None) -> Panel:
        """The kernel's arrays for persons start .. stop - 1."""
        return self.whole.part(start, self.n_persons if stop is None else stop).panel

    def rows(self, start: int, stop: int) -> slice:
        """Rows of persons start .. stop - 1."""
        return self.whole.rows(start, stop)

    def chunk(self, grid: Grid, start: int, stop: int) -> Chunk:
        """Arrays of persons start .. stop - 1, with their nodes."""
        if not self.data.observed:
            raise DataError("a scenario has no observed choices, and so no likelihood")
        refuse_nests(self.model.nests, "PyTensor's graph of the likelihood")
        here, rows = self.whole.part(start, stop), self.rows(start, stop)
        nodes, weights = grid.block(start, stop)
        last = here.panel.person_start[-1]
        return Chunk(
            *here.panel[:4],
            here.row_person,
            here.x_fixed,
            here.weights,
            nodes,
            weights,
            here.z,
            np.zeros(rows.stop - rows.start) if here.offset is None else here.offset,
            np.zeros(last, dtype=np.int64) if here.source is None else here.source,
        )


def is_plain_logit(problem: Problem) -> bool:
    """Whether it is a multinomial logit and no more, whose log-likelihood is concave."""
    model = problem.model
    kernel = model.scale is None and model.nests is None
    return not model.random and kernel and problem.constraint is None
