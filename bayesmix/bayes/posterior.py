"""The log posterior of the population parameters as a function of numbers: nothing is compiled.

The law is that of `bayesmix.bayes.whitened.whitened_model`, whose graph PyTensor compiles anew for
every model. Here integrals are the same kernels', priors those of `prior_density`, and the rest is
a handful of small products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.bayes.correction import Correction
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.priors import Priors
from bayesmix.centring.grids import PersonGrid
from bayesmix.kernels.coefficient_space import CoefficientNodes, density_integrals
from bayesmix.kernels.integrals import integrate_serial
from bayesmix.likelihood.chain import Slopes, in_theta, scores
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.freeze import freeze

ByPerson = Callable[[Array], tuple[Array, Array]]
"""Free vector (P,) -> log-probabilities (I,) of persons' choices, and their scores (I, P)."""


def has_serial(problem: Problem) -> bool:
    """Whether `serial_on` knows the model: one class, one source."""
    return problem.parameters.classes == 1 and problem.design.sources is None


def held_on(problem: Problem, grid: Grid) -> ByPerson | None:
    """The integrated likelihood in coefficient space, where that is possible.

    There an evaluation does not depend on the number of choices.
    """
    if not isinstance(grid, PersonGrid) or problem.parameters.fixed:
        return None
    nodes = freeze(problem, grid)
    return None if nodes is None else partial(_held, problem, nodes)


def _held(problem: Problem, nodes: CoefficientNodes, theta: Array) -> tuple[Array, Array]:
    here, space = Point(problem, theta), problem.parameters
    chol = here.parameters.chol
    free = np.zeros(chol.shape, dtype=bool)
    free[space.chol_index] = True
    logp, d_loc, d_chol = density_integrals(here.locations, chol, free, *nodes)
    slopes = Slopes(d_loc, d_chol[:, *space.chol_index], here.persons.z)
    return logp, in_theta(space, slopes)


def persons_on(problem: Problem, grid: Grid) -> ByPerson:
    """The integrated likelihood on ``grid``, with threads over persons."""
    return held_on(problem, grid) or Likelihood(problem, grid).by_person


def serial_on(problem: Problem, grid: Grid) -> ByPerson:
    """The same on one thread, which several threads may call at once: see `has_serial`."""
    return held_on(problem, grid) or partial(_serial, problem, *grid.block(0, problem.n_persons))


def _serial(problem: Problem, nodes: Array, weights: Array, theta: Array) -> tuple[Array, Array]:
    here = Point(problem, theta)
    mixture = here.mixture(nodes, weights)
    with_rows = here.persons.x_fixed.shape[1] > 0
    logp, *slopes = integrate_serial(here.panel, here.base, mixture, with_rows)
    return logp, scores(here, mixture, (slopes[0], slopes[1], slopes[2]))


@dataclass(frozen=True, eq=False)
class LogPosterior:
    """Log posterior and gradient as a function of theta with the logarithm of L's diagonal.

    Parameters
    ----------
    problem, priors
        The model bound to data, and its priors.
    by_person
        Its likelihood, such as `persons_on`.
    """

    problem: Problem
    priors: Priors
    by_person: ByPerson

    @cached_property
    def diagonal(self) -> Indices:
        """Positions in the free vector of the Cholesky factor's diagonal."""
        found: Indices = self.problem.parameters.diagonal()
        return found

    def __call__(self, theta_log: Array) -> tuple[float, Array]:
        """The value in nats, up to a constant, and its gradient (P,).

        NaN where the numbers do not reach, never an exception: a search turns round there, and
        nutpie takes NaN for a divergence, but an exception for the end of the process.
        """
        try:
            with np.errstate(all="ignore"):
                return self._at(theta_log)
        except np.linalg.LinAlgError:
            return np.nan, np.full(len(theta_log), np.nan)

    def _at(self, theta_log: Array) -> tuple[float, Array]:
        theta, slope = theta_log.copy(), np.ones(len(theta_log))
        slope[self.diagonal] = theta[self.diagonal] = np.exp(theta_log[self.diagonal])
        logp, d_logp = self.by_person(theta)
        prior, d_prior = prior_value_and_gradient(self.problem, self.priors, theta)
        weights = self.problem.data.weights
        gradient = (weighted_sum(weights, d_logp) + d_prior) * slope
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
        """Value and gradient (Q,); NaN where the numbers do not reach."""
        with np.errstate(all="ignore"):
            return self._at(x)

    def _at(self, x: Array) -> tuple[float, Array]:
        value, gradient = self.posterior(self.centre + self.root @ x)
        gradient = self.root.T @ gradient
        if self.correction is not None:
            value += float(self.correction(x))
            gradient = gradient + self.correction.slope(x)
        return value, gradient
