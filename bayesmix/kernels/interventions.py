"""How a change of a product multiplies its odds, at the nodes of a situation.

What the factors are is said in `bayesmix.kernels.substitution`.
"""

from __future__ import annotations

import math

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
from bayesmix.kernels.logit import Panel, utility


@part(fastmath={"contract"}, error_model="numpy")
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
    """``moved_js = w_s P_js f_js`` of the m rows of a situation; ``rest`` is 1 - P_js.

    Where a division finds nothing to divide by, `sure` puts its part right.
    """
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


@part(error_model="numpy")
def sure(  # pragma: no cover - compiled
    change: Change,
    panel: Panel,
    base: Array,
    first_row: int,
    m: int,
    codes: Indices,
    beta: Array,
    n: int,
    prob: Array,
    w: Array,
    rest: Array,
    moved: Array,
    flow: Array,
) -> bool:
    """Take nodes where people are sure out of ``moved``, and write who moves there into ``flow``.

    ``flow_jk = sum_s w_s (who moves) P_ks / (1 - P_js)``, the others' probabilities without row j's
    product. Whether there were any.
    """
    found = False
    if change.kind not in (REMOVAL, FINITE):
        return found
    for j in range(m):
        for s in range(n):
            if not _is_sure(change.kind, codes, first_row, j, m, s, prob, rest):
                continue
            if not found:
                found = True
                for a in range(m):
                    for b in range(m):
                        flow[a, b] = 0.0
            v, size, sign, others = _moved_at(change, panel, base, first_row, m, codes, beta, j, s)
            moved[j, s] = 0.0
            for k in range(m):
                if codes[first_row + k] != codes[first_row + j] and sign != 0.0:
                    flow[j, k] += w[s] * sign * math.exp(size) * math.exp(v[k] - others)
    return found


@part(error_model="numpy")
def leaving(  # pragma: no cover - compiled
    change: Change,
    panel: Panel,
    base: Array,
    first_row: int,
    m: int,
    codes: Indices,
    beta: Array,
    n: int,
    prob: Array,
    w: Array,
    rest: Array,
    moved: Array,
    scale: Array,
) -> None:
    """Who moves, ``moved_js``, in units of ``exp(scale_j)`` (m,): `move` times ``rest``."""
    for j in range(m):
        for s in range(n):
            moved[j, s] *= rest[j, s]
            if scale[j] != 0.0 or (
                change.kind in (REMOVAL, FINITE)
                and _is_sure(change.kind, codes, first_row, j, m, s, prob, rest)
            ):
                _, size, sign, _ = _moved_at(change, panel, base, first_row, m, codes, beta, j, s)
                moved[j, s] = w[s] * sign * math.exp(size - scale[j]) if sign != 0.0 else 0.0


@part(error_model="numpy")
def _is_sure(  # pragma: no cover - compiled
    kind: int, codes: Indices, row: int, j: int, m: int, s: int, prob: Array, rest: Array
) -> bool:
    """Whether the product or all the others have next to no probability at a node."""
    if rest[j, s] < TINY:
        return True
    if kind == FINITE:
        for k in range(m):
            if prob[k, s] < TINY and codes[row + k] == codes[row + j]:
                return True
    return False


@part(error_model="numpy")
def _moved_at(  # pragma: no cover - compiled
    change: Change,
    panel: Panel,
    base: Array,
    row: int,
    m: int,
    codes: Indices,
    beta: Array,
    j: int,
    s: int,
) -> tuple[Array, float, float, float]:
    """Utilities (m,) at a node, and `log_moved` of row j."""
    v, d = np.empty(m), np.empty(m)
    utilities(panel.x, base, row, m, beta, s, v)
    utilities(change.x, change.base, row, m, beta, s, d)
    size, sign, others = log_moved(change.kind, codes, row, j, m, v, d)
    return v, size, sign, others


@part(error_model="numpy")
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


@part(fastmath={"contract"}, error_model="numpy")
def other_products(  # pragma: no cover - compiled
    prob: Array, row: int, m: int, codes: Indices, n: int, rest: Array
) -> None:
    """Sum of the other products' probabilities: 1 - P_js without its cancellation."""
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
        if product(codes, row, j, m)[1] == 1:
            continue
        for s in range(n):
            rest[j, s] = 0.0
        for k in range(m):
            if codes[row + k] != codes[row + j]:
                for s in range(n):
                    rest[j, s] += prob[k, s]
