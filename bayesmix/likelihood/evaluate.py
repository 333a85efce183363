"""Evaluations of the integrated likelihood of a problem on a grid, by small blocks of persons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.columns import first_few
from bayesmix.errors import IntegrationError
from bayesmix.integration.grids import OneGrid
from bayesmix.kernels.integrals import integrate
from bayesmix.kernels.nested_integrals import integrate_nested
from bayesmix.likelihood.chain import scores
from bayesmix.likelihood.halves import Halved, corrected
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import GivenNodes, joined, over_persons, stored_persons
from bayesmix.likelihood.point import Point, over_classes
from bayesmix.likelihood.problem import Grid, Problem

SIGNED = "rules with negative weights cannot follow such persons; use centred(sobol(64))"
HUGE = "utilities are not finite; look for a mean or a standard deviation that is far too large"


@dataclass(frozen=True, eq=False)
class KeptNodes(OneGrid):
    """A grid that keeps the nodes of its first persons, once they are made."""

    grid: Grid
    number: int

    halves = ()

    @property
    def size(self) -> int:
        return self.grid.size

    @property
    def shared(self) -> bool:
        return self.grid.shared

    @cached_property
    def _nodes(self) -> dict[tuple[int, int], tuple[Array, Array]]:
        """Nodes and weights of blocks of persons."""
        return {}

    def release(self) -> None:
        """Drop the nodes; they are made again when they are asked for."""
        self._nodes.clear()

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        """Nodes and weights of persons start .. stop - 1."""
        found = self._nodes.get((start, stop))
        if found is None:
            found = self.grid.block(start, stop)
            if stop <= self.number:
                self._nodes[start, stop] = found
        return found

    def part(self, start: int, stop: int) -> Grid:
        """The grid of persons start .. stop - 1 alone: of nodes, where they are kept."""
        if stop <= self.number:
            return GivenNodes(*self.block(start, stop))
        found: Grid = self.grid.part(start, stop)
        return found


def keeping(grid: Grid, number: int) -> KeptNodes | Halved:
    """The grid, of ``number`` persons with nodes that stay, in halves where it has halves."""
    if grid.halves:
        first, second = grid.halves
        return Halved((KeptNodes(first, number), KeptNodes(second, number)))
    return KeptNodes(grid, number)


def log_integrals(here: Point, grid: Grid) -> tuple[Array, Array]:
    """``log P_i`` (n,) of persons, and their scores (n, P)."""
    if grid.halves:
        first, second = grid.halves
        return corrected(log_integrals(here, first), log_integrals(here, second))
    own = [_of_class(of, grid.of_class(c)) for c, of in enumerate(here.classes)]
    return over_classes(here, *zip(*own, strict=True))


def _of_class(here: Point, grid: Grid) -> tuple[Array, Array]:
    """`log_integrals` within a class."""
    mixture = here.mixture(*grid.block(0, here.persons.n_persons))
    if here.nests is not None:
        logp, *slopes, by_nest = integrate_nested(here.rows, here.nests, here.base, mixture)
        return logp, scores(here, mixture, (slopes[0], slopes[1], slopes[2]), by_nest=by_nest)
    with_rows = here.persons.x_fixed.shape[1] > 0
    # Not by a graph around the kernel: it would cost a quarter of an evaluation on few nodes.
    logp, *slopes = integrate(here.panel, here.base, mixture, with_rows)
    return logp, scores(here, mixture, (slopes[0], slopes[1], slopes[2]))


def class_log_integrals(here: Point, grid: Grid) -> tuple[Array]:
    """Of each latent class, ``log P_ic`` (n, C)."""
    own = [log_integrals(of, grid.of_class(c))[0] for c, of in enumerate(here.classes)]
    return (np.stack(own, axis=1),)


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The integrated log-likelihood of a problem on a grid, as a function of the free vector.

    Persons are worked through in small blocks, whose nodes are made as they come: memory is that
    of a few numbers a person, and no number depends on the blocks. With ``keep`` nodes of some
    persons stay for the next evaluation, of all where they are few.
    """

    problem: Problem
    grid: Grid
    keep: bool = True

    @cached_property
    def nodes(self) -> Any:
        """The grid, with nodes that stay."""
        within = self.problem.within
        return self.problem.together(
            [
                keeping(grid, stored_persons(within, grid) if self.keep else 0)
                for grid in self.grid.by_class
            ]
        )

    def release(self) -> None:
        """Drop the nodes that are kept; they are made again when they are asked for."""
        for grid in self.nodes.by_class:
            for kept in grid.halves or (grid,):
                kept.release()

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Weighted log-likelihood in nats, and its gradient (P,); NaN where it does not exist."""
        logp, slopes = self._evaluate(theta)
        weights = self.problem.data.weights
        return float(weighted_sum(weights, logp)), weighted_sum(weights, slopes)

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """``log P_i`` (I,) and its scores (I, P) with respect to the free vector, unweighted."""
        return self._evaluate(theta)

    def _evaluate(self, theta: Array) -> tuple[Array, Array]:
        point = Point(self.problem, theta)
        logp, slopes = joined(over_persons(point, self.nodes, log_integrals))
        return logp, slopes

    def by_class(self, theta: Array) -> Array:
        """``log P_ic`` (I, C) within each latent class."""
        point = Point(self.problem, theta)
        found: Array = joined(over_persons(point, self.nodes, class_log_integrals))[0]
        return found

    def check(self, theta: Array) -> tuple[Array, Array]:
        """Refuse a grid whose integrals are not positive; what it saw is that of `by_person`.

        Raises
        ------
        IntegrationError
            If some person's integral is zero, negative or not a number.
        """
        logp, scores = self.by_person(theta)
        bad = np.flatnonzero(~np.isfinite(logp))
        if len(bad):
            persons = first_few(self.problem.data.persons[bad])
            cause = SIGNED if (self.grid.block(0, 1)[1] < 0).any() else HUGE
            raise IntegrationError(
                f"the integrated probability of the choices of {len(bad)} of {len(logp)} persons "
                f"is not positive on {self.grid} (persons {persons}): {cause}"
            )
        return logp, scores
