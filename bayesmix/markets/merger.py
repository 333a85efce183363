"""Mergers: prices that firms set once some of them are one (Nevo 2000)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import xarray as xr

from bayesmix.arguments import refused
from bayesmix.arrays import Array, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import nearest, show
from bayesmix.demand.options import Options, settle
from bayesmix.errors import SpecificationError
from bayesmix.markets.amounts import of_products
from bayesmix.markets.counterfactual import Plan, simulate
from bayesmix.markets.firms import Firms, check_rivals
from bayesmix.markets.outcome import Counterfactual
from bayesmix.markets.over_draws import priced_sample
from bayesmix.markets.pricing import Pricing


def merger(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    firms: Firms,
    *,
    merge: Sequence[Hashable],
    efficiencies: float | Mapping[Hashable, float] | None = None,
    by: str | None = None,
    predict: ChoiceData | None = None,
    **how: Unpack[Options],
) -> Counterfactual:
    """Prices, shares, profits and surplus after firms merge.

    Marginal costs are those at which observed prices are best for firms as they are, see `markups`.
    Then the products of the merging firms have one owner, and prices are found that are best for
    every firm given the others', by the zeta markup equation (Morrow and Skerlos 2011) with squared
    extrapolation: at every draw of the parameters, with that draw's costs. What is solved are
    first-order conditions; where people differ much in how they mind prices, several prices may
    meet them, and the ones found are near those observed.

    Parameters
    ----------
    result, data, firms
        As in `markups`.
    merge
        The firms that become one: two labels or more.
    efficiencies
        By how much marginal costs of the merging firms' products fall, 0.05 for 5 %: a number, or
        by product.
    by
        Column of segments, whose change of consumer surplus is reported; see `surplus` for when
        there is one.
    predict, **how
        As in `shares`.

    Returns
    -------
    Counterfactual
        Products, firms, markets and segments, before and after.

    Raises
    ------
    DataError, SpecificationError
        As in `markups`; if firms are unknown, or share no market.
    ConvergenceError
        If no equilibrium is found at the estimates. Draws without one are counted, and said.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> firms = bm.Firms("alt", price="pf")
    >>> found = bm.merger(fit, one, firms, merge=(1, 2), draws=2, rng=1, nodes=8)
    >>> bool((found.products["estimate"].sel(quantity="price_change") > 0).all())
    True
    """
    before = priced_sample(result, data, firms, predict, settle(how, merger))
    labels, codes = merging(before, merge)
    owner = merged_owner(before.products.owner, codes)
    check_rivals(before.found, before.products, owner, firms)
    saved = savings(before, codes, efficiencies)
    plan = Plan(
        before=before,
        after=before,
        supply=lambda now: replace(now, owner=owner, costs=now.costs * (1 - saved)),
        owners=(owner, owner),
        firms=labels,
        by=by,
    )
    return simulate(plan, f"Merger of {' and '.join(map(str, merge))}")


def merging(market: Pricing, merge: Any) -> tuple[tuple[Hashable, ...], Indices]:
    """Labels of firms after a merger, and codes of those that merge.

    Raises
    ------
    SpecificationError
        If fewer than two firms are named, one is unknown, or no market has products of two of them.
    """
    several = isinstance(merge, Sequence | np.ndarray) and not isinstance(merge, str | bytes)
    if not several or len(merge) < 2 or not all(isinstance(one, Hashable) for one in merge):
        raise refused("merge", "two firms or more, such as ('A', 'B')", merge)
    known = list(market.products.firms)
    written = {str(one): one for one in known}  # labels read from a file may be text, or numbers
    merge = [one if one in known else written.get(str(one), one) for one in merge]
    for one in merge:
        if one not in known:
            raise SpecificationError(
                f"argument 'merge' names firm {show(one)}, and column {market.firms.ownership!r} "
                f"has none of that name; {nearest(one, known)}"
            )
    codes = np.array([known.index(one) for one in merge])
    if len(set(codes.tolist())) < len(codes):
        raise refused("merge", "different firms", merge)
    owner = market.products.owner
    together = (owner[:, :, None] == codes).any(axis=1).sum(axis=1)
    if together.max() < 2:
        raise SpecificationError(
            f"firms {', '.join(map(show, merge))} have no market in common, so that their merger "
            "changes no price: markets are those of Firms(market=...)"
        )
    labels = list(known)
    labels[int(codes.min())] = " + ".join(str(one) for one in merge)
    return tuple(labels), codes


def merged_owner(owner: Indices, codes: Indices) -> Indices:
    """Owners (G, J) once those of ``codes`` are one.

    >>> merged_owner(np.array([[0, 1, 2, -1]]), np.array([2, 1])).tolist()
    [[0, 1, 1, -1]]
    """
    return np.where(np.isin(owner, codes), codes.min(), owner)


def savings(market: Pricing, codes: Indices, efficiencies: Any) -> Array:
    """Relative falls (G, J) of costs, of merging firms' products."""
    own = np.isin(market.products.owner, codes)
    labels = market.found.goods
    each = of_products("efficiencies", efficiencies, labels, own.any(axis=0), least=0, below=1)
    return own * each
