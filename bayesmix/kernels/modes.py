"""Where each person's likelihood is: modes and curvature in the space of standard normals.

With ``b = loc + L z`` and ``z ~ N(0, I)`` the mode of ``l_i(z) - z'z / 2`` is found by damped
Newton steps. In this space the prior's curvature is the identity, so that the problem is well
scaled even where a standard deviation is nearly 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.laws import MAP, MOVES, law_at, law_bend, row_length
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.one_point import There, coefficients_at, log_probability_at
from bayesmix.kernels.threads import share, take

STEP = 3.0
REACH = 9.0
ITERATIONS = 50
TOLERANCE = 1e-6
# A pivot of the curvature below this (the prior's is 1) is a flat or saddle direction: there the
# expected information, which is never below the prior's, places the nodes.
LEAST_CURVATURE = 0.25


class Slopes(NamedTuple):
    """Gradient (K,), and minus the expected and the observed second derivatives (K, K)."""

    gradient: Array
    expected: Array
    observed: Array


class Curve(NamedTuple):
    """Score (C,) and information (C, C) in coefficients or in the index.

    ``bend`` (C, C) is ``sum_k score_k d2 beta_k / db db'``, what the information leaves out.
    """

    score: Array
    information: Array
    bend: Array


class Modes(NamedTuple):
    """Modes (n, K), precisions (n, K, K), and who converged (n,)."""

    z: Array
    precision: Array
    converged: Flags


@part(error_model="numpy")
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


@part(error_model="numpy")
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


@part(error_model="numpy")
def _norm(a: Array) -> float:  # pragma: no cover - compiled
    total = 0.0
    for k in range(a.shape[0]):
        total += a[k] * a[k]
    return math.sqrt(total)


@part(error_model="numpy")
def _to_indices(  # pragma: no cover - compiled
    mixture: Mixture, i: int, z: Array, there: There, curve: Curve
) -> None:
    """Score and information in beta become those in the index b."""
    score, information, bend = curve.score, curve.information, curve.bend
    beta, slope = there.beta, there.slope
    size, price = len(score), mixture.price
    if price >= 0:
        # beta_k = -a w_k: the derivative of beta_k is -a by w_k, and -w_k = beta_k / a by a.
        a = beta[price]
        for k in range(size):
            if k != price:
                bend[k, price] = bend[price, k] = -score[k]
                score[price] += score[k] * beta[k] / a
                score[k] *= -a
        for _ in range(2):
            for row in range(size):
                for k in range(size):
                    if k != price:
                        information[row, price] += information[row, k] * beta[k] / a
                        information[row, k] *= -a
            for k in range(size):
                for j in range(k):
                    upper = information[j, k]
                    information[j, k] = information[k, j]
                    information[k, j] = upper
    for k in range(size):
        for j in range(size):
            information[k, j] *= slope[k] * slope[j]
            bend[k, j] *= slope[k] * slope[j]
        if mixture.laws[k, MAP] != 0:
            loc = mixture.loc[min(i, mixture.loc.shape[0] - 1)]
            x = 0.0
            for j in range(k + 1):
                x += mixture.chol[k, j] * z[j]
            if mixture.laws[k, MOVES] == 0:
                x += loc[k]
            at = law_at(mixture.laws, k, loc, row_length(mixture.chol[k]))
            bend[k, k] += score[k] * law_bend(mixture.laws, mixture.known, k, x, at)
        score[k] *= slope[k]


@part(error_model="numpy")
def _derivatives(  # pragma: no cover - compiled
    panel: Panel, i: int, mixture: Mixture, z: Array, there: There, out: Slopes
) -> None:
    """Slopes of the height in z, without the prior's own."""
    prob, x, chol = there.prob, panel.x, mixture.chol
    size = x.shape[1]
    score, information, mean = np.zeros(size), np.zeros((size, size)), np.empty(size)
    first_row = panel.situation_start[panel.person_start[i]]
    for t in range(panel.person_start[i], panel.person_start[i + 1]):
        for k in range(size):
            mean[k] = 0.0
        for row in range(panel.situation_start[t], panel.situation_start[t + 1]):
            p = prob[row - first_row]
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
    _to_indices(mixture, i, z, there, Curve(score, information, bend))
    _sandwich(chol, information, out.expected)
    for k in range(size):
        for j in range(size):
            information[k, j] -= bend[k, j]
    _sandwich(chol, information, out.observed)
    for j in range(chol.shape[1]):
        out.gradient[j] = 0.0
        for k in range(j, size):
            out.gradient[j] += chol[k, j] * score[k]


