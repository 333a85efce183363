"""Scores of predicted probabilities: arrays of probabilities and choices in, a record out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from bayesmix.arrays import Array, Indices
from bayesmix.data.display import html, whole

SAME = 1e-12
"""Probabilities that differ by less, relatively, are equal: both are the likeliest alternative."""


class Predicted(NamedTuple):
    """Predicted probabilities of n alternatives in T situations, and what was chosen there.

    Parameters
    ----------
    probability
        Of every alternative (n,), the outside option among them, situation by situation.
    start
        Where each situation begins among these, (T + 1,).
    chosen
        Place (T,) of the chosen alternative among the n.
    person
        Code (T,) of the person of each situation: 0, 1, ..., I - 1.
    weight
        Weight (T,) of each situation: its person's.
    """

    probability: Array
    start: Indices
    chosen: Indices
    person: Indices
    weight: Array


@dataclass(frozen=True, eq=False)
class Scores:
    """How well probabilities foretold choices.

    Parameters
    ----------
    table
        By score: ``mean`` over situations, ``std error`` by person, ``low`` and ``high`` of the
        interval, and ``equal shares``, the score of a guess that gives every alternative of
        a situation the same probability.
    situations
        A row a situation: its ``log score``, ``Brier score``, ``hit rate`` and ``expected hits``.
    persons, interval
        Number of persons, and probability of the intervals.
    notes
        In words, what was scored.
    """

    table: pd.DataFrame
    situations: pd.DataFrame
    persons: int
    interval: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "\n".join([self._heading, whole(self.table, "{:.4f}", blank="NaN"), *self.notes])

    def _repr_html_(self) -> str:
        lines = [self._heading, html(self.table, "{:.4f}", blank="NaN"), *self.notes]
        return "".join(line if line.startswith("<") else f"<p>{line}</p>" for line in lines)

    @property
    def _heading(self) -> str:
        return (
            f"Scores of {len(self.situations)} choices of {self.persons} persons, "
            f"{100 * self.interval:g} % intervals by person"
        )


def score_choices(
    found: Predicted, *, interval: float = 0.95, notes: tuple[str, ...] = ()
) -> Scores:
    """Log score, Brier score and hit rate of predicted probabilities, with intervals by person.

    - log score: ``log p_ty``, that of the probability of what was chosen; higher is better;
    - Brier score: ``sum_j (p_tj - 1[j = y_t])**2``, from 0 to 2; lower is better;
    - hit rate: whether the likeliest alternative was chosen (1/m where m are equally likely);
    - expected hits: ``max_j p_tj``, what the hit rate is expected to be if the probabilities hold.

    Means are weighted, ``sum_t w_t s_t / sum_t w_t``, and their standard errors those of a ratio of
    sums over persons, whose situations are one observation together (Cochran 1977, chapter 6).
    Intervals are Student's with I - 1 degrees of freedom; NaN of one person.

    Parameters
    ----------
    found
        Probabilities and choices. An alternative of probability 0 that was chosen has a log score
        of minus infinity, and so has the mean; probabilities that a model predicts are no smaller
        than 1e-308, whose logarithm is -708.
    interval
        Probability of the intervals.
    notes
        In words, what was scored.

    References
    ----------
    Gneiting and Raftery (2007); Brier (1950).

    Examples
    --------
    >>> found = Predicted(np.array([0.5, 0.5, 0.8, 0.2]), np.array([0, 2, 4]), np.array([0, 3]),
    ...                   np.array([0, 1]), np.ones(2))
    >>> score_choices(found).situations["Brier score"].round(2).tolist()
    [0.5, 1.28]
    """
    each = _each(found, found.probability)
    sizes = np.diff(found.start)
    equal = _each(found, np.repeat(1.0 / sizes, sizes))
    rows = {name: _mean(found, each[name].to_numpy(), interval) for name in each}
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["mean", "std error", "low", "high"]
    )
    table["equal shares"] = [np.average(equal[name], weights=found.weight) for name in table.index]
    return Scores(table, each, int(found.person.max()) + 1, interval, notes)


def _each(found: Predicted, probability: Array) -> pd.DataFrame:
    """Scores by situation."""
    first, sizes = found.start[:-1], np.diff(found.start)
    chosen = probability[found.chosen]
    best = np.maximum.reduceat(probability, first)
    likeliest = probability >= np.repeat(best, sizes) * (1 - SAME)
    with np.errstate(divide="ignore"):
        log_score = np.log(chosen)
    return pd.DataFrame(
        {
            "log score": log_score,
            "Brier score": np.add.reduceat(probability**2, first) - 2 * chosen + 1,
            "hit rate": likeliest[found.chosen] / np.add.reduceat(likeliest.astype(float), first),
            "expected hits": best,
        }
    )


def _mean(found: Predicted, values: Array, interval: float) -> tuple[float, float, float, float]:
    """Weighted mean, its standard error by person, and the interval's ends."""
    weight, persons = found.weight, int(found.person.max()) + 1
    total = float(weight.sum())
    mean = float(weight @ values) / total
    if not np.isfinite(mean) or persons < 2:
        return mean, np.nan, np.nan, np.nan
    sums = np.bincount(found.person, weight * (values - mean), persons)
    error = float(np.sqrt(persons / (persons - 1) * (sums @ sums))) / total
    width = float(stdtrit(persons - 1, 0.5 + interval / 2)) * error
    return mean, error, mean - width, mean + width
