"""Coefficients of persons given their choices (Revelt and Train 2000; Train 2009, chapter 11)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from bayesmix.arguments import flag, seed, whole
from bayesmix.arrays import Array
from bayesmix.centring.people import People, past_choices, people
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.draws import krinsky_robb, parameter_draws
from bayesmix.demand.options import CheckedOptions
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import Seed
from bayesmix.kernels.integrals import coefficients_everywhere
from bayesmix.likelihood.bind import bind_like
from bayesmix.likelihood.persons import OfPersons, joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.progress import tracked


def individuals(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    predict: ChoiceData | None = None,
    draws: int = 200,
    uncertainty: bool = True,
    rng: Seed = None,
    progress: bool = True,
) -> xr.Dataset:
    """Each person's random coefficients, given their choices.

    At parameters theta a person's coefficients have the density
    ``P(y_i | beta) f(beta | theta) / P_i(theta)``; nodes of a person-centred grid stand for it with
    their shares of the integral. Moments and draws are averaged over ``draws`` of theta, so that
    the uncertainty of the parameters is in the result: of a posterior, or for a fit of the normal
    law of its estimates (Krinsky and Robb 1986). By the law of total variance the square of ``sd``
    is the mean over theta of the variance given theta, plus the variance of the mean given theta.

    Choices of other people than those of the estimation serve as well: the law of the population is
    the result's, and what their choices say of them is taken from the data given. They do not move
    the parameters.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``.
    data
        Choices of the people whose coefficients are asked for: the data that it was fitted to, or
        those of others, with the same columns.
    predict
        Choice sets of some of these people: whose coefficients are asked for, and the covariates of
        their means. Their answers there are not used.
    draws
        Draws of the parameters, and of every person's coefficients.
    uncertainty
        False: at a fit's estimates, as if they were the true parameters (at a posterior's mean).
    rng
        Seed or Generator.
    progress
        Whether to show a progress bar where it takes more than a moment.

    Returns
    -------
    xarray.Dataset
        ``mean`` and ``sd`` (person, random), and ``beta`` (draw, person, random): draws of every
        person's coefficients. Of a model in WTP space, the coefficients of all columns in utils.

    Raises
    ------
    SpecificationError
        If the model has no random coefficients, ``result`` is of another kind, a fit has no
        covariance matrix, or a posterior's formula has learnt from its data and these are others.
    DataError
        If other people's data have another offset, outside option or sources than the result's own.

    References
    ----------
    Revelt and Train (2000); Train (2009), chapter 11.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", random=[bm.Normal("cl")]), data, rng=1)
    >>> found = bm.individuals(fit, data, draws=20, rng=1)
    >>> dict(found["beta"].sizes)
    {'draw': 20, 'person': 361, 'random': 1}
    >>> known = bm.individuals(fit, data, draws=20, uncertainty=False, rng=1)
    >>> bool((found["sd"] ** 2).mean() > (known["sd"] ** 2).mean())
    True
    """
    whole("draws", draws)
    flag("uncertainty", uncertainty)
    flag("progress", progress)
    generator = np.random.default_rng(seed("rng", rng))
    parameters = parameter_draws(result, data, draws)
    problem = parameters.problem
    if not problem.model.random:
        raise SpecificationError("the model has no random coefficients: everybody's are the same")
    there = problem if predict is None else bind_like(problem, predict, "predict")
    past = past_choices(problem, predict, own=True)
    thetas = parameters.thetas
    middle = thetas.mean(axis=0)
    if not uncertainty:
        thetas = middle[None, :]
    elif isinstance(result, Fit):
        thetas = krinsky_robb(result, draws, generator)
    known = people(past, middle, known=True, nodes=CheckedOptions.nodes, rng=generator)
    steps = tracked(thetas, "individuals", total=len(thetas), show=progress)
    mean, sd, beta = _moments_and_draws(known, there, steps, (len(thetas), draws), generator)
    return xr.Dataset(
        {
            "mean": (("person", "random"), mean),
            "sd": (("person", "random"), sd),
            "beta": (("draw", "person", "random"), beta),
        },
        coords={"person": there.data.person_labels, "random": list(problem.x_names)},
        attrs={"parameter_draws": len(thetas)},
    )


def _moments_and_draws(
    known: People,
    problem: Problem,
    thetas: Iterable[Array],
    counts: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[Array, Array, Array]:
    """Means and standard deviations (I, K) over D parameter draws, and draws (n, I, K)."""
    number, draws = counts
    size = (problem.n_persons, len(problem.x_names))
    first, second, beta = np.zeros(size), np.zeros(size), np.empty((draws, *size))
    each = -(-draws // number)
    for d, theta in enumerate(thetas):
        rows = range(d * each, min((d + 1) * each, draws))
        uniform = OfPersons(rng.random((len(rows), problem.n_persons)).T)
        blocks = over_persons(
            Point(problem, theta), known.at(theta), _moments, uniform, step=known.step
        )
        means, squares, drawn = joined(blocks)
        first += means
        second += squares
        beta[rows.start : rows.stop] = np.moveaxis(drawn, 1, 0)
    mean, square = first / number, second / number
    sd = np.sqrt(np.maximum(square - mean**2, 0.0))
    return mean, sd, beta[: min(each * number, draws)]


def _moments(here: Point, known: People, uniform: Array) -> tuple[Array, Array, Array]:
    """Means and mean squares (n, K) of persons' coefficients, and draws (n, D, K)."""
    mixture = known.mixture(here)
    values, share = coefficients_everywhere(mixture), mixture.weights
    means, squares = (np.einsum("is,iks->ik", share, v) for v in (values, values**2))
    return means, squares, _drawn(values, share, uniform)


def _drawn(values: Array, share: Array, uniform: Array) -> Array:
    """Nodes of every person, drawn with their shares by ``uniform`` (n, D): coefficients."""
    reached, persons = share.cumsum(axis=1), np.arange(len(values))
    drawn = np.empty((*uniform.shape, values.shape[1]))
    for d in range(uniform.shape[1]):
        node = np.minimum((reached < uniform[:, [d]]).sum(axis=1), share.shape[1] - 1)
        drawn[:, d] = values[persons, :, node]
    return drawn
