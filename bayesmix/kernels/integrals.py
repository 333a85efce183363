"""Integrals over a grid: ``P_i = sum_s w_is P(y_i | beta_is)`` and the derivatives of their logs.

``beta = T(L u_is; loc_i, s)``, in most laws a link of ``b = loc_i + L u_is``. A person's result
depends on nothing but that person: any number of threads, and any cut of the persons into chunks,
gives the same numbers.
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
from bayesmix.kernels.node_sums import Block, add_scores, close_sums, no_sums
from bayesmix.kernels.threads import share, take


class Derivatives(NamedTuple):
    """Log-integrals of n persons, and their derivatives.

    Parameters
    ----------
    logp
        ``log P_i`` (n,).
    loc, chol
        By locations and shapes (n, C + E), and by ``L`` (n, C, K), the lower triangle.
    base
        By the rest of utility (R,); empty where nobody asked.
    """

    logp: Array
    loc: Array
    chol: Array
    base: Array


@part(fastmath={"contract"}, error_model="numpy")
def _person(  # pragma: no cover - compiled
    panel: Panel, base: Array, mixture: Mixture, i: int, out: Derivatives
) -> None:
    size, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
    first_row = panel.situation_start[panel.person_start[i]]
    n_rows = panel.situation_start[panel.person_start[i + 1]] - first_row
    with_rows = out.base.shape[0] > 0
    width = min(BLOCK, n_nodes)
    left = others(panel, base, i)
    count = left.row.shape[0]
    prob = np.empty((count, width))
    beta, slope, g = np.empty((size, width)), np.empty((size, width)), np.empty((size, width))
    node_logp, weight = np.empty(width), np.empty(width)
    top, total = -np.inf, 0.0
    sums, sum_rows = no_sums(mixture), np.zeros(count)
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
        add_scores(sums, mixture, Block(i, first, n, beta, slope, weight, rescale), g)
        if with_rows:
            for m in range(count):
                sum_rows[m] = sum_rows[m] * rescale + dot(prob[m], weight, n)
    if not total > 0.0:
        # A signed rule can give a negative integral; NaN too ends here. Callers name the person.
        top, total = np.nan, np.nan
    out.logp[i] = top + math.log(total)
    close_sums(sums, mixture, total, out.loc[i], out.chol[i])
    if with_rows:
        d_base = out.base
        for row in range(first_row, first_row + n_rows):
            d_base[row] = 0.0
        for t in range(panel.person_start[i], panel.person_start[i + 1]):
            chosen = panel.chosen_row[t]
            first = t - panel.person_start[i]
            for m in range(left.start[first], left.start[first + 1]):
                share = sum_rows[m] / total
                if left.row[m] >= 0:
                    d_base[left.row[m]] = -share
                if chosen >= 0:
                    d_base[chosen] += share


@compiled(nogil=True, error_model="numpy")
def integrate_serial(  # pragma: no cover - compiled
    panel: Panel, base: Array, mixture: Mixture, with_rows: bool
) -> Derivatives:
    """Log-integrals and their derivatives, on the calling thread: for samplers' own threads."""
    n, size, n_laws = panel.person_start.shape[0] - 1, *mixture.chol.shape
    out = Derivatives(
        np.empty(n),
        np.empty((n, mixture.loc.shape[1])),
        np.empty((n, size, n_laws)),
        np.empty(base.shape[0] if with_rows else 0),
    )
    for i in range(n):
        _person(panel, base, mixture, i, out)
    return out


def integrate(
    panel: Panel, base: Array, mixture: Mixture, with_rows: bool, *, threads: int | None = None
) -> Derivatives:
    """`integrate_serial` with persons shared among threads, by default as many as there are."""
    n, size, n_laws = panel.person_start.shape[0] - 1, *mixture.chol.shape
    out = Derivatives(
        np.empty(n),
        np.empty((n, mixture.loc.shape[1])),
        np.empty((n, size, n_laws)),
        np.empty(base.shape[0] if with_rows else 0),
    )
    share(_integrate, n, panel, base, mixture, out, threads=threads)
    return out


@compiled(nogil=True, error_model="numpy")
def _integrate(  # pragma: no cover - compiled
    queue: Indices, panel: Panel, base: Array, mixture: Mixture, out: Derivatives
) -> None:
    first = take(queue)
    while first < out.logp.shape[0]:
        for i in range(first, min(first + queue[1], out.logp.shape[0])):
            _person(panel, base, mixture, i, out)
        first = take(queue)


def node_log_probabilities(panel: Panel, base: Array, mixture: Mixture) -> Array:
    """``log P(y_i | beta_is)``, (n, S): before any weights."""
    n = len(panel.person_start) - 1
    out = np.empty((n, mixture.nodes.shape[2]))
    share(_node_log_probabilities, n, panel, base, mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _node_log_probabilities(  # pragma: no cover - compiled
    queue: Indices, panel: Panel, base: Array, mixture: Mixture, out: Array
) -> None:
    size, (n, n_nodes) = mixture.laws.shape[0], out.shape
    width = min(BLOCK, n_nodes)
    beta, slope, node_logp = np.empty((size, width)), np.empty((size, width)), np.empty(width)
    start = take(queue)
    while start < n:
        for i in range(start, min(start + queue[1], n)):
            left = others(panel, base, i)
            prob = np.empty((left.row.shape[0], width))
            for first in range(0, n_nodes, BLOCK):
                m = min(BLOCK, n_nodes - first)
                coefficients(mixture, i, first, m, beta, slope)
                choice_log_probabilities(left, beta, m, node_logp, prob)
                for s in range(m):
                    out[i, first + s] = node_logp[s]
        start = take(queue)


def coefficients_everywhere(mixture: Mixture) -> Array:
    """Coefficients (n, C, S) at all nodes; n is that of locations and nodes, 1 where both are."""
    n = max(len(mixture.loc), len(mixture.nodes))
    beta = np.empty((n, len(mixture.laws), mixture.nodes.shape[2]))
    share(_coefficients_everywhere, n, mixture, beta)
    return beta


@compiled(nogil=True, error_model="numpy")
def _coefficients_everywhere(  # pragma: no cover - compiled
    queue: Indices, mixture: Mixture, beta: Array
) -> None:
    n, size, n_nodes = beta.shape
    slope = np.empty((size, n_nodes))
    first = take(queue)
    while first < n:
        for i in range(first, min(first + queue[1], n)):
            coefficients(mixture, i, 0, n_nodes, beta[i], slope)
        first = take(queue)
