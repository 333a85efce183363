"""The group ``prior`` of a tree: draws of priors with the attributes that a posterior has."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

from bayesmix.bayes.by_classes import class_order
from bayesmix.bayes.class_priors import prior_words
from bayesmix.bayes.prior_draws import prior_draws
from bayesmix.bayes.prior_laws import PriorLike
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.record import data_record, model_record


def prior_group(
    problem: Problem,
    priors: Mapping[str, PriorLike] | None,
    draws: int,
    rng: np.random.Generator,
) -> xr.Dataset:
    """Draws of the prior, which functions of demand read as they read those of a posterior."""
    found = prior_draws(problem, priors, draws, rng, class_order(problem))
    found.attrs |= {
        "model": json.dumps(model_record(problem.model)),
        "estimated_on": json.dumps(data_record(problem.data, problem.design)),
        "description": str(problem.model),
        "priors": prior_words(problem, priors),
    }
    return found
