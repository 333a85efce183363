"""The panel logit kernel of one person: from coefficients to log-probabilities and scores.

It is given ``beta`` at a block of nodes and knows nothing of where they come from. Nodes are the
innermost, contiguous axis of every array, so that each loop over them vectorises; a block of them
and all its working memory stay in cache. Situations are ragged: no padding, no masks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import part
from bayesmix.kernels.fastmath import exp

BLOCK = 128
"""Nodes handled together: a multiple of the vector width, small enough for the cache."""


class Panel(NamedTuple):
    """Choices of n persons in the form that the kernels read.

    Parameters
    ----------
    x
        Attributes (R, K) with random coefficients.
    person_start, situation_start
        Offsets (n + 1,) into situations and (T + 1,) into rows.
    chosen_row
        Chosen row (T,) of each situation, -1 where the outside option was chosen.
    outside
        Whether every situation also offers an outside option of utility 0.
    """

    x: Array
    person_start: Indices
    situation_start: Indices
    chosen_row: Indices
    outside: bool


@part(fastmath={"contract"}, error_model="numpy")
def utility(  # pragma: no cover - compiled
    x: Array, beta: Array, constant: float, v: Array, n: int
) -> None:
    """``v_s = constant + sum_k x_k beta_ks``, many a sweep, for memory traffic is the cost."""
    size = x.shape[0]
    if size >= 6:
        x0, x1, x2, x3, x4, x5 = x[0], x[1], x[2], x[3], x[4], x[5]
        b0, b1, b2, b3, b4, b5 = beta[0], beta[1], beta[2], beta[3], beta[4], beta[5]
        for s in range(n):
            half = x0 * b0[s] + x1 * b1[s] + x2 * b2[s]
            v[s] = (constant + half) + (x3 * b3[s] + x4 * b4[s] + x5 * b5[s])
        k = 6
    else:
        for s in range(n):
            v[s] = constant
        k = 0
    while k + 3 < size:
        x0, x1, x2, x3 = x[k], x[k + 1], x[k + 2], x[k + 3]
        b0, b1, b2, b3 = beta[k], beta[k + 1], beta[k + 2], beta[k + 3]
        for s in range(n):
            v[s] += x0 * b0[s] + x1 * b1[s] + x2 * b2[s] + x3 * b3[s]
        k += 4
    if k + 1 < size:
        x0, x1 = x[k], x[k + 1]
        b0, b1 = beta[k], beta[k + 1]
        for s in range(n):
            v[s] += x0 * b0[s] + x1 * b1[s]
        k += 2
    if k < size:
        x0 = x[k]
        b0 = beta[k]
        for s in range(n):
            v[s] += x0 * b0[s]


@part(fastmath={"contract"}, error_model="numpy")
def log_probabilities(  # pragma: no cover - compiled
    panel: Panel, i: int, base: Array, beta: Array, logp: Array, prob: Array
) -> None:
    """Log-probability of all the choices of person i at n nodes, and every choice probability.

    ``l_s = sum_t [v_ts - log sum_j exp v_tjs]`` with ``v_tjs = base_tj + x_tj' beta_s``, the
    largest utility subtracted first. Fills ``logp (n,)`` and ``prob (rows of i, .)``.
    """
    n = logp.shape[0]
    situations = panel.situation_start
    first_row = situations[panel.person_start[i]]
    largest = np.empty(n)
    total = np.empty(n)
    product = np.ones(n)
    widest = 1
    for t in range(panel.person_start[i], panel.person_start[i + 1]):
        widest = max(widest, situations[t + 1] - situations[t])
    # The shifted denominators lie between 1 and J + 1: their product is kept, and its logarithm
    # taken before it could overflow.
    flush = max(1, int(290.0 / math.log10(widest + 1.0)))
    pending = 0
    for s in range(n):
        logp[s] = 0.0
    for t in range(panel.person_start[i], panel.person_start[i + 1]):
        start, end = situations[t], situations[t + 1]
        floor = 0.0 if panel.outside else -np.inf
        for s in range(n):
            largest[s] = floor
        for row in range(start, end):
            v = prob[row - first_row]
            utility(panel.x[row], beta, base[row], v, n)
            for s in range(n):
                largest[s] = max(largest[s], v[s])
        chosen = panel.chosen_row[t]
        if chosen >= 0:
            v = prob[chosen - first_row]
            for s in range(n):
                logp[s] += v[s] - largest[s]
        else:
            for s in range(n):
                logp[s] -= largest[s]
        if panel.outside:
            for s in range(n):
                total[s] = exp(-largest[s])
        else:
            for s in range(n):
                total[s] = 0.0
        for row in range(start, end):
            v = prob[row - first_row]
            for s in range(n):
                q = exp(v[s] - largest[s])
                v[s] = q
                total[s] += q
        for s in range(n):
            product[s] *= total[s]
            total[s] = 1.0 / total[s]
        for row in range(start, end):
            v = prob[row - first_row]
            for s in range(n):
                v[s] *= total[s]
        pending += 1
        if pending == flush:
            pending = 0
            for s in range(n):
                logp[s] -= math.log(product[s])
                product[s] = 1.0
    for s in range(n):
        logp[s] -= math.log(product[s])


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def scores(  # pragma: no cover - compiled
    panel: Panel, i: int, prob: Array, n: int, score: Array
) -> None:
    """Score of person i at n nodes, ``g_ks = sum_t (x_yk - sum_j p_js x_jk)``, into (K, n)."""
    situations = panel.situation_start
    first_situation, last_situation = panel.person_start[i], panel.person_start[i + 1]
    first_row, end = situations[first_situation], situations[last_situation]
    size = panel.x.shape[1]
    x = panel.x
    for k in range(size):
        chosen_sum = 0.0
        for t in range(first_situation, last_situation):
            if panel.chosen_row[t] >= 0:
                chosen_sum += x[panel.chosen_row[t], k]
        g = score[k]
        for s in range(n):
            g[s] = chosen_sum
    row = first_row
    while row + 3 < end:
        p0, p1 = prob[row - first_row], prob[row + 1 - first_row]
        p2, p3 = prob[row + 2 - first_row], prob[row + 3 - first_row]
        for k in range(size):
            g = score[k]
            x0, x1, x2, x3 = x[row, k], x[row + 1, k], x[row + 2, k], x[row + 3, k]
            for s in range(n):
                g[s] -= x0 * p0[s] + x1 * p1[s] + x2 * p2[s] + x3 * p3[s]
        row += 4
    while row < end:
        p0 = prob[row - first_row]
        for k in range(size):
            g = score[k]
            x0 = x[row, k]
            for s in range(n):
                g[s] -= x0 * p0[s]
        row += 1


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def dot(a: Array, b: Array, n: int) -> float:  # pragma: no cover - compiled
    """Sum of ``a_s b_s`` over the first n nodes."""
    total = 0.0
    for s in range(n):
        total += a[s] * b[s]
    return total
