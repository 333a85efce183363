"""Who moves when a product changes, and where to, in logarithms: nothing underflows or cancels.

Where somebody is sure of a choice, 1 - P_j is no number that floating point can tell from 0; the
probabilities without j are, and so is who moves: in row r of product j,

- removal: ``P_r``;
- quality: ``P_r (1 - P_j)``, and times ``|dv_r/da|`` for a slope;
- finite: ``(1 - P_j) P_r (exp(d_r) - 1) / (1 - P_j + sum_r P_r exp(d_r))``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import part

QUALITY, SLOPE, SIZE, REMOVAL, FINITE = range(5)

TINY = 1e-280
"""Probabilities below it are nothing to divide by: the kernels' smallest is some 3e-308."""


class Change(NamedTuple):
    """What is done to each alternative in turn.

    ``kind`` is one of the codes above; utilities change by ``base_r + x_r' beta`` (R,), (R, K) a
    unit, or in all where the change is finite; quality and removal do not read them.
    """

    kind: int
    x: Array
    base: Array


@part(error_model="numpy")
def utilities(  # pragma: no cover - compiled
    x: Array, base: Array, beta: Array, s: int, v: Array
) -> None:
    """``v_k = base_k + x_k' beta_s`` of the rows (m,) of a situation, at one node."""
    for k in range(v.shape[0]):
        v[k] = base[k]
        for c in range(beta.shape[0]):
            v[k] += x[k, c] * beta[c, s]


@part(error_model="numpy")
def log_sum(  # pragma: no cover - compiled
    v: Array, codes: Indices, j: int, same: bool
) -> float:
    """``log sum exp v`` of the rows (m,) of row j's product, or of all the others."""
    top, total = -np.inf, 0.0
    for k in range(v.shape[0]):
        if (codes[k] == codes[j]) == same:
            top = max(top, v[k])
    if top == -np.inf:
        return top
    for k in range(v.shape[0]):
        if (codes[k] == codes[j]) == same:
            total += math.exp(v[k] - top)
    return top + math.log(total)


@part(error_model="numpy")
def log_add(a: float, b: float) -> float:  # pragma: no cover - compiled
    """``log(exp a + exp b)``."""
    top, low = max(a, b), min(a, b)
    return top if low == -np.inf else top + math.log1p(math.exp(low - top))


@part(error_model="numpy")
def log_moved(  # pragma: no cover - compiled
    kind: int, codes: Indices, j: int, v: Array, d: Array
) -> tuple[float, float, float]:
    """How many row j wins when its product changes: the logarithm of the size, and the sign.

    From utilities ``v`` and what changes them ``d``, both (m,). The third number is the log-sum of
    the others, of which ``exp(v_k - it)`` are the probabilities without the product.
    """
    others, own = log_sum(v, codes, j, False), log_sum(v, codes, j, True)
    if others == -np.inf:
        return -np.inf, 0.0, others
    whole = log_add(others, own)
    p, rest = v[j] - whole, others - whole
    if kind == REMOVAL:
        return p, -1.0, others
    if kind == QUALITY:
        return p + rest, 1.0, others
    if d[j] == 0.0:
        return -np.inf, 0.0, others
    if kind in (SLOPE, SIZE):
        sign = -1.0 if kind == SLOPE and d[j] < 0.0 else 1.0
        return p + rest + math.log(abs(d[j])), sign, others
    then = rest
    for k in range(v.shape[0]):
        if codes[k] == codes[j]:
            then = log_add(then, v[k] - whole + d[k])
    grown = max(d[j], 0.0) + math.log(-math.expm1(-abs(d[j])))
    return p + rest + grown - then, 1.0 if d[j] > 0.0 else -1.0, others


@part(error_model="numpy")
def log_odds(v: Array, codes: Indices, j: int) -> float:  # pragma: no cover - compiled
    """``log(P_j / (1 - P_j))`` of row j's product; infinite where there is nothing else."""
    return log_sum(v, codes, j, True) - log_sum(v, codes, j, False)
