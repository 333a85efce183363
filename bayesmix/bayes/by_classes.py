"""Posteriors of one class of people or of several: which model, in what order, sampled how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pymc as pm
import xarray as xr

from bayesmix.bayes.class_labels import Ordering, numbered_classes, ordering
from bayesmix.bayes.class_model import class_model
from bayesmix.bayes.class_sampling import sample_classes
from bayesmix.bayes.how import How
from bayesmix.bayes.one_class_model import one_class_model
from bayesmix.bayes.one_class_sampling import sample_one_class
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.bayes.sampler_grid import GridChoice
from bayesmix.likelihood.multinomial import Multinomial
from bayesmix.likelihood.problem import Grid, Problem

Sampler = Callable[[Problem, GridChoice, Multinomial, How, np.random.Generator], xr.DataTree]


def pymc_model_of(
    problem: Problem,
    grid: Grid | None,
    priors: Mapping[str, PriorLike] | None = None,
    noncentred: bool = True,
) -> pm.Model:
    """The marginal model on ``grid``, or the hierarchical one without a grid."""
    make = one_class_model if problem.parameters.classes == 1 else class_model
    return make(problem, grid, priors, noncentred)


def sampler_of(problem: Problem) -> Sampler:
    """What samples the posterior: of several classes in one order of them."""
    return sample_one_class if problem.parameters.classes == 1 else sample_classes


def class_order(problem: Problem) -> Ordering | None:
    """The order of latent classes in a posterior; none where nothing or nobody tells it."""
    if problem.parameters.classes == 1 or not problem.data.observed:
        return None
    return ordering(problem, numbered_classes(problem))
