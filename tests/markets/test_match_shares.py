"""Constants that match shares: closed form, an independent solver, refusals, and their use."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import root

import bayesmix as bm
from bayesmix.errors import ConvergenceError, DataError, SpecificationError
from bayesmix.optimise import share_constants
from tests.markets.conftest import market_data, market_frame

QUICK = {"rng": 4, "nodes": 64}


def given(seed=0, last=3):
    """Shares by market and alternative; what is left is the outside option's."""
    rng = np.random.default_rng(seed)
    out = {}
    for market in range(3):
        labels = "abc" if market == 2 else "abcd"
        for label, value in zip(labels, rng.dirichlet(np.ones(len(labels) + 1)), strict=False):
            out[market, label] = value
    return pd.Series(out)


def predicted(fit, data, shares, **options):
    """Predicted shares in the order of the given ones."""
    found = bm.shares(fit, data, by="market", **{"draws": 3, **QUICK, **options})["estimate"]
    return np.array([found.sel(segment=m, alternative=a).item() for m, a in shares.index])


@pytest.fixture(scope="module")
def matched(fit, data):
    return bm.match_shares(fit, data, given(), market="market", **QUICK)


def test_shares_are_the_given_ones(fit, matched):
    np.testing.assert_allclose(predicted(fit, matched.data, given()), given(), atol=1e-12, rtol=0)
    assert matched.error < 1e-12
    assert np.isnan(matched.constants.sel(market=2, alternative="d"))


def test_contraction_and_newton_agree(fit, data, matched, monkeypatch):
    monkeypatch.setattr(share_constants, "NEWTON_MOST", 0)
    other = bm.match_shares(fit, data, given(), market="market", **QUICK)
    np.testing.assert_allclose(other.constants, matched.constants, atol=1e-11)
    assert matched.evaluations < 20 < other.evaluations < 300


def test_a_general_solver_finds_the_same(fit, data, matched):
    """MINPACK on `bm.shares` of data that `with_attribute` gives their constants."""
    shares = given().loc[1]

    def distance(xi):
        own = dict(zip("abcd", xi, strict=True))
        frame = matched.data.frame
        rows = np.where(frame["market"] == 1, frame["alt"].map(own), frame["constant"])
        there = matched.data.with_attribute("constant", rows)
        found = bm.shares(fit, there, by="market", draws=3, **QUICK)["estimate"].sel(segment=1)
        return np.log(found.sel(alternative=list("abcd")).to_numpy()) - np.log(shares.to_numpy())

    solution = root(distance, np.zeros(4), tol=1e-12)
    np.testing.assert_allclose(matched.constants.sel(market=1), solution.x, atol=1e-8)


def test_plain_logit_has_a_closed_form():
    frame = market_frame(60)
    frame["quality"] = frame.groupby(["market", "alt"])["quality"].transform("mean")
    model = bm.MixedLogit("price + quality")
    data = bm.simulate_choices(
        model, {"fixed[price]": -1.0, "fixed[quality]": 0.5}, market_data(frame), 1
    )
    fit = bm.msle(model, data)
    shares = given()
    found = bm.match_shares(fit, data, shares, market="market")
    mean = frame.groupby(["market", "alt"])[["price", "quality"]].mean() @ fit.theta
    outside = 1 - shares.groupby(level=0).sum()
    for (market, label), share in shares.items():
        expected = np.log(share) - np.log(outside[market]) - mean[market, label]
        constant = found.constants.sel(market=market, alternative=label)
        assert float(constant) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("most", [0, 2**25])
def test_without_an_outside_option_the_first_constant_is_0(most, monkeypatch):
    monkeypatch.setattr(share_constants, "NEWTON_MOST", most)
    model = bm.MixedLogit("price + quality", random=[bm.Normal("quality")])
    at = {"fixed[price]": -1.0, "mean[quality]": 0.5, "sd[quality]": 1.0}
    data = bm.simulate_choices(model, at, market_data(market_frame(60), outside_option=False), 1)
    fit = bm.msle(model, data, grid=bm.centred(bm.sobol(16)), starts=1, rng=1)
    shares = given() / given().groupby(level=0).transform("sum")
    found = bm.match_shares(fit, data, shares, market="market", **QUICK)
    np.testing.assert_array_equal(found.constants.sel(alternative="a"), 0.0)
    np.testing.assert_allclose(predicted(fit, found.data, shares), shares, atol=1e-12, rtol=0)


def test_ragged_sets_match_too(fit, data):
    """Alternatives that not every situation of a market offers."""
    kept = (data.frame["alt"] != "b") | (data.frame["task"] == 0)
    ragged = market_data(data.frame[kept], weights="w")
    shares = given() * np.where(given().index.get_level_values(1) == "b", 0.3, 1.0)
    found = bm.match_shares(fit, ragged, shares, market="market", **QUICK)
    np.testing.assert_allclose(predicted(fit, found.data, shares), shares, atol=1e-12, rtol=0)


