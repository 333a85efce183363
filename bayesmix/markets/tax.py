"""Taxes and subsidies: prices that firms set with them, and how costs are passed through."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arrays import Array
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.options import Options, settle
from bayesmix.errors import SpecificationError
from bayesmix.markets.amounts import of_products
from bayesmix.markets.counterfactual import Plan, simulate
from bayesmix.markets.equilibrium import observed, price_responses
from bayesmix.markets.firms import Firms, check_rivals
from bayesmix.markets.markups import NO_MARGINS
from bayesmix.markets.outcome import Counterfactual
from bayesmix.markets.over_draws import SOLVED, at_draws, dataset_of, priced_sample, said


def tax(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    firms: Firms,
    *,
    specific: float | Mapping[Hashable, float] | None = None,
    ad_valorem: float | Mapping[Hashable, float] | None = None,
    by: str | None = None,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> Counterfactual:
    """Prices, shares, profits and surplus once products are taxed, or subsidised.

    A firm is left with ``p / (1 + v) - t - c`` of each unit that is sold at the price ``p``, with
    the ad valorem rate ``v`` on its own price and the specific tax ``t``. Costs are those at which
    observed prices, which bear neither, are best; prices are found as in `merger`.

    Parameters
    ----------
    result, data, firms
        As in `markups`.
    specific
        Tax of a unit, in units of the price, below 0 for a subsidy: a number for all products, or
        by product.
    ad_valorem
        Rate on the firm's price, 0.2 for 20 %, above -1: a number, or by product.
    by, predict, **how
        As in `merger`.

    Returns
    -------
    Counterfactual
        As of `merger`; prices are those that people pay, ``tax_revenue`` is a choice situation's.

    Raises
    ------
    DataError, SpecificationError, ConvergenceError
        As in `merger`; if there is neither tax.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> firms = bm.Firms("alt", price="pf")
    >>> found = bm.tax(fit, one, firms, specific=1.0, draws=2, rng=1, nodes=8)
    >>> prices = found.products["estimate"].isel(market=0)
    >>> paid = prices.sel(quantity="price_after") - prices.sel(quantity="price_before")
    >>> paid.to_numpy().round(6).tolist()  # where all have to buy, it is passed on whole
    [1.0, 1.0, 1.0, 1.0]
    """
    before = priced_sample(result, data, firms, predict, settle(how, tax))
    products, labels = before.products, before.found.goods
    check_rivals(before.found, products, products.owner, firms)
    if specific is None and ad_valorem is None:
        raise SpecificationError(
            "there is no tax: give an amount a unit, specific=0.5, or a rate, ad_valorem=0.2"
        )
    every = np.ones(len(labels), dtype=bool)
    units = products.offered * of_products("specific", specific, labels, every)
    rates = products.offered * of_products("ad_valorem", ad_valorem, labels, every, above=-1)
    plan = Plan(
        before=before,
        after=before,
        supply=lambda now: replace(now, costs=now.costs + units, kept=1 / (1 + rates)),
        owners=(products.owner, products.owner),
        firms=products.firms,
        by=by,
        taxes=units,
    )
    return simulate(plan, "Tax")


def pass_through(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    firms: Firms,
    *,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """How much of a small rise of a product's cost, or of a tax of a unit, is in each price.

    ``dp_k / dc_j`` where observed prices are best for every firm, by the implicit function theorem:
    first-order conditions hold after the change, too (Weyl and Fabinger 2013).

    Parameters
    ----------
    result, data, firms, predict, **how
        As in `markups`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``market``, ``changed`` (whose cost rises) and
        ``responding`` product (whose price does); NaN where either is not offered.

    Raises
    ------
    DataError, SpecificationError, ConvergenceError
        As in `markups`.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> found = bm.pass_through(fit, one, bm.Firms("alt", price="pf"), draws=2, rng=1, nodes=8)
    >>> found["estimate"].isel(market=0).sum("changed").to_numpy().round(6).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    market = priced_sample(result, data, firms, predict, settle(how, pass_through))
    products = market.products
    check_rivals(market.found, products, products.owner, firms)
    both = products.offered[:, :, None] & products.offered[:, None, :]

    def function(theta: Array) -> dict[str, Any]:
        at, supply = observed(market, theta)
        passed = price_responses(market, theta, at, supply)
        fine = at.solved & (np.isfinite(passed) | ~both).all(axis=(1, 2))
        return {SOLVED: fine.astype(float), "matrix": passed}

    found = at_draws(market, function, "pass-through")
    note = said(found, market, NO_MARGINS)
    dims = {"changed": market.found.inside, "responding": market.found.inside}
    return dataset_of(found, "matrix", dims, note)
