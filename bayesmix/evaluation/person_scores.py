"""Log scores of what was left out, person by person: what models are compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.arrays import Array


@dataclass(frozen=True, eq=False, repr=False)
class LogScores:
    """Log scores of observations that were left out.

    Parameters
    ----------
    rows
        A row an observation, by its label: ``log score``, ``weight`` and what else is known.
    fingerprint
        Digest of the choices.
    unit
        What was left out, and how: models are compared in one unit.
    """

    rows: pd.DataFrame
    fingerprint: str
    unit: str

    @property
    def log_score(self) -> float:
        """Weighted sum of the log scores, ``sum_i w_i log p(y_i | others)``."""
        return float((self.rows["weight"] * self.rows["log score"]).sum())

    @property
    def std_error(self) -> float:
        """Standard error of the sum, as if persons were drawn anew."""
        return sum_error(self.rows["weight"] * self.rows["log score"])


def sum_error(values: pd.Series) -> float:
    """Standard error of a sum of independent values: of persons, where rows are their choices."""
    sums = by_person(values)
    n = len(sums)
    return float(np.sqrt(n * np.var(sums, ddof=1))) if n > 1 else float("nan")


def by_person(values: pd.Series) -> Array:
    """Sums over the rows of each person."""
    if isinstance(values.index, pd.MultiIndex):
        return values.groupby(level=0, sort=False).sum().to_numpy()
    return values.to_numpy(float)
