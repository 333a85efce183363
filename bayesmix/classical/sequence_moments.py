"""Simulated moments of whole sequences of choices, which a panel's situations one by one are not.

A person chooses one sequence ``y_i`` out of all that the situations allow. Its moments, with any
instruments ``h``, are ``h_i(y_i) - E[h_i(y) | theta]``, and the best are the scores
``h_i(y) = d log P_i(y; theta) / d theta`` (McFadden 1989): they ask how often the same person
chooses alike, which is what tells tastes that differ from choices that are random. Sequences are
too many to add up. A few are drawn from the model, and weighted as theta moves: linear in what is
simulated, and so unbiased with any number of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.centring.accept_reject import OneNode
from bayesmix.centring.grids import anchored_grid
from bayesmix.integration.descriptions import DrawRule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.simulate import draw_choices

MOST = 32
"""Sequences a person, at most: with R of them simulation adds about 1 / R to a variance."""
SCORES = centred(sobol(64))
"""Nodes of the instruments. Person-centred ones know a sequence, and so may its instruments."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """Moments ``g_i = h_i(y_i) - 1/R sum_r rho_ir(theta) h_i(y_ir)`` of persons' sequences.

    Sequences ``y_ir`` are drawn at ``beta_i(theta_0, u_ir)``, and their weights
    ``rho_ir = P(y_ir | beta_i(theta, u_ir)) / P(y_ir | beta_i(theta_0, u_ir))`` make them those of
    any other theta, smoothly.

    Parameters
    ----------
    problem
        The model bound to data.
    grid
        Nodes of the fit's log-likelihood.
    nodes
        ``u`` (I, K, R).
    drawn
        The model bound to each of the R data sets of drawn sequences.
    origin
        ``log P(y_ir | beta_i(theta_0, u_ir))``, (R, I).
    scores
        Instruments of the observed sequences and of the drawn ones, (1 + R, I, Q): Q is P but
        under constraints.
    """

    problem: Problem
    grid: PopulationGrid
    nodes: Array
    drawn: tuple[Problem, ...]
    origin: Array
    scores: Array

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """Moments (I, Q), and the derivatives (Q, P) of their weighted sum."""
        values, slopes = self.scores[0].copy(), np.zeros((self.scores.shape[-1], len(theta)))
        weights = self.problem.data.weights[:, None]
        for terms, scores in self._terms(theta):
            values -= terms / len(self.drawn)
            slopes -= (weights * terms).T @ scores / len(self.drawn)
        return values, slopes

    def _terms(self, theta: Array) -> Iterator[tuple[Array, Array]]:
        """``rho_ir h_i(y_ir)`` (I, P), and derivatives of ``log rho_ir`` (I, P), r by r."""
        for r, scores in enumerate(self.scores[1:]):
            ratio, slopes = self._ratio(theta, r)
            yield ratio[:, None] * scores, slopes

    def _ratio(self, theta: Array, r: int) -> tuple[Array, Array]:
        one = OneNode(self.nodes[:, :, r : r + 1])
        logp, slopes = Likelihood(self.drawn[r], one).by_person(theta)
        with np.errstate(over="ignore"):  # infinite far away: a wall, from which searches turn
            return np.exp(logp - self.origin[r]), slopes

    def spread(self, moments: Array) -> Array:
        """Covariance (P, P) of the weighted sum of persons' moments (I, P)."""
        weighted = moments * self.problem.data.weights[:, None]
        return weighted.T @ weighted

    def noise(self, theta: Array) -> Array:
        """The part (P, P) of `spread` that is due to simulation: sequences differ by their draws.

        As if draws were independent: an upper bound for those that are spread evenly.
        """
        terms = np.stack([terms for terms, _ in self._terms(theta)])
        gaps = (terms - terms.mean(axis=0)) * self.problem.data.weights[:, None]
        n = len(gaps)
        return np.einsum("rip,riq->pq", gaps, gaps, optimize=True) / (n * (n - 1))


def draw_sequences(
    problem: Problem, grid: PopulationGrid, theta: Array, rng: np.random.Generator
) -> Sequences:
    """Sequences drawn at ``theta``, as many a person as ``grid`` has nodes, `MOST` at most."""
    rule: Any = sobol(MOST)
    if isinstance(grid.rule, DrawRule) and grid.rule.random:
        rule = replace(grid.rule, nodes=max(2, min(grid.size, MOST)))
    normals = population_grid(rule, problem.parameters.n_random, problem.n_persons, rng)
    nodes, _ = normals.block(0, problem.n_persons)
    beta = Point(problem, theta).coefficients(nodes)
    drawn = tuple(
        replace(problem, data=problem.data.with_choices(draw_choices(problem, theta, b, rng)))
        for b in np.moveaxis(beta, 2, 0)
    )
    nowhere = np.zeros((len(drawn), problem.n_persons))
    scores = _scores((problem, *drawn), theta, int(rng.integers(2**63)))
    found = Sequences(problem, grid, nodes, drawn, nowhere, scores)
    origin = [np.log(found._ratio(theta, r)[0]) for r in range(len(drawn))]
    return replace(found, origin=np.stack(origin))


def _scores(problems: tuple[Problem, ...], theta: Array, key: int) -> Array:
    """Persons' scores at ``theta``, (., I, P): of a sequence the same, whoever has chosen it."""
    first = problems[0]
    base = population_grid(SCORES.rule, first.parameters.n_random, first.n_persons, key)
    return np.stack(
        [
            first.free_columns(
                Likelihood(p, anchored_grid(p, SCORES, theta, base)).by_person(theta)[1]
            )
            for p in problems
        ]
    )
