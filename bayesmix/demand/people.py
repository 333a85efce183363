"""Whose coefficients expectations are over: the population's, or each person's given choices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayesmix.demand.options import How
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.centred import centre, posterior_weights
from bayesmix.likelihood.integrate import Mixture, node_log_probabilities
from bayesmix.likelihood.mixture import base_at, mixture_at, panel_at
from bayesmix.likelihood.problem import Grid, Problem

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class People:
    """The persons of the data, with nodes for their coefficients.

    Parameters
    ----------
    problem
        The model bound to the data with choices.
    grid
        A population grid, or a person-centred one.
    known
        Whether nodes have their shares of the person's integral for weights, which is the law given
        the person's choices.
    """

    problem: Problem
    grid: Grid
    known: bool = False

    @cached_property
    def _held(self) -> tuple[Array, Array] | None:
        """All nodes and weights, where they are no more than a chunk."""
        whole = len(self.problem.cuts(self.grid)) == 1
        return self.grid.block(0, self.problem.n_persons) if whole else None

    def mixture(self, there: Problem, theta: Array, start: int, stop: int) -> Mixture:
        """Coefficients at ``theta`` in a problem on the same persons: data or scenario."""
        nodes, weights = self._held or self.grid.block(start, stop)
        found = mixture_at(there, theta, nodes, weights, start, stop)
        if not self.known:
            return found
        own = mixture_at(self.problem, theta, nodes, weights, start, stop)
        base = base_at(self.problem, theta, start, stop)
        logp = node_log_probabilities(panel_at(self.problem, theta, start, stop), base, own)
        return found._replace(weights=posterior_weights(logp, own.weights))


def people(problem: Problem, theta: Array, how: How, rng: np.random.Generator) -> People:
    """The people that ``how`` asks for, with nodes placed at ``theta`` where they are known."""
    size = problem.parameters.n_random
    known = how.people == "known"
    if size and known:
        rule = centred(sobol(how.nodes), moments=True)
        return People(problem, centre(problem, rule, theta, rng), known)
    grid = population_grid(sobol(how.nodes if size else 1), size, problem.n_persons, rng)
    return People(problem, grid, known and problem.within is not None)
