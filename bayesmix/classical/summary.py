"""Tables of estimates: intervals on scales where they make sense, moments of lognormal laws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import norm

from bayesmix.specification.model import MixedLogit


def intervals(table: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Add z ratios and confidence limits to a table of estimates and standard errors.

    Standard deviations have their limits on the log scale, correlations on Fisher's z scale. A
    standard deviation smaller than its error is hardly told from 0, which is its lower limit.
    """
    q = norm.ppf(0.5 + level / 2)
    estimate, error = table["estimate"].to_numpy(float), table["std error"].to_numpy(float)
    low, high = estimate - q * error, estimate + q * error
    labels = table.index.astype(str)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        positive = labels.str.startswith(("sd[", "implied sd["))
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


def implied_moments(model: MixedLogit) -> Callable[[pd.Series], pd.Series] | None:
    """Moments of the lognormal coefficients as a function of the parameters; None without any."""
    lognormal = [c for c in model.coefficients if c.lognormal]
    if not lognormal:
        return None

    def moments(params: pd.Series) -> pd.Series:
        values = {}
        for c in lognormal:
            m, s = params[f"mean[{c.term}]"], params[f"sd[{c.term}]"]
            centre = np.exp(m + s**2 / 2)
            values[f"implied mean[{c.term}]"] = c.sign * centre
            values[f"implied median[{c.term}]"] = c.sign * np.exp(m)
            values[f"implied sd[{c.term}]"] = centre * np.sqrt(np.expm1(s**2))
        return pd.Series(values)

    return moments
