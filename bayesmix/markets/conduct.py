"""What firms' first-order conditions say: markups, pressure on prices, concentration.

With owners' products ``Omega_jk`` and margins ``m = kappa p - c`` (what is left of a price after
taxes, and costs with taxes), a firm's profits are highest in its price where
``kappa_j S_j + sum_k Omega_jk m_k dS_k/dp_j = 0``.
"""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.markets.pricing import DemandAtPrices
from bayesmix.optimise.fixed_point import solved_rows


def conditions(demand: DemandAtPrices, owned: Flags, margins: Array, kept: Array) -> Array:
    """The left side (G, J) of the first-order conditions; ``kept`` (G, J) is kappa."""
    inside = margins.shape[1]
    return kept * demand.shares[:, :inside] + _times(owned * demand.effect[..., :inside], margins)


def margins_of(demand: DemandAtPrices, owned: Flags, kept: Array | float = 1.0) -> Array:
    """Margins (G, J) at which prices are best: 0 of what is not offered, NaN where none are."""
    inside = owned.shape[1]
    found, _ = solved_rows(_system(demand, owned), -kept * demand.shares[:, :inside])
    return found


def zeta(demand: DemandAtPrices, owned: Flags, margins: Array, kept: Array) -> Array:
    """The margins that the zeta markup equation gives from these (Morrow and Skerlos 2011).

    ``m_j = (sum_k Omega_jk Gamma_jk m_k - kappa_j S_j) / Lambda_j``, with derivatives of shares
    ``dS_k/dp_j = 1[j = k] Lambda_j - Gamma_jk``. Where it stays first-order conditions hold,
    whatever Lambda is; as a step it converges where that of the markup equation need not.
    """
    inside = margins.shape[1]
    offered = owned.any(axis=2)
    scale = np.where(offered, demand.own, -1.0)
    gamma = np.eye(inside) * scale[:, :, None] - demand.effect[..., :inside]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (_times(owned * gamma, margins) - kept * demand.shares[:, :inside]) / scale
    return np.where(offered, found, 0.0)


def cost_changes_like(demand: DemandAtPrices, before: Flags, after: Flags, margins: Array) -> Array:
    """Changes of costs (G, J) that move first-order conditions as a change of owners does.

    With single-product firms it is ``sum_k D_jk m_k`` over the partner's products: upward pricing
    pressure before efficiencies.
    """
    inside = margins.shape[1]
    added = _times((after & ~before) * demand.effect[..., :inside], margins)
    found, _ = solved_rows(_system(demand, before), -added)
    return found


def concentration(shares: Array, owner: Indices, number: int) -> Array:
    """Herfindahl-Hirschman index (G,) of what is sold, 0 to 10,000: without the outside option.

    >>> concentration(np.array([[0.2, 0.1, 0.1, 0.6]]), np.array([[0, 0, 1]]), 2).round(6).tolist()
    [6250.0]
    """
    sold = by_firm(shares[:, : owner.shape[1]], owner, number)
    with np.errstate(invalid="ignore"):
        return 1e4 * ((sold / sold.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)


def by_firm(values: Array, owner: Indices, number: int) -> Array:
    """Sums (G, F) of products' values (G, J) over those of each firm."""
    return (values[:, :, None] * (owner[:, :, None] == np.arange(number))).sum(axis=1)


def diversion_of(demand: DemandAtPrices) -> Array:
    """Diversion ratios (G, J, J) for small changes of prices, as aggregate slopes have them."""
    inside = demand.own.shape[1]
    slopes = demand.effect[..., :inside]
    own = np.einsum("gjj->gj", slopes)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = -slopes / own[:, :, None]
    found[:, np.arange(inside), np.arange(inside)] = 0.0
    return found


def _system(demand: DemandAtPrices, owned: Flags) -> Array:
    """``Omega_jk dS_k/dp_j`` (G, J, J), 1 on the diagonal of what is not offered."""
    inside = owned.shape[1]
    nowhere = ~owned.any(axis=2)
    return owned * demand.effect[..., :inside] + np.eye(inside) * nowhere[:, :, None]


def _times(matrices: Array, values: Array) -> Array:
    return np.einsum("gjk,gk->gj", matrices, values)
