"""Parameters of any result, and intervals of what depends on them: one door for every tradition.

A quantity is computed at *points*, free vectors, and its values there are combined: draws into
their quantiles, differences into the delta method's standard error.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.stats import norm

from bayesmix.arrays import Array
from bayesmix.bayes.pointwise import CONSTANTS, free_vectors
from bayesmix.bayes.read import attributes_of, posterior_draws, record_of
from bayesmix.bayes.read import is_own as is_own_posterior
from bayesmix.centring.people import past_choices
from bayesmix.centring.row_shares import without_vanished
from bayesmix.classical.bootstrap_result import Bootstrap
from bayesmix.classical.fit import Fit
from bayesmix.classical.predict import bound_like, is_own
from bayesmix.data.choices import ChoiceData
from bayesmix.data.known_utility import check_offset, check_outside
from bayesmix.demand.normal_draws import boundary_words, krinsky_robb, normal_law, whole_vector
from bayesmix.demand.options import CheckedOptions
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.bind import bind_like, bind_sets
from bayesmix.likelihood.problem import Problem
from bayesmix.likelihood.utility import Utility
from bayesmix.progress import tracked
from bayesmix.specification.market_cells import MarketCells
from bayesmix.specification.record import (
    learnt_from_record,
    model_from_record,
    sources_from_record,
)

STEP = 1e-3
"""Step of the delta method's differences, in standard errors."""


@dataclass(frozen=True, eq=False)
class ParameterDraws:
    """A model bound to data, with parameters.

    Parameters
    ----------
    problem
        The result's model on the data.
    thetas
        Free vectors (D, P): draws of a posterior, or the one estimate of a fit.
    """

    problem: Problem
    thetas: Array


class Interval(NamedTuple):
    """A quantity's estimate and the ends of its interval, arrays of one shape."""

    estimate: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """Where a quantity is computed, and how its values there become an estimate and an interval.

    Parameters
    ----------
    points
        Free vectors (N, P), with the first-stage coefficients of a control function behind them
        (P + G): residuals are as uncertain as what multiplies them.
    combine
        From values (N, ...) at the points to an `Interval`.
    draws
        Parameter draws among the points; 0 for the delta method.
    note
        What intervals leave out; "" where that is nothing.
    """

    points: Array
    combine: Callable[[Array], Interval]
    draws: int
    note: str = ""

    def of(self, quantity: Callable[[Array], Array], label: str, progress: bool) -> Interval:
        """Estimate and interval of a function of the free vector."""
        steps = tracked(self.points, label, total=len(self.points), show=progress)
        return self.combine(without_vanished(np.stack([quantity(theta) for theta in steps])))


def parameter_draws(result: Fit | xr.DataTree, data: ChoiceData, draws: int) -> ParameterDraws:
    """The estimate of a fit, or ``draws`` evenly spaced draws of a posterior.

    Raises
    ------
    SpecificationError
        If ``result`` is neither a fit nor a posterior made by ``bm.sample``.
    DataError
        If the data have another offset, outside option, levels or sources than the result's own.
    """
    if not isinstance(data, ChoiceData):
        raise DataError(
            f"argument 'data' must be ChoiceData, got {type(data).__name__}: make it with "
            "ChoiceData.from_long or ChoiceData.from_wide"
        )
    if isinstance(result, Fit):
        # Other data than the fit's take from it what its formula has learnt.
        return ParameterDraws(bound_like(result, data), result.theta[None, :])
    posterior = draws_of(result)
    record = record_of(result)
    model = model_from_record(json.loads(attributes_of(result)["model"]))
    learnt = learnt_from_record(record)
    # A market offers some of the levels alone; those it was made from have all.
    own = data.origin if isinstance(data.origin, ChoiceData) else data
    problem = bind_sets(model, own, sources_from_record(record), learnt)
    if "offset" in record:
        check_offset(own, record["offset"], "the posterior")
    if "outside_option" in record:
        check_outside(own, record["outside_option"], "the posterior")
    if learnt is None:  # an old posterior
        _check_state(problem, result)
    if CONSTANTS in posterior:
        problem = with_constants_of(problem, posterior)
    thetas = spaced(problem, posterior, draws)
    return ParameterDraws(bind_like(problem, data), thetas)


def with_constants_of(problem: Problem, posterior: xr.Dataset) -> Problem:
    """The problem, whose free vectors are followed by a posterior's constants of markets."""
    constants = posterior[CONSTANTS]
    names, labels = (tuple(constants.indexes[dim]) for dim in ("market", "alternative"))
    column = constants.attrs["column"] or None
    cells = MarketCells(column, names, labels, np.zeros(0, dtype=np.int64)).on(problem.data)
    return replace(problem, design=replace(problem.design, cells=cells))


def draws_of(result: Any) -> xr.Dataset:
    """The draws of a posterior; a fit is refused too, as one, and so is anything else."""
    if isinstance(result, Fit):
        raise SpecificationError(
            "argument 'posterior' must be a DataTree of bm.sample, got a Fit: this is of "
            "posteriors alone"
        )
    if not isinstance(result, xr.DataTree):
        raise SpecificationError(
            f"argument 'result' must be a Fit or a DataTree of bm.sample, got "
            f"{type(result).__name__}: the result comes first, then the data"
        )
    found = posterior_draws(result)
    attributes_of(result)
    return found


