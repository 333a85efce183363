"""Refusal of what is no grid of a problem."""

from __future__ import annotations

from typing import Any

from bayesmix.centring.grids import PersonGrid
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid
from bayesmix.likelihood.classes import ClassGrid
from bayesmix.likelihood.problem import Problem


def check_grid(problem: Problem, grid: Any) -> None:
    """Refuse what is no grid, and a grid made for other counts: kernels do not check bounds.

    Raises
    ------
    SpecificationError
        If ``grid`` is neither a rule nor a grid, or has other numbers of persons or coefficients.
    """
    if isinstance(grid, Rule | Centred):
        return
    if not isinstance(grid, PopulationGrid | PersonGrid | ClassGrid):
        raise SpecificationError(
            "argument 'grid' must be a rule, such as centred(sobol(64)), or the grid of a fit, "
            f"got {grid!r}"
        )
    own = grid.of_class(0)
    if isinstance(own, PersonGrid):
        _check_number(problem, grid)
    base = own.base if isinstance(own, PersonGrid) else own
    have, need = (base.persons, base.dimension), (problem.n_persons, problem.parameters.n_random)
    if have != need:
        raise SpecificationError(
            f"argument 'grid' was made for {have[0]} persons and {have[1]} random coefficients, "
            f"data and model have {need[0]} and {need[1]}: pass the rule, {grid}, in its place"
        )


def _check_number(problem: Problem, grid: Any) -> None:
    """Refuse grids that are centred on persons for another number of classes than the model has."""
    have, need = len(grid.by_class), problem.parameters.classes
    if have != need:
        raise SpecificationError(
            f"argument 'grid' is centred on persons in {have} class{'' if have == 1 else 'es'}, "
            f"and the model has {need}: pass the rule, {grid}, in its place"
        )
