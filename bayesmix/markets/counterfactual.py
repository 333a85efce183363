"""Markets before and after a change: prices, shares, profits, surplus, concentration."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bayesmix.arguments import refused
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.data.segments import segments_of
from bayesmix.demand.money import price_slope
from bayesmix.errors import SpecificationError
from bayesmix.markets.conduct import by_firm, concentration
from bayesmix.markets.equilibrium import Equilibrium, Supply, equilibrium, not_best, observed
from bayesmix.markets.outcome import Counterfactual
from bayesmix.markets.over_draws import SOLVED, AtDraws, at_draws, dataset_of, said
from bayesmix.markets.pricing import Pricing

PRODUCTS = (
    "price_before", "price_after", "price_change", "share_before", "share_after",
    "cost_before", "cost_after",
)  # fmt: skip
FIRMS = ("profit_before", "profit_after", "profit_change")
MARKETS = (
    "hhi_before", "hhi_after", "hhi_change", "inside_before", "inside_after", "profit_change",
    "tax_revenue", "surplus_change", "welfare_change",
)  # fmt: skip
SEGMENTS = ("surplus_change",)
NO_EQUILIBRIUM = "no equilibrium was found"


@dataclass(frozen=True, eq=False)
class Plan:
    """A change of markets.

    Parameters
    ----------
    before, after
        Demand of the products before and after.
    supply
        From what firms are up against before to that after.
    owners
        Codes (G, J) of ``firms`` before and after, as results count them.
    firms
        Labels of firms.
    by
        Column of segments of the surplus.
    taxes
        Specific tax (G, J) of a unit after the change, 0 by default.
    starts
        Prices found at the first point, from where others are looked for.
    """

    before: Pricing
    after: Pricing
    supply: Callable[[Supply], Supply]
    owners: tuple[Indices, Indices]
    firms: tuple[Hashable, ...]
    by: str | None = None
    taxes: Array | float = 0.0
    starts: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.by, Hashable):
            raise refused("by", "the name of a column of the data", self.by)

    @cached_property
    def labels(self) -> list[Hashable]:
        """Products before, then those that are new."""
        old = list(self.before.found.goods)
        return [*old, *(label for label in self.after.found.goods if label not in old)]

    @cached_property
    def places(self) -> Indices:
        """Where products after (J,) stand among `labels`."""
        return np.array([self.labels.index(label) for label in self.after.found.goods])

    @cached_property
    def segments(self) -> tuple[Indices, list]:
        sets = self.before.found.there.data
        return segments_of(sets, self.by, sets)

    @cached_property
    def no_money(self) -> str:
        """Why utility cannot be expressed in money; "" where it can."""
        market = self.before
        try:
            price_slope(market.found.there, market.firms.price)
        except SpecificationError as error:
            return str(error)
        return "" if market.linear else f"utility is not linear in {market.firms.price!r}"

    def not_best(self, theta: Array) -> Flags:
        """Markets (G,) where prices after the change are not best for some firm."""
        then, supply = self._then(theta, observed(self.before, theta)[1])
        return not_best(self.after, theta, then, supply)

    def _then(self, theta: Array, costs: Supply) -> tuple[Equilibrium, Supply]:
        """The equilibrium after the change, and what firms are up against there."""
        supply = self.supply(costs)
        start = self.starts[0] if self.starts else self.after.products.prices
        return equilibrium(self.after, theta, supply, start), supply

    def values(self, theta: Array) -> dict[str, Any]:
        """All quantities at one free vector."""
        now, costs = observed(self.before, theta)
        then, then_supply = self._then(theta, costs)
        if not self.starts and then.solved.all():
            self.starts.append(then.prices)
        gained = self._surplus(theta, now, then)
        profits = self._profits(now, then)
        revenue = self._revenue(then, then_supply)
        change = np.nansum(profits[1] - profits[0], axis=1)
        found, (segments, names) = self.before.found, self.segments
        surplus = _means(found.segments, found.weights, gained, len(found.names))
        return {
            SOLVED: (now.solved & then.solved).astype(float),
            "products": self._products(now, then, costs, then_supply),
            "firms": np.stack([*profits, profits[1] - profits[0]], axis=-1),
            "markets": np.stack(
                [
                    *self._hhi(now, then),
                    *(_inside(each) for each in (now, then)),
                    change,
                    revenue,
                    surplus,
                    change + revenue + surplus,
                ],
                axis=-1,
            ),
            "segments": _means(segments, found.weights, gained, len(names))[:, None],
        }

    def _products(self, now: Equilibrium, then: Equilibrium, costs: Supply, after: Supply) -> Array:
        """Quantities (G, J, Q) of all products, NaN where not offered."""
        old, new = self.before.products.offered, self.after.products.offered
        prices = self._old(now.prices, old), self._new(then.prices, new)
        shares = self._old(now.demand.shares, old), self._new(then.demand.shares, new)
        costs_now = self._old(costs.costs, old)
        costs_then = self._new(after.costs - self.taxes, new)
        change = prices[1] / prices[0] - 1
        return np.stack([*prices, change, *shares, costs_now, costs_then], axis=-1)

    def _old(self, values: Array, offered: Flags) -> Array:
        out = np.full((len(offered), len(self.labels)), np.nan)
        inside = offered.shape[1]
        out[:, :inside] = np.where(offered, values[:, :inside], np.nan)
        return out

    def _new(self, values: Array, offered: Flags) -> Array:
        out = np.full((len(offered), len(self.labels)), np.nan)
        out[:, self.places] = np.where(offered, values[:, : offered.shape[1]], np.nan)
        return out

    def _profits(self, now: Equilibrium, then: Equilibrium) -> tuple[Array, Array]:
        """Profits (G, F) before and after, a choice situation."""
        before, after = (
            by_firm(at.demand.shares[:, : at.margins.shape[1]] * at.margins, owner, len(self.firms))
            for at, owner in zip((now, then), self.owners, strict=True)
        )
        present = [
            by_firm((owner >= 0).astype(float), owner, len(self.firms)) for owner in self.owners
        ]
        here = present[0] + present[1] > 0
        return np.where(here, before, np.nan), np.where(here, after, np.nan)

    def _revenue(self, then: Equilibrium, supply: Supply) -> Array:
        """Taxes (G,) that are paid, a choice situation."""
        share = then.demand.shares[:, : then.prices.shape[1]]
        paid = (1 - supply.kept) * then.prices + self.taxes
        return np.where(self.after.products.offered, share * paid, 0.0).sum(axis=1)

    def _hhi(self, now: Equilibrium, then: Equilibrium) -> tuple[Array, Array, Array]:
        before, after = (
            concentration(at.demand.shares, owner, len(self.firms))
            for at, owner in zip(
                (now, then), (self.before.products.owner, self.owners[1]), strict=True
            )
        )
        return before, after, after - before

    def _surplus(self, theta: Array, now: Equilibrium, then: Equilibrium) -> Array:
        """What situations (T,) gain, in money; NaN where utility is none."""
        if self.no_money:
            return np.full(self.before.found.there.data.n_situations, np.nan)
        before = self.before.surplus(theta, now.prices, self.before)
        return self.after.surplus(theta, then.prices, self.before) - before


def simulate(plan: Plan, title: str) -> Counterfactual:
    """The change at every draw of the parameters.

    Raises
    ------
    SpecificationError
        If the surplus of segments is asked for, and utility cannot be expressed in money.
    ConvergenceError
        If there is no equilibrium, see `at_draws`.
    """
    plan.segments  # noqa: B018  refused before anything is computed
    if plan.by is not None and plan.no_money:
        raise SpecificationError(
            f"argument 'by' asks for the surplus of segments, and there is none: {plan.no_money}"
        )
    found = at_draws(plan.before, plan.values, title, ("segments",))
    note = said(found, plan.after, NO_EQUILIBRIUM, plan.not_best)
    if plan.no_money:
        words = f"no surplus, and no change of welfare (NaN): {plan.no_money}"
        note = ". ".join(filter(None, [note, words]))
    return _outcome(found, plan, note, title)


def _outcome(found: AtDraws, plan: Plan, note: str, title: str) -> Counterfactual:
    labels = np.array([*plan.labels, None], dtype=object)[:-1]
    firms = np.array([*plan.firms, None], dtype=object)[:-1]
    quantities = {"quantity": list(PRODUCTS)}
    products = dataset_of(found, "products", {"product": labels, **quantities}, note)
    quantities = {"quantity": list(FIRMS)}
    by_owner = dataset_of(found, "firms", {"firm": firms, **quantities}, note)
    markets = dataset_of(found, "markets", {"quantity": list(MARKETS)}, note)
    segments = {"segment": plan.segments[1], "quantity": list(SEGMENTS)}
    left = np.flatnonzero(np.isfinite(by_owner["estimate"].to_numpy()).any(axis=(0, 2)))
    return Counterfactual(
        title=title,
        products=products,
        firms=by_owner.isel(firm=left),
        markets=markets,
        segments=dataset_of(found, "segments", segments, note, market=False),
        note=note,
    )


def _inside(at: Equilibrium) -> Array:
    """Part (G,) of situations in which a product is bought."""
    return at.demand.shares[:, : at.prices.shape[1]].sum(axis=1)


def _means(groups: Indices, weights: Array, values: Array, number: int) -> Array:
    """Weighted means (G,) over situations."""
    return np.bincount(groups, weights * values, number) / np.bincount(groups, weights, number)
