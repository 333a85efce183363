"""Persons are worked through in blocks here, and nowhere else.

What is computed of persons, whatever it is, is a work on a block of them: their rows, the nodes
that are made for them, and what else belongs to them. A block is cut so that its nodes are few; no
number of a person depends on the cuts, and results come in the order of persons, so that sums are
the same whatever does the work, and in however many threads. Kernels share a block's persons among
threads. A work and what it reads can be pickled, and hold nothing of other persons: something else
than `in_turn` may hand them to the workers of a cluster (`done_elsewhere`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from bayesmix.arrays import Array
from bayesmix.integration.grids import OneGrid
from bayesmix.likelihood.block import Block
from bayesmix.likelihood.point import Persons, Point
from bayesmix.likelihood.problem import Grid

CHUNK_BYTES = 2**30
"""Memory of the nodes of one chunk, of what looks at all nodes of many persons."""
BLOCK_BYTES, BLOCK_PERSONS = 2**22, 2**14
"""Memory of the nodes of one block of persons: few enough to stay in a processor's cache."""
STORED_BYTES, STORED_PERSON, MOST_STORED = 2**26, 6 * 2**10, 2**28
"""Memory of nodes, in all or a person, that are kept between evaluations of a likelihood, and the
most of it: nodes of further persons are made anew, block by block, which takes about as long as an
evaluation."""
GROWTH = 8
"""Arrays of all persons grow by one part in so many as results of blocks come."""


class Divisible(Protocol):
    """What is known of every person: a point, a grid, sets of alternatives, values of rows."""

    def part(self, start: int, stop: int) -> Any:
        """That of persons start .. stop - 1 alone."""


@dataclass(frozen=True, eq=False)
class GivenNodes(OneGrid):
    """Nodes (n, K, S) and weights (n, S) as a grid; a first size of 1 is everybody's."""

    nodes: Array
    weights: Array

    halves = ()

    @property
    def size(self) -> int:
        return int(self.nodes.shape[-1])

    @property
    def shared(self) -> bool:
        return len(self.nodes) == 1

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        if self.shared:
            return self.nodes, self.weights
        return self.nodes[start:stop], self.weights[start:stop]

    def part(self, start: int, stop: int) -> GivenNodes:
        return GivenNodes(*self.block(start, stop))


@dataclass(frozen=True, eq=False)
class OfRows:
    """Values (R, ...) of the rows of persons."""

    persons: Block
    values: Array

    def part(self, start: int, stop: int) -> Array:
        """Values of the rows of persons start .. stop - 1."""
        return self.values[self.persons.rows(start, stop)]


@dataclass(frozen=True, eq=False)
class OfPersons:
    """Values (n, ...) of persons."""

    values: Array

    def part(self, start: int, stop: int) -> Array:
        """Values of persons start .. stop - 1."""
        return self.values[start:stop]


def over_persons[T](
    point: Point,
    grid: Any,
    work: Callable[..., T],
    *beside: Divisible,
    step: int | None = None,
) -> Iterator[T]:
    """``work(point, grid, *beside)`` of each block of persons, in their order.

    Parameters
    ----------
    point
        The model bound to data, at theta.
    grid
        Nodes, or whatever makes them; what work sees of it makes those of the block's persons.
    work
        A function that can be pickled, of the block's parts of point, grid and ``beside``.
    *beside
        What else belongs to persons.
    step
        Persons of a block; by default, as many as `block_size` says.
    """
    step = block_size(point.problem, grid) if step is None else step
    things = (point, grid, *beside)
    cuts = ranges(0, point.persons.n_persons, step)
    elsewhere = _ELSEWHERE.get()
    if elsewhere is not None:
        return elsewhere.over(work, things, cuts)
    return _in_turn_and_released(
        point.persons,
        in_turn(
            partial(work, *(thing.part(start, stop) for thing in things)) for start, stop in cuts
        ),
        cuts,
    )


def _in_turn_and_released[T](
    persons: Block, results: Iterator[T], cuts: Sequence[tuple[int, int]]
) -> Iterator[T]:
    """Results of blocks; memory of their rows, where these are in files, is given back."""
    for result, (start, stop) in zip(results, cuts, strict=True):
        yield result
        persons.release(start, stop)


class Elsewhere(Protocol):
    """Who does works on blocks of persons in place of this process."""

    def over(
        self,
        work: Callable[..., Any],
        things: Sequence[Divisible],
        cuts: Sequence[tuple[int, int]],
    ) -> Iterator[Any]:
        """``work`` of the parts of things at each of the cuts, in their order."""


_ELSEWHERE: ContextVar[Elsewhere | None] = ContextVar("elsewhere", default=None)


@contextmanager
def done_elsewhere(who: Elsewhere) -> Generator[None]:
    """Have works on blocks of persons done by others: what comes back is the same to the bit."""
    token = _ELSEWHERE.set(who)
    try:
        yield
    finally:
        _ELSEWHERE.reset(token)


def in_turn[T](tasks: Iterable[Callable[[], T]]) -> Iterator[T]:
    """Results of tasks, one after the other, in their order."""
    for task in tasks:
        yield task()


def joined(results: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Arrays of all blocks, one after the other."""
    blocks = iter(results)
    first = next(blocks)
    growing: list[_Growing] = []
    for block in blocks:
        if not growing:
            growing = [_Growing(own) for own in first]
        for own, more in zip(growing, block, strict=True):
            own.add(more)
    return tuple(own.whole() for own in growing) if growing else first


class _Growing:
    """An array that others are put behind: all of them are never there twice."""

    def __init__(self, first: Array) -> None:
        self._values, self._size = np.array(first), len(first)

    def add(self, more: Array) -> None:
        """Put an array behind the others."""
        size = self._size + len(more)
        if size > len(self._values):
            self._resize(size + size // GROWTH)
        self._values[self._size : size] = more
        self._size = size

    def whole(self) -> Array:
        """All of them."""
        self._resize(self._size)
        return self._values

    def _resize(self, size: int) -> None:
        # Large arrays move their pages, and are not copied.
        self._values.resize((size, *self._values.shape[1:]), refcheck=False)


def block_size(persons: Persons, grid: Grid) -> int:
    """Persons whose nodes fit into `BLOCK_BYTES`."""
    step = BLOCK_PERSONS if grid.shared else BLOCK_BYTES // person_bytes(persons, grid)
    return min(step, BLOCK_PERSONS)


def chunk_size(persons: Persons, grid: Grid) -> int:
    """Persons whose nodes fit into `CHUNK_BYTES`."""
    if grid.shared:
        return persons.whole.n_persons
    return CHUNK_BYTES // person_bytes(persons, grid)


def stored_persons(persons: Persons, grid: Grid) -> int:
    """Number of persons whose nodes are kept between evaluations: the first."""
    total = max(STORED_BYTES, min(STORED_PERSON * persons.whole.n_persons, MOST_STORED))
    return 0 if grid.shared else total // person_bytes(persons, grid)


def person_bytes(persons: Persons, grid: Grid) -> int:
    """Memory of the nodes and weights of one person."""
    space = persons.whole.parameters
    return int(8 * grid.size * (space.n_random + 1) * space.classes)


def ranges(start: int, stop: int, step: int) -> list[tuple[int, int]]:
    """Consecutive ranges of ``step`` (1 at least) from ``start`` to ``stop``.

    Examples
    --------
    >>> ranges(0, 5, 2)
    [(0, 2), (2, 4), (4, 5)]
    """
    step = max(1, step)
    return [(a, min(a + step, stop)) for a in range(start, stop, step)]
