"""Choice probabilities of every row, expected over people's coefficients."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.people import People
from bayesmix.kernels.nested_demand import nested_shares
from bayesmix.kernels.shares import outside_shares, row_shares
from bayesmix.kernels.vanishing_shares import VANISHED
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem

NODES = 256
"""Scrambled Sobol nodes a person, on which expectations over the population are taken."""


def expected_rows(who: People, there: Problem, theta: Array) -> tuple[Array, Array]:
    """``E[P_itj(beta_i)]`` at a free vector ``theta`` (P,), chunk by chunk of persons.

    Returns
    -------
    tuple
        Probabilities of the rows (R,), and of the outside option in each situation (T,): empty
        where there is none.
    """
    point = Point(there, theta)
    rows, outside = joined(over_persons(point, who, _rows, step=who.step))
    return rows, outside


def _rows(here: Point, who: People) -> tuple[Array, Array]:
    """`expected_rows` of a block."""
    mixture = who.mixture(here)
    if here.nests is not None:
        rows, outside = nested_shares(here.rows, here.nests, here.base, mixture)
        return rows, outside if here.rows.outside else np.empty(0)
    panel = here.panel
    outside = outside_shares(panel, here.base, mixture) if panel.outside else np.empty(0)
    return without_vanished(row_shares(panel, here.base, mixture)), without_vanished(outside)


def without_vanished(values: Array) -> Array:
    """Values, with 0 for those that shares below what kernels tell, some 3e-308, make."""
    return np.where(np.abs(values) < VANISHED, 0.0, values)
