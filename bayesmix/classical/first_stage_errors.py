"""Standard errors that carry a first stage: derivatives of scores in its coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.classical.carried import Carried
from bayesmix.classical.covariance import Information
from bayesmix.classical.estimates import Estimates
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Problem

STEP = 1e-4
"""Step of differences: root mean square by which residuals move, in their standard deviations."""


def first_stage_of(fit: Estimates) -> Array | None:
    """The first-stage coefficients (G,) of a fit; None without a control function."""
    residuals = fit.problem.design.residuals
    return None if residuals is None else residuals.first.gamma


def carried[Kind: Estimates](fit: Kind) -> Kind:
    """The fit, whose information knows of its control function's first stage."""
    problem, grid, theta = fit.problem, fit.grid, fit.theta
    if problem.design.residuals is None:
        return fit

    def scores(at: Problem) -> Array:
        return Likelihood(at, grid, keep=False).value_and_gradient(theta)[1]

    found = with_first_stage(fit.information, problem, scores)
    return replace(fit, information=found)


def with_first_stage(
    found: Information, problem: Problem, scores: Callable[[Problem], Array]
) -> Information:
    """The information, with a first stage by which the sum of ``scores`` (P,) moves."""
    residuals = problem.design.residuals
    if residuals is None:
        return found
    slopes = first_stage_slopes(problem, scores)
    if found.constraint is not None:
        slopes = found.constraint.project(slopes.T).T
    own = Carried(slopes, residuals.first.influence)
    if found.groups is not None:
        own = replace(own, groups=shared_clusters(problem, found.groups))
    return replace(found, first=own)


def first_stage_slopes(problem: Problem, scores: Callable[[Problem], Array]) -> Array:
    """Derivatives (P, G) of ``scores`` (P,) in first-stage coefficients.

    By central differences, in directions in which residuals move by as much.
    """
    residuals = problem.design.residuals
    assert residuals is not None
    first = residuals.first
    size = STEP * first.residual.std() * np.sqrt(len(first.price))
    columns = []
    for direction in first.root.T:
        sides = [
            scores(problem.at_first_stage(first.gamma + sign * size * direction))
            for sign in (1.0, -1.0)
        ]
        columns.append((sides[0] - sides[1]) / (2.0 * size))
    found: Array = np.column_stack(columns) @ np.linalg.inv(first.root)
    return found


def shared_clusters(problem: Problem, groups: Indices) -> Indices | None:
    """The persons' cluster in which each cluster of levels is; None where one is in several."""
    residuals = problem.design.residuals
    assert residuals is not None
    row = residuals.first.clusters[residuals.code]
    pairs = np.unique(np.column_stack([row, groups[problem.data.row_person]]), axis=0)
    if len(pairs) != residuals.first.n_clusters:
        return None
    return np.ascontiguousarray(pairs[:, 1])


def without_first_stage[Kind: Estimates](fit: Kind) -> Kind:
    """The fit, whose covariance is as if the residuals were known."""
    return replace(fit, information=replace(fit.information, first=None))
