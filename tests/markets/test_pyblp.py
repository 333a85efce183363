"""The same mean utilities, costs, diversion and merger prices as pyblp's, which are stored.

`benchmarks/markets.py` makes the comparison with pyblp itself.
"""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.centring.people import People
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.market_shares import given_shares
from bayesmix.data.segments import goods_of, segments_of
from bayesmix.demand.draws import Uncertainty
from bayesmix.demand.options import CheckedOptions
from bayesmix.demand.sample import Sample
from bayesmix.likelihood.bind import bind_sets
from bayesmix.likelihood.persons import GivenNodes
from bayesmix.markets.conduct import diversion_of
from bayesmix.markets.equilibrium import Supply, equilibrium, observed
from bayesmix.markets.match import solve
from bayesmix.markets.matched import put_constants
from bayesmix.markets.merger import merged_owner
from bayesmix.markets.pricing import pricing

STORED = json.loads((Path(__file__).parent / "resources" / "pyblp.json").read_text())
GIVEN = {name: np.array(values) for name, values in STORED["given"].items()}
THEIRS = {name: np.array(values) for name, values in STORED["answers"].items()}
MODEL = bm.MixedLogit("price + x", random=[bm.Normal("price", "x")])


@pytest.fixture(scope="module")
def ours():
    columns = ("market", "product", "firm", "price", "x")
    data = bm.ChoiceData.from_long(
        pd.DataFrame({name: GIVEN[name] for name in columns}),
        person=None,
        situation="market",
        alternative="product",
        outside_option=True,
    )
    problem = bind_sets(MODEL, data)
    at = {
        f"{kind}[{name}]": GIVEN[kind][k]
        for kind in ("mean", "sd")
        for k, name in enumerate(("price", "x"))
    }
    theta = problem.parameters.theta(at)
    who = People(problem, GivenNodes(GIVEN["nodes"][None], GIVEN["weights"][None]))
    none = Uncertainty(theta[None], lambda values: values, 0)
    places, names = segments_of(data, "market", data)
    found = Sample(problem, who, none, places, names, CheckedOptions(), *goods_of(data, None))
    index = pd.MultiIndex.from_arrays([GIVEN["market"], GIVEN["product"]])
    target = given_shares(
        MarketSets(found.there.data, found.segments, found.names),
        pd.Series(GIVEN["shares"], index),
        "market",
    )
    constants = solve(found, theta[None], target).constants
    labels = {"market": names, "alternative": found.inside}
    with_them = put_constants(
        data, xr.DataArray(constants, labels, list(labels)), "market", "constant"
    )
    moved = replace(found, there=bind_sets(MODEL, with_them))
    market = pricing(moved, bm.Firms("firm", market="market", allow_positive=True))
    now, supply = observed(market, theta)
    owner = merged_owner(market.products.owner, np.array([0, 1]))
    then = equilibrium(market, theta, Supply(owner, supply.costs, supply.kept), now.prices)
    return SimpleNamespace(constants=constants, now=now, supply=supply, then=then)


def test_mean_utilities(ours):
    known = GIVEN["mean"][0] * GIVEN["price"] + GIVEN["mean"][1] * GIVEN["x"]
    np.testing.assert_allclose(ours.constants.ravel() + known, THEIRS["delta"][:, 0], atol=1e-8)


def test_costs_and_lerner_indices(ours):
    np.testing.assert_allclose(ours.supply.costs.ravel(), THEIRS["costs"][:, 0], atol=1e-6)
    lerner = ours.now.margins / ours.now.prices
    np.testing.assert_allclose(lerner.ravel(), THEIRS["markups"][:, 0], atol=1e-6)


def test_diversion(ours):
    found = diversion_of(ours.now.demand)
    expected = THEIRS["diversion"].reshape(found.shape)
    off = ~np.eye(found.shape[1], dtype=bool)
    np.testing.assert_allclose(found[:, off], expected[:, off], atol=1e-6)


def test_prices_after_a_merger(ours):
    np.testing.assert_allclose(ours.then.prices.ravel(), THEIRS["prices"][:, 0], atol=1e-6)
    assert (ours.then.prices / ours.now.prices).max() > 1.05
