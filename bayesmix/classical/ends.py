"""Where searches from several starts have ended, and what each of them reaches on one grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayesmix.accuracy.pooling import pooled
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.fit import Fit
from bayesmix.classical.search import Search
from bayesmix.integration.descriptions import Centred
from bayesmix.integration.grids import PopulationGrid
from bayesmix.journal import remembered
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid
from bayesmix.optimise.bhhh import maximise_likelihood
from bayesmix.optimise.broyden import broyden_root
from bayesmix.optimise.climb import FAR_STEP, settle
from bayesmix.optimise.leave_boundary import GAIN
from bayesmix.optimise.maximise import Optimum, Steps, coordinates
from bayesmix.optimise.newton import loosened, newton, rises

SAME = 0.1
"""Optima on one grid that are nearer than this (in standard errors) are one."""

SAME_VALUE = 1e-3
"""Nats between two that are one, where they are maxima on one grid."""
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
        if optimum.frozen:
            found_there = _frozen_end(search, theta, optimum, grid, root)
            if found_there is None:  # noise all the way: what it would have reached is not known
                values[theta.tobytes()] = np.nan
                continue
        else:
            end = maximise_likelihood(likelihood, theta, root, steps=Steps(search.optimizer)).theta
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


def ends_on_shared_grid(
    search: Search, ends: Ends, optimum: Optimum, grid: PopulationGrid, root: Array
) -> Ends:
    """What the starts reach on a grid that all persons share, finer than that of the ends.

    Each goes on from where it is; the best of them is the best of the result.
    """
    likelihood = Likelihood(search.problem, grid)
    best, found = optimum, {ends.optimum.theta.tobytes(): optimum}
    for number, theta in enumerate(ends.thetas, start=1):
        if theta.tobytes() in found or np.isnan(theta).any():
            continue
        search.progress.phase(f"comparing start {number} of {len(ends.thetas)}")
        own = maximise_likelihood(likelihood, theta, root, steps=Steps(search.optimizer))
        same = abs(own.value - optimum.value) < SAME_VALUE
        found[theta.tobytes()] = optimum if same else own
        if own.converged and own.value > best.value + GAIN:
            best = own
    optima = ends.optima.copy()
    reached = [found.get(theta.tobytes()) for theta in ends.thetas]
    optima["loglik"] = [np.nan if own is None else own.value for own in reached]
    optima["converged"] = [own is not None and own.converged for own in reached]
    optima["grid"] = str(grid)
    return Ends(best, grid, optima, ends.thetas)


def _frozen_end(
    search: Search, theta: Array, optimum: Optimum, grid: PersonGrid, root: Array
) -> tuple[Optimum, PersonGrid] | None:
    """The root of scores uphill from ``theta``, as that of ``optimum`` was found.

    That is ``optimum`` itself where the log-likelihood rises all the way to it.
    """
    few = grid.resized(min(grid.size, COMPARED))
    if optimum.frozen == "newton":
        theta = loosened(search.problem, search.problem.canonical(theta))
    settled = search.problem, few.rule, theta, few.base

    def known(at: Array) -> bool:
        return _distance(search, root, at, optimum) < SAME_ROOT

    if optimum.frozen == "broyden":
        return broyden_root(search.problem, grid.rule, theta, grid.base, root=root, known=known)
    far = _distance(search, root, theta, optimum)
    if rises(search.problem, few.rule, theta, optimum.theta, few.base, far):
        return optimum, grid
    return newton(*settled, known=known, hessian=np.linalg.pinv(root @ root.T))


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
    bases = [one[1].renewed(search.rng).base for _ in range(PAIRS)]

    def pooled_logs(optimum: Optimum, own: PersonGrid) -> tuple[Array, Array]:
        grids = [replace(own, base=base) for base in bases]
        return pooled(
            np.stack([Likelihood(problem, grid).by_person(optimum.theta)[0] for grid in grids])
        )

    def evaluate() -> tuple[float]:
        (first, first_variance), (second, second_variance) = (pooled_logs(*e) for e in (one, other))
        # The logarithm of a mean is low by half its variance.
        bias = (first_variance - second_variance) / (2 * PAIRS)
        return (float(weights @ (first - second + bias)),)

    thetas = np.concatenate([one[0].theta, other[0].theta])
    return float(remembered("difference of optima", thetas, evaluate)[0])


def _distance(search: Search, root: Array, theta: Array, optimum: Optimum) -> float:
    """Of a point from an optimum, in standard errors."""
    gap = search.problem.canonical(theta) - optimum.theta
    return float(np.linalg.norm(coordinates(root, gap)))


def _settled(search: Search, rule: Centred, theta: Array) -> tuple[Optimum, PersonGrid]:
    return settle(search.problem, rule, theta, search.rng, steps=Steps(search.optimizer))
