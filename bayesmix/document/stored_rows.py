"""Results that were stored a number a row, as tables of estimates with their intervals."""

from __future__ import annotations

import pandas as pd

from bayesmix.document.html import folded, table
from bayesmix.reporting.demand_tables import cell

ENDS = ["estimate", "low", "high"]
MOST_ROWS = 40
"""Up to which a table stands open: beyond, it is behind a line."""


def stored_rows(rows: pd.DataFrame) -> str:
    """Rows of one result, with the last of their labels by column where there are several.

    Columns are labels, and ``estimate``, ``low`` and ``high``, or one number without an interval.
    Labels that no row has are left out.
    """
    labels = [n for n in rows.columns if n not in ENDS and rows[n].notna().any()]
    if "estimate" not in rows:
        values = rows[labels.pop()].astype(object)
    else:
        values = pd.Series([cell(*row) for row in rows[ENDS].to_numpy(float)], rows.index)
    if len(labels) < 2:
        heads = pd.Index(rows[labels[0]].tolist() if labels else [""] * len(rows))
        named = heads.rename(labels[0] if labels else None)
        wide = pd.DataFrame({"estimate": values.to_numpy()}, named)
    else:
        index = pd.MultiIndex.from_frame(rows[labels].astype(object))
        wide = pd.Series(values.to_numpy(), index).unstack(labels[-1], sort=False)
        wide = wide.astype(object).where(wide.notna(), None)
    shown = table(wide)
    return shown if len(wide) <= MOST_ROWS else folded(f"{len(wide)} rows", shown)
