"""Probabilities of choices given each person's own coefficients: one beta a person, no grid.

The kernel of the hierarchical path. With a single node there is nothing to vectorise over, and the
loops run over coefficients instead.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import compiled
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import Panel


@compiled(nogil=True, fastmath={"contract"}, error_model="numpy")
def conditional_log_probabilities(  # pragma: no cover - compiled
    panel: Panel, base: Array, beta: Array
) -> tuple[Array, Array, Array]:
    """``log P(y_i | beta_i)`` and its derivatives, on the calling thread.

    Parameters
    ----------
    panel
        Choices of n persons.
    base
        Utilities (R,) of what does not vary over persons.
    beta
        Coefficients (n, K).

    Returns
    -------
    tuple
        Log-probabilities (n,), their derivatives with respect to ``beta`` (n, K) and ``base`` (R,).
    """
    n, size = beta.shape
    x, situations = panel.x, panel.situation_start
    logp, d_beta = np.zeros(n), np.zeros((n, size))
    d_base = np.empty(base.shape[0])
    for i in range(n):
        for t in range(panel.person_start[i], panel.person_start[i + 1]):
            start, end = situations[t], situations[t + 1]
            top = 0.0 if panel.outside else -np.inf
            for row in range(start, end):
                v = base[row]
                for k in range(size):
                    v += x[row, k] * beta[i, k]
                d_base[row] = v
                top = max(top, v)
            chosen = panel.chosen_row[t]
            logp[i] += (d_base[chosen] if chosen >= 0 else 0.0) - top
            total = math.exp(-top) if panel.outside else 0.0
            for row in range(start, end):
                d_base[row] = exp(d_base[row] - top)
                total += d_base[row]
            logp[i] -= math.log(total)
            for row in range(start, end):
                d_base[row] = -d_base[row] / total
                if row == chosen:
                    d_base[row] += 1.0
                for k in range(size):
                    d_beta[i, k] += d_base[row] * x[row, k]
    return logp, d_beta, d_base
