"""Starting values, the search from each of them, and whether they come to the same optimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.accuracy.pooling import pooled
from bayesmix.accuracy.refine import FIRST_RULE
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.fit import Fit
from bayesmix.classical.search import Search
from bayesmix.errors import ConvergenceError, IntegrationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.mixture import coefficients_at
from bayesmix.likelihood.multinomial import Multinomial, multinomial, starting_values
from bayesmix.likelihood.problem import Grid, Problem, bind
from bayesmix.likelihood.scaling import coefficient_units, natural_units, shift_units
from bayesmix.optimise.bhhh import maximise_likelihood
from bayesmix.optimise.climb import FAR_STEP, climb, settle
from bayesmix.optimise.held import settle_held
from bayesmix.optimise.leave_boundary import GAIN, leave_boundary
from bayesmix.optimise.maximise import Optimum, coordinates, whitening
from bayesmix.optimise.newton import newton
from bayesmix.specification.constraints import Constraints

SAME = 0.1
"""Optima on one grid that are nearer than this (in standard errors) are one."""

SAME_ROOT = 0.5
"""The same of two roots of scores: each is off by integration."""
COMPARED = 128
"""Nodes a person of the coarsest grid on which starts are compared while others are to come."""
PAIRS = 4
"""Scramblings on which two optima are compared, the same for both."""


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the searches from several starts have ended.

    Parameters
    ----------
    optimum, grid
        The best of them, and the grid on which it was found.
    optima
        Log-likelihood, evaluations, convergence and grid of each start.
    thetas
        Free vectors (n, P) where they ended; NaN where a search failed.
    """

    optimum: Optimum
    grid: Grid
    optima: pd.DataFrame
    thetas: Array


def scattered_starts(
    problem: Problem, logit: Multinomial, number: int, rng: np.random.Generator
) -> list[Array]:
    """The multinomial logit's start, and others scattered around it."""
    first = problem.canonical(starting_values(problem, logit))
    space, unit = problem.parameters, coefficient_units(problem)
    k = space.n_random
    step = np.where(problem.index, 0.5, 0.5 * unit[:k])
    origins = [first]
    for _ in range(number - 1):
        mean, chol, fixed = space.unpack(first)
        mean += step * rng.standard_normal(k)
        chol = np.diag(np.diag(chol) * np.exp(0.7 * rng.standard_normal(k)))
        fixed += 0.25 * unit[k:] * rng.standard_normal(len(fixed))
        shift = 0.5 * shift_units(problem, step) * rng.standard_normal(len(space.shifts))
        log_scale = 0.3 * rng.standard_normal(len(space.scales))
        origins.append(problem.canonical(space.pack(mean, chol, fixed, shift, log_scale)))
    return origins


def preference_start(search: Search) -> Array | None:
    """A start in WTP space from the preference-space fit; None where that has no maximum.

    Willingness to pay at the median of the price coefficient: that of another coefficient over
    minus the price's.
    """
    problem = search.problem
    space, price = problem.parameters, problem.price
    other = bind(replace(problem.model, wtp=None, constraints=Constraints()), problem.data)
    try:
        first = starting_values(other, multinomial(other))
        optimum, _ = climb(other, FIRST_RULE, first, search.rng, optimizer=search.optimizer)
    except (ConvergenceError, IntegrationError):
        return None
    mean, chol, fixed = space.unpack(optimum.theta)
    k = space.n_random
    median = coefficients_at(other, optimum.theta, np.zeros((1, k, 1))).mean(axis=0)[:, 0]
    value = fixed[price - k] if price >= k else median[price]
    if not value < 0:
        return None
    others = np.arange(space.n_random + len(space.fixed)) != price
    with_units = others[:k] & ~problem.index
    mean[with_units] /= -value
    chol[with_units] /= -value
    shift = space.shift(optimum.theta)
    shift[with_units[space.shifted]] /= -value
    # The logarithms of positive laws; positions between bounds stay, in whatever units they are.
    logarithms = [c.law.unit == "logarithm" for c in problem.design.coefficients]
    mean[others[:k] & np.array(logarithms, dtype=bool)] -= np.log(-value)
    fixed, log_scale = np.where(others[k:], fixed / -value, fixed), space.log_scale(optimum.theta)
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


