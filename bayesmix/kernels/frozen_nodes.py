"""Integrals over nodes frozen in coefficient space, of many populations, or of one with its slopes.

``P_i = sum_s exp(c_is) N(b_is; loc_i, L L')`` as in `bayesmix.kernels.coefficient_space`, but with
the exponent as a polynomial of the nodes, ``eta'b - b'Lambda b / 2``, ``Lambda = (L L')^-1``: three
rows of nodes stay in registers at a time, and nothing is written but the exponent. So a node costs
half of what forward substitution does, and any number of populations may read the nodes of a person
while these are in the cache. Samplers' own threads call it: there are none inside.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp

ROWS = 3
"""Rows of nodes that are read together."""


class FrozenNodes(NamedTuple):
    """Nodes of n persons, and what is constant of their integrals.

    Parameters
    ----------
    nodes
        Indices b (n, M, S) less a centre that is everybody's; M is K rounded up to a multiple of
        `ROWS`, and rows beyond K are 0.
    constants
        ``log P(y_i | b_is) - log(S q_is)`` (n, S), q the density in coefficient space.
    linked
        (M / `ROWS`, M / `ROWS`) booleans: where ``Lambda`` has entries that may not be 0.
    """

    nodes: Any
    constants: Any
    linked: Any


class Population(NamedTuple):
    """A normal law of the indices, or D of them with a first axis of D.

    Parameters
    ----------
    loc
        Locations (1 or n, M) less the centre.
    precision
        ``Lambda`` (M, M), 0 beyond K.
    constant
        ``-log |L| - K log(2 pi) / 2``.
    """

    loc: Any
    precision: Any
    constant: Any


@part(fastmath={"contract"}, error_model="numpy")
def _exponent(  # pragma: no cover - compiled
    constants: Array, b: Array, eta: Array, q: Array, linked: Flags, a: Array
) -> None:
    """``a_s = c_s + eta'b_s - b_s'Q b_s / 2`` at the nodes b (M, S) of a person."""
    n = len(a)
    for s in range(n):
        a[s] = constants[s]
    for g in range(len(linked)):
        k = ROWS * g
        b0, b1, b2 = b[k], b[k + 1], b[k + 2]
        e0, e1, e2 = eta[k], eta[k + 1], eta[k + 2]
        d0, d1, d2 = -0.5 * q[k, k], -0.5 * q[k + 1, k + 1], -0.5 * q[k + 2, k + 2]
        d10, d20, d21 = -q[k + 1, k], -q[k + 2, k], -q[k + 2, k + 1]
        for s in range(n):
            x, y, z = b0[s], b1[s], b2[s]
            a[s] += x * (e0 + d0 * x)
            a[s] += y * (e1 + d10 * x + d1 * y)
            a[s] += z * (e2 + d20 * x + d21 * y + d2 * z)
        for h in range(g):
            if not linked[g, h]:
                continue
            j = ROWS * h
            c0, c1, c2 = b[j], b[j + 1], b[j + 2]
            q00, q01, q02 = -q[k, j], -q[k, j + 1], -q[k, j + 2]
            q10, q11, q12 = -q[k + 1, j], -q[k + 1, j + 1], -q[k + 1, j + 2]
            q20, q21, q22 = -q[k + 2, j], -q[k + 2, j + 1], -q[k + 2, j + 2]
            for s in range(n):
                x, y, z = c0[s], c1[s], c2[s]
                a[s] += b0[s] * (q00 * x + q01 * y + q02 * z)
                a[s] += b1[s] * (q10 * x + q11 * y + q12 * z)
                a[s] += b2[s] * (q20 * x + q21 * y + q22 * z)


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _sum(a: Array) -> float:  # pragma: no cover - compiled
    total = 0.0
    for s in range(len(a)):
        total += a[s]
    return total


@part(fastmath={"contract"}, error_model="numpy")
def _log_sum(a: Array) -> tuple[float, float]:  # pragma: no cover - compiled
    """``log sum_s exp(a_s)``, and the sum of the terms that ``a`` then holds."""
    top = -np.inf
    for s in range(len(a)):
        top = max(top, a[s])
    for s in range(len(a)):
        a[s] = exp(a[s] - top)
    total = _sum(a)
    return top + math.log(total), total


@part(fastmath={"contract"}, error_model="numpy")
def _linear(loc: Array, q: Array, eta: Array) -> float:  # pragma: no cover - compiled
    """``eta = Q loc``, and ``-loc'Q loc / 2``."""
    constant = 0.0
    for k in range(len(loc)):
        eta[k] = 0.0
        for j in range(len(loc)):
            eta[k] += q[k, j] * loc[j]
        constant -= 0.5 * loc[k] * eta[k]
    return constant


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _moments(  # pragma: no cover - compiled
    p: Array, b: Array, linked: Flags, first: Array, second: Array
) -> None:
    """``sum_s p_s b_s`` (M,) and the lower triangle of ``sum_s p_s b_s b_s'`` (M, M)."""
    n = len(p)
    for g in range(len(linked)):
        k = ROWS * g
        b0, b1, b2 = b[k], b[k + 1], b[k + 2]
        t0 = t1 = t2 = s00 = s10 = s11 = s20 = s21 = s22 = 0.0
        for s in range(n):
            x, y, z = b0[s], b1[s], b2[s]
            u, v, w = p[s] * x, p[s] * y, p[s] * z
            t0 += u
            t1 += v
            t2 += w
            s00 += u * x
            s10 += v * x
            s11 += v * y
            s20 += w * x
            s21 += w * y
            s22 += w * z
        first[k], first[k + 1], first[k + 2] = t0, t1, t2
        second[k, k], second[k + 1, k + 1], second[k + 2, k + 2] = s00, s11, s22
        second[k + 1, k], second[k + 2, k], second[k + 2, k + 1] = s10, s20, s21
        for h in range(g):
            if linked[g, h]:
                _cross_moments(p, b, k, ROWS * h, second)


