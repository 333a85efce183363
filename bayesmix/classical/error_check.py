"""Integration error of standard errors: the same curvature and scores on another integration.

Estimates may be exact to many digits while standard errors are not: where utilities are steep in
the coefficients, second derivatives of a sum over nodes have spikes between them, which cancel in
the sum itself and in its gradient. So they are taken once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.classical.covariance import Information, natural_covariance
from bayesmix.integration.descriptions import Interleaved, Product, Trapezoid
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import centred, gauss_hermite
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.specification.parameters import ParameterSpace

LEAST_POINTS = {1: 128, 2: 32, 3: 16}
"""Points a dimension of the reference where the grid has fewer, or none: by dimension."""
CENTRED_POINTS = {1: 31, 2: 15, 3: 9}
"""The same for panels, whose reference is centred on persons."""
MORE = 1.4
"""Points of a centred reference over those of a centred quadrature."""
MOST_WORK = 2e7
"""Persons times nodes of a reference: two evaluations a parameter are on it."""


def relative_errors(
    space: ParameterSpace, theta: Array, found: Information, reference: Information
) -> pd.DataFrame:
    """Standard errors of ``found`` over those of ``reference``, less 1, of printed parameters.

    NaN where either has none.
    """
    columns = {}
    for kind in ("robust", "hessian"):
        one, other = (
            np.sqrt(
                np.diag(
                    natural_covariance(space, theta, i.covariance(kind), i.silent, i.constraint)
                )
            )
            for i in (found, reference)
        )
        if found.held is not None:
            other[found.held] = np.nan
        columns[kind] = one / other - 1.0
    return pd.DataFrame(columns, index=pd.Index(space.names, name="parameter"))


def finer_grid(problem: Problem, grid: Any, theta: Array) -> tuple[Grid | None, str]:
    """A quadrature that tells the error of standard errors on ``grid``, and what to say of it.

    None where there is none: with more than three random coefficients, for draws on panels, and
    where coefficients are censored, whose kinks on shared nodes are errors of their own.
    """
    size = problem.parameters.n_random
    if size not in LEAST_POINTS or problem.kinked:
        return None, ""
    rule, points = grid.rule, LEAST_POINTS[size]
    spaced = isinstance(rule, Trapezoid)
    single = int(np.diff(problem.data.person_start).max()) == 1
    if spaced or (single and size < 3):
        finer = Interleaved(max(points, rule.per_dimension) if spaced else points)
        if problem.n_persons * finer.size(size) > MOST_WORK:
            return None, ""
        reference = population_grid(finer, size, problem.n_persons)
        return reference, f"against {reference.size} nodes, {finer}"
    points = CENTRED_POINTS[size]
    if isinstance(grid, PersonGrid):
        own = grid.rule.rule
        if not isinstance(own, Product):
            return None, ""
        points = max(points, int(np.ceil(MORE * own.per_dimension)))
    elif not isinstance(grid, PopulationGrid) or not grid.shared:
        return None, ""
    points = min(points, 64)
    if problem.n_persons * points**size > MOST_WORK:
        return None, ""
    finer_rule = centred(gauss_hermite(points))
    return centre(problem, finer_rule, theta, 0), f"against {finer_rule}"
