"""Coefficients of persons given their choices (Revelt and Train 2000; Train 2009, chapter 11)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.draws import parameter_draws
from bayesmix.demand.options import How
from bayesmix.demand.people import people
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.integrate import coefficients_everywhere

Array = NDArray[np.float64]


def individuals(
    result: Fit | xr.DataTree, data: ChoiceData, *, draws: int = 200, rng: Seed = None
) -> xr.Dataset:
    """Each person's random coefficients, given their choices.

    At parameters theta a person's coefficients have the density
    ``P(y_i | beta) f(beta | theta) / P_i(theta)``; nodes of a person-centred grid stand for it with
    their shares of the integral. A posterior is averaged over ``draws`` of its draws, so that the
    uncertainty of the parameters is in the result; a fit's is not.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``.
    data
        The data that it was fitted to.
    draws
        Draws of the posterior that are used; for a fit, draws from its one density.
    rng
        Seed or Generator.

    Returns
    -------
    xarray.Dataset
        ``mean`` and ``sd`` (person, random), and ``beta`` (draw, person, random): draws of every
        person's coefficients.

    Raises
    ------
    SpecificationError
        If the model has no random coefficients, or ``result`` is of another kind.
    """
    parameters = parameter_draws(result, data, draws)
    problem = parameters.problem
    if not problem.model.random:
        raise SpecificationError("the model has no random coefficients: everybody's are the same")
    thetas = parameters.thetas
    generator = np.random.default_rng(rng)
    known = people(problem, thetas.mean(axis=0), How(people="known"), generator)
    size = (problem.n_persons, problem.parameters.n_random)
    first, second, beta = np.zeros(size), np.zeros(size), np.empty((draws, *size))
    each = -(-draws // len(thetas))
    for d, theta in enumerate(thetas):
        mixture = known.mixture(problem, theta, 0, problem.n_persons)
        values, share = coefficients_everywhere(mixture), mixture.weights
        first += np.einsum("is,iks->ik", share, values)
        second += np.einsum("is,iks->ik", share, values**2)
        for row in range(d * each, min((d + 1) * each, draws)):
            beta[row] = _one_each(values, share, generator)
    first, second = first / len(thetas), second / len(thetas)
    return xr.Dataset(
        {
            "mean": (("person", "random"), first),
            "sd": (("person", "random"), np.sqrt(np.maximum(second - first**2, 0.0))),
            "beta": (("draw", "person", "random"), beta[: each * len(thetas)]),
        },
        coords={"person": data.persons.to_numpy(), "random": list(problem.parameters.random)},
    )


def _one_each(values: Array, share: Array, rng: np.random.Generator) -> Array:
    """One node of every person, drawn with its share: coefficients (I, K)."""
    uniform = rng.random((len(share), 1))
    node = np.minimum((share.cumsum(axis=1) < uniform).sum(axis=1), share.shape[1] - 1)
    return values[np.arange(len(share)), :, node]
