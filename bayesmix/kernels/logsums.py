"""Logsums in money: the expected utility of a choice set over the marginal utility of money."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled
from bayesmix.kernels.logit import BLOCK, Panel, log_probabilities, utility
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.substitution import Change, Offer, Sets
from bayesmix.kernels.threads import share, take


def money_logsums(panel: Panel, sets: Sets, base: Array, price: Change, mixture: Mixture) -> Array:
    """``sum_s w_is log(sum_j exp v_tjs) / |alpha_ts|`` (T,), ``alpha`` the slope in the price.

    ``price`` has a row for each situation. NaN where its slope is not negative at some node.
    """
    out = np.zeros(len(panel.situation_start) - 1)
    offer = Offer(panel, sets, base)
    share(_money_logsums, len(sets.person_start) - 1, offer, price, mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _money_logsums(  # pragma: no cover - compiled
    queue: Indices, offer: Offer, price: Change, mixture: Mixture, out: Array
) -> None:
    panel, sets, base = offer.panel, offer.sets, offer.base
    situations, n_persons = panel.situation_start, sets.person_start.shape[0] - 1
    n_coefficients, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    width, widest = min(BLOCK, n_nodes), 1
    for t in range(situations.shape[0] - 1):
        widest = max(widest, situations[t + 1] - situations[t])
    prob, logp, alpha = np.empty((widest, width)), np.empty(width), np.empty(width)
    beta, slope = np.empty((n_coefficients, width)), np.empty((n_coefficients, width))
    start = take(queue)
    while start < n_persons:
        for i in range(start, min(start + queue[1], n_persons)):
            w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
            for first in range(0, n_nodes, BLOCK):
                n = min(BLOCK, n_nodes - first)
                coefficients(mixture, i, first, n, beta, slope)
                for t in range(sets.person_start[i], sets.person_start[i + 1]):
                    # Nothing is chosen in these panels: the log-probability is minus the logsum.
                    log_probabilities(panel, t, base, beta, logp[:n], prob)
                    utility(price.x[t], beta, price.base[t], alpha, n)
                    total = 0.0
                    for s in range(n):
                        if alpha[s] < 0.0:
                            total += w[first + s] * logp[s] / alpha[s]
                        else:
                            total = np.nan
                    out[t] += total
        start = take(queue)
