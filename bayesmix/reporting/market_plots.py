"""Plots of markets: markups by firm, what a change does to prices and people, pass-through."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bayesmix.arguments import instance, one_of, refused, shown, whole
from bayesmix.errors import SpecificationError
from bayesmix.markets.outcome import Counterfactual
from bayesmix.picture import sheet
from bayesmix.reporting.demand_tables import check_demand
from bayesmix.reporting.heat_map import cell_size, draw_cells, name_columns, shades

MOST_NUMBERS = 12
"""Products up to which the cells of a matrix show their numbers."""
MARKUPS = ("margin", "lerner", "cost", "profit")


def plot_markups(
    found: xr.Dataset, *, quantity: str = "lerner", market: Hashable | None = None
) -> Figure:
    """Markups of products with their intervals, a colour a firm.

    Parameters
    ----------
    found
        What ``bm.markups`` returned.
    quantity
        ``"lerner"``, ``"margin"``, ``"cost"`` or ``"profit"``.
    market
        Which market, where there are several.

    Returns
    -------
    matplotlib.figure.Figure
        An axis, a row a product.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> found = bm.markups(fit, one, bm.Firms("alt", price="pf"), draws=2, rng=1)
    >>> [axis.get_xlabel() for axis in bm.plot_markups(found).axes]
    ['Lerner index, margin over price']
    """
    check_demand(found)
    one_of("quantity", quantity, MARKUPS)
    if "quantity" not in found.dims or "lerner" not in found["quantity"].to_numpy().tolist():
        raise refused("found", "what bm.markups returned", found)
    one = _one_market(found, market)
    values = one[["estimate", "low", "high"]].sel(quantity=quantity)
    here = np.flatnonzero(np.isfinite(values["estimate"].to_numpy()))
    values, firms = values.isel(product=here), one["firm"].to_numpy()[here].tolist()
    labels = list(dict.fromkeys(firms))
    colours = [f"C{labels.index(firm) % 10}" for firm in firms]
    figure, axis = _dots(values, [str(p) for p in values["product"].to_numpy()], colours)
    for number, label in enumerate(labels):
        axis.plot([], [], "o", color=f"C{number % 10}", label=str(label))
    axis.legend(frameon=False, fontsize=8, title="firm", loc="center left", bbox_to_anchor=(1, 0.5))
    words = {"lerner": "Lerner index, margin over price", "margin": "margin, units of the price",
             "cost": "marginal cost, units of the price",
             "profit": "profit a choice situation, units of the price"}  # fmt: skip
    where = f", market {market}" if found.sizes["market"] > 1 else ""
    axis.set_xlabel(f"{words[quantity]}{where}")
    return figure


def plot_counterfactual(found: Counterfactual, *, market: Hashable | None = None) -> Figure:
    """Relative changes of prices by product, and changes of consumer surplus by segment.

    Parameters
    ----------
    found
        What ``bm.merger``, ``bm.entry_and_exit`` or ``bm.tax`` returned.
    market
        Whose prices, where there are several markets.

    Returns
    -------
    matplotlib.figure.Figure
        An axis of products, and one of segments.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> firms = bm.Firms("alt", price="pf")
    >>> found = bm.tax(fit, one, firms, specific=1.0, draws=2, rng=1, nodes=8)
    >>> [axis.get_xlabel().split(" by ")[0] for axis in bm.plot_counterfactual(found).axes]
    ['change of price', 'change of consumer surplus']
    """
    instance("found", found, Counterfactual, "what bm.merger, entry_and_exit or tax returned")
    prices = _one_market(found.products, market)[["estimate", "low", "high"]]
    prices = prices.sel(quantity="price_change")
    prices = prices.isel(product=np.flatnonzero(np.isfinite(prices["estimate"].to_numpy())))
    people = found.segments[["estimate", "low", "high"]].sel(quantity="surplus_change")
    money = bool(np.isfinite(people["estimate"].to_numpy()).all())
    sizes = [prices.sizes["product"], people.sizes["segment"]][: 1 + money]
    figure = sheet(6.5, 1.3 * len(sizes) + 0.3 * sum(sizes))
    axes = figure.subplots(len(sizes), 1, squeeze=False, height_ratios=[n + 1.5 for n in sizes])
    names = [str(p) for p in prices["product"].to_numpy()]
    _draw(axes[0, 0], prices, names, ["C0"] * len(names))
    axes[0, 0].xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    where = "" if found.products.sizes["market"] == 1 else f", market {market}"
    axes[0, 0].set_xlabel(f"change of price by product{where}")
    axes[0, 0].set_title(found.title, fontsize=10)
    if money:
        names = [str(s) for s in people["segment"].to_numpy()]
        _draw(axes[1, 0], people, names, ["C1"] * len(names))
        axes[1, 0].set_xlabel("change of consumer surplus by segment, a choice situation")
    return figure


def plot_pass_through(
    found: xr.Dataset, *, market: Hashable | None = None, digits: int = 2
) -> Figure:
    """Heat map of how much of a rise of a product's cost (row) is in each price (column).

    Parameters
    ----------
    found
        What ``bm.pass_through`` returned.
    market
        Which market, where there are several.
    digits
        Decimals of the numbers in cells, shown up to 12 products.

    Returns
    -------
    matplotlib.figure.Figure
        An axis, and that of its colour bar.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> one = data.with_attribute("pf", lambda rows: rows.groupby("alt")["pf"].transform("mean"))
    >>> found = bm.pass_through(fit, one, bm.Firms("alt", price="pf"), draws=2, rng=1, nodes=8)
    >>> [axis.get_ylabel() for axis in bm.plot_pass_through(found).axes]
    ['cost of', 'rise of a price by unit of cost']
    """
    whole("digits", digits, least=0)
    check_demand(found)
    if not {"market", "changed", "responding"} <= set(found["estimate"].dims):
        raise refused("found", "what bm.pass_through returned", found)
    values = _one_market(found, market)["estimate"]
    here = np.flatnonzero(np.isfinite(np.diag(values.to_numpy())))
    matrix = values.to_numpy()[np.ix_(here, here)]
    names = [str(label) for label in values["changed"].to_numpy()[here]]
    cell, letters = cell_size(len(names)), 0.08 * max(map(len, names))
    size = cell * len(names) + letters + 1.2
    figure = sheet(max(size + 0.8, 3.6), max(size, 2.6))
    axis = figure.subplots()
    draw_cells(axis, matrix, shades(matrix, "diverging"), cell, digits)
    name_columns(axis, names, cell)
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("price of")
    axis.set_ylabel("cost of")
    bar = figure.colorbar(axis.get_images()[0], ax=axis, shrink=0.9, aspect=25, pad=0.02)
    bar.set_label("rise of a price by unit of cost")
    bar.outline.set_visible(False)
    if found.sizes["market"] > 1:
        axis.set_title(f"market {market}", loc="left", fontsize=10)
    return figure


def _one_market(found: xr.Dataset, market: Hashable | None) -> xr.Dataset:
    """The results of one market: the only one, or the one that is named."""
    names = list(found.indexes["market"])  # an array of dates, as a list, is one of nanoseconds
    if market is None and len(names) == 1:
        return found.isel(market=0)
    if not isinstance(market, Hashable) or market not in names:
        known = names if len(names) <= MOST_NUMBERS else [*names[:MOST_NUMBERS], "..."]
        raise SpecificationError(f"argument 'market' must be one of {known}, got {shown(market)}")
    return found.sel(market=market)


def _dots(values: xr.Dataset, names: list[str], colours: list[str]) -> tuple[Figure, Axes]:
    figure = sheet(6.5, 1.2 + 0.3 * len(names))
    axis = figure.subplots()
    _draw(axis, values, names, colours)
    return figure, axis


def _draw(axis: Axes, values: xr.Dataset, names: list[str], colours: list[str]) -> None:
    """Estimates with bars from low to high, from top to bottom."""
    estimate, low, high = (values[end].to_numpy() for end in ("estimate", "low", "high"))
    rows = np.arange(len(names))
    # A posterior's mean may lie outside of an interval of quantiles: lines, not error bars.
    axis.hlines(rows, low, high, color=colours, lw=1.5)
    axis.scatter(estimate, rows, color=colours, s=22, zorder=3)
    axis.set_yticks(rows, names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.axvline(0, color="0.8", lw=1, zorder=0)
    axis.grid(axis="y", color="0.93")
    axis.tick_params(left=False)
    axis.spines[["top", "right", "left"]].set_visible(False)
