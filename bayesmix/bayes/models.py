"""PyMC models: hierarchical (a latent vector a person) and marginal (integrated over a grid)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from bayesmix import arguments
from bayesmix.bayes.class_model import class_model
from bayesmix.bayes.control import refuse_control
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
from bayesmix.centring.check_grid import check_grid
from bayesmix.centring.grids import PersonGrid
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.optimise.freeze import freeze
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.values import Parameters

Kind = Literal["hierarchical", "marginal"]


def pymc_model(
    model: MixedLogit,
    data: ChoiceData,
    *,
    likelihood: Kind = "hierarchical",
    grid: Grid | None = None,
    priors: Mapping[str, PriorLike] | None = None,
    noncentred: bool = True,
) -> pm.Model:
    """The model as a plain ``pm.Model``, to use as one likes.

    Variables ``mean`` and ``sd`` (dimension ``random``), ``corr`` (dimension ``pair``, for laws
    with correlation) and ``fixed`` (dimension ``term``); the hierarchical model has ``z`` (person,
    random) besides. The log-likelihood is a potential of that name. With latent classes there is
    ``share`` too, and one coefficient keeps the classes in order (`bayesmix.bayes.class_labels`).

    Parameters
    ----------
    model, data
        What to fit, on what.
    likelihood
        ``"hierarchical"``: one latent vector a person. ``"marginal"``: integrated over ``grid``.
    grid
        A grid as used by a fit, such as ``fit.grid``; for the marginal likelihood only.
    priors
        Replacements of default priors by flat name; see `bayesmix.bayes.priors.make_priors`.
    noncentred
        Whether the hierarchical model samples standard normals ``z`` and not the indices.

    Returns
    -------
    pymc.Model
        With the variables above, and nothing sampled yet.

    Raises
    ------
    SpecificationError
        If the marginal likelihood has no grid, or a prior does not fit the model.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.pymc_model(bm.MixedLogit("cl", random=[bm.Normal("cl")]), data)
    >>> sorted(variable.name for variable in model.free_RVs)
    ['mean', 'sd', 'z']
    """
    arguments.one_of("likelihood", likelihood, ("hierarchical", "marginal"))
    arguments.flag("noncentred", noncentred)
    check_arguments(model, data)
    if likelihood == "marginal" and grid is None and model.laws:
        raise SpecificationError(
            "the marginal likelihood needs a grid: pass grid=fit.grid, or use bm.sample, "
            "which makes one"
        )
    refuse_control(model, "bm.pymc_model")
    refuse_constraints(model)
    problem = bind(model, data)
    if likelihood == "hierarchical" or not model.laws:
        return build(problem, None, priors, noncentred)
    if isinstance(grid, Rule | Centred):
        raise SpecificationError(
            f"argument 'grid' must be a grid as used by a fit, such as fit.grid, got {grid}"
        )
    check_grid(problem, grid)
    return build(problem, grid, priors, noncentred)


def refuse_constraints(model: MixedLogit) -> None:
    """Refuse what a model in PyMC's own variables does not know.

    Raises
    ------
    SpecificationError
        If parameters are held, tied or bounded.
    """
    if isinstance(model, MixedLogit) and model.constraints:
        raise SpecificationError(
            f"pymc_model does not hold or tie parameters ({model.constraints}): use bm.sample, "
            "which holds them, or bm.msle"
        )


def build(
    problem: Problem,
    grid: Grid | None,
    priors: Mapping[str, PriorLike] | None = None,
    noncentred: bool = True,
) -> pm.Model:
    """The marginal model on ``grid``, or the hierarchical one without a grid."""
    if not problem.normal_index:
        return class_model(problem, grid, priors, noncentred)
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
