"""Integrals of nested choice probabilities over a grid, and the derivatives of their logarithms.

With ``r_m`` the share of ``P_y`` that the chosen alternative y has by nest m, at a node

    d log P_y / d v_j = sum_m [r_m (1(j = y) / l_m + (1 - 1 / l_m) q_jm) - Q_m q_jm],
    d log P_y / d l_m = r_m (E_m + (mean_m - scaled_ym) / l_m) - Q_m E_m,

with ``E_m = dL_m / dl_m = log_sum_m - mean_m``, see `bayesmix.kernels.nests.Tree`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import BLOCK, Panel, dot
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.nests import ALONE, Nested, Nests, Tree, climb, grow, room, utilities
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
        By the rest of utility (R,).
    nest
        By the logarithms of the log-sum coefficients (n, M).
    """

    logp: Array
    loc: Array
    chol: Array
    base: Array
    nest: Array


class Slopes(NamedTuple):
    """Slopes of ``log P_y`` at nodes: in utilities of a person's rows (., n), and by nest (M, n).

    Those by nest are in the logarithms of coefficients.
    """

    utility: Array
    nest: Array


@part(fastmath={"contract"}, error_model="numpy")
def _choice(  # pragma: no cover - compiled
    tree: Tree, y: int, n: int, own: Array, logp: Array
) -> None:
    """Add ``log P_y`` to ``logp`` (n,), and fill ``own`` (E, n) with the shares r of its nests.

    Where nothing is chosen, ``y < 0``, it is minus the log-sum, and shares are 0.
    """
    high, total, count = np.full(n, -np.inf), np.zeros(n), tree.size[0]
    for e in range(count):
        if tree.row[e] == y:
            g = tree.group[e]
            for s in range(n):
                own[e, s] = tree.value[g, s] - tree.total[s] + tree.scaled[e, s]
                own[e, s] -= tree.log_sum[g, s]
                high[s] = max(high[s], own[e, s])
    for e in range(count):
        if tree.row[e] == y:
            for s in range(n):
                own[e, s] = exp(own[e, s] - high[s])
                total[s] += own[e, s]
    for e in range(count):
        chosen = tree.row[e] == y
        for s in range(n):
            own[e, s] = own[e, s] / total[s] if chosen else 0.0
    for s in range(n):
        logp[s] += high[s] + math.log(total[s]) if y >= 0 else -tree.total[s]


@part(fastmath={"contract"}, error_model="numpy")
def _slopes(  # pragma: no cover - compiled
    tree: Tree, n: int, own: Array, slope: Array, by_nest: Array
) -> None:
    """Slopes of ``log P_y`` in utilities (., n), and added in logarithms of coefficients (M, n)."""
    count, groups = tree.size[0], tree.size[1]
    whole = np.zeros((groups, n))
    for e in range(count):
        for s in range(n):
            whole[tree.group[e], s] += own[e, s]
    for g in range(groups):
        k, scale = tree.nest[g], tree.coefficient[g]
        if k != ALONE:
            for s in range(n):
                rise = tree.log_sum[g, s] - tree.mean[g, s]
                by_nest[k, s] += scale * (whole[g, s] - tree.share[g, s]) * rise
                by_nest[k, s] += whole[g, s] * tree.mean[g, s]
    for e in range(count):
        g, out = tree.group[e], slope[tree.row[e]]
        k, inverse = tree.nest[g], 1.0 / tree.coefficient[g]
        for s in range(n):
            out[s] += own[e, s] * inverse
            out[s] += (whole[g, s] * (1.0 - inverse) - tree.share[g, s]) * tree.within[e, s]
        if k != ALONE:
            for s in range(n):
                by_nest[k, s] -= own[e, s] * tree.scaled[e, s]


@part(fastmath={"contract"}, error_model="numpy")
def _choices(  # pragma: no cover - compiled
    given: Nested, i: int, beta: Array, tree: Tree, logp: Array, slopes: Slopes
) -> None:
    """Log-probability (n,) of person i's choices, and its slopes in utilities and coefficients."""
    panel, n = given.panel, logp.shape[0]
    slope, by_nest = slopes.utility, slopes.nest
    situations = panel.situation_start
    first_row = situations[panel.person_start[i]]
    gone = np.zeros(tree.utility.shape[0], dtype=np.bool_)
    own = np.empty((tree.row.shape[0], n))
    for s in range(n):
        logp[s] = 0.0
    for m in range(slope.shape[0]):
        for s in range(n):
            slope[m, s] = 0.0
    for k in range(by_nest.shape[0]):
        for s in range(n):
            by_nest[k, s] = 0.0
    spare = np.empty((tree.utility.shape[0], n))
    for t in range(panel.person_start[i], panel.person_start[i + 1]):
        first, m = situations[t], situations[t + 1] - situations[t]
        grow(given, t, gone, tree)
        utilities(given, t, beta, n, tree)
        climb(tree, n)
        y = panel.chosen_row[t] - first if panel.chosen_row[t] >= 0 else -1
        y = m if y < 0 and panel.outside else y
        _choice(tree, y, n, own, logp)
        for j in range(m + 1):
            for s in range(n):
                spare[j, s] = 0.0
                # What is infinite has no utility, not even where it speaks for the choice.
                logp[s] += 0.0 * tree.utility[j, s]
        _slopes(tree, n, own, spare, by_nest)
        for j in range(m):
            for s in range(n):
                slope[first - first_row + j, s] = spare[j, s]


