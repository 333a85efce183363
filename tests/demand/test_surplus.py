"""Surplus: minus the share for a little more of a price, closed forms, and what is refused."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.demand.money import remedy
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from tests.demand.test_elasticities import QUICK, bootstrapped
from tests.simulated import attributes, choice_data


@pytest.mark.parametrize("people", ["population", "known"])
def test_a_little_more_of_a_price_costs_the_share(fit, data, people):
    """Roy's identity, in every segment, with price:poor in the slope."""
    share = bm.shares(fit, data, by="half", people=people, **QUICK)["estimate"]
    there = bootstrapped(fit, fit.theta[None, :])
    h = 1e-5
    for j in (0, 2):
        change = [
            bm.surplus(
                fit,
                data,
                scenario=data.with_attribute(
                    "price", lambda r, s=s: r["price"] + s * h, alternative=j
                ),
                by="half",
                people=people,
                uncertainty=there,
                **QUICK,
            )["estimate"]
            for s in (1, -1)
        ]
        slope = (change[0] - change[1]) / (2 * h)
        np.testing.assert_allclose(slope, -share.sel(alternative=j), atol=1e-6)


def test_removal_costs_the_log_of_what_is_left(data):
    """A multinomial logit: log(1 - s) / |alpha|, situation by situation; and the level."""
    model = bm.MixedLogit("price + price:poor + quality")
    fit = bm.msle(model, data)
    v = np.exp(bind(model, data).design.fixed @ fit.theta)
    total = 1.0 + np.bincount(data.row_situation, v, data.n_situations)
    mine = np.where(data.alternative_code == 1, v, 0.0)
    left = total - np.bincount(data.row_situation, mine, data.n_situations)
    params, persons = fit.params, np.repeat(np.arange(120), 3)
    alpha = -(params["fixed[price]"] + params["fixed[price:poor]"] * (persons % 2))
    w = np.repeat(data.weights, 3)
    level = bm.surplus(fit, data, draws=3, rng=1)["estimate"]
    assert float(level) == pytest.approx(w @ (np.log(total) / alpha) / w.sum(), abs=1e-12)
    change = bm.surplus(fit, data, scenario=data.without(1), draws=3, rng=1)["estimate"]
    assert float(change) == pytest.approx(w @ (np.log(left / total) / alpha) / w.sum(), abs=1e-12)


def test_a_change_of_nothing_is_worth_nothing(fit, data):
    same = data.with_attribute("price", lambda rows: rows["price"])
    found = bm.surplus(fit, data, scenario=same, uncertainty="delta", **QUICK)
    assert found["low"] == found["high"] == 0.0


def test_where_nothing_is_left_all_surplus_is_lost(fit, data):
    """The outside option alone is worth log 1."""
    options = {"uncertainty": "delta", **QUICK}
    gone = bm.surplus(fit, data, scenario=data.without(0, 1, 2, 3), **options)
    level = bm.surplus(fit, data, **options)
    for name in ("estimate", "low"):
        other = {"estimate": "estimate", "low": "high"}[name]
        assert float(gone[name]) == pytest.approx(-float(level[other]), rel=1e-12)


def fitted(formula, random=(), sign=1.0):
    frame = attributes(np.random.default_rng(3), 60, 2)
    best = (frame["y"] + sign * frame["x"]).to_numpy().reshape(-1, 3).argmax(axis=1)
    data = choice_data(frame.assign(choice=(frame["alt"] == np.repeat(best, 3)).astype(int)))
    noisy = data.with_choices(np.where(np.arange(120) % 3, data.chosen_row, np.arange(120) * 3))
    return bm.msle(bm.MixedLogit(formula, random=random), noisy, starts=1, rng=1), noisy


@pytest.mark.parametrize(
    ("formula", "random", "sign", "words"),
    [
        ("x + y", [bm.Normal("x")], -1, r"mass on both sides of 0.*LogNormal\(..., sign=-1\)"),
        ("I(x**2) + x + y", [], -1, "differs between alternatives of a situation"),
        ("x + C(alt):x + y", [], -1, "differs between alternatives of a situation"),
        ("x + y", [], 1, "does not fall in 'x' for everybody"),
        # It is fixed: that is no remedy.
        ("x + y", [], 1, r"its units; give it LogNormal\(.*\), which is .* everybody, or estimate"),
    ],
)
def test_what_is_no_price_is_refused(formula, random, sign, words):
    fit, data = fitted(formula, random, sign)
    with pytest.raises(SpecificationError, match=words):
        bm.surplus(fit, data, price="x", draws=2, rng=1, nodes=16)


