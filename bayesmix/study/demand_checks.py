"""What a study asks of demand, markets and firms, checked before anything is fitted."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few, nearest
from bayesmix.data.sources.reader import file_options
from bayesmix.data.sources.registry import read_file
from bayesmix.demand.column_arguments import check_column
from bayesmix.demand.diversion import KINDS
from bayesmix.demand.interventions import attribute_slope
from bayesmix.demand.money import price_of, price_slope
from bayesmix.demand.options import CheckedOptions
from bayesmix.demand.whole_slopes import check_whole_slope
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.problem import Problem
from bayesmix.markets.firms import Firms
from bayesmix.specification.model import MixedLogit
from bayesmix.study.demand_schema import (
    ChangeTable,
    DemandTable,
    EntryTable,
    ExitTable,
    FirmsTable,
    MergerTable,
    ScenarioTable,
    TaxTable,
)
from bayesmix.study.schema import Study

DERIVATIVES = tuple(kind for kind in KINDS if kind != "finite")


def settings(study: Study) -> DemandTable | None:
    """The table ``[demand]``, or its defaults where markets, firms or scenarios are asked for."""
    if study.demand is not None:
        return study.demand
    return DemandTable() if study.market or study.firms or study.scenario else None


def options(study: Study) -> dict[str, Any]:
    """Arguments that all functions of demand share."""
    table = settings(study) or DemandTable()
    return {
        "draws": table.draws,
        "nodes": table.nodes,
        "interval": table.interval,
        "rng": study.estimate.seed,
    }


def price_name(study: Study, model: MixedLogit) -> str:
    """The column that money is counted in."""
    return price_of(model, (settings(study) or DemandTable()).price)


def check_demand_table(study: Study, model: MixedLogit, data: ChoiceData) -> None:
    """Refuse what no fit of this model could answer."""
    table = study.demand
    if table is None:
        return
    CheckedOptions(**options(study), uncertainty=table.uncertainty)
    problem = bind(model, data)
    for key, name in (("by", table.by), ("products", table.products)):
        if name is not None:
            check_column(data, key, name)
    for name in table.elasticities or ():
        check_column(data, "elasticities", name)
        attribute_slope(problem, name)
    for kind in table.diversion or ():
        if kind not in DERIVATIVES:
            name = diverted(table, kind).get("attribute") or kind
            if name not in data.frame.columns:
                raise SpecificationError(
                    f"key 'diversion': {kind!r} is neither a kind ({', '.join(DERIVATIVES)}) nor a "
                    f"column of the data; {nearest(name, [*DERIVATIVES, *data.frame.columns])}"
                )
            check_column(data, "diversion", name)
            attribute_slope(problem, name)
    if table.surplus:
        price_slope(problem, price_name(study, model))
    if table.wtp:
        check_column(data, "price", price_name(study, model))
        _check_terms(problem, [*table.wtp, price_name(study, model)])


def diverted(table: DemandTable, kind: str) -> dict[str, str | None]:
    """The kind, and which column a change of the price is of: that of the key ``price``."""
    if kind == "price" and table.price is not None:
        return {"kind": kind, "attribute": table.price}
    return {"kind": kind}


def _check_terms(problem: Problem, terms: Iterable[str]) -> None:
    design = problem.design
    known = [*design.fixed_names, *(one.term for one in design.coefficients)]
    for term in terms:
        if term not in known:
            raise SpecificationError(
                f"key 'wtp': the utility has no term '{term}'; {nearest(term, known)}"
            )
        check_whole_slope("wtp", term, known)


def check_scenarios(study: Study, model: MixedLogit, data: ChoiceData) -> None:
    """Make every scenario, and refuse those that need firms where there are none."""
    names = [one.name for one in study.scenario]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SpecificationError(f"two scenarios have the name '{twice[0]}': rename one")
    for one in study.scenario:
        try:
            _check_scenario(study, one, data)
        except SpecificationError as error:
            raise SpecificationError(f"scenario '{one.name}': {error}") from error


def _check_scenario(study: Study, one: ScenarioTable, data: ChoiceData) -> None:
    if isinstance(one, MergerTable | TaxTable):
        if study.firms is None:
            raise SpecificationError(f"a {one.kind} needs the table [firms], which says whose")
        if isinstance(one, MergerTable):
            firms_of(study.firms, data, one.firms)
            amounts(one.efficiencies, goods(study, data), "efficiencies")
        elif one.specific is None and one.ad_valorem is None:
            raise SpecificationError("give a tax of a unit, specific, or a rate, ad_valorem")
        else:
            amounts(one.specific, goods(study, data), "specific")
            amounts(one.ad_valorem, goods(study, data), "ad_valorem")
        return
    changed(one, data)


def changed(one: ScenarioTable, data: ChoiceData) -> ChoiceData:
    """The choice sets of a scenario that changes them."""
    match one:
        case ExitTable():
            return data.without(*_labels(one.alternatives, data.alternatives, "alternatives"))
        case EntryTable():
            like = None
            if one.like is not None:
                like = _labels([one.like], data.alternatives, "like")[0]
            return data.with_alternative(one.alternative, dict(one.attributes), like=like)
        case ChangeTable():
            return _with_change(one, data)
    raise SpecificationError(f"a {one.kind} changes no choice sets")


def _with_change(one: ChangeTable, data: ChoiceData) -> ChoiceData:
    given = [k for k in ("value", "add", "multiply") if getattr(one, k) is not None]
    if not given or ("value" in given and len(given) > 1):
        raise SpecificationError("give the new 'value' of the column, or 'add', 'multiply' or both")
    check_column(data, "column", one.column)
    value: Any = one.value
    if one.value is None:
        if not pd.api.types.is_numeric_dtype(data.frame[one.column].dtype):
            raise SpecificationError(f"column '{one.column}' is no number: give its new 'value'")
        factor = 1.0 if one.multiply is None else one.multiply
        term = 0.0 if one.add is None else one.add

        def value(rows: pd.DataFrame) -> pd.Series:
            return rows[one.column] * factor + term

    which = None
    if one.alternatives is not None:
        which = list(_labels(one.alternatives, data.alternatives, "alternatives"))
    return data.with_attribute(one.column, value, alternative=which)


def make_firms(study: Study, model: MixedLogit) -> Firms:
    """The firms of a study, whose price is that of its demand where none is named."""
    table = study.firms
    assert table is not None
    return Firms(
        table.ownership,
        price=table.price or price_name(study, model),
        market=table.market or (study.market.column if study.market else None),
        products=table.products,
        allow_positive=table.allow_positive,
    )


def check_firms(study: Study, model: MixedLogit, data: ChoiceData) -> None:
    """Refuse columns of firms that there are none of."""
    if study.firms is None:
        return
    firms = make_firms(study, model)
    for key in ("ownership", "price", "market", "products"):
        if getattr(firms, key) is not None:
            check_column(data, key, getattr(firms, key))


def goods(study: Study, data: ChoiceData) -> list[Hashable]:
    """Labels of what firms sell."""
    column = study.firms.products if study.firms else None
    return list(data.alternatives) if column is None else list(pd.unique(data.frame[column]))


def firms_of(table: FirmsTable, data: ChoiceData, labels: Iterable[Any]) -> tuple[Any, ...]:
    """Labels of firms as the data have them."""
    check_column(data, "ownership", table.ownership)
    return _labels(labels, pd.unique(data.frame[table.ownership]).tolist(), "firms")


def amounts(given: Any, known: Iterable[Hashable], key: str) -> Any:
    """A number, or numbers by label as the data have it."""
    if not isinstance(given, Mapping):
        return given
    return dict(zip(_labels(given, known, key), given.values(), strict=True))


def _labels(given: Iterable[Any], known: Iterable[Hashable], key: str) -> tuple[Any, ...]:
    """Labels as the data have them: in a study's tables numbers are text."""
    listed = list(known)
    by_text = {str(one): one for one in listed}
    for label in given:
        if label not in listed and str(label) not in by_text:
            _unknown(label, listed, key)
    return tuple(one if one in listed else by_text[str(one)] for one in given)


