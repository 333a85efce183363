"""What integrals owe to the scale of each situation, beside the kernel that knows none.

With ``v = lambda_t w + o`` the derivative of ``log P_i`` in ``log lambda_t`` is the mean of
``sum_j (y_j - p_js) lambda_t w_js`` over nodes, with their shares of the person's integral.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import BLOCK, Panel, log_probabilities, utility
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.threads import share, take


@part(error_model="numpy")
def _person(  # pragma: no cover - compiled
    panel: Panel, base: Array, linear: Array, mixture: Mixture, i: int, out: Array
) -> None:
    size, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
    situations = panel.situation_start
    start, end = panel.person_start[i], panel.person_start[i + 1]
    first_row = situations[start]
    width = min(BLOCK, n_nodes)
    prob, v = np.empty((situations[end] - first_row, width)), np.empty(width)
    beta, slope = np.empty((size, width)), np.empty((size, width))
    node_logp, weight = np.empty(width), np.empty(width)
    top, total = -np.inf, 0.0
    for first in range(0, n_nodes, BLOCK):
        n = min(BLOCK, n_nodes - first)
        coefficients(mixture, i, first, n, beta, slope)
        log_probabilities(panel, i, base, beta, node_logp[:n], prob)
        new_top = top
        for s in range(n):
            new_top = max(new_top, node_logp[s])
        rescale = math.exp(top - new_top)
        top = new_top
        total *= rescale
        for s in range(n):
            weight[s] = w[first + s] * exp(node_logp[s] - top)
            total += weight[s]
        for t in range(start, end):
            out[t] *= rescale
            for row in range(situations[t], situations[t + 1]):
                utility(panel.x[row], beta, linear[row], v, n)
                p, y = prob[row - first_row], 1.0 if row == panel.chosen_row[t] else 0.0
                for s in range(n):
                    out[t] += weight[s] * (y - p[s]) * v[s]
    for t in range(start, end):
        out[t] = out[t] / total if total > 0.0 else np.nan


@compiled(nogil=True, error_model="numpy")
def scale_scores_serial(  # pragma: no cover - compiled
    panel: Panel, base: Array, linear: Array, mixture: Mixture
) -> Array:
    """Derivatives (T,) of ``log P_i`` in the logarithm of each situation's scale.

    ``panel.x``, ``linear`` and ``base`` have the scale in them; ``base`` is ``linear`` plus what
    is known, which has none.
    """
    out = np.zeros(panel.chosen_row.shape[0])
    for i in range(panel.person_start.shape[0] - 1):
        _person(panel, base, linear, mixture, i, out)
    return out


def scale_scores(
    panel: Panel, base: Array, linear: Array, mixture: Mixture, *, threads: int | None = None
) -> Array:
    """`scale_scores_serial` with persons shared among threads, by default as many as there are."""
    out = np.zeros(len(panel.chosen_row))
    n = len(panel.person_start) - 1
    share(_scale_scores, n, panel, base, linear, mixture, out, threads=threads)
    return out


@compiled(nogil=True, error_model="numpy")
def _scale_scores(  # pragma: no cover - compiled
    queue: Indices, panel: Panel, base: Array, linear: Array, mixture: Mixture, out: Array
) -> None:
    n = panel.person_start.shape[0] - 1
    first = take(queue)
    while first < n:
        for i in range(first, min(first + queue[1], n)):
            _person(panel, base, linear, mixture, i, out)
        first = take(queue)
