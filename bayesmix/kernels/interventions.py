"""How a change of a product multiplies its odds, at the nodes of a situation.

What the factors are is said in `bayesmix.kernels.substitution`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.certain_choices import (
    FINITE,
    QUALITY,
    REMOVAL,
    SIZE,
    SLOPE,
    TINY,
    Change,
    log_moved,
    utilities,
)
from bayesmix.kernels.compiling import part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import utility


class Rows(NamedTuple):
    """The m rows of a situation at a block of n nodes.

    Parameters
    ----------
    x, base
        Attributes (m, K) with random coefficients, and the rest of utility (m,).
    codes
        Product (m,) of each row.
    beta, weights
        Coefficients (K, .) and weights (n,) of the nodes.
    prob, rest, moved
        Of rows (m, .) and nodes: choice probabilities, those of all other products together, and
        ``w_s P_js f_js``.
    """

    x: Array
    base: Array
    codes: Indices
    beta: Array
    weights: Array
    prob: Array
    rest: Array
    moved: Array


@part(error_model="numpy")
def part_of(change: Change, first: int, last: int) -> Change:  # pragma: no cover - compiled
    """What is done to the rows of one situation."""
    return Change(change.kind, change.x[first:last], change.base[first:last])


@part(fastmath={"contract"}, error_model="numpy")
def move(change: Change, rows: Rows) -> None:  # pragma: no cover - compiled
    """``moved_js = w_s P_js f_js`` of the rows of a situation; ``rest`` is 1 - P_js.

    Where a division finds nothing to divide by, `sure` puts its part right.
    """
    kind, w, n = change.kind, rows.weights, rows.weights.shape[0]
    if kind in (REMOVAL, FINITE):
        other_products(rows)
    for j in range(rows.codes.shape[0]):
        p, c, q = rows.prob[j], rows.moved[j], rows.rest[j]
        if kind == QUALITY:
            for s in range(n):
                c[s] = w[s] * p[s]
        elif kind == REMOVAL:
            for s in range(n):
                c[s] = -w[s] * p[s] / q[s] if q[s] > 0.0 else 0.0
        else:
            utility(change.x[j], rows.beta, change.base[j], c, n)
            if kind == SLOPE:
                for s in range(n):
                    c[s] *= w[s] * p[s]
            elif kind == SIZE:
                for s in range(n):
                    c[s] = w[s] * p[s] * abs(c[s])
    if kind == FINITE:
        for j in range(rows.codes.shape[0]):
            first, count = product(rows.codes, j)
            if count == 1:
                _jump(n, rows.prob[j], w, rows.rest[j], rows.moved[j])
            elif first == j:
                _jump_together(rows, j)


@part(error_model="numpy")
def sure(change: Change, rows: Rows, flow: Array) -> bool:  # pragma: no cover - compiled
    """Take nodes where people are sure out of ``moved``, and write who moves there into ``flow``.

    ``flow_jk = sum_s w_s (who moves) P_ks / (1 - P_js)``, the others' probabilities without row j's
    product. Whether there were any.
    """
    found = False
    if change.kind not in (REMOVAL, FINITE):
        return found
    codes = rows.codes
    m = codes.shape[0]
    for j in range(m):
        for s in range(rows.weights.shape[0]):
            if not _is_sure(change.kind, rows, j, s):
                continue
            if not found:
                found = True
                for a in range(m):
                    for b in range(m):
                        flow[a, b] = 0.0
            v, size, sign, others = _moved_at(change, rows, j, s)
            rows.moved[j, s] = 0.0
            for k in range(m):
                if codes[k] != codes[j] and sign != 0.0:
                    gone = rows.weights[s] * sign * math.exp(size)
                    flow[j, k] += gone * math.exp(v[k] - others)
    return found


@part(error_model="numpy")
def leaving(change: Change, rows: Rows, scale: Array) -> None:  # pragma: no cover - compiled
    """Who moves, ``moved_js``, in units of ``exp(scale_j)`` (m,): `move` times ``rest``."""
    moved = rows.moved
    for j in range(rows.codes.shape[0]):
        for s in range(rows.weights.shape[0]):
            moved[j, s] *= rows.rest[j, s]
            if scale[j] != 0.0 or (
                change.kind in (REMOVAL, FINITE) and _is_sure(change.kind, rows, j, s)
            ):
                _, size, sign, _ = _moved_at(change, rows, j, s)
                there = rows.weights[s] * sign * math.exp(size - scale[j]) if sign != 0.0 else 0.0
                moved[j, s] = there


@part(error_model="numpy")
def _is_sure(kind: int, rows: Rows, j: int, s: int) -> bool:  # pragma: no cover - compiled
    """Whether the product or all the others have next to no probability at a node."""
    if rows.rest[j, s] < TINY:
        return True
    if kind == FINITE:
        for k in range(rows.codes.shape[0]):
            if rows.prob[k, s] < TINY and rows.codes[k] == rows.codes[j]:
                return True
    return False


@part(error_model="numpy")
def _moved_at(  # pragma: no cover - compiled
    change: Change, rows: Rows, j: int, s: int
) -> tuple[Array, float, float, float]:
    """Utilities (m,) at a node, and `log_moved` of row j."""
    m = rows.codes.shape[0]
    v, d = np.empty(m), np.empty(m)
    utilities(rows.x, rows.base, rows.beta, s, v)
    utilities(change.x, change.base, rows.beta, s, d)
    size, sign, others = log_moved(change.kind, rows.codes, j, v, d)
    return v, size, sign, others


@part(error_model="numpy")
def product(codes: Indices, j: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """The first row of row j's product among those of a situation, and how many rows it has."""
    first, count = codes.shape[0], 0
    for k in range(codes.shape[0]):
        if codes[k] == codes[j]:
            first = min(first, k)
            count += 1
    return first, count


