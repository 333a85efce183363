"""The sampler's grid: where it is anchored, how many nodes, and what its nodes leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.correction import Correction
from bayesmix.bayes.paths import FIRST_NODES
from bayesmix.bayes.posterior_accuracy import ERROR_SD
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.whitened import Whitening, correct, posterior_mode
from bayesmix.centring.check_grid import check_grid
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.multinomial import Multinomial, starting_values
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.climb import climb

GridChoice = Rule | Centred | PopulationGrid | PersonGrid | str

SEARCH_NODES = 64
MOST_NODES = 1024
FINE_NODES = 2048
"""Nodes a person of the grid that finds the mode and corrects the sampler's own."""
FINE_BYTES = 2 * 2**30
"""Memory that this grid may take; it is made smaller for very many persons."""


@dataclass(frozen=True, eq=False)
class Stand:
    """Where the sampler stands.

    Parameters
    ----------
    grid
        Its nodes.
    whitening
        Its coordinates.
    correction
        Of the nodes' integration error; None for a grid that is used as it was given.
    """

    grid: Grid
    whitening: Whitening
    correction: Correction | None = None

    @property
    def is_largest(self) -> bool:
        """Whether there are as many nodes a person as are ever taken unasked."""
        return self.grid.size >= MOST_NODES

    def corrections(self, thetas: Array) -> Array:
        """The correction (D,) at free vectors (D, P), nats."""
        if self.correction is None:
            return np.zeros(len(thetas))
        return self.correction.values(self.whitening.coordinates(thetas))


def first_stand(
    problem: Problem,
    grid: GridChoice,
    logit: Multinomial,
    priors: Mapping[str, PriorLike] | None,
    rng: np.random.Generator,
) -> Stand:
    """The grid as asked for; a person-centred rule is anchored at the posterior mode."""
    if not problem.model.random:
        points = points_grid(problem)
        start = problem.canonical(starting_values(problem, logit))
        return Stand(points, posterior_mode(problem, points, start, priors))
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
        grid = centred(sobol(FIRST_NODES), moments=True)
    check_grid(problem, grid)
    space, start = problem.parameters, problem.canonical(starting_values(problem, logit))
    if isinstance(grid, Centred):
        optimum, _ = climb(problem, centred(sobol(SEARCH_NODES)), start, rng)
        return stand_at(problem, grid, problem.canonical(optimum.theta), priors, rng)
    if isinstance(grid, Rule):
        grid = population_grid(grid, space.n_random, problem.n_persons, rng)
    if isinstance(grid, PersonGrid):
        start = problem.canonical(grid.anchors.theta)
    return Stand(grid, posterior_mode(problem, grid, start, priors))


def fine_nodes(problem: Problem) -> int:
    """Nodes a person of a grid that others are measured by."""
    space = problem.parameters
    node_bytes = 8 * problem.n_persons * (space.n_random + 1) * space.classes
    return max(1, min(FINE_NODES, FINE_BYTES // node_bytes))


def stand_at(
    problem: Problem,
    rule: Centred,
    theta: Array,
    priors: Mapping[str, PriorLike] | None,
    rng: np.random.Generator,
) -> Stand:
    """Nodes anchored at the posterior mode near ``theta`` (P,), corrected by many more."""
    size = rule.rule.size(problem.parameters.n_random)
    nodes = max(size, fine_nodes(problem))
    fine = centred(sobol(nodes), moments=True)
    here = posterior_mode(problem, _centred(problem, fine, theta, rng), theta, priors)
    many = _centred(problem, fine, here.theta, rng)
    here = posterior_mode(problem, many, here.theta, priors)
    few = _centred(problem, rule, here.theta, rng)
    # A quadratic says nothing of errors where the posterior is far from normal, as with poles.
    if size >= nodes or here.within.warped:
        return Stand(few, here)
    return Stand(few, here, correct(problem, (few, many), here, priors, rng))


def _centred(problem: Problem, rule: Centred, theta: Array, rng: np.random.Generator) -> Grid:
    """Nodes anchored at a vector, first-stage coefficients its last entries."""
    moved, own = problem.split(theta)
    return centre(moved, rule, own, rng)


def larger_rule(nodes: int, error: float) -> Centred:
    """Nodes a person that should bring the error's sd over the posterior to half its bound."""
    needed = nodes * max(2.0, (2.0 * error / ERROR_SD) ** 1.25)
    return centred(sobol(min(64 * int(np.ceil(needed / 64)), MOST_NODES)), moments=True)
