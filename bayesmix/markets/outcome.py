"""What a change of markets does: tables of products, firms, markets and segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.arguments import one_of

PARTS = ("products", "firms", "markets", "segments")
SHOWN = 24
"""Rows of a table that are printed."""


@dataclass(frozen=True, eq=False, repr=False)
class Counterfactual:
    """Markets before and after a merger, an entry or a tax, with intervals.

    Each part is a Dataset with ``estimate``, ``low`` and ``high`` by ``quantity``. Money is in
    units of the price, and a choice situation: times the number of situations of a market it is
    the market's. NaN where there is none.

    Attributes
    ----------
    title
        What it is.
    products
        By ``market`` and ``product``: prices, shares and marginal costs (without taxes), before and
        after; ``price_change``, relative to the price before (0.1 for 10 %). ``unsolved`` counts,
        by market, draws of the parameters without an equilibrium, of which intervals know nothing.
    firms
        By ``market`` and ``firm``, as owned afterwards: profits, and their change.
    markets
        By ``market``: the Herfindahl-Hirschman index of what is sold (0 to 10,000), the part of
        situations in which something is bought, and changes of profits, taxes, consumer surplus
        and their sum.
    segments
        By ``segment``: the change of consumer surplus.
    note
        What is to be known of the intervals; "" without any.
    """

    title: str
    products: xr.Dataset
    firms: xr.Dataset
    markets: xr.Dataset
    segments: xr.Dataset
    note: str

    def frame(self, part: str = "products") -> pd.DataFrame:
        """A part as a table: a row for each market and product (or firm), columns by quantity.

        Parameters
        ----------
        part
            ``"products"``, ``"firms"``, ``"markets"`` or ``"segments"``.
        """
        found: xr.Dataset = getattr(self, one_of("part", part, PARTS))
        rows = [str(name) for name in found["estimate"].dims if name != "quantity"]
        ends = ["estimate", "low", "high"]
        stacked = found[ends].to_array("end").stack(row=rows)
        table = stacked.transpose("row", "quantity", "end")
        columns = pd.MultiIndex.from_product([found["quantity"].to_numpy(), ends])
        index = pd.MultiIndex.from_tuples(table["row"].to_numpy().tolist(), names=rows)
        values = table.to_numpy().reshape(len(index), -1)
        out = pd.DataFrame(values, index, columns)
        return out[np.isfinite(values).any(axis=1)]

    def __repr__(self) -> str:
        tables = [f"{part}\n{self._estimates(part).to_string(max_rows=SHOWN)}" for part in PARTS]
        return "\n\n".join([self._heading(), *tables])

    def _repr_html_(self) -> str:
        tables = [
            f"<h4>{part}</h4>{self._estimates(part).to_html(max_rows=SHOWN, border=0)}"
            for part in PARTS
        ]
        return f"<p>{self._heading()}</p>{''.join(tables)}"

    def _heading(self) -> str:
        level = self.products.attrs["interval"]
        words = f"{self.title}: estimates, and intervals of {level:.0%} in brackets"
        units = (
            "price_change is relative (0.1 is 10 %); profits, taxes and surplus are in units of "
            "the price, a choice situation"
        )
        left = self.products.attrs.get("left_out", "")
        notes = units, self.note, left and f"without {left}"
        return "\n".join([words, *filter(None, notes)])

    def _estimates(self, part: str) -> pd.DataFrame:
        """Estimates with their intervals, as text."""
        table = self.frame(part)
        names = list(dict.fromkeys(table.columns.get_level_values(0)))
        return pd.DataFrame({name: _texts(table[name]) for name in names}, index=table.index)


def _texts(table: pd.DataFrame) -> list[str]:
    """Numbers with their intervals in brackets, and "" where there are none."""
    return [
        f"{a:.4g}{f' [{b:.4g}, {c:.4g}]' if np.isfinite(b) else ''}" if np.isfinite(a) else ""
        for a, b, c in table.itertuples(index=False)
    ]
