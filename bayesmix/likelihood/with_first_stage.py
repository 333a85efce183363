"""The joint likelihood of choices and of a control function's price equation.

Behind the free vector stand the coefficients ``gamma`` of ``p_l = z_l' gamma + mu_l``, so that
residuals move with them, and what choices say of residuals is said of ``gamma`` too. The price
equation is normal with one variance, over which it is integrated with density ``1 / sigma^2``:

    log p(p | gamma) = -L / 2 log sum_l mu_l(gamma)^2 + constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.integrals import integrate
from bayesmix.likelihood.chain import scores
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.halves import corrected
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import OfRows, joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.specification.residuals import FirstStage, Residuals


@dataclass(frozen=True, eq=False)
class WithFirstStage:
    """Log-likelihood of choices and prices, as a function of theta and gamma, (P + G,).

    Parameters
    ----------
    problem, grid
        The model bound to data, with a control function whose residuals have fixed coefficients,
        and nodes.
    threads
        That share persons; None for all.
    """

    problem: Problem
    grid: Grid
    threads: int | None = 1

    @cached_property
    def nodes(self) -> Any:
        """The grid, with nodes that stay."""
        return Likelihood(self.problem, self.grid).nodes

    @cached_property
    def residuals(self) -> Residuals:
        """The first stage, and the level of each row."""
        found = self.problem.design.residuals
        assert found is not None
        return found

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Nats, and the gradient (P + G,); persons' log-likelihoods count with their weights."""
        logp, slopes = self.by_person(theta)
        weights, size = self.problem.data.weights, self.problem.parameters.size
        value, by_gamma = price_equation(self.residuals.first, theta[size:])
        gradient = weighted_sum(weights, slopes)
        gradient[size:] += by_gamma
        return float(weighted_sum(weights, logp)) + value, gradient

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """Of the choices alone, ``log P_i`` (I,) and its scores (I, P + G)."""
        size = self.problem.parameters.size
        moved = self.problem.at_first_stage(theta[size:])
        point = Point(moved, theta[:size])
        rows = OfRows(moved.whole, row_slopes(self.problem, theta[size:], point.fixed))
        work = _Work(self.threads)
        found: tuple[Array, Array] = joined(over_persons(point, self.nodes, work, rows))
        return found


def row_slopes(problem: Problem, gamma: Array, fixed: Array) -> Array:
    """Derivatives (R, G) of rows' utilities by ``gamma``, before the scales of their sources.

    Residuals have fixed coefficients, among ``fixed`` (F,).
    """
    residuals, names = problem.design.residuals, problem.design.fixed_names
    assert residuals is not None
    first = residuals.first
    mu, by_mu = first.residual_at(gamma), np.zeros(len(first.price))
    for power, name in enumerate(residuals.names, start=1):
        by_mu += power * fixed[names.index(name)] * mu ** (power - 1)
    found: Array = (-by_mu[:, None] * first.x)[residuals.code]
    return found


def price_equation(first: FirstStage, gamma: Array) -> tuple[float, Array]:
    """Its log-likelihood, nats, without a constant, and the gradient (G,)."""
    mu = first.residual_at(gamma)
    squares, n = mu @ mu, len(mu)
    return -0.5 * n * float(np.log(squares)), n / squares * (mu @ first.x)


@dataclass(frozen=True)
class _Work:
    """Log-integrals (n,) of a block of persons, and their scores (n, P + G)."""

    threads: int | None

    def __call__(self, here: Point, grid: Grid, by_gamma: Array) -> tuple[Array, Array]:
        if grid.halves:
            first, second = grid.halves
            return corrected(self(here, first, by_gamma), self(here, second, by_gamma))
        mixture = here.mixture(*grid.block(0, here.persons.n_persons))
        logp, *slopes = integrate(here.panel, here.base, mixture, True, threads=self.threads)
        own = scores(here, mixture, (slopes[0], slopes[1], slopes[2]), serial=self.threads == 1)
        return logp, np.concatenate([own, by_first_stage(here, slopes[2], by_gamma)], axis=1)


def by_first_stage(here: Point, by_row: Array, by_gamma: Array) -> Array:
    """Scores (n, G) of persons by ``gamma``, from those by rows' utilities (R,)."""
    own = by_row if here.scales is None else by_row * here.scales
    found: Array = np.add.reduceat(by_gamma * own[:, None], here.persons.first_rows, axis=0)
    return found
