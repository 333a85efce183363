"""Firms: closed forms, first-order conditions by other functions, identities, mergers and taxes."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from tests.demand.test_elasticities import bootstrapped
from tests.markets.conftest import (
    FIRMS,
    OWN,
    QUICK,
    at_prices,
    conditions,
    estimates,
    logit_of,
    market_data,
    market_frame,
)


@pytest.fixture(scope="module")
def merged(fit, data):
    return bm.merger(fit, data, OWN, merge=("A", "B"), by="income", **QUICK)


def test_symmetric_duopoly_in_closed_form():
    frame = market_frame(40)
    frame = frame[frame["alt"].isin(["b", "c"])].assign(price=1.5, quality=0.3)
    data = market_data(frame.assign(choice=0))
    at = pd.Series({"fixed[price]": -1.2})
    model = bm.MixedLogit("price")
    train = market_data(market_frame(40))
    fit = bm.msle(model, bm.simulate_choices(model, at, train, 1))
    found = bm.markups(fit, data, bm.Firms("firm"), **QUICK)
    alpha, share = -fit.params["fixed[price]"], estimates(found, "share", "all")
    margin = estimates(found, "margin", "all")
    np.testing.assert_allclose(margin, 1 / (alpha * (1 - share)), rtol=1e-10)
    np.testing.assert_allclose(estimates(found, "lerner", "all"), margin / 1.5, rtol=1e-12)


def test_firms_of_several_products_in_closed_form(logit):
    """A logit firm's margins are all ``1 / (alpha (1 - its share))`` where sets are alike."""
    data, fit = logit
    frame = data.frame.assign(quality=0.2)
    alike = market_data(frame.assign(choice=0))
    found = bm.markups(fit, alike, OWN, **QUICK)
    for market in range(3):
        share, margin = (estimates(found, q, market) for q in ("share", "margin"))
        of_firm = share.groupby(FIRMS).transform("sum")
        expected = 1 / (-fit.params["fixed[price]"] * (1 - of_firm))
        np.testing.assert_allclose(margin, expected, rtol=1e-10)


@pytest.mark.parametrize("market", [0, 2])
def test_first_order_conditions_hold_before_and_after(fit, data, merged, market):
    owner = {**FIRMS, "c": "A"}
    costs = estimates(merged.products, "cost_before", market)
    now = conditions(fit, data, data.with_attribute("price", data.frame["price"]), costs, FIRMS,
                     market)  # fmt: skip
    after = conditions(fit, data, at_prices(data, merged), costs, owner, market)
    assert np.abs(now).max() < 1e-10
    assert np.abs(after).max() < 1e-8
    assert (estimates(merged.products, "price_change", market)[["a", "b", "c"]] > 0.005).all()


def test_prices_are_best_for_the_merged_firm(fit, data, merged):
    """Its profits are lower at any other price of one of its products."""
    there = at_prices(data, merged)
    costs = estimates(merged.products, "cost_after", 0)
    prices = estimates(merged.products, "price_after", 0)

    def profit(scenario):
        shares = bm.shares(fit, data, scenario=scenario, by="market", **QUICK)["estimate"]
        price = prices.copy()
        rows = scenario.frame
        price.update(rows[rows["market"] == 0].groupby("alt")["price"].first())
        own = shares.sel(segment=0, alternative=list("abc")).to_numpy()
        return float(own @ (price - costs)[list("abc")])

    best = profit(there)
    expected = merged.firms["estimate"].sel(market=0, firm="A + B", quantity="profit_after")
    assert best == pytest.approx(float(expected), abs=1e-12)
    for label in "abc":
        for factor in (0.97, 1.03):
            moved = there.with_attribute(
                "price", lambda rows, f=factor: f * rows["price"], alternative=label
            )
            assert profit(moved) < best - 1e-6


