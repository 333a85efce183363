"""What constants of markets hold of utility is refused where its slope is asked for."""

from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.demand.absorbed import absorbed
from bayesmix.errors import SpecificationError
from tests.markets_with_panels import data_of, frames

HOW = {"draws": 2, "nodes": 16, "rng": 1}
MODEL = bm.MixedLogit("price + price:income + quality + noise")
HELD = {"fixed[price]": 0.0, "fixed[quality]": 0.0}
IV = {"endogenous": "price", "instruments": "cost"}


@cache
def fit(held=True):
    rows, shares = frames(1, markets=12, people=10, tasks=2)
    rows["noise"] = np.random.default_rng(2).normal(size=len(rows))
    rows["firm"] = rows["alt"]
    model, fixed = (MODEL, HELD) if held else (bm.MixedLogit("price:income + noise"), {})
    return bm.msle(model, data_of(rows), market_shares=shares, fixed=fixed)


def dearer(data):
    return data.with_attribute("price", lambda rows: 1.1 * rows["price"], alternative="a")


ASKED = {
    "elasticities": lambda f, d: bm.elasticities(f, d, **HOW),
    "arc": lambda f, d: bm.elasticities(f, d, arc=0.1, **HOW),
    "diversion": lambda f, d: bm.diversion(f, d, "price", **HOW),
    "marginal consumers": lambda f, d: bm.marginal_consumers(f, d, "price", **HOW),
    "surplus": lambda f, d: bm.surplus(f, d, **HOW),
    "scenario": lambda f, d: bm.shares(f, d, scenario=dearer(d), **HOW),
    "predict": lambda f, d: bm.shares(f, d, predict=dearer(d), **HOW),
    "curve": lambda f, d: bm.price_curve(f, d, "a", **HOW),
    "wtp": lambda f, d: bm.wtp(f, "quality", "noise", **HOW),
    "markups": lambda f, d: bm.markups(f, d, bm.Firms("firm", market="market"), **HOW),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_price_that_is_in_the_constants_has_no_slope_beside_them(name) -> None:
    with pytest.raises(SpecificationError, match="held at 0: constants of markets"):
        ASKED[name](fit(), fit().data)


def test_of_differences_between_people_alone_there_is_no_slope_either() -> None:
    own = fit(held=False)
    with pytest.raises(SpecificationError, match="has what differs between people alone"):
        bm.elasticities(own, own.data, **HOW)


def test_what_constants_leave_alone_is_answered() -> None:
    """Removal, a column that varies within markets' alternatives, and the second stage."""
    own = fit()
    for measure in (
        bm.diversion(own, own.data, **HOW),
        bm.elasticities(own, own.data, "noise", **HOW),
        bm.shares(own, own.data, scenario=own.data.without("a"), **HOW),
    ):
        assert np.isfinite(measure["estimate"].to_numpy()).any()
    second = bm.mean_utilities(own, "price + quality", **IV).fit
    slopes = bm.elasticities(second, second.data, **HOW)["estimate"]
    assert (np.diag(slopes.sel(responding=list("abc"))) < 0).all()
    moved = bm.shares(second, second.data, scenario=dearer(second.data), **HOW)["estimate"]
    before = bm.shares(second, second.data, **HOW)["estimate"]
    assert float((moved - before).sel(alternative="a")) < 0


def test_columns_that_are_alike_are_those_of_products_in_markets() -> None:
    found = absorbed(fit(), None)
    assert found is not None
    held = dict(zip(found.names, found.everywhere & found.at_zero, strict=True))
    names = ("price", "price:income", "quality", "noise")
    assert [held[f"fixed[{n}]"] for n in names] == [True, False, True, False]
    assert absorbed(bm.mean_utilities(fit(), "price + quality", **IV).fit, None) is None
