"""Nodes and weights of each person's own mixture of normals, from standard-normal draws."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, signed
from bayesmix.kernels.fastmath import exp


@compiled(fastmath={"contract"}, error_model="numpy")
def _move(nodes: Array, centre: Array, root: Array) -> None:  # pragma: no cover - compiled
    """``z -> centre + root z`` for nodes (K, S), in place: the last rows first, none is needed."""
    for k in range(len(nodes) - 1, -1, -1):
        row = nodes[k]
        for s in range(len(row)):
            total = centre[k]
            for j in range(k):
                total += root[k, j] * nodes[j, s]
            row[s] = total + root[k, k] * row[s]


@compiled(fastmath={"contract"}, error_model="numpy")
def _distances(  # pragma: no cover - compiled
    nodes: Array, centre: Array, inverse: Array, y: Array, out: Array
) -> None:
    """``|inverse (z - centre)|^2`` of nodes (K, S) into ``out`` (S,); ``y`` (S,) is for work."""
    out[:] = 0.0
    for k in range(len(nodes)):
        y[:] = 0.0
        for j in range(k + 1):
            c, middle, row = inverse[k, j], centre[j], nodes[j]
            for s in range(len(y)):
                y[s] += c * (row[s] - middle)
        for s in range(len(y)):
            out[s] += y[s] * y[s]


@compiled(parallel=True, fastmath={"contract"}, error_model="numpy")
def place(  # pragma: no cover - compiled
    nodes: Array, counts: Indices, centres: Array, roots: Array, inverses: Array
) -> Array:
    """Turn standard normals (n, K, S) into nodes of the mixtures, in place; returns the weights."""
    n, size, n_nodes = nodes.shape
    weights = np.empty((n, n_nodes))
    for person in prange(n):
        i = signed(person)
        first = counts[0]
        for m in range(len(counts) - 1):
            last = first + counts[m + 1]
            _move(nodes[i, :, first:last], centres[i, m], roots[i, m])
            first = last
        square, distance, y = np.zeros(n_nodes), np.empty(n_nodes), np.empty(n_nodes)
        for k in range(size):
            row = nodes[i, k]
            for s in range(n_nodes):
                square[s] += row[s] * row[s]
        ratio = np.full(n_nodes, counts[0] / n_nodes)  # q / phi, node by node
        for m in range(len(counts) - 1):
            _distances(nodes[i], centres[i, m], inverses[i, m], y, distance)
            # Densities are relative to the standard normal's constant (2 pi)^(-K/2).
            log_share = math.log(counts[m + 1] / n_nodes)
            for k in range(size):
                log_share += math.log(inverses[i, m, k, k])
            for s in range(n_nodes):
                ratio[s] += exp(min(log_share + 0.5 * (square[s] - distance[s]), 700.0))
        for s in range(n_nodes):
            weights[i, s] = 1.0 / (n_nodes * ratio[s])
    return weights
