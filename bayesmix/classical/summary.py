"""Tables of estimates: their intervals, and the moments of coefficients that they imply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from bayesmix.arrays import Flags
from bayesmix.classical.delta import delta
from bayesmix.classical.estimates import OF_TYPES, Estimates
from bayesmix.classical.implied import implied_of, of_indices
from bayesmix.classical.intervals import boundary_notes, intervals, scales
from bayesmix.data.display import Table
from bayesmix.specification.parameter import (
    CORRELATION,
    LOGGED,
    Parameter,
)

NO_TYPE = -575.0
"""Log odds of a class against the largest, below which it stands for no type."""


def _errors(fit: Estimates, kind: str | None) -> pd.DataFrame:
    """Estimates and standard errors of a kind."""
    variances = np.diag(fit.covariance(kind).to_numpy())
    return pd.DataFrame({"estimate": fit.params, "std error": np.sqrt(variances)})


def confidence_intervals(fit: Estimates, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.confidence_intervals`."""
    table, parameters = _errors(fit, kind), fit.space.listed
    found = _intervals(fit, table, level).iloc[:, -2:]
    notes, words = held_notes(fit), scales(table, parameters)
    for name, side, bound in _cut(fit, table, level):
        words[name] += f", {side} cut at the bound {bound:g}"
    return Table(found.assign(scale=words.mask(notes != "", notes)))


def summary(fit: Estimates, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.summary`."""
    parameters = list(fit.space.listed)
    table = _intervals(fit, _errors(fit, kind), level)
    implied = implied_of(fit)
    if implied is not None:
        further = delta(fit, implied, kind, level)
        parameters += list(further.index)
        table = pd.concat([table, further.set_axis(further.index.map(str))])
    notes = boundary_notes(table, parameters)
    of_held = held_notes(fit).reindex(notes.index, fill_value="")
    notes = notes.mask(of_held != "", of_held)
    if fit.estimator in OF_TYPES:
        notes[:] = _type_notes(fit, parameters)
    of_scale = np.array([p.kind in LOGGED for p in parameters], dtype=bool)
    for names, words in (
        (of_scale, "z against 1"),
        (_about_indices(fit, parameters), "of the indices"),
    ):
        notes = notes.mask(names & (notes == ""), words)
    return Table(table.assign(note=notes) if (notes != "").any() else table)


def _intervals(fit: Estimates, table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Intervals of the parameters; those that are held are points."""
    found = intervals(table, [p.kind for p in fit.space.listed], level)
    for name, side, bound in _cut(fit, table, level):
        found.loc[name, found.columns[-2 if side == "low" else -1]] = bound
    held = fit.information.held
    if held is not None:
        for end in found.columns[-2:]:
            found.loc[held, end] = table["estimate"][held]
    return found


def _cut(
    fit: Estimates, table: pd.DataFrame, level: float
) -> Iterator[tuple[str, Literal["low", "high"], float]]:
    """Ends of intervals that are beyond a bound of the model, which its parameters keep."""
    ends = intervals(table, [p.kind for p in fit.space.listed], level).iloc[:, -2:]
    for name, low, high in fit.model.constraints.bounds:
        if name in ends.index:
            if ends.loc[name].iloc[0] < low:
                yield name, "low", low
            if ends.loc[name].iloc[1] > high:
                yield name, "high", high


def held_notes(fit: Estimates) -> pd.Series:
    """In words, which parameters are held, tied, or left undefined by others; "" elsewhere."""
    words = pd.Series("", index=fit.params.index, dtype=object)
    constraint = fit.information.constraint
    if constraint is None:
        return words
    for group in constraint.constraints.equal:
        for name in group:
            words[name] = f"equal to {', '.join(other for other in group if other != name)}"
    words[constraint.held] = "held"
    words[[name for name in fit.at_bounds if name in words]] = "at its bound"
    words[constraint.undefined] = "none: a standard deviation is held at 0"
    return words


def _type_notes(fit: Estimates, parameters: Sequence[Parameter]) -> list[str]:
    """Of types: that intervals are the bootstrap's, and which classes are replications' alone."""
    logs = fit.space.gamma(fit.theta)[:, 0]
    empty = logs - logs.max() < NO_TYPE
    return [
        "no type of these people: for replications that have more"
        if (number := p.number or (int(p.label) if p.label.isdigit() else 0)) and empty[number - 1]
        else "no covariance: intervals are the bootstrap's"
        for p in parameters
    ]


def _about_indices(fit: Estimates, parameters: Sequence[Parameter]) -> Flags:
    """Which rows are correlations of indices, whose maps to coefficients are not linear."""
    found = set(of_indices(fit.model))
    return np.array([p.kind == CORRELATION and p.terms in found for p in parameters], dtype=bool)
