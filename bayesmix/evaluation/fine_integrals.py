"""Persons' log-integrals on many nodes, and what the nodes of a posterior's own miss of them.

A posterior that was sampled on few nodes is off by ``exp(e)``, where ``e`` is the log-likelihood on
many nodes less the one that was sampled: the errors of all persons, whoever is left out. Draws are
weighed with it, some of them, and what changes is added to what all draws give.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayesmix.accuracy.pooling import pooled
from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import integrated_log_likelihood
from bayesmix.bayes.psis import Estimates
from bayesmix.bayes.sampler_grid import fine_nodes
from bayesmix.centring.people import people
from bayesmix.likelihood.problem import Problem

DRAWS, LEAST = 200, 16
"""Draws at which a posterior's own nodes are compared with many, and at least."""
SCRAMBLES = 4
"""Independent grids that the many nodes are shared by, which say how well they know."""
NUMBERS = 2**24
"""Log-integrals held at once."""
KEY = 1
"""Seed of these nodes: scores are a function of the posterior alone."""


class Fine(NamedTuple):
    """Log-integrals on many nodes at some draws.

    Parameters
    ----------
    places
        Of these draws among all, (M,).
    logp
        ``log P_i`` (1 + R, M, I): of all R scramblings, and without each.
    """

    places: Array
    logp: Array


def fine_log_likelihood(problem: Problem, thetas: Array, seed: int) -> Array:
    """``log P_i`` (D, I) at free vectors (D, P), on many nodes placed at their mean."""
    rng = np.random.default_rng(seed)
    return _on(problem, thetas, thetas.mean(axis=0), fine_nodes(problem), rng)


def fine_at_some(problem: Problem, thetas: Array) -> Fine:
    """Log-integrals at evenly spaced ones of draws (D, P), without the bias of logarithms."""
    most = max(LEAST, min(DRAWS, NUMBERS // (SCRAMBLES * problem.n_persons)))
    places = np.unique(np.linspace(0, len(thetas) - 1, most).round().astype(int))
    nodes, rng = max(1, fine_nodes(problem) // SCRAMBLES), np.random.default_rng(KEY)
    middle, some = thetas.mean(axis=0), thetas[places]
    each = np.stack([_on(problem, some, middle, nodes, rng) for _ in range(SCRAMBLES)])
    kept = [each, *(np.delete(each, r, axis=0) for r in range(SCRAMBLES))]
    return Fine(places, np.stack([_together(logp) for logp in kept]))


def integration_errors(
    problem: Problem, thetas: Array, logp: Array, sampled: Array | None, effective: float
) -> tuple[Estimates, Estimates]:
    """What a posterior's own nodes miss of each person's log score, left out and not.

    ``log E[exp(e) P_i] - log E[exp(e)]`` of a person who is not left out, and without the person
    ``log E[exp(e) P_i^(1 - w_i)] - log E[exp(e) P_i^-w_i]``, expectations over the draws and
    ``P_i`` on many nodes; less the same with ``e = 0`` and ``P_i`` on few.

    Parameters
    ----------
    thetas, logp
        Free vectors (D, P) of all draws, and ``log P_i`` (D, I) on the posterior's own nodes.
    sampled
        The weighted log-likelihood (D,) that the draws are of; None where persons were sampled, or
        nobody knows, and ``e`` is 0.
    effective
        Effective draws of all of them.
    """
    if not problem.parameters.n_random:
        return _none(logp.shape[1]), _none(logp.shape[1])
    fine = fine_at_some(problem, thetas)
    own, w = logp[fine.places], problem.data.weights
    error = total_error(fine, w, sampled)[..., None]
    few, flat = (1 - w) * own, np.zeros_like(own)
    share = effective / len(thetas)
    without = _shifted(error + (1 - w) * fine.logp, error - w * fine.logp, few, -w * own, share)
    return without, _shifted(error + fine.logp, error + 0 * fine.logp, own, flat, share)


def refit_error(
    problem: Problem, thetas: Array, own: Array, sampled: Array | None, effective: float
) -> Estimates:
    """The same of a new person's log score (1,), ``log E[P_i]``, on a posterior of others.

    Parameters
    ----------
    problem
        Of the others: the person has a weight of 0.
    own
        The person's ``log P_i`` (D, 1) on many nodes.
    thetas, sampled, effective
        As for `integration_errors`.
    """
    if sampled is None or not problem.parameters.n_random:
        return _none(1)
    fine = fine_at_some(problem, thetas)
    error = total_error(fine, problem.data.weights, sampled)[..., None]
    here = own[fine.places]
    return _shifted(error + here, error, here, np.zeros_like(here), effective / len(thetas))


def total_error(fine: Fine, weights: Array, sampled: Array | None) -> Array:
    """``e`` (1 + R, M): the log-likelihood on many nodes less the one that was sampled."""
    if sampled is None:
        return np.zeros(fine.logp.shape[:2])
    found: Array = np.einsum("rmi,i->rm", fine.logp, weights) - sampled[fine.places]
    return found - found.mean(axis=1, keepdims=True)


def _on(
    problem: Problem, thetas: Array, middle: Array, nodes: int, rng: np.random.Generator
) -> Array:
    moved, middle = problem.split(middle)
    who = people(moved, middle, known=True, nodes=nodes, rng=rng)
    found: Array = integrated_log_likelihood(problem, who.grid, thetas[None])[0]
    return found


def _together(logp: Array) -> Array:
    """``log P_i`` (M, I) that scramblings (R, M, I) tell together."""
    mean, variance = pooled(logp)
    return mean + variance / (2 * len(logp))


def _none(number: int) -> Estimates:
    return Estimates(np.zeros(number), np.zeros((0, number)))


def _shifted(up: Array, down: Array, up_few: Array, down_few: Array, share: float) -> Estimates:
    """``log mean exp`` over draws of ``up`` less ``down`` (1 + R, M, n), less that of few nodes.

    Its noise is that of so many draws (delta method; ``share`` of them are effective), and of the
    nodes (a jackknife over scramblings).
    """
    many = np.logaddexp.reduce(up, axis=1) - np.logaddexp.reduce(down, axis=1)
    few = np.logaddexp.reduce(up_few, axis=0) - np.logaddexp.reduce(down_few, axis=0)
    pull = _shares(up[0]) - _shares(down[0]) - _shares(up_few) + _shares(down_few)
    of_draws = pull / np.sqrt(min(1.0, share))
    of_nodes = (many[1:] - many[1:].mean(axis=0)) * np.sqrt(1 - 1 / SCRAMBLES)
    return Estimates(many[0] - few, np.concatenate([of_draws, of_nodes]))


def _shares(logs: Array) -> Array:
    found: Array = np.exp(logs - np.logaddexp.reduce(logs, axis=0))
    return found
