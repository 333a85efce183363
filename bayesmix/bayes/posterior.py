"""The log posterior of the population parameters as a function of numbers: nothing is compiled.

The law is that of `bayesmix.bayes.one_class_model`, whose graph PyTensor compiles anew for every
model. Here integrals are the same kernels', priors those of `prior_density`, and the rest is a
handful of small products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from bayesmix.arrays import Array
from bayesmix.bayes.coordinates import Coordinates, coordinates_of
from bayesmix.bayes.correction import Correction
from bayesmix.bayes.frozen_likelihood import TOGETHER, FrozenLikelihood
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.prior_values import prior_values
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.warped import without
from bayesmix.kernels.integrals import integrate
from bayesmix.likelihood.chain import scores
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.halves import corrected
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import ranges
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.threads import in_threads
from bayesmix.likelihood.with_first_stage import WithFirstStage

Total = Callable[[Array], tuple[float, Array]]
"""Free vector (P,) -> weighted log-likelihood, nats, and its gradient (P,).

With a control function first-stage coefficients stand behind the free vector, (P + G,), and prices
are part of the likelihood.
"""
Nodes = tuple[Array, Array]
"""Nodes (1 or I, K, S) and weights (1 or I, S)."""


def threaded_on(problem: Problem, grid: Grid) -> Total:
    """The integrated likelihood on ``grid``, with threads over persons."""
    if problem.design.residuals is not None:
        return WithFirstStage(problem, grid, None)
    frozen = FrozenLikelihood.on(problem, grid, threads=None)
    return frozen or Likelihood(problem, grid).value_and_gradient


def serial_on(problem: Problem, grid: Grid) -> Total:
    """The same on one thread, which several threads may call at once; without latent classes."""
    if problem.design.residuals is not None:
        return WithFirstStage(problem, grid)
    frozen = FrozenLikelihood.on(problem, grid)
    if frozen:
        return frozen
    parts = [part.block(0, problem.n_persons) for part in grid.halves or (grid,)]
    return partial(_serial, problem, parts)


def _serial(problem: Problem, parts: Sequence[Nodes], theta: Array) -> tuple[float, Array]:
    here = Point(problem, theta)
    each = [by_person_on(here, nodes, weights) for nodes, weights in parts]
    logp, by_person = each[0] if len(each) == 1 else corrected(*each)
    own = problem.data.weights
    return float(weighted_sum(own, logp)), weighted_sum(own, by_person)


def by_person_on(here: Point, nodes: Array, weights: Array) -> tuple[Array, Array]:
    """``log P_i`` (I,) and scores (I, P) within a class, on the calling thread."""
    mixture = here.mixture(nodes, weights)
    with_rows = here.persons.x_fixed.shape[1] > 0
    logp, *slopes = integrate(here.panel, here.base, mixture, with_rows, threads=1)
    return logp, scores(here, mixture, (slopes[0], slopes[1], slopes[2]), serial=True)


def values_of(likelihood: Total, thetas: Array) -> Array:
    """Weighted log-likelihoods (D,) at free vectors (D, P), in threads: of `serial_on`."""
    if isinstance(likelihood, FrozenLikelihood):
        return likelihood.values(thetas)

    def some(part: Array) -> list[float]:
        with np.errstate(all="ignore"):  # a context of the thread's own
            return [_value(likelihood, theta) for theta in part]

    tasks = [partial(some, thetas[a:b]) for a, b in ranges(0, len(thetas), TOGETHER)]
    found = in_threads(tasks)
    return np.array([value for part in found for value in part])


def _value(likelihood: Total, theta: Array) -> float:
    try:
        return likelihood(theta)[0]
    except np.linalg.LinAlgError:
        return np.nan


@dataclass(frozen=True, eq=False)
class LogPosterior:
    """Log posterior and gradient as a function of the sampler's coordinates.

    Parameters
    ----------
    problem, priors
        The model bound to data, and its priors.
    likelihood
        Of the choices, such as `threaded_on`.
    """

    problem: Problem
    priors: Priors
    likelihood: Total

    @cached_property
    def coordinates(self) -> Coordinates:
        """From the coordinates ``q`` to the free vector."""
        return coordinates_of(self.problem, self.priors)

    @cached_property
    def _plain(self) -> Priors:
        """The priors that the coordinates know nothing of."""
        return without(self.problem, self.priors, self.coordinates.warped)

    @property
    def _size(self) -> int:
        return self.problem.parameters.size

    def __call__(self, q: Array) -> tuple[float, Array]:
        """The value in nats, up to a constant, and its gradient (P,).

        NaN where the numbers do not reach, never an exception: a search turns round there, and
        nutpie takes NaN for a divergence, but an exception for the end of the process.
        """
        try:
            with np.errstate(all="ignore"):
                return self._at(q)
        except np.linalg.LinAlgError:
            return np.nan, np.full(len(q), np.nan)

    def values(self, q: Array) -> Array:
        """Values (D,) at many points (D, P), with the constants of the priors."""
        with np.errstate(all="ignore"):
            thetas = self.coordinates.theta(q)
            logp = values_of(self.likelihood, thetas)
            prior = prior_values(self.problem, self._plain, thetas[:, : self._size])
            found: Array = logp + prior + self.coordinates.log_jacobian(q)
            return found

    def _at(self, q: Array) -> tuple[float, Array]:
        theta, jacobian, d_jacobian = self.coordinates.point(q)
        logp, d_logp = self.likelihood(theta)
        prior, d_prior = prior_value_and_gradient(self.problem, self._plain, theta[: self._size])
        d_logp[: self._size] += d_prior  # the first stage's is part of its likelihood
        slopes = self.coordinates.gradient(q, theta, d_logp)
        return logp + prior + jacobian, slopes + d_jacobian


@dataclass(frozen=True, eq=False)
class Whitened:
    """A log posterior in whitened coordinates ``x``, with the correction of its nodes.

    Parameters
    ----------
    posterior
        As a function of the sampler's coordinates.
    centre, root
        ``q = centre + root x``.
    correction
        Of the grid's integration error.
    """

    posterior: LogPosterior
    centre: Array
    root: Array
    correction: Correction | None = None

    @property
    def size(self) -> int:
        """Coordinates, Q."""
        return int(self.root.shape[1])

    @property
    def bent(self) -> bool:
        """Whether it is far from normal whatever the data are: of priors with poles."""
        return bool(self.posterior.coordinates.warped)

    @property
    def log_scales(self) -> Array:
        """Logarithms of the standard deviations, up to constants, as functions (K, Q) of ``x``."""
        rows = [row.diagonal for row in self.posterior.coordinates.rows]
        return self.root[np.array(rows, dtype=np.int64)]

    @property
    def stand(self) -> tuple[Array, ...]:
        """What the coordinates and the value at them depend on, but for data, priors and nodes."""
        known = self.correction
        own = () if known is None else (known.gradient, known.hessian)
        return self.centre, self.root, *own

    def theta(self, x: Array) -> Array:
        """The free vector (P,) at ``x``, or those (N, P) at many (N, Q)."""
        return self.posterior.coordinates.theta(self._q(x))

    def _q(self, x: Array) -> Array:
        # Not by BLAS, whose last bits depend on threads.
        found: Array = self.centre + np.einsum("pq,...q->...p", self.root, x)
        return found

    def values(self, x: Array) -> Array:
        """Values (N,) at many points (N, Q), with the constants of the priors."""
        found = self.posterior.values(self._q(x))
        return found if self.correction is None else found + self.correction.values(x)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient (Q,); NaN where the numbers do not reach."""
        with np.errstate(all="ignore"):
            return self._at(x)

    def _at(self, x: Array) -> tuple[float, Array]:
        value, gradient = self.posterior(self.centre + self.root @ x)
        gradient = self.root.T @ gradient
        if self.correction is not None:
            known, slope = self.correction.value_and_slope(x)
            value, gradient = value + known, gradient + slope
        return value, gradient
