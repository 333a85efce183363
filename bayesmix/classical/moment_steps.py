"""The steps of simulated moments: attributes, optimal instruments, sequences of choices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.classical.against_likelihood import Likeliest
from bayesmix.classical.gmm import Criterion, SituationMoments, weight_root
from bayesmix.classical.instruments import beside, independent_grid, optimal_instruments
from bayesmix.classical.moment_fit import Solution
from bayesmix.classical.search import Search
from bayesmix.classical.sequence_moments import Sequences, draw_sequences
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.integration.grids import PopulationGrid
from bayesmix.optimise.leave_boundary import at_boundary, leave_boundary, raised
from bayesmix.optimise.maximise import Optimum

REDRAWN = 3
"""Times that sequences are drawn: first at estimates that may be far from efficient ones."""
ROUNDS = 30
SETTLED = 1e-4
"""Standard errors by which a round of iterated instruments moves estimates, at the end."""
SAME = 0.01
"""Difference of criteria below which two starts have found the same."""


def first_step(
    search: Search, moments: SituationMoments, origins: list[Array], other: Likeliest | None
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


def _weighted(search: Search, moments: SituationMoments | Sequences, theta: Array) -> Solution:
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


def optimal_step(
    search: Search,
    first: Solution,
    iterated: bool,
    likelihood: Likeliest | None,
    further: Array | None = None,
) -> Solution:
    """The root of the moments with optimal instruments; with ``further`` ones, the least of all."""
    problem, theta = search.problem, first.theta
    grid = first.criterion.moments.grid
    other = independent_grid(grid, search.rng)
    for number in range(1, ROUNDS if iterated else 2):
        search.progress.phase(f"optimal instruments, round {number}")
        solution = _with_instruments(search, (grid, other), theta, theta, further)
        if solution.rootless(problem) and likelihood is not None:
            # From farther away a root may be found that a valley hides, or with better instruments.
            for at in (theta, likelihood.theta):
                again = _with_instruments(search, (grid, other), at, likelihood.theta, further)
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
    search: Search,
    grids: tuple[PopulationGrid, PopulationGrid],
    theta: Array,
    start: Array,
    further: Array | None,
) -> Solution:
    """The root from ``start`` with the instruments that are optimal at ``theta``.

    ``grids`` are those of the moments, and of the optimal instruments.
    """
    # Where a standard deviation is 0 the instrument for it vanishes: it is taken away from it.
    at = raised(search.problem, theta, at_boundary(search.problem, theta))
    z = beside(optimal_instruments(search.problem, grids[1], at), further)
    found = _weighted(search, SituationMoments(search.problem, grids[0], z), start)
    return replace(found, instruments_at=at, further=further)


def sequences_step(search: Search, first: Solution) -> Solution:
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
