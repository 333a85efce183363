"""How a change of a product multiplies its odds, at the nodes of a situation.

What the factors are is said in `bayesmix.likelihood.substitution`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bayesmix.likelihood.fastmath import exp
from bayesmix.likelihood.kernels import utility

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

QUALITY, SLOPE, SIZE, REMOVAL, FINITE = range(5)


class Change(NamedTuple):
    """What is done to each alternative in turn.

    ``kind`` is one of the codes above; utilities change by ``base_r + x_r' beta`` (R,), (R, K) a
    unit, or in all where the change is finite; quality and removal do not read them.
    """

    kind: int
    x: Array
    base: Array


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def move(  # pragma: no cover - compiled
    change: Change,
    first_row: int,
    m: int,
    codes: Indices,
    beta: Array,
    n: int,
    prob: Array,
    w: Array,
    rest: Array,
    moved: Array,
) -> None:
    """``moved_js = w_s P_js f_js`` of the m rows of a situation; ``rest`` is 1 - P_js."""
    kind = change.kind
    if kind in (REMOVAL, FINITE):
        other_products(prob, first_row, m, codes, n, rest)
    for j in range(m):
        p, c, q = prob[j], moved[j], rest[j]
        if kind == QUALITY:
            for s in range(n):
                c[s] = w[s] * p[s]
        elif kind == REMOVAL:
            for s in range(n):
                c[s] = -w[s] * p[s] / q[s] if q[s] > 0.0 else 0.0
        else:
            utility(change.x[first_row + j], beta, change.base[first_row + j], c, n)
            if kind == SLOPE:
                for s in range(n):
                    c[s] *= w[s] * p[s]
            elif kind == SIZE:
                for s in range(n):
                    c[s] = w[s] * p[s] * abs(c[s])
    if kind == FINITE:
        for j in range(m):
            first, count = product(codes, first_row, j, m)
            if count == 1:
                _jump(n, prob[j], w, rest[j], moved[j])
            elif first == j:
                _jump_together(codes, first_row, j, m, n, prob, w, rest[j], moved)


@njit(cache=True, error_model="numpy")
def product(  # pragma: no cover - compiled
    codes: Indices, row: int, j: int, m: int
) -> tuple[int, int]:
    """The first row of row j's product among the m of a situation, and how many rows it has."""
    first, count = m, 0
    for k in range(m):
        if codes[row + k] == codes[row + j]:
            first = min(first, k)
            count += 1
    return first, count


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _jump(  # pragma: no cover - compiled
    n: int, p: Array, w: Array, q: Array, c: Array
) -> None:
    """A finite change of one row, from differences of utility in ``c``."""
    for s in range(n):
        # In exp(-|d|), which cannot overflow.
        d = c[s]
        small = exp(-abs(d))
        top = 1.0 - small if d > 0.0 else small - 1.0
        bottom = q[s] * small + p[s] if d > 0.0 else q[s] + p[s] * small
        c[s] = w[s] * p[s] * top / bottom


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def _jump_together(  # pragma: no cover - compiled
    codes: Indices,
    row: int,
    j: int,
    m: int,
    n: int,
    prob: Array,
    w: Array,
    q: Array,
    moved: Array,
) -> None:
    """The same of all rows of row j's product at once: their odds have one denominator."""
    for s in range(n):
        # In exp(d - most), which cannot overflow.
        most = 0.0
        for k in range(j, m):
            if codes[row + k] == codes[row + j]:
                most = max(most, moved[k, s])
        still = exp(-most)
        bottom = q[s] * still
        for k in range(j, m):
            if codes[row + k] == codes[row + j]:
                bottom += prob[k, s] * exp(moved[k, s] - most)
        for k in range(j, m):
            if codes[row + k] == codes[row + j]:
                top = exp(moved[k, s] - most) - still
                moved[k, s] = w[s] * prob[k, s] * top / bottom


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def other_products(  # pragma: no cover - compiled
    prob: Array, row: int, m: int, codes: Indices, n: int, rest: Array
) -> None:
    """Sum of the other products' probabilities: 1 - P_js without its cancellation."""
    total = np.zeros(n)
    for j in range(m):
        for s in range(n):
            rest[j, s] = total[s]
            total[s] += prob[j, s]
    total[:] = 0.0
    for j in range(m - 1, -1, -1):
        for s in range(n):
            rest[j, s] += total[s]
            total[s] += prob[j, s]
    for j in range(m):
        if product(codes, row, j, m)[1] == 1:
            continue
        rest[j, :n] = 0.0
        for k in range(m):
            if codes[row + k] != codes[row + j]:
                for s in range(n):
                    rest[j, s] += prob[k, s]
