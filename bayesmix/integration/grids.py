"""Population grids: a rule, made concrete for a number of random coefficients and of persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import index
from typing import Any, Self

import numpy as np

from bayesmix import arguments
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import DrawRule, QuadratureRule, Rule
from bayesmix.integration.stored_rule import rule_record

Seed = int | np.random.Generator | None


class OneGrid:
    """A grid that serves every class of people: each is asked for by its class all the same."""

    @property
    def by_class(self) -> tuple[Self, ...]:
        """Itself; where each class has a grid of its own, these."""
        return (self,)

    def of_class(self, c: int) -> Self:
        """The grid of class c."""
        return self

    def renumbered(self, order: Sequence[int]) -> Self:
        """The grid of the same classes in another order: class c is what was ``order[c]``."""
        return self


@dataclass(frozen=True, eq=False)
class PopulationGrid(OneGrid):
    """Nodes and weights for integrals over standard normals, person by person.

    Nothing is stored but this record: nodes are a pure function of (key, person, dimension, node),
    written when a block of persons is asked for.

    Parameters
    ----------
    rule : Rule
        Description, such as `sobol(64)`.
    dimension : int
        Number K of random coefficients.
    persons : int
        Number I of persons.
    key : int
        64-bit key of the random streams; 0 where the rule is not random.
    first : int
        Place of the first person among those that the grid was made for.
    """

    rule: Rule
    dimension: int
    persons: int
    key: int
    first: int = 0

    halves = ()

    def __str__(self) -> str:
        return str(self.rule)

    @property
    def record(self) -> dict[str, Any]:
        """What it is made of, for JSON."""
        return {"rule": rule_record(self.rule), "key": str(self.key)}

    @property
    def shared(self) -> bool:
        """Whether everyone has the same nodes (quadrature)."""
        return self.rule.shared

    @property
    def size(self) -> int:
        """Number S of nodes (of a person)."""
        return self.rule.size(self.dimension)

    @property
    def condition(self) -> float:
        """Sum of the weights' absolute values: 1 unless weights are negative."""
        return self.rule.condition(self.dimension)

    def block(
        self, start: int, stop: int, *, parallel: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights of persons start..stop-1.

        Parameters
        ----------
        start, stop : int
            Persons, 0 <= start <= stop <= I.
        parallel : bool
            Whether to use several threads; the numbers are the same.

        Returns
        -------
        nodes : ndarray (n, K, S)
            Standard normal coordinates, C-contiguous; n = stop - start, or 1 when shared.
        weights : ndarray (n, S)
            They sum to one over nodes; some may be negative.
        """
        if not 0 <= start <= stop <= self.persons:
            raise SpecificationError(
                f"arguments 'start', 'stop': expected 0 <= start <= stop <= {self.persons} "
                f"persons, got {start} and {stop}: ask for persons that the grid has"
            )
        if isinstance(self.rule, QuadratureRule):
            points, weights = self.rule.points(self.dimension)
            return points[np.newaxis].copy(), weights[np.newaxis].copy()
        assert isinstance(self.rule, DrawRule)
        nodes = np.empty((stop - start, self.dimension, self.size))
        fill = self.rule.fill_parallel if parallel else self.rule.fill
        fill(self.key, self.first + start, nodes)
        return nodes, np.full((stop - start, self.size), 1.0 / self.size)

    def part(self, start: int, stop: int) -> PopulationGrid:
        """The grid of persons start..stop-1 alone: their nodes are what they were."""
        return replace(self, persons=stop - start, first=self.first + start)


def population_grid(rule: Rule, dimension: int, persons: int, rng: Seed = None) -> PopulationGrid:
    """The grid of a rule for K random coefficients and I persons.

    Parameters
    ----------
    rule : Rule
        Description, such as `sobol(64)`.
    dimension : int
        Number K of random coefficients.
    persons : int
        Number I of persons.
    rng : int, numpy Generator or None
        Source of the key. A Generator moves on by one draw, unless the rule is not random.

    Returns
    -------
    PopulationGrid

    Raises
    ------
    SpecificationError
        If `rule` is not a population rule, or a count is not a whole number.
    IntegrationError
        If a quadrature rule has too many nodes in this dimension.

    Examples
    --------
    >>> from bayesmix.integration.rules import sobol
    >>> nodes, weights = population_grid(sobol(64), dimension=2, persons=10, rng=1).block(3, 5)
    >>> nodes.shape, weights.shape
    ((2, 2, 64), (2, 64))
    """
    if not isinstance(rule, Rule):
        raise SpecificationError(
            f"argument 'rule': expected a population rule such as sobol(64), got {rule!r}: "
            "person-centred grids are made by the estimators, which know the likelihood"
        )
    arguments.seed("rng", rng)
    _count("dimension", dimension, 0)
    _count("persons", persons, 1)
    key = int(np.random.default_rng(rng).integers(2**64, dtype=np.uint64)) if rule.random else 0
    grid = PopulationGrid(rule, index(dimension), index(persons), key)
    if isinstance(rule, QuadratureRule):
        rule.points(grid.dimension)  # raises now if there would be too many nodes
    return grid


def _count(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SpecificationError(
            f"argument '{name}': expected a whole number of at least {least}, got {value!r}: "
            "give the size of the model's data"
        )
