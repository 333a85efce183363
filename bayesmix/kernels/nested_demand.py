"""Shares and log-sums of nested choice probabilities, averaged over the nodes of a grid."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.certain_choices import Change
from bayesmix.kernels.compiling import compiled
from bayesmix.kernels.logit import BLOCK, Panel, dot, utility
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.nests import Nested, Nests, add_probabilities, climb, grow, room, utilities
from bayesmix.kernels.threads import share, take


def nested_shares(panel: Panel, nests: Nests, base: Array, mixture: Mixture) -> tuple[Array, Array]:
    """``sum_s w_is P(j | beta_is)`` of every row (R,), and of the outside option (T,).

    That is 0 where there is none. The choices in ``panel`` do not matter.
    """
    rows, outside = np.zeros(len(base)), np.zeros(len(panel.situation_start) - 1)
    n = len(panel.person_start) - 1
    share(_nested_shares, n, Nested(panel, nests, base), mixture, rows, outside)
    return rows, outside


@compiled(nogil=True, error_model="numpy")
def _nested_shares(  # pragma: no cover - compiled
    queue: Indices, given: Nested, mixture: Mixture, rows: Array, outside: Array
) -> None:
    panel = given.panel
    situations, n_persons = panel.situation_start, panel.person_start.shape[0] - 1
    size, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    width = min(BLOCK, n_nodes)
    beta, slope = np.empty((size, width)), np.empty((size, width))
    tree = room(given, width)
    prob = np.empty((tree.utility.shape[0], width))
    gone = np.zeros(tree.utility.shape[0], dtype=np.bool_)
    start = take(queue)
    while start < n_persons:
        for i in range(start, min(start + queue[1], n_persons)):
            weights = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
            for first in range(0, n_nodes, BLOCK):
                n = min(BLOCK, n_nodes - first)
                w = weights[first : first + n]
                coefficients(mixture, i, first, n, beta, slope)
                for t in range(panel.person_start[i], panel.person_start[i + 1]):
                    row, m = situations[t], situations[t + 1] - situations[t]
                    grow(given, t, gone, tree)
                    utilities(given, t, beta, n, tree)
                    climb(tree, n)
                    prob[: m + 1] = 0.0
                    add_probabilities(tree, n, prob)
                    for j in range(m):
                        rows[row + j] += dot(prob[j], w, n)
                    outside[t] += dot(prob[m], w, n)
        start = take(queue)


def nested_money_logsums(
    panel: Panel,
    nests: Nests,
    person_start: Indices,
    base: Array,
    price: Change,
    mixture: Mixture,
) -> Array:
    """``sum_s w_is log G_ts / |alpha_ts|`` (T,), ``alpha`` the slope in the price.

    Where a situation stands in the place of a person, and ``person_start`` are offsets of persons;
    as `bayesmix.kernels.logsums.money_logsums`.
    """
    out = np.zeros(len(panel.situation_start) - 1)
    n = len(person_start) - 1
    given = Nested(panel, nests, base)
    share(_nested_money_logsums, n, given, person_start, price, mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _nested_money_logsums(  # pragma: no cover - compiled
    queue: Indices,
    given: Nested,
    person_start: Indices,
    price: Change,
    mixture: Mixture,
    out: Array,
) -> None:
    size, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    n_persons, width = person_start.shape[0] - 1, min(BLOCK, n_nodes)
    beta, slope, alpha = np.empty((size, width)), np.empty((size, width)), np.empty(width)
    tree = room(given, width)
    gone = np.zeros(tree.utility.shape[0], dtype=np.bool_)
    start = take(queue)
    while start < n_persons:
        for i in range(start, min(start + queue[1], n_persons)):
            w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
            for first in range(0, n_nodes, BLOCK):
                n = min(BLOCK, n_nodes - first)
                coefficients(mixture, i, first, n, beta, slope)
                for t in range(person_start[i], person_start[i + 1]):
                    grow(given, t, gone, tree)
                    utilities(given, t, beta, n, tree)
                    climb(tree, n)
                    utility(price.x[t], beta, price.base[t], alpha, n)
                    total = 0.0
                    for s in range(n):
                        if alpha[s] < 0.0:
                            total -= w[first + s] * tree.total[s] / alpha[s]
                        else:
                            total = np.nan
                    out[t] += total
        start = take(queue)
