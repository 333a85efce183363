"""What firms do at every draw of the parameters; draws at which nothing can be said are counted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from bayesmix.arguments import instance
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.demand.draws import Interval
from bayesmix.demand.money import remedy
from bayesmix.demand.options import CheckedOptions, Where
from bayesmix.demand.sample import Sample, enumerate_sample, left_out
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.markets.firms import Firms
from bayesmix.markets.markets import by_market
from bayesmix.markets.pricing import Pricing, pricing
from bayesmix.progress import tracked

SOLVED = "solved"
"""The entry that says in which markets (G,) a free vector has an answer."""


def priced_sample(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    firms: Firms,
    predict: ChoiceData | None,
    how: CheckedOptions,
) -> Pricing:
    """The sample of a result as its firms see it.

    Raises
    ------
    DataError, SpecificationError
        See `products_of` and `enumerate_sample`.
    """
    instance("firms", firms, Firms, "bm.Firms(ownership=..., ...)")
    found = enumerate_sample(result, data, Where(None, None, firms.products, predict), how)
    own = pricing(by_market(found, firms.market, data if predict is None else predict), firms)
    found.check_moved(own.by, firms.price)
    return own


@dataclass(frozen=True, eq=False)
class AtDraws:
    """Quantities at all points of the parameters.

    Parameters
    ----------
    found
        The sample.
    values
        By name, arrays (N, ...) at the points; those in ``shared`` are of all markets together, and
        others (N, G, ...).
    shared
        Names of what is not by market.
    """

    found: Sample
    values: Mapping[str, Array]
    shared: frozenset[str]

    @property
    def solved(self) -> Flags:
        return self.values[SOLVED].astype(bool)

    @property
    def unsolved(self) -> Indices:
        """Draws (G,) without an answer in a market."""
        own = self.solved[self._estimates :]
        return (~own).sum(axis=0)

    @property
    def _estimates(self) -> int:
        """1 where the first point is a fit's estimate, 0 of posteriors."""
        return int(_is_fit(self.found))

    def interval(self, name: str) -> Interval:
        """Estimate and interval, of the draws that have an answer."""
        values, solved = self.values[name], self.solved
        if solved.all():
            return self.found.uncertainty.combine(values)
        if name in self.shared:
            return self._combined(values[solved.all(axis=1)])
        parts = [self._combined(values[solved[:, g], g]) for g in range(solved.shape[1])]
        return Interval(*(np.stack(ends) for ends in zip(*parts, strict=True)))

    def _combined(self, values: Array) -> Interval:
        """Estimate and interval of some points; no ends of an estimate without any draw."""
        if len(values) > self._estimates:
            return self.found.uncertainty.combine(values)
        return Interval(values[0], *[np.full_like(values[0], np.nan)] * 2)

    def note(self, market: str | None, why: str) -> str:
        """What is to be said of draws without an answer; "" where all have one."""
        lost = self.unsolved
        if not lost.any():
            return ""
        draws = len(self.solved) - self._estimates
        every = int((~self.solved[self._estimates :].all(axis=1)).sum())
        names = [self.found.names[g] for g in np.flatnonzero(lost)]
        where = "" if market is None else f", in markets {first_few(names)}"
        return (
            f"{why} at {every} of {draws} draws of the parameters ({every / draws:.1%}){where}: "
            "intervals are of the other draws, and NaN where there are none"
        )


def at_draws(
    market: Pricing,
    function: Callable[[Array], dict[str, Any]],
    label: str,
    shared: Sequence[str] = (),
) -> AtDraws:
    """``function`` at every point; its entry "solved" says in which markets there is an answer.

    Raises
    ------
    SpecificationError
        If utility rises in the price for some people at a fit's estimates, or at all draws.
    ConvergenceError
        If a fit's estimates, all draws of a posterior, or some point of the delta method have no
        answer in a market.
    """
    found = market.found
    points, draws = found.uncertainty.points, found.uncertainty.draws
    steps = tracked(points, label, total=len(points), show=found.how.progress)
    collected: list[dict[str, Any]] = []
    risen: list[float] = []
    for number, theta in enumerate(steps):
        share = 0.0 if market.firms.allow_positive else market.positive(theta)
        risen.append(share)
        if number == 0 and _is_fit(found) and share > 0:
            raise _positive(market, share, "at the estimates")
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            each = function(theta)
        if share > 0:
            each[SOLVED] = np.zeros_like(each[SOLVED])
        if number == 0 and _is_fit(found):
            _check(market, np.asarray(each[SOLVED], dtype=bool), "at the estimates")
        collected.append(each)
    values = {name: np.stack([each[name] for each in collected]) for name in collected[0]}
    out = AtDraws(found, values, frozenset(shared))
    if min(risen) > 0:
        raise _positive(market, float(np.mean(risen)), "on average over the draws")
    _check(market, out.solved.any(axis=0), "at any draw of the parameters")
    if shared and not out.solved.all(axis=1).any():
        _check(market, out.solved.all(axis=0), "at some draws, and no draw has one in every market")
    if not draws:
        _check(market, out.solved.all(axis=0), "at a point of the delta method, whose intervals "
               "need all of them (uncertainty='krinsky-robb' does not)")  # fmt: skip
    return out


