"""Starting values, the search from each of them, and whether they come to the same optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.accuracy.refine import FIRST_RULE
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.ends import Ends
from bayesmix.classical.search import Search
from bayesmix.errors import ConvergenceError, IntegrationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.journal import remembered
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import Multinomial, multinomial, starting_values
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import coefficient_units, natural_units, shift_units
from bayesmix.optimise.bhhh import maximise_likelihood
from bayesmix.optimise.class_starts import class_starts
from bayesmix.optimise.climb import climb
from bayesmix.optimise.leave_boundary import leave_boundary
from bayesmix.optimise.maximise import Optimum, Steps, whitening
from bayesmix.specification.constraints import Constraints


def origins_of(search: Search, number: int, *, first: bool) -> list[Array]:
    """Where searches begin: around the multinomial logit, or where EM of latent classes ends.

    In willingness-to-pay space the ``first`` is that of the fit in preference space.
    """
    problem = search.problem
    search.progress.phase("starting values")
    by_class = class_starts(problem, search.logit, number, search.rng)
    if by_class:
        return by_class
    origins = scattered_starts(problem, search.logit, number, search.rng)
    if first and problem.price >= 0:
        search.progress.phase("start in preference space")
        preferred = preference_start(search)
        origins[0] = origins[0] if preferred is None else preferred
    return origins


def scattered_starts(
    problem: Problem, logit: Multinomial, number: int, rng: np.random.Generator
) -> list[Array]:
    """The multinomial logit's start, and others scattered around it."""
    first = problem.canonical(starting_values(problem, logit))
    space, unit = problem.parameters.within, coefficient_units(problem)
    k = space.n_random
    step = np.where(problem.index, 0.5, 0.5 * unit[:k])
    origins = [first]
    for _ in range(number - 1):
        mean, chol, fixed, *_ = space.unpack(first)
        mean[:k] += step * rng.standard_normal(k)
        chol = np.diag(np.diag(chol) * np.exp(0.7 * rng.standard_normal(k)))
        fixed += 0.25 * unit[k:] * rng.standard_normal(len(fixed))
        shift = 0.5 * shift_units(problem, step) * rng.standard_normal(len(space.shifts))
        log_scale = 0.3 * rng.standard_normal(space.n_logged)
        origins.append(problem.canonical(space.pack(mean, chol, fixed, shift, log_scale)))
    return origins


def preference_start(search: Search) -> Array | None:
    """A start in WTP space from the preference-space fit; None where that has no maximum.

    Willingness to pay at the median of the price coefficient: that of another coefficient over
    minus the price's.
    """
    problem = search.problem
    space, price = problem.parameters.within, problem.price
    other = bind(replace(problem.model, wtp=None, constraints=Constraints()), problem.data)
    try:
        first = starting_values(other, multinomial(other))
        optimum, _ = climb(other, FIRST_RULE, first, search.rng, steps=Steps(search.optimizer))
    except (ConvergenceError, IntegrationError):
        return None
    mean, chol, fixed, shift, log_scale = space.unpack(optimum.theta)
    k = space.n_random
    median = Point(other, optimum.theta).coefficients(np.zeros((1, k, 1))).mean(axis=0)[:, 0]
    value = fixed[price - k] if price >= k else median[price]
    if not value < 0:
        return None
    others = np.arange(space.n_random + len(space.fixed)) != price
    with_units = others[:k] & ~problem.index
    mean[:k][with_units] /= -value
    chol[with_units] /= -value
    shift[with_units[space.shifted]] /= -value
    # The logarithms of positive laws; positions between bounds stay, in whatever units they are.
    logarithms = [c.law.unit == "logarithm" for c in problem.design.coefficients]
    mean[:k][others[:k] & np.array(logarithms, dtype=bool)] -= np.log(-value)
    fixed = np.where(others[k:], fixed / -value, fixed)
    return problem.canonical(space.pack(mean, chol, fixed, shift, log_scale))


def best_of(
    search: Search, grid: Rule | Centred | PopulationGrid | PersonGrid, origins: Sequence[Array]
) -> Ends:
    """The best optimum over all starts.

    Raises
    ------
    IntegrationError
        If the grid's integrals are not positive at any start.
    """
    problem = search.problem
    if isinstance(grid, Rule):
        grid = population_grid(grid, problem.parameters.n_random, problem.n_persons, search.rng)
    found: list[tuple[Optimum, Grid]] = []
    rows: list[tuple[int, float, int, bool, str]] = []
    thetas = np.full((len(origins), problem.parameters.size), np.nan)
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
        best = max(found, key=_rank)
        # Numbers of every person: they are kept of the best start alone.
        found = [p if p is best else (replace(p[0], by_person=None), p[1]) for p in found]
        thetas[number - 1] = optimum.theta
        rows.append((number, optimum.value, optimum.evaluations, optimum.converged, str(used)))
    optima = pd.DataFrame(rows, columns=["start", "loglik", "evaluations", "converged", "grid"])
    return Ends(*max(found, key=_rank), optima.set_index("start"), thetas)


def _rank(end: tuple[Optimum, Grid]) -> tuple[bool, float]:
    """By which the best of optima is chosen: one that converged comes first."""
    return end[0].converged, end[0].value


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
            steps=search.steps,
            known=known,
        )

    return leave_boundary(search.problem, from_start, origin)


def _on_grid(search: Search, grid: PopulationGrid | PersonGrid, origin: Array) -> Optimum:
    problem = search.problem
    likelihood = Likelihood(problem, grid)

    def checked() -> tuple[()]:
        likelihood.check(origin)
        return ()

    def whitened(theta: Array) -> tuple[Array]:
        scores = np.nan_to_num(likelihood.by_person(theta)[1])
        weights, units = problem.data.weights, natural_units(problem)
        return (whitening(scores, weights, units, problem.directions),)

    remembered("check", origin, checked)

    def from_start(theta: Array) -> tuple[Optimum, Grid]:
        optimum = None
        for _ in range(3):
            (root,) = remembered("outer product", theta, partial(whitened, theta))
            optimum = maximise_likelihood(likelihood, theta, root, steps=search.steps)
            theta = problem.canonical(optimum.theta)
            if optimum.converged and np.array_equal(theta, optimum.theta):
                break
        assert optimum is not None
        return optimum, grid

    return leave_boundary(problem, from_start, origin)[0]
