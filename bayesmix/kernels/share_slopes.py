"""Choice probabilities of every row and their derivatives, person by person."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.logit import BLOCK, Panel, dot, log_probabilities
from bayesmix.kernels.mixture import Mixture, coefficients, law_scores, moving, moving_scores
from bayesmix.kernels.threads import share, take


class Rows(NamedTuple):
    """A panel, attributes with fixed coefficients (R, F), and the rest of utility (R,)."""

    panel: Panel
    x_fixed: Array
    base: Array


class Shares(NamedTuple):
    """Shares (R,), and their derivatives (R, P)."""

    share: Array
    slopes: Array


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _person(  # pragma: no cover - compiled
    given: Rows, mixture: Mixture, entries: tuple[Indices, Indices], i: int, out: Shares
) -> None:
    panel, x_fixed, base = given.panel, given.x_fixed, given.base
    share, slopes = out.share, out.slopes
    size, n_laws, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[1], mixture.nodes.shape[2]
    n_chol, n_fixed = entries[0].shape[0], x_fixed.shape[1]
    u = mixture.nodes[min(i, mixture.nodes.shape[0] - 1)]
    w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
    situations = panel.situation_start
    start, end = panel.person_start[i], panel.person_start[i + 1]
    first_row = situations[start]
    width = min(BLOCK, n_nodes)
    prob = np.empty((situations[end] - first_row, width))
    beta, slope = np.empty((size, width)), np.empty((size, width))
    mean, mean_fixed = np.empty((size, width)), np.empty((n_fixed, width))
    node_logp, g = np.empty(width), np.empty((size, width))
    moves, n_loc = moving(mixture.laws), mixture.loc.shape[1]
    extra = np.empty((2, n_loc))
    for first in range(0, n_nodes, BLOCK):
        n = min(BLOCK, n_nodes - first)
        coefficients(mixture, i, first, n, beta, slope)
        log_probabilities(panel, i, base, beta, node_logp[:n], prob)
        for t in range(start, end):
            for k in range(size):
                for s in range(n):
                    mean[k, s] = 0.0
            for f in range(n_fixed):
                for s in range(n):
                    mean_fixed[f, s] = 0.0
            for row in range(situations[t], situations[t + 1]):
                p = prob[row - first_row]
                for k in range(size):
                    x, mk = panel.x[row, k], mean[k]
                    for s in range(n):
                        mk[s] += x * p[s]
                for f in range(n_fixed):
                    x, mf = x_fixed[row, f], mean_fixed[f]
                    for s in range(n):
                        mf[s] += x * p[s]
            for row in range(situations[t], situations[t + 1]):
                p = prob[row - first_row]
                total = 0.0
                for s in range(n):
                    p[s] *= w[first + s]
                    total += p[s]
                share[row] += total
                for k in range(size):
                    x, gk, mk = panel.x[row, k], g[k], mean[k]
                    for s in range(n):
                        gk[s] = p[s] * (x - mk[s])
                law_scores(mixture, beta, n, g)
                if moves:
                    moving_scores(mixture, i, first, n, g, extra)
                    for k in range(n_laws):
                        slopes[row, k] += extra[0, k]
                    for c in range(n_chol):
                        k = entries[0][c]
                        slopes[row, n_laws + c] += extra[1, k] * mixture.chol[k, entries[1][c]]
                    for k in range(size, n_loc):
                        slopes[row, n_chol + n_fixed + k] += extra[0, k]
                for k in range(size):
                    gk, d_k = g[k], slope[k]
                    total = 0.0
                    for s in range(n):
                        gk[s] *= d_k[s]
                        total += gk[s]
                    slopes[row, k if k < n_laws else n_chol + k] += total
                for c in range(n_chol):
                    column = u[entries[1][c], first : first + n]
                    slopes[row, n_laws + c] += dot(g[entries[0][c]], column, n)
                for f in range(n_fixed):
                    x, mf = x_fixed[row, f], mean_fixed[f]
                    total = 0.0
                    for s in range(n):
                        total += p[s] * (x - mf[s])
                    slopes[row, size + n_chol + f] += total


def share_slopes(
    panel: Panel, x_fixed: Array, base: Array, mixture: Mixture, entries: tuple[Indices, Indices]
) -> tuple[Array, Array]:
    """Shares ``s_itj = sum_s w_is P(j | beta_is)`` of every row (R,), and their derivatives.

    These (R, P) are with respect to the locations ``loc (K,)`` of the row's person, the ``entries``
    (rows and columns) of ``chol``, the locations of fixed willingness to pay, the fixed
    coefficients of ``x_fixed (R, F)``, and the laws' shapes:
    ``d s_itj / d loc_k = sum_s w_is p_js (x_jk - sum_l p_ls x_lk) d beta_ks / d b_ks``, and times
    ``u_ms`` for ``chol_km``, in laws of an index (`moving_scores` has what others add). Linear in
    what the nodes simulate, and so as unbiased as they are.
    """
    shares = np.zeros(len(base))
    slopes = np.zeros((len(base), mixture.loc.shape[1] + len(entries[0]) + x_fixed.shape[1]))
    n = len(panel.person_start) - 1
    given = Rows(panel, x_fixed, base)
    share(_share_slopes, n, given, mixture, entries, Shares(shares, slopes))
    return shares, slopes


@compiled(nogil=True, error_model="numpy")
def _share_slopes(  # pragma: no cover - compiled
    queue: Indices,
    given: Rows,
    mixture: Mixture,
    entries: tuple[Indices, Indices],
    out: Shares,
) -> None:
    n = given.panel.person_start.shape[0] - 1
    first = take(queue)
    while first < n:
        for i in range(first, min(first + queue[1], n)):
            _person(given, mixture, entries, i, out)
        first = take(queue)
