"""The log posterior of the population parameters as a function of numbers: nothing is compiled.

The law is that of `bayesmix.bayes.whitened.whitened_model`, whose graph PyTensor compiles anew for
every model. Here integrals are the same kernels', priors those of `prior_density`, and the rest is
a handful of small products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.correction import Correction
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.priors import Priors
from bayesmix.centring.grids import PersonGrid
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.freeze import freeze
from bayesmix.optimise.held import HeldLikelihood

ByPerson = Callable[[Array], tuple[Array, Array]]
"""Free vector (P,) -> log-probabilities (I,) of persons' choices, and their scores (I, P)."""


def persons_on(problem: Problem, grid: Grid) -> ByPerson:
    """The integrated likelihood on ``grid``, in coefficient space where that is possible.

    There an evaluation does not depend on the number of choices. It runs on one thread, and may be
    called from several at once.
    """
    if isinstance(grid, PersonGrid) and not problem.parameters.fixed:
        nodes = freeze(problem, grid)
        if nodes is not None:
            return HeldLikelihood(problem, nodes).by_person
    return Likelihood(problem, grid).by_person


@dataclass(frozen=True, eq=False)
class LogPosterior:
    """Log posterior and gradient as a function of theta with the logarithm of L's diagonal.

    Parameters
    ----------
    problem, priors
        The model bound to data, and its priors.
    by_person
        Its likelihood, see `persons_on`.
    """

    problem: Problem
    priors: Priors
    by_person: ByPerson

    @cached_property
    def diagonal(self) -> Array:
        """Positions in the free vector of the Cholesky factor's diagonal."""
        return self.problem.parameters.diagonal()

    def __call__(self, theta_log: Array) -> tuple[float, Array]:
        """The value in nats, up to a constant, and its gradient (P,)."""
        theta, slope = theta_log.copy(), np.ones(len(theta_log))
        slope[self.diagonal] = theta[self.diagonal] = np.exp(theta_log[self.diagonal])
        logp, scores = self.by_person(theta)
        prior, d_prior = prior_value_and_gradient(self.problem, self.priors, theta)
        weights = self.problem.data.weights
        gradient = (weighted_sum(weights, scores) + d_prior) * slope
        gradient[self.diagonal] += 1.0  # of the logarithm's Jacobian
        value = float(weighted_sum(weights, logp)) + prior + theta_log[self.diagonal].sum()
        return value, gradient


@dataclass(frozen=True, eq=False)
class Whitened:
    """A log posterior in whitened coordinates ``x``, with the correction of its nodes.

    Parameters
    ----------
    posterior
        As a function of theta on the log scale.
    centre, root
        ``theta_log = centre + root x``.
    correction
        Of the grid's integration error.
    """

    posterior: LogPosterior
    centre: Array
    root: Array
    correction: Correction | None = None

    def theta(self, x: Array) -> Array:
        """The free vector (P,) at ``x``."""
        theta = self.centre + self.root @ x
        diagonal = self.posterior.diagonal
        theta[diagonal] = np.exp(theta[diagonal])
        return theta

    def __call__(self, x: Array) -> tuple[float, Array]:
        value, gradient = self.posterior(self.centre + self.root @ x)
        gradient = self.root.T @ gradient
        if self.correction is not None:
            value += float(self.correction(x))
            gradient = gradient + self.correction.slope(x)
        return value, gradient
