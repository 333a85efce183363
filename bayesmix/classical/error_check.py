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
from bayesmix.classical.information import SCORE_NODES, curvature_errors
from bayesmix.integration.descriptions import Interleaved, Product, Trapezoid
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import centred, gauss_hermite
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.anchored_scores import anchored_scores
from bayesmix.specification.layout import Layout

LEAST_POINTS = {1: 128, 2: 32, 3: 16}
"""Points a dimension of the reference where the grid has fewer, or none: by dimension."""
CENTRED_POINTS = {1: 31, 2: 15, 3: 9}
"""The same for panels, whose reference is centred on persons."""
MORE = 1.4
"""Points of a centred reference over those of a centred quadrature."""
MOST_WORK = 2e7
"""Persons times nodes of a reference: two evaluations a parameter are on it."""


def relative_errors(
    space: Layout, theta: Array, found: Information, reference: Information
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


def root_errors(
    problem: Problem, grid: PersonGrid, found: Information, curvatures: Array
) -> pd.DataFrame:
    """`relative_errors` at a root of posteriors' scores, whose ``curvatures`` (2, P, P) are known.

    Scores of one scrambling have variances that are too large, by those of their noise; products
    of the scores of two have none of it.
    """
    space, theta = problem.parameters, grid.anchors.theta
    jacobian, weights = space.jacobian(theta), problem.data.weights
    few = grid.resized(min(grid.size, SCORE_NODES))
    one, other = (
        weights[:, None] * anchored_scores(problem, few.renewed(seed))[1] for seed in (1, 2)
    )
    bread, product = jacobian @ np.linalg.pinv(found.hessian), one.T @ other
    with np.errstate(invalid="ignore"):
        errors, unbiased = (
            np.sqrt(np.diag(bread @ meat @ bread.T))
            for meat in (found.meat, (product + product.T) / 2)
        )
        by_scores = errors / unbiased - 1.0
    by_curvature = curvature_errors(jacobian, curvatures, found.held)
    robust = np.copysign(np.hypot(by_scores, 2.0 * by_curvature), by_scores)
    index = pd.Index(space.names, name="parameter")
    return pd.DataFrame({"robust": robust, "hessian": by_curvature}, index=index)


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
