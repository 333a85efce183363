"""Choices drawn from a model: for tests of estimators, and for posterior predictive checks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.integration.grids import Seed
from bayesmix.kernels.laws import no_laws
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.nested_demand import nested_shares
from bayesmix.likelihood.bind import bind_sets
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.specification.model import MixedLogit


def simulate_choices(
    model: MixedLogit,
    params: Mapping[str, float] | pd.Series,
    data: ChoiceData,
    rng: Seed = None,
) -> ChoiceData:
    """The same persons, situations and attributes, with choices drawn from a model.

    Every person draws one ``beta_i`` for all of their situations, and takes the alternative with
    the largest ``v_itj + e_itj``, the ``e`` independent standard Gumbel (the outside option's
    utility is its ``e`` alone). With nests choices are drawn by their probabilities. Rankings are
    drawn anew by their utilities, as far as they went.

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
    arguments.seed("rng", rng)
    problem = bind_sets(model, data.first_choices() if isinstance(data, ChoiceData) else data)
    generator = np.random.default_rng(rng)
    theta = problem.parameters.theta(params)
    beta = draw_coefficients(problem, theta, generator)
    if data.stage is None:
        return data.with_choices(draw_choices(problem, theta, beta, generator))
    utility, outside = _utilities(problem, theta, beta, generator)
    return data.with_ranks(_ranks(data, utility, outside))


def draw_choices(problem: Problem, theta: Array, beta: Array, rng: np.random.Generator) -> Indices:
    """Chosen rows (T,), -1 for the outside option, of persons with the coefficients beta (I, .)."""
    if problem.design.nests is not None:
        return _nested_choices(Point(problem, theta), beta, rng)
    utility, outside = _utilities(problem, theta, beta, rng)
    start = problem.data.situation_start
    best = np.maximum.reduceat(utility, start[:-1])
    winner = np.flatnonzero(utility == np.repeat(best, np.diff(start)))
    return winner if outside is None else np.where(outside > best, -1, winner)


def _nested_choices(point: Point, beta: Array, rng: np.random.Generator) -> Indices:
    """The same by choice probabilities, for errors of nests have no simple law."""
    assert point.nests is not None
    size, start = beta.shape[1], point.rows.situation_start
    alike = np.zeros((1, size)), np.eye(size), no_laws(size)
    mixture = Mixture(*alike, np.ascontiguousarray(beta[:, :, None]), np.ones((1, 1)))
    rows, _ = nested_shares(point.rows, point.nests, point.base, mixture)
    below = np.cumsum(rows)
    aim = np.append(0.0, below)[start[:-1]] + rng.random(len(start) - 1)
    found = np.searchsorted(below, aim, side="right")
    if point.rows.outside:
        return np.where(found >= start[1:], -1, found)
    return np.minimum(found, start[1:] - 1)


def _utilities(
    problem: Problem, theta: Array, beta: Array, rng: np.random.Generator
) -> tuple[Array, Array | None]:
    """Utilities (R,) with their Gumbel errors, and the outside option's (T,) where there is one."""
    data = problem.data
    utility = expected_utilities(problem, theta, beta) + rng.gumbel(size=data.n_rows)
    return utility, rng.gumbel(size=data.n_situations) if data.outside_option else None


def expected_utilities(problem: Problem, theta: Array, beta: Array) -> Array:
    """Utilities (R,) without their errors, of persons with the coefficients beta (I, .)."""
    point = Point(problem, theta)  # whose attributes may be at a first stage of theta's own
    utility: Array = np.einsum("rk,rk->r", point.panel.x, beta[problem.data.row_person])
    utility += point.base
    return utility


def _ranks(data: ChoiceData, utility: Array, outside: Array | None) -> Indices:
    """Ranks (R,) of the rows of first choices: as many as were observed, or above the outside."""
    first = data.first_choices()
    order = np.lexsort((-utility, first.row_situation))
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order)) - first.situation_start[:-1][first.row_situation] + 1
    if outside is not None:
        return np.where(utility > outside[first.row_situation], ranks, 0)
    starts = np.flatnonzero(np.asarray(data.stage) == 1)
    depth = np.diff(np.append(starts, data.n_situations))
    return np.where(ranks <= depth[first.row_situation], ranks, 0)


def draw_coefficients(problem: Problem, theta: Array, rng: np.random.Generator) -> Array:
    """One draw (I, K) of every person's random coefficients from the population."""
    normals = rng.standard_normal((problem.n_persons, problem.parameters.n_random, 1))
    point = Point(problem, theta)
    beta = point.coefficients(normals)
    if beta.shape[2] == 1:
        return beta[:, :, 0]
    shares = np.exp(point.log_shares)
    uniform = rng.random((problem.n_persons, 1))
    of_class = np.minimum((shares.cumsum(axis=1) < uniform).sum(axis=1), shares.shape[1] - 1)
    persons = np.arange(problem.n_persons)
    return np.broadcast_to(beta, (len(persons), *beta.shape[1:]))[persons, :, of_class]
