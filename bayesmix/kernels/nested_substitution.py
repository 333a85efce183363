"""What shares do when one alternative changes, where choice probabilities are nested.

At a node, utilities of the changed alternative's rows move by ``d_j``, and ``h_m = 1 + sum_j q_jm
(exp(d_j / l_m) - 1)`` is what that does to the sum within nest m. With ``c_m = h_m^l_m - 1`` and
``S = sum_m Q_m c_m``, the share of k, which does not change, moves by

    sum_m Q_m q_km (c_m - S - (h_m - 1) (1 + S)) / ((1 + S) h_m),

in which nothing of size 1 cancels unless next to all have moved, where it is

    sum_m Q_m q_km (h_m^(l_m - 1) / (1 + S) - 1),

with 1 + S summed itself: a removal is ``d = -inf``. For a small change it is
``sum_m Q_m q_km sum_j d_j ((1 - 1 / l_m) q_jm - P_j)``.

The outside option is a row like the others, and situations stand in the place of persons.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.kernels.certain_choices import FINITE, QUALITY, REMOVAL, SIZE, Change
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.logit import BLOCK, dot, utility
from bayesmix.kernels.mixture import Mixture, coefficients
from bayesmix.kernels.nests import Nested, Tree, add_probabilities, climb, grow, room, utilities
from bayesmix.kernels.substitution import Flows, Sets, Size, add_up, no_flows
from bayesmix.kernels.threads import share, take

FAR = 1e200
"""Times by which a sum changes, or its inverse, beyond which probabilities are computed anew."""


class Moved(NamedTuple):
    """Flags (.,) of the rows of the alternative that changes, and by how much (., n) each would."""

    rows: Flags
    by: Array


def nested_substitution(
    given: Nested, sets: Sets, change: Change, mixture: Mixture, size: Size
) -> tuple[Array, Array]:
    """As `bayesmix.kernels.substitution.substitution`: effects (G, J, A), and shares (G, A)."""
    flows = no_flows(sets, size)
    share(_nested, len(flows.share), given, sets, change, mixture, flows)
    return add_up(flows)


@compiled(nogil=True, error_model="numpy")
def _nested(  # pragma: no cover - compiled
    queue: Indices, given: Nested, sets: Sets, change: Change, mixture: Mixture, flows: Flows
) -> None:
    n_persons, parts = sets.person_start.shape[0] - 1, flows.share.shape[0]
    start = take(queue)
    while start < parts:
        for p in range(start, min(start + queue[1], parts)):
            persons = n_persons * p // parts, n_persons * (p + 1) // parts
            own = Flows(flows.effect[p], flows.share[p])
            _effects(given, sets, change, mixture, persons, own)
        start = take(queue)


@part(error_model="numpy")
def _effects(  # pragma: no cover - compiled
    given: Nested,
    sets: Sets,
    change: Change,
    mixture: Mixture,
    persons: tuple[int, int],
    flows: Flows,
) -> None:
    """Add the effects on others and the shares of persons first .. last - 1."""
    panel, effect, share = given.panel, flows.effect, flows.share
    situations, codes = panel.situation_start, sets.alternative
    n_coefficients, n_nodes = mixture.laws.shape[0], mixture.nodes.shape[2]
    width = min(BLOCK, n_nodes)
    tree = room(given, width)
    widest = tree.utility.shape[0]
    prob, delta = np.empty((widest, width)), np.empty((widest, width))
    d = np.empty((widest, width))
    beta, slope = np.empty((n_coefficients, width)), np.empty((n_coefficients, width))
    nobody, moved = np.zeros(widest, dtype=np.bool_), np.zeros(widest, dtype=np.bool_)
    which = Moved(moved, d)
    for i in range(persons[0], persons[1]):
        weights = mixture.weights[min(i, mixture.weights.shape[0] - 1)]
        for first in range(0, n_nodes, BLOCK):
            n = min(BLOCK, n_nodes - first)
            w = weights[first : first + n]
            coefficients(mixture, i, first, n, beta, slope)
            for t in range(sets.person_start[i], sets.person_start[i + 1]):
                row, m = situations[t], situations[t + 1] - situations[t]
                g, weight = sets.group[t], sets.weight[t]
                grow(given, t, nobody, tree)
                utilities(given, t, beta, n, tree)
                climb(tree, n)
                prob[: m + 1] = 0.0
                add_probabilities(tree, n, prob)
                _moves(change, row, m, beta, n, d)
                for j in range(m):
                    code = codes[row + j]
                    share[g, code] += weight * dot(prob[j], w, n)
                    if code >= effect.shape[1] or not _first(codes, row, j):
                        continue
                    moved[:] = False
                    for k in range(m):
                        moved[k] = codes[row + k] == code
                    if change.kind == REMOVAL or change.kind == FINITE:
                        if _finite(change, tree, n, which, delta):
                            gone = moved if change.kind == REMOVAL else nobody
                            grow(given, t, gone, tree)
                            _shift(change, which, n, tree)
                            _anew(tree, n, prob, delta)
                            grow(given, t, nobody, tree)
                            utilities(given, t, beta, n, tree)
                            climb(tree, n)
                    else:
                        _small(tree, n, which, prob, delta)
                    out = effect[g, code]
                    for k in range(m):
                        if not moved[k]:
                            out[codes[row + k]] += weight * dot(delta[k], w, n)


@part(error_model="numpy")
def _first(codes: Indices, row: int, j: int) -> bool:  # pragma: no cover - compiled
    """Whether row j of a situation is the first of its product."""
    found = True
    for k in range(j):
        found = found and codes[row + k] != codes[row + j]
    return found


@part(error_model="numpy")
def _moves(  # pragma: no cover - compiled
    change: Change, row: int, m: int, beta: Array, n: int, d: Array
) -> None:
    """By how much (m, n) utilities move: a unit's worth, its size, a unit, or all of it."""
    for j in range(m):
        if change.kind == QUALITY or change.kind == REMOVAL:
            d[j, :n] = 1.0
            continue
        utility(change.x[row + j], beta, change.base[row + j], d[j], n)
        if change.kind == SIZE:
            for s in range(n):
                d[j, s] = abs(d[j, s])


