"""Markets: products described once, against closed forms, the data's own situations, diversion."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.demand.drawn_people import drawn_people
from bayesmix.demand.options import Where, settle
from bayesmix.demand.shares import expected
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.simulate import expected_utilities
from tests.demand.market_cases import CAMERAS, HOW, cameras, fit, plain, utilities
from tests.demand.test_certain import result
from tests.simulated import attributes, choice_data


def test_closed_forms_of_the_multinomial_logit():
    data, params = cameras(), plain().params
    now = bm.market(CAMERAS, data, products="brand")
    assert now.alternatives == ("canon", "sony", "nikon")
    assert (now.n_persons, now.n_situations, now.n_rows) == (60, 60, 180)
    v = utilities(params)
    shares = bm.shares(plain(), now, **HOW)["estimate"]
    np.testing.assert_allclose(shares, np.append(np.exp(v), 1) / (1 + np.exp(v).sum()), rtol=1e-12)
    bought = bm.market(pd.DataFrame(CAMERAS), data, products="brand", outside_option=False)
    within = bm.shares(plain(), bought, **HOW)["estimate"]
    np.testing.assert_allclose(within, np.exp(v) / np.exp(v).sum(), rtol=1e-12)
    cheaper = now.with_attribute("price", 0.5, alternative="canon")
    after = v + params["fixed[price]"] * np.array([-1.0, 0, 0])
    gain = np.log((1 + np.exp(after).sum()) / (1 + np.exp(v).sum())) / -params["fixed[price]"]
    found = bm.surplus(plain(), now, scenario=cheaper, **HOW)
    np.testing.assert_allclose(found["estimate"], gain, rtol=1e-9)
    assert found["low"] < found["estimate"] < found["high"]


@pytest.mark.parametrize("people", ["population", "known"])
def test_a_market_that_is_an_observed_situation_has_its_probabilities(people):
    data = cameras()
    seen = data.frame[data.frame["task"] == 12 * 4 + 1]
    described = seen[["brand", "price", "zoom"]].reset_index(drop=True)
    now = bm.market(described, data)
    assert now.alternatives == ("product 1", "product 2", "product 3")
    how = {"people": people, "nodes": 2048, **HOW}
    found = bm.predict(fit(), data, predict=now, **how)
    then = bm.predict(
        fit(), data, predict=data.with_attribute("price", lambda r: r["price"]), **how
    )
    here = found.loc[found["person"] == 12, ["probability", "low", "high"]]
    there = then.loc[then["situation"] == 12 * 4 + 1, ["probability", "low", "high"]]
    np.testing.assert_array_equal(here, there)


def test_shares_are_means_over_persons_weights_and_segments():
    data = cameras()
    now = bm.market(CAMERAS, data, products="brand")
    table = bm.predict(fit(), now, **HOW)
    p = table["probability"].to_numpy().reshape(60, 4)
    weight = 1.0 + np.arange(60) % 3
    np.testing.assert_allclose(
        bm.shares(fit(), now, **HOW)["estimate"], weight @ p / weight.sum(), rtol=1e-12
    )
    old = bm.shares(fit(), now, by="old", **HOW)["estimate"].sel(segment="old")
    np.testing.assert_allclose(old, weight[:20] @ p[:20] / weight[:20].sum(), rtol=1e-12)
    # The mean of zoom is a person's own.
    assert abs(p[::2].mean(axis=0) - p[1::2].mean(axis=0)).max() > 0.05


@pytest.mark.parametrize("outside", [True, False])
def test_removal_of_a_product_is_what_diversion_says(outside):
    data = cameras(outside)
    now = bm.market(CAMERAS, data, products="brand")
    ratios = bm.diversion(fit(outside), now, **HOW)["estimate"].sel(origin="sony")
    before = bm.shares(fit(outside), now, **HOW)["estimate"]
    after = bm.shares(fit(outside), now, scenario=now.without("sony"), **HOW)["estimate"]
    lost = float(before.sel(alternative="sony"))
    for name in after["alternative"].to_numpy():
        gained = float(after.sel(alternative=name) - before.sel(alternative=name))
        assert gained / lost == pytest.approx(float(ratios.sel(destination=name)), abs=1e-10)
    # A market described without it is the same.
    less = bm.market([CAMERAS[0], CAMERAS[2]], data, products="brand")
    again = bm.shares(fit(outside), now, scenario=less, **HOW)["estimate"]
    np.testing.assert_allclose(again, after, rtol=1e-12)


def test_constants_of_alternatives_and_new_ones():
    frame = attributes(np.random.default_rng(3), 80, 2)
    frame["alt"] = np.array(["bus", "car", "rail"])[frame["alt"]]
    data = choice_data(frame.assign(choice=(frame["alt"] == "bus").astype(int)))
    model = bm.MixedLogit("C(alt) + x + y")
    at = {"fixed[alt[car]]": 1.0, "fixed[alt[rail]]": -0.5, "fixed[x]": 0.7, "fixed[y]": -0.4}
    data = bm.simulate_choices(model, at, data, 4)
    p = (found := bm.msle(model, data)).params
    two = [{"alt": "car", "x": 0.1, "y": 0.2}, {"alt": "tram", "x": 0.5, "y": 0.0}]
    with pytest.raises(SpecificationError, match="no coefficient for them"):
        bm.shares(found, bm.market(two, data), **HOW)
    now = bm.market(two, data, like={"tram": "rail"})
    v = [
        p["fixed[alt[car]]"] + 0.1 * p["fixed[x]"] + 0.2 * p["fixed[y]"],
        p["fixed[alt[rail]]"] + 0.5 * p["fixed[x]"],
    ]
    expected = np.exp(v) / np.exp(v).sum()
    np.testing.assert_allclose(bm.shares(found, now, **HOW)["estimate"], expected, rtol=1e-12)
    with pytest.raises(SpecificationError, match="categories that the model was not estimated on"):
        bm.shares(found, bm.market([{"x": 0.1, "y": 0.0}, {"x": 0.0, "y": 0.0}], data), **HOW)
    for like, words in (({"car": "bus"}, "no new product"), ({"tram": "ral"}, "did you mean")):
        with pytest.raises(DataError, match=words):
            bm.market(two, data, like=like)


def test_persons_that_are_situations_offsets_and_rankings():
    frame = attributes(np.random.default_rng(5), 50, 1).assign(o=0.3)
    frame["rank"] = frame["alt"] + 1
    data = choice_data(frame, person=None, chosen=None, ranked="rank", offset="o")
    model = bm.MixedLogit("x + y")
    data = bm.simulate_choices(model, {"fixed[x]": 0.7, "fixed[y]": -0.4}, data, 4)
    found = bm.msle(model, data)
    now = bm.market([{"x": 1.0, "y": 0.0, "o": 0.5}, {"x": 0.0, "y": 1.0, "o": 0.0}], data)
    v = np.array([found.params["fixed[x]"] + 0.5, found.params["fixed[y]"]])
    assert now.n_situations == 50
    np.testing.assert_allclose(
        bm.shares(found, now, **HOW)["estimate"], np.exp(v) / np.exp(v).sum(), rtol=1e-12
    )


@pytest.mark.parametrize("outside", [True, False])
def test_markets_with_some_of_the_levels_go_with_posteriors_too(outside):
    data, params = cameras(), plain().params
    tree = result(plain().model, data, fixed=params.to_numpy())
    few = bm.market(CAMERAS[1:], data, products="brand", outside_option=outside)
    v = np.append(utilities(params)[1:], [0.0] * outside)
    expected = np.exp(v) / np.exp(v).sum()
    for one in (tree, plain()):
        direct = bm.shares(one, few, **HOW)["estimate"]
        np.testing.assert_allclose(direct, expected, rtol=1e-10)
        beside = bm.shares(one, data, predict=few, **HOW)["estimate"]
        np.testing.assert_allclose(beside, expected, rtol=1e-10)
    dearer = few.with_attribute("price", 9.0, alternative="sony")
    again = bm.market([CAMERAS[2]], few, products="brand")
    share = bm.shares(tree, dearer, **HOW)["estimate"].sel(alternative="sony")
    assert float(share) < expected[0] / 2
    np.testing.assert_allclose(
        bm.shares(tree, again, **HOW)["estimate"].sel(alternative="nikon"),
        1 / (1 + outside * np.exp(-v[1])),
    )


@cache
def certain():
    """A posterior of one draw."""
    laws = [bm.LogNormal("price", sign=-1), bm.Normal("zoom")]
    model = bm.MixedLogit("C(brand) + price + zoom", random=laws)
    return result(model, cameras(), mean=[-0.3, 0.5], sd=[0.7, 1.0], fixed=[0.5, 0.2, 0.6])


def test_first_choices_are_shares_of_people_and_preferences_of_probabilities():
    now = bm.market(CAMERAS, cameras(), products="brand")
    drawn = bm.person_draws(certain(), now, draws=400, rng=1)
    assert dict(drawn.sizes) == {"draw": 400, "person": 60, "alternative": 4}
    weight = (1.0 + np.arange(60) % 3)[None, :, None]
    for rule, name in (("preference", "probability"), ("first-choice", "first_choice")):
        found = bm.shares(certain(), now, rule=rule, nodes=2048, rng=1)["estimate"]
        each = (drawn[name].to_numpy() * weight).sum(axis=1) / weight.sum()
        assert (abs(each.mean(axis=0) - found) < 4 * each.std(axis=0) / np.sqrt(400) + 1e-4).all()
        assert abs(float(found.sum()) - 1) < 1e-9
    choices = drawn["choice"].mean("draw").to_numpy()
    p = drawn["probability"].mean("draw").to_numpy()
    assert (abs(choices - p) < 4.5 * np.sqrt(p * (1 - p) / 400)).all()
    assert (drawn["first_choice"].sum("alternative") == 1).all()
    with pytest.raises(SpecificationError, match="no derivatives for 'delta'"):
        bm.shares(fit(), now, rule="first-choice", uncertainty="delta")
    with pytest.raises(SpecificationError, match="'delta' has none"):
        bm.person_draws(fit(), now, uncertainty="delta")


def test_first_choices_by_a_product_rule():
    """One normal coefficient: who is on which side of the price's break-even."""
    frame = attributes(np.random.default_rng(1), 30, 2)
    data = choice_data(frame)
    model = bm.MixedLogit("x + y", random=[bm.Normal("x")])
    tree = result(model, data, mean=[0.3], sd=[1.5], fixed=[-1.0])
    now = bm.market([{"x": 1.0, "y": 0.5}, {"x": 0.0, "y": 0.0}], data)
    found = bm.shares(tree, now, rule="first-choice", nodes=4096, rng=1)["estimate"]
    expected = norm.sf((0.5 - 0.3) / 1.5)  # beta x > 0.5
    np.testing.assert_allclose(found, [expected, 1 - expected], atol=1e-4)
    twins = bm.market([{"x": 1.0, "y": 0.5}] * 2, data)
    shared = bm.shares(tree, twins, rule="first-choice", rng=1)["estimate"]
    np.testing.assert_allclose(shared, 0.5, atol=1e-12)


