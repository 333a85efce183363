"""Weights of models in a mixture of their predictions (Yao, Vehtari, Simpson and Gelman 2018)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from bayesmix.arrays import Array

STEPS = 200
"""Steps of EM, which are short where models hardly differ; a quadratic programme goes on."""
ENOUGH = 1e-10
NONE = 1e-6
"""Weights below which searches stop short of 0, where the mixture is as good without them."""


def stacking_weights(scores: Array, weights: Array) -> Array:
    """Weights (M,) that make the mixture's log score largest: at least 0, of sum 1.

    ``sum_i w_i log sum_m a_m exp(s_im)`` is concave in ``a``; each step of EM raises it, and
    where it is slow sequential quadratic programming ends the search.

    Parameters
    ----------
    scores
        ``log p(y_i | others)`` (n, M) of each observation and model.
    weights
        Of the observations (n,).

    Examples
    --------
    >>> even = stacking_weights(np.log([[0.8, 0.2], [0.2, 0.8]]), np.ones(2))
    >>> even.round(6).tolist()
    [0.5, 0.5]
    >>> stacking_weights(np.log([[0.8, 0.2], [0.7, 0.6]]), np.ones(2)).round(6).tolist()
    [1.0, 0.0]
    >>> stacking_weights(np.array([[-np.inf, -np.inf], [-1.0, -np.inf]]), np.ones(2)).tolist()
    [1.0, 0.0]
    """
    found = np.full(scores.shape[1], 1 / scores.shape[1])
    # What no model thought possible has no logarithm under any mixture, and tells none from others.
    told = np.isfinite(scores.max(axis=1))
    if not told.any():
        return found
    scores, weights = scores[told], weights[told]
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    part = weights / weights.sum()
    for _ in range(STEPS):
        # The slopes of the log score: at most 1 everywhere, where nothing can be gained.
        slopes = part @ (p / (p @ found)[:, None])
        if slopes.max() - 1 < ENOUGH:
            return _without(np.asarray(found / found.sum()), p, part)
        found = found * slopes
    return _without(_polished(p, part, found / found.sum()), p, part)


def _without(found: Array, p: Array, part: Array) -> Array:
    """0 for weights that are next to 0, unless the mixture's log score is the less for it."""
    fewer = np.where(found < NONE, 0.0, found)
    fewer = fewer / fewer.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        gained = float(part @ (np.log(p @ fewer) - np.log(p @ found)))
    return fewer if gained >= -ENOUGH else found


def _polished(p: Array, part: Array, start: Array) -> Array:
    """Weights at which the mixture's log score is larger, from those near its maximum."""

    def lost(weights: Array) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return -float(part @ np.log(p @ weights))

    # What models hardly differ by is of the size of one.
    unit = max(float(np.ptp(part @ (p / (p @ start)[:, None]))), ENOUGH)
    found = minimize(
        lambda w: lost(w) / unit,
        start,
        jac=lambda w: -(part @ (p / (p @ w)[:, None])) / unit,
        bounds=[(0.0, 1.0)] * len(start),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": np.ones_like},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    ).x
    found = np.maximum(found, 0.0)
    found = found / found.sum()
    return found if lost(found) <= lost(start) else start
