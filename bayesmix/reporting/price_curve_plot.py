"""Share and revenue over prices."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from bayesmix.arrays import Array
from bayesmix.errors import SpecificationError
from bayesmix.picture import sheet
from bayesmix.reporting.matrix_words import one_segment

FINE = 60


def plot_price_curve(found: xr.Dataset, *, segment: object = None) -> Figure:
    """Share and revenue over prices with their bands, and the best price with its interval.

    Dots are the prices of the grid. Around the highest revenue the line is the parabola through
    three of them whose top is the best price, and share is that revenue by price.

    Parameters
    ----------
    found
        What ``bm.price_curve`` returned.
    segment
        Which segment, where there are any.

    Returns
    -------
    Figure
        Not known to pyplot: it appears in a notebook as the value of a cell, and
        ``figure.savefig(path)`` writes it whatever the backend.

    Raises
    ------
    SpecificationError
        If ``found`` is anything else, or its segment is not named.

    Examples
    --------
    >>> import bayesmix as bm
    >>> data = bm.examples.electricity()
    >>> fit = bm.msle(bm.MixedLogit("pf + cl + loc + wk + tod + seas"), data)
    >>> curve = bm.price_curve(fit, data, 1, price="pf", prices=range(2, 10), draws=20, rng=1)
    >>> [axis.get_ylabel() for axis in bm.plot_price_curve(curve).axes]
    ['share of 1', 'revenue, pf x share']
    """
    curve = one_segment(found, segment)
    if "best_price" not in curve:
        raise SpecificationError(
            f"argument 'found' must be what bm.price_curve returned, got dimensions "
            f"{curve['estimate'].dims}"
        )
    attribute = str(curve.attrs.get("attribute", "price"))
    whose = str(curve.attrs.get("alternative", "the alternative"))
    figure = sheet(7, 5)
    axes = figure.subplots(2, 1, sharex=True)
    price = curve["price"].to_numpy()
    revenue = curve["estimate"].sel(quantity="revenue").to_numpy()
    fine, top = through_top(price, revenue)
    lines = {"share": top / fine, "revenue": top} if (price > 0).all() else {}
    for number, (axis, name) in enumerate(zip(axes, ("share", "revenue"), strict=True)):
        own, color = curve.sel(quantity=name), f"C{number}"
        values = own["estimate"].to_numpy()
        axis.fill_between(price, own["low"], own["high"], color=color, alpha=0.25, lw=0)
        axis.plot(*((fine, lines[name]) if lines else (price, values)), color=color)
        axis.plot(price, values, "o", color=color, ms=3)
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    best, low, high = curve["best_price"].to_numpy()
    if np.isfinite([low, high]).all():
        axes[1].axvspan(low, high, color="0.3", alpha=0.12, lw=0)
    if np.isfinite(best):
        label = f"best {attribute}: {best:.4g}"
        if np.isfinite([low, high]).all():
            label += f" [{low:.4g}, {high:.4g}]"
        at = float(np.interp(best, fine, top))
        axes[1].plot([best, best], [0, at], color="0.3", lw=1)
        axes[1].plot(best, at, "D", color="0.2", ms=5, label=label)
        axes[1].legend(frameon=False, loc="lower right", fontsize=9)
    axes[0].set_ylabel(f"share of {whose}")
    axes[1].set_ylabel(f"revenue, {attribute} x share")
    axes[1].set_xlabel(f"{attribute} of {whose}")
    if segment is not None:
        axes[0].set_title(str(segment), loc="left", fontsize=10)
    return figure


def through_top(price: Array, revenue: Array) -> tuple[Array, Array]:
    """A curve through points: straight, but by the parabola through the three around the highest.

    >>> price = np.array([1.0, 2.0, 4.0, 5.0])
    >>> fine, top = through_top(price, price * (6.0 - price))
    >>> float(fine[top.argmax()].round(6)), float(top.max().round(6))
    (3.0, 9.0)
    """
    k = int(np.argmax(revenue))
    if not 0 < k < len(price) - 1:
        return price, revenue
    own = slice(k - 1, k + 2)
    curve = np.polynomial.Polynomial.fit(price[own], revenue[own], 2)
    slope = curve.deriv().roots().real
    inner = np.sort(np.append(np.linspace(price[k - 1], price[k + 1], FINE), [price[k], *slope]))
    fine = np.concatenate([price[: k - 1], inner, price[k + 2 :]])
    return fine, np.concatenate([revenue[: k - 1], curve(inner), revenue[k + 2 :]])