@part(error_model="numpy")
def _small(  # pragma: no cover - compiled
    tree: Tree, n: int, which: Moved, prob: Array, delta: Array
) -> None:
    """Derivatives of the shares of rows that do not move, in what moves."""
    moved, d = which.rows, which.by
    count, groups = tree.size[0], tree.size[1]
    within, whole = np.zeros((groups, n)), np.zeros(n)
    for j in range(moved.shape[0] - 1):
        if moved[j]:
            for s in range(n):
                whole[s] += d[j, s] * prob[j, s]
    for e in range(count):
        if moved[tree.row[e]]:
            for s in range(n):
                within[tree.group[e], s] += d[tree.row[e], s] * tree.within[e, s]
    delta[:] = 0.0
    for e in range(count):
        g, k = tree.group[e], tree.row[e]
        c = 1.0 - 1.0 / tree.coefficient[g]
        for s in range(n):
            share = tree.share[g, s] * tree.within[e, s]
            delta[k, s] += share * (c * within[g, s] - whole[s])


@part(error_model="numpy")
def _finite(  # pragma: no cover - compiled
    change: Change, tree: Tree, n: int, which: Moved, delta: Array
) -> bool:
    """Changes of the shares of rows that do not move; whether some are to be computed anew."""
    moved, d = which.rows, which.by
    count, groups = tree.size[0], tree.size[1]
    x, rest = np.zeros((groups, n)), np.zeros((groups, n))
    c, whole = np.zeros((groups, n)), np.zeros(n)
    for e in range(count):
        g, j = tree.group[e], tree.row[e]
        for s in range(n):
            q = tree.within[e, s]
            if not moved[j]:
                rest[g, s] += q
            elif change.kind == REMOVAL:
                x[g, s] -= q
            else:
                by = d[j, s] / tree.coefficient[g]
                x[g, s] += q * math.expm1(by)
                rest[g, s] += q * math.exp(by)
    far = False
    for g in range(groups):
        scale = tree.coefficient[g]
        for s in range(n):
            # What is left is summed itself, for 1 + x may have lost it.
            h = rest[g, s] if x[g, s] < -0.5 else 1.0 + x[g, s]
            rest[g, s] = h
            if h > 0.0 and abs(x[g, s]) < 0.5:
                c[g, s] = math.expm1(scale * math.log1p(x[g, s]))
            else:
                c[g, s] = h**scale - 1.0
            whole[s] += tree.share[g, s] * c[g, s]
            far = far or not h < FAR
    left = np.zeros(n)
    for g in range(groups):
        for s in range(n):
            left[s] += tree.share[g, s] * rest[g, s] ** tree.coefficient[g]
    delta[:] = 0.0
    for e in range(count):
        g, k = tree.group[e], tree.row[e]
        if moved[k]:
            continue
        for s in range(n):
            h, total = rest[g, s], 1.0 + whole[s]
            if total < 0.5:  # next to all have moved: 1 + S would have lost who has not
                total = left[s]
                up = h ** tree.coefficient[g] - h * total
            else:
                up = c[g, s] - whole[s] - x[g, s] * total
            far = far or not (h > 1.0 / FAR and total > 1.0 / FAR)
            delta[k, s] += tree.share[g, s] * tree.within[e, s] * up / (total * h)
    return far


@part(error_model="numpy")
def _shift(  # pragma: no cover - compiled
    change: Change, which: Moved, n: int, tree: Tree
) -> None:
    """Utilities after the change, of what stays."""
    if change.kind == REMOVAL:
        return
    for j in range(which.rows.shape[0]):
        if which.rows[j]:
            for s in range(n):
                tree.utility[j, s] += which.by[j, s]


@part(error_model="numpy")
def _anew(  # pragma: no cover - compiled
    tree: Tree, n: int, prob: Array, delta: Array
) -> None:
    """The same by probabilities after the change, which is so large that they differ."""
    delta[:] = 0.0
    if not tree.size[0]:
        return
    climb(tree, n)
    add_probabilities(tree, n, delta)
    for j in range(delta.shape[0]):
        for s in range(n):
            delta[j, s] -= prob[j, s]
