"""Counts of choice data."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesmix.data.rankings import first_choices
from bayesmix.data.reserved import OUTSIDE
from bayesmix.data.table import ChoiceTable

SHOWN_ALTERNATIVES = 20


@dataclass(frozen=True, eq=False, repr=False)
class ChoiceSummary:
    """Counts of choice data; prints itself.

    Attributes
    ----------
    counts : Series
        Persons, situations, rows, alternatives, situations a person (min, median, max), situations
        with a single alternative (which carry no information), rows left out as unavailable,
        situations left out where the outside option alone is available; of rankings their number,
        and the choices that the longest of them makes.
    alternatives : DataFrame
        For each alternative, the outside option last: situations in which it is available and
        chosen, and its share of all choices; of rankings, the first choices alone. Weights do not
        enter.
    """

    counts: pd.Series
    alternatives: pd.DataFrame

    def __repr__(self) -> str:
        table = self.alternatives.to_string(
            float_format="{:.4f}".format, max_rows=SHOWN_ALTERNATIVES
        )
        return f"{_shown(self.counts).to_string()}\n\n{table}"

    def _repr_html_(self) -> str:
        table = self.alternatives.to_html(
            float_format="{:.4f}".format, max_rows=SHOWN_ALTERNATIVES, border=0
        )
        return _shown(self.counts).to_frame().to_html(header=False, border=0) + table


def summarise(data: ChoiceTable) -> ChoiceSummary:
    """Count the persons, situations and choices of `data`."""
    per_person = np.diff(data.person_start)
    set_size = np.diff(data.situation_start) + data.outside_option
    counts = pd.Series(
        {
            "persons": data.n_persons,
            "situations": data.n_situations,
            "rows": data.n_rows,
            "alternatives": len(data.alternatives),
            "situations a person, min": per_person.min(),
            "situations a person, median": np.median(per_person),
            "situations a person, max": per_person.max(),
            "situations with a single alternative": np.sum(set_size == 1),
            "rows left out as unavailable": data.rows_left_out,
        },
        name="count",
    )
    if data.situations_left_out:
        counts["situations left out, the outside option alone"] = data.situations_left_out
    if data.stage is not None:
        rankings = {"rankings": np.sum(data.stage == 1), "choices of the longest": data.stage.max()}
        counts = pd.concat([counts, pd.Series(rankings)]).rename("count")
    return ChoiceSummary(counts=counts, alternatives=_alternatives(first_choices(data)))


def _alternatives(data: ChoiceTable) -> pd.DataFrame:
    labels = list(data.alternatives)
    available = np.bincount(data.alternative_code, minlength=len(labels))
    inside = data.chosen_row[data.chosen_row >= 0]
    chosen = np.bincount(data.alternative_code[inside], minlength=len(labels))
    if data.outside_option:
        labels.append(OUTSIDE)
        available = np.append(available, data.n_situations)
        chosen = np.append(chosen, data.n_situations - len(inside))
    if not data.observed:
        return pd.DataFrame({"available": available}, index=pd.Index(labels, name=data.alternative))
    return pd.DataFrame(
        {"available": available, "chosen": chosen, "share": chosen / data.n_situations},
        index=pd.Index(labels, name=data.alternative),
    )


def _shown(counts: pd.Series) -> pd.Series:
    """Counts as text, the zeros of the last lines left out."""
    text = counts.map("{:g}".format) if counts.max() < 1e6 else counts.map("{:,.0f}".format)
    return text[(counts > 0).to_numpy()]
