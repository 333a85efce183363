"""Markups and marginal costs that observed prices tell (Berry, Levinsohn and Pakes 1995)."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.options import Options, settle
from bayesmix.markets.equilibrium import not_best, observed
from bayesmix.markets.firms import Firms, check_rivals
from bayesmix.markets.over_draws import SOLVED, above_one, at_draws, dataset_of, priced_sample, said
from bayesmix.markets.pricing import Pricing

QUANTITIES = ("price", "cost", "margin", "lerner", "share", "profit")
NO_MARGINS = "first-order conditions give no markups"


def markups(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    firms: Firms,
    *,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """Marginal costs and markups at which observed prices are best for every firm.

    In each market first-order conditions of multi-product firms that set prices at once (Bertrand),
    ``S_j + sum_{k of j's firm} (p_k - c_k) dS_k/dp_j = 0``, are solved for costs ``c``, at every
    draw of the parameters. Shares and slopes are those of `shares` and `elasticities`, by market.
    Where these prices are no maximum of some firm's profits at the estimates (second-order
    conditions), a warning and ``note`` say so. A cost below 0, a Lerner index above 1, says that
    demand falls too slowly in prices for firms that set them so; attribute ``lerner`` has the
    share of such indices in words.

    Parameters
    ----------
    result, data
        A fit or a posterior made by ``bm.sample``, and the data that it was fitted to; with the
        constants of `match_shares`, the market's own shares are what firms see.
    firms
        Who owns what, and at which prices.
    predict, **how
        As in `shares`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``market``, ``product`` and ``quantity``: price, cost,
        margin (price less cost), Lerner index (margin over price), share, and profit a choice
        situation, all money in units of the price; NaN where a market does not offer a product.
        ``firm`` by market and product; ``unsolved`` counts draws that give no markups.

    Raises
    ------
    DataError
        If owners or prices are missing, or vary within a product's market.
    SpecificationError
        If utility rises in the price for some people, or a firm owns all that can be chosen.
    ConvergenceError
        If first-order conditions give no markups at the estimates.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> found = bm.markups(fit, one, bm.Firms("alt", price="pf"), draws=2, rng=1)
    >>> margins, shares = (found["estimate"].sel(quantity=q) for q in ("margin", "share"))
    >>> bool((margins > 0).all()), float(shares.sum().round(12))
    (True, 1.0)
    """
    market = priced_sample(result, data, firms, predict, settle(how, markups))
    check_rivals(market.found, market.products, market.products.owner, firms)

    def function(theta: Array) -> dict[str, Any]:
        at, supply = observed(market, theta)
        share = at.demand.shares[:, : at.prices.shape[1]]
        parts = (at.prices, supply.costs, at.margins, at.margins / at.prices, share)
        return {SOLVED: at.solved, "products": _stack(market, (*parts, share * at.margins))}

    found = at_draws(market, function, "markups")
    note = said(
        found, market, NO_MARGINS, lambda theta: not_best(market, theta, *observed(market, theta))
    )
    dims = {"product": market.found.inside, "quantity": list(QUANTITIES)}
    out = with_firms(dataset_of(found, "products", dims, note), market)
    lerner = found.values["products"][..., QUANTITIES.index("lerner")]
    words = above_one(found, np.where(found.solved[..., None], lerner, np.nan))
    return out.assign_attrs(lerner=words) if words else out


def with_firms(out: xr.Dataset, market: Pricing) -> xr.Dataset:
    """The results with the firm of each product as a coordinate."""
    labels = np.array([*market.products.firms, None], dtype=object)
    return out.assign_coords(firm=(("market", "product"), labels[market.products.owner]))


def _stack(market: Pricing, parts: tuple[Array, ...]) -> Array:
    """Quantities (G, J, Q), NaN where a product is not offered."""
    values = np.stack(parts, axis=-1)
    return np.where(market.products.offered[..., None], values, np.nan)