def known_choices(result: Fit | xr.DataTree, past: Problem, sets: ChoiceData | None) -> Problem:
    """The choices that known people are known by; see `past_choices`."""
    if sets is not None:
        return past_choices(past, sets, own=True)
    if isinstance(result, Fit):
        return past_choices(past, None, own=is_own(result, past.data))
    return past_choices(past, None, own=is_own_posterior(result, past.data))


def _check_state(problem: Problem, result: xr.DataTree) -> None:
    """Refuse other data than a posterior's for formulas that have learnt from its own."""
    state = problem.design.state
    if "constant_data" not in result.children:
        return
    own, design = result["constant_data"], problem.design.written(problem.data)
    columns = {"x_random": design.random, "x_fixed": design.fixed}
    same = all(
        name in own and own[name].shape == values.shape and np.allclose(own[name], values)
        for name, values in columns.items()
    )
    if state is not None and state.learnt and not same:
        raise SpecificationError(
            f"the formula {problem.model.formula!r} has learnt from the posterior's data "
            f"({', '.join(state.learnt)}), and these are others: give its own as "
            "the data, and these as predict=, or make such columns before"
        )


def spaced(problem: Utility, posterior: xr.Dataset, draws: int) -> Array:
    """Free vectors (D, P) of evenly spaced draws of a posterior."""
    thetas = free_vectors(problem, posterior)
    flat = thetas.reshape(-1, thetas.shape[-1])
    chosen = np.linspace(0, len(flat) - 1, min(draws, len(flat))).round().astype(int)
    return flat[chosen]


def uncertainty(
    result: Fit | xr.DataTree, thetas: Array, how: CheckedOptions, rng: np.random.Generator
) -> Uncertainty:
    """The `Uncertainty` of a result whose `parameter_draws` are ``thetas``.

    Raises
    ------
    SpecificationError
        If a fit has no covariance matrix, a bootstrap is of another fit, or the uncertainty of a
        posterior is to be a fit's.
    """
    if not isinstance(result, Fit):
        if how.uncertainty is not None:
            raise SpecificationError(
                "argument 'uncertainty' is for fits: a posterior has its own draws; leave it out"
            )
        return Uncertainty(thetas, partial(_mean_and_quantiles, how.interval), len(thetas))
    if how.uncertainty == "delta":
        return replace(_delta(result, how.interval), note=boundary_words(result))
    note = ""
    if isinstance(how.uncertainty, Bootstrap):
        if not how.uncertainty.estimate.equals(result.params):
            raise SpecificationError(
                "argument 'uncertainty' is a bootstrap of another fit, whose estimates are not "
                "these: give bm.bootstrap(fit, data) of this one"
            )
        drawn, first = how.uncertainty.thetas, how.uncertainty.first_stage
        drawn = drawn if first is None else np.hstack([drawn, first])
    else:
        drawn, note = krinsky_robb(result, how.draws, rng), boundary_words(result)
    points = np.vstack([whole_vector(result), drawn])
    return Uncertainty(points, partial(_first_and_quantiles, how.interval), len(drawn), note)


def point_alone(result: Fit | xr.DataTree) -> Uncertainty | None:
    """A fit's estimates without an interval, for which no covariance is asked; None otherwise."""
    if not isinstance(result, Fit):
        return None
    return Uncertainty(result.theta[None, :], lambda values: Interval(*[values[0]] * 3), 0)


def _delta(fit: Fit, interval: float) -> Uncertainty:
    """The estimate, and a point on either side of it along each parameter."""
    normal, part = normal_law(fit)
    free = np.diag(part) > 0.0  # what is held has no error, and no step
    moving, part = np.flatnonzero(normal)[free], part[np.ix_(free, free)]
    steps = STEP * np.sqrt(np.diag(part))
    whole = whole_vector(fit)
    sides = np.zeros((len(steps), len(whole)))
    sides[:, moving] = np.diag(steps)
    points = np.vstack([whole, whole + sides, whole - sides])

    def combine(values: Array) -> Interval:
        up, down = np.split(values[1:], 2)
        gradient = (up - down) / (2 * steps.reshape(-1, *[1] * (values.ndim - 1)))
        variance = np.einsum("p...,pq,q...->...", gradient, part, gradient)
        width = norm.ppf(0.5 + interval / 2) * np.sqrt(np.maximum(variance, 0.0))
        return Interval(values[0], values[0] - width, values[0] + width)

    return Uncertainty(points, combine, 0)


def _mean_and_quantiles(interval: float, values: Array) -> Interval:
    """The mean over draws and quantiles; one draw says nothing of how they differ."""
    if len(values) == 1:
        return Interval(values[0], *[np.full_like(values[0], np.nan)] * 2)
    tail = (1 - interval) / 2
    return Interval(values.mean(axis=0), *np.quantile(values, [tail, 1 - tail], axis=0))


def _first_and_quantiles(interval: float, values: Array) -> Interval:
    return Interval(values[0], *_mean_and_quantiles(interval, values[1:])[1:])
