"""The method of simulated moments (McFadden 1989; Train 2009, chapter 10)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.centring.grids import PersonGrid, check_grid
from bayesmix.classical.against_likelihood import Likeliest, likeliest
from bayesmix.classical.fit import Fit
from bayesmix.classical.given_starts import Start, refuse_bounds, with_given
from bayesmix.classical.given_weights import in_given_weights
from bayesmix.classical.gmm import (
    LEAST_SQUARES,
    Criterion,
    Moments,
    weight_root,
)
from bayesmix.classical.instruments import (
    attribute_instruments,
    given_instruments,
    independent_grid,
    optimal_instruments,
)
from bayesmix.classical.latent_class import refuse_classes
from bayesmix.classical.moment_fit import Solution, assemble_moments, overidentification_of
from bayesmix.classical.search import Search
from bayesmix.classical.sequences import Sequences, draw_sequences
from bayesmix.classical.starts import scattered_starts
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import ConvergenceError, IntegrationError, SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import gauss_hermite, sobol
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.multinomial import check_signs, multinomial
from bayesmix.likelihood.problem import Problem, bind
from bayesmix.optimise.leave_boundary import at_boundary, leave_boundary, raised
from bayesmix.optimise.maximise import Optimum, check_optimizer
from bayesmix.optimise.progress import progress_line
from bayesmix.specification.constraints import Equal, Fixed
from bayesmix.specification.feasible import check_free
from bayesmix.specification.held_and_tied import held_and_tied
from bayesmix.specification.model import MixedLogit

Steps = Literal["one-step", "two-step", "iterated"]

STEPS = ("one-step", "two-step", "iterated")
MOMENTS = ("situations", "sequences")
REDRAWN = 3
"""Times that sequences are drawn: first at estimates that may be far from efficient ones."""
ROUNDS = 30
SETTLED = 1e-4
"""Standard errors by which a round of iterated instruments moves estimates, at the end."""
ROOTLESS = (
    "No parameters make the moments of the last step 0 on these data: estimates and standard "
    "errors are those of the first step, which has more moments than parameters"
)
SAME = 0.01
"""Difference of criteria below which two starts have found the same."""


def msm(
    model: MixedLogit,
    data: ChoiceData,
    *,
    grid: Rule | PopulationGrid | None = None,
    steps: Steps = "two-step",
    instruments: str | Sequence[str] | Array | None = None,
    moments: Literal["situations", "sequences"] = "situations",
    optimizer: str = LEAST_SQUARES,
    fixed: Fixed | None = None,
    equal: Equal | None = None,
    start: Start | None = None,
    starts: int = 1,
    rng: Seed = None,
    progress: bool = False,
) -> Fit:
    """Solve simulated moment conditions ``sum_i w_i sum_tj z_itj (y_itj - s_itj(theta)) = 0``.

    ``s_itj = sum_s w_is P(j | beta_is)`` are shares, linear in what is simulated, so that their
    noise averages out over persons: estimates are consistent with any fixed number of draws, where
    the simulated likelihood's, a logarithm of them, are not. The moments look at one situation at a
    time. What a panel's repeated choices say of heterogeneity beyond that they do not use, and
    standard errors of standard deviations are larger than the likelihood's: there,
    ``moments="sequences"``.

    Parameters
    ----------
    model, data
        What to fit, on what.
    grid
        A rule such as ``sobol(512)``, the default, or the population grid of another fit. Draws
        differ between persons, so that their noise is in the covariance of persons' moments, and
        in the standard errors. Quadratures have an error that is the same for everyone, which
        standard errors do not know of.
    steps
        ``"two-step"``: first over-identified moments with attributes, products and cubes for
        ``z``, weighted by the inverse of their covariance, then the optimal instruments
        ``z = d log s / d theta`` (less the outside option's) at those estimates, on independent
        draws. ``"one-step"`` is the first alone, ``"iterated"`` renews the optimal instruments
        until estimates settle.
    instruments
        Of the first step, in place of attributes: a formula, names of columns, or an array (R, M)
        by row of ``data.frame``. The outside option's are 0.
    moments
        ``"situations"`` looks at one situation at a time, as above. ``"sequences"``, for panels,
        goes on from the first step to the moments of each person's whole sequence of choices,
        ``h_i(y_i) - E[h_i(y) | theta]`` with the scores ``h_i = d log P_i(y) / d theta`` at
        those estimates for instruments, and three times so. The expectation is over sequences
        drawn from the model, as many as the grid has nodes, 32 at most: with R of them variances
        are about ``1 / R`` above the likelihood's, and estimates consistent with any number.
    optimizer
        ``"least-squares"``, ``"bfgs"``, ``"l-bfgs-b"`` or ``"trust-region"``.
    fixed, equal
        Parameters that are held and tied, as in `msle`; bounds are for `msle` alone.
    start
        The first of the starting values, as in `msle`.
    starts
        Number of starting values of the first step, as in `msle`.
    rng
        Seed or Generator of draws and starts; the same seed gives the same numbers.
    progress
        Whether to show a progress line.

    Returns
    -------
    Fit
        With standard errors by person from ``(D'WD)^-1 D'WSWD (D'WD)^-1``, ``S`` the covariance of
        persons' moments, and Hansen's test of the first step, ``overidentification``.
        ``integration`` is the part of variances that is due to simulation. ``loglik`` is that of
        the estimates on the grid.

    Raises
    ------
    ConvergenceError
        If no start converges, or the moments have no root.
    IntegrationError
        If the grid is centred on persons: such nodes know their choices, and moments on them are
        biased.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    References
    ----------
    McFadden (1989); Amemiya (1977) and Chamberlain (1987) for the instruments; Hansen (1982).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> logit = bm.MixedLogit("pf + cl")
    >>> moments, likelihood = bm.msm(logit, data), bm.msle(logit, data)
    >>> bool((moments.params - likelihood.params).abs().max() < 1e-8)
    True
    """
    begun = time.perf_counter()
    if not isinstance(optimizer, str) or optimizer != LEAST_SQUARES:
        check_optimizer(optimizer)
    arguments.one_of("steps", steps, STEPS)
    arguments.one_of("moments", moments, MOMENTS)
    arguments.whole("starts", starts, most=10_000)
    arguments.seed("rng", rng)
    arguments.flag("progress", progress)
    refuse_classes(model, "msm")
    refuse_bounds(model, "msm")
    model = held_and_tied(model, fixed, equal)
    given = bind(model, data)
    check_free(given.constraint, "msm")
    problem, unit = in_effective_persons(given)
    if model.scale is not None:
        raise SpecificationError(
            "simulated moments have no derivatives by the scales of sources: use bm.msle or bm.mss"
        )
    if data.stage is not None and model.random:
        raise SpecificationError(
            "the data are rankings, whose later choices depend on the earlier through everybody's "
            "coefficients: their moments are not those of the population; use bm.msle or bm.mss, "
            "or the moments of data.first_choices()"
        )
    _check_moments(moments, steps)
    generator = np.random.default_rng(rng)
    used = _grid(problem, sobol(512) if grid is None else grid, generator)
    logit = multinomial(given)
    check_signs(given, logit)
    z = attribute_instruments(problem, logit)
    if instruments is not None:
        z = given_instruments(problem, instruments)
    with progress_line(progress, "MSM", unit) as line:
        search = Search(problem, logit, optimizer, generator, line, begun, unit)
        origins = scattered_starts(problem, logit, starts, generator)
        origins = with_given(problem, origins, [start])
        other = likeliest(search)
        first, note = _first_step(search, Moments(problem, used, z), origins, other)
        last = first
        if moments == "sequences" and model.random:
            last = _of_sequences(search, first)
        elif steps != "one-step":
            last = _optimal(search, first, steps == "iterated", other)
        if last is not first and last.rootless(problem) and not first.rootless(problem):
            note, last = f"{note}. {ROOTLESS}" if note else ROOTLESS, first
        line.phase("standard errors")
        notes = note, other
        fit = assemble_moments(search, last, overidentification_of(first, problem), notes)
        return in_given_weights(fit, given, unit, logit.loglik)


def _check_moments(moments: str, steps: str) -> None:
    if moments == "sequences" and steps != "two-step":
        raise SpecificationError(
            f"argument 'steps': moments of sequences have steps of their own, got {steps!r}: leave "
            "it out"
        )


def _grid(problem: Problem, grid: Any, rng: np.random.Generator) -> PopulationGrid:
    if isinstance(grid, Centred | PersonGrid):
        raise IntegrationError(
            f"argument 'grid': {grid} puts nodes where each person's own choices say, and moments "
            "on them are biased: use a rule of the population, such as sobol(512)"
        )
    if not problem.model.random:
        return population_grid(gauss_hermite(1), 0, problem.n_persons)
    check_grid(problem, grid)
    if isinstance(grid, PopulationGrid):
        return grid
    return population_grid(grid, problem.parameters.n_random, problem.n_persons, rng)


def _first_step(
    search: Search, moments: Moments, origins: list[Array], other: Likeliest | None
) -> tuple[Solution, str]:
    """The least criterion over all starts, weighted again at its estimates; a note on starts."""
    at_origin, _ = moments.by_person(origins[0])
    root = weight_root(moments.spread(at_origin), search.problem.free_size)
    found = []
    for number, origin in enumerate(origins, start=1):
        search.progress.phase(f"first step, start {number} of {len(origins)}")
        found.append(_solve(search, Criterion(moments, root), origin))
    own = len(found)
    if other is not None:
        search.progress.phase("first step, from the likelihood's estimates")
        found.append(_solve(search, Criterion(moments, root), other.theta))
    best = max(found, key=lambda s: (s.optimum.converged, s.optimum.value))
    return _weighted(search, moments, best.theta), _note_on_starts(found, own, best)


def _note_on_starts(found: list[Solution], own: int, best: Solution) -> str:
    """How many of the user's starts have reached the least criterion, and what others have."""
    least = best.optimum.value - SAME
    same = sum(s.optimum.value > least for s in found[:own])
    notes = []
    if own > 1:
        notes.append(f"{same} of {own} starts reached the first step's least criterion")
    higher = [s.optimum.value for s in found if s.optimum.converged and s.optimum.value <= least]
    if higher:
        notes.append(
            f"The first step's criterion has another local minimum, {2 * (least - max(higher)):.2g}"
            " above the least (chi-squared): estimates hang on which is right"
        )
    return ". ".join(notes)


def _weighted(search: Search, moments: Moments | Sequences, theta: Array) -> Solution:
    """The least criterion from ``theta``, with the weights that are best there."""
    values, _ = moments.by_person(theta)
    try:
        root = weight_root(moments.spread(values), search.problem.free_size)
    except SpecificationError as reason:
        # The user's instruments were enough at the start: it is where the step before ended.
        raise ConvergenceError(
            "the step before ended where the moments do not tell all parameters apart: a law has "
            "shrunk to a point or to its bound there, or the choices do not identify it (see "
            "bm.check); use more starts, another law, or bm.msle"
        ) from reason
    return _solve(search, Criterion(moments, root), theta)


def _solve(search: Search, criterion: Criterion, origin: Array) -> Solution:
    problem = search.problem

    def from_start(theta: Array) -> tuple[Optimum, Any]:
        # The sign of a standard deviation is free, but on given draws the moments are not even in
        # it: where it comes out negative, they are solved again from its mirror image.
        for _ in range(3):
            optimum = criterion.minimise(theta, search.optimizer)
            theta = problem.canonical(optimum.theta)
            if np.array_equal(theta, optimum.theta):
                break
        return optimum, criterion.moments.grid

    return Solution(criterion, leave_boundary(problem, from_start, origin)[0])


def _optimal(
    search: Search, first: Solution, iterated: bool, likelihood: Likeliest | None
) -> Solution:
    """The root of the moments with optimal instruments."""
    problem, theta = search.problem, first.theta
    grid = first.criterion.moments.grid
    other = independent_grid(grid, search.rng)
    for number in range(1, ROUNDS if iterated else 2):
        search.progress.phase(f"optimal instruments, round {number}")
        solution = _with_instruments(search, grid, other, theta, theta)
        if solution.rootless(problem) and likelihood is not None:
            # From farther away a root may be found that a valley hides, or with better instruments.
            for at in (theta, likelihood.theta):
                again = _with_instruments(search, grid, other, at, likelihood.theta)
                if not again.rootless(problem):
                    solution = again
                    break
        slopes = solution.criterion.parts(solution.theta)[1]
        move, theta = np.linalg.norm(slopes @ (solution.theta - theta)), solution.theta
        if not iterated or move < SETTLED:
            return solution
    raise ConvergenceError(
        f"after {ROUNDS} rounds the optimal instruments still move estimates by {move:.2g} "
        "standard errors: use steps='two-step', or more nodes"
    )


def _with_instruments(
    search: Search, grid: PopulationGrid, other: PopulationGrid, theta: Array, start: Array
) -> Solution:
    """The root from ``start`` with the instruments that are optimal at ``theta``."""
    # Where a standard deviation is 0 the instrument for it vanishes: it is taken away from it.
    at = raised(search.problem, theta, at_boundary(search.problem, theta))
    z = optimal_instruments(search.problem, other, at)
    return replace(_weighted(search, Moments(search.problem, grid, z), start), instruments_at=at)


def _of_sequences(search: Search, first: Solution) -> Solution:
    """The root of the moments of sequences, drawn at the estimates before."""
    problem, solution, grid = search.problem, first, first.criterion.moments.grid
    low = at_boundary(problem, first.theta)
    for number in range(1, REDRAWN + 1):
        search.progress.phase(f"sequences of choices, round {number}")
        theta, before = solution.theta, low
        drawn = draw_sequences(problem, grid, raised(problem, theta, low), search.rng)
        solution = _weighted(search, drawn, theta)
        low = at_boundary(problem, solution.theta)
        if low and low == before:
            break  # drawn away from the boundary, they lead back to it: so would others
    return solution
