"""Maximum simulated likelihood (Train 2009, chapter 10)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmix.classical.assemble import Search, assemble, assemble_multinomial
from bayesmix.classical.clusters import person_groups, with_groups
from bayesmix.classical.fit import Fit
from bayesmix.classical.progress import progress_line
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import IntegrationError, SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.likelihood.anchored import climb, settle
from bayesmix.likelihood.automatic import DEFAULT_TOLERANCE, MOST_NODES, Tolerance, first_rule
from bayesmix.likelihood.automatic import next_rule as refined
from bayesmix.likelihood.bhhh import maximise_likelihood
from bayesmix.likelihood.boundary import leave_boundary
from bayesmix.likelihood.centred import PersonGrid, check_grid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.maximise import Optimum, check_optimizer, whitening
from bayesmix.likelihood.multinomial import (
    Multinomial,
    check_signs,
    multinomial,
    starting_values,
)
from bayesmix.likelihood.problem import Grid, Problem, bind
from bayesmix.likelihood.units import coefficient_units, natural_units
from bayesmix.specification.model import MixedLogit

Array = NDArray[np.float64]
GridChoice = Rule | Centred | PopulationGrid | PersonGrid | str


def msle(
    model: MixedLogit,
    data: ChoiceData,
    *,
    grid: GridChoice = "auto",
    starts: int = 4,
    optimizer: str = "bfgs",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    cluster: str | None = None,
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
        ``"bfgs"``, ``"l-bfgs-b"``, ``"trust-region"``, or ``"bhhh"`` (Berndt, Hall, Hall and
        Hausman 1974), which is slow where a standard deviation is near 0.
    tolerance
        Integration error that ``grid="auto"`` may leave, in nats and in standard errors.
    cluster
        A column whose values are the clusters of the standard errors, the same in all rows of a
        person: persons of a cluster need not be independent. Persons are clusters by default.
    rng
        Seed or Generator of scrambles and starts; the same seed gives the same numbers.
    progress
        Whether to show a progress line.

    Returns
    -------
    Fit
        With robust standard errors by person (by ``cluster``), and the certificate of its
        integration error.

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
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
    elif model.random:
        check_grid(problem, grid)
    logit = multinomial(problem)
    check_signs(problem, logit)
    groups = None if cluster is None else person_groups(data, cluster)
    generator = np.random.default_rng(rng)
    with progress_line(progress, "MSLE") as line:
        search = Search(problem, logit, optimizer, generator, line, begun)
        fit = _fit(search, grid, starts, tolerance)
    return fit if groups is None else with_groups(fit, groups, str(cluster))


def _fit(search: Search, grid: GridChoice, starts: int, tolerance: Tolerance) -> Fit:
    if not search.problem.model.random:
        return assemble_multinomial(search)
    origins = scattered_starts(search.problem, search.logit, starts, search.rng)
    if isinstance(grid, str):
        return _automatic(search, origins, tolerance)
    optimum, used, optima = _best(search, grid, origins)
    return assemble(search, optimum, used, optima)


def scattered_starts(
    problem: Problem, logit: Multinomial, number: int, rng: np.random.Generator
) -> list[Array]:
    """The multinomial logit's start, and others scattered around it."""
    first = starting_values(problem, logit)
    space, unit = problem.parameters, coefficient_units(problem)
    k = space.n_random
    step = np.where(problem.link != 0, 0.5, 0.5 * unit[:k])
    origins = [first]
    for _ in range(number - 1):
        mean, chol, fixed = space.unpack(first)
        mean += step * rng.standard_normal(k)
        chol = np.diag(np.diag(chol) * np.exp(0.7 * rng.standard_normal(k)))
        fixed += 0.25 * unit[k:] * rng.standard_normal(len(fixed))
        origins.append(space.pack(mean, chol, fixed))
    return origins


