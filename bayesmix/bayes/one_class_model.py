"""PyMC models of one class of people: each person's index is of one normal law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from bayesmix.bayes.graph import (
    conditional_log_probabilities,
    density_log_integrals,
    locations,
    log_integrals,
    mean_dimension,
    on_halves,
    product,
    shared_chunk,
    shared_nodes,
)
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.prior_variables import add_difference, prior_distribution, prior_variable
from bayesmix.bayes.priors import Priors, make_priors
from bayesmix.bayes.scalar_priors import Laws
from bayesmix.centring.grids import PersonGrid
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.freeze import freeze
from bayesmix.specification.values import Parameters


def one_class_model(
    problem: Problem,
    grid: Grid | None,
    priors: Mapping[str, PriorLike] | None = None,
    noncentred: bool = True,
) -> pm.Model:
    """The marginal model on ``grid``, or the hierarchical one without a grid."""
    space = problem.parameters
    with pm.Model(coords=coordinates(problem)) as pymc:
        population = _population(problem, make_priors(problem, priors))
        if not space.n_random or grid is None:
            logp = _hierarchical(problem, population, noncentred)
        else:
            logp = marginal_log_probabilities(problem, grid, population)
        weights = pytensor.shared(problem.data.weights, name="person_weights")
        pm.Potential("log_likelihood", (weights * logp).sum())
    return pymc


def coordinates(problem: Problem) -> dict[str, Any]:
    """Names along the dimensions of the models' variables."""
    space = problem.parameters.within
    return {
        "person": problem.data.person_labels,
        "random": list(space.random),
        "located": list(space.located_names),
        "shaped": list(space.shape_names),
        "shifted": list(space.shift_names),
        "pair": list(space.pair_names),
        "term": list(space.fixed),
        "source": list(space.scales),
    }


def _population(problem: Problem, priors: Priors) -> Parameters:
    """Means, Cholesky factor, fixed coefficients, shifts and log scales, with priors."""
    space = problem.parameters.within
    mean: Any = pt.zeros(0)
    fixed: Any = pt.zeros(0)
    chol: Any = pt.zeros((space.n_random, space.n_random))
    shift: Any = pt.zeros(0)
    log_scale: Any = pt.zeros(0)
    if space.n_random:
        if priors.mean.proper.all():
            mean = _own_means(problem, priors)
            chol = _cholesky(problem, priors)
        else:
            chol = _cholesky(problem, priors)
            mean = _means_given(problem, priors, chol)
    if space.fixed:
        fixed = prior_variable(priors.fixed, "fixed", dims="term")
    if space.shifts:
        shift = prior_variable(priors.shift, "shift", dims="shifted")
    if space.scales:
        scale = prior_variable(priors.scale, "scale", dims="source")
        log_scale = pt.log(scale)
    return Parameters(mean, chol, fixed, shift, log_scale)


def _own_means(problem: Problem, priors: Priors) -> Any:
    """Means and shapes (K + E,), whose priors know nothing of the covariance."""
    space, m = problem.parameters.within, problem.parameters.within.n_means
    mean: Any = pt.zeros(space.n_random)
    if m:
        free = prior_variable(priors.mean[:m], "mean", dims=mean_dimension(problem))
        mean = mean[space.located[:m]].set(free) if space.centred else free
    if not space.shapes:
        return mean
    return pt.concatenate([mean, prior_variable(priors.mean[m:], "shape", dims="shaped")])


def _means_given(problem: Problem, priors: Priors, chol: Any) -> Any:
    """Means and shapes (K + E,), some with a prior given the covariance of their block."""
    space, own = problem.parameters.within, priors.mean.proper
    mean: Any = pt.zeros(space.n_random + len(space.shapes))
    if own.any():
        kept = Laws(tuple(law for law in priors.mean.each if law.kind != "none"))
        free = prior_variable(kept, "mean_own", shape=len(kept))
        mean = mean[space.located[own]].set(free)
    position = 0
    for number, (law, prior) in enumerate(
        zip(problem.model.laws, priors.covariances, strict=True), start=1
    ):
        here = slice(position, position + len(law.coefficients))
        if prior is not None and prior.mean_precision is not None:
            mean = mean[here].set(prior.means(str(number), chol[here, here]))
        position = here.stop
    name_means(problem, mean)
    return mean


