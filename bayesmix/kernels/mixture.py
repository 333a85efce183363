"""What nodes are turned into: coefficients of a person by the laws, and scores on the way back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import part
from bayesmix.kernels.law_functions import call_map
from bayesmix.kernels.laws import (
    FIRST,
    MAP,
    MOVES,
    NO_KNOWN,
    NO_TABLES,
    SHAPES,
    TABLE,
    law_at,
    row_length,
)


class Mixture(NamedTuple):
    """Where beta comes from: an affine map of the nodes, and a law for each coefficient.

    In WTP space there are C >= K coefficients: those without a law of their own come last.

    Parameters
    ----------
    loc
        Locations and then E shapes of laws (1, C + E), or (n, C + E) where they differ between
        persons.
    chol
        Lower-triangular factor (K, K), and rows of 0 below it (C, K).
    laws
        Which law each coefficient has (C, 7), see `bayesmix.kernels.laws`; rows of 0 where it is
        its index.
    nodes, weights
        (1, K, S) or (n, K, S), and (1, S) or (n, S); weights may be negative.
    price
        Position of the price coefficient ``a`` in WTP space, where the others are ``-a T``;
        -1 elsewhere.
    known
        Sign and bounds (C, 3) of the coefficients, or (0, 3) where no law reads them.
    tables
        Of laws that are dear at single points, see `bayesmix.kernels.laws.law_tables`.
    """

    loc: Array
    chol: Array
    laws: Indices
    nodes: Array
    weights: Array
    price: int = -1
    known: Array = NO_KNOWN
    tables: Array = NO_TABLES


@part(fastmath={"contract"}, error_model="numpy")
def coefficients(  # pragma: no cover - compiled
    mixture: Mixture, i: int, first: int, n: int, beta: Array, slope: Array
) -> None:
    """``beta_ks`` and slopes ``T_d`` of the laws of person i at nodes first .. first + n - 1."""
    loc = mixture.loc[min(i, mixture.loc.shape[0] - 1)]
    u = mixture.nodes[min(i, mixture.nodes.shape[0] - 1)]
    for k in range(beta.shape[0]):
        b = beta[k]
        constant = loc[k]
        for s in range(n):
            b[s] = constant
        for j in range(min(k + 1, u.shape[0])):
            c = mixture.chol[k, j]
            if c != 0.0:
                column = u[j, first : first + n]
                for s in range(n):
                    b[s] += c * column[s]
        d = slope[k]
        if mixture.laws[k, MAP] == 0:
            for s in range(n):
                d[s] = 1.0
        else:
            if mixture.laws[k, MOVES] != 0:
                for s in range(n):
                    b[s] -= constant
            out = through_law(mixture, k, loc, b[:n])
            for s in range(n):
                b[s], d[s] = out[0, s], out[1, s]
    if mixture.price >= 0:
        a = beta[mixture.price]
        for k in range(beta.shape[0]):
            if k != mixture.price:
                for s in range(n):
                    beta[k, s] *= -a[s]


@part(error_model="numpy")
def through_law(  # pragma: no cover - compiled
    mixture: Mixture, k: int, loc: Array, x: Array
) -> Array:
    """What the map of coefficient k writes (., n) at x (n,), see `bayesmix.kernels.laws.law_map`.

    ``loc`` are locations and shapes of the person.
    """
    at = law_at(mixture.laws, k, loc, row_length(mixture.chol[k]))
    out = np.empty((3 + at.shape[0], x.shape[0]))
    length = mixture.laws[k, TABLE]
    table = mixture.tables[k, :length] if length > 0 else at[:0]
    call_map(mixture.laws[k, MAP], x, at, mixture.known[k], table, out)
    return out


@part(fastmath={"contract"}, error_model="numpy")
def law_scores(  # pragma: no cover - compiled
    mixture: Mixture, beta: Array, n: int, g: Array
) -> None:
    """Derivatives with respect to beta (C, n) become those with respect to the laws' values.

    They are the same but in WTP space: with ``beta_k = -a w_k``, the price coefficient a has
    ``g_a + sum_k g_k beta_k / a``, and w_k has ``-a g_k``.
    """
    price = mixture.price
    if price >= 0:
        a, g_price = beta[price], g[price]
        for k in range(beta.shape[0]):
            if k != price:
                g_k, b_k = g[k], beta[k]
                for s in range(n):
                    if a[s] != 0.0:  # 0 by underflow, where its own slope is 0, too
                        g_price[s] += g_k[s] * b_k[s] / a[s]
                    g_k[s] *= -a[s]


@part(error_model="numpy")
def moving(laws: Indices) -> bool:  # pragma: no cover - compiled
    """Whether `moving_scores` has anything to add."""
    found = False
    for k in range(laws.shape[0]):
        found = found or laws[k, MOVES] != 0 or laws[k, SHAPES] > 0
    return found


@part(error_model="numpy")
def moving_scores(  # pragma: no cover - compiled
    mixture: Mixture, i: int, first: int, n: int, g: Array, extra: Array
) -> None:
    """What location, scale and shapes do by themselves: sums over nodes into ``extra`` (2, C + E).

    ``g`` (C, n) are derivatives with respect to the laws' values, times nodes' weights. With
    ``extra_1k = sum_s g_ks (T_loc - T_d)`` and ``extra_2k = sum_s g_ks T_s / s_k``, what the slopes
    ``T_d`` leave out is ``extra_1k`` for ``loc_k`` and ``extra_2k L_kj`` for ``L_kj``. A shape's
    own is in ``extra_1``, where the shape is in ``loc``.
    """
    loc = mixture.loc[min(i, mixture.loc.shape[0] - 1)]
    u = mixture.nodes[min(i, mixture.nodes.shape[0] - 1)]
    laws = mixture.laws
    x = np.empty(n)
    for k in range(extra.shape[1]):
        extra[0, k] = extra[1, k] = 0.0
    for k in range(u.shape[0]):
        moves = laws[k, MOVES] != 0
        if not moves and laws[k, SHAPES] == 0:
            continue
        for s in range(n):
            d = 0.0 if moves else loc[k]
            for j in range(k + 1):
                d += mixture.chol[k, j] * u[j, first + s]
            x[s] = d
        out = through_law(mixture, k, loc, x)
        if moves:
            scale = row_length(mixture.chol[k])
            inverse = 1.0 / scale if scale > 0.0 else 0.0
            for s in range(n):
                extra[0, k] += g[k, s] * (out[2, s] - out[1, s])
                extra[1, k] += g[k, s] * out[3, s] * inverse
        for j in range(laws[k, SHAPES]):
            for s in range(n):
                extra[0, laws[k, FIRST] + j] += g[k, s] * out[4 + j, s]
