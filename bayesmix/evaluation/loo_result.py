"""The record of `bm.loo`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from bayesmix.data.display import html, whole
from bayesmix.evaluation.person_scores import LogScores

PSIS = "weights"
OF_CHOICES = "leave-one-choice-out, given the person's other choices (conditional)"
"""The unit whose scores do not know what nodes miss."""
DIGITS = "{:.2f}"
SHOWN = 5


@dataclass(frozen=True, eq=False, repr=False)
class Loo(LogScores):
    """Log scores of a posterior's own observations, each predicted by all others.

    ``rows`` has ``log score``, ``mcse``, ``pareto_k``, ``in sample``, ``weight``, ``method`` and
    ``integration``. The method is ``"weights"`` of the posterior's draws, or what sampled the
    posterior without the person, ``"importance"`` or ``"nuts"``. ``integration`` is what was added
    to the log score of a person for the sampler's nodes, 0 of choices. ``mcse`` is the Monte Carlo
    standard error of the sum: scores by weights err together, for they share draws and nodes. Those
    of single persons are some 15 % too small.

    Parameters
    ----------
    rows
        A row an observation, with the columns above; log scores in nats.
    digests
        Digest (rows,) of the choices and sets of each row's person: scores of others are not
        compared.
    unit
        What was left out, and how: models are compared in one unit.
    mcse
        Monte Carlo standard error of the sum of the log scores, nats.
    """

    mcse: float

    @property
    def effective_parameters(self) -> float:
        """How much better the observations are predicted when they are not left out, in nats."""
        gained = self.rows["in sample"] - self.rows["log score"]
        return float((self.rows["weight"] * gained).sum())

    def summary(self) -> pd.DataFrame:
        """The sum, its standard errors, and what is gained by not leaving out."""
        values = {
            "log score": (self.log_score, self.std_error, self.mcse),
            "effective parameters": (self.effective_parameters, np.nan, np.nan),
        }
        columns = ["estimate", "std error", "Monte Carlo error"]
        return pd.DataFrame.from_dict(values, orient="index", columns=columns)

    def _words(self) -> tuple[str, str]:
        first = f"{self.unit[:1].upper()}{self.unit[1:]}: {len(self.rows)} log scores"
        if self.unit == OF_CHOICES:
            first += ", errors without those of the sampler's nodes"
        counts = self.rows["method"].value_counts()
        how = ", ".join(f"{n} by {method}" for method, n in counts.items())
        worst = self.rows["pareto_k"].max()
        return first, f"{how}; largest Pareto k of weights {worst:.2f}"

    def __repr__(self) -> str:
        first, last = self._words()
        return "\n".join([first, whole(self.summary(), DIGITS), last])

    def _repr_html_(self) -> str:
        first, last = (escape(words, quote=False) for words in self._words())
        return f"<p>{first}</p>{html(self.summary(), DIGITS)}<p>{last}</p>"
