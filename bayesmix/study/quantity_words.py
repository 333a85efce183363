"""What the tables of a run's demand are of, in which units, in words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bayesmix.specification.model import MixedLogit
from bayesmix.study.demand_checks import price_name, settings
from bayesmix.study.demand_schema import DemandTable
from bayesmix.study.schema import Study

NOTES = "notes.csv"
REFUSAL = "not computed: "
SURPLUS = "surplus.csv"
LEAVERS = "of those who leave the row's alternative, the share that goes to the column's"
OF = {
    "shares.csv": "shares of choices",
    "elasticities.csv": (
        "elasticities: by how many per cent the column's share changes when {attribute} of the "
        "row's alternative rises by 1 %"
    ),
    "wtp.csv": "willingness to pay for a unit more of {term}, over people, in units of {price}",
    SURPLUS: (
        "consumer surplus of a choice situation, in units of {price}, up to a constant that a "
        "change does not have"
    ),
    "constants.csv": "constants that match the shares of the market, in utils",
    "markups.csv": (
        "markups: price, cost, margin and profit a choice situation in units of {price}; lerner is "
        "margin over price, share is of choices"
    ),
    "pass_through.csv": (
        "pass-through: by how much the price of the column's product rises for a unit more of the "
        "row's cost"
    ),
}
PARTS = {
    "shares": "shares of choices after the change, at the prices that the scenario has",
    "surplus": (
        "change of the consumer surplus of a choice situation, in units of {price}, at the prices "
        "that the scenario has"
    ),
    "products": (
        "products: prices and costs in units of {price}; price_change is relative (0.1 is 10 %); "
        "shares are of choices"
    ),
    "firms": "firms: profits a choice situation, in units of {price}",
    "markets": (
        "markets: hhi is the Herfindahl index of inside shares in points, inside the share of "
        "choices that firms sell; the rest is in units of {price} a choice situation"
    ),
    "segments": (
        "change of the consumer surplus of a choice situation, in units of {price}, at the prices "
        "that firms set then"
    ),
}
"""By part of a scenario, as `PARTS` of what firms do are called."""
SINGLE = {SURPLUS: "consumer surplus", "scenarios.csv": "change of consumer surplus"}
"""What the one row of a table is called whose result is one number."""


def table_words(study: Study, model: MixedLogit, file: str, keys: Mapping[str, str]) -> str:
    """Heading of a table: of what, by which method, in which units, with which intervals.

    ``keys`` are those that rows of the table have in front: ``method``, and such as ``attribute``,
    ``kind``, ``term``, or ``scenario`` and ``part``.
    """
    table = settings(study) or DemandTable()
    firms = study.firms.price if study.firms else None
    price = firms if firms and file in ("markups.csv", "scenarios.csv") else None
    filled = {"price": price or price_name(study, model), **keys}
    if file == "diversion.csv":
        words = _diversion(table, keys["kind"])
    elif file == "scenarios.csv":
        words = f"scenario '{keys['scenario']}', {PARTS[keys['part']]}"
    else:
        words = OF[file]
    named = f"{keys['method']}: " if "method" in keys else ""
    ends = "" if file == "constants.csv" else f"; {100 * table.interval:g} % intervals in brackets"
    return f"{named}{_filled(words, filled)}{ends}"


def _filled(words: str, known: Mapping[str, str]) -> str:
    """Names in braces; those of the study may hold braces of their own, and stay as they are."""
    for name, value in known.items():
        words = words.replace(f"{{{name}}}", value)
    return words


def _diversion(table: DemandTable, kind: str) -> str:
    ways = {
        "removal": "where that is removed",
        "quality": "where its quality falls a little",
        "price": f"where its {table.price or 'price'} rises a little",
    }
    return f"diversion by {kind}: {LEAVERS}, {ways.get(kind, f'where its {kind} changes a little')}"


def rows_named(file: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table of results as text, whose only row says what it is where nothing else does."""
    if list(table.index) != [""]:
        return table
    return table.set_axis(pd.Index([SINGLE.get(file, "estimate")]))


def refused_before(notes: pd.DataFrame | None) -> dict[str, str]:
    """By file, what was refused when tables were made, from the notes beside them."""
    found: dict[str, str] = {}
    for row in [] if notes is None else notes.to_dict("records"):
        if not str(row["note"]).startswith(REFUSAL):
            continue
        of = "" if pd.isna(row["of"]) else f", {row['of']}"
        words = f"{row['method']}{of}: {str(row['note']).removeprefix(REFUSAL)}"
        file = f"{row['table']}.csv"
        found[file] = "; ".join(filter(None, [found.get(file), words]))
    return found
