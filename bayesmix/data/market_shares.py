"""Market shares that users give: read, and refused where no constants could match them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arguments import refused
from bayesmix.arrays import Array, Flags
from bayesmix.data.columns import first_few, nearest, show
from bayesmix.data.labels import alternative_names
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.reserved import OUTSIDE
from bayesmix.errors import DataError

SUM = 1e-8
"""How far from 1 shares may sum to: they are brought to 1 then."""
SHARE = "share"
MEANING = (
    "a mapping alternative -> share, a Series by market and alternative, or a frame with columns "
    "of the market, the alternative and 'share'"
)

type Given = list[tuple[Hashable, Hashable, Any]]


def given_shares(found: MarketSets, shares: Any, market: str | None) -> Array:
    """Shares (G, A) by market and alternative, the outside option's last; 0 where not offered.

    Raises
    ------
    DataError
        If a market or an alternative is unknown, or has no share, a share is not in (0, 1), or
        those of a market do not sum to 1.
    """
    table = np.full((len(found.names), len(found.labels)), np.nan)
    places = {name: g for g, name in enumerate(found.names)}
    codes = {label: a for a, label in enumerate(found.labels)}
    for name, label, value in _listed(found, shares, market):
        if market is not None and name not in places:
            raise DataError(
                f"{found.said} has market {show(name)}, and column {market!r} of the data "
                f"has none of that name: leave it out; {nearest(name, found.names)}"
            )
        known = label if label in codes else alternative_names([label])[0]
        if known not in codes:
            raise DataError(
                f"{found.said} has alternative {show(label)}, which nobody is offered in the "
                f"data: leave it out; {nearest(label, found.labels)}"
            )
        cell = places.get(name, 0), codes[known]
        if not np.isnan(table[cell]):
            raise DataError(f"{found.said} has {_place(found, *cell, market)} twice: give it once")
        table[cell] = _number(value, found, cell, market)
    return _complete(found, table, market)


def _listed(found: MarketSets, shares: Any, market: str | None) -> Iterator[tuple[Any, Any, Any]]:
    """Market, alternative and share of each entry."""
    if isinstance(shares, pd.DataFrame):
        yield from _of_frame(found, shares, market)
    elif isinstance(shares, pd.Series | Mapping) and len(shares):
        for key, value in shares.items():
            if market is None:
                yield None, key, value
            elif isinstance(key, tuple) and len(key) == 2:
                yield *key, value
            else:
                raise refused(
                    found.argument, f"by market and alternative, with market={market!r}", key
                )
    else:
        raise refused(found.argument, MEANING, shares)


def _of_frame(
    found: MarketSets, frame: pd.DataFrame, market: str | None
) -> Iterator[tuple[Any, Any, Any]]:
    alternative = found.data.alternative
    needed = [*([] if market is None else [market]), alternative, SHARE]
    for name in needed:
        if name not in frame.columns:
            raise DataError(
                f"{found.said}: the frame has no column {name!r}; it needs "
                f"{', '.join(map(repr, needed))}: {nearest(name, frame.columns)}"
            )
    if not len(frame):
        raise DataError(f"{found.said}: the frame has no rows: give a share to every market")
    markets = [None] * len(frame) if market is None else frame[market].tolist()
    yield from zip(markets, frame[alternative].tolist(), frame[SHARE].tolist(), strict=True)


def _number(value: Any, found: MarketSets, cell: tuple[int, int], market: str | None) -> float:
    """A share, refused where no finite constant gives it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not 0.0 < number <= 1.0:
        raise DataError(
            f"{found.said} has {value!r} for {_place(found, *cell, market)}, expected a "
            "number in (0, 1): no constant gives a share of 0, for which take the alternative out "
            "of the market's sets, data.without(...), or join it with another"
        )
    return number


def _complete(found: MarketSets, table: Array, market: str | None) -> Array:
    """Every alternative that is offered has a share, no other has, and they sum to 1."""
    outside, here = found.data.outside_option, found.offered
    if outside and np.isnan(table[:, -1]).any():
        rest = 1.0 - np.nansum(table[:, :-1], axis=1)
        table[:, -1] = np.where(np.isnan(table[:, -1]), rest, table[:, -1])
    _refuse(found, np.isnan(table) & (here > 0), market, "no share for {}, which is offered there: "
            "add it; of markets without shares leave the situations out of the data")  # fmt: skip
    _refuse(found, ~np.isnan(table) & (here == 0), market, "a share for {}, which is not offered "
            "there in the data: leave it out")  # fmt: skip
    total = np.nansum(table, axis=1)
    wrong = np.abs(total - 1.0) > SUM
    wrong |= outside and (table[:, -1] <= 0)
    if wrong.any():
        g = int(np.flatnonzero(wrong)[0])
        sums = total[g] - (table[g, -1] if outside else 0.0)
        least = "below 1, the rest being the outside option's" if outside else "1"
        raise DataError(
            f"{found.said}: those{_of(found, g, market)} sum to {sums:.6g}, expected {least}"
            f"{_more(wrong)}: divide them by the market's size, the outside option counted where "
            "there is one"
        )
    table = np.where(here > 0, table, 0.0) / total[:, None]
    # Where fewer situations offer an alternative, all of them choosing it is the most there is.
    beyond = (here > 0) & (table >= here)
    _refuse(found, beyond & ~_alone(here), market, "a share for {} that is no less than the part "
            "of situations that offer it: no constant gives it")  # fmt: skip
    return table


def _alone(here: Array) -> Flags:
    """Markets (G, 1) with a single alternative, whose share is 1 whatever its constant."""
    return ((here > 0).sum(axis=1) == 1)[:, None]


def _refuse(found: MarketSets, wrong: Flags, market: str | None, words: str) -> None:
    if wrong.any():
        g, a = (int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"{found.said} has {words.format(_place(found, g, a, market))}{_more(wrong)}"
        )


def _more(wrong: Flags) -> str:
    number = int(wrong.sum()) - 1
    return f" (and {number} more such)" if number else ""


def _of(found: MarketSets, g: int, market: str | None) -> str:
    return "" if market is None else f" of market {show(found.names[g])}"


def _place(found: MarketSets, g: int, a: int, market: str | None) -> str:
    label = found.labels[a]
    name = "the outside option" if label == OUTSIDE and a == len(found.goods) else (
        f"alternative {first_few([label])}")  # fmt: skip
    return f"{name}{_of(found, g, market)}"
