"""Demand that firms face: shares and their slopes at any prices of products and markets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.demand.interventions import attribute_slope, change, derivative
from bayesmix.demand.sample import Here, Sample
from bayesmix.errors import ConvergenceError, DataError, SpecificationError
from bayesmix.kernels.integrals import coefficients_everywhere
from bayesmix.kernels.logsums import money_logsums
from bayesmix.kernels.nested_demand import nested_money_logsums
from bayesmix.kernels.nested_substitution import nested_substitution
from bayesmix.kernels.nests import Nested
from bayesmix.kernels.shares import row_shares
from bayesmix.kernels.substitution import REMOVAL, SLOPE, Change, Size, marginal, substitution
from bayesmix.likelihood.bind import in_scenario
from bayesmix.likelihood.choice_sets import Piece
from bayesmix.likelihood.persons import OfRows
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem
from bayesmix.markets.firms import Firms, Products, products_of
from bayesmix.optimise.fixed_point import cells

LINEAR = 1e-9
PROBES = (0.3, 0.6, 0.85, 1.2, 1.7, 3.0)
"""Multiples of prices at which slopes are compared: kinks may lie anywhere."""
OUT_OF_REACH = (
    "no prices were found that are best for every firm: on the way there are values of {price!r} "
    "at which utility has none ({error}); demand may fall so slowly in prices, or so fast, that "
    "none is best: look at bm.markups and at own-price elasticities, which have to be below -1"
)
ROWS = 4096
"""Rows whose slopes at all nodes are looked at together."""


class DemandAtPrices(NamedTuple):
    """Demand at some prices, a choice situation of a market.

    Parameters
    ----------
    shares
        (G, A), the outside option's last.
    effect
        ``dS_k / dp_j`` (G, J, A).
    own
        ``E[alpha_j P_j]`` (G, J), with ``alpha`` the derivative of utility in the price: an own
        derivative without what a lower utility takes back.
    """

    shares: Array
    effect: Array
    own: Array


@dataclass(frozen=True, eq=False)
class Pricing:
    """A sample whose prices are to change: one price for each product and market."""

    found: Sample
    firms: Firms
    products: Products

    @cached_property
    def by(self) -> Problem:
        """The problem with derivatives in the price in the place of its columns."""
        return _slopes(self.found.there, self.firms.price)

    @cached_property
    def linear(self) -> bool:
        """Whether utility is linear in the price, so that no formula need be asked again."""
        problem, price = self.found.there, self.firms.price
        own, values = self.by.design.columns, problem.data.attribute(price)
        for factor in PROBES:
            there = problem.data.with_attribute(price, factor * values)
            try:
                moved = derivative(_at(problem, there), price)
            except SpecificationError:
                return False
            size = np.abs(moved).max(axis=0, initial=0.0)
            if (np.abs(moved - own) > LINEAR * size).any():
                return False
        return True

    def rows(self, prices: Array) -> Array:
        """Prices (R,) of the rows."""
        groups = self.found.segments[self.found.there.data.row_situation]
        return prices[groups, self.found.codes]

    def at(self, prices: Array) -> tuple[Sample, Problem, Array]:
        """The sample, the derivatives, and how far rows' prices are from those of the sample."""
        found, price = self.found, self.firms.price
        if self.linear:
            return found, self.by, self.rows(prices) - self.rows(self.products.prices)
        there = found.there.data.with_attribute(price, self.rows(prices))
        try:
            problem = _at(found.there, there)
            slopes = _slopes(problem, price)
        except (DataError, SpecificationError) as error:
            raise ConvergenceError(OUT_OF_REACH.format(price=price, error=error)) from None
        return replace(found, there=problem), slopes, np.zeros(len(found.codes))

    def over[T](
        self, theta: Array, prices: Array, work: Callable[[Here, Change, Array], T]
    ) -> list[T]:
        """``work(here, slope, moved)`` of each block, with rows of the blocks' pieces."""
        found, by, moved = self.at(prices)
        beside = Point(by, theta), OfRows(found.there.whole, moved)
        return list(found.over(theta, partial(_here, work), *beside))

    def slopes(self, theta: Array, prices: Array, of_buyers: Array | None = None) -> DemandAtPrices:
        """Demand at prices (G, J); what buyers' slopes ``own / shares`` are may be given (G, J)."""
        work = partial(_sums, size=self.found.size, known=of_buyers is not None)
        sums = self.over(theta, prices, work)
        shares, effect, own = (np.sum(each, axis=0) for each in zip(*sums, strict=True))
        mass = self.found.mass
        shares, effect = shares / mass[:, None], effect / mass[:, None, None]
        if self.found.there.model.nests is not None and of_buyers is None:
            # Of a logit ``dS/dp = alpha P (1 - P)``; prices' fixed point is the same for any.
            inside = effect.shape[1]
            slopes = np.einsum("gjj->gj", effect[..., :inside])
            return DemandAtPrices(shares, effect, slopes / (1.0 - shares[:, :inside]))
        if of_buyers is not None:
            return DemandAtPrices(shares, effect, of_buyers * shares[:, : effect.shape[1]])
        return DemandAtPrices(shares, effect, own / mass[:, None])

    def surplus(self, theta: Array, prices: Array, before: Pricing) -> Array:
        """Expected surplus (T,) of each situation, up to a constant of its own.

        In money as it is worth before a change, as `bayesmix.surplus` counts it: a scenario may
        move what a price's coefficient depends on.
        """
        found, by, moved = self.at(prices)
        own = Point(by, theta), OfRows(found.there.whole, moved)
        was = before.found
        money = Point(was.there, theta), was.pieces, Point(before.by, theta)
        return np.concatenate(list(found.over(theta, _surplus, *own, *money)))

    def positive(self, theta: Array) -> float:
        """Share of people whose utility rises in the price of something that they are offered."""
        parts = self.over(theta, self.products.prices, _positive)
        return float(np.sum(parts) / self.found.weights.sum())


