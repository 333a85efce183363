"""Sections on demand: elasticities, diversion, willingness to pay, of every result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.diversion import diversion
from bayesmix.demand.elasticities import elasticities
from bayesmix.demand.wtp import wtp
from bayesmix.document.guard import OURS, guarded
from bayesmix.document.html import Section, paragraph, picture, table, text
from bayesmix.evaluation.check_fit import check_fit
from bayesmix.likelihood.problem import Problem
from bayesmix.reporting.demand_tables import demand_table
from bayesmix.reporting.diversion_plot import plot_diversion
from bayesmix.reporting.matrix_plot import plot_matrix

MOST_DRAWN = 8
"""Alternatives up to which diversion is drawn, a panel each."""
NO_PRICE = (
    "No column is known to be the price: name it (price=..., or --price on the command line) for "
    "this section."
)


@dataclass(frozen=True, eq=False)
class Asked:
    """What sections on demand are made from.

    ``problems`` are the results' models on the ``data`` of each, by label, ``price`` the column of
    prices or None, and ``how`` what functions of demand are asked with.
    """

    results: Mapping[str, Fit | xr.DataTree]
    problems: Mapping[str, Problem]
    data: Mapping[str, ChoiceData]
    price: str | None
    how: Mapping[str, Any]


def elasticities_section(asked: Asked) -> Section:
    """Of each share in each alternative's price."""
    price = asked.price
    if price is None:
        return Section("elasticities", "Elasticities", paragraph(NO_PRICE))
    lead = (
        f"By how many per cent the share of the column's alternative changes when {price} of the "
        "row's alternative rises by one per cent, everywhere it is offered, in these data."
    )

    def one(label: str, result: Any) -> str:
        found = elasticities(result, asked.data[label], price, **asked.how)
        caption = f"{label}: elasticities in {price}"
        drawn = picture(plot_matrix(found), caption)
        return table(demand_table(found)) + drawn

    return Section("elasticities", "Elasticities", paragraph(lead) + _each(asked, one))


def diversion_section(asked: Asked) -> Section:
    """Where those go who leave: by removal, and by price where that is known."""
    lead = (
        "Of those who leave the row's alternative, the share that goes to the column's: where it "
        "is removed, which everybody who had chosen it leaves, and where its price rises a little, "
        "which those leave who mind prices most. The ratios are averages over people with "
        "different weights (Conlon and Mortimer 2021)."
    )
    kinds = [("removal", "By removal")]
    if asked.price is not None:
        kinds.append((asked.price, f"By a small change of {asked.price}"))
    parts = [paragraph(lead)]
    for kind, heading in kinds:
        found: dict[str, xr.Dataset] = {}

        def one(label: str, result: Any, kind: str = kind, found: Any = found) -> str:
            found[label] = diversion(result, asked.data[label], kind, **asked.how)
            return table(demand_table(found[label]))

        parts += [f"<h3>{text(heading)}</h3>", _each(asked, one, level=4)]
        if found and all(len(f["estimate"]) <= MOST_DRAWN for f in found.values()):
            parts.append(guarded(partial(_drawn, found, f"Diversion with intervals: {kind}")))
    return Section("diversion", "Diversion", "".join(parts))


def _drawn(found: Mapping[str, xr.Dataset], caption: str) -> str:
    return picture(plot_diversion(found), caption)


def wtp_section(asked: Asked) -> Section:
    """Of every attribute, over people, in units of the price."""
    heading = "Willingness to pay"
    if asked.price is None:
        return Section("wtp", heading, paragraph(NO_PRICE))
    lead = (
        f"For a unit more of each attribute, in units of {asked.price}: minus its coefficient over "
        "that of the price. The mean, where there is one, and quantiles over people; of what they "
        "dislike it is negative. Intervals are of the parameters."
    )

    def one(label: str, result: Any) -> str:
        return _wtp_table(asked, label, result)

    return Section("wtp", heading, paragraph(lead) + _each(asked, one))


def _wtp_table(asked: Asked, label: str, result: Any) -> str:
    problem, rows, notes = asked.problems[label], {}, []
    control = problem.model.control
    # Of an error component there is nothing that people would pay for, nor of what moves prices.
    none = [c.term for c in problem.model.varying if c.mean == "0" and c.law.located]
    none += [str(asked.price), *(control.residuals if control is not None else ())]
    terms = [*(c.term for c in problem.model.varying), *problem.parameters.fixed]
    for term in (one for one in terms if one not in none):
        try:
            found = wtp(result, term, price=asked.price, data=asked.data[label], **asked.how)
        except OURS as error:
            notes.append(f"{term}, not computed: {error}")
            continue
        rows[term] = demand_table(found)["estimate"]
        notes += [str(found.attrs["note"])] if "note" in found.attrs else []
    shown = table(pd.DataFrame(rows).T.rename_axis("attribute")) if rows else ""
    return shown + "".join(paragraph(note, "note") for note in dict.fromkeys(notes))


def checks_section(asked: Asked) -> Section:
    """Observed choices among replicated ones."""
    lead = (
        "Choices are replicated for new people from each result's law of tastes, and what was "
        "observed is compared with these; small p-values say what the model does not describe."
    )

    def one(label: str, result: Any) -> str:
        found = check_fit(result, asked.data[label], **_for_checks(asked.how))
        drawn = picture(found.plot(), f"{label}: observed (red) and replicated choices (bands)")
        notes = "".join(paragraph(note, "soft") for note in found.notes)
        return table(found.checks) + drawn + notes

    return Section("checks", "Does the model describe the choices?", paragraph(lead)
                   + _each(asked, one))  # fmt: skip


def _for_checks(how: Mapping[str, Any]) -> dict[str, Any]:
    """Known people would be replicated from themselves: checks are of new people."""
    return {name: value for name, value in how.items() if name not in ("people", "uncertainty")}


def _each(asked: Asked, one: Callable[[str, Any], str], level: int = 3) -> str:
    """The same of each result, under its label, or why not."""
    parts = []
    for label, result in asked.results.items():
        heading = f"<h{level}>{text(label)}</h{level}>" if len(asked.results) > 1 else ""
        parts.append(heading + guarded(partial(one, label, result)))
    return "".join(parts)


def seeded(how: Mapping[str, Any]) -> int:
    """A whole number to seed what takes one: the sections' own seed, or drawn from it."""
    seed = how.get("rng")
    return int(np.random.default_rng(seed).integers(2**31)) if not isinstance(seed, int) else seed
