"""Nested choice probabilities of one situation: within nests, of nests, and their log-sums.

With ``G = sum_m (sum_j (a_jm exp v_j)^(1 / l_m))^l_m`` (McFadden 1978; Vovsha 1997), where ``l_m``
in (0, 1] is the log-sum coefficient of nest m and ``a_jm`` the part of alternative j that belongs
to it, ``P_j = sum_m Q_m q_jm``: the nest has ``Q_m = exp(L_m - log G)``, with the value
``L_m = l_m log sum_j exp((v_j + log a_jm) / l_m)``, and j within it ``q_jm``, in proportion to
``exp((v_j + log a_jm) / l_m)``. An alternative in no nest is a nest by itself, with ``l = 1``.

Nodes are the innermost axis of every array, as in `bayesmix.kernels.logit`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.kernels.compiling import part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import Panel, utility

ALONE = -1
"""The nest of an alternative that is in none."""


class Nests(NamedTuple):
    """Which nests rows belong to.

    Parameters
    ----------
    alternative
        Alternative (R,) of each row.
    outside
        The number of the outside option, which alternatives do not reach.
    start
        Offsets (A + 2,) of alternatives, the outside option last, into what follows.
    nest, log_part
        Nest (E,), or `ALONE`, and logarithm of the part ``a`` that belongs to it (E,).
    coefficient
        Log-sum coefficients (M,).
    """

    alternative: Indices
    outside: int
    start: Indices
    nest: Indices
    log_part: Array
    coefficient: Array


class Nested(NamedTuple):
    """A panel, the nests of its rows, and the rest of utility (R,)."""

    panel: Panel
    nests: Nests
    base: Array


class Tree(NamedTuple):
    """Room for one situation: E memberships of its alternatives in G nests, at n nodes.

    Parameters
    ----------
    size
        Numbers (2,) of memberships E and of nests G.
    place
        Where each nest (M,) stands among those of the situation, -1 where it does not.
    row, group, log_part
        Of memberships (E,): the row within the situation, the outside option's after the last;
        its nest among the situation's; the logarithm of the part that belongs to it.
    nest, coefficient
        Number (G,), or `ALONE`, and coefficient (G,) of the nests.
    utility
        Of rows (., n), the outside option's last.
    scaled, within
        Of memberships (E, n): ``(v + log a - top) / l``, and the probability within the nest.
    top, log_sum, mean
        Of nests (G, n): the largest ``v + log a``, ``log sum exp(scaled)``, the mean of ``scaled``.
    value, share
        Of nests (G, n): ``L`` and ``Q``.
    total
        ``log G`` (n,).
    """

    size: Indices
    place: Indices
    row: Indices
    group: Indices
    log_part: Array
    nest: Indices
    coefficient: Array
    utility: Array
    scaled: Array
    within: Array
    top: Array
    log_sum: Array
    mean: Array
    value: Array
    share: Array
    total: Array


@part(error_model="numpy")
def room(given: Nested, width: int) -> Tree:  # pragma: no cover - compiled
    """Room for the largest situation."""
    panel, nests = given.panel, given.nests
    rows, most = 0, 0
    for t in range(panel.situation_start.shape[0] - 1):
        first, last = panel.situation_start[t], panel.situation_start[t + 1]
        count = 0
        for row in range(first, last):
            a = nests.alternative[row]
            count += nests.start[a + 1] - nests.start[a]
        rows, most = max(rows, last - first), max(most, count)
    most += nests.start[nests.outside + 1] - nests.start[nests.outside]
    return Tree(
        np.zeros(2, dtype=np.int64),
        np.full(nests.coefficient.shape[0], -1, dtype=np.int64),
        np.empty(most, dtype=np.int64),
        np.empty(most, dtype=np.int64),
        np.empty(most),
        np.empty(most, dtype=np.int64),
        np.empty(most),
        np.empty((rows + 1, width)),
        np.empty((most, width)),
        np.empty((most, width)),
        np.empty((most, width)),
        np.empty((most, width)),
        np.empty((most, width)),
        np.empty((most, width)),
        np.empty((most, width)),
        np.empty(width),
    )


@part(error_model="numpy")
def grow(  # pragma: no cover - compiled
    given: Nested, t: int, gone: Flags, tree: Tree
) -> None:
    """Memberships and nests of situation t, without rows that are ``gone``."""
    panel, nests = given.panel, given.nests
    first, last = panel.situation_start[t], panel.situation_start[t + 1]
    tree.place[:] = -1
    count, groups = 0, 0
    for m in range(last - first + (1 if panel.outside else 0)):
        if gone[m]:
            continue
        a = nests.alternative[first + m] if m < last - first else nests.outside
        for e in range(nests.start[a], nests.start[a + 1]):
            k = nests.nest[e]
            own = groups if k == ALONE else tree.place[k]
            if own < 0 or k == ALONE:
                own = groups
                groups += 1
                tree.nest[own] = k
                tree.coefficient[own] = 1.0 if k == ALONE else nests.coefficient[k]
                if k != ALONE:
                    tree.place[k] = own
            tree.row[count], tree.group[count] = m, own
            tree.log_part[count] = nests.log_part[e]
            count += 1
    tree.size[0], tree.size[1] = count, groups


@part(fastmath={"contract"}, error_model="numpy")
def utilities(  # pragma: no cover - compiled
    given: Nested, t: int, beta: Array, n: int, tree: Tree
) -> None:
    """Utilities of the rows of situation t at n nodes, and 0 for the outside option."""
    panel = given.panel
    first, last = panel.situation_start[t], panel.situation_start[t + 1]
    for row in range(first, last):
        utility(panel.x[row], beta, given.base[row], tree.utility[row - first], n)
    outside = tree.utility[last - first]
    for s in range(n):
        outside[s] = 0.0


@part(fastmath={"contract"}, error_model="numpy")
def climb(tree: Tree, n: int) -> None:  # pragma: no cover - compiled
    """All that a `Tree` holds, of its utilities."""
    count, groups = tree.size[0], tree.size[1]
    top, log_sum, mean = tree.top, tree.log_sum, tree.mean
    for g in range(groups):
        for s in range(n):
            top[g, s] = -np.inf
            log_sum[g, s] = 0.0
            mean[g, s] = 0.0
    for e in range(count):
        v, high, c = tree.utility[tree.row[e]], top[tree.group[e]], tree.log_part[e]
        for s in range(n):
            high[s] = max(high[s], v[s] + c)
    for e in range(count):
        g, c = tree.group[e], tree.log_part[e]
        v, high, u, q = tree.utility[tree.row[e]], top[g], tree.scaled[e], tree.within[e]
        inverse = 1.0 / tree.coefficient[g]
        for s in range(n):
            u[s] = (v[s] + c - high[s]) * inverse
            q[s] = exp(u[s])
            log_sum[g, s] += q[s]
            mean[g, s] += q[s] * u[s]
    for e in range(count):
        q, total = tree.within[e], log_sum[tree.group[e]]
        for s in range(n):
            q[s] /= total[s]
    for s in range(n):
        tree.total[s] = -np.inf
    for g in range(groups):
        for s in range(n):
            mean[g, s] /= log_sum[g, s]
            log_sum[g, s] = math.log(log_sum[g, s])
            tree.value[g, s] = top[g, s] + tree.coefficient[g] * log_sum[g, s]
            tree.total[s] = max(tree.total[s], tree.value[g, s])
    whole = np.zeros(n)
    for g in range(groups):
        for s in range(n):
            tree.share[g, s] = exp(tree.value[g, s] - tree.total[s])
            whole[s] += tree.share[g, s]
    for g in range(groups):
        for s in range(n):
            tree.share[g, s] /= whole[s]
    for s in range(n):
        tree.total[s] += math.log(whole[s])


@part(fastmath={"contract"}, error_model="numpy")
def add_probabilities(  # pragma: no cover - compiled
    tree: Tree, n: int, prob: Array
) -> None:
    """Add choice probabilities to ``prob`` (., n), by row within the situation."""
    for e in range(tree.size[0]):
        q, nest, p = tree.within[e], tree.share[tree.group[e]], prob[tree.row[e]]
        for s in range(n):
            p[s] += q[s] * nest[s]
