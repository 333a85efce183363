"""Integration error of standard errors: the same curvature and scores on another integration.

Estimates may be exact to many digits while standard errors are not: where utilities are steep in
the coefficients, second derivatives of a sum over nodes have spikes between them, which cancel in
the sum itself and in its gradient. So they are taken once more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.classical.covariance import Information, natural_covariance
from bayesmix.classical.curvature_noise import added_noise, noisy_curvatures
from bayesmix.classical.information import SCORE_NODES, information_at, made_of_draws
from bayesmix.integration.descriptions import Interleaved, Product, Trapezoid
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import centred, gauss_hermite, sobol
from bayesmix.likelihood.classes import ClassGrid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.anchored_scores import anchored_scores
from bayesmix.specification.layout import Layout

LEAST_POINTS = {1: 128, 2: 32, 3: 16}
"""Points a dimension of the reference where the grid has fewer, or none: by dimension."""
CENTRED_POINTS = {1: 31, 2: 15, 3: 9}
"""The same for panels, whose reference is centred on persons."""
MORE = 1.4
"""Points of a centred reference over those of a centred quadrature."""
SCRAMBLED = "between independent scramblings"
FINER, ENOUGH = (1, 4, 16), 0.02
"""Times as many nodes of two scramblings, while their standard errors are not that near."""
MOST_DRAWS = 2**21
"""Persons times nodes of these."""
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
        one, other = (_printed(space, theta, i, i.covariance(kind)) for i in (found, reference))
        if found.held is not None:
            other[found.held] = np.nan
        columns[kind] = one / other - 1.0
    return pd.DataFrame(columns, index=pd.Index(space.names, name="parameter"))


def _printed(space: Layout, theta: Array, found: Information, covariance: Array) -> Array:
    """Standard errors (P,) of printed parameters from a covariance (P, P) of the free vector.

    NaN where a variance is not positive, or there is no normal limit.
    """
    whole = natural_covariance(space, theta, covariance, found.silent, found.constraint)
    with np.errstate(invalid="ignore"):
        errors: Array = np.sqrt(np.diag(whole))
    return errors


def _scrambled_errors(
    space: Layout, theta: Array, found: Information, noisy: Array, product: Array
) -> pd.DataFrame:
    """Sizes of `relative_errors` of what is the mean of independent scramblings.

    Scores of one scrambling have variances that are too large, by those of their noise; products
    of the scores of two have none of it.

    Parameters
    ----------
    space, theta, found
        The layout, the free vector (P,), and the mean.
    noisy
        The mean curvature with independent parts of its noise alone (G, P, P).
    product
        Sum (P, P) over persons of the products of their weighted scores from two scramblings.
    """
    bread = found.covariance("hessian")
    errors, unbiased = (
        _printed(space, theta, found, bread @ meat @ bread)
        for meat in (found.meat, (product + product.T) / 2)
    )
    each = [
        _printed(space, theta, found, replace(found, hessian=own).covariance("hessian"))
        for own in noisy
    ]
    mean = _printed(space, theta, found, bread)
    held = np.zeros(len(errors), bool) if found.held is None else found.held
    with np.errstate(invalid="ignore", divide="ignore"):
        by_scores = np.where(held, np.nan, errors / unbiased - 1.0)
        by_curvature = np.where(held, np.nan, added_noise(np.stack(each), mean))
    robust = np.copysign(np.hypot(by_scores, 2.0 * by_curvature), by_scores)
    index = pd.Index(space.names, name="parameter")
    return pd.DataFrame({"robust": robust, "hessian": by_curvature}, index=index)


def root_errors(
    problem: Problem, grid: PersonGrid, found: Information, curvatures: Array
) -> pd.DataFrame:
    """`relative_errors` at a root of posteriors' scores, with its ``curvatures`` (2, G, P, P).

    Scores are those of two more scramblings.
    """
    few = grid.resized(min(grid.size, SCORE_NODES))
    weights = problem.data.weights
    one, other = (
        weights[:, None] * anchored_scores(problem, few.renewed(seed))[1] for seed in (1, 2)
    )
    product, noisy = one.T @ other, noisy_curvatures(curvatures)
    return _scrambled_errors(problem.parameters, grid.anchors.theta, found, noisy, product)


def checked_errors(
    problem: Problem, grid: Grid, theta: Array, found: Information
) -> tuple[Information, pd.DataFrame | None, str]:
    """Errors of standard errors on ``grid``, by how they are known in words, and what they are of.

    Of draws centred on persons these are the means of two scramblings, with more nodes while those
    do not agree; of others what was ``found``, against a quadrature or draws centred on persons.
    None where the curvature is noise.
    """
    if found.words:
        return found, None, ""
    space = problem.parameters
    finer, words = finer_grid(problem, grid, theta)
    if finer is None and made_of_draws(grid):
        return _two_scramblings(problem, grid, theta, found)
    if finer is None:
        rule = centred(sobol(SCORE_NODES), moments=True)
        finer, words = centre(problem, rule, theta, 0), f"against {rule}"
    reference = information_at(Likelihood(problem, finer), theta)
    if reference.words:
        return found, None, ""
    return found, relative_errors(space, theta, found, reference), words


def _two_scramblings(
    problem: Problem, grid: PersonGrid | ClassGrid, theta: Array, found: Information
) -> tuple[Information, pd.DataFrame | None, str]:
    """`checked_errors` of draws centred on persons."""
    off = None
    weights = problem.data.weights[:, None]
    for more in FINER:
        if more > 1 and problem.n_persons * SCORE_NODES * more > MOST_DRAWS:
            break
        one = found if more == 1 else information_at(Likelihood(problem, grid), theta, finer=more)
        again = Likelihood(problem, grid.renewed(0))
        other = information_at(again, theta, finer=more)
        if one.words or other.words:
            break
        product = (weights * one.scores).T @ (weights * other.scores)
        mean = replace(
            found,
            hessian=(one.hessian + other.hessian) / 2,
            scores=(one.scores + other.scores) / 2,
        )
        pair = np.stack([one.hessian, other.hessian])[:, None]
        noisy = noisy_curvatures(pair)
        found, off = mean, _scrambled_errors(problem.parameters, theta, mean, noisy, product)
        if np.nanmax(off.abs().to_numpy(), initial=0.0) < ENOUGH:
            break
    return found, off, SCRAMBLED


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
