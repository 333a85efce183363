"""Firms and shares under nests, by closed forms (Berry 1994) and a nested logit in NumPy."""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import root
from scipy.stats import norm

import bayesmix as bm
from tests.markets.conftest import (
    FIRMS,
    OWN,
    QUICK,
    at_prices,
    conditions,
    estimates,
    market_data,
    market_frame,
)

NEST, WITHIN = bm.Nests({"inside": list("abcd")}), 0.6
PRICE = 1.5


@cache
def alike() -> tuple[bm.Fit, bm.ChoiceData]:
    """A fit, and four products that do not differ, beside an outside option."""
    data = bm.simulate_choices(
        bm.MixedLogit("price"), {"fixed[price]": -1.0}, market_data(market_frame(60)), 1
    )
    model = bm.MixedLogit("price", nests=NEST)
    fit = bm.msle(model, data, fixed={"nest[inside]": WITHIN}, starts=1)
    frame = market_frame(20, markets=2).assign(price=PRICE, choice=0)
    return fit, market_data(frame)


def nested(prices: np.ndarray, slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Shares and derivatives ``dS_k / dp_j`` (J, J) of one nest beside an outside option."""
    power = np.exp(slope * prices / WITHIN)
    within = power / power.sum()
    nest = power.sum() ** WITHIN / (1.0 + power.sum() ** WITHIN)
    share = within * nest
    cross = (1.0 / WITHIN - 1.0) * within[:, None] * share + share[:, None] * share
    return share, slope * (np.diag(share) / WITHIN - cross)


@pytest.mark.parametrize("owners", ["single", "pairs"])
def test_margins_of_symmetric_firms_are_in_closed_form(owners: str) -> None:
    """``m = l / (alpha (1 - (1 - l) q - l s))``, of a firm's share q of the nest and s of all."""
    fit, data = alike()
    if owners == "pairs":
        pairs = data.frame["alt"].isin(["a", "b"]).map({True: "x", False: "y"})
        data = market_data(data.frame.assign(firm=pairs))
    found = bm.markups(fit, data, bm.Firms("alt" if owners == "single" else "firm"), **QUICK)
    alpha, share = -fit.params["fixed[price]"], estimates(found, "share", "all")
    number = {"single": 1, "pairs": 2}[owners]
    left = 1.0 - (1.0 - WITHIN) * number / 4.0 - WITHIN * number * share
    np.testing.assert_allclose(
        estimates(found, "margin", "all"), WITHIN / (alpha * left), rtol=1e-10
    )


def test_a_merger_finds_the_prices_of_a_nested_logit() -> None:
    fit, data = alike()
    slope, start = fit.params["fixed[price]"], np.full(4, PRICE)
    firms = np.array([0, 0, 1, 2])

    def left(prices: np.ndarray, owner: np.ndarray, costs: np.ndarray) -> np.ndarray:
        share, effect = nested(prices, slope)
        return share + ((owner[:, None] == owner) * effect) @ (prices - costs)

    share, effect = nested(start, slope)
    costs = start + np.linalg.solve((firms[:, None] == firms) * effect, share)
    after = root(lambda p: left(p, np.array([0, 0, 0, 2]), costs), start, tol=1e-13).x
    merged = bm.merger(fit, data, bm.Firms("firm"), merge=("A", "B"), **QUICK)
    np.testing.assert_allclose(estimates(merged.products, "cost_before", "all"), costs, rtol=1e-9)
    np.testing.assert_allclose(estimates(merged.products, "price_after", "all"), after, rtol=1e-8)
    values = [np.log1p(np.exp(slope * p / WITHIN).sum() ** WITHIN) for p in (after, start)]
    gain = merged.markets["estimate"].sel(quantity="surplus_change").item()
    assert gain == pytest.approx((values[0] - values[1]) / -slope, rel=1e-8)
    passed = bm.tax(fit, data, bm.Firms("firm"), specific=0.1, **QUICK)
    taxed = root(lambda p: left(p, firms, costs + 0.1), start, tol=1e-13).x
    np.testing.assert_allclose(estimates(passed.products, "price_after", "all"), taxed, rtol=1e-8)


def test_delta_intervals_know_that_a_held_nest_has_no_error() -> None:
    fit, data = alike()
    found = bm.shares(fit, data, uncertainty="delta", interval=0.9, rng=1)
    slope, error = fit.params["fixed[price]"], fit.std_errors["fixed[price]"]
    sides = [nested(np.full(4, PRICE), slope + step)[0] for step in (1e-5, -1e-5)]
    width = 2 * norm.ppf(0.95) * error * np.abs(sides[0] - sides[1]) / 2e-5
    np.testing.assert_allclose((found["high"] - found["low"])[:4], width, rtol=1e-5)


def test_constants_that_match_shares_are_in_closed_form() -> None:
    """``log s_j - log s_0 - (1 - l) log s_j|nest``, less what attributes say (Berry 1994)."""
    fit, data = alike()
    shares = {"a": 0.3, "b": 0.2, "c": 0.15, "d": 0.05}
    found = bm.match_shares(fit, data, shares, **QUICK)
    s = np.array(list(shares.values()))
    known = fit.params["fixed[price]"] * PRICE
    expected = np.log(s / (1.0 - s.sum())) - (1.0 - WITHIN) * np.log(s / s.sum()) - known
    np.testing.assert_allclose(found.constants.to_numpy()[0], expected, atol=1e-10)


def test_conditions_hold_with_tastes_that_differ() -> None:
    """By `bm.shares` and `bm.elasticities`, which have kernels of their own."""
    data = market_data(market_frame(30))
    model = bm.MixedLogit("price + quality", bm.LogNormal("price", sign=-1), nests=NEST)
    at = {"mean[price]": 0.3, "sd[price]": 0.3, "fixed[quality]": 0.5, "nest[inside]": WITHIN}
    data = bm.simulate_choices(model, at, data, 1)
    fit = bm.msle(model, data, fixed=at, grid=bm.sobol(16), starts=1)
    found = bm.merger(fit, data, OWN, merge=("A", "B"), **QUICK)
    costs = estimates(found.products, "cost_before")
    left = conditions(fit, data, at_prices(data, found), costs, {**FIRMS, "c": "A"}, 0)
    assert np.abs(left).max() < 1e-8


def test_lerner_indices_above_one_are_said_with_their_share() -> None:
    fit, data = alike()
    cheap, how = data.with_attribute("price", 0.4), {**QUICK, "uncertainty": "delta"}
    found = bm.markups(fit, cheap, bm.Firms("alt"), **QUICK)
    assert (estimates(found, "lerner", "all") > 1.0).all()
    words = "100.0% of Lerner indices are above 1 at the estimates"
    assert f"{words}, and 100.0% of draws have one: " in found.attrs["lerner"]
    # Steps of the delta method are no draws.
    assert f"{words}: " in bm.markups(fit, cheap, bm.Firms("alt"), **how).attrs["lerner"]
    assert (
        "lerner"
        not in bm.markups(fit, data.with_attribute("price", 9.0), bm.Firms("alt"), **QUICK).attrs
    )
