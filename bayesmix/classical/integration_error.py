"""Integration error of any grid at any parameters, on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.certify import certify
from bayesmix.arrays import Array
from bayesmix.centring.check_grid import check_grid
from bayesmix.centring.grids import PersonGrid, centre
from bayesmix.classical.error_check import checked_errors
from bayesmix.classical.information import information_at
from bayesmix.data.choices import ChoiceData
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.specification.model import MixedLogit


def integration_error(
    model: MixedLogit,
    data: ChoiceData,
    params: Mapping[str, float] | pd.Series,
    grid: Rule | Centred | PopulationGrid | PersonGrid,
    *,
    rng: Seed = None,
) -> Certificate:
    """How far the log-likelihood on a grid is from exact integration, at given parameters.

    Parameters
    ----------
    model, data
        The model and the data.
    params
        Parameters by flat name, such as ``fit.params``.
    grid
        A rule or a grid as used by a fit.
    rng
        Seed or Generator of all scrambles.

    Returns
    -------
    Certificate
        Shifts of estimates are what an optimiser started there would move by, to first order, in
        standard errors from the outer product of persons' scores. Errors of standard errors are
        those of the curvature and scores there: they are not checked where ``params`` are no
        maximum, however near.

    Raises
    ------
    IntegrationError
        If the grid gives a person an integral that is not positive.
    SpecificationError
        If ``params`` are not those of the model.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("pf + cl", random=[bm.Normal("cl")])
    >>> at = {"mean[cl]": -0.2, "sd[cl]": 0.4, "fixed[pf]": -0.6}
    >>> coarse = bm.integration_error(model, data, at, bm.gauss_hermite(3), rng=1)
    >>> fine = bm.integration_error(model, data, at, bm.gauss_hermite(40), rng=1)
    >>> abs(fine.error) < abs(coarse.error)
    True
    """
    arguments.seed("rng", rng)
    problem, unit = in_effective_persons(bind(model, data))
    theta = problem.parameters.theta(params)
    check_grid(problem, grid)
    generator = np.random.default_rng(rng)
    used = _concrete(problem, theta, grid, generator)
    own = Likelihood(problem, used).check(theta)
    scores = own[1]
    weights = problem.data.weights
    covariance = np.linalg.pinv((scores * weights[:, None]).T @ scores)
    jacobian = problem.parameters.jacobian(theta)
    errors = np.sqrt(np.diag(jacobian @ covariance @ jacobian.T))
    found = certify(problem, theta, used, None, errors, generator, own=own)
    if problem.parameters.n_random:
        information = information_at(Likelihood(problem, used), theta, scores)
        _, off, words = checked_errors(problem, used, theta, information)
        found = replace(found, std_errors=off, std_errors_by=words)
    return found.scaled(unit)


def _concrete(
    problem: Problem,
    theta: Array,
    grid: Rule | Centred | PopulationGrid | PersonGrid,
    rng: np.random.Generator,
) -> Grid:
    if isinstance(grid, Centred):
        return centre(problem, grid, theta, rng)
    if isinstance(grid, Rule):
        return population_grid(grid, problem.parameters.n_random, problem.n_persons, rng)
    return grid
