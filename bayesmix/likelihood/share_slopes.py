"""Choice probabilities of every row and their derivatives: what simulated moments are made of."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.share_slopes import share_slopes
from bayesmix.likelihood.chain import Slopes, in_theta
from bayesmix.likelihood.persons import chunk_size
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem

ROWS = 2**17
"""Rows handled together, about: it bounds the memory of their derivatives."""


def share_step(problem: Problem, grid: Grid) -> int:
    """Persons whose shares' derivatives are few enough to be kept together."""
    rows = problem.data.n_rows // problem.n_persons
    return min(chunk_size(problem, grid), ROWS // max(1, rows))


def shares_of(here: Point, grid: Grid) -> tuple[Array, Array]:
    """Shares (n,) of the rows of persons, and their derivatives (n, P)."""
    persons, space = here.persons, here.persons.parameters
    mixture = here.mixture(*grid.block(0, persons.n_persons))
    values, slopes = share_slopes(here.panel, persons.x_fixed, here.base, mixture, space.chol_index)
    k, entries, last = space.n_random, len(space.chol_index[0]), slopes.shape[1] - len(space.shapes)
    fixed = entries + mixture.loc.shape[1] - len(space.shapes)
    by_row = Slopes(
        # Beyond K stand the entries of L, fixed willingness to pay, fixed coefficients, shapes.
        np.concatenate([slopes[:, :k], slopes[:, k + entries : fixed], slopes[:, last:]], axis=1),
        slopes[:, k : k + entries],
        persons.z[persons.row_person],
        slopes[:, fixed:last],
    )
    return values, in_theta(space, by_row)
