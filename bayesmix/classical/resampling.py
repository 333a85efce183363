"""Replications of a bootstrap: weights of persons, estimates, and the processes that share them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.classical.first_stage_errors import first_stage_of
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.leave_boundary import leave_boundary
from bayesmix.optimise.maximise import Optimum, maximise, whitening
from bayesmix.processes import shared
from bayesmix.specification.layout import Layout

Finished = Generator[tuple[int, Array | None]]


@dataclass(frozen=True, eq=False)
class ReplicationsJob:
    """What every replication needs.

    ``shared`` is the persons' cluster in which each cluster of a first stage is; None where there
    is no first stage, or its clusters are drawn apart.
    """

    likelihood: Likelihood
    theta: Array
    root: Array
    groups: Indices
    seed: int
    shared: Indices | None = None

    @property
    def space(self) -> Layout:
        return self.likelihood.problem.parameters

    def weights(self, number: int) -> Array:
        """Weights (I,) of persons in a replication: how often each was drawn, times its own."""
        return self._counts(number)[self.groups] * self.likelihood.problem.data.weights

    def _counts(self, number: int) -> Indices:
        n = int(self.groups.max()) + 1
        return _drawn(n, [self.seed, number])

    def first_stage(self, number: int) -> Array | None:
        """First-stage coefficients (G,) of a replication; None where it has none."""
        residuals = self.likelihood.problem.design.residuals
        if residuals is None:
            return None
        if self.shared is not None:
            counts = self._counts(number)[self.shared]
        else:
            counts = _drawn(residuals.first.n_clusters, [self.seed, number, 1])
        return residuals.first.again(counts)

    def of(self, number: int) -> ReplicationsJob | None:
        """The job with the first stage of a replication; None where that has no coefficients."""
        problem = self.likelihood.problem
        if problem.design.residuals is None:
            return self
        gamma = self.first_stage(number)
        if gamma is None:
            return None
        moved = Likelihood(problem.at_first_stage(gamma), self.likelihood.grid)
        return replace(self, likelihood=moved)


def _drawn(n: int, seed: list[int]) -> Indices:
    """How often each of n is drawn, n times with replacement."""
    return np.bincount(np.random.default_rng(seed).integers(n, size=n), minlength=n)


def make_job(fit: Fit, data: ChoiceData, seed: int) -> ReplicationsJob:
    """What replications of ``fit`` need; weights are those of effective persons."""
    bound = bind(fit.model, data)
    gamma = first_stage_of(fit)
    if gamma is not None:
        bound = bound.at_first_stage(gamma)
    problem, unit = in_effective_persons(bound)
    likelihood = Likelihood(problem, fit.grid)
    root = replace(fit.information, hessian=fit.information.hessian / unit).root()
    if root is None:
        _, scores = likelihood.by_person(fit.theta)
        root = whitening(scores, problem.data.weights, natural_units(problem), problem.directions)
    groups = fit.information.groups
    persons = np.arange(data.n_persons) if groups is None else groups
    first = fit.information.first
    return ReplicationsJob(
        likelihood, fit.theta, root, persons, seed, None if first is None else first.groups
    )


def replications_of(job: ReplicationsJob, number: int, processes: int) -> Finished:
    """Replications 0 .. number - 1 and their estimates (P,), in order or as they are finished."""
    return shared(replicate, job, range(number), processes, "bootstrap")


def replicate(job: ReplicationsJob, number: int) -> Array | None:
    """Estimates (P,) of one replication; None if it did not converge.

    Behind them stand the coefficients of its first stage, where there is one.
    """
    found = job.of(number)
    if found is None:
        return None
    job = found
    function = partial(weighted, job, job.weights(number))

    def search(theta: Array) -> tuple[Optimum, Grid]:
        return maximise(function, theta, job.root), job.likelihood.grid

    optimum, _ = leave_boundary(job.likelihood.problem, search, job.theta)
    if not optimum.converged:
        return None
    problem = job.likelihood.problem
    theta, residuals = problem.canonical(optimum.theta), problem.design.residuals
    return theta if residuals is None else np.concatenate([theta, residuals.first.gamma])


def weighted(job: ReplicationsJob, weights: Array, theta: Array) -> tuple[float, Array]:
    """Log-likelihood of persons with weights (I,), and its gradient (P,); NaN where none is.

    Held correlations have signs, which the Cholesky factor loses beyond a standard deviation of 0.
    """
    if not job.likelihood.problem.keeps(theta):
        return np.nan, np.full_like(theta, np.nan)
    drawn = weights > 0
    logp, scores = job.likelihood.by_person(theta)
    return float(weights[drawn] @ logp[drawn]), weights[drawn] @ scores[drawn]
