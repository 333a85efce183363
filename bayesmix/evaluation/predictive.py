"""The posterior predictive group of a posterior: what its model would have people choose."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from bayesmix import arguments
from bayesmix.arrays import Array, Indices
from bayesmix.bayes.read import SAMPLE_DIMS, is_own
from bayesmix.bayes.tree import choices_of, outside_last
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.draws import draws_of, parameter_draws
from bayesmix.errors import DataError, SpecificationError
from bayesmix.evaluation.replicates import (
    KnownPeople,
    at_drawn_nodes,
    codes_of_new_people,
    drawn_codes,
    given_others,
)
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.persons import OfPersons
from bayesmix.likelihood.problem import Problem
from bayesmix.progress import tracked

Whose = Literal["population", "known", "others"]
WHOSE = ("population", "known", "others")
WORDS = {
    "population": "of new people, who face the sets of those in the data",
    "known": "of the people of the data, given all of their choices, these ones too",
    "others": "of each choice, given the other choices of its person",
}


def posterior_predictive(
    posterior: xr.DataTree,
    data: ChoiceData,
    *,
    people: Whose = "population",
    draws: int = 500,
    nodes: int = 256,
    rng: Seed = None,
    progress: bool = False,
) -> xr.DataTree:
    """A posterior with choices drawn from it, in ArviZ's group ``posterior_predictive``.

    ``choice`` (chain, draw, situation) holds places along ``alternative``, as that of
    ``observed_data`` does, so that ``arviz.plot_ppc_dist`` shows the shares of the alternatives.

    Parameters
    ----------
    posterior
        What ``bm.sample`` returned.
    data
        The data that it is of.
    people
        Whose coefficients choices are drawn with, at each draw of the parameters.
        ``"population"``: new people's, one draw for all situations of a person. ``"known"``: those
        of the same people given all of their choices, the ones that are checked among them, so
        that fit is flattered. ``"others"``: given the person's other choices. With these the group
        ``log_likelihood`` has ``log P(y_it | y_i without t)``, ``choice`` by situation, in the
        place of that of whole persons: ``arviz.loo`` is then of a choice given the person's others,
        and ``arviz.loo_pit`` finds the same names everywhere. As they do not add up to the
        likelihood, ``log_prior`` is left out, and ArviZ's power-scaling refuses the tree.
    draws
        Draws of the parameters, of all chains together and evenly spaced: the tree that is
        returned has no others.
    nodes
        Nodes a person, of people who are known.
    rng
        Seed or Generator.
    progress
        Whether to show a progress bar.

    Returns
    -------
    xarray.DataTree
        A new tree: all groups of the posterior at these draws, and ``posterior_predictive``.

    Raises
    ------
    DataError
        If the data are not the posterior's own, or are rankings, whose later choices are out of
        what earlier ones left.
    SpecificationError
        If it is no posterior, or arguments are not of their kinds.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model, grid = bm.MixedLogit("pf + cl", bm.Normal("cl")), bm.centred(bm.sobol(32))
    >>> posterior = bm.sample(
    ...     model, data, method="importance", grid=grid, draws=100, rng=1, progress=False)
    >>> tree = bm.posterior_predictive(posterior, data, draws=20, rng=1)
    >>> dict(tree["posterior_predictive"]["choice"].sizes)
    {'chain': 4, 'draw': 5, 'situation': 4308}
    """
    arguments.one_of("people", people, WHOSE)
    arguments.whole("draws", draws)
    arguments.whole("nodes", nodes)
    arguments.seed("rng", rng)
    arguments.flag("progress", progress)
    found = draws_of(posterior)
    problem = own_problem(posterior, data)
    if data.stage is not None:
        raise DataError(
            "the data are rankings, in which each choice says what the next is out of: draw "
            "whole rankings at parameters of the posterior, bm.simulate_choices"
        )
    tree = thinned(posterior, found, draws)
    thetas = parameter_draws(tree, data, 2**31).thetas
    generator = np.random.default_rng(rng)
    steps = tracked(thetas, "posterior predictive", total=len(thetas), show=progress)
    if people == "population":
        codes = np.stack([codes_of_new_people(problem, theta, generator) for theta in steps])
    else:
        who = KnownPeople(problem, thetas.mean(axis=0), nodes, generator)
        drawn = [_of_known(who, theta, people, generator) for theta in steps]
        codes = np.stack([codes for codes, _ in drawn])
        if people == "others":
            _replace_likelihood(tree, data, np.stack([logp for _, logp in drawn]))
    group = _by_situation(tree, data, outside_last(data, codes))
    group.attrs["people"] = WORDS[people]
    tree["posterior_predictive"] = xr.DataTree(group)
    return tree


def own_problem(posterior: xr.DataTree, data: ChoiceData) -> Problem:
    """The posterior's model on its own data.

    Raises
    ------
    DataError
        If the data are others.
    """
    problem = parameter_draws(posterior, data, 1).problem
    if not data.observed or not is_own(posterior, data):
        raise DataError(
            "argument 'data' has other choices or choice sets than those that the posterior is "
            "of: give the data that went into bm.sample; of other sets bm.predict has "
            "probabilities"
        )
    return problem


def thinned(posterior: xr.DataTree, draws: xr.Dataset, wanted: int) -> xr.DataTree:
    """A copy of a posterior with ``wanted`` evenly spaced draws, as many of each chain."""
    if "posterior" not in posterior.children:
        raise SpecificationError("the posterior has lost its groups: hand over all of bm.sample's")
    chains, have = (draws.sizes[dim] for dim in SAMPLE_DIMS)
    each = min(max(1, -(-wanted // chains)), have)
    places = np.linspace(0, have - 1, each).round().astype(int)
    groups = {}
    for name, group in posterior.children.items():
        own = group.to_dataset()
        if name == "posterior":  # with both dimensions, of a chain that was selected too
            own = draws
        groups[name] = own.isel(draw=places) if "draw" in own.dims else own
    return xr.DataTree.from_dict(groups)


def _of_known(
    who: KnownPeople, theta: Array, people: Whose, rng: np.random.Generator
) -> tuple[Indices, Array]:
    data = who.problem.data
    if people == "others":
        logp, probabilities = who.over(theta, given_others)
        return drawn_codes(data, probabilities, rng), logp
    uniform = OfPersons(rng.random(who.problem.n_persons))
    (probabilities,) = who.over(theta, at_drawn_nodes, uniform)
    return drawn_codes(data, probabilities, rng), np.empty(0)


def _replace_likelihood(tree: xr.DataTree, data: ChoiceData, logp: Array) -> None:
    group = _by_situation(tree, data, logp)
    group.attrs["conditional"] = "of each choice given the other choices of its person"
    tree["log_likelihood"] = xr.DataTree(group)
    if "log_prior" in tree.children:
        del tree["log_prior"]


def _by_situation(tree: xr.DataTree, data: ChoiceData, values: Array | Indices) -> xr.Dataset:
    """``choice`` (chain, draw, situation), of values (draws, T)."""
    draws = tree["posterior"]
    shape = [draws.sizes[dim] for dim in SAMPLE_DIMS]
    coords = {**{dim: draws[dim].to_numpy() for dim in SAMPLE_DIMS if dim in draws.coords},
              **choices_of(data)}  # fmt: skip
    return xr.Dataset(
        {"choice": ((*SAMPLE_DIMS, "situation"), values.reshape(*shape, -1))}, coords=coords
    )
