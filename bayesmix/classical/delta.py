"""Functions of the parameters, with standard errors by the delta method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.arrays import Array, Flags
from bayesmix.classical.estimates import Estimates
from bayesmix.classical.intervals import intervals
from bayesmix.data.columns import nearest
from bayesmix.errors import SpecificationError
from bayesmix.specification.parameter import VALUE, Kind, Parameter

STEP = 1e-6
"""Step of the central differences, in units of a parameter (or of 1, for small ones)."""
VISIBLE, ROUNDED = 1.0, 1e-6
"""A step of parameters without a standard error, and part of a value below which it has not moved:
small steps would tell by where between 0 and the step an optimiser stopped."""


def delta(
    fit: Estimates, function: Callable[[pd.Series], Any], kind: str | None, level: float
) -> pd.DataFrame:
    """`Fit.delta`."""
    params = fit.params
    value = _series(function, params)
    held = fit.information.held
    constants = np.zeros(len(params), dtype=bool) if held is None else held
    covariance = fit.covariance(kind).to_numpy()
    # A parameter without a standard error spoils the results that move with it, no others.
    unknown = np.isnan(np.diag(covariance))
    jacobian = _jacobian(function, params, value.index, constants | unknown)
    variances = np.einsum("ap,pq,aq->a", jacobian, np.nan_to_num(covariance), jacobian)
    for p in np.flatnonzero(unknown & ~constants):
        variances[_moves(function, params, value, int(p))] = np.nan
    table = pd.DataFrame({"estimate": value, "std error": np.sqrt(variances)})
    return intervals(table, [_kind(fit, name) for name in table.index], level)


def _moves(
    function: Callable[[pd.Series], Any], params: pd.Series, value: pd.Series, place: int
) -> Flags:
    """Which of the values (n,) move with a parameter; all where it cannot be moved either way."""
    found = np.ones(len(value), dtype=bool)
    for sign in (1.0, -1.0):
        moved = params.copy()
        moved.iloc[place] += sign * VISIBLE * max(1.0, abs(params.iloc[place]))
        there = _series(function, moved)
        if there.index.equals(value.index):
            change = np.abs((there - value).to_numpy())
            still = change <= ROUNDED * np.abs(value.to_numpy())
            found &= ~still | np.isnan(change)
    return found


def _kind(fit: Estimates, name: object) -> Kind:
    """What a value is: of a user's function, what the parameter of that name is."""
    if isinstance(name, Parameter):
        return name.kind
    return next((p.kind for p in fit.space.listed if str(p) == name), VALUE)


def _jacobian(
    function: Callable[[pd.Series], Any], params: pd.Series, names: pd.Index, constants: Flags
) -> Array:
    """Derivatives (n, P) by central differences; 0 in parameters that are constants."""
    columns = []
    for p, value in enumerate(params):
        if constants[p]:
            columns.append(np.zeros(len(names)))
            continue
        step = STEP * max(1.0, abs(value))
        up, down = params.copy(), params.copy()
        up.iloc[p] += step
        down.iloc[p] -= step
        ends = [_series(function, at) for at in (up, down)]
        if not all(end.index.equals(names) for end in ends):
            raise SpecificationError(
                "the function of delta() has other names, or another number of values, when "
                f"{params.index[p]} changes by {step:g}: they must not depend on the parameters"
            )
        columns.append((ends[0] - ends[1]).to_numpy() / (2 * step))
    return np.column_stack(columns)


def _series(function: Callable[[pd.Series], Any], params: pd.Series) -> pd.Series:
    """The function's values (n,) as a Series, whether it returns a number, a vector or names."""
    try:
        found = function(params.copy())
    except KeyError as error:
        name = error.args[0] if error.args else ""
        if not isinstance(name, str) or name in params.index:
            raise
        raise SpecificationError(
            f"the function of delta() asks for {name!r}, which is no parameter: "
            f"{nearest(name, params.index)}"
        ) from error
    if isinstance(found, pd.Series | Mapping):
        series = pd.Series(found)
    else:
        values = np.atleast_1d(np.asarray(found))
        name = getattr(function, "__name__", "value").replace("<lambda>", "value")
        labels = [name] if np.ndim(found) == 0 else [f"{name}[{n}]" for n in range(len(values))]
        series = pd.Series(values, index=labels) if values.ndim == 1 else pd.Series(dtype=object)
    numeric = pd.to_numeric(series, errors="coerce").astype(float)
    if not len(series) or numeric.isna().to_numpy().any() > series.isna().to_numpy().any():
        raise SpecificationError(
            f"the function of delta() returned {type(found).__name__}: expected a number, a vector "
            "of numbers, or a Series or dict of numbers by name"
        )
    return numeric
