"""Replications of a bootstrap: weights of persons, estimates, and the processes that share them."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.kernels.threads import thread_count, use_threads
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import Grid
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.leave_boundary import leave_boundary
from bayesmix.optimise.maximise import Optimum, maximise, whitening
from bayesmix.specification.layout import Layout

Finished = Generator[tuple[int, Array | None]]


@dataclass(frozen=True, eq=False)
class Job:
    """What every replication needs."""

    likelihood: Likelihood
    theta: Array
    root: Array
    groups: Indices
    seed: int

    @property
    def space(self) -> Layout:
        return self.likelihood.problem.parameters

    def weights(self, number: int) -> Array:
        """Weights (I,) of persons in a replication: how often each was drawn, times its own."""
        n = int(self.groups.max()) + 1
        drawn = np.random.default_rng([self.seed, number]).integers(n, size=n)
        return np.bincount(drawn, minlength=n)[self.groups] * self.likelihood.problem.data.weights


def make_job(fit: Fit, data: ChoiceData, seed: int) -> Job:
    """What replications of ``fit`` need; weights are those of effective persons."""
    problem, unit = in_effective_persons(bind(fit.model, data))
    likelihood = Likelihood(problem, fit.grid)
    root = replace(fit.information, hessian=fit.information.hessian / unit).root()
    if root is None:
        _, scores = likelihood.by_person(fit.theta)
        root = whitening(scores, problem.data.weights, natural_units(problem), problem.directions)
    groups = fit.information.groups
    persons = np.arange(data.n_persons) if groups is None else groups
    return Job(likelihood, fit.theta, root, persons, seed)


def replications_of(job: Job, number: int, processes: int) -> Finished:
    """Replications 0 .. number - 1 and their estimates (P,), in order or as they are finished."""
    return _in_process(job, number) if processes == 1 else _spread(job, number, processes)


def replicate(job: Job, number: int) -> Array | None:
    """Estimates (P,) of one replication; None if it did not converge."""
    function = partial(weighted, job, job.weights(number))

    def search(theta: Array) -> tuple[Optimum, Grid]:
        return maximise(function, theta, job.root), job.likelihood.grid

    optimum, _ = leave_boundary(job.likelihood.problem, search, job.theta)
    return job.likelihood.problem.canonical(optimum.theta) if optimum.converged else None


def weighted(job: Job, weights: Array, theta: Array) -> tuple[float, Array]:
    """Log-likelihood of persons with weights (I,), and its gradient (P,); NaN where none is.

    Held correlations have signs, which the Cholesky factor loses beyond a standard deviation of 0.
    """
    if not job.likelihood.problem.keeps(theta):
        return np.nan, np.full_like(theta, np.nan)
    drawn = weights > 0
    logp, scores = job.likelihood.by_person(theta)
    return float(weights[drawn] @ logp[drawn]), weights[drawn] @ scores[drawn]


def _in_process(job: Job, replications: int) -> Finished:
    for number in range(replications):
        yield number, replicate(job, number)


def _spread(job: Job, replications: int, processes: int) -> Finished:
    """Replications as they are finished, by several processes."""
    threads = max(1, (os.cpu_count() or 1) // processes)
    pool = ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_begin, initargs=(job, threads)
    )
    try:
        futures = {pool.submit(_work, number): number for number in range(replications)}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise RuntimeError(
            "a process of the bootstrap ended: in a script, put the call under "
            "if __name__ == '__main__':, or give processes=1"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_JOB: list[Job] = []


def _begin(job: Job, threads: int) -> None:
    # Ctrl-C is for the process that the user started, which keeps what is finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_threads(min(threads, thread_count()))
    _JOB[:] = [job]


def _work(number: int) -> Array | None:
    return replicate(_JOB[0], number)
