"""Priors of latent classes: those of the model within a class, in each class, and of the shares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesmix.bayes.held import with_held
from bayesmix.bayes.inverse_wishart import InverseWishart
from bayesmix.bayes.priors import Prior, make_priors, read_prior
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.parameter import CORRELATION

SHARE_SD = 2.0
"""Of the normal prior of a share's constant: odds between classes of 1 to 50 are two of them."""


def class_priors(problem: Problem, given: Mapping[str, Prior] | None = None) -> pd.DataFrame:
    """Law, location and scale of the prior of every parameter, by flat name.

    Defaults within classes are those of `bayesmix.bayes.priors.make_priors`, the same in each; the
    shares' coefficients have normal priors of standard deviation 2, over the size of the covariate.
    Correlations have LKJ priors, in each class. ``given`` replaces some, as in `make_priors`.

    Raises
    ------
    SpecificationError
        If a name is unknown or a value is not a location and a positive scale.
    """
    within, space = problem.within, problem.parameters
    table = make_priors(within).table
    names = np.array(within.parameters.names)
    correlations = ~table.index.isin(names[~within.parameters.of_kind(CORRELATION)])
    rows = {}
    for places in space.select_printed:
        for parameter, place in zip(within.parameters.listed, places, strict=True):
            if parameter.kind != CORRELATION:
                rows[space.names[place]] = table.loc[str(parameter)]
    size = np.sqrt((problem.share_z**2).mean(axis=0))
    scales = np.tile(SHARE_SD / np.where(size > 0, size, 1.0), space.classes - 1)
    for name, scale in zip(space.share_names, scales, strict=True):
        rows[name] = pd.Series({"law": "normal", "location": 0.0, "scale": scale})
    whole = pd.DataFrame([rows[n] for n in space.names if n in rows])
    whole.index = pd.Index([n for n in space.names if n in rows], name="parameter")
    for name, value in (given or {}).items():
        if isinstance(value, InverseWishart):
            raise SpecificationError(
                f"priors[{name!r}]: within latent classes covariances have LKJ and half-normal "
                "priors; an inverse-Wishart prior is for models without classes"
            )
        whole.loc[name, ["location", "scale"]] = read_prior(name, value, whole)
    return pd.concat([whole, table[correlations]]) if correlations.any() else whole


def prior_table(problem: Problem, given: Mapping[str, Prior] | None = None) -> pd.DataFrame:
    """The priors of any model in words."""
    if problem.parameters.classes > 1:
        return class_priors(problem, given)
    return with_held(problem, make_priors(problem, given).table)