@part(fastmath={"contract"}, error_model="numpy")
def _person(  # pragma: no cover - compiled
    given: Nested, mixture: Mixture, i: int, tree: Tree, out: Derivatives
) -> None:
    panel = given.panel
    size, n_nodes, n_nests = mixture.laws.shape[0], mixture.nodes.shape[2], out.nest.shape[1]
    w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
    first_row = panel.situation_start[panel.person_start[i]]
    n_rows = panel.situation_start[panel.person_start[i + 1]] - first_row
    width = min(BLOCK, n_nodes)
    v = np.empty((n_rows, width))
    beta, slope, g = np.empty((size, width)), np.empty((size, width)), np.empty((size, width))
    node_logp, weight, by_nest = np.empty(width), np.empty(width), np.empty((n_nests, width))
    top, total = -np.inf, 0.0
    sums, sum_rows, sum_nests = no_sums(mixture), np.zeros(n_rows), np.zeros(n_nests)
    for first in range(0, n_nodes, BLOCK):
        n = min(BLOCK, n_nodes - first)
        coefficients(mixture, i, first, n, beta, slope)
        _choices(given, i, beta, tree, node_logp[:n], Slopes(v, by_nest))
        new_top = top
        for s in range(n):
            new_top = max(new_top, node_logp[s])
        rescale = math.exp(top - new_top)
        top = new_top
        total = total * rescale
        for s in range(n):
            weight[s] = w[first + s] * exp(node_logp[s] - top)
            total += weight[s]
        for k in range(size):
            for s in range(n):
                g[k, s] = 0.0
            for row in range(n_rows):
                x = panel.x[first_row + row, k]
                for s in range(n):
                    g[k, s] += x * v[row, s]
        add_scores(sums, mixture, Block(i, first, n, beta, slope, weight, rescale), g)
        for row in range(n_rows):
            sum_rows[row] = sum_rows[row] * rescale + dot(v[row], weight, n)
        for k in range(n_nests):
            sum_nests[k] = sum_nests[k] * rescale + dot(by_nest[k], weight, n)
    if not total > 0.0:
        top, total = np.nan, np.nan
    out.logp[i] = top + math.log(total)
    close_sums(sums, mixture, total, out.loc[i], out.chol[i])
    for row in range(n_rows):
        out.base[first_row + row] = sum_rows[row] / total
    for k in range(n_nests):
        out.nest[i, k] = sum_nests[k] / total


def integrate_nested(
    panel: Panel, nests: Nests, base: Array, mixture: Mixture, *, threads: int | None = None
) -> Derivatives:
    """Log-integrals and their derivatives, persons shared among threads."""
    n, size, n_laws = len(panel.person_start) - 1, *mixture.chol.shape
    out = Derivatives(
        np.empty(n),
        np.empty((n, mixture.loc.shape[1])),
        np.empty((n, size, n_laws)),
        np.empty(len(base)),
        np.empty((n, len(nests.coefficient))),
    )
    share(_integrate, n, Nested(panel, nests, base), mixture, out, threads=threads)
    return out


@compiled(nogil=True, error_model="numpy")
def _integrate(  # pragma: no cover - compiled
    queue: Indices, given: Nested, mixture: Mixture, out: Derivatives
) -> None:
    tree = room(given, min(BLOCK, mixture.nodes.shape[2]))
    first = take(queue)
    while first < out.logp.shape[0]:
        for i in range(first, min(first + queue[1], out.logp.shape[0])):
            _person(given, mixture, i, tree, out)
        first = take(queue)


def nested_node_log_probabilities(
    panel: Panel, nests: Nests, base: Array, mixture: Mixture
) -> Array:
    """``log P(y_i | beta_is)``, (n, S): before any weights."""
    out = np.empty((len(panel.person_start) - 1, mixture.nodes.shape[2]))
    share(_node_log_probabilities, len(out), Nested(panel, nests, base), mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _node_log_probabilities(  # pragma: no cover - compiled
    queue: Indices, given: Nested, mixture: Mixture, out: Array
) -> None:
    panel = given.panel
    size, (n, n_nodes) = mixture.laws.shape[0], out.shape
    width = min(BLOCK, n_nodes)
    beta, slope, node_logp = np.empty((size, width)), np.empty((size, width)), np.empty(width)
    by_nest = np.empty((given.nests.coefficient.shape[0], width))
    tree = room(given, width)
    start = take(queue)
    while start < n:
        for i in range(start, min(start + queue[1], n)):
            first_row = panel.situation_start[panel.person_start[i]]
            v = np.empty((panel.situation_start[panel.person_start[i + 1]] - first_row, width))
            for first in range(0, n_nodes, BLOCK):
                m = min(BLOCK, n_nodes - first)
                coefficients(mixture, i, first, m, beta, slope)
                _choices(given, i, beta, tree, node_logp[:m], Slopes(v, by_nest))
                for s in range(m):
                    out[i, first + s] = node_logp[s]
        start = take(queue)
