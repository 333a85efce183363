"""Maximum simulated likelihood (Train 2009, chapter 10)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.accuracy.refine import DEFAULT_TOLERANCE, Tolerance
from bayesmix.centring.check_grid import check_grid
from bayesmix.centring.grids import PersonGrid
from bayesmix.classical.assemble import assemble, assemble_multinomial
from bayesmix.classical.automatic_grid import automatic, compared_on_its_grid
from bayesmix.classical.bounds import within_bounds
from bayesmix.classical.clusters import person_groups, with_groups
from bayesmix.classical.first_persons import (
    LOOSE,
    are_many,
    enough_persons,
    some_persons,
    words_of,
)
from bayesmix.classical.first_stage_errors import carried
from bayesmix.classical.fit import Fit
from bayesmix.classical.given_starts import Start, check_starts, with_given, written
from bayesmix.classical.given_weights import in_given_weights
from bayesmix.classical.kept_search import refuse_shares, search_kept
from bayesmix.classical.market_fit import market_msle
from bayesmix.classical.market_search import MarketSearch
from bayesmix.classical.search import Search
from bayesmix.classical.starts import best_of, origins_of, scattered_starts
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import ConvergenceError, DataError, IntegrationError, SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, Seed
from bayesmix.kernels.first_use import FITS, prepare
from bayesmix.likelihood.bind import bind, check_arguments
from bayesmix.likelihood.cluster import on_workers
from bayesmix.likelihood.effective_weights import in_effective_persons
from bayesmix.likelihood.multinomial import check_signs, multinomial
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Problem, is_plain_logit
from bayesmix.optimise.maximise import check_optimizer
from bayesmix.progress import progress_line
from bayesmix.specification.constraints import Equal, Fixed
from bayesmix.specification.held_and_tied import held_and_tied
from bayesmix.specification.model import MixedLogit

MOST_STARTS = 10_000
GridChoice = Rule | Centred | PopulationGrid | PersonGrid | str


def msle(
    model: MixedLogit,
    data: ChoiceData,
    *,
    grid: GridChoice = "auto",
    fixed: Fixed | None = None,
    equal: Equal | None = None,
    start: Start | None = None,
    starts: int | Sequence[Start] = 4,
    optimizer: str = "bfgs",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    cluster: str | None = None,
    market_shares: pd.DataFrame | Mapping[Any, float] | None = None,
    rng: Seed = None,
    progress: bool | None = None,
    client: Any = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Fit:
    """Maximise the simulated log-likelihood ``sum_i w_i log sum_s w_is P(y_i | beta_is)``.

    Parameters
    ----------
    model, data
        What to fit, on what.
    grid
        A rule such as ``sobol(2000)`` or ``centred(sobol(64))``, the grid of another fit, or
        ``"auto"``: the cheapest grid whose certificate meets ``tolerance``.
    fixed, equal
        Parameters that are held at a value, ``{"sd[x]": 0}``, and groups of parameters that are
        equal, ``[("fixed[a]", "fixed[b]")]``, by flat name, besides what the model's own
        `Constraints` hold, tie and bound. `lr_test` compares the fit with that of the free model.
    start
        The first of the starting values: by flat name, all or some; a fit, or a posterior, of
        the names that they have in common with the model.
    starts
        Number of starting values: the first from the multinomial logit, the others scattered
        around it; or a list of values as ``start`` takes them. An optimum with a standard
        deviation near 0 is left and tried again. With latent classes, each is where EM ends from
        the best of five random starts.
    optimizer
        ``"bfgs"``, ``"l-bfgs-b"``, ``"trust-region"``, or ``"bhhh"`` (Berndt, Hall, Hall and
        Hausman 1974), which is slow where a standard deviation is near 0.
    tolerance
        Integration error that ``grid="auto"`` may leave: in nats (of effective persons, where they
        have weights), in standard errors, and as a part of these.
    cluster
        A column whose values are the clusters of the standard errors, the same in all rows of a
        person: persons of a cluster need not be independent. Persons are clusters by default.
    market_shares
        Known shares of alternatives by market: constants by market and alternative that match them
        are concentrated out of the likelihood. A frame with a column of the data's that names
        markets, that of alternatives, and ``"share"``; the outside option's is the rest. See notes.
    rng
        Seed or Generator of scrambles and starts; the same seed gives the same numbers. Without
        one, a checkpoint's own.
    progress
        Whether to show a progress line; not said, after three seconds, in terminals and notebooks.
    client
        A ``distributed.Client``: persons' parts are done by the workers of its cluster, with the
        same numbers, see `on_workers`.
    checkpoint
        A folder in which what is evaluated is kept as the search goes on: after a crash the same
        call takes it from there, goes on where it was, and ends with the fit that it would have
        ended with. A folder of another fit is refused. Not with ``market_shares``.

    Returns
    -------
    Fit
        With robust standard errors by person (by ``cluster``), and the certificate of its
        integration error.

    Raises
    ------
    ConvergenceError
        If no start converges, or the choices are separated.
    IntegrationError
        If the grid gives a person an integral that is not positive.
    RuntimeError
        If the cluster of ``client`` is gone.
    SpecificationError, DataError
        If model, data or arguments do not fit together.

    Notes
    -----
    With ``market_shares`` utility is ``v_itj + xi_mj`` in market m, and ``xi(theta)`` solves
    ``S_m(theta, xi_m) = s_m``, with S the mean of predicted probabilities over the market's
    situations in the data (Berry 1994; Goolsbee and Petrin 2004; Berry, Levinsohn and Pakes 2004).
    The gradient is ``d log L / d theta + (d xi / d theta)' d log L / d xi``, by the implicit
    function. What is the same for everybody in a market is a part of ``xi``: it is held, by
    ``fixed``, and estimated from the constants by `mean_utilities`. Nodes are of the population.
    Given shares are taken to be exact; robust standard errors know that predicted ones are means
    over the persons of the data. ``fit.data`` have the constants as an offset, and go into
    functions of demand, whose intervals take constants as they are.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl", random=[bm.Normal("cl")]), data, rng=1)
    >>> fit.loglik > fit.loglik_multinomial
    True
    """
    begun = time.perf_counter()
    check_optimizer(optimizer)
    number = check_starts(starts, MOST_STARTS)
    given_starts: list[Start | None] = [start]
    if isinstance(starts, list | tuple):
        if start is not None:
            raise SpecificationError("arguments 'start' and 'starts': give one list of starts")
        given_starts = list(starts)
    arguments.instance("tolerance", tolerance, Tolerance, "a record, bm.Tolerance(estimates=0.05)")
    arguments.seed("rng", rng)
    arguments.flag_or_none("progress", progress)
    model = held_and_tied(model, fixed, equal)
    settings = _Settings(grid, number, given_starts, optimizer, tolerance, progress)
    check_arguments(model, data)
    refuse_shares(checkpoint, market_shares)
    groups = None if cluster is None else person_groups(data, cluster)
    with ExitStack() as stack:
        if client is not None:
            stack.enter_context(on_workers(client))
        generator = stack.enter_context(search_kept(checkpoint, model, data, settings.written, rng))

        def estimate(model: MixedLogit) -> Fit:
            # Searches under bounds have the same nodes; what is held at one is as if by fixed=.
            bounded = model.constraints.bounds or market_shares is not None
            own = deepcopy(generator) if bounded else generator
            if market_shares is None:
                return _estimate(model, data, settings, own)
            prepare(FITS)
            return market_msle(model, settings.with_shares(data, market_shares), own)

        fit = carried(within_bounds(model, estimate))
    fit = replace(fit, seconds=time.perf_counter() - begun)
    return fit if groups is None else with_groups(fit, groups, str(cluster))


@dataclass(frozen=True, eq=False)
class _Settings:
    """How to search, as `msle` documents it; the first starts are given ones, where not None."""

    grid: GridChoice
    starts: int
    given: Sequence[Start | None]
    optimizer: str
    tolerance: Tolerance
    progress: bool | None

    def with_shares(self, data: ChoiceData, shares: Any) -> MarketSearch:
        """The same of a search with shares of markets."""
        given = list(self.given)
        own = (self.grid, given, self.starts, self.optimizer, self.tolerance, self.progress)
        return MarketSearch(data, shares, *own)

    def written(self, problem: Problem) -> dict[str, str]:
        """By word, what a search depends on besides model, data and random numbers."""
        rule = self.grid
        if not isinstance(rule, str | Rule | Centred):
            check_grid(problem, rule)
            rule = json.dumps(rule.record, default=lambda values: values.tolist())
        return {
            "grid": str(rule),
            "starts": f"{self.starts} {[written(one) for one in self.given]}",
            "optimizer": self.optimizer,
            "tolerance": str(self.tolerance),
        }


def _estimate(
    model: MixedLogit, data: ChoiceData, settings: _Settings, rng: np.random.Generator
) -> Fit:
    """The fit of a model, whatever its bounds."""
    begun, grid = time.perf_counter(), settings.grid
    given = bind(model, data)
    problem, unit = in_effective_persons(given)
    prepare(FITS)
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
    elif problem.parameters.n_random:
        check_grid(problem, grid)
    logit = multinomial(given)
    check_signs(given, logit)
    with progress_line(settings.progress, "MSLE", unit) as line:
        own = replace(logit, loglik=logit.loglik / unit)
        search = Search(problem, own, settings.optimizer, rng, line, begun, unit)
        return in_given_weights(_fit(search, settings), given, unit, logit.loglik)


def _fit(search: Search, settings: _Settings) -> Fit:
    problem, grid, starts = search.problem, settings.grid, settings.starts
    if is_plain_logit(problem):
        return assemble_multinomial(search)
    if not problem.model.random:
        # A product of scale and coefficients is not concave: the general search, from the logit.
        origins = scattered_starts(problem, search.logit, len(settings.given), search.rng)
        origins = with_given(problem, origins, settings.given)
        ends = best_of(search, points_grid(problem), origins)
        return assemble(search, ends.optimum, ends.grid, ends.optima)
    if not problem.parameters.n_random:
        grid = points_grid(problem)
    if isinstance(grid, str):
        parts = _of_some_persons(search, settings)
        if parts:
            fit = automatic(search, [problem.canonical(parts[-1].theta)], settings.tolerance)
            return replace(fit, message=f"{fit.message}. {words_of(parts)}")
    origins = origins_of(search, starts, first=settings.given[0] is None)
    origins = with_given(problem, origins, settings.given)
    if isinstance(grid, str):
        return automatic(search, origins, settings.tolerance)
    ends = best_of(search, grid, origins)
    fit = assemble(search, ends.optimum, ends.grid, ends.optima)
    found = compared_on_its_grid(search, ends, ends.optimum, fit)
    if found.optimum is not ends.optimum:
        return assemble(search, found.optimum, found.grid, found.optima)
    return replace(fit, optima=found.optima)


def _of_some_persons(search: Search, settings: _Settings) -> list[Fit]:
    """Fits of persons drawn at random, where there are many and these have an optimum.

    The last of them is the closest to that of all.
    """
    if (settings.starts == 1 and settings.given[0] is not None) or not are_many(search.problem):
        return []
    try:
        some = some_persons(search)
        found = [_fit(some, replace(settings, tolerance=LOOSE))]
        number = enough_persons(found[0], some.problem, search.problem.n_persons)
        if number > found[0].n_persons:
            more = some_persons(search, number)
            found.append(automatic(more, [some.problem.canonical(found[0].theta)], LOOSE))
    except (ConvergenceError, DataError, IntegrationError, np.linalg.LinAlgError):
        return []  # what all persons tell may be more than what some do
    return found
