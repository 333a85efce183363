"""The likelihood of choices with constants of markets concentrated out by their shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.market_sets import MarketSets
from bayesmix.kernels.certain_choices import QUALITY, Change
from bayesmix.kernels.integrals import integrate
from bayesmix.kernels.substitution import Size, substitution
from bayesmix.likelihood.block import Block
from bayesmix.likelihood.chain import scores
from bayesmix.likelihood.choice_sets import Piece, Pieces
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.share_slopes import share_step, shares_of
from bayesmix.optimise.share_constants import SharesToMatch, solve_constants, wanted_of

MATCHED = 1e-9
"""Largest difference of logarithms of shares at which an evaluation counts as one."""


class Evaluation(NamedTuple):
    """The concentrated likelihood at a free vector.

    Parameters
    ----------
    constants
        ``xi`` (G, J), at which predicted shares are the given ones.
    logp, scores
        Of persons (I,), and their derivatives (I, P) as the constants move with theta.
    by_constants
        Derivatives (G, J) of the weighted log-likelihood in the constants alone.
    moves
        ``d xi / d theta`` (G, J, P), by the implicit function.
    effect
        Derivatives (G, J, J) of shares in constants; 1 on the diagonal of those that are not free.
    shares
        Predicted shares (R,) of rows.
    """

    constants: Array
    logp: Array
    scores: Array
    by_constants: Array
    moves: Array
    effect: Array
    shares: Array


@dataclass(frozen=True, eq=False)
class MarketLikelihood:
    """``sum_i w_i log P_i(theta, xi(theta))``, with ``S_m(theta, xi_m) = s_m`` in every market.

    By the implicit function ``d xi_m / d theta = -(dS_m / d xi_m)^-1 dS_m / d theta``. Shares and
    likelihood are on the same nodes.

    Parameters
    ----------
    problem, grid
        The model bound to data, and a population grid.
    sets, target
        The markets, and their shares (G, A).
    start
        From theta to the constants (G, J) that are looked for from there; by default those that
        were found last, so that what is found depends, in its last bits, on what was asked before.
    """

    problem: Problem
    grid: Any
    sets: MarketSets
    target: Array
    start: Callable[[Array], Array] | None = None
    _last: dict[str, Array] = field(default_factory=dict, repr=False)

    @cached_property
    def wanted(self) -> SharesToMatch:
        """What constants are to give."""
        return wanted_of(self.target, len(self.sets.goods))

    @cached_property
    def nodes(self) -> Any:
        """The grid, with nodes that stay."""
        return Likelihood(self.problem, self.grid).nodes

    @cached_property
    def pieces(self) -> Pieces:
        """The choice sets, the outside option a row like the others."""
        sets = self.sets
        return Pieces(self.problem, sets.segments, (sets.codes, len(sets.goods)))

    def rows(self, xi: Array) -> Array:
        """Constants (R,) of rows."""
        found: Array = xi[self.sets.of_row, self.sets.codes]
        return found

    def point(self, theta: Array, xi: Array) -> Point:
        """The model at a free vector, with constants."""
        whole, known = self.problem.whole, self.problem.offset
        own = self.rows(xi) if known is None else known + self.rows(xi)
        block: Block = replace(whole, offset=own)
        return Point(block, theta)

    def by_person(self, theta: Array) -> tuple[Array, Array]:
        """``log P_i`` (I,) and its scores (I, P) with constants that move; NaN where none match."""
        found = self.at(theta)
        return found.logp, found.scores

    def value_and_gradient(self, theta: Array) -> tuple[float, Array]:
        """Weighted log-likelihood in nats, and its gradient (P,)."""
        logp, slopes = self.by_person(theta)
        weights = self.problem.data.weights
        return float(weighted_sum(weights, logp)), weighted_sum(weights, slopes)

    def anchored(self, theta: Array) -> MarketLikelihood:
        """The same, whose constants are looked for from their tangent at ``theta`` (P,).

        Nothing depends on the order of evaluations, which threads may share.
        """
        there = self.at(theta)
        return replace(self, start=_Tangent(theta, there.constants, there.moves), _last={})

    def constants(self, theta: Array) -> Array | None:
        """The constants (G, J) at a free vector; None where none match."""
        begin = self._last.get("constants") if self.start is None else self.start(theta)
        solution = solve_constants(_At(self, theta), self.wanted, begin)
        if not (solution.error <= MATCHED).all():
            solution = solve_constants(_At(self, theta), self.wanted)
        if not (solution.error <= MATCHED).all():
            return None
        if self.start is None:
            self._last["constants"] = solution.constants
        return solution.constants

    def matched(self, theta: Array) -> tuple[Array, Array]:
        """The constants (G, J) at a free vector, and ``log P_i`` (I,); NaN where none match."""
        xi = self.constants(theta)
        if xi is None:
            nowhere = self._nowhere(theta)
            return nowhere.constants, nowhere.logp
        return xi, joined(over_persons(self.point(theta, xi), self.nodes, _log_integrals))[0]

    def at(self, theta: Array) -> Evaluation:
        """All that is known at a free vector; NaN where no constants match."""
        xi = self.constants(theta)
        if xi is None:
            return self._nowhere(theta)
        effect = self.wanted.blocks(_At(self, theta).slopes(xi)[1])
        point = self.point(theta, xi)
        step = share_step(self.problem, self.nodes)
        shares, slopes = joined(over_persons(point, self.nodes, shares_of, step=step))
        sets, free = self.sets, self.wanted.free[..., None]
        weights = sets.weights[sets.data.row_situation]
        by_theta = sets.sums(slopes * weights[:, None]) / sets.mass[:, None, None]
        moves = -np.linalg.solve(effect, np.where(free, by_theta, 0.0))
        logp, own, by_row = joined(over_persons(point, self.nodes, _log_integrals))
        return Evaluation(
            xi,
            logp,
            own + self.summed(by_row[:, None] * moves[sets.of_row, sets.codes]),
            np.where(free[..., 0], sets.sums(by_row * weights), 0.0),
            moves,
            effect,
            shares,
        )

    def summed(self, values: Array) -> Array:
        """Sums (I, ...) of values (R, ...) of rows by person."""
        found: Array = np.add.reduceat(values, self.problem.whole.first_rows, axis=0)
        return found

    def _nowhere(self, theta: Array) -> Evaluation:
        g, j, p = *self.wanted.free.shape, len(theta)
        persons, rows = self.problem.n_persons, self.problem.data.n_rows
        shapes = ((g, j), (persons,), (persons, p), (g, j), (g, j, p), (g, j, j), (rows,))
        return Evaluation(*(np.full(shape, np.nan) for shape in shapes))


@dataclass(frozen=True, eq=False)
class _Tangent:
    """Constants (G, J) to the first order around ``theta`` (P,)."""

    theta: Array
    constants: Array
    moves: Array

    def __call__(self, theta: Array) -> Array:
        found: Array = self.constants + self.moves @ (theta - self.theta)
        return found


@dataclass(frozen=True, eq=False)
class _At:
    """Shares at a free vector, as functions of constants."""

    of: MarketLikelihood
    theta: Array

    def shares(self, xi: Array) -> Array:
        return self.slopes(xi)[0]

    def slopes(self, xi: Array) -> tuple[Array, Array]:
        of = self.of
        (groups, labels), inside = of.sets.shape, len(of.sets.goods)
        size = Size(groups, inside, labels)
        blocks = over_persons(of.point(self.theta, xi), of.nodes, _Effects(size), of.pieces)
        effects, sums = (np.sum(each, axis=0) for each in zip(*blocks, strict=True))
        mass = of.sets.mass
        return sums / mass[:, None], effects / mass[:, None, None]


@dataclass(frozen=True)
class _Effects:
    """The work on a block of persons: sums of effects of constants, and of shares."""

    size: Size

    def __call__(self, here: Point, grid: Grid, piece: Piece) -> tuple[Array, Array]:
        mixture = here.mixture(*grid.block(0, here.persons.n_persons))
        panel, base = piece.panel, piece.place(here.base)
        change = Change(QUALITY, panel.x, np.zeros(len(panel.x)))
        return substitution(panel, piece.sets, base, change, mixture, self.size)


def _log_integrals(here: Point, grid: Grid) -> tuple[Array, Array, Array]:
    """``log P_i`` (n,) of persons, their scores (n, P), and derivatives by rows' utilities (R,)."""
    mixture = here.mixture(*grid.block(0, here.persons.n_persons))
    logp, *slopes = integrate(here.panel, here.base, mixture, True)
    return logp, scores(here, mixture, (slopes[0], slopes[1], slopes[2])), slopes[2]
