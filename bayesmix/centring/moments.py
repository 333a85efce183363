"""Means and covariances of persons' posteriors of the standard-normal ``z``, on given nodes."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.posterior_moments import posterior_moments as over_posteriors
from bayesmix.likelihood.point import Point


def posterior_moments(here: Point, nodes: Array, weights: Array) -> tuple[Array, Array]:
    """Means (n, K) and covariances (n, K, K), of ``nodes`` (n, K, S) with ``weights`` (n, S)."""
    if here.nests is None and here.persons.price < 0:
        # As nodes come, in the kernel: half the time is else that of arrays of all of them.
        found = over_posteriors(here.panel, here.base, here.mixture(nodes, weights))
        square = np.tril(found.square) + np.tril(found.square, -1).swapaxes(1, 2)
        return found.node, square - found.node[:, :, None] * found.node[:, None, :]
    share = posterior_weights(here.log_probabilities(here.mixture(nodes, weights)), weights)
    m = np.einsum("is,iks->ik", share, nodes)
    centred_nodes = nodes - m[:, :, None]
    covariances = np.einsum("is,iks,ijs->ikj", share, centred_nodes, centred_nodes, optimize=True)
    return m, covariances


def posterior_weights(logp: Array, weights: Array) -> Array:
    """Each node's share (n, S) of its person's integral; negative where its weight is."""
    relative = weights * np.exp(logp - logp.max(axis=1, keepdims=True))
    return relative / relative.sum(axis=1, keepdims=True)
