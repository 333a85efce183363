"""Choices given each person's own coefficients: log-probabilities, and derivatives with these."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.given_coefficients import conditional_log_probabilities
from bayesmix.kernels.laws import law_table
from bayesmix.likelihood.chain import scores
from bayesmix.likelihood.point import Point


class Given(NamedTuple):
    """Of n persons.

    Parameters
    ----------
    logp
        Log-probability (n,) of each person's choices.
    by_deviation
        Its derivatives (n, K) by the person's deviations ``d = L u``.
    scores
        By the free vector (n, P) where deviations stay.
    by_row
        By the utilities (R,) of rows.
    """

    logp: Array
    by_deviation: Array
    scores: Array
    by_row: Array


def given_normals(point: Point, u: Array) -> Given:
    """Choices of everybody, given standard normals ``u`` (n, K): on the calling thread.

    ``beta_i = T(d_i; loc_i, s)`` with ``d_i = L u_i``, in most laws a link of ``loc_i + d_i``.
    """
    mixture = point.mixture(u[:, :, None], np.ones((1, 1)))
    size = u.shape[1]
    chol = mixture.chol[:size]
    length = np.sqrt((chol**2).sum(axis=1))
    loc = point.locations
    table = law_table(point.persons.laws, mixture.known, u @ chol.T, loc, length)
    beta, price = table[0], mixture.price
    if price >= 0:
        rest = np.broadcast_to(point.parameters.fixed, (len(u), len(mixture.laws) - size))
        beta = np.concatenate([beta, rest], axis=1)
    others = np.arange(len(mixture.laws)) != price
    worth = np.where(others, -beta[:, [price]] * beta, beta) if price >= 0 else beta
    logp, slopes, by_row = conditional_log_probabilities(
        point.panel, point.base, np.ascontiguousarray(worth)
    )
    if price >= 0:
        slopes[:, price] -= (slopes * beta)[:, others].sum(axis=1)
        slopes[:, others] *= -beta[:, [price]]
    own = slopes[:, :size]
    by_loc = np.concatenate(
        [own * table[2], slopes[:, size:], (own[None] * table[4:]).sum(axis=2).T], axis=1
    )
    by_chol = np.zeros((len(u), *mixture.chol.shape))
    # The length of a row is what laws that are no links of an index take besides.
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = np.where(length[:, None] > 0, chol / length[:, None], 0.0)
    by_chol[:, :size] = (own * table[3])[:, :, None] * unit
    found = scores(point, mixture, (by_loc, by_chol, by_row), serial=True)
    return Given(logp, own * table[1], found, by_row)