@part(fastmath={"contract"}, error_model="numpy")
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


@part(fastmath={"contract"}, error_model="numpy")
def _jump_together(rows: Rows, j: int) -> None:  # pragma: no cover - compiled
    """The same of all rows of row j's product at once: their odds have one denominator."""
    codes, prob, moved = rows.codes, rows.prob, rows.moved
    w, q = rows.weights, rows.rest[j]
    m = codes.shape[0]
    for s in range(w.shape[0]):
        # In exp(d - most), which cannot overflow.
        most = 0.0
        for k in range(j, m):
            if codes[k] == codes[j]:
                most = max(most, moved[k, s])
        still = exp(-most)
        bottom = q[s] * still
        for k in range(j, m):
            if codes[k] == codes[j]:
                bottom += prob[k, s] * exp(moved[k, s] - most)
        for k in range(j, m):
            if codes[k] == codes[j]:
                top = exp(moved[k, s] - most) - still
                moved[k, s] = w[s] * prob[k, s] * top / bottom


@part(fastmath={"contract"}, error_model="numpy")
def other_products(rows: Rows) -> None:  # pragma: no cover - compiled
    """Sum of the other products' probabilities: 1 - P_js without its cancellation."""
    codes, prob, rest = rows.codes, rows.prob, rows.rest
    m, n = codes.shape[0], rows.weights.shape[0]
    total = np.zeros(n)
    for j in range(m):
        for s in range(n):
            rest[j, s] = total[s]
            total[s] += prob[j, s]
    for s in range(n):
        total[s] = 0.0
    for j in range(m - 1, -1, -1):
        for s in range(n):
            rest[j, s] += total[s]
            total[s] += prob[j, s]
    for j in range(m):
        if product(codes, j)[1] == 1:
            continue
        for s in range(n):
            rest[j, s] = 0.0
        for k in range(m):
            if codes[k] != codes[j]:
                for s in range(n):
                    rest[j, s] += prob[k, s]
