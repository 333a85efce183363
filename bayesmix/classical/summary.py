"""Tables of estimates: intervals on scales where they make sense, moments of lognormal laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesmix.errors import SpecificationError
from bayesmix.specification.model import MixedLogit

if TYPE_CHECKING:
    from bayesmix.classical.fit import Fit


def intervals(table: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Add z ratios and confidence limits to a table of estimates and standard errors.

    Standard deviations have their limits on the log scale, correlations on Fisher's z scale. A
    standard deviation smaller than its error is hardly told from 0, which is its lower limit.
    """
    if not 0 < level < 1:
        raise SpecificationError(f"argument 'level' must be between 0 and 1, got {level}")
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
        bounded = labels.str.startswith("corr[")
        centre = np.arctanh(estimate, where=bounded, out=np.zeros_like(estimate))
        width = q * error / (1 - estimate**2)
        low = np.where(bounded, np.tanh(centre - width), low)
        high = np.where(bounded, np.tanh(centre + width), high)
        z = estimate / error
    tail = 100 * (1 - level) / 2
    return table.assign(z=z, **{f"{tail:g} %": low, f"{100 - tail:g} %": high})


def scales(table: pd.DataFrame) -> pd.Series:
    """In words, the scale of each row's interval, or why there is none."""
    names, error = table.index.astype(str), table["std error"]
    words = np.full(len(table), "identity", dtype=object)
    positive = names.str.startswith(("sd[", "implied sd[", "scale["))
    words[positive] = "log"
    words[positive & (error > table["estimate"]).to_numpy()] = "cut at 0"
    words[names.str.startswith("corr[")] = "Fisher z"
    notes = boundary_notes(table)
    return pd.Series(np.where(notes != "", notes, words), index=table.index)


def boundary_notes(table: pd.DataFrame) -> pd.Series:
    """In words, why a row has no standard error; "" where it has one."""
    names, none = table.index.astype(str), table["std error"].isna().to_numpy()
    words = np.full(len(table), "", dtype=object)
    words[none] = "moves with a parameter at a boundary"
    words[none & names.str.startswith("corr[")] = "at a boundary"
    words[none & names.str.startswith("sd[")] = "at the boundary 0"
    if none.all():
        words[:] = "no maximum: the curvature is not that of one"
    return pd.Series(words, index=table.index)


def _errors(fit: Fit, kind: str | None) -> pd.DataFrame:
    """Estimates and standard errors of a kind."""
    variances = np.diag(fit.covariance(kind).to_numpy())
    return pd.DataFrame({"estimate": fit.params, "std error": np.sqrt(variances)})


def confidence_intervals(fit: Fit, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.confidence_intervals`."""
    table = _errors(fit, kind)
    return intervals(table, level).iloc[:, -2:].assign(scale=scales(table))


def summary(fit: Fit, level: float, kind: str | None) -> pd.DataFrame:
    """`Fit.summary`."""
    table = intervals(_errors(fit, kind), level)
    implied = implied_moments(fit.model)
    if implied is not None:
        table = pd.concat([table, fit.delta(implied, kind, level)])
    notes = boundary_notes(table)
    return table.assign(note=notes) if (notes != "").any() else table


def implied_moments(model: MixedLogit) -> Callable[[pd.Series], pd.Series] | None:
    """Moments of the lognormal coefficients as a function of the parameters; None without any."""
    # With covariates every person has moments of their own.
    lognormal = [c for c in model.coefficients if c.lognormal and c.mean in ("0", "1")]
    if not lognormal:
        return None

    def moments(params: pd.Series) -> pd.Series:
        values = {}
        for c in lognormal:
            m = params[f"mean[{c.term}]"] if c.mean == "1" else 0.0
            s = params[f"sd[{c.term}]"]
            centre = np.exp(m + s**2 / 2)
            values[f"implied mean[{c.term}]"] = c.sign * centre
            values[f"implied median[{c.term}]"] = c.sign * np.exp(m)
            values[f"implied sd[{c.term}]"] = centre * np.sqrt(np.expm1(s**2))
        return pd.Series(values)

    return moments
