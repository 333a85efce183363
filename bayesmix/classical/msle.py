"""Maximum simulated likelihood (Train 2009, chapter 10)."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmix.likelihood.anchored import climb
from bayesmix.likelihood.boundary import at_boundary, leave_boundary
from bayesmix.classical.covariance import Information, information, natural_covariance
from bayesmix.classical.fit import Fit
from bayesmix.likelihood.maximise import Optimum, check_optimizer, maximise, whitening
from bayesmix.classical.progress import Progress, progress_line
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import gauss_hermite
from bayesmix.likelihood.automatic import DEFAULT_TOLERANCE, MOST_NODES, Tolerance, first_rule
from bayesmix.likelihood.automatic import next_rule as refined
from bayesmix.likelihood.centred import PersonGrid
from bayesmix.likelihood.certificate import Certificate, certify
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import (
    Multinomial,
    check_signs,
    multinomial,
    starting_values,
)
from bayesmix.likelihood.problem import Grid, Problem, bind
from bayesmix.specification.model import MixedLogit

Array = NDArray[np.float64]
GridChoice = Rule | Centred | PopulationGrid | PersonGrid | str


@dataclass(frozen=True, eq=False)
class _Search:
    """What every search for an optimum needs."""

    problem: Problem
    optimizer: str
    rng: np.random.Generator
    progress: Progress


def msle(
    model: MixedLogit,
    data: ChoiceData,
    *,
    grid: GridChoice = "auto",
    starts: int = 4,
    optimizer: str = "bfgs",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    rng: Seed = None,
    progress: bool = False,
) -> Fit:
    """Maximise the simulated log-likelihood ``sum_i w_i log sum_s w_is P(y_i | beta_is)``.

    Parameters
    ----------
    model, data
        What to fit, on what.
    grid
        A rule such as ``sobol(2000)`` or ``centred(sobol(64))``, the grid of another fit, or
        ``"auto"``: the cheapest grid whose certificate meets ``tolerance``.
    starts
        Number of starting values: the first from the multinomial logit, the others scattered
        around it. An optimum with a standard deviation near 0 is left and tried again.
    optimizer
        ``"bfgs"``, ``"l-bfgs-b"`` or ``"trust-region"``.
    tolerance
        Integration error that ``grid="auto"`` may leave, in nats and in standard errors.
    rng
        Seed or Generator of scrambles and starts; the same seed gives the same numbers.
    progress
        Whether to show a progress line.

    Returns
    -------
    Fit
        With robust standard errors by person, and the certificate of its integration error.

    Raises
    ------
    ConvergenceError
        If no start converges, or the choices are separated.
    IntegrationError
        If the grid gives a person an integral that is not positive.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", random=[bm.Normal("cl")]), data, rng=1)
    >>> fit.loglik > fit.loglik_multinomial
    True
    """
    begun = time.perf_counter()
    check_optimizer(optimizer)
    if starts < 1:
        raise SpecificationError(f"argument 'starts' must be at least 1, got {starts}")
    problem = bind(model, data)
    logit = multinomial(problem)
    check_signs(problem, logit)
    generator = np.random.default_rng(rng)
    with progress_line(progress, "MSLE") as line:
        search = _Search(problem, optimizer, generator, line)
        if not model.random:
            return _multinomial_fit(problem, logit, begun)
        if isinstance(grid, str) and grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
        origins = _starts(problem, logit, starts, generator)
        if isinstance(grid, str):
            return _automatic(search, logit, origins, tolerance, begun)
        optimum, used, optima = _best(search, grid, origins)
        return _fit(search, logit, optimum, used, optima, begun)


def _starts(
    problem: Problem, logit: Multinomial, number: int, rng: np.random.Generator
) -> list[Array]:
    """The multinomial logit's start, and others scattered around it."""
    first = starting_values(problem, logit)
    space, spread = problem.parameters, problem.design.spread
    k = space.n_random
    origins = [first]
    for _ in range(number - 1):
        mean, chol, fixed = space.unpack(first)
        lognormal = problem.link != 0
        unit = np.where(lognormal, 0.5, 0.5 / spread[:k])
        mean += unit * rng.standard_normal(k)
        chol = np.diag(np.diag(chol) * np.exp(0.7 * rng.standard_normal(k)))
        fixed += 0.25 / spread[k:] * rng.standard_normal(len(fixed))
        origins.append(space.pack(mean, chol, fixed))
    return origins


def _best(
    search: _Search, grid: Rule | Centred | PopulationGrid | PersonGrid, origins: list[Array]
) -> tuple[Optimum, Grid, pd.DataFrame]:
    """The best optimum over all starts, the grid it stands on, and a report of the starts."""
    problem = search.problem
    if isinstance(grid, Rule):
        grid = population_grid(
            grid, problem.parameters.n_random, problem.n_persons, search.rng
        )
    found: list[tuple[Optimum, Grid]] = []
    rows = []
    for number, origin in enumerate(origins, start=1):
        search.progress.phase(f"start {number} of {len(origins)}")
        if isinstance(grid, Centred):
            found.append(_climb(search, grid, origin))
        else:
            found.append((_on_grid(search, grid, origin), grid))
        optimum = found[-1][0]
        rows.append((number, optimum.value, optimum.evaluations, optimum.converged))
    optima = pd.DataFrame(rows, columns=["start", "loglik", "evaluations", "converged"])
    best = max(found, key=lambda pair: (pair[0].converged, pair[0].value))
    return *best, optima.set_index("start")


