"""Where each person's likelihood is: modes and curvature in the space of standard normals.

With ``b = loc + L z`` and ``z ~ N(0, I)`` the mode of ``l_i(z) - z'z / 2`` is found by damped
Newton steps. In this space the prior's curvature is the identity, so that the problem is well
scaled even where a standard deviation is nearly 0.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from bayesmix.arrays import Array, Flags
from bayesmix.kernels.compiling import compiled, signed
from bayesmix.kernels.laws import MAP, MOVES, law_at, law_bend, row_length
from bayesmix.kernels.logit import Panel, log_probabilities
from bayesmix.kernels.mixture import Mixture, coefficients

STEP = 3.0
REACH = 9.0
ITERATIONS = 50
TOLERANCE = 1e-6
# A pivot of the curvature below this (the prior's is 1) is a flat or saddle direction: there the
# expected information, which is never below the prior's, places the nodes.
LEAST_CURVATURE = 0.25


@compiled(error_model="numpy")
def _sandwich(chol: Array, middle: Array, out: Array) -> None:  # pragma: no cover - compiled
    """``L' M L + I``."""
    size, n_laws = chol.shape
    for a in range(n_laws):
        for b in range(n_laws):
            total = 1.0 if a == b else 0.0
            for k in range(a, size):
                for j in range(b, size):
                    total += chol[k, a] * middle[k, j] * chol[j, b]
            out[a, b] = total


@compiled(error_model="numpy")
def _solve(factor: Array, b: Array, out: Array) -> None:  # pragma: no cover - compiled
    """Solution of ``C C' x = b`` for a lower-triangular C."""
    n = b.shape[0]
    for k in range(n):
        total = b[k]
        for j in range(k):
            total -= factor[k, j] * out[j]
        out[k] = total / factor[k, k]
    for k in range(n - 1, -1, -1):
        total = out[k]
        for j in range(k + 1, n):
            total -= factor[j, k] * out[j]
        out[k] = total / factor[k, k]


@compiled(error_model="numpy")
def _norm(a: Array) -> float:  # pragma: no cover - compiled
    total = 0.0
    for k in range(a.shape[0]):
        total += a[k] * a[k]
    return math.sqrt(total)


@compiled(error_model="numpy")
def _to_indices(  # pragma: no cover - compiled
    mixture: Mixture,
    i: int,
    z: Array,
    work: tuple[Array, ...],
    score: Array,
    information: Array,
    bend: Array,
) -> None:
    """Score (C,) and information (C, C) in beta become those in the index b.

    ``bend`` is ``sum_k score_k d2 beta_k / db db'``, what the information leaves out.
    """
    beta, slope, _, _ = work
    size, price = len(score), mixture.price
    if price >= 0:
        # beta_k = -a w_k: the derivative of beta_k is -a by w_k, and -w_k = beta_k / a by a.
        a = beta[price, 0]
        for k in range(size):
            if k != price:
                bend[k, price] = bend[price, k] = -score[k]
                score[price] += score[k] * beta[k, 0] / a
                score[k] *= -a
        for _ in range(2):
            for row in range(size):
                for k in range(size):
                    if k != price:
                        information[row, price] += information[row, k] * beta[k, 0] / a
                        information[row, k] *= -a
            information[:] = information.T.copy()
    for k in range(size):
        for j in range(size):
            information[k, j] *= slope[k, 0] * slope[j, 0]
            bend[k, j] *= slope[k, 0] * slope[j, 0]
        if mixture.laws[k, MAP] != 0:
            loc = mixture.loc[min(i, mixture.loc.shape[0] - 1)]
            x = 0.0
            for j in range(k + 1):
                x += mixture.chol[k, j] * z[j]
            if mixture.laws[k, MOVES] == 0:
                x += loc[k]
            at = law_at(mixture.laws, k, loc, row_length(mixture.chol[k]))
            bend[k, k] += score[k] * law_bend(mixture.laws, mixture.known, k, x, at)
        score[k] *= slope[k, 0]


@compiled(error_model="numpy")
def _derivatives(  # pragma: no cover - compiled
    panel: Panel,
    i: int,
    mixture: Mixture,
    z: Array,
    work: tuple[Array, ...],
    gradient: Array,
    expected: Array,
    observed: Array,
) -> None:
    """Gradient (K,) and minus the expected and observed second derivatives (K, K) in z."""
    prob = work[3]
    x, chol = panel.x, mixture.chol
    size = x.shape[1]
    score, information, mean = np.zeros(size), np.zeros((size, size)), np.empty(size)
    first_row = panel.situation_start[panel.person_start[i]]
    for t in range(panel.person_start[i], panel.person_start[i + 1]):
        mean[:] = 0.0
        for row in range(panel.situation_start[t], panel.situation_start[t + 1]):
            p = prob[row - first_row, 0]
            for k in range(size):
                xp = x[row, k] * p
                mean[k] += xp
                for j in range(k + 1):
                    information[k, j] += xp * x[row, j]
        chosen = panel.chosen_row[t]
        for k in range(size):
            score[k] -= mean[k]
            if chosen >= 0:
                score[k] += x[chosen, k]
            for j in range(k + 1):
                information[k, j] -= mean[k] * mean[j]
    for k in range(size):
        for j in range(k):
            information[j, k] = information[k, j]
    bend = np.zeros((size, size))
    _to_indices(mixture, i, z, work, score, information, bend)
    _sandwich(chol, information, expected)
    information -= bend
    _sandwich(chol, information, observed)
    for j in range(chol.shape[1]):
        gradient[j] = 0.0
        for k in range(j, size):
            gradient[j] += chol[k, j] * score[k]


