"""Simulation-based calibration: whether posteriors of simulated choices are what they ought to be.

Parameters are drawn from the prior, choices from the model at these, and the posterior of the
choices is drawn as a user would draw it. Then the truth is a draw of the posterior, too, and its
rank among the others uniform (Talts, Betancourt, Simpson, Vehtari and Gelman 2018).
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix import arguments
from bayesmix.arrays import Array
from bayesmix.bayes.class_priors import prior_key
from bayesmix.bayes.importance_check import check_importance
from bayesmix.bayes.pointwise import free_vectors, integrated_log_likelihood
from bayesmix.bayes.prior_draws import free_draws
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.prior_values import is_whole
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.sampling import sample
from bayesmix.bayes.sbc_ranks import SBC
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.identity import package_versions
from bayesmix.integration.grids import Seed, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.bind import bind, bind_sets
from bayesmix.likelihood.classes import points_grid
from bayesmix.likelihood.design_key import design_key
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.simulate import simulate_choices
from bayesmix.repeated import Record, Repeated, result_file, run_all
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.record import model_record

Method = Literal["importance", "marginal", "hierarchical"]
METHODS = ("importance", "marginal", "hierarchical")
CHAINS = 2
TIMES = 2
"""Draws of a chain, in draws among which the truth is ranked; twice as many where these depend."""
TRIES = 3
"""Runs of a simulation, each twice as long as the one before, until draws are independent."""
NODES = 64
"""Nodes a person of the log-likelihood that is ranked."""
MOST_SIMULATIONS, MOST_PROCESSES = 1_000_000, 1024
TOTAL = "log_likelihood"


@dataclass(frozen=True, eq=False)
class _Job:
    """What every simulation needs."""

    model: MixedLogit
    design: ChoiceData
    method: Method
    priors: Mapping[str, PriorLike] | None
    draws: int


def sbc(
    model: MixedLogit,
    design: ChoiceData,
    *,
    simulations: int = 200,
    method: Method = "importance",
    priors: Mapping[str, PriorLike] | None = None,
    draws: int = 100,
    rng: Seed = None,
    processes: int = 2,
    file: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> SBC:
    """Rank parameters drawn from the prior among draws of the posteriors of simulated choices.

    ``theta ~ prior``, ``y ~ p(y | theta)``, ``theta_1 .. theta_L ~ p(theta | y)``: the rank of
    each ``f(theta)``, the number of ``f(theta_l)`` below it, is uniform on 0 .. L. Ranked are all
    parameters by flat name, and the log-likelihood, which sees what the parameters one by one do
    not (Modrák, Moon, Kim, Bürkner, Huurre, Faltejsková, Gelman and Vehtari 2025).

    Draws are thinned to L of each posterior; where fewer are effective, chains run again at twice
    their length, at most twice. A simulation that cannot be sampled is named in ``failed``.

    Parameters
    ----------
    model
        The model, of one class.
    design
        Attributes and choice sets of every simulation; its choices are not used. Default priors
        are scaled by its attributes, not by choices.
    simulations
        Number N of simulations.
    method
        ``"importance"``, ``"marginal"`` (NUTS, persons integrated out) or ``"hierarchical"``
        (NUTS, persons sampled): see `bm.sample`.
    priors
        Replacements of default priors by flat name, for drawing as well as for fitting.
    draws
        Draws L of each posterior among which the truth is ranked.
    rng
        Seed or Generator. A simulation's own seed is its number.
    processes
        Processes that share the simulations; 1 stays in this one. In a script, processes need the
        call to stand under ``if __name__ == "__main__":``.
    file
        A file to which every finished simulation is added. The same call goes on with it, and may
        ask for more of them; with another model, design, priors or version it is refused.
    progress
        Whether to show a progress bar.

    Returns
    -------
    SBC
        Ranks, a summary in words, `SBC.difference` with simultaneous bands (`bm.plot_sbc`), and
        ``tree`` for ArviZ. Ctrl-C keeps what is finished.

    Raises
    ------
    SpecificationError
        If model, priors or arguments do not fit together, persons have weights other than 1 (a
        weighted likelihood is not that of the simulated choices), the model has latent classes,
        or ``file`` is of other simulations.

    References
    ----------
    Talts et al. (2018); Säilynoja, Bürkner and Vehtari (2022) for the bands.

    Examples
    --------
    >>> import bayesmix as bm
    >>> import numpy as np, pandas as pd
    >>> row = np.arange(20 * 5 * 2)
    >>> frame = pd.DataFrame({"id": row // 10, "task": row // 2, "alt": row % 2, "y": 1 - row % 2})
    >>> frame["x"] = np.random.default_rng(1).normal(size=len(row))
    >>> roles = {"person": "id", "situation": "task", "alternative": "alt", "chosen": "y"}
    >>> design = bm.ChoiceData.from_long(frame, **roles)
    >>> model = bm.MixedLogit("x", random=[bm.Normal("x")])
    >>> priors = {"mean[x]": (0.0, 1.0), "sd[x]": 1.0}
    >>> options = {"priors": priors, "processes": 1, "progress": False}
    >>> found = bm.sbc(model, design, simulations=3, rng=1, **options)
    >>> list(found.ranks.columns)
    ['mean[x]', 'sd[x]', 'log_likelihood']
    """
    arguments.whole("simulations", simulations, most=MOST_SIMULATIONS)
    arguments.one_of("method", method, METHODS)
    arguments.whole("draws", draws, least=10)
    arguments.seed("rng", rng)
    arguments.whole("processes", processes, most=MOST_PROCESSES)
    arguments.flag("progress", progress)
    path = result_file(file)
    problem = _checked(model, design)
    if method == "importance":
        check_importance(problem, "marginal", None)
    task = Repeated(
        work=simulate,
        job=_Job(model, design, method, priors, draws),
        words="simulations",
        key={
            "model": json.dumps(model_record(model)),
            "design": design_key(problem),
            "priors": prior_key(problem, priors),
            "method": method,
            "draws": str(draws),
            "version": json.dumps(package_versions()),
        },
    )
    found = run_all(task, simulations, rng=rng, processes=processes, file=path, progress=progress)
    return _collected(found.records, task.job, simulations, found.interrupted)


def simulate(job: _Job, seed: int, number: int) -> Record:
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
        return {"truth": shown, "failure": f"{type(error).__name__}: {error}"}


def _ranked(
    job: _Job, data: ChoiceData, truth: Mapping[str, float], rng: np.random.Generator
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
    moved = [n for n, name in enumerate(names) if name not in _held(job.model)]
    ranks = {names[n]: _rank(values[:, n], true[n], rng) for n in moved}
    fallback = int("fallback" in tree["posterior"].attrs)
    return {"ranks": ranks, "ess": float(ess), "fallback": fallback}


def _posterior(job: _Job, data: ChoiceData, draws: int, rng: np.random.Generator) -> xr.DataTree:
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
        return float(posterior.attrs["ess"])
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


def _checked(model: MixedLogit, design: ChoiceData) -> Problem:
    if isinstance(design, ChoiceData) and not np.all(design.weights == 1.0):
        raise SpecificationError(
            "argument 'design': persons have weights, and a weighted likelihood is not that of "
            "the choices that are simulated: leave the weights out"
        )
    problem = bind_sets(model, design)
    if not problem.one_law:
        raise SpecificationError(
            "simulation-based calibration draws parameters of one class: leave the classes out"
        )
    if not is_whole(problem):
        raise SpecificationError(
            f"parameters are drawn from the prior, which is known where means and the like are "
            f"held, and not parts of a covariance ({model.constraints})"
        )
    return problem


def _held(model: MixedLogit) -> tuple[str, ...]:
    return tuple(name for name, _ in model.constraints.fixed)


def _collected(
    records: Mapping[int, Record], job: _Job, simulations: int, interrupted: bool
) -> SBC:
    good = {n: record for n, record in records.items() if "ranks" in record}
    failed = {n: str(record["failure"]) for n, record in records.items() if "ranks" not in record}
    if not good:
        number, why = next(iter(failed.items()))
        raise SpecificationError(
            f"none of {len(failed)} simulations could be sampled; first number {number}: {why}"
        )
    index = pd.Index(list(good), name="simulation")
    return SBC(
        ranks=pd.DataFrame([record["ranks"] for record in good.values()], index=index),
        truth=pd.DataFrame([record["truth"] for record in good.values()], index=index),
        draws=job.draws,
        simulations=simulations,
        method=job.method,
        failed=failed,
        ess=pd.Series([record["ess"] for record in good.values()], index=index, name="ess"),
        fallbacks=sum(record["fallback"] for record in good.values()),
        interrupted=interrupted,
    )
