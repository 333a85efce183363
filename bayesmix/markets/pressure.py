"""How a merger presses on prices, from slopes of demand as they are: UPP, GUPPI, CMCR."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.options import Options, settle
from bayesmix.markets.conduct import cost_changes_like, diversion_of, margins_of
from bayesmix.markets.equilibrium import observed, price_responses
from bayesmix.markets.firms import Firms, check_rivals, owned
from bayesmix.markets.markups import NO_MARGINS, with_firms
from bayesmix.markets.merger import merged_owner, merging, savings
from bayesmix.markets.over_draws import SOLVED, at_draws, dataset_of, priced_sample, said

QUANTITIES = ("upp", "guppi", "cmcr", "price_change")


def pricing_pressure(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    firms: Firms,
    *,
    merge: Sequence[Hashable],
    efficiencies: float | Mapping[Hashable, float] | None = None,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """Which way, and how much, a merger presses on prices, without solving for them.

    With diversion ratios ``D_jk = -(dS_k/dp_j) / (dS_j/dp_j)``, margins ``m`` and costs ``c``
    before the merger, for each product j of a merging firm and products k of the others that merge:

    - ``"upp"``: upward pricing pressure ``sum_k D_jk m_k - e_j c_j``, with the cost's relative fall
      ``e_j``, in units of the price (Farrell and Shapiro 2010);
    - ``"guppi"``: its gross index ``sum_k D_jk m_k / p_j``, without efficiencies;
    - ``"cmcr"``: the compensating marginal cost reduction, the relative fall of all merging
      products' costs at which no price would change (Werden 1996, for firms of any number of
      products): at first-order conditions after the merger and prices before it;
    - ``"price_change"``: the first-order prediction of the relative change of prices, of others'
      products too: what costs that press as the merger does, less efficiencies, are passed through
      (Jaffe and Weyl 2013, with pass-through before the merger).

    Parameters
    ----------
    merge, efficiencies
        As in `merger`.
    result, data, firms, predict, **how
        As in `markups`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``market``, ``product`` and ``quantity``; NaN where a
        product is not offered, and the first three of firms that do not merge.

    Raises
    ------
    DataError, SpecificationError, ConvergenceError
        As in `merger`.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> firms = bm.Firms("alt", price="pf")
    >>> found = bm.pricing_pressure(fit, one, firms, merge=(1, 2), draws=2, rng=1, nodes=8)
    >>> bool((found["estimate"].sel(quantity="upp", product=[1, 2]) > 0).all())
    True
    """
    market = priced_sample(result, data, firms, predict, settle(how, pricing_pressure))
    _, codes = merging(market, merge)
    products, owner = market.products, merged_owner(market.products.owner, codes)
    check_rivals(market.found, products, owner, firms)
    saved, ours = savings(market, codes, efficiencies), np.isin(products.owner, codes)
    after = owned(owner)
    partners = after & ~products.owned

    def function(theta: Array) -> dict[str, Any]:
        at, supply = observed(market, theta)
        gained = np.einsum("gjk,gk->gj", partners * diversion_of(at.demand), at.margins)
        less = saved * supply.costs
        balanced = products.prices - margins_of(at.demand, after)
        like = cost_changes_like(at.demand, products.owned, after, at.margins) - less
        passed = price_responses(market, theta, at, supply)
        change = np.einsum("gjk,gj->gk", np.nan_to_num(passed), like)
        merging_only = [gained - less, gained / at.prices, (supply.costs - balanced) / supply.costs]
        values = [*(np.where(ours, each, np.nan) for each in merging_only), change / at.prices]
        fine = np.isfinite(balanced).all(axis=1) & np.isfinite(change).all(axis=1)
        stacked = np.where(products.offered[..., None], np.stack(values, axis=-1), np.nan)
        return {SOLVED: (at.solved & fine).astype(float), "products": stacked}

    found = at_draws(market, function, "pricing pressure")
    note = said(found, market, NO_MARGINS)
    dims = {"product": market.found.inside, "quantity": list(QUANTITIES)}
    return with_firms(dataset_of(found, "products", dims, note), market)