def compare_ends(
    search: Search, ends: Ends, optimum: Optimum, grid: PersonGrid, root: Array
) -> Ends:
    """What the starts reach on one grid: on grids of their own, optima differ by their noise.

    Each end that is not the best one's goes on from where it is, on ``grid``. If it comes to
    another optimum than ``optimum``, it is anchored anew, and may be a better one, by their
    difference on common draws: then that is the best of the result.
    """
    likelihood = Likelihood(search.problem, grid)
    values: dict[bytes, float] = {ends.optimum.theta.tobytes(): optimum.value}
    best: tuple[Optimum, Grid] = (optimum, grid)
    best_value = optimum.value
    for number, theta in enumerate(ends.thetas, start=1):
        if theta.tobytes() in values or np.isnan(theta).any():
            continue
        search.progress.phase(f"comparing start {number} of {len(ends.thetas)}")
        value = optimum.value
        if optimum.held:
            found_there = _held_end(search, theta, optimum, grid, root)
            if found_there is None:  # noise all the way: what it would have reached is not known
                values[theta.tobytes()] = np.nan
                continue
        else:
            end = maximise_likelihood(likelihood, theta, root, optimizer=search.optimizer).theta
            far = _distance(search, root, end, optimum) > SAME
            found_there = _settled(search, grid.rule, end) if far else None
        if found_there is not None:
            own, its_grid = found_there
            if _distance(search, root, own.theta, optimum) > FAR_STEP:
                value += _gain(search, (own, its_grid), (optimum, grid))
            if value > best_value + GAIN and own.converged:
                best, best_value = (own, its_grid), value
        values[theta.tobytes()] = value
    optima = ends.optima.copy()
    found = np.array([values.get(theta.tobytes(), np.nan) for theta in ends.thetas])
    # Values are those of the best one's own grid.
    optima["loglik"] = np.where(found == best_value, best[0].value, found)
    optima["grid"] = str(grid)
    return Ends(*best, optima, ends.thetas)


def _held_end(
    search: Search, theta: Array, optimum: Optimum, grid: PersonGrid, root: Array
) -> tuple[Optimum, PersonGrid] | None:
    """The root of scores near ``theta`` on held nodes, as that of ``optimum`` was found."""
    settled = search.problem, grid.rule, theta, grid.base

    def known(at: Array) -> bool:
        return _distance(search, root, at, optimum) < SAME_ROOT

    if optimum.held == "newton":
        return newton(*settled, known=known)
    return settle_held(*settled, root=root, known=known)


def carried(ends: Ends, fit: Fit) -> pd.DataFrame:
    """What the starts have reached, at the fit's log-likelihood: differences stay as compared."""
    optima = ends.optima.copy()
    reached = optima["loglik"] == ends.optimum.value
    if not reached.any():
        return optima
    optima["loglik"] = np.where(
        reached, fit.loglik, optima["loglik"] + (fit.loglik - ends.optimum.value)
    )
    optima.loc[optima["grid"] == str(ends.grid), "grid"] = str(fit.grid)
    return optima


def _gain(
    search: Search, one: tuple[Optimum, PersonGrid], other: tuple[Optimum, PersonGrid]
) -> float:
    """Log-likelihood of one optimum less that of another, on common draws: nats."""
    problem, weights = search.problem, search.problem.data.weights
    logp: tuple[list[Array], list[Array]] = ([], [])
    for _ in range(PAIRS):
        base = one[1].renewed(search.rng).base
        for end, parts in zip((one, other), logp, strict=True):
            grid = replace(end[1], base=base)
            parts.append(Likelihood(problem, grid).by_person(end[0].theta)[0])
    (first, first_variance), (second, second_variance) = (pooled(np.stack(p)) for p in logp)
    # The logarithm of a mean is low by half its variance.
    bias = (first_variance - second_variance) / (2 * PAIRS)
    return float(weights @ (first - second + bias))


def _distance(search: Search, root: Array, theta: Array, optimum: Optimum) -> float:
    """Of a point from an optimum, in standard errors."""
    gap = search.problem.canonical(theta) - optimum.theta
    return float(np.linalg.norm(coordinates(root, gap)))


def _settled(search: Search, rule: Centred, theta: Array) -> tuple[Optimum, PersonGrid]:
    return settle(search.problem, rule, theta, search.rng, optimizer=search.optimizer)


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
                whitening(
                    np.nan_to_num(scores),
                    problem.data.weights,
                    natural_units(problem),
                    problem.directions,
                ),
                optimizer=search.optimizer,
                callback=search.progress.value,
            )
            theta = problem.canonical(optimum.theta)
            if optimum.converged and np.array_equal(theta, optimum.theta):
                break
        assert optimum is not None
        return optimum, grid

    return leave_boundary(problem, from_start, origin)[0]
