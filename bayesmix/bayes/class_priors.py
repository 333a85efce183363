"""Priors of latent classes: those of the model within a class, in each class, and of the shares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesmix.bayes.held import with_held
from bayesmix.bayes.inverse_wishart import InverseWishart
from bayesmix.bayes.priors import Prior, make_priors, read_prior
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.classes import refuse_classes
from bayesmix.specification.parameter import CORRELATION

SHARE_SD = 2.0
"""Of the normal prior of a share's constant: odds between classes of 1 to 50 are two of them."""


def prior_table(problem: Problem, given: Mapping[str, Prior] | None = None) -> pd.DataFrame:
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
    given = {} if given is None else given
    for name in (name for name, value in given.items() if isinstance(value, InverseWishart)):
        refuse_classes(
            problem.model.latent,
            f"priors[{name!r}]: within latent classes covariances have LKJ and half-normal "
            "priors; an inverse-Wishart prior is for models without classes",
        )
    in_all = set(within.parameters.names)  # what differs between classes has a name in each
    own = in_all ^ set(space.names)
    table = make_priors(within, {n: v for n, v in given.items() if n not in own}).table
    names = np.array(within.parameters.names)
    whole = _of_classes(problem, table)
    for name, value in given.items():
        if name in own:
            whole.loc[name, ["location", "scale"]] = read_prior(name, value, whole)
    words = table[~table.index.isin(names[~within.parameters.of_kind(CORRELATION)])]
    return with_held(problem, pd.concat([whole, words]) if len(words) else whole)


def _of_classes(problem: Problem, table: pd.DataFrame) -> pd.DataFrame:
    """Priors of all classes but for correlations, of those of one, and those of the shares."""
    within, space = problem.within, problem.parameters
    of_names = {
        space.names[place]: str(parameter)
        for places in space.select_printed
        for parameter, place in zip(within.parameters.listed, places, strict=True)
        if str(parameter) in table.index
    }
    here = [name for name in space.names if name in of_names]
    size = np.sqrt((problem.share_z**2).mean(axis=0))
    scales = np.tile(SHARE_SD / np.where(size > 0, size, 1.0), space.classes - 1)
    shares = pd.DataFrame({"law": "normal", "location": 0.0, "scale": scales})
    whole = pd.concat([table.loc[[of_names[name] for name in here]], shares])
    whole.index = pd.Index([*here, *space.share_names], name="parameter")
    return whole
