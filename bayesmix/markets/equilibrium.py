"""Prices at which no firm would change its own, market by market."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.markets.conduct import conditions, margins_of, zeta
from bayesmix.markets.firms import owned
from bayesmix.markets.pricing import DemandAtPrices, Pricing
from bayesmix.optimise.fixed_point import solved_rows, squarem

TOLERANCE = 1e-11
"""How far prices are from their fixed point, relative to the largest of their market."""
MOST = 400
STEP = 2.0**-16
"""Step of differences in prices, relative to the largest of their market."""


@dataclass(frozen=True, eq=False)
class Supply:
    """What firms are up against, besides demand.

    Parameters
    ----------
    owner
        Codes (G, J) of firms, -1 where a product is not offered.
    costs
        Marginal costs (G, J), specific taxes among them.
    kept
        Part (G, J) of a price that is left after ad valorem taxes.
    """

    owner: Indices
    costs: Array
    kept: Array

    @property
    def owned(self) -> Flags:
        return owned(self.owner)

    def margins(self, prices: Array) -> Array:
        return np.where(self.owner >= 0, self.kept * prices - self.costs, 0.0)


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Prices (G, J), demand there, and the markets (G,) in which they are an equilibrium."""

    prices: Array
    demand: DemandAtPrices
    margins: Array
    solved: Flags


def observed(market: Pricing, theta: Array) -> tuple[Equilibrium, Supply]:
    """The equilibrium that observed prices are, and the costs with which they are one."""
    products = market.products
    demand = market.slopes(theta, products.prices, np.zeros_like(products.prices))
    margins = margins_of(demand, products.owned)
    fine = np.isfinite(margins).all(axis=1) & _falls(demand, products.offered)
    supply = Supply(products.owner, products.prices - margins, np.ones(margins.shape))
    return Equilibrium(products.prices, demand, margins, fine), supply


def equilibrium(market: Pricing, theta: Array, supply: Supply, start: Array) -> Equilibrium:
    """Prices that are best for every firm given the others', from ``start`` (G, J)."""
    together, offered = supply.owned, market.products.offered
    start = np.where(offered, start, 0.0)
    scale = np.abs(start).max(axis=1)
    first = market.slopes(theta, start)
    inside = first.shares[:, : start.shape[1]]
    # Any slopes of buyers have the same fixed point: those at the start need a kernel once.
    of_buyers = np.where(offered, first.own / np.where(offered, inside, 1.0), 0.0)

    def function(prices: Array) -> Array:
        demand = market.slopes(theta, prices, of_buyers)
        margins = zeta(demand, together, supply.margins(prices), supply.kept)
        return np.where(offered, (supply.costs + margins) / supply.kept, 0.0)

    found = squarem(function, start, tolerance=TOLERANCE * scale, most=MOST)
    demand = market.slopes(theta, found.value, of_buyers)
    margins = supply.margins(found.value)
    solved = (found.error <= 10 * TOLERANCE * scale) & _falls(demand, offered)
    return Equilibrium(found.value, demand, margins, solved)


def _falls(demand: DemandAtPrices, offered: Flags) -> Flags:
    """Markets (G,) in which every product's share falls in its own price."""
    own = np.einsum("gjj->gj", demand.effect[..., : demand.own.shape[1]])
    return ((own < 0) | ~offered).all(axis=1)


def price_responses(market: Pricing, theta: Array, at: Equilibrium, supply: Supply) -> Array:
    """``dp_k / dc_j`` (G, J, J) by cost j and price k: the implicit function theorem.

    ``dp/dc = -(dF/dp)^-1 dF/dc`` of the first-order conditions F, whose derivatives in prices are
    central differences, of a product in all markets at once.
    """
    together, offered = supply.owned, market.products.offered
    inside = offered.shape[1]
    jacobian = condition_slopes(market, theta, at, supply)
    both = offered[:, :, None] & offered[:, None, :]
    jacobian = np.where(both, jacobian, np.eye(inside))
    in_costs = together * at.demand.effect[..., :inside]
    found, _ = solved_rows(jacobian, in_costs)
    return np.swapaxes(np.where(both, found, np.nan), 1, 2)


def condition_slopes(market: Pricing, theta: Array, at: Equilibrium, supply: Supply) -> Array:
    """Derivatives (G, J, J) of first-order conditions j in prices k."""
    together, offered = supply.owned, market.products.offered
    inside = offered.shape[1]
    step = STEP * np.abs(at.prices).max(axis=1)
    jacobian = np.zeros((len(offered), inside, inside))
    for j in range(inside):
        sides = []
        for sign in (1.0, -1.0):
            prices = at.prices.copy()
            prices[:, j] += np.where(offered[:, j], sign * step, 0.0)
            demand = market.slopes(theta, prices, np.zeros_like(prices))
            sides.append(conditions(demand, together, supply.margins(prices), supply.kept))
        jacobian[:, :, j] = (sides[0] - sides[1]) / (2 * step[:, None])
    return jacobian


def not_best(market: Pricing, theta: Array, at: Equilibrium, supply: Supply) -> Flags:
    """Markets (G,) where prices are not a local maximum of some firm's profits in its own.

    Of a firm's products derivatives of its conditions in its prices are its profits' second ones:
    their largest eigenvalue is to be below 0. Firms may be better off elsewhere for all that.
    """
    bent = condition_slopes(market, theta, at, supply) * supply.owned
    nowhere = ~market.products.offered
    bent -= np.eye(bent.shape[1]) * nowhere[:, :, None]
    bent = (bent + np.swapaxes(bent, 1, 2)) / 2
    known = at.solved & np.isfinite(bent).all(axis=(1, 2))
    found = np.zeros(len(bent), dtype=bool)
    found[known] = np.linalg.eigvalsh(bent[known])[:, -1] >= 0
    return found