def pricing(found: Sample, firms: Firms) -> Pricing:
    """The sample as firms see it; see `products_of` for what is refused."""
    return Pricing(found, firms, products_of(found, firms))


def _at(problem: Problem, scenario: object) -> Problem:
    return replace(problem, data=scenario, design=in_scenario(problem, scenario))  # type: ignore[arg-type]


def _slopes(problem: Problem, price: str) -> Problem:
    slope = attribute_slope(problem, price).by
    assert slope is not None
    return slope


def _here[T](work: Callable[..., T], here: Here, by: Point, moved: Array) -> T:
    return work(here, change(SLOPE, here, by), here.piece.place(moved))


def _moved(here: Here, slope: Change, moved: Array) -> tuple[Array, Array]:
    """Attributes and base utilities at other prices."""
    if not moved.any():
        return here.rows.x, here.base
    return here.rows.x + slope.x * moved[:, None], here.base + slope.base * moved


def _sums(
    here: Here, slope: Change, moved: Array, *, size: Size, known: bool
) -> tuple[Array, Array, Array]:
    x, base = _moved(here, slope, moved)
    panel, piece = here.rows._replace(x=x), here.piece
    if here.nests is not None:
        given = Nested(panel, here.nests, base)
        effect, share = nested_substitution(given, here.sets, slope, here.mixture, size)
        known = True
    else:
        effect, share = substitution(panel, here.sets, base, slope, here.mixture, size)
    if known:
        return share, effect, np.zeros((size.groups, size.changed))
    if slope.x.any():
        # Who would leave a row that is taken away are all who have it: sums of P, and of P beta.
        gone = Change(REMOVAL, np.zeros_like(x), np.zeros(len(base)))
        left, with_beta = marginal(panel, here.sets, base, gone, here.mixture, np.zeros(len(base)))
        own = -(left * slope.base + (with_beta * slope.x).sum(axis=1))
    else:
        persons = panel._replace(person_start=here.sets.person_start)
        own = row_shares(persons, base, here.mixture) * slope.base
    groups, weights = here.sets.group[piece.situation], here.sets.weight[piece.situation]
    shape = size.groups, size.alternatives
    return (
        share,
        effect,
        cells(groups, here.sets.alternative, shape, own * weights)[:, : size.changed],
    )


def _surplus(
    here: Here, by: Point, moved: Array, before: Point, sets: Piece, money: Point
) -> Array:
    slope = change(SLOPE, here, by)
    x, base = _moved(here, slope, here.piece.place(moved))
    outside = here.point.persons.panel.outside
    now, was = (panel.situation_start for panel in (here.rows, sets.panel))
    # Where nothing was offered there was no price: that of what is added is.
    empty = outside & (np.diff(was) == 1)
    worth, first = change(SLOPE, Here(before, here.people, sets), money), was[:-1]
    price = slope._replace(
        x=np.where(empty[:, None], slope.x[now[:-1]], worth.x[first]),
        base=np.where(empty, slope.base[now[:-1]], worth.base[first]),
    )
    panel, nests = here.rows._replace(x=x), here.nests
    if nests is None:
        value = money_logsums(panel, here.sets, base, price, here.mixture)
    else:
        persons = here.sets.person_start
        value = nested_money_logsums(panel, nests, persons, base, price, here.mixture)
    return np.where(outside & (np.diff(now) == 1), 0.0, value)


def _positive(here: Here, slope: Change, moved: Array) -> float:
    """Sum of weights of situations and nodes where some row's slope is positive."""
    del moved
    situation, sets = here.piece.situation, here.sets
    used = np.flatnonzero(slope.x.any(axis=0))
    if not len(used):
        return float(sets.weight[np.unique(situation[slope.base > 0])].sum())
    beta = coefficients_everywhere(here.mixture)[:, used]
    weights = here.mixture.weights
    person = np.repeat(np.arange(len(sets.person_start) - 1), np.diff(sets.person_start))
    total, starts = 0.0, here.rows.situation_start
    step = max(1, ROWS * (len(starts) - 1) // max(1, len(situation)))
    for t in range(0, len(starts) - 1, step):
        stop = min(t + step, len(starts) - 1)
        rows = slice(starts[t], starts[stop])
        who = person[situation[rows]] if len(beta) > 1 else np.zeros(rows.stop - rows.start, int)
        value = np.einsum("rk,rks->rs", slope.x[rows][:, used], beta[who])
        up: Flags = value + slope.base[rows][:, None] > 0
        any_up = np.logical_or.reduceat(up, starts[t:stop] - starts[t], axis=0)
        own = weights[person[t:stop] if len(weights) > 1 else np.zeros(stop - t, int)]
        total += float((sets.weight[t:stop, None] * own * any_up).sum())
    return total
