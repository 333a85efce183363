"""Moments of each person's posterior, and of scores under it, over the nodes of a grid.

What low-noise scores are made of, see `bayesmix.optimise.anchored_scores`: for laws that are links
of their index ``b = loc_i + L u``, with ``g = d log P(y_i | b) / d b``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import BLOCK, Panel, dot
from bayesmix.kernels.logit_differences import choice_log_probabilities, choice_scores, others
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.threads import share, take


class PosteriorMoments(NamedTuple):
    """Expectations over the posteriors of n persons.

    Parameters
    ----------
    logp
        ``log P_i`` (n,).
    node
        ``E[u]`` (n, K).
    square
        ``E[u u']`` (n, K, K), the lower triangle.
    score
        ``E[g]`` (n, K).
    score_node
        ``E[g u']`` (n, K, K).
    base
        ``E[d log P(y_i | b) / d base]`` by row (R,).
    """

    logp: Array
    node: Array
    square: Array
    score: Array
    score_node: Array
    base: Array


@part(fastmath={"contract"}, error_model="numpy")
def _person(  # pragma: no cover - compiled
    panel: Panel, base: Array, mixture: Mixture, i: int, out: PosteriorMoments
) -> None:
    size, n_nodes = mixture.nodes.shape[1], mixture.nodes.shape[2]
    u = mixture.nodes[min(i, mixture.nodes.shape[0] - 1)]
    w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
    left = others(panel, base, i)
    count, width = left.row.shape[0], min(BLOCK, n_nodes)
    prob = np.empty((count, width))
    beta, slope, g = np.empty((size, width)), np.empty((size, width)), np.empty((size, width))
    node_logp, weight, weighted = np.empty(width), np.empty(width), np.empty(width)
    node, square = np.zeros(size), np.zeros((size, size))
    score, score_node, rows = np.zeros(size), np.zeros((size, size)), np.zeros(count)
    top, total = -np.inf, 0.0
    for first in range(0, n_nodes, BLOCK):
        n = min(BLOCK, n_nodes - first)
        coefficients(mixture, i, first, n, beta, slope)
        choice_log_probabilities(left, beta, n, node_logp, prob)
        # Sums are kept relative to the largest term so far, and rescaled when it grows.
        new_top = top
        for s in range(n):
            new_top = max(new_top, node_logp[s])
        rescale = math.exp(top - new_top)
        top = new_top
        for s in range(n):
            weight[s] = w[first + s] * exp(node_logp[s] - top)
        total = total * rescale
        for s in range(n):
            total += weight[s]
        choice_scores(left, prob, n, g)
        for k in range(size):
            g_k, d_k, u_k = g[k], slope[k], u[k, first : first + n]
            for s in range(n):
                g_k[s] *= d_k[s] * weight[s]
                weighted[s] = weight[s] * u_k[s]
            score_k, node_k = 0.0, 0.0
            for s in range(n):
                score_k += g_k[s]
                node_k += weighted[s]
            score[k] = score[k] * rescale + score_k
            node[k] = node[k] * rescale + node_k
            for j in range(size):
                u_j = u[j, first : first + n]
                score_node[k, j] = score_node[k, j] * rescale + dot(g_k, u_j, n)
                if j <= k:
                    square[k, j] = square[k, j] * rescale + dot(weighted, u_j, n)
        for m in range(count):
            rows[m] = rows[m] * rescale + dot(prob[m], weight, n)
    if not total > 0.0:
        # A signed rule can give a negative integral; NaN too ends here. Callers name the person.
        top, total = np.nan, np.nan
    out.logp[i] = top + math.log(total)
    for k in range(size):
        out.node[i, k], out.score[i, k] = node[k] / total, score[k] / total
        for j in range(size):
            out.square[i, k, j] = square[k, j] / total
            out.score_node[i, k, j] = score_node[k, j] / total
    for t in range(panel.person_start[i], panel.person_start[i + 1]):
        chosen = panel.chosen_row[t]
        first = t - panel.person_start[i]
        for m in range(left.start[first], left.start[first + 1]):
            share = rows[m] / total
            if left.row[m] >= 0:
                out.base[left.row[m]] = -share
            if chosen >= 0:
                out.base[chosen] += share


def posterior_moments(panel: Panel, base: Array, mixture: Mixture) -> PosteriorMoments:
    """`PosteriorMoments` of the persons of a panel, in preference space, with threads."""
    n, size = len(panel.person_start) - 1, len(mixture.laws)
    out = PosteriorMoments(
        np.empty(n),
        np.empty((n, size)),
        np.empty((n, size, size)),
        np.empty((n, size)),
        np.empty((n, size, size)),
        np.zeros(len(base)),
    )
    share(_posterior_moments, n, panel, base, mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _posterior_moments(  # pragma: no cover - compiled
    queue: Indices, panel: Panel, base: Array, mixture: Mixture, out: PosteriorMoments
) -> None:
    first = take(queue)
    while first < out.logp.shape[0]:
        for i in range(first, min(first + queue[1], out.logp.shape[0])):
            _person(panel, base, mixture, i, out)
        first = take(queue)
