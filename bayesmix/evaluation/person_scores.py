"""Log scores of what was left out, person by person: what models are compared by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.arrays import Array
from bayesmix.data.table import ChoiceTable


@dataclass(frozen=True, eq=False, repr=False)
class LogScores:
    """Log scores of observations that were left out.

    Parameters
    ----------
    rows
        A row an observation, by its label: ``log score``, ``weight`` and what else is known.
    digests
        Digest (rows,) of the choices and sets of each row's person, in the order of the rows.
    unit
        What was left out, and how: models are compared in one unit.
    """

    rows: pd.DataFrame
    digests: Array
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


def digests_of(data: ChoiceTable) -> Array:
    """Digest (I,) of what each person chose, out of which alternatives.

    Examples
    --------
    >>> from bayesmix import examples
    >>> from bayesmix.data.subset import take_persons
    >>> data = examples.electricity()
    >>> turned = take_persons(data, np.arange(data.n_persons)[::-1])
    >>> bool((digests_of(turned)[::-1] == digests_of(data)).all())
    True
    """
    found = []
    for first, last in zip(data.person_start[:-1], data.person_start[1:], strict=True):
        start = data.situation_start[first : last + 1]
        chosen = data.chosen_row[first:last]
        parts = (
            np.diff(start),
            data.alternative_code[start[0] : start[-1]],
            np.where(chosen >= 0, chosen - start[:-1], -1),
        )
        own = b"".join(np.ascontiguousarray(part, dtype="<i8").tobytes() for part in parts)
        found.append(hashlib.sha256(own).hexdigest()[:16])
    return np.array(found)
