"""A person-centred grid frozen in coefficient space, for evaluations near its anchor."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bayesmix.likelihood.boundary import at_boundary
from bayesmix.likelihood.centred import PersonGrid
from bayesmix.likelihood.integrate import node_log_probabilities
from bayesmix.likelihood.mixture import base_at, mixture_at
from bayesmix.likelihood.problem import Problem


class CoefficientNodes(NamedTuple):
    """Indices and constants of `bayesmix.likelihood.density.density_integrals`.

    Parameters
    ----------
    nodes
        Indices b (I, K, S).
    constants
        ``log P(y_i | b_is) - log(S q_is)`` (I, S), q the density in coefficient space.
    """

    nodes: Any
    constants: Any


def freeze(
    problem: Problem, grid: PersonGrid, start: int = 0, stop: int | None = None
) -> CoefficientNodes | None:
    """The nodes of persons start .. stop - 1 at the anchor of ``grid``, fixed in coefficient space.

    At the anchor the integrals are those of ``grid``. None where a standard deviation is near 0
    at the anchor: the nodes would crowd around the mean, and larger ones find none.
    """
    theta = grid.anchors.theta
    _, chol, _ = problem.parameters.unpack(theta)
    size = problem.parameters.n_random
    diagonal = np.abs(np.diag(chol))
    if (diagonal < 1e-6 * np.abs(chol).sum(axis=1).max(initial=0.0)).any():
        return None
    if at_boundary(problem, theta):
        return None
    stop = problem.n_persons if stop is None else stop
    nodes, weights = grid.block(start, stop)
    mixture = mixture_at(problem, theta, nodes, weights)
    base = base_at(problem, theta, start, stop)
    logp = node_log_probabilities(problem.panel(start, stop), base, mixture)
    indices = mixture.loc[:, :, None] + np.einsum("kj,ijs->iks", chol, nodes)
    # w = phi(z) / (S q(z)); in coefficient space both densities are divided by |L|.
    log_density = -0.5 * (nodes**2).sum(axis=1) - 0.5 * size * np.log(2 * np.pi)
    log_density -= np.log(diagonal).sum()
    constants = logp + np.log(weights) - log_density
    return CoefficientNodes(np.ascontiguousarray(indices), constants)