def _climb(search: _Search, rule: Centred, origin: Array) -> tuple[Optimum, Grid]:
    def from_start(theta: Array) -> tuple[Optimum, Grid]:
        return climb(
            search.problem,
            rule,
            theta,
            search.rng,
            optimizer=search.optimizer,
            callback=search.progress.value,
        )

    return leave_boundary(search.problem, from_start, origin)


def _on_grid(search: _Search, grid: PopulationGrid | PersonGrid, origin: Array) -> Optimum:
    likelihood = Likelihood(search.problem, grid)
    likelihood.check(origin)

    def from_start(theta: Array) -> tuple[Optimum, Grid]:
        optimum = None
        for _ in range(3):
            _, scores = likelihood.by_person(theta)
            optimum = maximise(
                likelihood.value_and_gradient,
                theta,
                whitening(np.nan_to_num(scores), search.problem.data.weights),
                optimizer=search.optimizer,
                callback=search.progress.value,
            )
            theta = search.problem.parameters.canonical(optimum.theta)
            if optimum.converged and np.array_equal(theta, optimum.theta):
                break
        assert optimum is not None
        return optimum, grid

    return leave_boundary(search.problem, from_start, origin)[0]


def _automatic(
    search: _Search, logit: Multinomial, origins: list[Array], tolerance: Tolerance, begun: float
) -> Fit:
    """Fit on a cheap grid, look at the certificate, and refine until it is met."""
    rule, why = first_rule(search.problem)
    optimum, used, optima = _best(search, rule, origins)
    while True:
        fit = _fit(search, logit, optimum, used, optima, begun)
        assert fit.integration is not None
        if fit.integration.within(tolerance.loglik, tolerance.estimates):
            return replace(fit, message=f"{fit.message}. Grid chosen: {why}")
        rule, why = refined(search.problem, rule, fit.integration, tolerance)
        if rule is None:
            note = (
                f"the integration error is above the tolerance even with {MOST_NODES} nodes a "
                "person: see fit.integration"
            )
            return replace(fit, message=f"{fit.message}. {note}")
        search.progress.phase(f"refining: {rule}")
        optimum, used, _ = _best(search, rule, [fit.theta])


def _fit(
    search: _Search,
    logit: Multinomial,
    optimum: Optimum,
    grid: Grid,
    optima: pd.DataFrame,
    begun: float,
) -> Fit:
    problem = search.problem
    space = problem.parameters
    theta = space.canonical(optimum.theta)
    likelihood = Likelihood(problem, grid)
    likelihood.check(theta)
    search.progress.phase("standard errors")
    value, _ = likelihood.value_and_gradient(theta)
    found = _information(likelihood, theta)
    if not optimum.converged:
        raise ConvergenceError(
            f"the optimiser stopped before the gradient was small ({optimum.decrement:.2g} standard "
            f"errors; {optimum.message}). {_diagnosis(found, problem)}"
        )
    search.progress.phase("certificate of the integration error")
    return Fit(
        estimator="MSLE",
        model=problem.model,
        space=space,
        theta=theta,
        loglik=value,
        loglik_multinomial=logit.loglik,
        information=found,
        grid=grid,
        integration=_certificate(search, theta, grid, found),
        optima=optima,
        converged=optimum.converged,
        message=_message(optimum, found, problem, theta),
        n_persons=problem.n_persons,
        n_situations=problem.data.n_situations,
        seconds=time.perf_counter() - begun,
    )


def _information(likelihood: Likelihood, theta: Array) -> Information:
    weights = likelihood.problem.data.weights
    _, scores = likelihood.by_person(theta)
    return information(
        lambda at: likelihood.value_and_gradient(at)[1],
        theta,
        scores,
        weights,
        whitening(scores, weights),
    )


def _certificate(search: _Search, theta: Array, grid: Grid, found: Information) -> Certificate:
    problem = search.problem
    robust = natural_covariance(problem.parameters, theta, found.covariance("robust"))
    return certify(
        problem,
        theta,
        grid,
        found.covariance("hessian"),
        np.sqrt(np.diag(robust)),
        search.rng,
    )


def _message(optimum: Optimum, found: Information, problem: Problem, theta: Array) -> str:
    words = [f"converged (gradient {optimum.decrement:.1g} standard errors)"]
    low = at_boundary(problem, theta)
    if low:
        names = ", ".join(f"sd[{problem.parameters.random[k]}]" for k in low)
        words.append(f"{names} at the boundary 0: a fixed coefficient fits as well")
    words.append(_diagnosis(found, problem))
    return ". ".join(w for w in words if w)


def _diagnosis(found: Information, problem: Problem) -> str:
    weak = found.weakest(problem.parameters)
    return f"Not identified: the direction {weak}" if weak else ""


def _multinomial_fit(problem: Problem, logit: Multinomial, begun: float) -> Fit:
    grid = population_grid(gauss_hermite(1), 0, problem.n_persons)
    likelihood = Likelihood(problem, grid)
    theta = logit.coefficients
    return Fit(
        estimator="MSLE",
        model=problem.model,
        space=problem.parameters,
        theta=theta,
        loglik=logit.loglik,
        loglik_multinomial=logit.loglik,
        information=_information(likelihood, theta),
        grid=grid,
        integration=None,
        optima=pd.DataFrame(
            {"loglik": [logit.loglik], "evaluations": [0], "converged": [True]},
            index=pd.Index([1], name="start"),
        ),
        converged=True,
        message="converged (Newton's method; nothing to integrate)",
        n_persons=problem.n_persons,
        n_situations=problem.data.n_situations,
        seconds=time.perf_counter() - begun,
    )
