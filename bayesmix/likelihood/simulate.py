"""Choices drawn from a model: for tests of estimators, and for posterior predictive checks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmix.data.choices import ChoiceData
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.mixture import base_at, coefficients_at
from bayesmix.likelihood.problem import Problem, bind
from bayesmix.specification.model import MixedLogit

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def simulate_choices(
    model: MixedLogit,
    params: Mapping[str, float] | pd.Series,
    data: ChoiceData,
    rng: Seed = None,
) -> ChoiceData:
    """The same persons, situations and attributes, with choices drawn from a model.

    Every person draws one ``beta_i`` for all of their situations, and takes the alternative with
    the largest ``v_itj + e_itj``, the ``e`` independent standard Gumbel (the outside option's
    utility is its ``e`` alone).

    Parameters
    ----------
    model
        The model to draw from.
    params
        Parameters by flat name, such as ``fit.params``.
    data
        Attributes and choice sets; its choices are not used.
    rng
        Seed or Generator.

    Returns
    -------
    ChoiceData

    Raises
    ------
    SpecificationError
        If ``params`` are not those of the model.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> model = bm.MixedLogit("pf", random=[bm.Normal("pf")])
    >>> drawn = bm.simulate_choices(model, {"mean[pf]": -1.0, "sd[pf]": 0.0}, data, rng=1)
    >>> drawn.n_situations == data.n_situations
    True
    """
    problem = bind(model, data)
    generator = np.random.default_rng(rng)
    theta = problem.parameters.theta(params)
    beta = draw_coefficients(problem, theta, generator)
    return data.with_choices(draw_choices(problem, theta, beta, generator))


def draw_choices(problem: Problem, theta: Array, beta: Array, rng: np.random.Generator) -> Indices:
    """Chosen rows (T,), -1 for the outside option, of persons with the coefficients beta (I, .)."""
    data = problem.data
    utility = np.einsum("rk,rk->r", problem.x, beta[data.row_person])
    utility += base_at(problem, theta) + rng.gumbel(size=data.n_rows)
    start = data.situation_start[:-1]
    best = np.maximum.reduceat(utility, start)
    winner = np.flatnonzero(utility == np.repeat(best, np.diff(data.situation_start)))
    return (
        np.where(rng.gumbel(size=len(best)) > best, -1, winner) if data.outside_option else winner
    )


def draw_coefficients(problem: Problem, theta: Array, rng: np.random.Generator) -> Array:
    """One draw (I, K) of every person's random coefficients from the population."""
    normals = rng.standard_normal((problem.n_persons, problem.parameters.n_random, 1))
    return coefficients_at(problem, theta, normals)[:, :, 0]
