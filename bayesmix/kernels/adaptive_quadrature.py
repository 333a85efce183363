"""Adaptive quadrature: one rule for everybody, moved to where each person's likelihood is.

With centre ``c`` and root ``R`` of a person's posterior in the space of standard normals, and nodes
``t_s`` of weights ``w_s`` for the standard normal law, the nodes are ``z_s = c + R t_s`` and their
weights ``w_s |R| phi(z_s) / phi(t_s)`` (Naylor and Smith 1982; Rabe-Hesketh, Skrondal and Pickles
2005): exact where likelihood times density is a normal density times a polynomial.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import compiled, signed
from bayesmix.kernels.fastmath import exp


@compiled(parallel=True, fastmath={"contract"}, error_model="numpy")
def moved(  # pragma: no cover - compiled
    nodes: Array, weights: Array, centres: Array, roots: Array
) -> tuple[Array, Array]:
    """Nodes (n, K, S) and weights (n, S) of n persons, from a rule's nodes (K, S) and weights (S,).

    ``centres`` (n, K); ``roots`` (n, K, K) are lower-triangular.
    """
    n, size, n_nodes = centres.shape[0], nodes.shape[0], nodes.shape[1]
    out, weight = np.empty((n, size, n_nodes)), np.empty((n, n_nodes))
    square = np.zeros(n_nodes)
    for k in range(size):
        for s in range(n_nodes):
            square[s] += nodes[k, s] * nodes[k, s]
    for person in prange(n):
        i = signed(person)
        determinant, distance = 1.0, square.copy()
        for k in range(size):
            determinant *= roots[i, k, k]
            row = out[i, k]
            for s in range(n_nodes):
                row[s] = centres[i, k]
            for j in range(k + 1):
                c = roots[i, k, j]
                for s in range(n_nodes):
                    row[s] += c * nodes[j, s]
            for s in range(n_nodes):
                distance[s] -= row[s] * row[s]
        for s in range(n_nodes):
            weight[i, s] = determinant * weights[s] * exp(0.5 * distance[s])
    return out, weight
