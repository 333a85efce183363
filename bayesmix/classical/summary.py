"""Tables of estimates: their intervals, and the moments of coefficients that they imply."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesmix.arrays import Flags
from bayesmix.classical.delta import delta
from bayesmix.classical.estimates import Estimates
from bayesmix.classical.implied import implied_of, of_indices
from bayesmix.classical.intervals import boundary_notes, intervals, scales
from bayesmix.data.display import Table


def _errors(fit: Estimates, kind: str | None) -> pd.DataFrame:
    """Estimates and standard errors of a kind."""
    variances = np.diag(fit.covariance(kind).to_numpy())
    return pd.DataFrame({"estimate": fit.params, "std error": np.sqrt(variances)})


def confidence_intervals(fit: Estimates, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.confidence_intervals`."""
    table = _errors(fit, kind)
    return Table(intervals(table, level).iloc[:, -2:].assign(scale=scales(table)))


def summary(fit: Estimates, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.summary`."""
    table = intervals(_errors(fit, kind), level)
    implied = implied_of(fit)
    if implied is not None:
        table = pd.concat([table, delta(fit, implied, kind, level)])
    notes = boundary_notes(table)
    for names, words in (
        (table.index.str.startswith("scale["), "z against 1"),
        (_about_indices(fit, table.index), "of the indices"),
    ):
        notes = notes.mask(names & (notes == ""), words)
    return Table(table.assign(note=notes) if (notes != "").any() else table)


def _about_indices(fit: Estimates, names: pd.Index) -> Flags:
    """Which rows are correlations of indices, whose maps to coefficients are not linear."""
    found = tuple(f"corr[{pair}" for pair in of_indices(fit.model))
    ends = names.str.replace(r"(, \d+)?\]$", "", regex=True)
    return np.asarray(ends.isin(found))