def said(
    found: AtDraws,
    market: Pricing,
    why: str,
    unstable: Callable[[Array], Flags] | None = None,
) -> str:
    """`AtDraws.note`, as a warning too.

    ``unstable`` says of the estimates (of a posterior, its mean) in which markets (G,) prices meet
    first-order conditions and are not best for all that.
    """
    note = found.note(market.firms.market, why)
    if unstable is not None:
        points = found.found.uncertainty.points
        theta = points[0] if _is_fit(found.found) else points.mean(axis=0)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            note = ". ".join(filter(None, [note, _unstable(market, unstable(theta))]))
    if note:
        warnings.warn(note, stacklevel=3)
    return note


def _unstable(market: Pricing, where: Flags) -> str:
    """What is to be said of prices that are not best; "" where all are."""
    if not where.any():
        return ""
    names = [market.found.names[g] for g in np.flatnonzero(where)]
    own = "" if market.firms.market is None else f" in markets {first_few(names)}"
    return (
        f"second-order conditions fail at the estimates{own}: prices meet first-order conditions, "
        "and some firm would gain by leaving them; costs and prices there are not those of firms "
        "that do their best: look for people who hardly mind prices (a law with a long tail)"
    )


def dataset_of(
    found: AtDraws, name: str, dims: Mapping[str, Any], note: str, market: bool = True
) -> xr.Dataset:
    """``estimate``, ``low`` and ``high`` of a quantity, by market and ``dims``."""
    lead = ["market"] if market else []
    order = [*lead, *dims]
    coords = {"market": found.found.names, **dims} if market else dict(dims)
    values = zip(Interval._fields, found.interval(name), strict=True)
    out = xr.Dataset({key: (order, value) for key, value in values}, coords=coords)
    if market:
        out["unsolved"] = (("market",), found.unsolved)
    sample = found.found
    note = "; ".join(filter(None, [note, sample.uncertainty.note]))
    out.attrs = {
        "interval": sample.how.interval,
        "draws": sample.uncertainty.draws,
        "nodes": sample.people.grid.size,
        **({"note": note} if note else {}),
        **left_out(sample.there.data),
    }
    return out


def above_one(found: AtDraws, lerner: Array) -> str:
    """What is to be said of Lerner indices (N, G, J) above 1 at the points; "" where none is.

    Those that are NaN, of draws without an answer, do not count.
    """
    first = int(_is_fit(found.found))
    above, known = lerner > 1.0, np.isfinite(lerner)
    draws = above[first:].any(axis=(1, 2))[known[first:].any(axis=(1, 2))]
    if not found.found.uncertainty.draws:  # steps of the delta method are none
        draws = draws[:0]
    if not (above[:first].any() or draws.any()):
        return ""
    own, of = (flags[:first] if first else flags for flags in (above, known))
    where = "at the estimates" if first else "of products and draws"
    words = f"{own.sum() / of.sum():.1%} of Lerner indices are above 1 {where}"
    if len(draws):
        words += f", and {draws.mean():.1%} of draws have one"
    return (
        f"{words}: a cost below 0 says that demand falls too slowly in prices for firms that set "
        "them so, as where some people hardly mind prices; look at own-price elasticities and at "
        "the law of the price's coefficient"
    )


def _is_fit(found: Sample) -> bool:
    """Whether the first point is an estimate, and not a draw of a posterior."""
    return found.uncertainty.draws != len(found.uncertainty.points)


def _positive(market: Pricing, share: float, where: str) -> SpecificationError:
    other = remedy(market.found.there.model, market.firms.price)
    return SpecificationError(
        f"utility rises in {market.firms.price!r} for {share:.2%} of people {where}: a dearer "
        f"product is worth more to them, and no price is too high; {other}; or take their demand "
        "as it is, Firms(allow_positive=True)"
    )


def _check(market: Pricing, solved: Flags, where: str) -> None:
    if solved.all():
        return
    found = market.found
    names = [found.names[g] for g in np.flatnonzero(~solved)]
    own = "" if market.firms.market is None else f" in markets {first_few(names)}"
    raise ConvergenceError(
        f"no prices were found that are best for every firm{own} {where}: demand there may fall so "
        "slowly in prices that none is too high, as where few people hardly mind them (laws with "
        "mass near 0), or a firm has nearly all that is sold and there is no outside option; look "
        "at bm.markups and at own-price elasticities, which have to be below -1"
    )
