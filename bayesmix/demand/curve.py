"""Demand curves: shares and revenue of one alternative over a range of its prices."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from bayesmix.arguments import refused, shown
from bayesmix.arrays import Array, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import nearest, show
from bayesmix.demand.column_arguments import check_column
from bayesmix.demand.draws import Interval
from bayesmix.demand.interventions import difference
from bayesmix.demand.options import Options, Where, settle
from bayesmix.demand.sample import Here, Sample, dataset, enumerate_sample, noted, squeezed
from bayesmix.errors import DataError, SpecificationError
from bayesmix.kernels.nested_demand import nested_shares
from bayesmix.kernels.share_curves import Raised, own_shares
from bayesmix.kernels.substitution import Offer
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem

POINTS = 15
RANGE = (0.5, 2.0)
"""Prices by default: so many, between these multiples of the alternative's mean price."""


def price_curve(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    alternative: Hashable,
    *,
    prices: ArrayLike | None = None,
    price: str = "price",
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    by: str | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """Share and revenue of one alternative over a grid of prices, and the price of most revenue.

    At each price the alternative costs the same in all situations that offer it; revenue is the
    price times the share, by situation. The best price is the highest point of the parabola through
    the three best points of the grid, for each draw of the parameters: its interval is that of the
    best price, not of the curve. NaN where revenue is highest at an end of the grid.

    Parameters
    ----------
    result, data
        A fit or a posterior made by ``bm.sample``, and the data that it was fitted to.
    alternative
        Its label.
    prices
        Rising, three or more, (M,); 15 from half to twice its mean price by default.
    price
        The column of prices.
    scenario, predict, by, **how
        As in `shares`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high`` by ``quantity`` (``"share"``, ``"revenue"``) and
        ``price``; ``best_price`` by ``limit`` (``"estimate"``, ``"low"``, ``"high"``); with ``by``
        all of them by ``segment``. A best price is NaN where revenue is highest at the first or
        the last of ``prices``, and so are the ends of its interval where it is at some draws of
        the parameters: the attribute ``note`` says at how many.

    Raises
    ------
    DataError
        If there is no such alternative.
    SpecificationError
        If prices are fewer than three, or do not rise.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> curve = bm.price_curve(fit, data, 1, price="pf", prices=range(2, 10), draws=20, rng=1)
    >>> bool((curve["estimate"].sel(quantity="share").diff("price") < 0).all())
    True
    """
    asked = settle(how, price_curve)
    before = enumerate_sample(result, data, Where(scenario, by, None, predict), asked)
    check_column(before.there.data, "price", price)
    if not isinstance(alternative, Hashable):
        raise refused("alternative", "the label of an alternative", alternative)
    if alternative not in before.there.data.alternatives:
        raise DataError(
            f"argument 'alternative': there is no alternative {show(alternative)}; "
            f"{nearest(alternative, before.there.data.alternatives)}"
        )
    at = _prices(before, alternative, price, prices)
    code = before.there.data.alternatives.index(alternative)
    scenarios = (
        before.there.data.with_attribute(price, p, alternative=alternative) for p in at.tolist()
    )
    changes = [difference(before.there, scenario) for scenario in scenarios]

    for by_price in changes:
        before.check_moved(by_price, price)
    at_an_end: list[bool] = []

    def quantity(theta: Array) -> Array:
        share = _shares(before, code, changes, theta)
        both = np.stack([share, at * share], axis=1)
        best = best_price(at, both[:, 1])[:, None, None]
        at_an_end.append(bool(np.isnan(best).any()))
        return np.concatenate([both, np.broadcast_to(best, (*both.shape[:2], 1))], axis=-1)

    values = before.of(quantity, "prices")
    coords = {"quantity": ["share", "revenue"], "price": at}
    curves = Interval(*(v[..., :-1] for v in values))
    out = dataset(before, curves, list(coords), coords)
    ends = np.stack([v[:, 1, -1] for v in values], axis=-1)
    out["best_price"] = (("segment", "limit"), ends)
    out.attrs |= {"alternative": str(alternative), "attribute": price}
    if any(at_an_end):
        noted(
            out,
            f"revenue is highest at an end of the prices at {sum(at_an_end)} of {len(at_an_end)} "
            "values of the parameters, the estimate's among them, and there has no best price: "
            "an interval without ends (NaN) asks for a wider range of prices",
        )
    return squeezed(out.assign_coords(limit=list(Interval._fields)), by)


def _shares(found: Sample, code: int, changes: Sequence[Problem], theta: Array) -> Array:
    """Share (G, M) of an alternative after each of M changes of its own."""
    changed = [Point(by, theta) for by in changes]
    pieces = list(found.over(theta, partial(_own_shares, code), *changed))
    weighted = found.weights * np.concatenate(pieces, axis=1)
    groups = np.arange(len(found.names))[:, None] == found.segments
    return groups.astype(float) @ weighted.T / found.mass[:, None]


def _own_shares(code: int, here: Here, *changes: Point) -> Array:
    """`_shares` of the situations (M, n) of some persons."""
    piece = here.piece
    mine = np.flatnonzero(piece.sets.alternative == code)
    t, n = piece.situation[mine], len(piece.sets.weight)
    x = np.zeros((len(changes), n, piece.panel.x.shape[1]))
    moved = np.zeros((len(changes), n))
    for m, by in enumerate(changes):
        x[m, t] = here.scaled(piece.place(by.persons.panel.x))[mine]
        moved[m, t] = piece.place(by.base)[mine]
    if here.nests is not None:
        return np.stack([_nested_shares(here, mine, x[m], moved[m]) for m in range(len(changes))])
    offer = Offer(here.panel, here.sets, here.base)
    return own_shares(offer, code, Raised(x, moved), here.mixture)


def best_price(prices: Array, revenue: Array) -> Array:
    """Price of most revenue (G,), from revenues (G, M): the top of the parabola at the highest.

    NaN where the highest is at an end.

    >>> prices = np.array([1.0, 2.0, 4.0, 5.0])
    >>> best_price(prices, prices * (6.0 - prices)[None, :])
    array([3.])
    """
    top = revenue.argmax(axis=1)
    inside = (top > 0) & (top < len(prices) - 1)
    middle = np.clip(top, 1, len(prices) - 2)
    rows = np.arange(len(revenue))
    x0, x1, x2 = (prices[middle + k] for k in (-1, 0, 1))
    y0, y1, y2 = (revenue[rows, middle + k] for k in (-1, 0, 1))
    left, right = (y1 - y0) * (x2 - x1), (y2 - y1) * (x1 - x0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # The slopes of the two chords hold at their midpoints; between them the slope is linear.
        found = (left * (x1 + x2) - right * (x0 + x1)) / (2 * (left - right))
    return np.where(inside, found, np.nan)


def _prices(found: Sample, alternative: Hashable, price: str, prices: ArrayLike | None) -> Array:
    """The grid of prices (M,), checked."""
    data = found.there.data
    values = data.attribute(price)
    if prices is None:
        mine = data.alternative_code == data.alternatives.index(alternative)
        return values[mine].mean() * np.linspace(*RANGE, POINTS)
    try:
        at = np.asarray(prices, dtype=float)
    except (TypeError, ValueError):
        at = np.empty(0)
    if at.ndim != 1 or len(at) < 3 or not (np.diff(at) > 0).all() or not np.isfinite(at).all():
        raise SpecificationError(
            f"argument 'prices' must be three or more rising numbers, got {shown(prices)}"
        )
    return at


def _nested_shares(here: Here, mine: Indices, x: Array, moved: Array) -> Array:
    """Share (n,) in each situation of the rows that are ``mine``, whose utilities have moved."""
    panel, base, t = here.rows, here.base.copy(), here.piece.situation[mine]
    attributes = panel.x.copy()
    attributes[mine] += x[t]
    base[mine] += moved[t]
    panel = panel._replace(x=attributes, person_start=here.sets.person_start)
    assert here.nests is not None
    rows = nested_shares(panel, here.nests, base, here.mixture)[0]
    return np.bincount(t, rows[mine], len(here.piece.sets.weight))
