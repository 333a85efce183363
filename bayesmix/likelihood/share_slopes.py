"""Choice probabilities of every row and their derivatives: what simulated moments are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.share_slopes import share_slopes
from bayesmix.likelihood.mixture import base_at, mixture_at
from bayesmix.likelihood.problem import Grid, Problem

ROWS = 2**17
"""Rows handled together, about: it bounds the memory of their derivatives."""


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of consecutive persons' rows, and their derivatives by the free vector.

    Parameters
    ----------
    start, stop
        Persons start .. stop - 1.
    values, slopes
        (n,) and (n, P), n the number of their rows.
    """

    start: int
    stop: int
    values: Array
    slopes: Array


def shares_at(problem: Problem, grid: Grid, theta: Array) -> Iterator[Shares]:
    """Shares on ``grid`` at the free vector ``theta`` (P,), chunk by chunk of persons."""
    space = problem.parameters
    for start, stop in _cuts(problem, grid):
        mixture = mixture_at(problem, theta, *grid.block(start, stop), start, stop)
        rows = problem.rows(start, stop)
        values, slopes = share_slopes(
            problem.panel(start, stop),
            problem.x_fixed[rows],
            base_at(problem, theta, start, stop),
            mixture,
            space.chol_index,
        )
        # In the order of the free vector: means, free entries of chol, fixed, shifts.
        last = slopes.shape[1] - len(space.shapes)
        means = np.delete(slopes, slice(space.n_random, last), axis=1)
        rest = slopes[:, space.n_random : last]
        shifts = means[:, space.shifted] * problem.z[problem.data.row_person[rows]]
        whole = np.concatenate([means[:, space.located], rest, shifts], axis=1)
        yield Shares(start, stop, values, whole)


def _cuts(problem: Problem, grid: Grid) -> list[tuple[int, int]]:
    """The grid's ranges of persons, cut further where their rows are many."""
    per_person = max(1, problem.data.n_rows // problem.n_persons)
    step = max(1, ROWS // per_person)
    return [
        (a, min(a + step, stop))
        for start, stop in problem.cuts(grid)
        for a in range(start, stop, step)
    ]
