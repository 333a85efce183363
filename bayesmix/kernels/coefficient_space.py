"""Integrals over nodes fixed in coefficient space (Ackerberg 2009).

``P_i(theta) = sum_s exp(c_is) N(b_is; loc_i, L L')``: the kernel's part ``c_is`` was computed when
the nodes were placed, and only the population's density moves with theta. An evaluation costs
persons x nodes x K^2, whatever the number of situations and alternatives.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.logit import BLOCK, dot

LOG_2PI = math.log(2 * math.pi)


class CoefficientNodes(NamedTuple):
    """Nodes and constants of `density_integrals`.

    Parameters
    ----------
    nodes
        Indices b (I, K, S).
    constants
        ``log P(y_i | b_is) - log(S q_is)`` (I, S), q the density in coefficient space.
    """

    nodes: Any
    constants: Any


@part(fastmath={"contract"}, error_model="numpy")
def _whiten(  # pragma: no cover - compiled
    nodes: Array, loc: Array, chol: Array, y: Array, half_square: Array
) -> None:
    """``y = L^-1 (b - loc)`` and ``y'y / 2`` at nodes (K, n), by forward substitution."""
    n = nodes.shape[1]
    for s in range(n):
        half_square[s] = 0.0
    for k in range(chol.shape[0]):
        row, column = y[k], nodes[k]
        constant, inverse = loc[k], 1.0 / chol[k, k]
        for s in range(n):
            row[s] = column[s] - constant
        for j in range(k):
            c = chol[k, j]
            if c != 0.0:
                other = y[j]
                for s in range(n):
                    row[s] -= c * other[s]
        for s in range(n):
            row[s] *= inverse
            half_square[s] += 0.5 * row[s] * row[s]


@compiled(nogil=True, fastmath={"contract"}, error_model="numpy")
def density_integrals(  # pragma: no cover - compiled
    loc: Array, chol: Array, free: Array, nodes: Array, constants: Array
) -> tuple[Array, Array, Array]:
    """Log-integrals and their derivatives with respect to locations and Cholesky factor.

    Parameters
    ----------
    loc, chol
        Locations (1, K) or (n, K), and lower-triangular factor (K, K) with a positive diagonal.
    free
        (K, K) booleans: the entries of ``chol`` whose derivatives are wanted.
    nodes, constants
        Indices b (n, K, S), and ``log P(y_i | b_is) - log(S q_is)``, (n, S).

    Returns
    -------
    tuple
        ``log P_i`` (n,), its derivatives (n, K) and (n, K, K).
    """
    n_persons, size, n_nodes = nodes.shape
    logp, d_loc = np.empty(n_persons), np.empty((n_persons, size))
    d_chol = np.zeros((n_persons, size, size))
    inverse = np.linalg.inv(chol)
    log_det = 0.0
    for k in range(size):
        log_det += math.log(abs(chol[k, k]))
    width = min(BLOCK, n_nodes)
    y, weighted = np.empty((size, width)), np.empty(width)
    a, weight = np.empty(width), np.empty(width)
    diagonal = True
    for k in range(size):
        for j in range(k):
            if free[k, j]:
                diagonal = False
    first_moment, second_moment = np.empty(size), np.empty((size, size))
    for i in range(n_persons):
        centre = loc[min(i, loc.shape[0] - 1)]
        top, total = -np.inf, 0.0
        for k in range(size):
            first_moment[k] = 0.0
            for j in range(size):
                second_moment[k, j] = 0.0
        for first in range(0, n_nodes, BLOCK):
            n = min(BLOCK, n_nodes - first)
            _whiten(nodes[i, :, first : first + n], centre, chol, y, a)
            new_top = top
            for s in range(n):
                a[s] = constants[i, first + s] - a[s]
                new_top = max(new_top, a[s])
            rescale = math.exp(top - new_top)
            top = new_top
            for s in range(n):
                weight[s] = exp(a[s] - top)
            total *= rescale
            for s in range(n):
                total += weight[s]
            for k in range(size):
                row = y[k]
                for s in range(n):
                    weighted[s] = weight[s] * row[s]
                first_moment[k] = first_moment[k] * rescale + dot(weight, row, n)
                for j in range(k if diagonal else 0, k + 1):
                    product = dot(weighted, y[j], n)
                    second_moment[k, j] = second_moment[k, j] * rescale + product
        logp[i] = top + math.log(total) - log_det - 0.5 * size * LOG_2PI
        for k in range(size):
            for j in range(k):
                second_moment[j, k] = second_moment[k, j]
        # d log N = L^-T y  and  tril(L^-T (y y' - I)), averaged with the nodes' posterior weights.
        for k in range(size):
            slope = 0.0
            for m in range(k, size):
                slope += inverse[m, k] * first_moment[m]
            d_loc[i, k] = slope / total
            for j in range(k + 1):
                if free[k, j]:
                    slope = 0.0
                    for m in range(k, size):
                        slope += inverse[m, k] * second_moment[m, j]
                    d_chol[i, k, j] = slope / total
                    if j == k:
                        d_chol[i, k, j] -= inverse[k, k]
    return logp, d_loc, d_chol
