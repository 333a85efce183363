"""Weights of a mixture of given points: a convex problem, solved to a certificate.

``max sum_i w_i log sum_m pi_m f_im`` over the simplex. The directional derivative towards
the point ``m`` is ``d_m = sum_i w_i f_im / f_i - sum_i w_i``; weights are a maximum where none is
above 0, and the maximum is nowhere more than ``max_m d_m`` nats higher (Lindsay 1983).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr
from scipy.optimize import nnls

from bayesmix.arrays import Array
from bayesmix.errors import ConvergenceError

METHODS = ("newton", "em")
NEW_POINTS = 24
"""Points of the largest directional derivatives that a Newton step may give weight to."""
NEWTON_STEPS, EM_STEPS = 500, 20_000
HALVINGS = 40


@dataclass(frozen=True, eq=False)
class MixingWeights:
    """Weights of points, and how far they are from a maximum.

    Parameters
    ----------
    weights
        (M,), which sum to 1.
    slopes
        Directional derivatives (M,) towards each point, nats.
    loglik
        Log-likelihood, relative to that of the likelihoods given.
    steps
        Iterations.
    """

    weights: Array
    slopes: Array
    loglik: float
    steps: int

    @property
    def gap(self) -> float:
        """Nats by which no weights of these points can do better."""
        return float(max(self.slopes.max(), 0.0))


def slopes_at(likelihoods: Array, persons: Array, weights: Array) -> tuple[Array, float]:
    """Directional derivatives (M,) and log-likelihood at weights (M,).

    Parameters
    ----------
    likelihoods
        Probabilities (I, M) of each person's choices at each point, each row in any unit.
    persons
        Weights (I,) of persons.
    weights
        Weights (M,) of the points.
    """
    used = np.flatnonzero(weights)
    mixed = likelihoods[:, used] @ weights[used]
    with np.errstate(divide="ignore", invalid="ignore"):
        return (persons / mixed) @ likelihoods - persons.sum(), float(persons @ np.log(mixed))


def newton_weights(
    likelihoods: Array, persons: Array, start: Array, tolerance: float
) -> MixingWeights:
    """Constrained Newton steps on few points at a time (Wang 2007), until the gap is small.

    Each step takes the points that have weight and those of the largest directional derivatives,
    and minimises the quadratic approximation ``sum_i w_i (sum_m pi_m f_im / f_i - 2)^2`` over the
    simplex: a problem of non-negative least squares (Dax 1990). Its solution has exact zeros.

    Raises
    ------
    ConvergenceError
        If the gap stays above the tolerance.
    """
    weights = start / start.sum()
    slopes, value = slopes_at(likelihoods, persons, weights)
    for step in range(NEWTON_STEPS):
        if slopes.max() <= tolerance:
            return MixingWeights(weights, slopes, value, step)
        new = np.argsort(-slopes)[:NEW_POINTS]
        active = np.union1d(np.flatnonzero(weights), new[slopes[new] > 0.0])
        mixed = likelihoods[:, active] @ weights[active]
        ratios = likelihoods[:, active] / mixed[:, None] - 2.0
        move = np.zeros_like(weights)
        move[active] = least_on_simplex(np.sqrt(persons)[:, None] * ratios)
        move -= weights
        gain = float(slopes @ move)
        rounding = 1e-14 * (1.0 + float(np.abs(value)))
        for halving in range(HALVINGS):
            trial = weights + move / 2.0**halving
            trial_slopes, trial_value = slopes_at(likelihoods, persons, trial)
            if trial_value >= value + 1e-4 * gain / 2.0**halving - rounding:
                break
        else:
            break  # the log-likelihood's last digits
        # What a whole step takes to 0 is 0 to the bit.
        weights = np.where(trial > 1e-300, trial, 0.0)
        slopes, value = trial_slopes, trial_value
    if slopes.max() <= tolerance:
        return MixingWeights(weights, slopes, value, step)
    raise _stopped("Newton steps", slopes, tolerance)


def em_weights(likelihoods: Array, persons: Array, start: Array, tolerance: float) -> MixingWeights:
    """Iterations of EM, squared (Varadhan and Roland 2008), until the gap is small.

    ``pi_m <- pi_m (1 + d_m / sum_i w_i)``: weights fall to 0 and never reach it.

    Raises
    ------
    ConvergenceError
        If the gap stays above the tolerance.
    """
    total = persons.sum()
    weights = start / start.sum()
    for step in range(0, EM_STEPS, 3):
        slopes, value = slopes_at(likelihoods, persons, weights)
        if slopes.max() <= tolerance:
            return MixingWeights(weights, slopes, value, step)
        one = weights * (1.0 + slopes / total)
        two = one * (1.0 + slopes_at(likelihoods, persons, one)[0] / total)
        first, second = one - weights, two - 2.0 * one + weights
        length = np.linalg.norm(first) / max(np.linalg.norm(second), 1e-300)
        jump = weights + 2.0 * length * first + length**2 * second
        better = bool(length > 1.0 and (jump >= 0.0).all())
        if better:
            better = slopes_at(likelihoods, persons, jump)[1] >= value
        weights = jump if better else two
        weights = weights / weights.sum()
    raise _stopped("EM iterations", slopes, tolerance)


def least_on_simplex(matrix: Array) -> Array:
    """Weights (M,) on the simplex that minimise ``|matrix @ weights|``, for a matrix (N, M).

    The nearest point of a polytope to 0 (Dax 1990): non-negative least squares of the matrix with
    a row of ones on ``(0, .., 0, 1)``, over their sum.

    Examples
    --------
    >>> import numpy as np
    >>> least_on_simplex(np.array([[1.0, -3.0]])).round(12).tolist()
    [0.75, 0.25]
    """
    scale = np.linalg.norm(matrix) / np.sqrt(matrix.shape[1]) or 1.0
    system = np.vstack([matrix / scale, np.ones(matrix.shape[1])])
    target = np.zeros(len(system))
    target[-1] = 1.0
    return _simplex(system, target)


def _simplex(system: Array, target: Array) -> Array:
    if len(system) > system.shape[1] + 1:
        triangle = qr(np.column_stack([system, target]), mode="r")[0][: system.shape[1] + 1]
        system, target = triangle[:, :-1], triangle[:, -1]
    found, _ = nnls(system, target, maxiter=30 * system.shape[1])
    weights: Array = found / found.sum()
    return weights


def _stopped(words: str, slopes: Array, tolerance: float) -> ConvergenceError:
    return ConvergenceError(
        f"weights of types: {words} end at a directional derivative of {slopes.max():.2g} nats, "
        f"above the tolerance of {tolerance:g}: ask for a larger tolerance="
    )
