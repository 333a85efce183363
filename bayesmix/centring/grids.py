"""Person-centred grids: nodes where each person's likelihood is, with a defence where it is weak.

At an anchor theta0 a person's posterior of the standard-normal ``z`` has a mode and a curvature.
The person's nodes come from a mixture: a share from the population density, the rest from normals
at the mode (inflated), and, where asked for, at the moments of a first pass. All are weighted with
the density of the whole mixture (deterministic mixture weights, Owen and Zhou 2000; Veach and
Guibas 1995): ``w_s = phi(z_s) / (S q(z_s))``. The population's share ``a`` bounds the weights by
``1 / (a S)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.centring.anchors import Anchors, divergence, normality
from bayesmix.centring.moments import posterior_moments
from bayesmix.errors import IntegrationError
from bayesmix.integration.descriptions import Centred, DrawRule
from bayesmix.integration.grids import OneGrid, PopulationGrid, Seed, population_grid
from bayesmix.integration.stored_rule import rule_record
from bayesmix.kernels.adaptive_quadrature import moved
from bayesmix.kernels.modes import find_modes
from bayesmix.kernels.person_nodes import place
from bayesmix.likelihood.halves import both
from bayesmix.likelihood.persons import GivenNodes, OfPersons, joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem

LEAST_FIRST_PASS, MOST_FIRST_PASS = 256, 512
"""Nodes a person of the pass that finds moments: as many as the grid's, within these bounds."""

OTHER_HALF = 0x9E3779B97F4A7C15
"""What the key of the second half's scramble differs by from that of the first."""

SECOND_PASS, SECOND_PASS_NODES = 2048, 2048
"""Nodes a person from which on a second pass looks again, with the first one's component and so
many nodes: with 512 nodes the variance of a log-integral falls to a third where four correlated
lognormals make posteriors wide and skewed, and by a tenth elsewhere."""