def test_what_a_model_says_already_is_no_remedy():
    laws = bm.MixedLogit("x + y", random=[bm.LogNormal("x", sign=-1)])
    assert remedy(laws, "x").startswith("leave out what else its slope is made of")
    assert remedy(laws, "y").startswith("give it LogNormal(..., sign=-1)")
    rising = bm.MixedLogit("x + y", random=[bm.LogNormal("x")])
    assert "LogNormal(..., sign=-1)" in remedy(rising, "x")
    assert "fixed" in remedy(rising, "x")
    assert "willingness-to-pay" not in remedy(bm.MixedLogit("x + y", wtp="x"), "x")


def drawn(data, slopes):
    """A multinomial logit's fit, and a bootstrap with these slopes of the poor in the price."""
    fit = bm.msle(bm.MixedLogit("price + price:poor + quality"), data)
    thetas = np.repeat(fit.theta[None, :], len(slopes), axis=0)
    poor, price = (fit.space.fixed.index(name) for name in ("price:poor", "price"))
    thetas[:, poor] = np.array(slopes) - thetas[:, price]
    return fit, bootstrapped(fit, thetas)


def test_draws_without_a_surplus_are_counted_and_named(data):
    fit, draws = drawn(data, [-1.0, -0.5, 0.1, -0.2, 0.0])
    with pytest.warns(UserWarning, match=r"everybody at 2 of 5 draws.*\(40\.0%\), in segments \[1"):
        found = bm.surplus(fit, data, uncertainty=draws, by="poor", rng=1)
    assert np.isfinite(found["estimate"]).all()
    for end in ("low", "high"):
        assert np.isnan(found[end]).to_numpy().tolist() == [False, True]
    assert "2 of 5" in found.attrs["note"]
    assert bm.to_latex(found).count("2 of 5 draws") == 1
    fit, draws = drawn(data, [-1.0, -0.5])
    assert "note" not in bm.surplus(fit, data, uncertainty=draws, rng=1).attrs


def test_a_posterior_without_a_surplus_at_some_draw_has_no_mean(posterior, data):
    there = posterior["posterior"].to_dataset()
    there["fixed"].loc[{"term": "price:poor", "chain": 1, "draw": 2}] = 50.0
    tree = xr.DataTree.from_dict({"posterior": there})
    with pytest.raises(SpecificationError, match=r"at 1 of 6 draws of the posterior \(16\.7%\)"):
        bm.surplus(tree, data, draws=6, nodes=16, rng=1)


def test_what_is_added_to_nothing_is_worth_its_own_logsum():
    """Situations that offered the outside option alone have the price of what is added."""
    frame = attributes(np.random.default_rng(1), 60, 3)
    frame["x"] = frame["x"].abs() + 0.1
    rng = np.random.default_rng(0)
    utility = np.column_stack([1.0 - 2.0 * frame["x"].to_numpy().reshape(180, 3), np.zeros(180)])
    chosen = (utility + rng.gumbel(size=(180, 4))).argmax(axis=1)  # the outside option is the last
    frame["choice"] = (frame["alt"] == chosen[frame["task"]]).astype(int)
    few = (frame["task"] % 5 == 0) & (frame["alt"] > 0)
    frame["choice"] = frame["choice"].where(~few, 0)
    data = choice_data(frame.assign(av=(~few).astype(int)), availability="av", outside_option=True)
    fit = bm.msle(bm.MixedLogit("1 + x + y"), data)
    less = data.without(0)  # a fifth of the situations now offer nothing
    more = less.with_alternative("new", {"x": 0.5, "y": 0.0})
    found = bm.surplus(fit, less, price="x", scenario=more, draws=5, rng=1)
    constant, slope, other = (fit.params[f"fixed[{n}]"] for n in ("Intercept", "x", "y"))
    v = constant + slope * less.frame["x"] + other * less.frame["y"]
    inside = np.bincount(less.row_situation, np.exp(v), minlength=less.n_situations)
    assert (inside == 0).sum() == 36
    new = np.exp(constant + 0.5 * slope)
    gain = np.log((1 + inside + new) / (1 + inside)).mean() / abs(slope)
    assert float(found["estimate"]) == pytest.approx(gain, rel=1e-9)