def test_at_a_scenario_and_put_elsewhere(fit, data):
    there = data.with_attribute("price", lambda rows: 1.2 * rows["price"])
    found = bm.match_shares(fit, data, given(), market="market", scenario=there, **QUICK)
    np.testing.assert_allclose(predicted(fit, found.data, given()), given(), atol=1e-12, rtol=0)
    assert not found.data.observed
    now = found.put(data)
    assert now.observed
    before = predicted(fit, now, given())
    after = predicted(fit, now, given(), scenario=now.with_attribute("price", there.frame["price"]))
    assert np.abs(before - given()).max() > 0.01
    np.testing.assert_allclose(after, given(), atol=1e-12, rtol=0)


def test_markets_are_dates_of_any_resolution(fit, data):
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(data.frame["market"], "D")
    wanted = given()
    by_day = wanted.rename(
        index=lambda m: pd.Timestamp("2026-01-01") + pd.Timedelta(days=m), level=0
    )
    for unit in ("s", "ns"):
        dated = market_data(data.frame.assign(day=days.astype(f"datetime64[{unit}]")), weights="w")
        found = bm.match_shares(fit, dated, by_day, market="day", **QUICK)
        assert found.error < 1e-12
        firms = bm.Firms("firm", market="day")
        markups = bm.markups(fit, dated, firms, draws=2, **QUICK)
        assert bm.plot_markups(markups, market=days.iloc[0]).axes


def test_one_market_by_default(fit, data):
    found = bm.match_shares(fit, data, {"a": 0.2, "b": 0.3, "c": 0.1, "d": 0.05}, **QUICK)
    now = bm.shares(fit, found.data, draws=3, **QUICK)["estimate"].to_numpy()
    np.testing.assert_allclose(now, [0.2, 0.3, 0.1, 0.05, 0.35], atol=1e-12, rtol=0)


def test_every_form_of_shares_is_read(fit, data, matched):
    frame = given().rename_axis(["market", "alt"]).rename("share").reset_index()
    outside = 1 - given().groupby(level=0).sum()
    whole = {**given().to_dict(), **{(m, "outside"): s for m, s in outside.items()}}
    for form in (frame, whole, given().to_dict()):
        found = bm.match_shares(fit, data, form, market="market", **QUICK)
        np.testing.assert_allclose(found.constants, matched.constants, atol=1e-12)


def test_new_constants_replace_old_ones(fit, data, matched):
    again = bm.match_shares(fit, matched.data, given(1), market="market", **QUICK)
    fresh = bm.match_shares(fit, data, given(1), market="market", **QUICK)
    np.testing.assert_allclose(again.constants, fresh.constants, atol=1e-12)


def test_of_a_posterior_mean_shares_match(posterior, data):
    found = bm.match_shares(posterior, data, given(), market="market", draws=4, **QUICK)
    now = predicted(posterior, found.data, given(), draws=4)
    np.testing.assert_allclose(now, given(), atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "model",
    [
        bm.MixedLogit("price + quality", random=[bm.LatentClass("quality", classes=2)]),
        bm.MixedLogit("price + quality", wtp="price", random=[bm.Normal("quality")]),
    ],
    ids=["classes", "wtp"],
)
def test_other_models(model, data):
    fit = bm.msle(model, data, starts=1, rng=1)
    found = bm.match_shares(fit, data, given(), market="market", **QUICK)
    np.testing.assert_allclose(predicted(fit, found.data, given()), given(), atol=1e-12, rtol=0)


def test_nothing_is_estimated_from_them(matched):
    with pytest.raises(DataError, match=r"'constant'.*offset='constant'"):
        bm.msle(bm.MixedLogit("price"), matched.data)


def test_scenarios_keep_the_constants(fit, data, matched):
    options = {"market": "market", **QUICK}
    with pytest.raises(DataError, match=r"constants 'constant' of bm\.match_shares"):
        bm.shares(fit, data, scenario=matched.data.without("a"))
    without = matched.data.without("a")
    assert without.known.matched == "constant"
    new = matched.data.with_alternative("e", {"price": 1.0}, like="b")
    rows = new.frame
    constants = rows.pivot_table(index="market", columns="alt", values="constant", observed=True)
    np.testing.assert_array_equal(constants["e"], constants["b"])
    assert bm.match_shares(fit, data, given(), column="xi", **options).column == "xi"


def test_products_of_a_market_have_constants_too(matched):
    model = bm.MixedLogit("price + quality")
    logit = bm.msle(model, bm.simulate_choices(model, {"fixed[price]": -1.0, "fixed[quality]": 0.5},
                                               market_data(market_frame(30)), 1))  # fmt: skip
    product = {"price": 1.0, "quality": 0.0}
    with pytest.raises(
        DataError, match=r"constants 'constant' of bm\.match_shares.*has to have one"
    ):
        bm.market([product], matched.data)
    now = bm.market([{**product, "constant": 0.7}], matched.data)
    share = bm.shares(logit, now, **QUICK)["estimate"].to_numpy()[0]
    assert share == pytest.approx(1 / (1 + np.exp(-logit.params["fixed[price]"] - 0.7)), rel=1e-12)


