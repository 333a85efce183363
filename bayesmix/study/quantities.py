"""Demand, markets and firms of a study's results, as tables of estimates with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import xarray as xr

import bayesmix as bm
from bayesmix.classical.fit import Fit
from bayesmix.data.choices import ChoiceData
from bayesmix.reporting.demand_tables import demand_table
from bayesmix.study.build import Built
from bayesmix.study.demand_checks import (
    amounts,
    changed,
    diverted,
    firms_of,
    goods,
    make_firms,
    market_shares,
    options,
    price_name,
    settings,
)
from bayesmix.study.demand_schema import MergerTable, ScenarioTable, TaxTable
from bayesmix.study.quantity_words import NOTES, REFUSAL, rows_named, table_words
from bayesmix.study.words import OURS, in_words_of_studies

ENDS = ["estimate", "low", "high"]
NUMBERS = [*ENDS, "constant"]
PARTS = ("products", "firms", "markets", "segments")


@dataclass
class Quantities:
    """What was computed of all results: rows by file, texts, and what there is none of, and why.

    Parameters
    ----------
    built
        The study, which says what is asked for.
    rows
        By file, tables in which a row is a number, with its interval.
    texts
        What people read, in order.
    missing
        By file, why it lacks something.
    matrices
        By file and method, the Dataset of a first intervention, for pictures.
    """

    built: Built
    rows: dict[str, list[pd.DataFrame]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    matrices: dict[str, dict[str, xr.Dataset]] = field(default_factory=dict)

    def frames(self) -> dict[str, pd.DataFrame]:
        """By file, one table of all methods."""
        return {name: pd.concat(rows, ignore_index=True) for name, rows in self.rows.items()}

    def add(self, file: str, keys: Mapping[str, str], found: xr.Dataset) -> None:
        """Rows of a result of demand, and the same as text."""
        if found["estimate"].dims:
            table = found[ENDS].to_dataframe()[ENDS].reset_index()
        else:
            table = pd.DataFrame({name: [float(found[name])] for name in ENDS})
        self._put(file, keys, table)
        note = "; ".join(str(found.attrs[k]) for k in ("note", "lerner") if found.attrs.get(k))
        words = pd.DataFrame(rows_named(file, demand_table(found))).to_string(na_rep="")
        self._say(keys, file, "\n".join(filter(None, [words, note])))
        if note:
            self.note(file, keys, note)

    def refuse(self, file: str, keys: Mapping[str, str], reason: object) -> None:
        """Enter why a table is not whole: beside the files, and among the notes in the folder."""
        reason = in_words_of_studies(str(reason))
        named = ", ".join(keys[name] for name in ("method", "scenario") if name in keys)
        words = filter(None, [self.missing.get(file), f"{named}: {reason}"])
        self.missing[file] = "; ".join(words)
        self.note(file, keys, f"{REFUSAL}{reason}")

    def note(self, file: str, keys: Mapping[str, str], words: str) -> None:
        """A row of the notes: which table it is of, as its rows' keys say, and the note."""
        of = ", ".join(f"{name} {value}" for name, value in keys.items() if name != "method")
        row = {"table": file.removesuffix(".csv"), "method": keys["method"], "of": of}
        self.rows.setdefault(NOTES, []).append(pd.DataFrame([row | {"note": words}]))

    def add_table(self, file: str, keys: Mapping[str, str], table: pd.DataFrame, text: str) -> None:
        """Rows that are a table already."""
        self._put(file, keys, table)
        self._say(keys, file, text)

    def _put(self, file: str, keys: Mapping[str, str], table: pd.DataFrame) -> None:
        for place, (name, value) in enumerate(keys.items()):
            table.insert(place, name, value, allow_duplicates=False)
        # As objects: a label 1 stays 1 beside tables that have no such column, and would be 1.0.
        labels = [name for name in table.columns if name not in NUMBERS]
        self.rows.setdefault(file, []).append(table.astype(dict.fromkeys(labels, object)))

    def _say(self, keys: Mapping[str, str], file: str, text: str) -> None:
        heading = table_words(self.built.study, self.built.model, file, keys)
        self.texts.append(f"{heading}\n{text}")


@dataclass(frozen=True, eq=False)
class _Asked:
    """A result, and what functions of demand are called with for it."""

    built: Built
    label: str
    result: Any
    data: ChoiceData
    """With constants that match market shares, where the study has these."""
    out: Quantities

    @property
    def how(self) -> dict[str, Any]:
        table = settings(self.built.study)
        given = options(self.built.study)
        if table is not None and table.uncertainty and isinstance(self.result, Fit):
            given["uncertainty"] = table.uncertainty
        return given

    def ask(self, file: str, keys: Mapping[str, str], function: Callable[..., Any], /, *args: Any,
            **given: Any) -> Any:  # fmt: skip
        """A quantity, entered in its file; None where it is refused, which is said."""
        try:
            found = function(self.result, *args, **given, **self.how)
        except OURS as error:
            self.out.refuse(file, {"method": self.label, **keys}, error)
            return None
        if isinstance(found, xr.Dataset):
            self.out.add(file, {"method": self.label, **keys}, found)
        return found


