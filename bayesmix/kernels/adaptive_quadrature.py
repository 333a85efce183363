"""Adaptive quadrature: one rule for everybody, moved to where each person's likelihood is.

With centre ``c`` and root ``R`` of a person's posterior in the space of standard normals, and nodes
``t_s`` of weights ``w_s`` for the standard normal law, the nodes are ``z_s = c + R t_s`` and their
weights ``w_s |R| phi(z_s) / phi(t_s)`` (Naylor and Smith 1982; Rabe-Hesketh, Skrondal and Pickles
2005): exact where likelihood times density is a normal density times a polynomial.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.threads import share, take


class Rule(NamedTuple):
    """Nodes (K, S) and weights (S,) for the standard normal law."""

    nodes: Array
    weights: Array


def moved(nodes: Array, weights: Array, centres: Array, roots: Array) -> tuple[Array, Array]:
    """Nodes (n, K, S) and weights (n, S) of n persons, from a rule's nodes (K, S) and weights (S,).

    ``centres`` (n, K); ``roots`` (n, K, K) are lower-triangular.
    """
    n, (size, n_nodes) = len(centres), nodes.shape
    out, weight = np.empty((n, size, n_nodes)), np.empty((n, n_nodes))
    share(_moved, n, Rule(nodes, weights), centres, roots, out, weight)
    return out, weight


@compiled(nogil=True, fastmath={"contract"}, error_model="numpy")
def _moved(  # pragma: no cover - compiled
    queue: Indices, rule: Rule, centres: Array, roots: Array, out: Array, weight: Array
) -> None:
    n, size, n_nodes = out.shape
    square = np.zeros(n_nodes)
    for k in range(size):
        for s in range(n_nodes):
            square[s] += rule.nodes[k, s] * rule.nodes[k, s]
    first = take(queue)
    while first < n:
        for i in range(first, min(first + queue[1], n)):
            weight[i] = square
            _move(rule, centres[i], roots[i], out[i], weight[i])
        first = take(queue)


@part(fastmath={"contract"}, error_model="numpy")
def _move(  # pragma: no cover - compiled
    rule: Rule, centre: Array, root: Array, out: Array, weight: Array
) -> None:
    """Nodes and weights of one person; ``weight`` (S,) comes with the squares of the nodes."""
    nodes, weights = rule.nodes, rule.weights
    size, n_nodes = nodes.shape
    determinant = 1.0
    for k in range(size):
        determinant *= root[k, k]
        row = out[k]
        for s in range(n_nodes):
            row[s] = centre[k]
        for j in range(k + 1):
            c = root[k, j]
            for s in range(n_nodes):
                row[s] += c * nodes[j, s]
        for s in range(n_nodes):
            weight[s] -= row[s] * row[s]
    for s in range(n_nodes):
        weight[s] = determinant * weights[s] * exp(0.5 * weight[s])
