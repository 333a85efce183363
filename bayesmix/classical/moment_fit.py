"""From the least criterion of simulated moments to a `Fit`: standard errors, tests, what to say."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.classical.against_likelihood import Likeliest, apart_words, weak_words
from bayesmix.classical.carried import Carried
from bayesmix.classical.covariance import Information
from bayesmix.classical.first_stage_errors import first_stage_slopes, with_first_stage
from bayesmix.classical.fit import Fit
from bayesmix.classical.gmm import (
    Criterion,
    Overidentification,
    SituationMoments,
    overidentified,
)
from bayesmix.classical.instruments import beside, independent_grid, optimal_instruments
from bayesmix.classical.message import message_of
from bayesmix.classical.search import Search
from bayesmix.classical.sequence_moments import Sequences
from bayesmix.classical.simulation_error import SimulationError, simulation_error
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import ConvergenceError
from bayesmix.integration.descriptions import DrawRule
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.leave_boundary import at_boundary
from bayesmix.optimise.maximise import Optimum, curvature

ROOT = 1e-6
"""The criterion at a root of as many moments as parameters, at most: 0, but for rounding."""


@dataclass(frozen=True, eq=False)
class Solution:
    """Where the moments' criterion is least.

    Parameters
    ----------
    criterion, optimum
        Of what, and where.
    instruments_at
        The free vector (P,) at which the instruments are optimal; None for those of attributes.
    further
        Instruments (R, M) beside the optimal ones; None where there are none.
    """

    criterion: Criterion
    optimum: Optimum
    instruments_at: Array | None = None
    further: Array | None = None

    @property
    def theta(self) -> Array:
        return self.optimum.theta

    def rootless(self, problem: Problem) -> bool:
        """Whether the search did not arrive, or as many moments as parameters are not 0."""
        if not self.optimum.converged:
            return True
        exact = self.criterion.root.shape[1] == problem.free_size
        above = -2.0 * self.optimum.value > ROOT
        return exact and above and not at_boundary(problem, self.theta)


def overidentification_of(first: Solution, problem: Problem) -> Overidentification:
    """The test that moments beyond the number of parameters are 0 too."""
    moments, parameters = first.criterion.root.shape[1], problem.free_size
    if moments > parameters and problem.design.residuals is not None:
        return _with_sampled_residuals(first, problem)
    statistic = -2.0 * first.optimum.value if moments > parameters else 0.0
    return Overidentification(statistic, moments - parameters)


def _with_sampled_residuals(first: Solution, problem: Problem) -> Overidentification:
    """Hansen's J with the covariance that moments have where residuals are a first stage's.

    ``I + A V A'`` of whitened moments, which move by ``A`` with first-stage coefficients of
    covariance ``V``: residuals that were known would have the identity alone.
    """
    residuals, theta = problem.design.residuals, problem.canonical(first.theta)
    assert residuals is not None
    values, slopes = first.criterion.parts(theta)

    def moved(at: Problem) -> Array:
        moments = replace(first.criterion.moments, problem=at)
        return replace(first.criterion, moments=moments).parts(theta)[0]

    known = np.eye(len(values))
    own = Carried(first_stage_slopes(problem, moved), residuals.first.influence)
    spread = own.meat(known)[: len(known), : len(known)]
    return overidentified(values, slopes @ _directions(problem), spread)


def _directions(problem: Problem) -> Array:
    """Directions (P, Q) that constraints leave free."""
    return np.eye(problem.parameters.size) if problem.directions is None else problem.directions


def assemble_moments(
    search: Search,
    solution: Solution,
    test: Overidentification,
    notes: tuple[str, Likeliest | None],
) -> Fit:
    """The fit at ``solution``; ``notes`` are one on starts, and the likelihood's estimates."""
    problem, optimum = search.problem, solution.optimum
    space, criterion = problem.parameters, solution.criterion
    theta, grid = problem.canonical(optimum.theta), criterion.moments.grid
    found = _information(problem, criterion, theta)
    _check(problem, solution)
    likelihood = Likelihood(problem, grid)
    likelihood.check(theta)
    value = float(weighted_sum(problem.data.weights, likelihood.by_person(theta)[0]))
    words = (
        message_of(optimum, found, problem, theta),
        weak_words(problem, found, theta) if problem.model.random else "",
        apart_words(problem, found, theta, notes[1]),
        notes[0],
    )
    return Fit(
        estimator="MSM",
        model=problem.model,
        space=space,
        theta=theta,
        loglik=value,
        loglik_multinomial=search.logit.loglik,
        information=found,
        grid=grid,
        integration=_simulation(search, solution, found) if problem.model.random else None,
        optima=pd.DataFrame(
            {
                "loglik": [value],
                "evaluations": [optimum.evaluations],
                "converged": [optimum.converged],
                "grid": [str(grid)],
            },
            index=pd.Index([1], name="start"),
        ),
        converged=optimum.converged,
        message=". ".join(w for w in words if w),
        n_persons=problem.n_persons,
        n_situations=problem.data.n_situations,
        seconds=time.perf_counter() - search.begun,
        fingerprint=fingerprint(problem.data),
        problem=problem,
        overidentification=test,
    )


