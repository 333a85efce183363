"""NUTS through PyMC."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import NDArray

from bayesmix.bayes.accuracy import posterior_accuracy
from bayesmix.bayes.models import build
from bayesmix.bayes.pointwise import free_vectors, integrated_log_likelihood
from bayesmix.bayes.priors import Prior
from bayesmix.bayes.tree import complete
from bayesmix.bayes.whitened import posterior_mode, whitened_model
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import centred, gauss_hermite, sobol
from bayesmix.likelihood.anchored import climb
from bayesmix.likelihood.centred import PersonGrid, centre, check_grid
from bayesmix.likelihood.multinomial import check_signs, multinomial, starting_values
from bayesmix.likelihood.problem import Grid, Problem, bind
from bayesmix.specification.model import MixedLogit

Array = NDArray[np.float64]
GridChoice = Rule | Centred | PopulationGrid | PersonGrid | str
Path = Literal["marginal", "hierarchical", "auto"]

SEARCH_NODES = 64
FIRST_NODES = 256
MOST_NODES = 1024
ERROR_SD = 0.7
"""Standard deviation (nats) of the integration error over the posterior that may remain."""
NODE_BYTES = 4 * 2**30
"""Memory of the nodes beyond which persons are sampled and not integrated."""


@dataclass(frozen=True, eq=False)
class _Chains:
    """How to sample."""

    draws: int
    tune: int | None
    chains: int
    priors: Mapping[str, Prior] | None
    noncentred: bool
    progress: bool


def sample(
    model: MixedLogit,
    data: ChoiceData,
    *,
    likelihood: Path = "auto",
    grid: GridChoice = "auto",
    draws: int = 1000,
    tune: int | None = None,
    chains: int = 4,
    priors: Mapping[str, Prior] | None = None,
    noncentred: bool = True,
    rng: Seed = None,
    progress: bool = True,
) -> xr.DataTree:
    """Draw from the posterior with NUTS.

    Weights multiply the log-likelihoods of persons, as if these were so many people: posterior
    standard deviations shrink as weights grow, which the robust standard errors of an MSLE do not.
    The group ``log_likelihood`` is without weights.

    Parameters
    ----------
    model, data
        What to fit, on what.
    likelihood
        ``"marginal"``: persons integrated out on ``grid``, so that the dimension is the number of
        parameters. ``"hierarchical"``: one latent vector a person. ``"auto"``: marginal, unless the
        nodes would not fit into memory.
    grid
        A fit's grid, a rule, or ``"auto"``: person-centred nodes, 256 a person at first, anchored
        at the posterior mode; where they turn out too few over the posterior, more of them are
        anchored anew in its middle, and the chains run again. The hierarchical path uses the grid
        for the integrated ``log_likelihood`` only.
    draws, tune, chains
        Draws kept and tuning steps of each chain (by default 1,000 in the hierarchical path, 400 in
        the marginal one); number of chains.
    priors
        Replacements of default priors by flat name; see `bayesmix.bayes.priors.make_priors`.
    noncentred
        Whether the hierarchical path samples standard normals, and not the persons' indices: better
        where a person's choices say little of their tastes, worse where they say much.
    rng
        Seed or Generator; the same seed gives the same draws.
    progress
        Whether to show the sampler's progress bar.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior`` (``mean``, ``sd``, ``corr``, ``fixed``), ``sample_stats``,
        ``log_likelihood`` (by person, integrated), ``observed_data``, ``constant_data``. Attributes
        of ``posterior`` tell model, priors, path, grid and integration error.

    Raises
    ------
    SpecificationError, DataError
        If model, data or arguments do not fit together.
    """
    if likelihood not in ("marginal", "hierarchical", "auto"):
        raise SpecificationError(
            "argument 'likelihood' must be 'marginal', 'hierarchical' or 'auto', "
            f"got {likelihood!r}"
        )
    _check_counts(draws=draws, chains=chains, tune=1 if tune is None else tune)
    problem = bind(model, data)
    generator = np.random.default_rng(rng)
    logit = multinomial(problem)
    check_signs(problem, logit)
    start = starting_values(problem, logit)
    path, why = _path(problem, likelihood)
    used = _first_grid(problem, grid, start, priors, generator)
    settings = _Chains(draws, tune, chains, priors, noncentred, progress)
    renewable = isinstance(grid, str) and path == "marginal"
    while True:
        tree = _run(problem, path, used, start, settings, generator)
        thetas = free_vectors(problem, tree["posterior"].to_dataset())
        logp = integrated_log_likelihood(problem, used, thetas)
        if not problem.model.random:
            return complete(tree, problem, logp, priors, {"likelihood": path, "why": why})
        flat = thetas.reshape(-1, thetas.shape[-1])
        accuracy = posterior_accuracy(problem, flat, logp.reshape(len(flat), -1), generator)
        assert isinstance(used, PersonGrid | PopulationGrid)
        if not renewable or accuracy.sd <= ERROR_SD or used.size >= MOST_NODES:
            break
        nodes = 64 * int(np.ceil(used.size * (1.25 * accuracy.sd / ERROR_SD) ** 1.25 / 64))
        rule = centred(sobol(min(nodes, MOST_NODES)), moments=True)
        used = centre(problem, rule, flat.mean(axis=0), generator)
    notes = {
        "likelihood": path,
        "why": why,
        "grid": str(used.rule),
        "integration": str(accuracy),
        "integration_error_mean": accuracy.mean,
        "integration_error_sd": accuracy.sd,
    }
    return complete(tree, problem, logp, priors, notes)


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise SpecificationError(
                f"argument {name!r} must be a whole number of at least 1, got {value!r}"
            )


def _path(problem: Problem, likelihood: Path) -> tuple[str, str]:
    if likelihood != "auto":
        return likelihood, "as asked for"
    need = 8 * problem.n_persons * problem.parameters.n_random * FIRST_NODES
    if need > NODE_BYTES:
        return "hierarchical", f"the nodes would take {need / 2**30:.0f} GiB"
    return "marginal", "the posterior of the population alone is quicker to sample"


def _first_grid(
    problem: Problem,
    grid: GridChoice,
    start: Array,
    priors: Mapping[str, Prior] | None,
    rng: np.random.Generator,
) -> Grid:
    """The grid as asked for; a person-centred one is anchored at the posterior mode."""
    if not problem.model.random:
        return population_grid(gauss_hermite(1), 0, problem.n_persons)
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
        grid = centred(sobol(FIRST_NODES), moments=True)
    check_grid(problem, grid)
    if isinstance(grid, Centred):
        optimum, _ = climb(problem, centred(sobol(SEARCH_NODES)), start, rng)
        theta = problem.parameters.canonical(optimum.theta)
        near = centre(problem, grid, theta, rng)
        return centre(problem, grid, posterior_mode(problem, near, theta, priors), rng)
    if isinstance(grid, Rule):
        return population_grid(grid, problem.parameters.n_random, problem.n_persons, rng)
    return grid


def _run(
    problem: Problem,
    path: str,
    grid: Grid,
    start: Array,
    settings: _Chains,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Run the chains, from the anchor of a person-centred grid or from ``start``."""
    if isinstance(grid, PersonGrid):
        start = problem.parameters.canonical(grid.anchors.theta)
    hierarchical = path == "hierarchical"
    if problem.model.random and (settings.noncentred or not hierarchical):
        pymc = whitened_model(problem, grid, start, settings.priors, hierarchical=hierarchical)
        initial = None
    else:
        pymc = build(problem, None, settings.priors, settings.noncentred)
        initial = {k: v for k, v in initial_values(problem, start).items() if k in pymc.named_vars}
    tune = (1000 if hierarchical else 400) if settings.tune is None else settings.tune
    with pymc, warnings.catch_warnings():
        # Of PyTensor's C compiler, which does nothing here but check PyMC's starting point.
        warnings.filterwarnings("ignore", message="PyTensor could not link to a BLAS")
        tree = pm.sample(
            settings.draws,
            tune=tune,
            chains=settings.chains,
            random_seed=int(rng.integers(2**31)),
            initvals=initial,
            progressbar=settings.progress,
            compute_convergence_checks=False,
            quiet=not settings.progress,
        )
    kept = [v for v in ("mean", "sd", "corr", "fixed") if v in tree["posterior"].data_vars]
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset()[kept])
    return tree


def initial_values(problem: Problem, theta: Array) -> dict[str, Array]:
    """Values of the variables of `bayesmix.bayes.models.build` at a free vector (P,)."""
    mean, chol, fixed = problem.parameters.unpack(theta)
    values = {"mean": mean, "sd": np.sqrt((chol**2).sum(axis=1)), "fixed": fixed}
    position = 0
    for number, law in enumerate(problem.model.random, start=1):
        here = slice(position, position + len(law.coefficients))
        block = chol[here, here]
        values[f"sd_{number}"] = np.sqrt((block**2).sum(axis=1))
        values[f"chol_{number}"] = block[np.tril_indices(len(block))]
        position += len(law.coefficients)
    return values
