"""Draws from each person's posterior by acceptance and rejection (Train 2009, chapter 10).

A candidate ``u`` from the population is accepted with probability ``P(y_i | beta(u)) / B_i``, where
no coefficients make the choices of person i more probable than ``B_i``. What is accepted has the
posterior's law exactly, whatever the number of draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.special import log_ndtr

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.integration.grids import OneGrid, PopulationGrid
from bayesmix.integration.rules import monte_carlo
from bayesmix.kernels.largest_probabilities import largest_log_probabilities
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem

PERSONS, FIRST = 32, 64
"""Persons handled together, and candidates that each of them tries first."""


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
class OneNode(OneGrid):
    """A grid of one node a person (I, K, 1): integrals become conditional probabilities."""

    nodes: Array
    size: int = 1
    shared: bool = False

    halves = ()

    def block(self, start: int, stop: int) -> tuple[Array, Array]:
        return np.ascontiguousarray(self.nodes[start:stop]), np.ones((stop - start, 1))

    def part(self, start: int, stop: int) -> OneNode:
        """The nodes of persons start .. stop - 1 alone."""
        return OneNode(self.nodes[start:stop])


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
    work = partial(_accepted, wanted=wanted)
    blocks = over_persons(Point(problem, theta), streams[0], work, streams[1], step=PERSONS)
    nodes, counts, accepted, tried = joined(blocks)
    return Draws(nodes, counts, int(accepted.sum()) / int(tried.sum()))


def _accepted(
    here: Point, candidates: PopulationGrid, decisions: PopulationGrid, *, wanted: int
) -> tuple[Array, Indices, Indices, Indices]:
    """Draws (n, K, A) of persons, their numbers (n,), how many were accepted, and tried."""
    nodes = np.zeros((here.persons.n_persons, candidates.dimension, wanted))
    # A few candidates do for most persons: the first of them, and more where they do not.
    size = min(max(FIRST, 2 * wanted), candidates.size)
    while True:
        streams = (replace(s, rule=monte_carlo(size)) for s in (candidates, decisions))
        block, good = _decide(here, *streams)
        if size == candidates.size or good.sum(axis=1).min() >= wanted:
            break
        size = min(8 * size, candidates.size)
    rank = np.cumsum(good, axis=1)
    person, candidate = np.nonzero(good & (rank <= wanted))
    nodes[person, :, rank[person, candidate] - 1] = block[person, :, candidate]
    counts = np.minimum(rank[:, -1], wanted)
    return nodes, counts, np.array([good.sum()]), np.array([good.size])


def _decide(
    here: Point, candidates: PopulationGrid, decisions: PopulationGrid
) -> tuple[Array, Flags]:
    """Candidates (n, K, C) of persons, and which of them (n, C) are accepted."""
    number = here.persons.n_persons
    nodes, weights = candidates.block(0, number)
    logp = here.log_probabilities(here.mixture(nodes, weights))
    level = log_ndtr(decisions.block(0, number)[0][:, 0])
    return nodes, level + largest_log_probabilities(here.panel, here.base)[:, None] <= logp
