"""Results of demand as tables; pandas writes them as HTML and CSV, `to_latex` as LaTeX."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd
import xarray as xr

from bayesmix.arguments import flag, whole
from bayesmix.data.display import Table
from bayesmix.errors import SpecificationError


def demand_table(found: xr.Dataset, *, digits: int = 3, intervals: bool = True) -> pd.DataFrame:
    """Estimates with their intervals as text, ``0.441 [0.402, 0.480]``.

    Parameters
    ----------
    found
        What a function of demand returned: with ``estimate``, ``low`` and ``high``.
    digits
        Decimals.
    intervals
        Whether intervals follow the estimates.

    Returns
    -------
    DataFrame
        The last dimension by column, the others by row; where there is one only, by row, in a
        column ``"estimate"``. Blank where there is no number. ``.to_html()`` writes it as HTML,
        `to_latex` as LaTeX. Printed, columns that find no place beside each other follow below.

    Raises
    ------
    SpecificationError
        If ``found`` is no such result.

    Examples
    --------
    >>> found = xr.Dataset({n: ("alternative", [v]) for n, v in zip(
    ...     ("estimate", "low", "high"), (0.5, 0.4, 0.6), strict=True)}, {"alternative": ["bus"]})
    >>> demand_table(found, digits=1).loc["bus", "estimate"]
    '0.5 [0.4, 0.6]'
    """
    check_demand(found)
    whole("digits", digits, least=0)
    flag("intervals", intervals)
    dims = list(found["estimate"].dims)
    series = {n: _flat(found[n]) for n in ("estimate", "low", "high")}
    text = pd.Series(
        [
            cell(e, low, high, digits, intervals)
            for e, low, high in zip(*series.values(), strict=True)
        ],
        index=series["estimate"].index,
        name="estimate",
    )
    if len(dims) < 2:
        return Table(text.to_frame())
    wide = text.unstack(dims[-1])
    order = found[dims[-1]].to_numpy().tolist()
    return Table(wide[order].reindex(_index(found["estimate"], dims[:-1])))


def check_demand(found: Any, name: str = "found") -> None:
    """Refuse what is not a result of demand.

    Raises
    ------
    SpecificationError
        If it is no Dataset with ``estimate``, ``low`` and ``high``.
    """
    has = list(found.data_vars) if isinstance(found, xr.Dataset) else []
    if not {"estimate", "low", "high"} <= set(has):
        raise SpecificationError(
            f"argument {name!r} must be what a function of demand returned, with 'estimate', 'low' "
            f"and 'high', such as bm.shares(fit, data); got a {type(found).__name__}"
            + (f" of {has}" if has else "")
        )


def _flat(values: xr.DataArray) -> pd.Series:
    """One number a row, by the labels of all dimensions."""
    return pd.Series(values.to_numpy().ravel(), index=_index(values, values.dims))


def _index(values: xr.DataArray, dims: Sequence[Hashable]) -> pd.Index:
    """Labels of some dimensions, the last fastest."""
    levels = [pd.Index(values[d].to_numpy().tolist(), name=str(d)) for d in dims]
    if len(levels) > 1:
        return pd.MultiIndex.from_product(levels)
    return levels[0] if levels else pd.Index([""])


def cell(estimate: float, low: float, high: float, digits: int = 3, intervals: bool = True) -> str:
    """An estimate with its interval as text; blank where there is none."""
    if pd.isna(estimate):
        return ""
    words = f"{estimate:.{digits}f}"
    return f"{words} [{low:.{digits}f}, {high:.{digits}f}]" if intervals else words