def name_means(problem: Problem, mean: Any) -> None:
    """``mean`` and ``shape`` as variables with names."""
    space, m = problem.parameters.within, problem.parameters.within.n_means
    if m:
        pm.Deterministic("mean", mean[space.located[:m]], dims=mean_dimension(problem))
    if space.shapes:
        pm.Deterministic("shape", mean[space.n_random :], dims="shaped")


def _cholesky(problem: Problem, priors: Priors) -> Any:
    space = problem.parameters.within
    if not space.pairs:
        return pt.diag(prior_variable(priors.sd, "sd", dims="random"))
    chol: Any = pt.zeros((space.n_random, space.n_random))
    sds: list[Any] = []
    correlations: list[Any] = []
    position = 0
    laws = zip(problem.model.laws, priors.etas, priors.covariances, strict=True)
    for number, (law, eta, prior) in enumerate(laws, start=1):
        size = len(law.coefficients)
        here = slice(position, position + size)
        if prior is not None:
            factor = prior.factor(str(number))
            sd = pt.sqrt((factor**2).sum(axis=1))
            unit = factor / sd[:, None]
            lower, upper = np.triu_indices(size, 1)
            correlations.append(product(unit, unit.T)[lower, upper])
        elif law.correlated:
            factor, corr, sd = pm.LKJCholeskyCov(
                f"chol_{number}",
                n=size,
                eta=eta,
                sd_dist=prior_distribution(priors.sd[here]),
                compute_corr=True,
                store_in_trace=False,
            )
            add_difference(priors.sd[here], sd, f"sd_{number}")
            lower, upper = np.triu_indices(size, 1)
            correlations.append(corr[lower, upper])
        else:
            sd = prior_variable(priors.sd[here], f"sd_{number}", shape=size)
            factor = pt.diag(sd)
        chol = chol[here, here].set(factor)
        sds.append(sd)
        position += size
    pm.Deterministic("sd", pt.concatenate(sds), dims="random")
    pm.Deterministic("corr", pt.concatenate(correlations), dims="pair")
    return chol


def _hierarchical(problem: Problem, parameters: Parameters, noncentred: bool) -> Any:
    loc, chol = locations(problem, parameters), parameters.chol
    shape = (problem.n_persons, problem.parameters.n_random)
    if not shape[1]:
        deviations: Any = pt.zeros(shape)
    elif noncentred:
        z = pm.Normal("z", 0.0, 1.0, dims=("person", "random"))
        deviations = product(z, chol.T)
    elif problem.parameters.within.pairs:
        deviations = pm.MvNormal("b", loc, chol=chol, dims=("person", "random")) - loc
    else:
        deviations = pm.Normal("b", loc, pt.diagonal(chol), dims=("person", "random")) - loc
    return conditional_log_probabilities(problem, deviations, parameters)


def marginal_log_probabilities(problem: Problem, grid: Grid, parameters: Parameters) -> Any:
    """Log-probability (I,) of each person's choices on ``grid``.

    A person-centred grid is fixed in coefficient space where that is possible: there an
    evaluation does not depend on the number of choices.
    """
    if isinstance(grid, PersonGrid) and not problem.parameters.fixed:
        held = freeze(problem, grid)
        if held:
            return on_halves(
                [density_log_integrals(problem, shared_nodes(n), parameters) for n in held]
            )
    chunks = [problem.chunk(part, 0, problem.n_persons) for part in grid.halves or (grid,)]
    return on_halves([log_integrals(problem, shared_chunk(c), parameters) for c in chunks])
