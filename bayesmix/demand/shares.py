"""Shares by sample enumeration (Train 2009, chapter 2), with their uncertainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from rich.progress import track

from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.draws import krinsky_robb, parameter_draws
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import PopulationGrid, Seed, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.expected import NODES, OUTSIDE, expected_rows, outside_rows
from bayesmix.likelihood.problem import Problem, bind_scenario

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def shares(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    scenario: ChoiceData | None = None,
    by: str | None = None,
    interval: float = 0.95,
    draws: int = 200,
    rng: Seed = None,
    progress: bool = False,
) -> xr.Dataset:
    """Expected shares of the alternatives among the people of the data, or in a scenario.

    ``S_j = sum_it w_i E[P_itj(beta_i)] / sum_it w_i`` over situations, the expectation over the
    population's coefficients on 256 scrambled Sobol nodes a person. An alternative that a situation
    does not offer has a share of 0 there.

    Parameters
    ----------
    result
        A fit, or a posterior made by ``bm.sample``.
    data
        The data that it was fitted to.
    scenario
        Made from ``data`` by ``with_attribute``, ``without`` or ``with_alternative``; the data as
        they are by default. The same ``rng`` gives the same nodes, so that scenarios compare.
    by
        A column that is the same in all rows of a situation: shares of each of its segments.
    interval
        Probability of the intervals.
    draws
        Parameter draws: of the posterior, or for a fit from the normal law of its estimates with
        the robust covariance (Krinsky and Robb 1986).
    rng
        Seed or Generator.
    progress
        Whether to show a progress bar.

    Returns
    -------
    xarray.Dataset
        ``estimate`` (at a fit's estimates, the mean over a posterior), ``low`` and ``high``, by
        ``alternative`` (with "outside" where there is an outside option) and, with ``by``,
        ``segment``.

    Raises
    ------
    DataError
        If the scenario is not made from ``data``, or ``by`` varies within situations.
    SpecificationError
        If ``result`` is of another kind, or a fit has no covariance matrix.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl"), data)
    >>> now = bm.shares(fit, data, draws=50, rng=1)
    >>> float(now["estimate"].sum().round(12))
    1.0
    >>> without = bm.shares(fit, data, scenario=data.without(4), draws=50, rng=1)
    >>> bool((without["estimate"] > now["estimate"].sel(alternative=[1, 2, 3])).all())
    True
    """
    if not 0 < interval < 1:
        raise SpecificationError(f"argument 'interval' must be between 0 and 1, got {interval}")
    if draws < 1:
        raise SpecificationError(f"argument 'draws' must be at least 1, got {draws}")
    generator = np.random.default_rng(rng)
    parameters = parameter_draws(result, data, draws)
    problem = parameters.problem
    grid = population_grid(sobol(NODES), problem.parameters.n_random, data.n_persons, generator)
    thetas = parameters.thetas
    if isinstance(result, Fit):
        thetas = krinsky_robb(result, draws, generator)
    there = problem if scenario is None else bind_scenario(problem, scenario)
    segments, names = _segments(there.data, by)
    steps = track(thetas, description="shares", disable=not progress)
    values = np.stack([_at(there, grid, theta, segments, len(names)) for theta in steps])
    estimate = values.mean(axis=0)
    if isinstance(result, Fit):
        estimate = _at(there, grid, result.theta, segments, len(names))
    tail = (1 - interval) / 2
    low, high = np.quantile(values, [tail, 1 - tail], axis=0)
    labels = np.array([*there.data.alternatives], dtype=object)
    if there.data.outside_option:
        labels = np.append(labels, OUTSIDE)
    found = xr.Dataset(
        {k: (("segment", "alternative"), v) for k, v in zip(
            ("estimate", "low", "high"), (estimate, low, high), strict=True)},
        coords={"segment": names, "alternative": labels},
        attrs={"interval": interval, "draws": len(thetas), "nodes": grid.size},
    )  # fmt: skip
    return found.isel(segment=0, drop=True) if by is None else found


def _at(problem: Problem, grid: PopulationGrid, theta: Array, segments: Indices, n: int) -> Array:
    """Shares (segments, alternatives) at one free vector; the outside option's are the last."""
    data = problem.data
    share, situation = expected_rows(problem, grid, theta), data.row_situation
    weights = np.repeat(data.weights, np.diff(data.person_start))
    where = segments[situation], data.alternative_code
    totals = np.zeros((n, len(data.alternatives) + data.outside_option))
    np.add.at(totals, where, weights[situation] * share)
    mass = np.bincount(segments, weights, n)
    if data.outside_option:
        totals[:, -1] = np.bincount(segments, weights * outside_rows(problem, share), n)
    return totals / mass[:, None]


def _segments(data: ChoiceData, by: str | None) -> tuple[Indices, list]:
    """Segment (T,) of each situation, and the segments' names."""
    if by is None:
        return np.zeros(data.n_situations, dtype=np.int64), ["all"]
    if by not in data.frame.columns:
        raise DataError(f"argument 'by': the data have no column {by!r}")
    codes, names = pd.factorize(data.frame[by], sort=True)
    if (codes < 0).any():
        raise DataError(f"argument 'by': column {by!r} has missing values")
    sizes = np.diff(data.situation_start)
    first = codes[np.minimum(data.situation_start[:-1], data.n_rows - 1)]
    mixed = np.flatnonzero(codes != first[data.row_situation])
    if len(mixed) or not (sizes > 0).all():
        raise DataError(
            f"argument 'by': column {by!r} varies within situations (first in row "
            f"{data.rows[mixed[0]] if len(mixed) else 'none: a situation has lost its rows'}); "
            "segments are of situations or persons"
        )
    return first, list(names)