def changed(**entries):
    shares = given().to_dict()
    for key, value in entries.items():
        shares[int(key[1]), key[2:]] = value
    return shares


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (changed(m0a=0.0), r"0.0 for alternative 'a' of market 0.*no constant gives a share of 0"),
        (changed(m0a=float("nan")), r"nan for alternative 'a' of market 0"),
        (changed(m0a=0.99), r"of market 0 sum to 1\.\d+, expected below 1"),
        (changed(m7a=0.1), "market 7, and column 'market' of the data has none"),
        (changed(m0z=0.1), "alternative 'z', which nobody is offered"),
        (changed(m2d=0.01), "a share for alternative 'd' of market 2, which is not offered"),
        ({k: v for k, v in changed().items() if k != (1, "b")}, "no share for alternative 'b' of"),
        ({k: v for k, v in changed().items() if k[0] != 1}, "no share for alternative 'a' of mar"),
        ({"a": 0.1}, r"by market and alternative, with market='market'"),
        ({}, "argument 'shares' must be a mapping"),
        (pd.DataFrame({"market": [0], "alt": ["a"]}), "the frame has no column 'share'"),
    ],
)
def test_shares_that_nothing_gives_are_refused(fit, data, shares, message):
    with pytest.raises((DataError, SpecificationError), match=message):
        bm.match_shares(fit, data, shares, market="market", **QUICK)


def test_a_share_larger_than_what_is_offered_is_refused(fit, data):
    kept = (data.frame["alt"] != "b") | (data.frame["who"] > 80)
    ragged = market_data(data.frame[kept], weights="w")
    shares = changed(m0b=0.4, m0a=0.1, m0c=0.1, m0d=0.1)
    with pytest.raises(DataError, match="'b' of market 0 that is no less than the part"):
        bm.match_shares(fit, ragged, shares, market="market", **QUICK)


def test_shares_out_of_reach_together_are_said(fit, data):
    """a and b are offered to the same few, who cannot all choose both."""
    kept = ~data.frame["alt"].isin(["a", "b"]) | (data.frame["task"] == 0)
    ragged = market_data(data.frame[kept], weights="w")
    shares = {"a": 0.4, "b": 0.4, "c": 0.1, "d": 0.05}
    with pytest.raises(ConvergenceError, match="no constants were found"):
        bm.match_shares(fit, ragged, shares, **QUICK)


class Kinds:
    """Shares of kinds of buyers with utilities (K, J), as many of each, and an outside option."""

    def __init__(self, utilities):
        self.utilities = utilities

    def slopes(self, xi):
        v = np.exp(self.utilities[:, None] + xi)
        p = v / (1.0 + v.sum(axis=-1, keepdims=True))
        p = np.concatenate([p, 1.0 - p.sum(axis=-1, keepdims=True)], axis=-1)
        own = np.eye(xi.shape[1], p.shape[-1]) - p[:, :, None]
        return p.mean(axis=0), (p[..., : xi.shape[1], None] * own).mean(axis=0)


@pytest.mark.parametrize("outside", [0.5, 1e-2, 1e-3, 1e-6])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_constants_are_found_however_few_buy_nothing(outside, spread):
    """From far away Newton's steps lead nowhere there, and the contraction's are very short."""
    rng = np.random.default_rng(1)
    v = rng.uniform(0.0, 8.0, 6) + spread * rng.normal(size=(4, 6))
    inside = rng.dirichlet(np.ones(6), size=3) * (1.0 - outside)
    target = np.column_stack([inside, np.full(3, outside)])
    found = share_constants.solve_constants(Kinds(v), share_constants.wanted_of(target, 6))
    assert found.error.max() < 1e-8  # of logarithms; 1 - p is rounded
    np.testing.assert_allclose(found.shares, target, atol=1e-12)
    if not spread:
        closed = np.log(inside / outside) - v[0]
        np.testing.assert_allclose(found.constants, closed, atol=1e-8)


def test_many_alternatives_with_a_small_outside_share_are_matched():
    """By Newton's steps: the contraction of 80 was not there after 3,000 evaluations."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"task": np.repeat(np.arange(40), 80), "alt": np.tile(np.arange(80), 40)})
    frame["price"], frame["quality"] = rng.normal(size=(2, len(frame)))
    utility = frame["quality"] - frame["price"] + rng.gumbel(size=len(frame))
    best = utility.groupby(frame["task"]).transform("max")
    data = bm.ChoiceData.from_long(
        frame.assign(choice=(utility == best).astype(int)),
        person=None, situation="task", alternative="alt", chosen="choice", outside_option=True,
    )  # fmt: skip
    fit = bm.msle(bm.MixedLogit("price + quality"), data)
    shares = dict(enumerate(rng.dirichlet(np.ones(80)) * 0.999))
    found = bm.match_shares(fit, data, shares, **QUICK)
    assert found.error < 1e-12
    assert found.evaluations < 20
