"""Choice probabilities of every row, expected over the population."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmix.integration.grids import PopulationGrid
from bayesmix.likelihood.mixture import base_at, mixture_at, panel_at
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.shares import row_shares

Array = NDArray[np.float64]

NODES = 256
"""Scrambled Sobol nodes a person, on which expectations over the population are taken."""


def expected_rows(problem: Problem, grid: PopulationGrid, theta: Array) -> Array:
    """``E[P_itj(beta_i)]`` (R,) at a free vector ``theta`` (P,), chunk by chunk of persons."""
    rows = []
    for start, stop in problem.cuts(grid):
        mixture = mixture_at(problem, theta, *grid.block(start, stop), start, stop)
        base = base_at(problem, theta, start, stop)
        rows.append(row_shares(panel_at(problem, theta, start, stop), base, mixture))
    return np.concatenate(rows)


def outside_rows(problem: Problem, rows: Array) -> Array:
    """What the rows (R,) of each situation leave of 1: the outside option's probability (T,)."""
    data = problem.data
    return 1.0 - np.bincount(data.row_situation, rows, data.n_situations)