def _best(
    search: Search, grid: Rule | Centred | PopulationGrid | PersonGrid, origins: list[Array]
) -> tuple[Optimum, Grid, pd.DataFrame]:
    """The best optimum over all starts, the grid it stands on, and a report of the starts."""
    problem = search.problem
    if isinstance(grid, Rule):
        grid = population_grid(grid, problem.parameters.n_random, problem.n_persons, search.rng)
    found: list[tuple[Optimum, Grid]] = []
    rows: list[tuple[int, float, int, bool, str]] = []
    for number, origin in enumerate(origins, start=1):
        search.progress.phase(f"start {number} of {len(origins)}")
        try:
            found.append(_from(search, grid, origin, found))
        except IntegrationError:
            # A scattered start may lie where a signed rule fails, though others do not.
            if number == len(origins) and not found:
                raise
            rows.append((number, np.nan, 0, False, str(grid)))
            continue
        optimum, used = found[-1]
        rows.append((number, optimum.value, optimum.evaluations, optimum.converged, str(used)))
    optima = pd.DataFrame(rows, columns=["start", "loglik", "evaluations", "converged", "grid"])
    best = max(found, key=lambda pair: (pair[0].converged, pair[0].value))
    return *best, optima.set_index("start")


def _from(
    search: Search,
    grid: Centred | PopulationGrid | PersonGrid,
    origin: Array,
    known: Sequence[tuple[Optimum, Any]],
) -> tuple[Optimum, Grid]:
    """The optimum from one start, and its grid."""
    if isinstance(grid, Centred):
        return _climb(search, grid, origin, known)
    return _on_grid(search, grid, origin), grid


def _climb(
    search: Search, rule: Centred, origin: Array, known: Sequence[tuple[Optimum, Any]]
) -> tuple[Optimum, Grid]:
    def from_start(theta: Array) -> tuple[Optimum, Grid]:
        return climb(
            search.problem,
            rule,
            theta,
            search.rng,
            optimizer=search.optimizer,
            callback=search.progress.value,
            known=known,
        )

    return leave_boundary(search.problem, from_start, origin)


def _on_grid(search: Search, grid: PopulationGrid | PersonGrid, origin: Array) -> Optimum:
    problem = search.problem
    likelihood = Likelihood(problem, grid)
    likelihood.check(origin)

    def from_start(theta: Array) -> tuple[Optimum, Grid]:
        optimum = None
        for _ in range(3):
            _, scores = likelihood.by_person(theta)
            optimum = maximise_likelihood(
                likelihood,
                theta,
                whitening(np.nan_to_num(scores), problem.data.weights, natural_units(problem)),
                optimizer=search.optimizer,
                callback=search.progress.value,
            )
            theta = problem.parameters.canonical(optimum.theta)
            if optimum.converged and np.array_equal(theta, optimum.theta):
                break
        assert optimum is not None
        return optimum, grid

    return leave_boundary(problem, from_start, origin)[0]


def _refine(search: Search, rule: Rule | Centred, fit: Fit) -> tuple[Optimum, Grid]:
    """The optimum on a finer grid, from the fit on a coarser."""
    if isinstance(rule, Rule):
        optimum, grid, _ = _best(search, rule, [fit.theta])
        return optimum, grid
    return settle(
        search.problem,
        rule,
        fit.theta,
        search.rng,
        optimizer=search.optimizer,
        callback=search.progress.value,
        root=fit.information.root(),
    )


def _automatic(search: Search, origins: list[Array], tolerance: Tolerance) -> Fit:
    """Fit on a cheap grid, look at the certificate, and refine until it is met."""
    rule, why = first_rule(search.problem)
    optimum, used, optima = _best(search, rule, origins)
    while True:
        fit = assemble(search, optimum, used, optima)
        assert fit.integration is not None
        if fit.integration.within(tolerance.loglik, tolerance.estimates):
            return replace(fit, message=f"{fit.message}. Grid chosen: {why}")
        finer, why = refined(search.problem, rule, fit.integration, tolerance)
        if finer is None:
            note = (
                f"the integration error is above the tolerance even with {MOST_NODES} nodes a "
                "person: see fit.integration"
            )
            return replace(fit, message=f"{fit.message}. {note}")
        rule = finer
        search.progress.phase(f"refining: {rule}")
        optimum, used = _refine(search, rule, fit)
