"""Consumer surplus in money: logsums (Small and Rosen 1981; Train 2009, chapter 3)."""

from __future__ import annotations

from typing import Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.interventions import Intervention
from bayesmix.demand.money import REMEDY, price_slope
from bayesmix.demand.options import How, Options
from bayesmix.demand.sample import Sample, dataset, sample, squeezed
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.logsums import money_logsums

Array = NDArray[np.float64]


def surplus(
    result: Fit | xr.DataTree,
    data: ChoiceData,
    *,
    price: str = "price",
    scenario: ChoiceData | None = None,
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
        The column of prices. Utility must be linear in it, with one slope for all alternatives of
        a situation (``price + price:income`` is), negative for everybody.
    scenario
        Made from ``data``: the surplus is then the change from ``data`` to it, at the slopes in the
        price of ``data``.
    by, **how
        As in `shares`.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``low`` and ``high``, by ``segment`` where there are any. NaN ends where the
        slope is not negative at some draw of the parameters.

    Raises
    ------
    SpecificationError
        If the law of the price's coefficient has mass on both sides of 0, as a normal law has, or
        its slope is not that of money.

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
    before = sample(result, data, None, by, How(**how))
    slope = price_slope(before.there, price)
    after = before if scenario is None else before.moved(scenario)

    def quantity(theta: Array) -> Array:
        now = _mean(before, before, slope, theta)
        return now if scenario is None else _mean(after, before, slope, theta) - now

    values = before.of(quantity, "surplus")
    if np.isnan(values.estimate).any():
        raise SpecificationError(
            f"utility does not fall in {price!r} for everybody at the estimate, and cannot be "
            f"expressed in its units; {REMEDY}"
        )
    return squeezed(dataset(before, values, [], {}), by)


def _mean(found: Sample, before: Sample, slope: Intervention, theta: Array) -> Array:
    """Surplus (G,) at one free vector; the slope in the price is that of the data."""
    each = []
    for part, was in zip(found.pieces, before.pieces, strict=True):
        change, first = slope.change(before, was, theta), was.panel.situation_start[:-1]
        price = change._replace(x=change.x[first], base=change.base[first])
        base, mixture = found.base(part, theta), found.mixture(part, theta)
        each.append(money_logsums(found.panel(part, theta), part.sets, base, price, mixture))
    weighted = found.weights * np.concatenate(each)
    return np.bincount(found.segments, weighted, len(found.names)) / found.mass
