"""Weights of given points that are a logit of functions of the points (Train 2016).

``max sum_i w_i log sum_m pi_m f_im`` over ``alpha`` (Q,), with ``pi_m = exp(z_m'alpha) / sum_n
exp(z_n'alpha)``. With ``h_im = pi_m f_im / f_i`` the gradient is ``sum_i w_i (E_h z - E_pi z)``,
and the curvature ``sum_i w_i (Cov_pi z - Cov_h z)``, whose first part alone is that of EM and leads
upwards from anywhere (Lange 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array
from bayesmix.errors import ConvergenceError

STEPS, HALVINGS = 2_000, 40
GAIN = 1e-9
"""Nats that a whole Newton step promises, below which it is the last."""
NOTHING, PATIENCE = 1e-3, 10
"""Nats that so many steps gain at least: where weights fall to 0, coefficients have no end."""
RIDGE = 1e-12
FLOOR = 1e-6
"""Least curvature of a direction, as a part of EM's."""
LONGEST = 2.0


@dataclass(frozen=True, eq=False)
class WeightLogit:
    """Coefficients of the weights, and what is known at them.

    Parameters
    ----------
    alpha
        (Q,).
    weights
        (M,), which sum to 1.
    loglik
        Relative to that of the likelihoods given.
    curvature
        (Q, Q), minus the Hessian.
    scores
        By person (I, Q), without the persons' weights.
    """

    alpha: Array
    weights: Array
    loglik: float
    curvature: Array
    scores: Array


def logit_weights(likelihoods: Array, persons: Array, basis: Array, start: Array) -> WeightLogit:
    """The best coefficients, by Newton's method with steps that raise the log-likelihood.

    Parameters
    ----------
    likelihoods
        Probabilities (I, M) of each person's choices at each point, each row in any unit.
    persons
        Weights (I,) of persons.
    basis
        Functions ``z`` (M, Q) of the points.
    start
        (Q,).

    Raises
    ------
    ConvergenceError
        If steps do not settle.
    """
    here = _at(likelihoods, persons, basis, start)
    values = [here.loglik]
    for _ in range(STEPS):
        gradient = persons @ here.scores
        step = _step(here, gradient, persons, basis)
        promised = 0.5 * float(gradient @ step)
        if promised < GAIN:
            return here
        for halving in range(HALVINGS):
            trial = _at(likelihoods, persons, basis, here.alpha + step / 2.0**halving)
            if trial.loglik > here.loglik:
                break
        else:
            return here  # the log-likelihood's last digits
        here = trial
        values.append(here.loglik)
        if len(values) > PATIENCE and values[-1] - values[-1 - PATIENCE] < NOTHING:
            return here
    raise ConvergenceError(
        f"the coefficients of the weights have not settled in {STEPS} steps: ask for fewer of them "
        "with size=, or for points where people are"
    )


def _step(here: WeightLogit, gradient: Array, persons: Array, basis: Array) -> Array:
    """Newton's step, with eigenvalues by their size, in units of EM's curvature.

    No longer than that the logarithms of weights move by `LONGEST`, their standard deviation.
    """
    apart = basis - here.weights @ basis
    own = (apart * here.weights[:, None]).T @ apart
    own[np.diag_indices_from(own)] *= 1.0 + RIDGE
    own[np.diag_indices_from(own)] += RIDGE * np.trace(own) / len(own)
    unit = np.linalg.inv(np.linalg.cholesky(own)).T
    values, vectors = np.linalg.eigh(unit.T @ here.curvature @ unit)
    floor = FLOOR * persons.sum()
    step = vectors @ ((vectors.T @ (unit.T @ gradient)) / np.maximum(np.abs(values), floor))
    length = float(np.linalg.norm(step))
    moved: Array = unit @ (step * min(1.0, LONGEST / max(length, 1e-300)))
    return moved


def _at(likelihoods: Array, persons: Array, basis: Array, alpha: Array) -> WeightLogit:
    weights = weights_of(basis, alpha)
    joint = likelihoods * weights
    mixed = joint.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        posterior = joint / mixed[:, None]
        loglik = float(persons @ np.log(mixed))
    means = posterior @ basis
    centre = weights @ basis
    together = persons @ posterior
    # sum_i w_i Cov_h z = sum_m (sum_i w_i h_im) z_m z_m' - sum_i w_i E_h z E_h z'
    within = (basis * together[:, None]).T @ basis - (means * persons[:, None]).T @ means
    apart = basis - centre
    between = persons.sum() * (apart * weights[:, None]).T @ apart
    return WeightLogit(alpha, weights, loglik, between - within, means - centre)


def weights_of(basis: Array, alpha: Array) -> Array:
    """``exp(z_m'alpha)`` over their sum (M,).

    >>> weights_of(np.array([[0.0], [np.log(3.0)]]), np.ones(1)).round(12).tolist()
    [0.25, 0.75]
    """
    index = basis @ alpha
    odds: Array = np.exp(index - index.max())
    return np.asarray(odds / odds.sum())