def _check(problem: Problem, solution: Solution) -> None:
    """Refuse a search that has not arrived, or as many moments as parameters without a root."""
    optimum = solution.optimum
    if not solution.rootless(problem):
        return
    rootless = optimum.converged
    what = "the optimiser stopped before the slope was small"
    if rootless:
        what = f"no parameters make the moments 0 (the criterion is {-2.0 * optimum.value:.2g})"
    raise ConvergenceError(
        f"{what} ({optimum.decrement:.2g} standard errors; {optimum.message}): give more nodes, "
        "more starts, or a model with fewer standard deviations; one situation at a time may say "
        "too little of them"
    )


def _information(problem: Problem, criterion: Criterion, theta: Array) -> Information:
    """``D'WD``, and what each person's moments say of theta, ``-D'W g_i``, in place of scores."""
    values, slopes = criterion.moments.by_person(theta)
    part = criterion.root.T @ slopes
    hessian, scores = part.T @ part, -values @ criterion.root @ part
    low = at_boundary(problem, theta)
    if low:
        # There the slopes vanish, but not the criterion's curvature: no standard error is the
        # honest one, and the two tell so.
        root = criterion.whitening(part)
        hessian = curvature(lambda at: criterion.value_and_gradient(at)[1], theta, root)
        if isinstance(criterion.moments, Sequences):
            # Those of sequences vanish but for their noise, which says nothing.
            space = problem.parameters.within
            scores[:, len(space.located) + np.flatnonzero(np.isin(space.chol_index[0], low))] = 0.0
    constraint = problem.constraint
    if constraint is not None:
        scores = constraint.project(scores)
        hessian = constraint.project(constraint.project(hessian).T)
    information = Information(hessian, scores, problem.data.weights, constraint=constraint)

    def moved(at: Problem) -> Array:
        moments = replace(criterion.moments, problem=at).by_person(theta)[0]
        return -part.T @ (criterion.root.T @ (at.data.weights @ moments))

    return with_first_stage(information, problem, moved)


def _simulation(search: Search, solution: Solution, found: Information) -> SimulationError:
    """The share of variances that comes from simulation; NaN on nodes that are not random."""
    moments, space = solution.criterion.moments, search.problem.parameters
    theta, grid = search.problem.canonical(solution.theta), moments.grid
    noise, draws = np.full((len(solution.criterion.root),) * 2, np.nan), grid.size
    if isinstance(moments, Sequences):
        noise, draws = moments.noise(theta), len(moments.drawn)
    elif isinstance(grid.rule, DrawRule) and grid.rule.random:
        again = _again(search, moments, solution)
        difference = moments.by_person(theta)[0] - again.by_person(theta)[0]
        noise = moments.spread(difference) / 2
    slopes = solution.criterion.parts(theta)[1]
    to_theta = found.covariance("hessian") @ slopes.T @ solution.criterion.root.T
    noise = to_theta @ noise @ to_theta.T
    return simulation_error("MSM", draws, space, theta, (noise, found))


def _again(search: Search, moments: SituationMoments, solution: Solution) -> SituationMoments:
    """The moments on fresh nodes, those of optimal instruments too: their noise is in the root."""
    grid = moments.grid
    fresh = population_grid(grid.rule, grid.dimension, grid.persons, search.rng)
    if solution.instruments_at is None:
        return replace(moments, grid=fresh)
    other = independent_grid(grid, search.rng)
    z = beside(
        optimal_instruments(moments.problem, other, solution.instruments_at), solution.further
    )
    return SituationMoments(moments.problem, fresh, z)
