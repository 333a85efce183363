"""Draws of population and persons together: chains of NUTS in the form that was asked for."""

from __future__ import annotations

import xarray as xr

from bayesmix.bayes.chains import Chains, run_chains
from bayesmix.bayes.hierarchical import Hierarchical, information_at, no_information
from bayesmix.bayes.how import How
from bayesmix.bayes.priors import Priors
from bayesmix.bayes.whitened import Whitening
from bayesmix.likelihood.problem import Problem

TUNE = 300
"""Tuning steps of a chain: the population is whitened, and persons are nearly standard normal."""
WORDS = {True: "persons' standard normals", False: "persons by the information of their choices"}


def hierarchical_chains(
    problem: Problem, at: Whitening, priors: Priors, how: How, seed: int
) -> xr.DataTree:
    """Draws of the population; persons' own are drawn again, given these, by `bm.person_draws`."""
    plain = how.noncentred is True
    information = no_information(problem) if plain else information_at(problem, at.theta)
    posterior = Hierarchical(problem, priors, at, information)
    size = how.size
    tune = TUNE if size.tune is None else size.tune
    chains = Chains(size.draws, tune, size.chains, how.progress, size.store)
    tree = run_chains(problem, posterior, chains, seed)
    tree["posterior"].attrs.update({"method": "nuts", "centring": WORDS[plain]})
    return tree
