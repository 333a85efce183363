"""Many kinds of people as few: nodes between which functions of a location are interpolated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from bayesmix.arrays import Array
from bayesmix.specification.laws.coefficient import Coefficient

FEW = 512
"""Kinds of people that are left as they are."""
FINE = 16
"""Nodes per unit in which a law's functions of its location vary: its scale."""
CELLS = 2000
"""Most of them: of scales that are tiny next to the distance between people."""


@dataclass(frozen=True, eq=False)
class Nodes:
    """Locations for which a law is evaluated, and how each kind of people is made of them.

    Parameters
    ----------
    loc
        Locations (N,).
    matrix
        Sparse (G, N): ``f(loc_g) = sum_n matrix_gn f(node_n)``; rows sum to 1.
    """

    loc: Array
    matrix: Any

    def sums(self, values: Array) -> Array:
        """Sums (N,) of what kinds of people have (G,), for each node."""
        return np.asarray(self.matrix.T @ values)


def nodes(c: Coefficient, loc: Array, scale: float) -> Nodes:
    """Nodes for people at locations (G,): these themselves where they are few.

    Otherwise functions are cubic between nodes a sixteenth of the scale apart. Of a function whose
    fourth derivative, in units of the scale, is its size, that is an error of 4e-7 of its size at
    most; it is smooth in the parameters, as moments of people by groups would not be.
    """
    low, width = float(loc.min()), float(np.ptp(loc))
    if width == 0.0 or not c.law.located:
        return Nodes(loc[:1], sparse.csr_matrix(np.ones((len(loc), 1))))
    if len(loc) <= FEW:
        return Nodes(loc, sparse.identity(len(loc), format="csr"))
    # A location that is a logarithm has a unit of its own, where the law is no link of its index.
    unit = min(scale, 1.0) if c.law.moves and c.law.unit == "logarithm" else scale
    step = max(unit / FINE, width / CELLS)
    place = (loc - low) / step
    cell = np.floor(place).astype(np.int32)
    t = place - cell
    weights = np.column_stack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ]
    )
    where = cell[:, None] + np.arange(4, dtype=np.int32)
    starts = np.arange(len(loc) + 1, dtype=np.int32) * 4
    shape = len(loc), int(cell.max()) + 4
    matrix = sparse.csr_matrix((weights.ravel(), where.ravel(), starts), shape=shape)
    return Nodes(low + step * np.arange(-1.0, shape[1] - 1.0), matrix)
