"""Where the sampler of latent classes stands: grid, order of the classes, starting points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.bayes.chains import Chains, run_chains
from bayesmix.bayes.class_labels import (
    OrderedEntries,
    Ordering,
    check_labels,
    numbered_classes,
    ordering,
)
from bayesmix.bayes.class_model import class_model
from bayesmix.bayes.class_posterior import whitened_classes
from bayesmix.bayes.control import FIRST_STAGE_PRIOR
from bayesmix.bayes.first_stage_graph import white_start
from bayesmix.bayes.how import How
from bayesmix.bayes.paths import FIRST_NODES
from bayesmix.bayes.pointwise import free_vectors, integrated_log_likelihood
from bayesmix.bayes.posterior_accuracy import posterior_accuracy
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.pymc_chains import pymc_chains
from bayesmix.bayes.sampler_grid import SEARCH_NODES, GridChoice
from bayesmix.bayes.tree import complete, keep_sampled
from bayesmix.centring.check_grid import check_grid
from bayesmix.centring.grids import centre
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import Multinomial
from bayesmix.likelihood.ordered_sums import linear
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.bhhh import maximise_likelihood
from bayesmix.optimise.climb import climb
from bayesmix.optimise.maximise import whitening
from bayesmix.specification.parameter import SD

TUNE = 300
"""Tuning steps of a chain: scales are nearly 1 from the start, but shares and classes that are near
each other have skewed posteriors."""
LEAST_SD = 0.05
"""Least standard deviation to start from, in natural units."""


@dataclass(frozen=True, eq=False)
class ClassPlan:
    """A model ready to be sampled, with the grid of its log-likelihood and starting points.

    ``scales`` is the covariance of the sampler's coordinates, as the likelihood's curvature has it;
    None where it is left to the sampler to learn.
    """

    model: pm.Model
    grid: Grid
    order: Ordering
    initial: list[dict[str, Array]]
    scales: Array | None


def class_plan(
    problem: Problem,
    grid: GridChoice,
    logit: Multinomial,
    priors: Mapping[str, PriorLike] | None,
    chains: tuple[int, bool, bool],
    rng: np.random.Generator,
) -> ClassPlan:
    """The plan for ``chains`` = (number, hierarchical, noncentred).

    Chains start from points scattered around the maximum of the likelihood by its curvature.
    """
    number, hierarchical, noncentred = chains
    begin = numbered_classes(problem, logit)
    order = ordering(problem, begin)
    theta, used = _maximum(problem, grid, begin, rng)
    model = class_model(problem, None if hierarchical else used, priors, noncentred, begin)
    likelihood = Likelihood(problem, used)
    root = whitening(likelihood.by_person(theta)[1], problem.data.weights, natural_units(problem))
    scattered = [theta + 0.5 * root @ rng.standard_normal(len(theta)) for _ in range(number)]
    initial = [_initial(problem, at, theta, order) | white_start(problem, rng) for at in scattered]
    free = {variable.name for variable in model.free_RVs}
    known = [{k: v for k, v in values.items() if k in free} for values in initial]
    simple = not hierarchical or not problem.parameters.n_random
    simple = simple and "corr" not in problem.parameters.labels
    points = [theta + root @ rng.standard_normal(len(theta)) for _ in range(50 * len(theta))]
    values = [_initial(problem, at, theta, order) | white_start(problem, rng) for at in points]
    scales = _covariance(problem, model, values, order) if simple else None
    return ClassPlan(model, used, order, known, scales)


def _covariance(
    problem: Problem, model: pm.Model, values: list[dict[str, Array]], order: Ordering
) -> Array:
    """Covariance of the sampler's coordinates over values scattered by the curvature."""
    columns = []
    for variable in model.free_RVs:
        each = np.array([one[variable.name] for one in values])
        if variable.name == "sd":
            each = np.log(each)
        elif variable.name == order.kind:
            each = OrderedEntries(order.positions(problem)).unordered(each)
        columns.append(each)
    found = np.cov(np.concatenate(columns, axis=1), rowvar=False)
    return np.atleast_2d(found) + 1e-12 * np.eye(len(np.atleast_2d(found)))


