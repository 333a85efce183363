"""Maximum simulated likelihood with constants of markets that match their shares."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.refine import Tolerance
from bayesmix.arrays import Array
from bayesmix.centring.check_grid import check_grid
from bayesmix.classical.covariance import Information
from bayesmix.classical.fit import Fit
from bayesmix.classical.market_certificate import market_certificate
from bayesmix.classical.market_constants import MarketConstants
from bayesmix.classical.market_search import MarketSearch, logit_value, search, whitened
from bayesmix.classical.message import message_of
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import SpecificationError
from bayesmix.integration.descriptions import Centred, Rule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.problem import Problem
from bayesmix.optimise.market_likelihood import Evaluation, MarketLikelihood
from bayesmix.optimise.maximise import Optimum
from bayesmix.progress import Progress, progress_line
from bayesmix.specification.known_shares import (
    check_marketable,
    labelled,
    read_shares,
    with_constants,
)
from bayesmix.specification.model import MixedLogit

NODES, MOST_NODES = 128, 4096
"""Nodes a person that ``grid="auto"`` begins and ends with."""
STEP = 1e-3
"""Step of differences, in standard errors."""


def market_msle(model: MixedLogit, how: MarketSearch, rng: np.random.Generator) -> Fit:
    """The fit of a model, whose constants of markets are concentrated out."""
    begun, data = time.perf_counter(), how.data
    check_marketable(model, data)
    problem = bind(model, data)
    sets, market, target = read_shares(data, how.shares)
    rule = _rule(how.grid, problem.parameters.n_random)
    with progress_line(how.progress, "MSLE, shares of markets") as line:
        line.phase("multinomial logit")
        logit = logit_value(model, sets, target)
        end = _on(
            MarketLikelihood(problem, _grid(problem, rule, rng), sets, target), how, rng, line
        )
        while isinstance(how.grid, str) and not end.within(how.tolerance):
            if end.own.grid.size >= MOST_NODES:
                break
            grid = _grid(problem, sobol(2 * end.own.grid.size), rng)
            names, values = problem.parameters.names, problem.parameters.natural(end.theta)
            from_there = replace(how, given=[dict(zip(names, values, strict=True))], starts=1)
            end = _on(replace(end.own, grid=grid), from_there, rng, line)
        words = ""
        if isinstance(how.grid, str) and not end.within(how.tolerance):
            words = "the integration error is above the tolerance: see fit.integration"
    return _fit(end, (model, market, logit), (begun, words))


@dataclass(frozen=True, eq=False)
class End:
    """Where a search on one grid has ended, and how far it is from exact integration."""

    own: MarketLikelihood
    optimum: Optimum
    optima: pd.DataFrame
    there: Evaluation
    information: Information
    certificate: Certificate

    @property
    def theta(self) -> Array:
        """The free vector with standard deviations of positive sign."""
        return self.own.problem.canonical(self.optimum.theta)

    def within(self, tolerance: Tolerance) -> bool:
        """Whether estimates are as exact as is asked, which is what nodes are added for."""
        return self.certificate.within(np.inf, tolerance.estimates)


def _on(own: MarketLikelihood, how: MarketSearch, rng: np.random.Generator, line: Progress) -> End:
    """The best optimum on one grid, and what is known of it."""
    optimum, optima = search(own, how, rng, line)
    line.phase("standard errors")
    theta = own.problem.canonical(optimum.theta)
    there = own.at(theta)
    found = information(own, theta, there)
    line.phase("certificate of the integration error")
    certificate = market_certificate(own, theta, there, found, rng)
    return End(own, optimum, optima, there, found, certificate)


def _fit(end: End, of: tuple[MixedLogit, str | None, float], about: tuple[float, str]) -> Fit:
    """The fit, of a model, its column of markets and logit; when it begun, and what to know."""
    own, there, theta = end.own, end.there, end.theta
    problem, sets = own.problem, own.sets
    data, inside = problem.data, own.target[:, : len(sets.goods)]
    predicted = sets.sums(sets.weights[data.row_situation] * there.shares) / sets.mass[:, None]
    model, market, logit = of
    bound = bind(model, with_constants(data, own.rows(there.constants), problem.offset))
    begun, missed = about
    words = (message_of(end.optimum, end.information, bound, theta), missed)
    return Fit(
        estimator="MSLE",
        model=model,
        space=problem.parameters,
        theta=theta,
        loglik=float(problem.data.weights @ there.logp),
        loglik_multinomial=logit,
        information=end.information,
        grid=own.grid,
        integration=end.certificate if model.random else None,
        optima=end.optima,
        converged=end.optimum.converged,
        message=". ".join(w for w in words if w),
        n_persons=problem.n_persons,
        n_situations=data.n_situations,
        seconds=time.perf_counter() - begun,
        fingerprint=fingerprint(data),
        problem=bound,
        market_constants=MarketConstants(
            labelled(sets, there.constants, inside > 0),
            labelled(sets, inside, inside > 0),
            market,
            data.known.offset,
            float(np.abs(predicted - inside).max()),
        ),
    )


def _grid(problem: Problem, rule: Any, rng: np.random.Generator) -> Any:
    """The grid of a rule; one that is a grid already."""
    size = problem.parameters.n_random
    if not size:
        return points_grid(problem)
    if isinstance(rule, Rule):
        return population_grid(rule, size, problem.n_persons, rng)
    check_grid(problem, rule)
    return rule


def _rule(grid: Any, size: int) -> Any:
    """The rule, or the population grid, of predicted shares and likelihood alike."""
    if isinstance(grid, str):
        if grid != "auto":
            raise SpecificationError(f"argument 'grid' must be a rule or 'auto', got {grid!r}")
        return sobol(NODES)
    if isinstance(grid, Rule | PopulationGrid) or not size:
        return grid
    kind = "is centred on persons" if isinstance(grid, Centred) else "is none of the population"
    raise SpecificationError(
        f"argument 'grid' {kind}: with market_shares= predicted shares are on the same nodes, and "
        "those are of the population: grid=sobol(512), or 'auto'"
    )


def information(own: MarketLikelihood, theta: Array, there: Evaluation) -> Information:
    """Curvature of the concentrated likelihood, and what each person does to its slope.

    The persons' scores, and with the constants' derivatives ``C`` of the slope
    ``-C (dS/dxi)^-1 (s_i - S)``: predicted shares are means over the persons of the data. ``C`` is
    by the symmetry of second derivatives that of the constants' slope along theta.
    """
    problem = own.problem
    root = whitened(own, there.scores)
    size, weights = root.shape[1], problem.data.weights
    slopes, cross = np.zeros((size, len(theta))), np.zeros((size, *there.by_constants.shape))
    for p in range(size):
        ends = [own.at(theta + sign * STEP * root[:, p]) for sign in (1.0, -1.0)]
        slopes[p] = weights @ (ends[0].scores - ends[1].scores) / (2 * STEP)
        cross[p] = (ends[0].by_constants - ends[1].by_constants) / (2 * STEP)
    own.at(theta)
    bent = slopes @ root
    back = np.linalg.pinv(root)
    hessian = -back.T @ (bent + bent.T) / 2 @ back
    along = np.einsum("qp,qgj->gpj", back, cross)
    flat = along.transpose(0, 2, 1).reshape(-1, len(theta))
    scores = there.scores - share_deviations(own, there) @ flat
    constraint = problem.constraint
    if constraint is not None:
        scores = constraint.project(scores)
        hessian = constraint.project(constraint.project(hessian).T)
    return Information(hessian, scores, weights, constraint=constraint)


def share_deviations(own: MarketLikelihood, there: Evaluation) -> scipy.sparse.csr_array:
    """``(dS_m/dxi_m)^-1 (s_i - S_m)`` (I, G J) of persons: minus what each does to constants.

    ``s_i`` are the shares that are predicted of a person's situations, of a weight of one, over the
    market's sum of weights.
    """
    sets, (groups, inside) = own.sets, own.wanted.free.shape
    data, size = sets.data, groups * inside
    codes = np.arange(inside)
    person = np.repeat(np.arange(data.n_persons), np.diff(data.person_start))
    expected = own.target[sets.segments, :inside]
    cells = (sets.segments[:, None] * inside + codes).ravel()
    own_cells = sets.of_row * inside + sets.codes
    values = np.concatenate([there.shares, -expected.ravel()])
    rows = np.concatenate([data.row_person, np.repeat(person, inside)])
    columns = np.concatenate([own_cells, cells])
    values = np.where(own.wanted.free.ravel()[columns], values, 0.0)
    gaps = scipy.sparse.csr_array((values, (rows, columns)), shape=(data.n_persons, size))
    inverse = np.linalg.inv(there.effect) / sets.mass[:, None, None]
    blocks = (inverse, np.arange(groups), np.arange(groups + 1))
    return gaps @ scipy.sparse.bsr_array(blocks, shape=(size, size)).tocsr()
