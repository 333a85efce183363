"""Intervals of estimates on scales where they make sense, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from bayesmix import arguments
from bayesmix.arrays import Array, Flags
from bayesmix.specification.parameter import (
    CORRELATION,
    SD,
    SHARE_NEGATIVE,
    SHARE_POSITIVE,
    Kind,
    Parameter,
)


def intervals(table: pd.DataFrame, kinds: Sequence[Kind], level: float = 0.95) -> pd.DataFrame:
    """Add z ratios and confidence limits to a table of estimates and standard errors.

    The ratio is that of the distance from 0, and for the scale of a source of its logarithm's, on
    which its interval is made: both compare it with 1.

    Standard deviations have their limits on the log scale, correlations on Fisher's z scale, shares
    on the logit scale, as the ``kinds`` of the rows say. A standard deviation smaller than its
    error is hardly told from 0, which is its lower limit. A share nearer to 0 or 1 than its error
    has limits that are cut there.
    """
    arguments.real("level", level, above=0, below=1)
    q = ndtri(0.5 + level / 2)
    estimate, error = table["estimate"].to_numpy(float), table["std error"].to_numpy(float)
    low, high = estimate - q * error, estimate + q * error
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        positive = _on_scale(kinds, "log")
        clear = positive & (error <= estimate)
        factor = np.exp(q * error / estimate)
        low = np.where(positive, np.maximum(low, 0.0), low)
        low = np.where(clear, estimate / factor, low)
        high = np.where(clear, estimate * factor, high)
        bounded = _on_scale(kinds, "Fisher z")
        centre = np.arctanh(estimate, where=bounded, out=np.zeros_like(estimate))
        width = q * error / (1 - estimate**2)
        low = np.where(bounded, np.tanh(centre - width), low)
        high = np.where(bounded, np.tanh(centre + width), high)
        share = _on_scale(kinds, "logit")
        inside = np.where(share, np.clip(estimate, 0.0, 1.0), 0.5)
        odds = inside / (1 - inside)
        spread = np.exp(q * error / (inside * (1 - inside)))
        clear = error <= np.minimum(inside, 1 - inside)
        plain = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
        low = np.where(share, np.where(clear, odds / (odds + spread), plain[0]), low)
        high = np.where(share, np.where(clear, odds * spread / (1 + odds * spread), plain[1]), high)
        from_one = np.array([kind.neutral == 1.0 for kind in kinds], dtype=bool)
        distance = np.where(from_one, _from_one(estimate, error), estimate)
        z = np.where(error > 0, distance / error, np.nan)
    tail = 100 * (1 - level) / 2
    return table.assign(z=z, **{f"{tail:g} %": low, f"{100 - tail:g} %": high})


def _on_scale(kinds: Sequence[Kind], scale: str) -> Flags:
    return np.array([kind.scale == scale for kind in kinds], dtype=bool)


def _from_one(scale: Array, error: Array) -> Array:
    """Distance of scales from 1, in units in which their error is ``error``."""
    return np.where(error <= scale, scale * np.log(scale), scale - 1.0)


def scales(table: pd.DataFrame, parameters: Sequence[Parameter]) -> pd.Series:
    """In words, the scale of each row's interval, or why there is none."""
    words = np.array([parameter.kind.scale for parameter in parameters], dtype=object)
    words[(words == "log") & (table["std error"] > table["estimate"]).to_numpy()] = "cut at 0"
    notes = boundary_notes(table, parameters)
    return pd.Series(np.where(notes != "", notes, words), index=table.index)


def boundary_notes(table: pd.DataFrame, parameters: Sequence[Parameter]) -> pd.Series:
    """In words, why a row has no standard error; "" where it has one."""
    none = table["std error"].isna().to_numpy()
    kinds = np.array([parameter.kind.name for parameter in parameters], dtype=str)
    words = np.full(len(table), "", dtype=object)
    words[none] = "moves with a parameter at a boundary"
    words[none & (kinds == CORRELATION.name)] = "at a boundary"
    words[none & (kinds == SD.name)] = "at the boundary 0"
    zero = (table["estimate"] == 0).to_numpy()
    still = [p for p, is_zero in zip(parameters, zero, strict=True) if is_zero and p.kind == SD]
    for n, parameter in enumerate(parameters):
        if none[n] and np.isnan(table["estimate"].iloc[n]) and not _stands_still(parameter, still):
            words[n] = "not known: its series has not converged, or a law is too wide"
    # Averages over people are rounded, and so are their differences.
    share = table["estimate"].clip(0.0, 1.0)
    whole = (table["std error"] < 1e-8) & (np.minimum(share, 1.0 - share) < 1e-12)
    one_sign = np.isin(kinds, [SHARE_POSITIVE.name, SHARE_NEGATIVE.name])
    words[whole & one_sign] = "everybody has one sign: no interval"
    if none.all() and len(none):
        words[:] = "no maximum: the curvature is not that of one"
    return pd.Series(words, index=table.index)


def _stands_still(parameter: Parameter, still: Sequence[Parameter]) -> bool:
    """Whether a coefficient that it is about has a standard deviation of 0, in its class too."""
    return any(
        set(sd.terms) <= set(parameter.terms) and sd.number in (None, parameter.number)
        for sd in still
    )
