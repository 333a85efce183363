"""The panel logit kernel of one person in differences from what was chosen.

With ``d_tjs = v_tjs - v_tys`` the choice has the probability ``1 / (1 + sum_(j != y) exp d_tjs)``.
What was chosen needs neither utility nor exponential, nothing is searched for the largest utility,
and the score is ``g_ks = - sum_tj p_tjs (x_tjk - x_tyk)``. Without an outside option it is
``(J - 1) / J`` of the work of `bayesmix.kernels.logit`, which has all alternatives.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import part
from bayesmix.kernels.fastmath import bits, exp
from bayesmix.kernels.logit import Panel, utility

HIGH = 360.0
"""Largest difference whose exponential is taken: ``e^360``, about ``2^519``, is `_large`."""


class Others(NamedTuple):
    """What a person did not choose, relative to what they did.

    Parameters
    ----------
    x
        ``x_j - x_y`` (M, K) by alternative not chosen, situation after situation. The outside
        option, where it was offered and not chosen, is the first of its situation.
    base
        The same difference of what utility has without random coefficients (M,): not a number
        where that is infinite on either side.
    start
        Offsets (T + 1,) of the person's situations.
    row
        The alternative's row of the panel (M,), -1 for the outside option.
    """

    x: Array
    base: Array
    start: Indices
    row: Indices


@part(error_model="numpy")
def others(panel: Panel, base: Array, i: int) -> Others:  # pragma: no cover - compiled
    """The alternatives that person i did not choose, of all their situations."""
    first, last = panel.person_start[i], panel.person_start[i + 1]
    situations, size = panel.situation_start, panel.x.shape[1]
    count = situations[last] - situations[first]
    for t in range(first, last):
        if panel.chosen_row[t] < 0:  # the outside option, or nothing that is known
            continue
        count += 0 if panel.outside else -1
    x, constant = np.empty((count, size)), np.empty(count)
    start, rows = np.empty(last - first + 1, dtype=np.int64), np.empty(count, dtype=np.int64)
    m = 0
    for t in range(first, last):
        start[t - first] = m
        chosen = panel.chosen_row[t]
        own = 0.0 if chosen < 0 else base[chosen]
        if panel.outside and chosen >= 0:
            for k in range(size):
                x[m, k] = -panel.x[chosen, k]
            constant[m], rows[m] = -own, -1
            m += 1
        for row in range(situations[t], situations[t + 1]):
            if row == chosen:
                continue
            rows[m], constant[m] = row, base[row] - own
            for k in range(size):
                x[m, k] = panel.x[row, k] - (0.0 if chosen < 0 else panel.x[chosen, k])
            m += 1
    start[last - first] = m
    # What is infinite has no utility, not even where it speaks for the choice.
    for m in range(count):
        constant[m] += 0.0 * constant[m]
        for k in range(size):
            constant[m] += 0.0 * x[m, k]
    return Others(x, constant, start, rows)


@part(error_model="numpy")
def _is_large(a: float) -> bool:  # pragma: no cover - compiled
    """Whether ``a >= 1`` is 2^511 or more, or not a number: both high bits of ``4 a``'s exponent.

    The product of two numbers that are not is below 2^1022, and in range.
    """
    seen = bits(4.0 * a)
    return (seen >> 62) & (seen >> 61) & 1 == 1


@part(error_model="numpy")
def _large(a: Array, n: int) -> bool:  # pragma: no cover - compiled
    """Whether some of n numbers `_is_large`: a search for the largest does not vectorise."""
    seen = 0
    for s in range(n):
        own = bits(4.0 * a[s])
        seen |= own & (own << 1)
    return (seen >> 62) & 1 == 1


@part(error_model="numpy")
def _with_care(  # pragma: no cover - compiled
    left: Others, t: int, beta: Array, s: int, prob: Array
) -> float:
    """Log-probability of a situation's choice at node s, whatever the utilities are.

    Fills column s of ``prob`` with the probabilities of what was not chosen.
    """
    first, last = left.start[t], left.start[t + 1]
    top = 0.0
    for m in range(first, last):
        v = left.base[m]
        for k in range(beta.shape[0]):
            v += left.x[m, k] * beta[k, s]
        prob[m, s] = v
        if not v <= top:  # what is not a number stays
            top = v
    total = math.exp(-top)
    for m in range(first, last):
        prob[m, s] = math.exp(prob[m, s] - top)
        total += prob[m, s]
    for m in range(first, last):
        prob[m, s] /= total
    return -top - math.log(total)


@part(fastmath={"contract"}, error_model="numpy")
def choice_log_probabilities(  # pragma: no cover - compiled
    left: Others, beta: Array, n: int, logp: Array, prob: Array
) -> None:
    """Log-probability of all the choices of a person at n nodes ``beta`` (K, n).

    Fills ``logp (n,)``, and ``prob (M, n)`` with the probabilities of what was not chosen.
    """
    total, product = np.empty(n), np.ones(n)
    for s in range(n):
        logp[s] = 0.0
    for t in range(left.start.shape[0] - 1):
        for s in range(n):
            total[s] = 1.0
        for m in range(left.start[t], left.start[t + 1]):
            v = prob[m]
            utility(left.x[m], beta, left.base[m], v, n)
            for s in range(n):
                # A comparison that sends what is not a number to HIGH, and so to `_with_care`.
                q = exp(v[s] if v[s] < HIGH else HIGH)
                v[s] = q
                total[s] += q
        if _large(total, n):
            for s in range(n):
                if _is_large(total[s]):
                    logp[s] += _with_care(left, t, beta, s, prob)
                    total[s] = 1.0
        # Denominators are multiplied, and one logarithm is taken before they could overflow.
        for s in range(n):
            product[s] *= total[s]
            total[s] = 1.0 / total[s]
        for m in range(left.start[t], left.start[t + 1]):
            v = prob[m]
            for s in range(n):
                v[s] *= total[s]
        if _large(product, n):
            for s in range(n):
                logp[s] -= math.log(product[s])
                product[s] = 1.0
    for s in range(n):
        logp[s] -= math.log(product[s])
    # An infinite coefficient has no utilities, not even where it speaks for the choice.
    for k in range(beta.shape[0]):
        b = beta[k]
        for s in range(n):
            logp[s] += 0.0 * b[s]


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def choice_scores(  # pragma: no cover - compiled
    left: Others, prob: Array, n: int, score: Array
) -> None:
    """Score at n nodes, ``g_ks = - sum_m p_ms (x_m - x_y)_k``, into (K, n)."""
    count, size = left.x.shape
    x = left.x
    for k in range(size):
        g = score[k]
        for s in range(n):
            g[s] = 0.0
    m = 0
    while m + 3 < count:
        p0, p1, p2, p3 = prob[m], prob[m + 1], prob[m + 2], prob[m + 3]
        for k in range(size):
            g = score[k]
            x0, x1, x2, x3 = x[m, k], x[m + 1, k], x[m + 2, k], x[m + 3, k]
            for s in range(n):
                g[s] -= x0 * p0[s] + x1 * p1[s] + x2 * p2[s] + x3 * p3[s]
        m += 4
    while m < count:
        p0 = prob[m]
        for k in range(size):
            g = score[k]
            x0 = x[m, k]
            for s in range(n):
                g[s] -= x0 * p0[s]
        m += 1
