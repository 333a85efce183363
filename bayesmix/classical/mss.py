"""The method of simulated scores (Hajivassiliou and McFadden 1998; Train 2009, chapter 10)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.against_likelihood import weak_words
from bayesmix.classical.covariance import Information
from bayesmix.classical.first_stage_errors import carried, without_first_stage
from bayesmix.classical.fit import Fit
from bayesmix.classical.given_starts import Start, refuse_bounds
from bayesmix.classical.given_weights import in_given_weights
from bayesmix.classical.identification import component_words, diagnosis
from bayesmix.classical.information import information_at
from bayesmix.classical.msle import msle
from bayesmix.classical.score_root import (
    ScoreRoot,
    score_root,
    simulated_scores,
    unsought_words,
    without_words,
)
from bayesmix.classical.simulation_error import simulation_error
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, MonteCarlo
from bayesmix.integration.grids import Seed, population_grid
from bayesmix.integration.rules import centred, monte_carlo, sobol
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.leave_boundary import boundary_words
from bayesmix.progress import progress_line
from bayesmix.specification.classes import check_one_class
from bayesmix.specification.constraints import Equal, Fixed
from bayesmix.specification.feasible import check_free
from bayesmix.specification.held_and_tied import held_and_tied
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.nests import refuse_nests

Method = Literal["accept-reject", "importance"]

METHODS = ("accept-reject", "importance")
CANDIDATES = monte_carlo(4096)
START = centred(sobol(64))


def mss(
    model: MixedLogit,
    data: ChoiceData,
    *,
    method: Method = "accept-reject",
    grid: MonteCarlo | Centred | PersonGrid | None = None,
    accepted: int = 25,
    fixed: Fixed | None = None,
    equal: Equal | None = None,
    start: Start | None = None,
    starts: int = 1,
    rng: Seed = None,
    progress: bool | None = None,
) -> Fit:
    """Solve the simulated score ``sum_i w_i E[d log P(y_i | beta_i(theta)) / d theta] = 0``.

    The expectation is over the person's posterior, and its mean over draws from it is unbiased
    with any number of them, where the derivative of a simulated log-likelihood is not.

    Parameters
    ----------
    model, data
        What to fit, on what.
    method
        ``"accept-reject"``: candidates from the population are accepted with probability
        ``P(y_i | beta) / max P(y_i | .)``; exact draws, for short panels, where some are accepted.
        ``"importance"``: nodes of a person-centred grid with their posterior weights. The root of
        that score is the maximum of the likelihood on the same nodes, and is found as such.
    grid
        ``monte_carlo(4096)``, as many candidates a person, or for ``"importance"`` the rule or the
        grid of another fit, ``centred(sobol(64))`` by default.
    accepted
        Draws a person, at most, with ``"accept-reject"``.
    fixed, equal
        Parameters that are held and tied, as in `msle`; bounds are for `msle` alone.
    start
        The first of the starting values, as in `msle`.
    starts
        Starting values of the search for the likelihood's maximum, where this one begins.
    rng
        Seed or Generator; the same seed gives the same numbers.
    progress
        Whether to show a progress line; not said, after three seconds, in terminals and notebooks.

    Returns
    -------
    Fit
        With robust standard errors by person, ``H^-1 (sum_i w_i^2 s_i s_i') H^-1``: the simulated
        scores ``s_i`` carry the noise of their draws, and ``integration`` says what part of the
        variances that is. The curvature ``H`` and ``loglik`` are those on the fit's person-centred
        ``grid``.

    Raises
    ------
    IntegrationError
        If for more than a tenth of the persons no candidate is accepted. The scores of fewer are
        those of the nodes of their own grids, and the fit says so.
    ConvergenceError
        If no root is found.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    References
    ----------
    Hajivassiliou and McFadden (1998); Train (2009), chapter 10.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("pf + cl", random=[bm.Normal("cl")])
    >>> nodes = bm.centred(bm.sobol(32))
    >>> score = bm.mss(model, data, method="importance", grid=nodes, rng=1)
    >>> likelihood = bm.msle(model, data, grid=nodes, starts=1, rng=1)
    >>> bool((score.params == likelihood.params).all())
    True
    """
    begun = time.perf_counter()
    check_arguments(model, data)
    model = held_and_tied(model, fixed, equal)
    check_known(model)
    rule = _rule(method, grid)
    arguments.whole("accepted", accepted, least=2)
    arguments.whole("starts", starts, most=10_000)
    arguments.seed("rng", rng)
    arguments.flag_or_none("progress", progress)
    if method == "importance" or not model.random:
        fit = msle(model, data, grid=rule, start=start, starts=starts, rng=rng, progress=progress)
        return replace(fit, estimator="MSS")
    given, generator = scores_problem(model, data), np.random.default_rng(rng)
    problem, unit = in_effective_persons(given)
    first = msle(
        model,
        problem.data,
        grid=START,
        start=start,
        starts=starts,
        rng=generator,
        progress=progress,
    )
    first = without_first_stage(first)
    size, persons = problem.parameters.n_random, problem.n_persons
    streams = (
        population_grid(rule, size, persons, generator),
        population_grid(monte_carlo(rule.nodes), 1, persons, generator),
    )
    with progress_line(progress, "MSS", unit) as line:
        origin = first.theta
        for _ in range(3):
            found = score_root(problem, first, origin, streams, accepted, line)
            origin = problem.canonical(found.theta)
            # On given draws the score of a negative standard deviation is not its mirror image's.
            if np.array_equal(origin, found.theta):
                break
        line.phase("standard errors")
        fit = _assemble(problem, first, found, begun)
        return carried(in_given_weights(fit, given, unit, first.loglik_multinomial * unit))


def scores_problem(model: MixedLogit, data: ChoiceData) -> Problem:
    """The problem whose scores are simulated.

    Raises
    ------
    SpecificationError
        If the model has classes, nests, or bounds, or its constraints leave nothing free.
    """
    check_known(model)
    given = bind(model, data)
    check_free(given.constraint, "mss")
    return given


def check_known(model: MixedLogit) -> None:
    """Refuse models with what simulated scores do not know."""
    check_one_class(model.latent, "estimator", "mss")
    refuse_nests(model.nests, "bm.mss")
    refuse_bounds(model, "mss")


def _rule(method: str, grid: Any) -> Any:
    arguments.one_of("method", method, METHODS)
    if method == "importance":
        chosen = START if grid is None else grid
        if not isinstance(chosen, Centred | PersonGrid):
            raise SpecificationError(
                f"argument 'grid': importance sampling is from person-centred nodes, such as "
                f"centred(sobol(64)), got {grid!r}"
            )
        return chosen
    chosen = CANDIDATES if grid is None else grid
    if not isinstance(chosen, MonteCarlo) or chosen.antithetic:
        raise SpecificationError(
            "argument 'grid': candidates to accept or reject must be independent draws, "
            f"monte_carlo(4096), got {grid!r}"
        )
    return chosen


def _assemble(problem: Problem, first: Fit, end: ScoreRoot, begun: float) -> Fit:
    theta, draws = end.theta, end.draws
    likelihood = Likelihood(problem, first.grid)
    found, about = _information(
        first, likelihood, theta, simulated_scores(problem, first, draws, theta)
    )
    value = float(weighted_sum(problem.data.weights, likelihood.by_person(theta)[0]))
    most, bread = int(draws.counts.max()), found.covariance("hessian")
    noise = bread @ draws.noise(problem, theta) @ bread
    words = [
        f"converged ({end.distance:.2g} standard errors from a root). {int(draws.counts.min())} to "
        f"{most} draws a person, {100 * draws.tried:.2g} % of candidates "
        "accepted",
        unsought_words(problem, first),
        without_words(problem, first, draws),
        *boundary_words(problem, theta),
        diagnosis(found, problem.parameters, theta),
        about,
        weak_words(problem, _per_person(found), theta),
        component_words(problem),
    ]
    return replace(
        first,
        estimator="MSS",
        theta=theta,
        loglik=value,
        information=found,
        integration=simulation_error("MSS", most, problem.parameters, theta, (noise, found)),
        optima=pd.DataFrame(
            {
                "loglik": [value],
                "evaluations": [end.rounds],
                "converged": [True],
                "grid": [str(first.grid)],
            },
            index=pd.Index([1], name="start"),
        ),
        message=". ".join(w for w in words if w),
        problem=problem,
        seconds=time.perf_counter() - begun,
    )


def _information(
    first: Fit, likelihood: Likelihood, theta: Array, scores: Array
) -> tuple[Information, str]:
    """Curvature and simulated scores at ``theta``, and where the curvature is from."""
    exact = information_at(likelihood, theta)
    if exact.constraint is not None:
        scores = exact.constraint.project(scores)
    here: Information = replace(exact, scores=scores)
    if np.isfinite(here.covariance("hessian")).all():
        return here, ""
    there = replace(first.information, scores=scores)
    if np.isfinite(there.covariance("hessian")).all():
        return there, (
            "The likelihood is not concave here: standard errors have the curvature at its maximum"
        )
    # Simulated scores' noise would pass for information where there is none.
    outer = replace(here, hessian=exact.opg)
    if not np.isfinite(outer.covariance("hessian")).all():
        outer = replace(here, hessian=here.opg)
    return outer, (
        "The likelihood is not concave here, nor where its search ended: standard errors are those "
        "of scores alone (BHHH)"
    )


def _per_person(found: Information) -> Information:
    """With weights of mean 1 in the sense of variances, whatever their scale."""
    w = found.weights
    return replace(found, hessian=found.hessian * w.sum() / (w @ w))
