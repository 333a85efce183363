"""Laws as the arrays that kernels read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.law_functions import ready
from bayesmix.kernels.laws import COLUMNS, FIRST, NO_KNOWN, SHAPES
from bayesmix.specification.laws.base import Family
from bayesmix.specification.laws.coefficient import Coefficient


def row_of(law: Family) -> Indices:
    """A law's row (7,) of ``laws``, see `bayesmix.kernels.laws`; its functions are compiled."""
    if law.map is None:
        return np.zeros(COLUMNS, dtype=np.int64)
    numbers = [law.map.number, 0 if law.fill is None else law.fill.number]
    ready(numbers)
    return np.array([*numbers, law.moves, law.bends, len(law.shapes), 0, law.table], dtype=np.int64)


def known_of(c: Coefficient, sign: int | None = None) -> Array:
    """What a map knows of its coefficient (3,): sign (by default its own), bounds."""
    return np.array([float(c.sign if sign is None else sign), *c.limits])


def laws_of(coefficients: Sequence[Coefficient]) -> tuple[Indices, Array]:
    """``laws`` (K, 7) and ``known`` (K, 3), or (0, 3) where no coefficient has a map."""
    laws = np.array([row_of(c.law) for c in coefficients], dtype=np.int64).reshape(-1, COLUMNS)
    if not laws.any():
        return laws, NO_KNOWN
    laws[:, FIRST] = len(laws) + np.cumsum(laws[:, SHAPES]) - laws[:, SHAPES]
    return laws, np.array([known_of(c) for c in coefficients])
