"""One simulation of the calibration: a truth of the prior, choices, and its posterior rank."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import free_vectors, integrated_log_likelihood
from bayesmix.bayes.prior_draws import free_draws
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.read import effective_draws
from bayesmix.bayes.sampling import sample
from bayesmix.data.choices import ChoiceData
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.bind import bind, bind_sets
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.simulate import simulate_choices
from bayesmix.repeated import FAILURE, Record
from bayesmix.specification.model import MixedLogit

Method = Literal["importance", "marginal", "hierarchical"]
CHAINS = 2
TIMES = 2
"""Draws of a chain, in draws among which the truth is ranked; twice as many where these depend."""
TRIES = 3
"""Runs of a simulation, each twice as long as the one before, until draws are independent."""
NODES = 64
"""Nodes a person of the log-likelihood that is ranked."""
TOTAL = "log_likelihood"


@dataclass(frozen=True, eq=False)
class Calibration:
    """What every simulation of a calibration needs."""

    model: MixedLogit
    design: ChoiceData
    method: Method
    priors: Mapping[str, PriorLike] | None
    draws: int


def simulate(job: Calibration, seed: int, number: int) -> Record:
    """Truth and ranks of one simulation, or why it has none."""
    rng = np.random.default_rng([seed, number])
    problem = bind_sets(job.model, job.design)
    theta = free_draws(problem, make_priors(problem, job.priors), 1, rng)[0]
    truth = dict(zip(problem.parameters.names, problem.parameters.natural(theta), strict=True))
    data = simulate_choices(job.model, truth, job.design, rng)
    shown = {name: float(value) for name, value in truth.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is counted, and said of all together
            return {"truth": shown, **_ranked(job, data, truth, rng)}
    except Exception as error:  # whatever it is: the others go on, and it is named
        return {"truth": shown, FAILURE: f"{type(error).__name__}: {error}"}


def _ranked(
    job: Calibration, data: ChoiceData, truth: Mapping[str, float], rng: np.random.Generator
) -> Record:
    problem = bind(job.model, data)
    grid = _fixed_grid(problem, rng)
    for attempt in range(TRIES):
        tree = _posterior(job, data, TIMES * job.draws * 2**attempt, rng)
        posterior = tree["posterior"].to_dataset()
        ess = _least_ess(tree)
        if ess >= job.draws:
            break
    thetas = free_vectors(problem, posterior)
    flat = thetas.reshape(-1, thetas.shape[-1])
    kept = flat[np.linspace(0, len(flat) - 1, job.draws).round().astype(int)]
    values = np.stack([problem.parameters.natural(theta) for theta in kept])
    true = np.array([truth[name] for name in problem.parameters.names])
    both = np.concatenate([problem.parameters.theta(truth)[None], kept])
    logp = integrated_log_likelihood(problem, grid, both[None])[0].sum(axis=1)
    values = np.concatenate([values, logp[1:, None]], axis=1)
    true = np.append(true, logp[0])
    names = [*problem.parameters.names, TOTAL]
    held = dict(job.model.constraints.fixed)
    moved = [n for n, name in enumerate(names) if name not in held]
    ranks = {names[n]: _rank(values[:, n], true[n], rng) for n in moved}
    fallback = int("fallback" in tree["posterior"].attrs)
    return {"ranks": ranks, "ess": float(ess), "fallback": fallback}


def _posterior(
    job: Calibration, data: ChoiceData, draws: int, rng: np.random.Generator
) -> xr.DataTree:
    hierarchical = job.method == "hierarchical"
    return sample(
        job.model,
        data,
        method="importance" if job.method == "importance" else "nuts",
        likelihood="hierarchical" if hierarchical else "marginal",
        draws=draws,
        chains=CHAINS,
        priors=job.priors,
        rng=rng,
        progress=False,
    )


def _rank(values: Array, truth: float, rng: np.random.Generator) -> int:
    """How many values are below the truth; equal ones are put in random order."""
    equal = int((values == truth).sum())
    return int((values < truth).sum()) + int(rng.integers(equal + 1))


def _least_ess(tree: xr.DataTree) -> float:
    """Of all parameters; weighted draws have one number, and those resampled no autocorrelation."""
    import arviz as az  # slow to import

    posterior = tree["posterior"].to_dataset()
    if posterior.attrs.get("method") == "importance":
        return effective_draws(posterior)
    names = [str(name) for name in posterior.data_vars if "person" not in posterior[name].dims]
    found = az.ess(posterior[names], method="bulk")
    each = [values.to_numpy().ravel() for values in found.data_vars.values()]
    return float(np.nanmin(np.concatenate(each)))


def _fixed_grid(problem: Problem, rng: np.random.Generator) -> Grid:
    """Nodes that know neither the truth nor the draws: the quantity is a function of these."""
    size = problem.parameters.n_random
    if not size:
        return points_grid(problem)
    return population_grid(sobol(NODES), size, problem.n_persons, rng)