@compiled(error_model="numpy")
def _cholesky(a: Array, out: Array, least: float) -> bool:  # pragma: no cover - compiled
    """Lower Cholesky factor; False where a pivot falls below ``least``."""
    n = a.shape[0]
    out[:] = 0.0
    for j in range(n):
        pivot = a[j, j]
        for k in range(j):
            pivot -= out[j, k] * out[j, k]
        if not pivot > least:
            return False
        out[j, j] = math.sqrt(pivot)
        for i in range(j + 1, n):
            total = a[i, j]
            for k in range(j):
                total -= out[i, k] * out[j, k]
            out[i, j] = total / out[j, j]
    return True


@compiled(error_model="numpy")
def _height(  # pragma: no cover - compiled
    panel: Panel, i: int, base: Array, mixture: Mixture, z: Array, work: tuple[Array, ...]
) -> float:
    """``l_i(z) - z'z / 2``; leaves coefficients and probabilities in the work arrays."""
    beta, slope, logp, prob = work
    here = Mixture(
        mixture.loc[min(i, mixture.loc.shape[0] - 1) : min(i, mixture.loc.shape[0] - 1) + 1],
        mixture.chol,
        mixture.laws,
        z.reshape(1, z.shape[0], 1),
        mixture.weights,
        mixture.price,
        mixture.known,
        mixture.tables,
    )
    coefficients(here, 0, 0, 1, beta, slope)
    log_probabilities(panel, i, base, beta, 1, logp, prob)
    return logp[0] - 0.5 * _norm(z) ** 2


@compiled(error_model="numpy")
def _mode(  # pragma: no cover - compiled
    panel: Panel, i: int, base: Array, mixture: Mixture, z: Array, precision: Array
) -> bool:
    size, n_coefficients = z.shape[0], mixture.laws.shape[0]
    start, end = panel.person_start[i], panel.person_start[i + 1]
    n_rows = panel.situation_start[end] - panel.situation_start[start]
    beta, slope = np.empty((n_coefficients, 1)), np.empty((n_coefficients, 1))
    work = (beta, slope, np.empty(1), np.empty((n_rows, 1)))
    gradient, expected = np.empty(size), np.empty((size, size))
    observed, factor = np.empty((size, size)), np.empty((size, size))
    step, trial = np.empty(size), np.empty(size)
    height = _height(panel, i, base, mixture, z, work)
    converged = False
    for _ in range(ITERATIONS):
        _derivatives(panel, i, mixture, z, work, gradient, expected, observed)
        gradient -= z
        if _norm(gradient) < TOLERANCE:
            converged = True
            break
        if not _cholesky(observed, factor, LEAST_CURVATURE):
            _cholesky(expected, factor, 0.0)
        _solve(factor, gradient, step)
        length = _norm(step)
        if length > STEP:
            step *= STEP / length
        accepted = False
        for _ in range(30):
            trial[:] = z + step
            distance = _norm(trial)
            if distance > REACH:
                trial *= REACH / distance
            new_height = _height(panel, i, base, mixture, trial, work)
            if new_height > height:
                accepted = True
                break
            step *= 0.5
        if not accepted:
            # No representable step climbs any more: rounding, or the bound of the search.
            _height(panel, i, base, mixture, z, work)
            _derivatives(panel, i, mixture, z, work, gradient, expected, observed)
            converged = _norm(z) < 0.999 * REACH
            break
        z[:] = trial
        height = new_height
    if _cholesky(observed, factor, LEAST_CURVATURE):
        precision[:] = observed
    else:
        precision[:] = expected
    return converged


@compiled(parallel=True, error_model="numpy")
def find_modes(  # pragma: no cover - compiled
    panel: Panel, base: Array, mixture: Mixture, start: Array
) -> tuple[Array, Array, Flags]:
    """Modes (n, K) and precisions (n, K, K) of every person's posterior in z, from ``start``.

    The nodes of ``mixture`` are not used. The third result tells who converged within the bounds
    (steps of 3 prior standard deviations, 9 in all).
    """
    n, size = start.shape
    modes, precisions = start.copy(), np.empty((n, size, size))
    converged = np.empty(n, dtype=np.bool_)
    for i in prange(n):
        converged[i] = _mode(panel, signed(i), base, mixture, modes[i], precisions[i])
    return modes, precisions, converged