def _maximum(
    problem: Problem, grid: GridChoice, begin: Array, rng: np.random.Generator
) -> tuple[Array, Grid]:
    """A maximum of the likelihood near EM's end, and the sampler's grid."""
    size = problem.parameters.n_random
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
        grid = centred(sobol(FIRST_NODES), moments=True)
    if not size:
        return _climbed(problem, points_grid(problem), begin), points_grid(problem)
    check_grid(problem, grid)
    if isinstance(grid, Centred):
        optimum, _ = climb(problem, centred(sobol(SEARCH_NODES)), begin, rng)
        theta = problem.parameters.canonical(optimum.theta)
        return theta, centre(problem, grid, theta, rng)
    if isinstance(grid, Rule):
        grid = population_grid(grid, size, problem.n_persons, rng)
    return _climbed(problem, grid, begin), grid


def _climbed(problem: Problem, grid: Grid, begin: Array) -> Array:
    likelihood = Likelihood(problem, grid)
    _, scores = likelihood.by_person(begin)
    root = whitening(scores, problem.data.weights, natural_units(problem))
    optimum = maximise_likelihood(likelihood, begin, root)
    return problem.parameters.canonical(optimum.theta)


def _initial(problem: Problem, theta: Array, middle: Array, order: Ordering) -> dict[str, Array]:
    """Values of the model's variables at a free vector; at the middle one where it breaks order."""
    space, within = problem.parameters, problem.within
    for at in (theta, middle):
        values = space.series(space.natural(at))
        if (np.diff(values[list(order.names)]) > 0).all():
            break
    least = np.zeros(space.size)
    for places in space.select_printed:
        least[places] = LEAST_SD * np.abs(within.parameters.natural(natural_units(within)))
    bounded = np.where(space.of_kind(SD), np.maximum(values, least), values)
    kinds = np.array([parameter.kind.name for parameter in space.listed], dtype=str)
    return {kind: bounded[kinds == kind] for kind in space.labels}


def _of_numbers(
    problem: Problem,
    grid: GridChoice,
    logit: Multinomial,
    how: How,
    rng: np.random.Generator,
) -> tuple[xr.DataTree, Grid, Ordering]:
    """Chains without a graph, of the log posterior around its mode: their draws, grid and order."""
    begin = numbered_classes(problem, logit)
    theta, used = _maximum(problem, grid, begin, rng)
    order = ordering(problem, begin)
    values = problem.parameters.series(problem.parameters.natural(theta))
    if not (np.diff(values[list(order.names)]) > 0).all():
        order = ordering(problem, theta)
    posterior = whitened_classes(problem, used, theta, order, how.priors)
    tune = TUNE if how.size.tune is None else how.size.tune
    chains = Chains(how.size.draws, tune, how.size.chains, how.progress)
    return run_chains(problem, posterior, chains, int(rng.integers(2**31))), used, order


def sample_classes(
    problem: Problem,
    grid: GridChoice,
    logit: Multinomial,
    how: How,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Sample latent classes, in one order, and look at whether all chains number them alike."""
    of_graph = how.hierarchical and problem.parameters.n_random > 0
    if of_graph or problem.design.residuals is not None:
        chains = how.size.chains, how.hierarchical, how.noncentred is not False
        plan = class_plan(problem, grid, logit, how.priors, chains, rng)
        tree = pymc_chains(plan.model, how.chains, plan.initial, rng, plan.scales)
        used, order = plan.grid, plan.order
    else:
        tree, used, order = _of_numbers(problem, grid, logit, how, rng)
    posterior = tree["posterior"].to_dataset()
    thetas = free_vectors(problem, posterior)
    logp = integrated_log_likelihood(problem, used, thetas)
    labels = check_labels(problem, posterior)
    notes: dict[str, Any] = {"likelihood": how.path, "why": how.why, "ordering": str(order)}
    notes |= {"labels": str(labels), "label_switching": int(labels.switched)}
    if problem.design.residuals is not None:
        notes["first_stage"] = FIRST_STAGE_PRIOR
    if problem.parameters.n_random:
        flat = thetas.reshape(-1, thetas.shape[-1])
        totals = linear(logp.reshape(len(flat), -1), problem.data.weights)
        accuracy = posterior_accuracy(problem, used, flat, totals, rng)
        if not how.hierarchical:
            keep_sampled(tree, totals)
        notes |= {"grid": str(used), **accuracy.notes()}
    return complete(tree, problem, logp, how.priors, notes)
