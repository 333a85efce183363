"""Latent classes: from the likelihoods within classes to that of a person.

``P_i = sum_c pi_ic P_i(theta_c)``, ``pi_ic = exp(gamma_c'z_i) / sum_d exp(gamma_d'z_i)``. Every
class is an ordinary problem, ``problem.within``, at a selection ``theta_c`` of the free vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesmix.arrays import Array
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem


def mean_shares(problem: Problem, theta: Array) -> Array:
    """Class shares (C,), averaged over the persons of the data with their weights."""
    shares = np.exp(Point(problem, theta).log_shares)
    weights = np.ones(1) if len(shares) == 1 else problem.data.weights
    mean: Array = weights @ shares / weights.sum()
    return mean


def over_classes(
    point: Point, logp: Sequence[Array], scores: Sequence[Array]
) -> tuple[Array, Array]:
    """``log P_i`` (n,) and its scores (n, P) of the point's persons, from those of each class.

    The score in the class's own entries is that of the class times ``h_ic``, the probability of the
    class given the choices; in ``gamma_c`` it is ``(h_ic - pi_ic) z_i``.
    """
    if len(point.classes) == 1:
        return logp[0], scores[0]
    space, prior = point.persons.parameters, point.log_shares
    total, posterior = posterior_classes(prior, np.stack(logp, axis=1))
    out = np.zeros((len(total), space.size))
    for c, own in enumerate(scores):
        out[:, space.select[c]] += posterior[:, [c]] * own
    z = point.persons.share_z
    change = (posterior - np.exp(prior))[:, 1:, None] * z[:, None, :]
    out[:, space.n_within :] = change.reshape(len(total), -1)
    return total, out


def posterior_classes(prior: Array, logp: Array) -> tuple[Array, Array]:
    """``log P_i`` (I,) and class probabilities given the choices (I, C).

    From log-shares (I or 1, C) and log-probabilities of the choices in each class (I, C).
    """
    joint = prior + logp
    top = joint.max(axis=1, keepdims=True)
    relative = np.exp(joint - top)
    total = relative.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], relative / total
