"""A person's log-likelihood at one point: no nodes to vectorise over, but all of their rows.

What searches for modes evaluate. `bayesmix.kernels.logit` does the same at many nodes at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.laws import MAP, MOVES
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture, through_law

OVERFLOW = 1e280
"""Products of denominators, of 1 to J + 1 each, have their logarithm taken above it."""


class There(NamedTuple):
    """What is known of a person at a point: coefficients (C,), rows (R_i,), situations (T_i,).

    Parameters
    ----------
    beta, slope
        Coefficients, and the laws' slopes.
    prob
        Probabilities of the rows.
    total
        For work: sums over the alternatives of a situation.
    """

    beta: Array
    slope: Array
    prob: Array
    total: Array


@part(error_model="numpy")
def coefficients_at(  # pragma: no cover - compiled
    mixture: Mixture, i: int, z: Array, there: There
) -> None:
    """`bayesmix.kernels.mixture.coefficients` of person i at one node ``z`` (K,)."""
    beta, slope = there.beta, there.slope
    loc, price = mixture.loc[min(i, mixture.loc.shape[0] - 1)], mixture.price
    x = np.empty(1)
    for k in range(beta.shape[0]):
        b = loc[k]
        for j in range(min(k + 1, z.shape[0])):
            b += mixture.chol[k, j] * z[j]
        beta[k], slope[k] = b, 1.0
        if mixture.laws[k, MAP] != 0:
            x[0] = b - loc[k] if mixture.laws[k, MOVES] != 0 else b
            out = through_law(mixture, k, loc, x)
            beta[k], slope[k] = out[0, 0], out[1, 0]
    if price >= 0:
        for k in range(beta.shape[0]):
            if k != price:
                beta[k] *= -beta[price]


@part(fastmath={"contract"}, error_model="numpy")
def log_probability_at(  # pragma: no cover - compiled
    panel: Panel, i: int, base: Array, there: There
) -> float:
    """Log-probability of all the choices of person i, whose rows' probabilities are filled in."""
    x, situations = panel.x, panel.situation_start
    beta, prob, total = there.beta, there.prob, there.total
    start, end = panel.person_start[i], panel.person_start[i + 1]
    first_row = situations[start]
    logp, product = 0.0, 1.0
    for t in range(start, end):
        top = 0.0 if panel.outside else -np.inf
        for row in range(situations[t], situations[t + 1]):
            v = base[row]
            for k in range(beta.shape[0]):
                v += x[row, k] * beta[k]
            prob[row - first_row] = v
            top = max(top, v)
        chosen = panel.chosen_row[t]
        logp += (prob[chosen - first_row] if chosen >= 0 else 0.0) - top
        total[t - start] = -top
        for row in range(situations[t], situations[t + 1]):
            prob[row - first_row] -= top
    # All rows in one loop, which vectorises.
    for m in range(prob.shape[0]):
        prob[m] = exp(prob[m])
    for t in range(start, end):
        whole = exp(total[t - start]) if panel.outside else 0.0
        for row in range(situations[t], situations[t + 1]):
            whole += prob[row - first_row]
        product *= whole
        if product > OVERFLOW:
            logp -= math.log(product)
            product = 1.0
        for row in range(situations[t], situations[t + 1]):
            prob[row - first_row] /= whole
    return logp - math.log(product)
