"""Choice probabilities of every row, averaged over the nodes of a grid."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from bayesmix.likelihood.integrate import Mixture, coefficients
from bayesmix.likelihood.kernels import BLOCK, Panel, dot, log_probabilities

Array = NDArray[np.float64]


@njit(cache=True, parallel=True, error_model="numpy")
def row_shares(panel: Panel, base: Array, mixture: Mixture) -> Array:  # pragma: no cover - compiled
    """``s_itj = sum_s w_is P(j | beta_is)`` for every row (R,), persons shared among threads.

    The choices in ``panel`` do not matter. What the rows of a situation leave of 1 is the share of
    the outside option.
    """
    n_persons, size = panel.person_start.shape[0] - 1, mixture.loc.shape[1]
    n_nodes = mixture.nodes.shape[2]
    out = np.zeros(base.shape[0])
    for person in prange(n_persons):
        i = np.int64(person)
        first_row = panel.situation_start[panel.person_start[i]]
        n_rows = panel.situation_start[panel.person_start[i + 1]] - first_row
        w = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
        width = min(BLOCK, n_nodes)
        prob, beta = np.empty((n_rows, width)), np.empty((size, width))
        slope, node_logp = np.empty((size, width)), np.empty(width)
        for first in range(0, n_nodes, BLOCK):
            n = min(BLOCK, n_nodes - first)
            coefficients(mixture, i, first, n, beta, slope)
            log_probabilities(panel, i, base, beta, n, node_logp, prob)
            for row in range(n_rows):
                out[first_row + row] += dot(prob[row], w[first : first + n], n)
    return out
