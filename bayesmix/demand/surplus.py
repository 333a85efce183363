"""Consumer surplus in money: logsums (Small and Rosen 1981; Train 2009, chapter 3)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Unpack

import numpy as np
import xarray as xr

from bayesmix.arrays import Array, Flags
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.interventions import Intervention, change
from bayesmix.demand.money import price_of, price_slope, remedy
from bayesmix.demand.options import Options, Where, settle
from bayesmix.demand.sample import Here, Sample, dataset, enumerate_sample, noted, squeezed
from bayesmix.errors import SpecificationError
from bayesmix.kernels.logsums import money_logsums
from bayesmix.kernels.nested_demand import nested_money_logsums
from bayesmix.kernels.substitution import SLOPE
from bayesmix.likelihood.bind import check_scenario, written
from bayesmix.likelihood.choice_sets import Piece
from bayesmix.likelihood.point import Point


def surplus(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    price: str | None = None,
    scenario: ChoiceData | None = None,
    predict: ChoiceData | None = None,
    by: str | None = None,
    **how: Unpack[Options],
) -> xr.Dataset:
    """Expected consumer surplus of a choice situation, or its change in a scenario, in money.

    ``CS = sum_t w_t E[log(sum_j exp v_tj) / |alpha|] / sum_t w_t``, with ``alpha`` the derivative
    of utility in the price. Its level means little without an outside option; its change between
    two scenarios is the compensating variation: what people would pay, in units of the price and by
    situation, for the change. A rise of one price by a little costs its alternative's share.

    Parameters
    ----------
    result, data
        A fit or a posterior made by ``bm.sample``, and the data that it was fitted to.
    price
        The column of prices: that of a model in willingness-to-pay space by default, and elsewhere
        ``"price"``. Utility must be linear in it, with one slope for all alternatives of
        a situation (``price + price:income`` is), negative for everybody.
    scenario
        Made from ``data``: the surplus is then the change from ``data`` to it, at the slopes in the
        price of ``data``; where these offer the outside option alone, at the scenario's.
    predict, by, **how
        As in `shares`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high``, by ``segment`` where there are any. The ends are NaN
        where the slope is not negative at some draw of the parameters, for a draw without a surplus
        has no place among the others: a warning, and the attribute ``note``, say at how many.

    Raises
    ------
    SpecificationError
        If the law of the price's coefficient has mass on both sides of 0, as a normal law has, its
        slope is not that of money, or is not negative at a fit's estimates or at a posterior's
        draws.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> dearer = data.with_attribute("pf", lambda rows: rows["pf"] + 1)  # cents, everywhere
    >>> change = bm.surplus(fit, data, price="pf", scenario=dearer, draws=20, rng=1)
    >>> float(change["estimate"].round(10))
    -1.0
    """
    before = enumerate_sample(result, data, Where(None, by, None, predict), settle(how, surplus))
    if scenario is not None:
        check_scenario(before.there.data, scenario)
    price = price_of(before.there.model, price)
    slope = price_slope(before.there, price)
    before.check_moved(slope.by, price)
    after = before if scenario is None else before.moved(scenario)
    if scenario is None:  # a change has no level, but a surplus has
        before = after = replace(before, there=written(before.there))

    refused: list[Array] = []
    empty = np.diff(before.there.data.situation_start) == 0
    own = price_slope(after.there, price) if empty.any() and scenario is not None else slope

    def quantity(theta: Array) -> Array:
        now = _mean(before, _surpluses(before, before, slope, theta))
        if scenario is None:
            value = now
        else:
            each = _surpluses(after, before, slope, theta)
            if empty.any():  # of the data there is no price: that of what is added is
                each = np.where(empty, _surpluses(after, after, own, theta), each)
            value = _mean(after, each) - now
        refused.append(np.isnan(value))
        return value

    values = before.of(quantity, "surplus")
    out = dataset(before, values, [], {})
    if np.any(refused):
        words = _note(before, values.estimate, np.array(refused), price)
        noted(out, words)
        warnings.warn(words, stacklevel=2)
    return squeezed(out, by)


def _note(found: Sample, estimate: Array, refused: Flags, price: str) -> str:
    """Why ends are missing, from where (N, G) there is no surplus; raises without an estimate."""
    draws = found.uncertainty.draws
    bad, at = int(refused.any(axis=1).sum()), len(refused)
    if len(refused) == draws:
        where = f"at {bad} of {draws} draws of the posterior ({bad / draws:.1%})"
    elif np.isnan(estimate).any():
        where = "at the estimate"
    elif draws:
        where = f"at {bad} of {draws} draws of the parameters ({bad / draws:.1%})"
    else:
        where = f"at {bad} of the {at - 1} points of the delta method, beside the estimate"
    what = f"utility does not fall in {price!r} for everybody {where}"
    other = remedy(found.there.model, price)
    if np.isnan(estimate).any():
        raise SpecificationError(f"{what}, and cannot be expressed in its units; {other}")
    names = [n for n, any_here in zip(found.names, refused.any(axis=0), strict=True) if any_here]
    segments = "" if len(found.names) == 1 else f", in segments {names}"
    return (
        f"{what}{segments}: there it is worth no money, so that the interval has no ends (NaN); "
        f"the estimate holds. The data hardly tell the slope from 0; {other}"
    )


def _surpluses(found: Sample, before: Sample, slope: Intervention, theta: Array) -> Array:
    """Surplus (T,) at one free vector; the slope in the price is that of ``before``."""
    own = Point(before.there, theta), before.pieces
    return np.concatenate(list(found.over(theta, _values, *own, *slope.beside(theta))))


def _mean(found: Sample, each: Array) -> Array:
    """Mean (G,) of situations' surplus (T,)."""
    return np.bincount(found.segments, found.weights * each, len(found.names)) / found.mass


def _values(here: Here, point: Point, sets: Piece, by: Point) -> Array:
    """Surplus of the situations of some persons, whose sets in the data are ``sets``."""
    slope = change(SLOPE, Here(point, here.people, sets), by)
    first = sets.panel.situation_start[:-1]
    price = slope._replace(x=slope.x[first], base=slope.base[first])
    if here.nests is None:
        value = money_logsums(here.panel, here.sets, here.base, price, here.mixture)
    else:
        persons = here.sets.person_start
        value = nested_money_logsums(here.rows, here.nests, persons, here.base, price, here.mixture)
    # Where the outside option is all that is offered there is no price, and nothing to gain.
    alone = here.point.persons.panel.outside & (np.diff(here.rows.situation_start) == 1)
    return np.where(alone, 0.0, value)
