"""The grid of what has no integral."""

from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import gauss_hermite
from bayesmix.likelihood.problem import Problem


def points_grid(problem: Problem) -> PopulationGrid:
    """One node of no dimension: of classes that are points there is nothing to integrate."""
    return population_grid(gauss_hermite(1), 0, problem.n_persons)
