"""Firms and prices that have no answer are refused, with their reasons."""

import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.demand.options import settle
from bayesmix.errors import ConvergenceError
from bayesmix.markets.over_draws import priced_sample
from tests.markets.conftest import LOGIT, OWN, QUICK, market_data, market_frame


def refused(data, **columns):
    return market_data(data.frame.assign(**columns), weights="w")


def without_b(data):
    return data.frame["firm"].where(data.frame["alt"] != "b")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, d: bm.markups(f, d, bm.Firms("owner")), "'ownership': .* no column 'owner'"),
        (lambda f, d: bm.markups(f, d, "firm"), r"'firms' must be bm\.Firms"),
        (lambda f, d: bm.markups(f, d, bm.Firms("firm")), "varies within product 'a' .*mean"),
        (
            lambda f, d: bm.markups(f, refused(d, firm=without_b(d)), OWN),
            "'firm' has missing values, first in row",
        ),
        (
            lambda f, d: bm.markups(f, refused(d, firm=d.frame["who"] % 2), OWN),
            "'firm' varies within product 'a' of market 0",
        ),
        (lambda f, d: bm.merger(f, d, OWN, merge=("A", "Z")), "firm 'Z', and column 'firm'"),
        (lambda f, d: bm.merger(f, d, OWN, merge=("A",)), "'merge' must be two firms or more"),
        (lambda f, d: bm.merger(f, d, OWN, merge=("A", "A")), "'merge' must be different firms"),
        (
            lambda f, d: bm.merger(f, d, OWN, merge=("A", "B"), efficiencies={"d": 0.1}),
            "'efficiencies' has product 'd'",
        ),
        (
            lambda f, d: bm.merger(f, d, OWN, merge=("A", "B"), efficiencies=1.5),
            "'efficiencies' must be a finite number",
        ),
        (lambda f, d: bm.tax(f, d, OWN), "there is no tax"),
        (lambda f, d: bm.tax(f, d, OWN, specific={"z": 1.0}), "'specific' has product 'z'"),
        (
            lambda f, d: bm.entry_and_exit(
                f, d, OWN, d.with_alternative("e", {"price": 1.0, "quality": 0.0, "firm": "E"})
            ),
            "product 'e' is new in 3 markets, and its cost unknown",
        ),
        (
            lambda f, d: bm.entry_and_exit(f, d, OWN, d.without(*"abcd")),
            "'scenario' offers no product",
        ),
        (
            lambda f, d: bm.entry_and_exit(f, d, OWN, d.without("d"), costs={"d": 1.0}),
            "'costs' has product 'd', which the scenario does not offer",
        ),
    ],
)  # fmt: skip
def test_refusals(fit, data, call, message):
    with pytest.raises((bm.DataError, bm.SpecificationError), match=message):
        call(fit, data)


def test_firms_that_share_no_market_do_not_merge(fit, data):
    frame = data.frame
    kept = (frame["market"] != 0) | (frame["alt"] != "d")
    kept &= (frame["market"] == 0) | (frame["alt"] != "c")
    apart = market_data(frame[kept], weights="w")
    with pytest.raises(bm.SpecificationError, match="'B', 'C' have no market in common"):
        bm.merger(fit, apart, OWN, merge=("B", "C"))


def test_monopolies_without_an_outside_option_are_refused(data):
    inside = bm.simulate_choices(
        LOGIT, {"fixed[price]": -1.0, "fixed[quality]": 0.5},
        market_data(market_frame(40), outside_option=False), 1,
    )  # fmt: skip
    fit = bm.msle(LOGIT, inside)
    with pytest.raises(bm.SpecificationError, match=r"owns every product in markets 2.*outside"):
        bm.merger(fit, inside, OWN, merge=("A", "B"), **QUICK)
    only = inside.frame[inside.frame["alt"] == "a"].assign(choice=1)
    single = market_data(only, outside_option=False)
    with pytest.raises(bm.SpecificationError, match="one firm owns every product"):
        bm.markups(fit, single, OWN, **QUICK)


def test_prices_that_please_some_are_refused_with_their_share(data):
    model = bm.MixedLogit("price + quality", random=[bm.Normal("price")])
    fit = bm.msle(model, data, starts=1, rng=1, start={"mean[price]": -1.0, "sd[price]": 1.0})
    with pytest.raises(bm.SpecificationError, match=r"rises in 'price' for \d+\.\d+% of people"):
        bm.markups(fit, data, OWN, **QUICK)


def test_share_of_people_whom_prices_please(fit, data):
    """Against a normal law's own probability."""

    model = bm.MixedLogit("price + quality", random=[bm.Normal("price")])
    other = bm.msle(model, data, starts=1, rng=1)
    market = priced_sample(
        other, data, OWN, None, settle({"rng": 1, "nodes": 512, "draws": 2}, bm.shares)
    )
    names = list(other.params.index)
    theta = other.theta.copy()
    theta[names.index("mean[price]")], theta[names.index("sd[price]")] = -0.8, 0.9
    at = other.space.natural(theta)
    expected = norm.cdf(at[names.index("mean[price]")] / at[names.index("sd[price]")])
    assert market.positive(theta) == pytest.approx(expected, abs=0.01)
    allowed = bm.Firms("firm", market="market", allow_positive=True)
    bm.markups(other, data, allowed, **QUICK)


def test_prices_on_the_way_at_which_utility_has_no_value_are_said_as_that() -> None:
    """With a slope of -1 by the logarithm no price is best: the search leaves the domain."""
    data, model = market_data(market_frame(60)), bm.MixedLogit("log(price) + quality")
    at = {"fixed[log(price)]": -1.0, "fixed[quality]": 0.5}
    fit = bm.msle(model, bm.simulate_choices(model, at, data, 1))
    with pytest.raises(ConvergenceError, match=r"at which utility has none .*log"):
        bm.tax(fit, data, OWN, specific=0.1, **QUICK)


def test_where_prices_do_not_settle_is_said_with_what_to_look_at(fit, data, monkeypatch):
    monkeypatch.setattr("bayesmix.markets.equilibrium.MOST", 1)
    words = r"best for every firm in markets 0, 1.* at the estimates: .*own-price elasticities"
    with pytest.raises(bm.ConvergenceError, match=words):
        bm.merger(fit, data, OWN, merge=("A", "B"), **QUICK)
