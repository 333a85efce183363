"""Posteriors of one class of people: chains from the mode, on nodes of which there are enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from bayesmix.bayes.control import FIRST_STAGE_PRIOR
from bayesmix.bayes.hierarchical_sampling import hierarchical_chains
from bayesmix.bayes.how import How
from bayesmix.bayes.initial_values import initial_values
from bayesmix.bayes.marginal_sampling import nuts_or_importance
from bayesmix.bayes.one_class_model import one_class_model
from bayesmix.bayes.pointwise import free_vectors, integrated_log_likelihood
from bayesmix.bayes.posterior_accuracy import posterior_accuracy
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.pymc_chains import pymc_chains
from bayesmix.bayes.sampler_grid import GridChoice, Stand, first_stand, larger_rule, stand_at
from bayesmix.bayes.tree import complete, keep_sampled
from bayesmix.bayes.whitened import whitened_posterior
from bayesmix.likelihood.multinomial import Multinomial
from bayesmix.likelihood.ordered_sums import linear
from bayesmix.likelihood.problem import Problem
from bayesmix.progress import progress_line


def sample_one_class(
    problem: Problem,
    grid: GridChoice,
    logit: Multinomial,
    how: How,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Sample one class, with more nodes where there turn out to be too few."""
    with progress_line(how.progress, "posterior") as line:
        line.tell("mode and curvature")
        stand = first_stand(problem, grid, logit, how.priors, rng)
    renewable = isinstance(grid, str) and not how.hierarchical
    while True:
        tree = _run(problem, stand, how, rng)
        thetas = free_vectors(problem, tree["posterior"].to_dataset())
        logp = integrated_log_likelihood(problem, stand.grid, thetas)
        notes: dict[str, Any] = {"likelihood": how.path, "why": how.why}
        if problem.design.residuals is not None:
            notes["first_stage"] = FIRST_STAGE_PRIOR
        if not problem.model.random:
            return complete(tree, problem, logp, how.priors, notes)
        flat = thetas.reshape(-1, thetas.shape[-1])
        totals = linear(logp.reshape(len(flat), -1), problem.data.weights)
        if not how.hierarchical:
            totals = totals + stand.corrections(flat)
        with progress_line(how.progress, "posterior") as line:
            line.tell("integration error of its draws")
            accuracy = posterior_accuracy(problem, stand.grid, flat, totals, rng)
        if not renewable or accuracy.reliable or stand.is_largest:
            break
        rule = larger_rule(stand.grid.size, accuracy.sd)
        stand = stand_at(problem, rule, flat.mean(axis=0), how.priors, rng)
    notes |= {"grid": str(stand.grid), **accuracy.notes()}
    if not how.hierarchical:
        keep_sampled(tree, totals)
    evidence = tree["posterior"].attrs.get("log_evidence")
    if evidence is not None:  # of exact integrals, as far as these are known
        notes["log_evidence"] = evidence - accuracy.mean
    return complete(tree, problem, logp, how.priors, notes)


def _run(problem: Problem, stand: Stand, how: How, rng: np.random.Generator) -> xr.DataTree:
    """Run the chains from the posterior mode."""
    at = stand.whitening
    if not (how.hierarchical and problem.model.random):
        posterior = whitened_posterior(
            problem, stand.grid, at, how.priors, correction=stand.correction
        )
        return nuts_or_importance(problem, posterior, how.method, how.size, rng, how.progress)
    priors = make_priors(problem, how.priors)
    if how.noncentred is not False:
        return hierarchical_chains(problem, at, priors, how, int(rng.integers(2**31)))
    pymc = one_class_model(problem, None, how.priors, noncentred=False)
    values = initial_values(problem, at.theta, priors)
    initial = {v.name: values[v.name] for v in pymc.free_RVs if v.name in values}
    return pymc_chains(pymc, how.chains, initial, rng)
