"""The most probable that any coefficients make a person's choices: a maximum of each logit."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.logit import Panel, log_probabilities, scores
from bayesmix.kernels.threads import share, take

ITERATIONS = 60
ARRIVED = 1e-9
"""Newton decrement, about twice the nats that are left to gain, at which a maximum is found."""
SLACK = 1e-6
"""Nats added to a maximum, so that it is a bound."""


@part(error_model="numpy")
def _largest(panel: Panel, base: Array, i: int) -> float:  # pragma: no cover - compiled
    size, situations = panel.x.shape[1], panel.situation_start
    start, end = panel.person_start[i], panel.person_start[i + 1]
    first_row = situations[start]
    prob, logp = np.empty((situations[end] - first_row, 1)), np.empty(1)
    beta, trial, g = np.zeros((size, 1)), np.empty((size, 1)), np.empty((size, 1))
    log_probabilities(panel, i, base, beta, logp, prob)
    height = logp[0]
    for _ in range(ITERATIONS):
        scores(panel, i, prob, 1, g)
        information = np.zeros((size, size))
        mean = np.empty(size)
        for t in range(start, end):
            for k in range(size):
                mean[k] = 0.0
            for row in range(situations[t], situations[t + 1]):
                p = prob[row - first_row, 0]
                for k in range(size):
                    mean[k] += p * panel.x[row, k]
                    for j in range(size):
                        information[k, j] += p * panel.x[row, k] * panel.x[row, j]
            for k in range(size):
                for j in range(size):
                    information[k, j] -= mean[k] * mean[j]
        largest = 0.0
        for k in range(size):
            largest = max(largest, information[k, k])
        # Directions in which nothing varies have no slope either: the ridge leaves them alone.
        for k in range(size):
            information[k, k] += 1e-9 * largest + 1e-300
        step = np.linalg.solve(information, g)
        decrement = 0.0
        for k in range(size):
            decrement += step[k, 0] * g[k, 0]
        if decrement < ARRIVED:
            return min(0.0, height + SLACK)
        for _ in range(40):
            for k in range(size):
                trial[k, 0] = beta[k, 0] + step[k, 0]
            log_probabilities(panel, i, base, trial, logp, prob)
            if logp[0] > height:
                break
            for k in range(size):
                step[k, 0] *= 0.5
        if not logp[0] > height:
            return 0.0
        for k in range(size):
            beta[k, 0] = trial[k, 0]
        height = logp[0]
    return 0.0


def largest_log_probabilities(panel: Panel, base: Array) -> Array:
    """Bounds (n,) on ``log P(y_i | beta)`` over all random coefficients beta.

    The maximum of each person's own logit, by Newton's method; 0, which always is a bound, where
    it is not found. Where some coefficients predict all of a person's choices, it is nearly 0.
    """
    out = np.empty(len(panel.person_start) - 1)
    share(_all_largest, len(out), panel, base, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _all_largest(  # pragma: no cover - compiled
    queue: Indices, panel: Panel, base: Array, out: Array
) -> None:
    n = out.shape[0]
    first = take(queue)
    while first < n:
        for i in range(first, min(first + queue[1], n)):
            out[i] = _largest(panel, base, i)
        first = take(queue)
