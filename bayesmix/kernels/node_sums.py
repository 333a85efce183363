"""Scores summed over the nodes of a person: by locations, by shapes of laws, by the factor ``L``.

The products of scores with node coordinates are contracted block by block of nodes, so that no
(persons x nodes x coefficients) array exists.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import part
from bayesmix.kernels.logit import dot
from bayesmix.kernels.mixture import Mixture, law_scores, moving, moving_scores


class Sums(NamedTuple):
    """What is summed over the nodes of one person.

    Parameters
    ----------
    moves
        Whether some law moves by itself, see `bayesmix.kernels.mixture.moving_scores`.
    loc, chol
        By locations and shapes (C + E,), and by ``L`` (C, K).
    extra
        What location, scale and shapes do by themselves (2, C + E), and the same of the last
        block (2, C + E).
    """

    moves: bool
    loc: Array
    chol: Array
    extra: Array
    block: Array


class Block(NamedTuple):
    """Nodes first .. first + n - 1 of person i.

    Parameters
    ----------
    i, first, n
        The person, the first node, and how many there are.
    beta, slope
        Coefficients and the laws' slopes (C, .).
    weight
        Weights (.,), relative to the largest term so far.
    rescale
        What sums before are multiplied with, where that has grown.
    """

    i: int
    first: int
    n: int
    beta: Array
    slope: Array
    weight: Array
    rescale: float


@part(error_model="numpy")
def no_sums(mixture: Mixture) -> Sums:  # pragma: no cover - compiled
    """Sums of no nodes yet."""
    size, n_laws = mixture.chol.shape
    n_loc = mixture.loc.shape[1]
    return Sums(
        moving(mixture.laws),
        np.zeros(n_loc),
        np.zeros((size, n_laws)),
        np.zeros((2, n_loc)),
        np.empty((2, n_loc)),
    )


@part(fastmath={"contract"}, error_model="numpy")
def add_scores(  # pragma: no cover - compiled
    sums: Sums, mixture: Mixture, nodes: Block, g: Array
) -> None:
    """Add a block of nodes, whose scores with respect to beta ``g`` (C, n) are used up."""
    i, first, n, rescale = nodes.i, nodes.first, nodes.n, nodes.rescale
    beta, slope, weight = nodes.beta, nodes.slope, nodes.weight
    size, n_laws = mixture.chol.shape
    n_loc = mixture.loc.shape[1]
    u = mixture.nodes[min(i, mixture.nodes.shape[0] - 1)]
    law_scores(mixture, beta, n, g)
    for k in range(size):
        gk = g[k]
        for s in range(n):
            gk[s] *= weight[s]
    if sums.moves:
        moving_scores(mixture, i, first, n, g, sums.block)
        for k in range(n_loc):
            sums.extra[0, k] = sums.extra[0, k] * rescale + sums.block[0, k]
            sums.extra[1, k] = sums.extra[1, k] * rescale + sums.block[1, k]
    for k in range(size):
        gk, d_k = g[k], slope[k]
        for s in range(n):
            gk[s] *= d_k[s]
        sum_k = 0.0
        for s in range(n):
            sum_k += gk[s]
        sums.loc[k] = sums.loc[k] * rescale + sum_k
        for j in range(k + 1 if k < n_laws else 0):
            sums.chol[k, j] = sums.chol[k, j] * rescale + dot(gk, u[j, first : first + n], n)


@part(error_model="numpy")
def close_sums(  # pragma: no cover - compiled
    sums: Sums, mixture: Mixture, total: float, d_loc: Array, d_chol: Array
) -> None:
    """Sums over ``total``, into ``d_loc`` (C + E,) and ``d_chol`` (C, K)."""
    size, n_laws = mixture.chol.shape
    n_loc = mixture.loc.shape[1]
    if sums.moves:
        for k in range(n_loc):
            sums.loc[k] += sums.extra[0, k]
        for k in range(size):
            for j in range(k + 1 if k < n_laws else 0):
                sums.chol[k, j] += sums.extra[1, k] * mixture.chol[k, j]
    for k in range(n_loc):
        d_loc[k] = sums.loc[k] / total
    for k in range(size):
        for j in range(n_laws):
            d_chol[k, j] = sums.chol[k, j] / total
