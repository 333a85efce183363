"""Nodes and weights of each person's own mixture of normals, from standard-normal draws."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.fastmath import exp
from bayesmix.kernels.threads import share, take


@part(fastmath={"contract"}, error_model="numpy")
def _move(nodes: Array, centre: Array, root: Array) -> None:  # pragma: no cover - compiled
    """``z -> centre + root z`` for nodes (K, S), in place: the last rows first, none is needed."""
    for k in range(len(nodes) - 1, -1, -1):
        row = nodes[k]
        for s in range(len(row)):
            total = centre[k]
            for j in range(k):
                total += root[k, j] * nodes[j, s]
            row[s] = total + root[k, k] * row[s]


@part(fastmath={"contract"}, error_model="numpy")
def _distances(  # pragma: no cover - compiled
    nodes: Array, centre: Array, inverse: Array, y: Array, out: Array
) -> None:
    """``|inverse (z - centre)|^2`` of nodes (K, S) into ``out`` (S,); ``y`` (S,) is for work."""
    for s in range(len(out)):
        out[s] = 0.0
    for k in range(len(nodes)):
        for s in range(len(y)):
            y[s] = 0.0
        for j in range(k + 1):
            c, middle, row = inverse[k, j], centre[j], nodes[j]
            for s in range(len(y)):
                y[s] += c * (row[s] - middle)
        for s in range(len(y)):
            out[s] += y[s] * y[s]


class Components(NamedTuple):
    """Mixtures of M normals: nodes of the standard normal and of each (1 + M,), and their laws.

    ``centres`` (n, M, K), and lower-triangular ``roots`` and ``inverses`` (n, M, K, K) of them.
    """

    counts: Indices
    centres: Array
    roots: Array
    inverses: Array


def place(nodes: Array, counts: Indices, centres: Array, roots: Array, inverses: Array) -> Array:
    """Turn standard normals (n, K, S) into nodes of the mixtures, in place; returns the weights."""
    n, _, n_nodes = nodes.shape
    weights = np.empty((n, n_nodes))
    share(_place, n, nodes, Components(counts, centres, roots, inverses), weights)
    return weights


@compiled(nogil=True, fastmath={"contract"}, error_model="numpy")
def _place(  # pragma: no cover - compiled
    queue: Indices, nodes: Array, of: Components, weights: Array
) -> None:
    n, n_nodes = weights.shape
    square, distance, y = np.empty(n_nodes), np.empty(n_nodes), np.empty(n_nodes)
    first = take(queue)
    while first < n:
        for i in range(first, min(first + queue[1], n)):
            own = Components(of.counts, of.centres[i], of.roots[i], of.inverses[i])
            _place_one(nodes[i], own, (square, distance, y), weights[i])
        first = take(queue)


@part(fastmath={"contract"}, error_model="numpy")
def _place_one(  # pragma: no cover - compiled
    nodes: Array, of: Components, room: tuple[Array, Array, Array], weights: Array
) -> None:
    """Nodes of one person; ``weights`` (S,) hold ``q / phi``, node by node, until the end."""
    counts, centres, roots, inverses = of.counts, of.centres, of.roots, of.inverses
    square, distance, y = room
    size, n_nodes = nodes.shape
    first = counts[0]
    for m in range(len(counts) - 1):
        last = first + counts[m + 1]
        _move(nodes[:, first:last], centres[m], roots[m])
        first = last
    for s in range(n_nodes):
        square[s] = 0.0
        weights[s] = counts[0] / n_nodes
    for k in range(size):
        row = nodes[k]
        for s in range(n_nodes):
            square[s] += row[s] * row[s]
    for m in range(len(counts) - 1):
        _distances(nodes, centres[m], inverses[m], y, distance)
        # Densities are relative to the standard normal's constant (2 pi)^(-K/2).
        log_share = math.log(counts[m + 1] / n_nodes)
        for k in range(size):
            log_share += math.log(inverses[m, k, k])
        for s in range(n_nodes):
            weights[s] += exp(min(log_share + 0.5 * (square[s] - distance[s]), 700.0))
    for s in range(n_nodes):
        weights[s] = 1.0 / (n_nodes * weights[s])
