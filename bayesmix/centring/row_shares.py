"""Choice probabilities of every row, expected over people's coefficients."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.people import People
from bayesmix.kernels.shares import outside_shares, row_shares
from bayesmix.likelihood.mixture import base_at, panel_at
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
    rows, outside = [], []
    for start, stop in there.cuts(who.grid):
        mixture = who.mixture(there, theta, start, stop)
        panel, base = panel_at(there, theta, start, stop), base_at(there, theta, start, stop)
        rows.append(row_shares(panel, base, mixture))
        if panel.outside:
            outside.append(outside_shares(panel, base, mixture))
    return np.concatenate(rows), np.concatenate(outside or [np.empty(0)])
