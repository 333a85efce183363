"""Which latent class a person is of, given the person's choices."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.centring.grids import centre
from bayesmix.centring.people import past_choices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.draws import Interval, parameter_draws, uncertainty
from bayesmix.demand.options import CheckedOptions, Options, settle
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point, posterior_classes
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Problem


def class_probabilities(
    result: Fit | xr.DataTree, data: ChoiceData, **how: Unpack[Options]
) -> xr.Dataset:
    """The probability of each latent class for each person, given the person's choices.

    ``h_ic = pi_ic P_i(theta_c) / sum_d pi_id P_i(theta_d)``, by Bayes' rule.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``, of a model with a `LatentClass`.
    data
        The data that it was fitted to.
    **how
        As in `shares`; ``people`` are known by what is asked. Nodes are for laws inside of classes.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``person`` and ``class`` (from 1); ``prior``, the
        class shares before any choice is known, averaged as ``estimate`` is. Probabilities of a
        person sum to 1.

    Raises
    ------
    SpecificationError
        If the data are others than those of the result.

    References
    ----------
    Kamakura and Russell (1989).

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", bm.LatentClass("pf", "cl")), data, starts=1, rng=1)
    >>> found = bm.class_probabilities(fit, data, draws=20, rng=1)
    >>> float(abs(found["estimate"].sum("class") - 1).max().round(12))
    0.0
    """
    settled = settle(how, class_probabilities)
    rng = np.random.default_rng(settled.rng)
    parameters = parameter_draws(result, data, settled.draws)
    problem = parameters.problem
    past_choices(problem, None, own=True)
    likelihood = _likelihood(problem, parameters.thetas.mean(axis=0), settled, rng)

    def quantity(theta: Array) -> Array:
        prior = Point(problem, theta).log_shares
        logp = likelihood.by_class(theta)
        posterior = posterior_classes(prior, logp)[1]
        return np.stack([posterior, np.broadcast_to(np.exp(prior), posterior.shape)])

    laws = uncertainty(result, parameters.thetas, settled, rng)
    ends = laws.of(quantity, "class probabilities", settled.progress)
    dims = ("person", "class")
    out = xr.Dataset(
        {k: (dims, v[0]) for k, v in zip(Interval._fields, ends, strict=True)},
        coords={
            "person": data.person_labels,
            "class": np.arange(1, problem.parameters.classes + 1),
        },
        attrs={"interval": settled.interval, "draws": laws.draws},
    )
    return out.assign(prior=(dims, ends.estimate[1]))


def _likelihood(
    problem: Problem, theta: Array, how: CheckedOptions, rng: np.random.Generator
) -> Likelihood:
    """The likelihood within classes, on person-centred nodes where there are laws inside."""
    if problem.parameters.n_random:
        rule = centred(sobol(how.nodes), moments=True)
        return Likelihood(problem, centre(problem, rule, theta, rng))
    return Likelihood(problem, points_grid(problem))