@dataclass(frozen=True, eq=False)
class PersonGrid(OneGrid):
    """Nodes of every person's own mixture; made by `centre`.

    The grid is fixed in the space of standard normals: coefficients move with theta, nodes and
    weights do not. Nothing is stored but the anchors; nodes are a pure function of them, the key
    and the person.
    """

    rule: Centred
    anchors: Anchors
    base: PopulationGrid

    shared = False

    @cached_property
    def halves(self) -> tuple[PersonGrid, ...]:
        """The two grids whose nodes are this one's, where its rule asks for halves."""
        if not self.rule.halves:
            return ()
        assert isinstance(self.rule.rule, DrawRule)
        draws = replace(self.rule.rule, nodes=self.size // 2)
        rule = replace(self.rule, rule=draws, halves=False)
        bases = (
            replace(self.base, rule=draws, key=key)
            for key in (self.base.key, self.base.key ^ OTHER_HALF)
        )
        return tuple(PersonGrid(rule, self.anchors, base) for base in bases)

    @property
    def size(self) -> int:
        """Nodes a person, S."""
        return self.base.size

    @property
    def dimension(self) -> int:
        return self.base.dimension

    @cached_property
    def counts(self) -> Indices:
        """Nodes of each component (1 + M,), the population's first."""
        parts = self.anchors.centres.shape[1]
        population = round(self.rule.population * self.size)
        if self.rule.population > 0:
            population = max(population, 1)
        each, left = divmod(self.size - population, parts)
        return np.array([population, *(each + (m < left) for m in range(parts))], dtype=np.int64)

    @property
    def record(self) -> dict[str, Any]:
        """What it is made of, for JSON: its rule, key and anchor."""
        key = str(self.base.key)
        return {"rule": rule_record(self.rule), "key": key, "anchor": self.anchors.theta}

    @property
    def modes(self) -> Array:
        """Where each person's own normal is centred, (I, K)."""
        return self.anchors.centres[:, 0]

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        """Nodes (n, K, S) and weights (n, S) of persons start .. stop - 1."""
        if self.halves:
            return both(*(half.block(start, stop) for half in self.halves))
        normals, equal = self.base.block(start, stop, parallel=True)
        roots = self.rule.inflation * self.anchors.roots[start:stop]
        if self.base.shared:
            return moved(normals[0], equal[0], self.anchors.centres[start:stop, 0], roots[:, 0])
        weights = place(
            normals, self.counts, self.anchors.centres[start:stop], roots, np.linalg.inv(roots)
        )
        return normals, weights

    def part(self, start: int, stop: int) -> PersonGrid:
        """The grid of persons start .. stop - 1 alone: their nodes are what they were."""
        return replace(
            self, anchors=self.anchors.part(start, stop), base=self.base.part(start, stop)
        )

    def renewed(self, rng: Seed) -> PersonGrid:
        """The same mixtures with fresh nodes."""
        base = self.base
        return replace(self, base=population_grid(base.rule, base.dimension, base.persons, rng))

    def resized(self, nodes: int) -> PersonGrid:
        """The same mixtures, anchors and key with another number of nodes a person.

        A quadrature stays as it is: it is made of a number of points in each dimension.
        """
        if self.base.shared:
            return self
        # Halves are of as many nodes each.
        draws = replace(self.base.rule, nodes=nodes + nodes % 2 * self.rule.halves)  # type: ignore[call-arg]
        assert isinstance(draws, DrawRule)
        rule = replace(self.rule, rule=draws)
        return replace(self, rule=rule, base=replace(self.base, rule=draws))

    def __str__(self) -> str:
        return str(self.rule)

    def __repr__(self) -> str:
        # Anchors are arrays of a row a person.
        return f"PersonGrid({self.rule}, {self.base.persons} persons, {self.dimension} dimensions)"


def find_anchors(problem: Problem, theta: Array, start: Array | None = None) -> Anchors:
    """Modes and curvatures at ``theta``; Newton starts from ``start`` (I, K), 0 by default."""
    size = problem.parameters.n_random
    origin = GivenNodes(np.zeros((1, size, 1)), np.ones((1, 1)))
    begin = OfPersons(np.zeros((problem.n_persons, size)) if start is None else start)
    blocks = over_persons(Point(problem, theta), origin, _modes, begin)
    modes, roots, lost = joined(blocks)
    if lost.any():
        where = np.flatnonzero(lost)
        names = ", ".join(str(p) for p in problem.data.persons[where[:3]])
        raise IntegrationError(
            f"no mode was found for {len(where)} of {problem.n_persons} persons (persons {names}"
            f"{', ...' if len(where) > 3 else ''}): their utilities overflow at these parameters; "
            "rescale the attributes, or start from other values"
        )
    return Anchors(theta.copy(), modes[:, None], roots[:, None], np.ones(len(modes)))


def _modes(here: Point, origin: GivenNodes, start: Array) -> tuple[Array, Array, Flags]:
    """Modes (n, K), roots (n, K, K) of the inverse curvatures, and where there are none (n,)."""
    mixture = here.mixture(origin.nodes, origin.weights)
    # With nests these are the modes of a logit: the weights make up for where nodes are.
    modes, precisions, _ = find_modes(here.rows, here.base, mixture, np.ascontiguousarray(start))
    lost = ~np.isfinite(precisions).all(axis=(1, 2))
    precisions[lost] = np.eye(precisions.shape[1])
    covariances = np.linalg.inv(precisions)
    roots = np.linalg.cholesky((covariances + covariances.swapaxes(1, 2)) / 2)
    return modes, roots, lost


def centre(
    problem: Problem, rule: Centred, theta: Array, rng: Seed, start: Array | None = None
) -> Any:
    """The person-centred grid of ``rule`` anchored at ``theta``.

    With latent classes a `ClassGrid`: a grid for each class, centred on what a person's choices say
    within it.

    Parameters
    ----------
    problem
        The model bound to data.
    rule
        Such as ``centred(sobol(64))``.
    theta
        Anchor, the free vector (P,).
    rng
        Source of the scrambles.
    start
        Where the search for modes starts (I, K), of several classes (C, I, K), such as the modes at
        a nearby anchor.
    """
    return centred_on(problem, rule, theta, class_draws(problem, rule, rng), start)


def class_draws(problem: Problem, rule: Centred, rng: Seed) -> tuple[PopulationGrid, ...]:
    """Standard-normal draws of each class's persons, of which their nodes are made."""
    generator, size = np.random.default_rng(rng), problem.within.parameters.n_random
    return tuple(
        population_grid(rule.rule, size, problem.n_persons, generator)
        for _ in range(problem.parameters.classes)
    )


def centred_on(
    problem: Problem,
    rule: Centred,
    theta: Array,
    draws: Sequence[PopulationGrid],
    start: Array | None = None,
) -> Any:
    """`centre` on given draws of each class."""
    thetas, within = problem.parameters.class_thetas(theta), problem.within
    shape = (-1, problem.n_persons, within.parameters.n_random)
    starts = [None] * len(thetas) if start is None else start.reshape(shape)
    return problem.together(
        [
            anchored_grid(within, rule, own, base, begin)
            for own, base, begin in zip(thetas, draws, starts, strict=True)
        ]
    )


def anchored_grid(
    problem: Problem,
    rule: Centred,
    theta: Array,
    base: PopulationGrid,
    start: Array | None = None,
) -> PersonGrid:
    """The person-centred grid of ``rule`` at ``theta`` on given standard-normal draws."""
    grid = PersonGrid(rule, find_anchors(problem, theta, start), base)
    return with_moments(problem, grid) if rule.moments else grid


def with_moments(problem: Problem, grid: PersonGrid) -> PersonGrid:
    """The grid with a further component: each person's posterior mean and covariance.

    The moments come from a first pass on other nodes: fitted to the nodes that they are
    used on, they would bias every integral down.
    """
    # Seeded by the grid's own key: rule, anchor and key are all that a grid is made of.
    nodes = min(max(grid.size, LEAST_FIRST_PASS), MOST_FIRST_PASS)
    found = _with_moments_of(problem, grid, grid.resized(nodes).renewed(grid.base.key))
    if grid.size < SECOND_PASS or int(np.diff(problem.data.person_start).max()) == 1:
        return found
    # Where few nodes of the first pass carry a posterior, its moments are theirs: once more.
    key = (grid.base.key + 1) % 2**64
    return _with_moments_of(problem, grid, found.resized(SECOND_PASS_NODES).renewed(key))


def _with_moments_of(problem: Problem, grid: PersonGrid, first: PersonGrid) -> PersonGrid:
    """The grid with moments of posteriors on the nodes of ``first`` as its second component."""
    at = grid.anchors
    modes = OfPersons(at.centres[:, :1]), OfPersons(at.roots[:, :1])
    centres, roots, far = joined(over_persons(Point(problem, at.theta), first, _component, *modes))
    return replace(grid, anchors=Anchors(at.theta, centres, roots, normality(far)))


def _component(
    here: Point, first: PersonGrid, centres: Array, modes: Array
) -> tuple[Array, Array, Array]:
    """Centres (n, 2, K) and roots (n, 2, K, K) of a block with a further component.

    Besides their `divergence` (n,).
    """
    means, covariances = moments_of_block(here, first)
    # A weight that has collapsed on one node says nothing of the spread: keep a part of the mode's.
    floor = 0.1 * np.einsum("imkl,imjl->ikj", modes, modes)
    own = np.linalg.cholesky(covariances + floor)
    centres = np.concatenate([centres, means[:, None]], axis=1)
    roots = np.concatenate([modes, own[:, None]], axis=1)
    return centres, roots, divergence(centres, roots)


def moments_of_block(here: Point, grid: PersonGrid) -> tuple[Array, Array]:
    """Posterior means (n, K) and covariances (n, K, K) of z of a block's persons, on the grid."""
    return posterior_moments(here, *grid.block(0, here.persons.n_persons))
