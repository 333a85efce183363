"""Entry and exit: prices once products are added, taken away, or others than they were."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arguments import mapping, real
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few, nearest, show
from bayesmix.data.segments import goods_of
from bayesmix.demand.options import Options, settle
from bayesmix.demand.sample import Sample
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind_scenario
from bayesmix.markets.counterfactual import Plan, simulate
from bayesmix.markets.equilibrium import Supply
from bayesmix.markets.firms import Firms, check_rivals
from bayesmix.markets.outcome import Counterfactual
from bayesmix.markets.over_draws import priced_sample
from bayesmix.markets.pricing import Pricing, pricing


def entry_and_exit(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    firms: Firms,
    scenario: ChoiceData,
    *,
    costs: Mapping[Hashable, float] | None = None,
    by: str | None = None,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> Counterfactual:
    """Prices, shares, profits and surplus once products enter, leave or change.

    Costs of products that stay are those at which observed prices are best for their firms, and
    prices in the scenario are found as in `merger`: the scenario's own are where the search starts.
    Surplus is in money as it is worth in the data, where the scenario moves that, as in `surplus`.

    Parameters
    ----------
    result, data, firms
        As in `markups`.
    scenario
        Made from the data by ``without``, ``with_alternative`` or ``with_attribute`` (of what is no
        price). A new product has an owner in the column of firms.
    costs
        Marginal costs of products by label, in all markets that offer them: of new ones, and of
        others that change. A new alternative made with ``like=`` has the costs of that one.
    by, predict, **how
        As in `merger`.

    Returns
    -------
    Counterfactual
        As of `merger`; NaN before an entry, and after an exit.

    Raises
    ------
    DataError, SpecificationError, ConvergenceError
        As in `merger`; if a new product has no cost.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> firms, gone = bm.Firms("alt", price="pf"), one.without(4)
    >>> found = bm.entry_and_exit(fit, one, firms, gone, draws=2, rng=1, nodes=8)
    >>> change = found.products["estimate"].sel(quantity="price_change", product=[1, 2, 3])
    >>> bool((change > 0).all())
    True
    """
    before = priced_sample(result, data, firms, predict, settle(how, entry_and_exit))
    return simulate(entry_plan(before, scenario, costs, by), "Entry and exit")


def entry_plan(
    before: Pricing, scenario: ChoiceData, costs: Mapping[Hashable, float] | None, by: str | None
) -> Plan:
    """What is to be solved; refused where the scenario or its costs are not as firms need them."""
    firms = before.firms
    check_rivals(before.found, before.products, before.products.owner, firms)
    after = pricing(_moved(before.found, scenario, firms), firms)
    labels, owner = _joint(before, after)
    check_rivals(after.found, after.products, after.products.owner, firms)
    return Plan(
        before=before,
        after=after,
        supply=_supply(before, after, costs),
        owners=(before.products.owner, owner),
        firms=labels,
        by=by,
    )


def _moved(found: Sample, scenario: ChoiceData, firms: Firms) -> Sample:
    there = bind_scenario(found.there, scenario)
    if not scenario.n_rows:
        raise SpecificationError(
            "argument 'scenario' offers no product to anybody: leave one, or compare surplus, "
            "bm.surplus(..., scenario=...)"
        )
    codes, goods = goods_of(scenario, firms.products)
    return replace(found, there=there, codes=codes, goods=goods)


def _joint(before: Pricing, after: Pricing) -> tuple[tuple[Hashable, ...], Indices]:
    """Firms before and new ones, and owners after by their codes."""
    old = list(before.products.firms)
    labels = [*old, *(firm for firm in after.products.firms if firm not in old)]
    codes = np.array([labels.index(firm) for firm in after.products.firms])
    owner: Indices = np.where(after.products.owner >= 0, codes[after.products.owner], -1)
    return tuple(labels), owner


def _supply(before: Pricing, after: Pricing, costs: Any) -> Callable[[Supply], Supply]:
    """From costs before to those after: of the same product, of what it is like, or given."""
    given = {} if costs is None else _checked(costs, after)
    old = list(before.found.goods)
    # What is like another is so as an alternative, which products need not be.
    stand_ins = {} if after.firms.products else after.found.there.data.stand_ins
    like = [stand_ins.get(label, label) for label in after.found.goods]
    places = np.array([old.index(one) if one in old else -1 for one in like])
    own = np.array([given.get(label, np.nan) for label in after.found.goods])
    known = np.where(places >= 0, before.products.offered[:, places], False)
    without: Flags = after.products.offered & np.isnan(own) & ~known
    if without.any():
        names = [after.found.goods[j] for j in np.flatnonzero(without.any(axis=0))]
        raise SpecificationError(
            f"product {first_few(names)} is new in {int(without.any(axis=1).sum())} markets, and "
            f"its cost unknown: give it, costs={{{show(names[0])}: ...}}, or make it with "
            "with_alternative(..., like=...) of a product that is offered there"
        )
    owner, offered = after.products.owner, after.products.offered

    def supply(now: Supply) -> Supply:
        values: Array = np.where(np.isnan(own), now.costs[:, places], own)
        values = np.where(offered, values, 0.0)
        return Supply(owner, values, np.ones(values.shape))

    return supply


def _checked(costs: Any, after: Pricing) -> dict[Hashable, float]:
    if not isinstance(costs, Mapping):
        mapping("costs", costs, "a mapping from products to costs, such as {'new': 1.5}")
    for label, value in costs.items():
        if label not in after.found.goods:
            raise SpecificationError(
                f"argument 'costs' has product {show(label)}, which the scenario does not offer; "
                f"{nearest(label, after.found.goods)}"
            )
        real(f"costs[{show(label)}]", value)
    return {label: float(value) for label, value in costs.items()}