@part(error_model="numpy")
def _cholesky(a: Array, out: Array, least: float) -> bool:  # pragma: no cover - compiled
    """Lower Cholesky factor; False where a pivot falls below ``least``."""
    n = a.shape[0]
    for j in range(n):
        for i in range(j):
            out[i, j] = 0.0
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


@part(error_model="numpy")
def _height(  # pragma: no cover - compiled
    panel: Panel, i: int, base: Array, mixture: Mixture, z: Array, there: There
) -> float:
    """``l_i(z) - z'z / 2``; leaves coefficients and probabilities in ``there``."""
    coefficients_at(mixture, i, z, there)
    return log_probability_at(panel, i, base, there) - 0.5 * _norm(z) ** 2


@part(error_model="numpy")
def _mode(  # pragma: no cover - compiled
    panel: Panel, i: int, base: Array, mixture: Mixture, z: Array, precision: Array
) -> bool:
    size, n_coefficients = z.shape[0], mixture.laws.shape[0]
    start, end = panel.person_start[i], panel.person_start[i + 1]
    n_rows = panel.situation_start[end] - panel.situation_start[start]
    there = There(
        np.empty(n_coefficients), np.empty(n_coefficients), np.empty(n_rows), np.empty(end - start)
    )
    gradient, expected = np.empty(size), np.empty((size, size))
    observed, factor = np.empty((size, size)), np.empty((size, size))
    slopes = Slopes(gradient, expected, observed)
    step, trial = np.empty(size), np.empty(size)
    height = _height(panel, i, base, mixture, z, there)
    converged = False
    for _ in range(ITERATIONS):
        _derivatives(panel, i, mixture, z, there, slopes)
        for k in range(size):
            gradient[k] -= z[k]
        if _norm(gradient) < TOLERANCE:
            converged = True
            break
        if not _cholesky(observed, factor, LEAST_CURVATURE):
            _cholesky(expected, factor, 0.0)
        _solve(factor, gradient, step)
        length = _norm(step)
        if length > STEP:
            for k in range(size):
                step[k] *= STEP / length
        accepted = False
        for _ in range(30):
            for k in range(size):
                trial[k] = z[k] + step[k]
            distance = _norm(trial)
            if distance > REACH:
                for k in range(size):
                    trial[k] *= REACH / distance
            new_height = _height(panel, i, base, mixture, trial, there)
            if new_height > height:
                accepted = True
                break
            for k in range(size):
                step[k] *= 0.5
        if not accepted:
            # No representable step climbs any more: rounding, or the bound of the search.
            _height(panel, i, base, mixture, z, there)
            _derivatives(panel, i, mixture, z, there, slopes)
            converged = _norm(z) < 0.999 * REACH
            break
        for k in range(size):
            z[k] = trial[k]
        height = new_height
    curved = _cholesky(observed, factor, LEAST_CURVATURE)
    for k in range(size):
        for j in range(size):
            precision[k, j] = observed[k, j] if curved else expected[k, j]
    return converged


def find_modes(panel: Panel, base: Array, mixture: Mixture, start: Array) -> Modes:
    """The mode of every person's posterior in z, from ``start`` (n, K), and the precision there.

    The nodes of ``mixture`` are not used. Who converged did so within the bounds (steps of 3 prior
    standard deviations, 9 in all).
    """
    n, size = start.shape
    found = Modes(start.copy(), np.empty((n, size, size)), np.empty(n, dtype=np.bool_))
    share(_find_modes, n, panel, base, mixture, found)
    return found


@compiled(nogil=True, error_model="numpy")
def _find_modes(  # pragma: no cover - compiled
    queue: Indices, panel: Panel, base: Array, mixture: Mixture, out: Modes
) -> None:
    n = out.z.shape[0]
    first = take(queue)
    while first < n:
        for i in range(first, min(first + queue[1], n)):
            out.converged[i] = _mode(panel, i, base, mixture, out.z[i], out.precision[i])
        first = take(queue)
