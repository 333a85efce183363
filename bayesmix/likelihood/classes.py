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
    if have == 1:
        raise SpecificationError(
            "argument 'grid' is centred on persons for a model without latent classes: pass the "
            f"rule, {grid}, in its place"
        )
    raise SpecificationError(
        f"argument 'grid' was made for {have} latent classes, the model has "
        f"{need if need > 1 else 'none'}: pass the rule, {grid}, in its place"
    )


def mean_shares(problem: Problem, theta: Array) -> Array:
    """Class shares (C,), averaged over the persons of the data with their weights."""
    shares = np.exp(Point(problem, theta).log_shares)
    weights = np.ones(1) if len(shares) == 1 else problem.data.weights
    mean: Array = weights @ shares / weights.sum()
    return mean


def over_classes(
    point: Point, logp: Sequence[Array], scores: Sequence[Array]
) -> tuple[Array, Array]:
    """``log P_i`` (n,) and its scores (n, P) of the point's persons, from those of each class.

    The score in the class's own entries is that of the class times ``h_ic``, the probability of the
    class given the choices; in ``gamma_c`` it is ``(h_ic - pi_ic) z_i``.
    """
    if len(point.classes) == 1:
        return logp[0], scores[0]
    space, prior = point.persons.parameters, point.log_shares
    total, posterior = posterior_classes(prior, np.stack(logp, axis=1))
    out = np.zeros((len(total), space.size))
    for c, own in enumerate(scores):
        out[:, space.select[c]] += posterior[:, [c]] * own
    z = point.persons.share_z
    change = (posterior - np.exp(prior))[:, 1:, None] * z[:, None, :]
    out[:, space.n_within :] = change.reshape(len(total), -1)
    return total, out


def posterior_classes(prior: Array, logp: Array) -> tuple[Array, Array]:
    """``log P_i`` (I,) and class probabilities given the choices (I, C).

    From log-shares (I or 1, C) and log-probabilities of the choices in each class (I, C).
    """
    joint = prior + logp
    top = joint.max(axis=1, keepdims=True)
    relative = np.exp(joint - top)
    total = relative.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], relative / total