def test_surplus_is_that_of_the_scenario(fit, data, merged):
    there = at_prices(data, merged)
    for by, part in (("income", merged.segments), ("market", merged.markets)):
        expected = bm.surplus(fit, data, scenario=there, by=by, **QUICK)["estimate"]
        found = part["estimate"].sel(quantity="surplus_change")
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_markets_report_adds_up(merged):
    markets, firms = merged.markets["estimate"], merged.firms["estimate"]
    change = firms.sel(quantity="profit_change").sum("firm")
    np.testing.assert_allclose(markets.sel(quantity="profit_change"), change, atol=1e-14)
    share = estimates(merged.products, "share_before", 1)
    by_firm = share.groupby(FIRMS).sum() / share.sum()
    hhi = markets.sel(market=1, quantity="hhi_before").item()
    assert hhi == pytest.approx(1e4 * (by_firm**2).sum(), rel=1e-12)
    welfare = markets.sel(quantity=["profit_change", "surplus_change", "tax_revenue"])
    np.testing.assert_allclose(
        markets.sel(quantity="welfare_change"), welfare.sum("quantity"), atol=1e-14
    )
    assert merged.firms["firm"].to_numpy().tolist() == ["A + B", "C"]


def test_compensating_cost_reductions_leave_prices_as_they_are(fit, data):
    pressed = bm.pricing_pressure(fit, data, OWN, merge=("A", "B"), **QUICK)["estimate"]
    cmcr = pressed.sel(quantity="cmcr")
    # Costs fall by product in all markets alike: of one market at a time.
    for market in range(3):
        own = cmcr.sel(market=market).to_series().dropna()
        if not own.between(0, 1).all():
            continue
        found = bm.merger(
            fit, data, OWN, merge=("A", "B"), efficiencies=own.to_dict(), **QUICK
        ).products
        assert np.abs(estimates(found, "price_change", market)).max() < 1e-9
        break
    else:
        pytest.fail("no market has costs above 0")


def test_pressure_predicts_small_mergers():
    """Where people seldom divert to the partner, first-order predictions are within 5 %."""
    data, fit = logit_of(market_frame(60, markets=1))
    given = dict(zip("abcd", (0.03, 0.02, 0.04, 0.03), strict=True))
    small = bm.match_shares(fit, data, given, rng=4).data
    firms = bm.Firms("firm")
    options = {**QUICK, "merge": ("B", "C")}
    pressed = bm.pricing_pressure(fit, small, firms, **options)
    exact = bm.merger(fit, small, firms, **options)
    change = estimates(exact.products, "price_change", "all")
    predicted = estimates(pressed, "price_change", "all")
    ours = ["c", "d"]
    np.testing.assert_allclose(predicted[ours], change[ours], rtol=0.05)
    assert (change[ours] > 1e-3).all()
    upp, margin = (
        estimates(pressed, "upp", "all"),
        estimates(bm.markups(fit, small, firms, **QUICK), "margin", "all"),
    )
    slopes = bm.elasticities(fit, small, kind="marginal", **QUICK)["estimate"]
    ratio = -slopes.sel(changed="c", responding="d") / slopes.sel(changed="c", responding="c")
    assert upp["c"] == pytest.approx(float(ratio) * margin["d"], rel=1e-10)
    price = data.frame.groupby("alt")["price"].first()
    assert estimates(pressed, "guppi", "all")["c"] == pytest.approx(upp["c"] / price["c"])


def test_efficiencies_lower_pressure_and_prices(fit, data, merged):
    options = {"merge": ("A", "B"), **QUICK}
    less = bm.merger(fit, data, OWN, efficiencies=0.1, **options).products
    whole = estimates(merged.products, "price_after")
    assert (estimates(less, "price_after")[list("abc")] < whole[list("abc")]).all()
    ratio = estimates(less, "cost_after") / estimates(less, "cost_before")
    np.testing.assert_allclose(ratio, [0.9, 0.9, 0.9, 1.0], rtol=1e-12)
    pressed = [
        bm.pricing_pressure(fit, data, OWN, efficiencies=e, **options) for e in (None, {"a": 0.1})
    ]
    fall = estimates(pressed[0], "upp") - estimates(pressed[1], "upp")
    np.testing.assert_allclose(fall, [0.1 * estimates(less, "cost_before")["a"], 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        bm.MixedLogit("np.log(price) + quality", random=[bm.LogNormal("np.log(price)", sign=-1)]),
        bm.MixedLogit("price + price:poor + I(price**2) + quality"),
        bm.MixedLogit("price + quality", wtp="price", random=[bm.Normal("quality")]),
        bm.MixedLogit("price + quality", random=[bm.LatentClass("quality", classes=2)]),
    ],
    ids=["log", "square", "wtp", "classes"],
)
def test_other_utilities_meet_first_order_conditions(model, data):
    frame = data.frame.assign(poor=(data.frame["who"] % 2).astype(float))
    frame["price"] += 1.0
    other = market_data(frame, weights="w")
    result = bm.msle(model, other, starts=1, rng=1)
    found = bm.merger(
        result, other, OWN, merge=("B", "C"), uncertainty=bootstrapped(result, result.theta[None]),
        **QUICK,
    )  # fmt: skip
    costs = estimates(found.products, "cost_after", 1)
    owner = {**FIRMS, "d": "B"}
    there = at_prices(other, found)
    assert np.abs(conditions(result, other, there, costs, owner, 1)).max() < 1e-8
    surplus = found.markets["estimate"].sel(quantity="surplus_change")
    linear = "log" not in model.formula and "**" not in model.formula
    assert bool(np.isfinite(surplus).all()) == linear
    for note in (
        found.note,
        *(part.attrs.get("note", "") for part in (found.markets, found.segments)),
    ):
        assert ("no surplus, and no change of welfare" in note) != linear


