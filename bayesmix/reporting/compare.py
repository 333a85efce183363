"""Estimates of several fits, Bayesian and classical, side by side."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import pandas as pd
import xarray as xr

from bayesmix.reporting.draws import SAMPLE_DIMS, flat_items


@runtime_checkable
class Estimates(Protocol):
    """What a classical fit offers: two Series by flat name (a `Fit` does)."""

    @property
    def params(self) -> pd.Series: ...

    @property
    def std_errors(self) -> pd.Series: ...


def compare(
    fits: Mapping[str, xr.DataTree | Estimates], *, differences: bool = False
) -> pd.DataFrame:
    """Put the estimates of several fits side by side.

    Parameters
    ----------
    fits
        By label: a posterior (DataTree, of which mean and standard deviation are taken) or a `Fit`
        (estimate and standard error).
    differences
        Adds, for every fit but the first, its estimate minus the first one's, in standard errors
        (posterior standard deviations) of the first.

    Returns
    -------
    DataFrame (P, 2 or 3 columns a fit)
        Rows by flat name, in order of first appearance; columns (label, "estimate" | "std error" |
        "difference"). A parameter that a fit does not have is NaN there.

    Raises
    ------
    TypeError
        For a value of another type, or an empty mapping.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> fit = SimpleNamespace(
    ...     params=pd.Series({"mean[pf]": -1.0}), std_errors=pd.Series({"mean[pf]": 0.02})
    ... )
    >>> other = SimpleNamespace(params=fit.params + 0.01, std_errors=fit.std_errors)
    >>> table = compare({"MSLE": fit, "again": other}, differences=True)
    >>> float(table.loc["mean[pf]", ("again", "difference")].round(3))
    0.5
    """
    if not isinstance(fits, Mapping):
        raise TypeError(
            f"compare: expected fits by label, e.g. {{'MSLE': fit}}, got {type(fits).__name__}"
        )
    columns = {label: _estimates(label, fit) for label, fit in fits.items()}
    if not columns:
        raise TypeError("compare needs at least one fit, e.g. compare({'MSLE': fit}); got none")
    rows = list(dict.fromkeys(name for table in columns.values() for name in table.index))
    columns = {label: table.reindex(rows) for label, table in columns.items()}
    if differences:
        first = next(iter(columns.values()))
        for table in list(columns.values())[1:]:
            table["difference"] = (table["estimate"] - first["estimate"]) / first["std error"]
    result = pd.concat(columns, axis="columns")
    result.index.name = "parameter"
    return result


def _estimates(label: str, fit: xr.DataTree | Estimates) -> pd.DataFrame:
    """(P, 2): estimate and standard error by flat name."""
    if isinstance(fit, xr.DataTree):
        return _moments(label, fit)
    if isinstance(fit, Estimates):
        return pd.DataFrame({"estimate": fit.params, "std error": fit.std_errors})
    raise TypeError(
        f"compare: {label!r} is a {type(fit).__name__}; expected a posterior (DataTree) or a Fit"
    )


def _moments(label: str, posterior: xr.DataTree) -> pd.DataFrame:
    if "posterior" not in posterior.children:
        raise TypeError(
            f"compare: the DataTree {label!r} has no group 'posterior' (it has "
            f"{sorted(posterior.children)}); hand over what bm.sample returned"
        )
    dataset = posterior["posterior"].to_dataset()
    return pd.DataFrame.from_dict(
        {
            name: (float(draws.mean(SAMPLE_DIMS)), float(draws.std(SAMPLE_DIMS, ddof=1)))
            for name, draws in flat_items(dataset)
        },
        orient="index",
        columns=["estimate", "std error"],
    )
