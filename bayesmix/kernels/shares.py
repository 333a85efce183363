"""Choice probabilities of every row, averaged over the nodes of a grid."""

from __future__ import annotations

import math

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled
from bayesmix.kernels.logit import BLOCK, Panel, dot, log_probabilities
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.threads import share, take


def row_shares(panel: Panel, base: Array, mixture: Mixture) -> Array:
    """``s_itj = sum_s w_is P(j | beta_is)`` for every row (R,), persons shared among threads.

    The choices in ``panel`` do not matter. The outside option's are `outside_shares`.
    """
    out = np.zeros(len(base))
    share(_row_shares, len(panel.person_start) - 1, panel, base, mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _row_shares(  # pragma: no cover - compiled
    queue: Indices, panel: Panel, base: Array, mixture: Mixture, out: Array
) -> None:
    n_persons, size = panel.person_start.shape[0] - 1, mixture.laws.shape[0]
    n_nodes = mixture.nodes.shape[2]
    width = min(BLOCK, n_nodes)
    beta, slope, node_logp = np.empty((size, width)), np.empty((size, width)), np.empty(width)
    start = take(queue)
    while start < n_persons:
        for i in range(start, min(start + queue[1], n_persons)):
            first_row = panel.situation_start[panel.person_start[i]]
            n_rows = panel.situation_start[panel.person_start[i + 1]] - first_row
            w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
            prob = np.empty((n_rows, width))
            for first in range(0, n_nodes, BLOCK):
                n = min(BLOCK, n_nodes - first)
                coefficients(mixture, i, first, n, beta, slope)
                log_probabilities(panel, i, base, beta, node_logp[:n], prob)
                for row in range(n_rows):
                    out[first_row + row] += dot(prob[row], w[first : first + n], n)
        start = take(queue)


def outside_shares(panel: Panel, base: Array, mixture: Mixture) -> Array:
    """Share (T,) of the outside option in every situation.

    By itself and not as what the rows leave of 1, of which rounding may leave nothing.
    """
    n = len(panel.chosen_row)
    nobody = panel._replace(
        person_start=np.arange(n + 1), chosen_row=np.full(n, -1, dtype=np.int64)
    )
    out, persons = np.zeros(n), panel.person_start
    share(_outside_shares, len(persons) - 1, nobody, persons, base, mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _outside_shares(  # pragma: no cover - compiled
    queue: Indices,
    panel: Panel,
    person_start: Indices,
    base: Array,
    mixture: Mixture,
    out: Array,
) -> None:
    """The same from a panel of situations, in none of which a row is chosen."""
    size, n_nodes, n_persons = mixture.laws.shape[0], mixture.nodes.shape[2], len(person_start) - 1
    width, widest = min(BLOCK, n_nodes), 1
    for t in range(panel.situation_start.shape[0] - 1):
        widest = max(widest, panel.situation_start[t + 1] - panel.situation_start[t])
    prob, beta = np.empty((widest, width)), np.empty((size, width))
    slope, logp = np.empty((size, width)), np.empty(width)
    start = take(queue)
    while start < n_persons:
        for i in range(start, min(start + queue[1], n_persons)):
            w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
            for first in range(0, n_nodes, BLOCK):
                n = min(BLOCK, n_nodes - first)
                coefficients(mixture, i, first, n, beta, slope)
                for t in range(person_start[i], person_start[i + 1]):
                    log_probabilities(panel, t, base, beta, logp[:n], prob)
                    for s in range(n):
                        out[t] += w[first + s] * math.exp(logp[s])
        start = take(queue)
