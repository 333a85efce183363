"""Draws from each person's posterior by acceptance and rejection (Train 2009, chapter 10).

A candidate ``u`` from the population is accepted with probability ``P(y_i | beta(u)) / B_i``, where
no coefficients make the choices of person i more probable than ``B_i``. What is accepted has the
posterior's law exactly, whatever the number of draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy.special import log_ndtr

from bayesmix.integration.grids import PopulationGrid
from bayesmix.integration.rules import monte_carlo
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.integrate import node_log_probabilities
from bayesmix.likelihood.kernels import Panel, log_probabilities, scores
from bayesmix.likelihood.mixture import base_at, mixture_at, panel_at
from bayesmix.likelihood.problem import Problem

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

PERSONS, FIRST = 32, 64
"""Persons handled together, and candidates that each of them tries first."""
ITERATIONS = 60
ARRIVED = 1e-9
"""Newton decrement, about twice the nats that are left to gain, at which a maximum is found."""
SLACK = 1e-6
"""Nats added to a maximum, so that it is a bound."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws from every person's posterior.

    Parameters
    ----------
    nodes
        Standard normal coordinates (I, K, A); 0 beyond a person's number.
    counts
        Number (I,) of each person's draws, at most A; 0 where no candidate was accepted.
    tried
        Share of the candidates tried that were accepted, over all persons.
    """

    nodes: Array
    counts: Indices
    tried: float

    def scores(self, problem: Problem, theta: Array) -> Array:
        """Simulated scores (I, P): means of ``d log P(y_i | beta(theta, u)) / d theta``.

        0 of persons without draws.
        """
        total = np.zeros((problem.n_persons, len(theta)))
        for a in range(self.nodes.shape[2]):
            _, one = Likelihood(problem, OneNode(self.nodes[:, :, a : a + 1])).by_person(theta)
            total[self.counts > a] += one[self.counts > a]
        return total / np.maximum(self.counts, 1)[:, None]

    def noise(self, problem: Problem, theta: Array) -> Array:
        """Covariance (P, P) of the weighted sum of `scores` over draws, given the choices.

        ``sum_i w_i^2 V_i / n_i`` with ``V_i`` that of a person's n_i draws. Of a single draw there
        is none: such a person's is taken to be the others' mean. Without draws there is no noise.
        """
        n, squares = self.counts, problem.data.weights**2
        several = np.flatnonzero(n > 1)
        if not len(several):
            return np.full((len(theta), len(theta)), np.nan)
        share = squares / np.maximum(n, 1)
        share[several] += squares[n == 1].sum() / len(several)
        means, total = self.scores(problem, theta), np.zeros((len(theta), len(theta)))
        for a in range(self.nodes.shape[2]):
            here = several[n[several] > a]
            _, one = Likelihood(problem, OneNode(self.nodes[:, :, a : a + 1])).by_person(theta)
            gaps = one[here] - means[here]
            total += (gaps * (share[here] / (n[here] - 1))[:, None]).T @ gaps
        return total


@dataclass(frozen=True, eq=False)
class OneNode:
    """A grid of one node a person (I, K, 1): integrals become conditional probabilities."""

    nodes: Array
    size: int = 1
    shared: bool = False

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        return np.ascontiguousarray(self.nodes[start:stop]), np.ones((stop - start, 1))


def accepted_draws(
    problem: Problem, theta: Array, streams: tuple[PopulationGrid, PopulationGrid], wanted: int
) -> Draws:
    """The first ``wanted`` accepted of each person's candidates at the free vector ``theta`` (P,).

    Parameters
    ----------
    problem, theta
        The model bound to data, and the free vector.
    streams
        Candidates (K coordinates) and what decides on them (1), both of `monte_carlo`: the same at
        every theta, so that draws change one by one as theta moves.
    wanted
        Draws a person.
    """
    nodes = np.zeros((problem.n_persons, streams[0].dimension, wanted))
    counts = np.zeros(problem.n_persons, dtype=np.int64)
    accepted, tried = 0, 0
    for start in range(0, problem.n_persons, PERSONS):
        persons = slice(start, min(start + PERSONS, problem.n_persons))
        # A few candidates do for most persons: the first of them, and more where they do not.
        size = min(max(FIRST, 2 * wanted), streams[0].size)
        while True:
            cut = tuple(replace(s, rule=monte_carlo(size)) for s in streams)
            block, good = _decide(problem, theta, cut, persons)
            if size == streams[0].size or good.sum(axis=1).min() >= wanted:
                break
            size = min(8 * size, streams[0].size)
        rank = np.cumsum(good, axis=1)
        person, candidate = np.nonzero(good & (rank <= wanted))
        nodes[start + person, :, rank[person, candidate] - 1] = block[person, :, candidate]
        counts[persons] = np.minimum(rank[:, -1], wanted)
        accepted, tried = accepted + int(good.sum()), tried + good.size
    return Draws(nodes, counts, accepted / tried)


def _decide(
    problem: Problem, theta: Array, streams: tuple[PopulationGrid, ...], persons: slice
) -> tuple[Array, NDArray[np.bool_]]:
    """Candidates (n, K, C) of consecutive persons, and which of them (n, C) are accepted."""
    start, stop = persons.start, persons.stop
    block, weights = streams[0].block(start, stop)
    base, panel = base_at(problem, theta, start, stop), panel_at(problem, theta, start, stop)
    logp = node_log_probabilities(
        panel, base, mixture_at(problem, theta, block, weights, start, stop)
    )
    level = log_ndtr(streams[1].block(start, stop)[0][:, 0])
    return block, level + largest_log_probabilities(panel, base)[:, None] <= logp


@njit(cache=True, error_model="numpy")
def _largest(panel: Panel, base: Array, i: int) -> float:  # pragma: no cover - compiled
    size, situations = panel.x.shape[1], panel.situation_start
    start, end = panel.person_start[i], panel.person_start[i + 1]
    first_row = situations[start]
    prob, logp = np.empty((situations[end] - first_row, 1)), np.empty(1)
    beta, step, g = np.zeros((size, 1)), np.zeros((size, 1)), np.empty((size, 1))
    log_probabilities(panel, i, base, beta, 1, logp, prob)
    height = logp[0]
    for _ in range(ITERATIONS):
        scores(panel, i, prob, 1, g)
        information = np.zeros((size, size))
        mean = np.empty(size)
        for t in range(start, end):
            mean[:] = 0.0
            for row in range(situations[t], situations[t + 1]):
                p = prob[row - first_row, 0]
                for k in range(size):
                    mean[k] += p * panel.x[row, k]
                    for j in range(size):
                        information[k, j] += p * panel.x[row, k] * panel.x[row, j]
            for k in range(size):
                for j in range(size):
                    information[k, j] -= mean[k] * mean[j]
        largest = 0.0
        for k in range(size):
            largest = max(largest, information[k, k])
        # Directions in which nothing varies have no slope either: the ridge leaves them alone.
        for k in range(size):
            information[k, k] += 1e-9 * largest + 1e-300
        step[:] = np.linalg.solve(information, g)
        decrement = 0.0
        for k in range(size):
            decrement += step[k, 0] * g[k, 0]
        if decrement < ARRIVED:
            return min(0.0, height + SLACK)
        for _ in range(40):
            log_probabilities(panel, i, base, beta + step, 1, logp, prob)
            if logp[0] > height:
                break
            step *= 0.5
        if not logp[0] > height:
            return 0.0
        beta += step
        height = logp[0]
    return 0.0


@njit(cache=True, parallel=True, error_model="numpy")
def largest_log_probabilities(  # pragma: no cover - compiled
    panel: Panel, base: Array
) -> Array:
    """Bounds (n,) on ``log P(y_i | beta)`` over all random coefficients beta.

    The maximum of each person's own logit, by Newton's method; 0, which always is a bound, where
    it is not found. Where some coefficients predict all of a person's choices, it is nearly 0.
    """
    out = np.empty(panel.person_start.shape[0] - 1)
    for i in prange(out.shape[0]):
        out[i] = _largest(panel, base, np.int64(i))
    return out
