"""What maketables asks of results, by attributes alone: it makes tables of many packages' fits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from bayesmix.classical.estimates import Estimates

TESTED = ("mean", "fixed", "shift")
"""Kinds of parameters for which 0 is a value like others: of these alone there are p-values."""
LABELS = {
    "N": "Persons",
    "situations": "Situations",
    "ll": "Log-likelihood",
    "aic": "AIC",
    "bic": "BIC",
    "grid": "Grid",
    "method": "Estimator",
}


def coefficients(fit: Estimates) -> pd.DataFrame:
    """Estimates ``b``, robust standard errors ``se``, ratios ``t`` and two-sided p-values ``p``."""
    error = fit.std_errors
    known = error.where(error > 0)
    tested = np.array([parameter.kind.name in TESTED for parameter in fit.space.listed], dtype=bool)
    t = (fit.params / known).where(tested)
    table = pd.DataFrame({"b": fit.params, "se": known, "t": t, "p": 2 * ndtr(-np.abs(t))})
    table.index.name = "Coefficient"
    return table


def statistic(fit: Estimates, key: str) -> Any:
    """One of `LABELS`; None of what is not known."""
    found = {
        "N": fit.n_persons,
        "situations": fit.n_situations,
        "ll": fit.loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "grid": str(fit.grid.rule) if fit.space.n_random else None,
        "method": fit.estimator,
    }.get(key)
    return None if isinstance(found, float) and np.isnan(found) else found
