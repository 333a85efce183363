"""Shares of one alternative at many values of its utility, from one pass over probabilities."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.certain_choices import TINY, log_add, log_odds, utilities
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import BLOCK, dot, log_probabilities, utility
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.substitution import Offer
from bayesmix.kernels.threads import share, take


class Raised(NamedTuple):
    """By how much utility is higher: ``d_mts = base_mt + x_mt' beta_s``, (M, T, K) and (M, T)."""

    x: Array
    base: Array


class Own(NamedTuple):
    """An alternative's ``row`` among those of a situation: x (m, K), base (m,), codes (m,)."""

    x: Array
    base: Array
    codes: Indices
    row: int


def own_shares(offer: Offer, code: int, raised: Raised, mixture: Mixture) -> Array:
    """Share (M, T) of the alternative ``code`` where its utility is higher by ``d_mts``.

    ``P' = P e^d / (1 - P + P e^d)``. 0 where the alternative is not offered.
    """
    out = np.zeros(raised.base.shape)
    n = len(offer.sets.person_start) - 1
    share(_own_shares, n, offer, code, raised, mixture, out)
    return out


@compiled(nogil=True, error_model="numpy")
def _own_shares(  # pragma: no cover - compiled
    queue: Indices, offer: Offer, code: int, raised: Raised, mixture: Mixture, out: Array
) -> None:
    panel, sets, base = offer.panel, offer.sets, offer.base
    x, moved = raised.x, raised.base
    situations, n_persons = panel.situation_start, sets.person_start.shape[0] - 1
    n_points, n_situations, n_coefficients = x.shape
    n_nodes = mixture.nodes.shape[2]
    width, widest = min(BLOCK, n_nodes), 1
    for t in range(n_situations):
        widest = max(widest, situations[t + 1] - situations[t])
    prob, logp = np.empty((widest, width)), np.empty(width)
    rest, then, shift = np.empty(width), np.empty(width), np.empty(width)
    beta, slope = np.empty((n_coefficients, width)), np.empty((n_coefficients, width))
    start = take(queue)
    while start < n_persons:
        for i in range(start, min(start + queue[1], n_persons)):
            weights = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
            for first in range(0, n_nodes, BLOCK):
                n = min(BLOCK, n_nodes - first)
                w = weights[first : first + n]
                coefficients(mixture, i, first, n, beta, slope)
                for t in range(sets.person_start[i], sets.person_start[i + 1]):
                    mine = -1
                    for row in range(situations[t], situations[t + 1]):
                        if sets.alternative[row] == code:
                            mine = row - situations[t]
                    if mine < 0:
                        continue
                    log_probabilities(panel, t, base, beta, logp[:n], prob)
                    for s in range(n):
                        rest[s] = 0.0
                    for j in range(situations[t + 1] - situations[t]):
                        if j != mine:
                            _add(prob[j], rest, n)
                    for m in range(n_points):
                        utility(x[m, t], beta, moved[m, t], then, n)
                        some = _far(prob[mine], rest, then, n, shift)
                        _move(prob[mine], rest, then, n)
                        if some:
                            row, last = situations[t], situations[t + 1]
                            own = Own(
                                panel.x[row:last], base[row:last], sets.alternative[row:last], mine
                            )
                            _sure(own, beta, prob[mine], rest, shift, then[:n])
                        out[m, t] += dot(then, w, n)
        start = take(queue)


@part(error_model="numpy")
def _add(values: Array, total: Array, n: int) -> None:  # pragma: no cover - compiled
    for s in range(n):
        total[s] += values[s]


@part(error_model="numpy")
def _far(  # pragma: no cover - compiled
    p: Array, rest: Array, d: Array, n: int, shift: Array
) -> bool:
    """Whether somebody is sure at some node; ``d`` is then kept in ``shift``."""
    for s in range(n):
        if p[s] < TINY or rest[s] < TINY:
            for other in range(n):
                shift[other] = d[other]
            return True
    return False


@part(error_model="numpy")
def _sure(  # pragma: no cover - compiled
    own: Own, beta: Array, p: Array, rest: Array, d: Array, then: Array
) -> None:
    """``P'`` by its odds where the alternative or all others have next to no probability."""
    v = np.empty(own.codes.shape[0])
    for s in range(then.shape[0]):
        if p[s] < TINY or rest[s] < TINY:
            utilities(own.x, own.base, beta, s, v)
            odds = log_odds(v, own.codes, own.row) + d[s]
            then[s] = math.exp(-log_add(0.0, -odds))


@part(fastmath={"contract"}, error_model="numpy")
def _move(p: Array, rest: Array, d: Array, n: int) -> None:  # pragma: no cover - compiled
    """Put ``P e^d / (rest + P e^d)`` in the place of ``d``."""
    for s in range(n):
        # In exp(-|d|), which cannot overflow.
        small = exp(-abs(d[s]))
        mine = p[s] if d[s] > 0.0 else p[s] * small
        others = rest[s] * small if d[s] > 0.0 else rest[s]
        d[s] = mine / (mine + others)
