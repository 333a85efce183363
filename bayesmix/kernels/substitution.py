"""Substitution between alternatives: what shares do when one alternative changes.

In a situation, at node s, a change of alternative j that multiplies its odds moves every other
share in proportion to itself: ``change of P_ks = -P_js f_js P_ks``. The factor ``f_js`` says which
change it is:

- slope: an attribute by a unit, ``f = dv_js/da``; the change is then a derivative;
- size of the slope, ``f = |dv_js/da|``: the weights of Conlon and Mortimer (2021);
- quality: everybody's utility by a unit, ``f = 1``;
- removal: ``f = -1 / (1 - P_js)``, and j loses all of ``P_js``;
- finite: utility by ``d_js``, ``f = (r - 1) / (1 + P_js (r - 1))`` with ``r = exp(d_js)``.

Rows of one situation with the same code are one product: they change together, ``P_js f_js`` is the
sum of theirs, and ``1 - P_js`` is the probability of all that is not the product.

Sums over nodes, persons and situations are made where the probabilities are: a block of nodes of
one situation is all that exists at a time. Persons are summed in parts whose number does not depend
on the threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.certain_choices import FINITE, QUALITY, REMOVAL, SIZE, SLOPE, Change
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.interventions import Rows, leaving, move, other_products, part_of, sure
from bayesmix.kernels.logit import BLOCK, Panel, dot, log_probabilities
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.threads import share, take

__all__ = ["FINITE", "QUALITY", "REMOVAL", "SIZE", "SLOPE", "Change", "marginal", "substitution"]

PARTS = 32
PART_BYTES = 2**27
"""Memory of all the parts' sums."""


class Sets(NamedTuple):
    """What sums over the choice sets of n persons need, beside their `Panel`.

    In that panel a situation stands in the place of a person, nothing is chosen, and the outside
    option is an alternative among the others.

    Parameters
    ----------
    person_start
        Offsets (n + 1,) of persons into situations.
    alternative
        Alternative or product (R,) of each row; the outside option's is the last.
    group
        Group (T,) of each situation, whose sums are kept apart.
    weight
        Weight (T,) of each situation.
    """

    person_start: Indices
    alternative: Indices
    group: Indices
    weight: Array


class Offer(NamedTuple):
    """Choice sets of persons: their panel, and the rest of utility (R,) of its rows."""

    panel: Panel
    sets: Sets
    base: Array


class Flows(NamedTuple):
    """Sums over situations: effects on others (..., G, J, A), and shares (..., G, A)."""

    effect: Array
    share: Array


class Size(NamedTuple):
    """Numbers of groups, of alternatives that change, and of all alternatives."""

    groups: int
    changed: int
    alternatives: int


def substitution(
    panel: Panel, sets: Sets, base: Array, change: Change, mixture: Mixture, size: Size
) -> tuple[Array, Array]:
    """Sums over situations of the effects of a change, and of shares.

    ``effect_gjk = sum_{t in g} w_t sum_s w_is (change of P_tks when j changes)``; an alternative's
    own entry is minus the sum of the others', so that nobody is lost.

    Returns
    -------
    tuple
        Effects (G, J, A) of each alternative's change on all shares, and shares (G, A).
    """
    flows = no_flows(sets, size)
    offer = Offer(panel, sets, base)
    share(_substitution, len(flows.share), offer, change, mixture, flows)
    return add_up(flows)