def quantities(built: Built, results: Mapping[str, Any]) -> Quantities:
    """All that the study asks for, of every result by its label."""
    out = Quantities(built)
    for label, result in results.items():
        asked = _Asked(built, label, result, built.data, out)
        if built.study.market:
            matched = _matched(asked)
            if matched is None:
                continue
            asked = _Asked(built, label, result, matched.data, out)
        for step in (_demand, _firms, _scenarios):
            step(asked)
    return out


def _matched(asked: _Asked) -> Any:
    study = asked.built.study
    assert study.market is not None
    function = partial(bm.match_shares, market=study.market.column)
    found = asked.ask("constants.csv", {}, function, asked.data, market_shares(study, asked.data))
    if found is None:
        return None
    table = found.constants.to_dataframe("constant").dropna().reset_index()
    asked.out.add_table("constants.csv", {"method": asked.label}, table, repr(found))
    return found


def _demand(asked: _Asked) -> None:
    study = asked.built.study
    table, data, ask = settings(study), asked.data, asked.ask
    assert table is not None
    groups = {"by": table.by, "products": table.products}
    if table.shares:
        ask("shares.csv", {}, bm.shares, data, **groups)
    for name in table.elasticities or ():
        found = ask("elasticities.csv", {"attribute": name}, bm.elasticities, data, name, **groups)
        _picture(asked, "elasticities.png", found)
    for kind in table.diversion or ():
        what = diverted(table, kind) | groups
        found = ask("diversion.csv", {"kind": kind}, bm.diversion, data, **what)
        _picture(asked, "diversion.png", found)
    price = price_name(study, asked.built.model)
    for term in table.wtp or ():
        ask("wtp.csv", {"term": term}, bm.wtp, term, price, data=data)
    if table.surplus:
        ask("surplus.csv", {}, bm.surplus, data, price=price, by=table.by)


def _picture(asked: _Asked, file: str, found: Any) -> None:
    """The first intervention alone has one."""
    if found is not None and found["estimate"].ndim == 2:
        asked.out.matrices.setdefault(file, {}).setdefault(asked.label, found)


def _firms(asked: _Asked) -> None:
    study = asked.built.study
    if study.firms is None:
        return
    firms = make_firms(study, asked.built.model)
    asked.ask("markups.csv", {}, bm.markups, asked.data, firms)
    if study.firms.pass_through:
        asked.ask("pass_through.csv", {}, bm.pass_through, asked.data, firms)


def _scenarios(asked: _Asked) -> None:
    for one in asked.built.study.scenario:
        for part, found in _scenario(asked, one):
            keys = {"method": asked.label, "scenario": one.name, "part": part}
            asked.out.add("scenarios.csv", keys, found)


def _scenario(asked: _Asked, one: ScenarioTable) -> Iterable[tuple[str, xr.Dataset]]:
    """Parts of a scenario's result: of firms where these are, else of demand at given prices."""
    study, data = asked.built.study, asked.data
    table = settings(study)
    assert table is not None
    ask = partial(_quietly, asked, one.name)
    if isinstance(one, MergerTable | TaxTable):
        assert study.firms is not None
        firms = make_firms(study, asked.built.model)
        sold = goods(study, data)
        if isinstance(one, MergerTable):
            own = {"merge": firms_of(study.firms, data, one.firms)}
            own["efficiencies"] = amounts(one.efficiencies, sold, "efficiencies")
        else:
            own = {k: amounts(getattr(one, k), sold, k) for k in ("specific", "ad_valorem")}
        function = bm.merger if isinstance(one, MergerTable) else bm.tax
        yield from _parts(ask(function, data, firms, by=table.by, **own))
        return
    sets = changed(one, data)
    groups = {"by": table.by, "products": table.products}
    yield from _one("shares", ask(bm.shares, data, scenario=sets, **groups))
    if table.surplus:
        price = price_name(study, asked.built.model)
        yield from _one("surplus", ask(bm.surplus, data, scenario=sets, price=price, by=table.by))
    if study.firms is None:
        return
    firms = make_firms(study, asked.built.model)
    if getattr(one, "column", None) != firms.price:
        cost = getattr(one, "cost", None)
        costs = None if cost is None else {one.alternative: cost}  # type: ignore[union-attr]
        yield from _parts(ask(bm.entry_and_exit, data, firms, sets, costs=costs, by=table.by))


def _quietly(asked: _Asked, name: str, function: Callable[..., Any], *args: Any, **given: Any
             ) -> Any:  # fmt: skip
    """A result that is entered by its parts."""
    try:
        return function(asked.result, *args, **given, **asked.how)
    except OURS as error:
        asked.out.refuse("scenarios.csv", {"method": asked.label, "scenario": name}, error)
        return None


def _one(part: str, found: Any) -> Iterable[tuple[str, xr.Dataset]]:
    return [] if found is None else [(part, found)]


def _parts(found: Any) -> Iterable[tuple[str, xr.Dataset]]:
    return [] if found is None else [(part, getattr(found, part)) for part in PARTS]
