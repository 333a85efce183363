"""Intervals of estimates on scales where they make sense, and why there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesmix import arguments
from bayesmix.arrays import Array


def intervals(table: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Add z ratios and confidence limits to a table of estimates and standard errors.

    The ratio is that of the distance from 0, and for the scale of a source of its logarithm's, on
    which its interval is made: both compare it with 1.

    Standard deviations have their limits on the log scale, correlations on Fisher's z scale, shares
    on the logit scale. A standard deviation smaller than its error is hardly told from 0, which is
    its lower limit. A share nearer to 0 or 1 than its error has limits that are cut there.
    """
    arguments.real("level", level, above=0, below=1)
    q = norm.ppf(0.5 + level / 2)
    estimate, error = table["estimate"].to_numpy(float), table["std error"].to_numpy(float)
    low, high = estimate - q * error, estimate + q * error
    labels = table.index.astype(str)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        positive = labels.str.startswith(("sd[", "implied sd[", "scale["))
        clear = positive & (error <= estimate)
        factor = np.exp(q * error / estimate)
        low = np.where(positive, np.maximum(low, 0.0), low)
        low = np.where(clear, estimate / factor, low)
        high = np.where(clear, estimate * factor, high)
        bounded = labels.str.startswith(("corr[", "implied corr["))
        centre = np.arctanh(estimate, where=bounded, out=np.zeros_like(estimate))
        width = q * error / (1 - estimate**2)
        low = np.where(bounded, np.tanh(centre - width), low)
        high = np.where(bounded, np.tanh(centre + width), high)
        share = labels.str.startswith(("class share[", "share positive[", "share negative["))
        within = np.where(share, np.clip(estimate, 0.0, 1.0), 0.5)
        odds = within / (1 - within)
        spread = np.exp(q * error / (within * (1 - within)))
        clear = error <= np.minimum(within, 1 - within)
        plain = np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)
        low = np.where(share, np.where(clear, odds / (odds + spread), plain[0]), low)
        high = np.where(share, np.where(clear, odds * spread / (1 + odds * spread), plain[1]), high)
        distance = np.where(labels.str.startswith("scale["), _from_one(estimate, error), estimate)
        z = np.where(error > 0, distance / error, np.nan)
    tail = 100 * (1 - level) / 2
    return table.assign(z=z, **{f"{tail:g} %": low, f"{100 - tail:g} %": high})


def _from_one(scale: Array, error: Array) -> Array:
    """Distance of scales from 1, in units in which their error is ``error``."""
    return np.where(error <= scale, scale * np.log(scale), scale - 1.0)


def scales(table: pd.DataFrame) -> pd.Series:
    """In words, the scale of each row's interval, or why there is none."""
    names, error = table.index.astype(str), table["std error"]
    words = np.full(len(table), "identity", dtype=object)
    positive = names.str.startswith(("sd[", "implied sd[", "scale["))
    words[positive] = "log"
    words[positive & (error > table["estimate"]).to_numpy()] = "cut at 0"
    words[names.str.startswith(("corr[", "implied corr["))] = "Fisher z"
    words[names.str.startswith(("class share[", "share positive[", "share negative["))] = "logit"
    notes = boundary_notes(table)
    return pd.Series(np.where(notes != "", notes, words), index=table.index)


def boundary_notes(table: pd.DataFrame) -> pd.Series:
    """In words, why a row has no standard error; "" where it has one."""
    names, none = table.index.astype(str), table["std error"].isna().to_numpy()
    words = np.full(len(table), "", dtype=object)
    words[none] = "moves with a parameter at a boundary"
    words[none & names.str.startswith("corr[")] = "at a boundary"
    words[none & names.str.startswith("sd[")] = "at the boundary 0"
    for n, name in enumerate(names):
        if none[n] and np.isnan(table["estimate"].iloc[n]) and not _stands_still(name, table):
            words[n] = "not known: its series has not converged, or a law is too wide"
    # Averages over people are rounded, and so are their differences.
    share = table["estimate"].clip(0.0, 1.0)
    whole = (table["std error"] < 1e-8) & (np.minimum(share, 1.0 - share) < 1e-12)
    words[whole & names.str.startswith("share ")] = "everybody has one sign: no interval"
    if none.all():
        words[:] = "no maximum: the curvature is not that of one"
    return pd.Series(words, index=table.index)


def _stands_still(name: str, table: pd.DataFrame) -> bool:
    """Whether a coefficient of an implied correlation has a standard deviation of 0."""
    zero = table.index[(table["estimate"] == 0).to_numpy()].astype(str)
    labels = [label for label in zero if label.startswith("sd[")]
    terms = set(_inside(name).split(", "))
    return any(set(_inside(label).split(", ")) <= terms for label in labels)


def _inside(name: str) -> str:
    return name[name.index("[") + 1 : -1] if "[" in name else name