def no_flows(sets: Sets, size: Size) -> Flows:
    """Room for the sums of parts of the persons."""
    cells = size.groups * size.changed * size.alternatives
    parts = max(1, min(PARTS, len(sets.person_start) - 1, PART_BYTES // (8 * cells)))
    return Flows(
        np.zeros((parts, size.groups, size.changed, size.alternatives)),
        np.zeros((parts, size.groups, size.alternatives)),
    )


def add_up(flows: Flows) -> tuple[Array, Array]:
    """Sums of all parts; who leaves an alternative is what goes to the others."""
    effect = flows.effect.sum(axis=0)
    own = np.arange(effect.shape[1])
    effect[:, own, own] = -effect.sum(axis=2)
    return effect, flows.share.sum(axis=0)


@compiled(nogil=True, error_model="numpy")
def _substitution(  # pragma: no cover - compiled
    queue: Indices, offer: Offer, change: Change, mixture: Mixture, flows: Flows
) -> None:
    n_persons, parts = offer.sets.person_start.shape[0] - 1, flows.share.shape[0]
    start = take(queue)
    while start < parts:
        for p in range(start, min(start + queue[1], parts)):
            persons = n_persons * p // parts, n_persons * (p + 1) // parts
            _effects(offer, change, mixture, persons, Flows(flows.effect[p], flows.share[p]))
        start = take(queue)


@part(error_model="numpy")
def _effects(  # pragma: no cover - compiled
    offer: Offer, change: Change, mixture: Mixture, persons: tuple[int, int], flows: Flows
) -> None:
    """Add the effects on others and the shares of persons first .. last - 1."""
    panel, sets, base = offer.panel, offer.sets, offer.base
    effect, share = flows.effect, flows.share
    situations, codes = panel.situation_start, sets.alternative
    n_coefficients, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    widest, width = _widest(panel), min(BLOCK, n_nodes)
    prob, moved = np.empty((widest, width)), np.empty((widest, width))
    rest, flow = np.empty((widest, width)), np.empty((widest, widest))
    certain = np.zeros((widest, widest))
    beta, slope = np.empty((n_coefficients, width)), np.empty((n_coefficients, width))
    logp = np.empty(width)
    for i in range(persons[0], persons[1]):
        weights = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
        for first in range(0, n_nodes, BLOCK):
            n = min(BLOCK, n_nodes - first)
            w = weights[first : first + n]
            coefficients(mixture, i, first, n, beta, slope)
            for t in range(sets.person_start[i], sets.person_start[i + 1]):
                row, m = situations[t], situations[t + 1] - situations[t]
                g, weight = sets.group[t], sets.weight[t]
                log_probabilities(panel, t, base, beta, logp[:n], prob)
                here, there = part_of(change, row, row + m), situations[t + 1]
                rows = Rows(
                    panel.x[row:there],
                    base[row:there],
                    codes[row:there],
                    beta,
                    w,
                    prob,
                    rest,
                    moved,
                )
                move(here, rows)
                some = sure(here, rows, certain)
                _contract(moved, prob, m, n, flow)
                if some:
                    for j in range(m):
                        for k in range(m):
                            flow[j, k] += certain[j, k]
                for j in range(m):
                    share[g, codes[row + j]] += weight * dot(prob[j], w, n)
                    if codes[row + j] < effect.shape[1]:
                        out = effect[g, codes[row + j]]
                        for k in range(m):
                            if codes[row + k] != codes[row + j]:
                                out[codes[row + k]] -= weight * flow[j, k]


@part(error_model="numpy")
def _widest(panel: Panel) -> int:  # pragma: no cover - compiled
    """Rows of the largest situation."""
    situations = panel.situation_start
    widest = 1
    for t in range(situations.shape[0] - 1):
        widest = max(widest, situations[t + 1] - situations[t])
    return widest


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _contract(  # pragma: no cover - compiled
    moved: Array, prob: Array, m: int, n: int, flow: Array
) -> None:
    """``flow_jk = sum_s moved_js P_ks``, two by four, for loads of memory are the cost."""
    paired, whole = m - m % 2, m - m % 4
    for j in range(0, paired, 2):
        a0, a1 = moved[j], moved[j + 1]
        for k in range(0, whole, 4):
            p0, p1, p2, p3 = prob[k], prob[k + 1], prob[k + 2], prob[k + 3]
            f00 = f01 = f02 = f03 = f10 = f11 = f12 = f13 = 0.0
            for s in range(n):
                f00 += a0[s] * p0[s]
                f01 += a0[s] * p1[s]
                f02 += a0[s] * p2[s]
                f03 += a0[s] * p3[s]
                f10 += a1[s] * p0[s]
                f11 += a1[s] * p1[s]
                f12 += a1[s] * p2[s]
                f13 += a1[s] * p3[s]
            flow[j, k], flow[j, k + 1], flow[j, k + 2], flow[j, k + 3] = f00, f01, f02, f03
            flow[j + 1, k], flow[j + 1, k + 1] = f10, f11
            flow[j + 1, k + 2], flow[j + 1, k + 3] = f12, f13
        for k in range(whole, m):
            flow[j, k] = dot(a0, prob[k], n)
            flow[j + 1, k] = dot(a1, prob[k], n)
    for j in range(paired, m):
        for k in range(m):
            flow[j, k] = dot(moved[j], prob[k], n)


def marginal(
    panel: Panel, sets: Sets, base: Array, change: Change, mixture: Mixture, scale: Array
) -> tuple[Array, Array]:
    """How many leave or join each row when it changes, and their coefficients.

    ``m_tj = sum_s w_is P_tjs f_tjs (1 - P_tjs)`` (R,), and ``sum_s`` of the same terms times
    ``beta_iks`` (R, K); in units of ``exp(scale_r)`` (R,).
    """
    own, with_beta = np.zeros(len(base)), np.zeros((len(base), len(mixture.laws)))
    n, offer = len(sets.person_start) - 1, Offer(panel, sets, base)
    share(_marginal, n, offer, change, mixture, scale, (own, with_beta))
    return own, with_beta


@compiled(nogil=True, error_model="numpy")
def _marginal(  # pragma: no cover - compiled
    queue: Indices,
    offer: Offer,
    change: Change,
    mixture: Mixture,
    scale: Array,
    out: tuple[Array, Array],
) -> None:
    panel, sets, base = offer.panel, offer.sets, offer.base
    own, with_beta = out
    situations, n_persons = panel.situation_start, sets.person_start.shape[0] - 1
    n_coefficients, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    widest, width = _widest(panel), min(BLOCK, n_nodes)
    prob, moved = np.empty((widest, width)), np.empty((widest, width))
    rest, logp = np.empty((widest, width)), np.empty(width)
    beta, slope = np.empty((n_coefficients, width)), np.empty((n_coefficients, width))
    start = take(queue)
    while start < n_persons:
        for i in range(start, min(start + queue[1], n_persons)):
            weights = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
            for first in range(0, n_nodes, BLOCK):
                n = min(BLOCK, n_nodes - first)
                coefficients(mixture, i, first, n, beta, slope)
                for t in range(sets.person_start[i], sets.person_start[i + 1]):
                    row, m = situations[t], situations[t + 1] - situations[t]
                    log_probabilities(panel, t, base, beta, logp[:n], prob)
                    here, there = part_of(change, row, row + m), situations[t + 1]
                    rows = Rows(
                        panel.x[row:there], base[row:there], sets.alternative[row:there], beta,
                        weights[first : first + n], prob, rest, moved,
                    )  # fmt: skip
                    other_products(rows)
                    move(here, rows)
                    leaving(here, rows, scale[row:there])
                    for j in range(m):
                        for s in range(n):
                            own[row + j] += moved[j, s]
                        for k in range(n_coefficients):
                            with_beta[row + j, k] += dot(moved[j], beta[k], n)
        start = take(queue)
