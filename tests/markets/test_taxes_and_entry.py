"""Taxes, pass-through, entry and exit: what small and large changes of a market do."""

import numpy as np
import pytest

import bayesmix as bm
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


def test_pass_through_is_what_small_taxes_do(fit, data):
    matrix = bm.pass_through(fit, data, OWN, **QUICK)["estimate"]
    h = 2e-4
    for changed in ("a", "d"):
        up, down = (
            bm.tax(fit, data, OWN, specific={changed: s * h}, **QUICK).products["estimate"]
            for s in (1, -1)
        )
        ends = [e.sel(quantity="price_after").to_numpy() for e in (up, down)]
        expected = (ends[0] - ends[1]) / (2 * h)
        offered = np.isfinite(expected)
        found = matrix.sel(changed=changed).to_numpy()
        market_2 = changed == "d"
        rows = slice(0, 2) if market_2 else slice(None)
        np.testing.assert_allclose(
            found[rows][offered[rows]], expected[rows][offered[rows]], atol=2e-7
        )
    assert np.isnan(matrix.sel(changed="d", market=2)).all()


def test_an_ad_valorem_tax_is_a_rise_of_costs(logit):
    """``p / (1 + v) - c`` is ``(p - (1 + v) c) / (1 + v)``: the same prices, less kept of them."""
    data, fit = logit_of(market_frame(40, markets=1))
    firms, v = bm.Firms("firm"), 0.2
    costs = estimates(bm.markups(fit, data, firms, **QUICK), "cost", "all")
    taxed = bm.tax(fit, data, firms, ad_valorem=v, **QUICK)
    dearer = bm.tax(fit, data, firms, specific=(v * costs).to_dict(), **QUICK)
    prices = [estimates(t.products, "price_after", "all") for t in (taxed, dearer)]
    np.testing.assert_allclose(*prices, rtol=1e-10)
    profits = [t.firms["estimate"].sel(quantity="profit_after") for t in (taxed, dearer)]
    np.testing.assert_allclose(profits[0], profits[1] / (1 + v), rtol=1e-9)
    share = estimates(taxed.products, "share_after", "all")
    revenue = float((share * prices[0] * v / (1 + v)).sum())
    assert taxed.markets["estimate"].sel(quantity="tax_revenue").item() == pytest.approx(revenue)
    np.testing.assert_allclose(estimates(taxed.products, "cost_after", "all"), costs, rtol=1e-12)


def test_a_tax_of_nothing_changes_nothing(fit, data):
    found = bm.tax(fit, data, OWN, specific=0.0, **QUICK)
    change = found.products["estimate"].sel(quantity="price_change")
    assert np.nanmax(np.abs(change)) < 1e-10


def test_exit_and_entry(fit, data):
    gone = bm.entry_and_exit(fit, data, OWN, data.without("d"), **QUICK)
    assert np.isnan(gone.products["estimate"].sel(quantity="price_after", product="d")).all()
    without = gone.products["estimate"].sel(quantity="share_after", product="d", market=0)
    assert np.isnan(without)
    assert float(gone.firms["estimate"].sel(firm="C", market=0, quantity="profit_after")) == 0.0
    assert gone.markets["estimate"].sel(quantity="surplus_change", market=0) < 0
    assert gone.markets["estimate"].sel(quantity="surplus_change", market=2) == pytest.approx(0)
    attributes = {"price": 1.4, "quality": 0.5, "firm": "E"}
    new = data.with_alternative("e", attributes, where=lambda r: r["market"] == 0)
    came = bm.entry_and_exit(fit, data, OWN, new, costs={"e": 0.8}, **QUICK)
    costs = estimates(came.products, "cost_after", 0)
    assert costs["e"] == 0.8
    there = at_prices(new, came)
    owner = {**FIRMS, "e": "E"}
    assert np.abs(conditions(fit, data, there, costs, owner, 0)).max() < 1e-8
    assert float(came.firms["estimate"].sel(firm="E", market=0, quantity="profit_change")) > 0
    assert came.markets["estimate"].sel(quantity="surplus_change", market=0) > 0
    like = data.with_alternative("e", {"price": 1.4, "firm": "E"}, like="b")
    alike = bm.entry_and_exit(fit, data, OWN, like, **QUICK).products
    cost = estimates(alike, "cost_after")
    assert cost["e"] == pytest.approx(cost["b"], rel=1e-12)


def test_surplus_is_in_money_as_it_was_worth(data):
    """A scenario may move what the price's coefficient depends on: `bm.surplus` says the rest."""
    frame = data.frame.assign(poor=(data.frame["who"] % 2).astype(float))
    model = bm.MixedLogit("price + price:poor + quality", random=[bm.Normal("quality")])
    whole = market_data(frame, weights="w")
    fit = bm.msle(model, whole, starts=1, rng=1)
    some = whole.with_attribute("poor", 1.0)
    for scenario in (some, some.without("d")):
        found = bm.entry_and_exit(fit, whole, OWN, scenario, **QUICK)
        there = at_prices(scenario, found)
        for by, part in (("market", found.markets), (None, found.segments.isel(segment=0))):
            expected = bm.surplus(fit, whole, scenario=there, by=by, **QUICK)["estimate"]
            surplus = part["estimate"].sel(quantity="surplus_change")
            np.testing.assert_allclose(surplus, expected, rtol=1e-9)