def test_products_in_any_place(fit, data):
    """Alternatives that are mere positions, with a column of products."""
    frame = data.frame.assign(product=data.frame["alt"].astype(str))
    order = {label: (n + 1) % 4 for n, label in enumerate("abcd")}
    frame["alt"] = frame["product"].map(order)
    other = market_data(frame, weights="w")
    placed = bm.Firms("firm", market="market", products="product")
    found = bm.markups(fit, other, placed, **QUICK)
    expected = bm.markups(fit, data, OWN, **QUICK)
    np.testing.assert_allclose(found["estimate"], expected["estimate"], rtol=1e-10)


def test_products_of_several_rows_in_a_situation(fit, data):
    """Two alternatives that are one product, at one price: one first-order condition."""
    frame = data.frame.assign(brand=data.frame["alt"].map({"a": "x", "b": "x", "c": "y", "d": "z"}))
    frame["price"] = frame.groupby(["market", "brand"])["price"].transform("mean")
    other = market_data(frame, weights="w")
    brands = bm.Firms("firm", market="market", products="brand")
    found = bm.merger(fit, other, brands, merge=("A", "B"), **QUICK)
    prices = found.products["estimate"].sel(quantity="price_after").to_series()

    def new(rows):
        return prices.loc[list(zip(rows["market"], rows["brand"], strict=True))].to_numpy()

    options = {"scenario": other.with_attribute("price", new), "by": "market", **QUICK}
    options |= {"products": "brand"}
    slopes = bm.elasticities(fit, other, kind="marginal", **options)["estimate"].sel(segment=0)
    shares = bm.shares(fit, other, **options)["estimate"].sel(segment=0)
    margin = prices.loc[0] - estimates(found.products, "cost_after")
    for j, ours in (("x", ["x", "y"]), ("y", ["x", "y"]), ("z", ["z"])):
        effect = slopes.sel(changed=j, responding=ours).to_numpy() @ margin[ours].to_numpy()
        assert abs(float(shares.sel(alternative=j)) + effect) < 1e-9


def test_matched_shares_are_what_firms_see(fit, data):
    given = {"a": 0.1, "b": 0.2, "c": 0.15, "d": 0.05}
    firms = bm.Firms("firm")
    even = data.with_attribute("price", lambda r: r.groupby("alt")["price"].transform("mean"))
    matched = bm.match_shares(fit, even, given, rng=4, nodes=32)
    found = bm.markups(fit, matched.data, firms, **QUICK)
    np.testing.assert_allclose(estimates(found, "share", "all"), list(given.values()), atol=1e-12)


def test_tables(merged):
    frame = merged.frame("products")
    assert list(frame.index.names) == ["market", "product"]
    assert len(frame) == 11
    assert "Merger of A and B" in repr(merged)
    assert "<table" in merged._repr_html_()
    with pytest.raises(bm.SpecificationError, match="'part' must be one of"):
        merged.frame("prices")


def test_firms_that_are_numbers_may_be_written_as_text(fit):
    frame = market_frame()
    data = market_data(frame.assign(firm=frame["firm"].map({"A": 1, "B": 2, "C": 3})))
    one, other = (bm.merger(fit, data, OWN, merge=m, **QUICK) for m in ((1, 2), ("1", "2")))
    assert one.products.equals(other.products)