@part(fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _cross_moments(  # pragma: no cover - compiled
    p: Array, b: Array, k: int, j: int, second: Array
) -> None:
    """``sum_s p_s b_ks b_js'`` of the rows from k and those from j."""
    b0, b1, b2, c0, c1, c2 = b[k], b[k + 1], b[k + 2], b[j], b[j + 1], b[j + 2]
    s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = 0.0
    for s in range(len(p)):
        x, y, z = c0[s], c1[s], c2[s]
        u, v, w = p[s] * b0[s], p[s] * b1[s], p[s] * b2[s]
        s00 += u * x
        s01 += u * y
        s02 += u * z
        s10 += v * x
        s11 += v * y
        s12 += v * z
        s20 += w * x
        s21 += w * y
        s22 += w * z
    second[k, j], second[k, j + 1], second[k, j + 2] = s00, s01, s02
    second[k + 1, j], second[k + 1, j + 1], second[k + 1, j + 2] = s10, s11, s12
    second[k + 2, j], second[k + 2, j + 1], second[k + 2, j + 2] = s20, s21, s22


@compiled(nogil=True, fastmath={"contract"}, error_model="numpy")
def frozen_log_integrals(  # pragma: no cover - compiled
    loc: Array, precision: Array, constant: Array, nodes: Array, constants: Array, linked: Flags
) -> Array:
    """``log P_i`` (D, n) of n persons in D populations.

    Parameters
    ----------
    loc, precision, constant
        Of D populations: (D, 1 or n, M), (D, M, M) and (D,); see `Population`.
    nodes, constants, linked
        See `FrozenNodes`.
    """
    draws, n = len(constant), len(nodes)
    logp = np.empty((draws, n))
    a, eta = np.empty(nodes.shape[2]), np.empty(nodes.shape[1])
    for i in range(n):
        for d in range(draws):
            own = loc[d, min(i, loc.shape[1] - 1)]
            known = constant[d] + _linear(own, precision[d], eta)
            _exponent(constants[i], nodes[i], eta, precision[d], linked, a)
            logp[d, i] = known + _log_sum(a)[0]
    return logp


@compiled(nogil=True, fastmath={"contract"}, error_model="numpy")
def frozen_moments(  # pragma: no cover - compiled
    loc: Array,
    precision: Array,
    constant: float,
    nodes: Array,
    constants: Array,
    linked: Flags,
) -> tuple[Array, Array, Array]:
    """``log P_i`` (n,) and moments of the persons' nodes, of which derivatives are made.

    Parameters
    ----------
    loc, precision, constant
        See `Population`.
    nodes, constants, linked
        See `FrozenNodes`.

    Returns
    -------
    tuple
        ``log P_i``; ``E_i[b - loc_i]`` (n, M) and the lower triangle of ``E_i[(b - loc_i)
        (b - loc_i)']`` (n, M, M) where ``linked``, 0 elsewhere, by the nodes' posterior weights.
    """
    n, size, n_nodes = nodes.shape
    logp, first = np.empty(n), np.empty((n, size))
    second = np.zeros((n, size, size))
    a, eta = np.empty(n_nodes), np.empty(size)
    for i in range(n):
        own = loc[min(i, len(loc) - 1)]
        known = constant + _linear(own, precision, eta)
        _exponent(constants[i], nodes[i], eta, precision, linked, a)
        log_sum, total = _log_sum(a)
        logp[i] = known + log_sum
        _moments(a, nodes[i], linked, first[i], second[i])
        for k in range(size):
            first[i, k] /= total
        for k in range(size):
            for j in range(k + 1):
                if linked[k // ROWS, j // ROWS]:
                    raw = second[i, k, j] / total
                    cross = first[i, k] * own[j] + own[k] * first[i, j]
                    second[i, k, j] = raw - cross + own[k] * own[j]
        for k in range(size):
            first[i, k] -= own[k]
    return logp, first, second
