"""Persons' log-integrals on many nodes, and what the nodes of a posterior's own miss of them."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import integrated_log_likelihood
from bayesmix.bayes.psis import averaged
from bayesmix.bayes.sampler_grid import fine_nodes
from bayesmix.centring.people import people
from bayesmix.likelihood.problem import Problem

DRAWS = 16
"""Draws at which a posterior's own nodes are compared with many."""
KEY = 1
"""Seed of these nodes: scores are a function of the posterior alone."""


def fine_log_likelihood(problem: Problem, thetas: Array, seed: int) -> Array:
    """``log P_i`` (D, I) at free vectors (D, P), on many nodes placed at their mean."""
    rng = np.random.default_rng(seed)
    moved, mean = problem.split(thetas.mean(axis=0))
    who = people(moved, mean, known=True, nodes=fine_nodes(problem), rng=rng)
    found: Array = integrated_log_likelihood(problem, who.grid, thetas[None])[0]
    return found


def integration_errors(problem: Problem, thetas: Array, logp: Array) -> tuple[Array, Array]:
    """What a posterior's own nodes miss of each person's log score, with standard errors (I,).

    Draws of a posterior that was sampled with ``P_i`` on few nodes, where many nodes have
    ``P_i exp(d_i)``: leaving the person out divides by the former, and the score is of the latter,
    so that ``log E[exp(d_i)]`` over these very draws is to be added to what few nodes give.

    Parameters
    ----------
    thetas, logp
        Free vectors (D, P) of all draws, and ``log P_i`` (D, I) on the posterior's own nodes.
    """
    if not problem.parameters.n_random:
        return np.zeros(logp.shape[1]), np.zeros(logp.shape[1])
    some = np.unique(np.linspace(0, len(logp) - 1, DRAWS).round().astype(int))
    missed = fine_log_likelihood(problem, thetas[some], KEY) - logp[some]
    return averaged(missed, len(some))
