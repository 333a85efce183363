"""Latent classes: their grids, and from the likelihoods within classes to that of a person.

``P_i = sum_c pi_ic P_i(theta_c)``, ``pi_ic = exp(gamma_c'z_i) / sum_d exp(gamma_d'z_i)``. Every
class is an ordinary problem, ``problem.within``, at a selection ``theta_c`` of the free vector, and
has nodes where a person's choices put them in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import gauss_hermite
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem


@dataclass(frozen=True, eq=False)
class ClassGrid:
    """A person-centred grid for each of C latent classes; made by `bayesmix.centring.grids.centre`.

    A person's choices say different things of tastes in each class, and the integral of every class
    has nodes where its own integrand is.
    """

    parts: tuple[Any, ...]  # of `PersonGrid`, which stands above

    shared = False

    @property
    def rule(self) -> Any:
        return self.parts[0].rule

    @property
    def size(self) -> int:
        """Nodes a person and class, S."""
        return int(self.parts[0].size)

    @property
    def dimension(self) -> int:
        return int(self.parts[0].dimension)

    @property
    def modes(self) -> Array:
        """Where the grids are centred, (C, I, K)."""
        return np.stack([part.modes for part in self.parts])

    @property
    def halves(self) -> tuple[ClassGrid, ...]:
        """The grids of the first halves of all classes' nodes, and of the second, if they have."""
        return tuple(map(ClassGrid, zip(*(part.halves for part in self.parts), strict=True)))

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        """Nodes (n, C, K, S) and weights (n, C, S) of persons start .. stop - 1."""
        nodes, weights = zip(*(part.block(start, stop) for part in self.parts), strict=True)
        return np.stack(nodes, axis=1), np.stack(weights, axis=1)

    def part(self, start: int, stop: int) -> ClassGrid:
        """The grid of persons start .. stop - 1 alone."""
        return ClassGrid(tuple(part.part(start, stop) for part in self.parts))

    def renewed(self, rng: Seed) -> ClassGrid:
        """The same centres with fresh nodes."""
        generator = np.random.default_rng(rng)
        return ClassGrid(tuple(part.renewed(generator) for part in self.parts))

    def resized(self, nodes: int) -> ClassGrid:
        """The same centres and keys with another number of nodes a person and class."""
        return ClassGrid(tuple(part.resized(nodes) for part in self.parts))

    def __str__(self) -> str:
        return str(self.rule)


def points_grid(problem: Problem) -> PopulationGrid:
    """One node of no dimension: of classes that are points there is nothing to integrate."""
    return population_grid(gauss_hermite(1), 0, problem.n_persons)


def class_grid(grid: Any, c: int) -> Any:
    """The grid of class c; a grid of the population serves all of them."""
    return grid.parts[c] if isinstance(grid, ClassGrid) else grid


def of_classes(grids: Sequence[Any]) -> Any:
    """The grids of C >= 1 classes as one."""
    return grids[0] if len(grids) == 1 else ClassGrid(tuple(grids))


def each_grid(grid: Any) -> Sequence[Any]:
    """The grids of the classes, or the one that serves all of them."""
    return grid.parts if isinstance(grid, ClassGrid) else (grid,)


def permuted(grid: Any, order: Sequence[int]) -> Any:
    """The grid of the same classes, renumbered: class c is what was ``order[c]``."""
    return of_classes([class_grid(grid, c) for c in order]) if len(each_grid(grid)) > 1 else grid


def check_classes(problem: Problem, grid: Any) -> None:
    """Refuse grids that are centred on persons for another number of classes.

    Raises
    ------
    SpecificationError
        If there are not as many as the model has classes.
    """
    have, need = len(each_grid(grid)), problem.parameters.classes
    if have == need or isinstance(grid, PopulationGrid):
        return
    raise SpecificationError(
        f"argument 'grid' is centred on persons in {have} class{'es' * (have > 1)}, and the model "
        f"has {need}: pass the rule, {grid}, in its place"
    )


def mean_shares(problem: Problem, theta: Array) -> Array:
    """Class shares (C,), averaged over the persons of the data with their weights."""
    shares = np.exp(Point(problem, theta).log_shares)
    weights = np.ones(1) if len(shares) == 1 else problem.data.weights
    mean: Array = weights @ shares / weights.sum()
    return mean
