"""Who owns what: firms, their products and prices in each market, read off the data."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesmix.arguments import flag, refused
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.data.columns import first_few, show
from bayesmix.demand.column_arguments import PRICE, check_column
from bayesmix.demand.sample import Sample
from bayesmix.errors import DataError, SpecificationError

SAME = 1e-9
"""Relative differences of prices that are rounding."""


@dataclass(frozen=True)
class Firms:
    """Firms that set prices of their products, all at once, in each market (Bertrand).

    Parameters
    ----------
    ownership
        Column of the firm that owns the row's product: one for each product and market.
    price
        Column of prices: one for each product and market. Utility may read it in any way that
        formulas allow.
    market
        Column of markets, constant within situations; all situations are one market by default.
    products
        Column of the rows' products, where these are not the alternatives.
    allow_positive
        Whether some people's utility may rise in the price, as a normal law has it: their demand is
        then taken as it is. Refused by default, with their share.

    Examples
    --------
    >>> import bayesmix as bm
    >>> bm.Firms("firm", market="region").price
    'price'
    """

    ownership: str
    price: str = PRICE
    market: str | None = None
    products: str | None = None
    allow_positive: bool = False

    def __post_init__(self) -> None:
        for name in ("ownership", "price"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise refused(name, "the name of a column of the data", getattr(self, name))
        for name in ("market", "products"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value):
                raise refused(name, "the name of a column of the data, or None", value)
        flag("allow_positive", self.allow_positive)


@dataclass(frozen=True, eq=False)
class Products:
    """Products of all markets: G markets, J products.

    Parameters
    ----------
    offered
        (G, J).
    prices
        (G, J); 0 where a market does not offer the product.
    owner
        Codes (G, J) of firms; -1 where not offered.
    firms
        Labels of the firms.
    """

    offered: Flags
    prices: Array
    owner: Indices
    firms: tuple[Hashable, ...]

    @cached_property
    def owned(self) -> Flags:
        """Whether two products (G, J, J) of a market have one owner."""
        return owned(self.owner)

    @property
    def scale(self) -> Array:
        """Size (G,) of a market's prices."""
        return np.abs(self.prices).max(axis=1)


def owned(owner: Indices) -> Flags:
    """Whether two products (G, J, J) of a market have one owner.

    >>> owned(np.array([[0, 0, 1, -1]])).astype(int).tolist()
    [[[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]]
    """
    return (owner[:, :, None] == owner[:, None, :]) & (owner >= 0)[:, :, None]


def products_of(found: Sample, firms: Firms) -> Products:
    """Prices and owners of the sample's products.

    Raises
    ------
    DataError
        If there are no such columns, an owner is missing, or owner or price vary within a product's
        market.
    SpecificationError
        If a firm owns all that can be chosen in a market.
    """
    data, size = found.there.data, found.size
    check_column(data, "ownership", firms.ownership)
    check_column(data, "price", firms.price)
    rows = found.segments[data.row_situation], found.codes
    shape = size.groups, size.changed
    offered = np.zeros(shape, dtype=bool)
    offered[rows] = True
    price = data.attribute(firms.price)
    codes, labels = pd.factorize(data.frame[firms.ownership], sort=True)
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        raise DataError(
            f"argument 'ownership': column {firms.ownership!r} has missing values, first in row "
            f"{data.rows[missing[0]]}: every product has an owner; give those without one a firm "
            "of their own"
        )
    prices = _one_value(found, firms, firms.price, price, rows)
    owner = _one_value(found, firms, firms.ownership, codes.astype(float), rows)
    owners: Indices = np.where(offered, owner, -1).astype(np.int64)
    return Products(offered, prices, owners, tuple(labels))


def _one_value(
    found: Sample, firms: Firms, column: str, values: Array, rows: tuple[Indices, Indices]
) -> Array:
    """The value (G, J) that a column has for each product and market, refused where it varies."""
    out = np.zeros((found.size.groups, found.size.changed))
    out[rows] = values
    size = np.zeros_like(out)
    np.maximum.at(size, rows, np.abs(values))
    wrong = np.flatnonzero(np.abs(values - out[rows]) > SAME * size[rows])
    if not len(wrong):
        return out
    g, j = (int(index[wrong[0]]) for index in rows)
    data, where = found.there.data, place(found, firms, g, j)
    product = firms.products or data.alternative
    group = [product] if firms.market is None else [firms.market, product]
    if column == firms.price:
        raise DataError(
            f"column {column!r} varies within {where} (first in row {data.rows[wrong[0]]}): a firm "
            "sets one price of a product in a market; name finer markets or products, "
            "Firms(market=..., products=...), or take the mean: "
            f"data.with_attribute({column!r}, lambda rows: "
            f"rows.groupby({group})[{column!r}].transform('mean'))"
        )
    raise DataError(
        f"argument 'ownership': column {column!r} varies within {where} (first in row "
        f"{data.rows[wrong[0]]}): a product has one owner in a market; give the product of each "
        "owner a label of its own, Firms(products=...)"
    )


def place(found: Sample, firms: Firms, g: int, j: int) -> str:
    """A product of a market, in words."""
    own = f"product {show(found.goods[j])}"
    return own if firms.market is None else f"{own} of market {show(found.names[g])}"


def check_rivals(found: Sample, products: Products, owner: Indices, firms: Firms) -> None:
    """Refuse markets in which one firm has all there is: its prices have no bound."""
    if found.there.data.outside_option:
        return
    first = np.where(products.offered, owner, -1).max(axis=1)
    alone = ((owner == first[:, None]) | ~products.offered).all(axis=1) & products.offered.any(
        axis=1
    )
    if alone.any():
        names = [found.names[g] for g in np.flatnonzero(alone)]
        where = "" if firms.market is None else f" in markets {first_few(names)}"
        raise SpecificationError(
            f"one firm owns every product{where}, and there is no outside option: people have to "
            "buy at any price, so that no price is best; give the data an outside option "
            "(outside_option=True, or shares with bm.match_shares), or coarser markets"
        )