def _unknown(label: Any, known: list[Hashable], key: str) -> NoReturn:
    raise SpecificationError(
        f"key '{key}': the data have no {label!r}, they have {first_few(known, 12)}; "
        f"{nearest(label, known)}"
    )


def shares_path(study: Study) -> Path:
    """Where the file of market shares is: a relative path starts at the study file's folder."""
    assert study.market is not None
    return study.path.parent / study.market.shares


def market_shares(study: Study, data: ChoiceData) -> pd.DataFrame | pd.Series:
    """Shares by market and alternative, as `match_shares` takes them."""
    assert study.market is not None
    path, column = shares_path(study), study.market.column
    frame = read_file(path, file_options({})).frame
    needed = [*([column] if column else []), data.alternative, "share"]
    for name in needed:
        if name not in frame.columns:
            raise SpecificationError(
                f"'{study.market.shares}' has no column '{name}'; it needs "
                f"{', '.join(map(repr, needed))}: {nearest(name, frame.columns)}"
            )
    if column:
        check_column(data, "column", column)
        markets = pd.unique(data.frame[column]).tolist()
        frame[column] = list(_labels(frame[column], markets, "shares"))
    inside = [*data.alternatives, "outside"] if data.outside_option else list(data.alternatives)
    frame[data.alternative] = list(_labels(frame[data.alternative], inside, "shares"))
    frame["share"] = pd.to_numeric(frame["share"], errors="coerce")
    if column:
        return frame[needed]
    return frame.set_index(data.alternative)["share"]


def asked_in_words(study: Study) -> list[str]:
    """Lines on what follows from the estimates, as ``bayesmix check`` prints them."""
    table = settings(study)
    if table is None:
        return []
    parts = [name for name in ("shares", "surplus") if getattr(table, name)]
    for name in ("elasticities", "diversion", "wtp"):
        if getattr(table, name):
            parts.append(f"{name} ({', '.join(getattr(table, name))})")
    lines = [f"  demand    {', '.join(parts) or 'none'}; {table.draws} draws of parameters"]
    if study.market:
        lines.append(f"  market    constants match the shares in '{study.market.shares}'")
    if study.firms:
        lines.append(f"  firms     owners in column '{study.firms.ownership}'")
    lines += [f"  scenario  {one.name} ({one.kind})" for one in study.scenario]
    return lines
