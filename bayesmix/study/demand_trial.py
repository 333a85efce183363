"""What a study asks of demand, tried without estimates: refusals that no estimate would change."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from bayesmix.centring.people import people
from bayesmix.data.choices import ChoiceData
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.market_shares import given_shares
from bayesmix.data.segments import goods_of, segments_of
from bayesmix.demand.draws import Interval, Uncertainty
from bayesmix.demand.options import CheckedOptions
from bayesmix.demand.sample import Sample
from bayesmix.likelihood.bind import bind, to_predict
from bayesmix.markets.amounts import of_products
from bayesmix.markets.entry import entry_plan
from bayesmix.markets.firms import check_rivals
from bayesmix.markets.markets import by_market
from bayesmix.markets.merger import merging, savings
from bayesmix.markets.pricing import Pricing, pricing
from bayesmix.specification.model import MixedLogit
from bayesmix.study.demand_checks import (
    amounts,
    changed,
    firms_of,
    goods,
    make_firms,
    market_shares,
    settings,
)
from bayesmix.study.demand_schema import EntryTable, MergerTable, ScenarioTable, TaxTable
from bayesmix.study.schema import Study

FEW = CheckedOptions(draws=1, nodes=1, rng=0, progress=False)


def trial_sample(model: MixedLogit, data: ChoiceData, products: str | None = None) -> Sample:
    """The choice sets as functions of demand see them, with people on one node, and no points."""
    problem = to_predict(bind(model, data))
    theta = np.zeros(problem.parameters.size)
    who = people(problem, theta, known=False, nodes=1, rng=np.random.default_rng(0))
    none = Uncertainty(theta[None, :], lambda values: Interval(*[values[0]] * 3), 0)
    segments, names = segments_of(problem.data, None, problem.data)
    return Sample(problem, who, none, segments, names, FEW, *goods_of(problem.data, products))


def try_groups(study: Study, found: Sample) -> None:
    """Segments and products of ``[demand]``."""
    table = settings(study)
    assert table is not None
    data = found.there.data
    segments_of(data, table.by, data)
    goods_of(data, table.products)


def try_market(study: Study, found: Sample) -> None:
    """Shares of ``[market]``, which must be of the data's markets and alternatives."""
    if study.market is None:
        return
    column, data = study.market.column, found.there.data
    own = by_market(found, column, data)
    sets = MarketSets(own.there.data, own.segments, own.names)
    given_shares(sets, market_shares(study, data), column)


def try_firms(study: Study, model: MixedLogit, data: ChoiceData) -> Pricing | None:
    """Firms and their products; None without any."""
    if study.firms is None:
        return None
    firms = make_firms(study, model)
    found = trial_sample(model, data, firms.products)
    market = pricing(by_market(found, firms.market, found.there.data), firms)
    check_rivals(market.found, market.products, market.products.owner, firms)
    return market


def try_scenario(study: Study, one: ScenarioTable, found: Sample, market: Pricing | None) -> None:
    """A scenario, on the model of the study."""
    data = found.there.data
    if isinstance(one, MergerTable | TaxTable):
        assert market is not None
        assert study.firms is not None
        sold, offered = goods(study, data), market.products.offered.any(axis=0)
        labels = market.found.goods
        if isinstance(one, MergerTable):
            _, codes = merging(market, firms_of(study.firms, data, one.firms))
            savings(market, codes, amounts(one.efficiencies, sold, "efficiencies"))
            return
        of_products("specific", amounts(one.specific, sold, "specific"), labels, offered)
        rates = amounts(one.ad_valorem, sold, "ad_valorem")
        of_products("ad_valorem", rates, labels, offered, above=-1)
        return
    sets, table = changed(one, data), settings(study)
    assert table is not None
    found.moved(sets)
    goods_of(sets, table.products)
    segments_of(sets, table.by, data)
    if market is None or getattr(one, "column", None) == market.firms.price:
        return
    costs: dict[Hashable, float] = {}
    if isinstance(one, EntryTable) and one.cost is not None:
        costs[one.alternative] = one.cost
    entry_plan(market, sets, costs or None, table.by)