@pytest.mark.parametrize("people", ["population", "known"])
def test_draws_of_persons_average_to_predictions(people):
    data = cameras()
    how = {"rng": 1, "people": people}
    tree = bm.person_draws(certain(), data, draws=300, **how)
    assert tree["probability"].dims == ("draw", "situation", "alternative")
    assert tree["person"].to_numpy().tolist() == np.repeat(np.arange(60), 4).tolist()
    p = tree["probability"].to_numpy()
    expected = bm.predict(certain(), data, **how)["probability"].to_numpy().reshape(p.shape[1:])
    error = p.std(axis=0) / np.sqrt(300)
    assert (abs(p.mean(axis=0) - expected) < 4.5 * error + 1e-3).all()
    assert error.max() > 1e-3
    # In a scenario these are the same people: what is left keeps its ratios.
    gone = data.without(2)
    fewer = bm.person_draws(certain(), data, scenario=gone, draws=300, **how)["probability"]
    assert fewer["alternative"].to_numpy().tolist() == [0, 1, "outside"]
    np.testing.assert_allclose(fewer, p[:, :, [0, 1, 3]] / (1 - p[:, :, [2]]), rtol=1e-9)


def test_markets_of_wtp_space_sources_and_classes():
    frame = attributes(np.random.default_rng(1), 60, 3, ("price", "x"))
    frame["price"] = np.random.default_rng(2).uniform(0.5, 2.0, len(frame))
    frame["source"] = np.where(frame["task"] % 3 == 0, "RP", "SP")
    sets = choice_data(frame)
    two = [{"price": 1.0, "x": 0.0, "source": "SP"}, {"price": 1.5, "x": 1.0, "source": "SP"}]
    wtp = bm.MixedLogit(
        "price + x", random=[bm.Normal("x"), bm.LogNormal("price", sign=-1)], wtp="price"
    )
    scaled = bm.MixedLogit("price + x", random=[bm.Normal("x")], scale="source")
    kinds = bm.MixedLogit("price + x", random=[bm.LatentClass("x", classes=2)])
    at = {"fixed[x, 1]": 2.0, "fixed[x, 2]": -1.0, "fixed[price]": -0.8, "share[2]": 0.4}
    for model in (wtp, scaled, kinds):
        own = at
        if model is not kinds:
            own = {"mean[x]": 0.5, "sd[x]": 1.0}
            own |= {"mean[price]": 0.0, "sd[price]": 0.3} if model is wtp else {}
            own |= {"fixed[price]": -1.0, "scale[SP]": 1.3} if model is scaled else {}
        data = bm.simulate_choices(model, own, sets, 3)
        found = bm.msle(model, data, starts=1, rng=1)
        now = bm.market(two, data)
        for people in ("population", "known"):
            drawn = drawn_people(
                found,
                data,
                Where(predict=now),
                settle({**HOW, "draws": 60, "people": people}, bm.shares),
            )
            gap = []
            for theta, beta in drawn:  # at the same parameters
                u = expected_utilities(drawn.problem, theta, beta).reshape(-1, 2)
                p = 1 / (1 + np.exp(u[:, 1] - u[:, 0]))
                gap.append(p.mean() - expected(drawn.sample, theta)[0, 0])
            assert abs(np.mean(gap)) < 4.5 * np.std(gap) / np.sqrt(60) + 1e-3
    with pytest.raises(DataError, match="no scale for 'XX'"):
        bm.shares(
            bm.msle(scaled, data, grid=bm.gauss_hermite(5), starts=1),
            bm.market([{**one, "source": "XX"} for one in two], data),
            **HOW,
        )


def test_owners_are_described_with_the_products():
    """A logit firm's margins are all ``1 / (alpha (1 - its share))``."""
    owned = [{**one, "firm": firm} for one, firm in zip(CAMERAS, "AAB", strict=True)]
    now = bm.market(owned, cameras(), products="brand", owners="firm")
    found = bm.markups(plain(), cameras(), bm.Firms("firm"), predict=now, **HOW)["estimate"]
    v = np.exp(utilities(plain().params))
    left = 1 - np.array([v[:2].sum()] * 2 + [v[2]]) / (1 + v.sum())
    margins = found.sel(quantity="margin").to_numpy().ravel()
    np.testing.assert_allclose(margins, 1 / (-plain().params["fixed[price]"] * left), rtol=1e-10)
    for wrong in ("fiirm", 3):
        with pytest.raises(DataError, match="argument 'owners' must be a column of the described"):
            bm.market(owned, cameras(), products="brand", owners=wrong)
