"""Checks of fits: data from the model pass, other heterogeneity is found, nothing leaks."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import kstest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from tests.demand.test_certain import result
from tests.demand.test_known import fit as known_fit
from tests.demand.test_known import sets as known_sets
from tests.simulated import attributes, choice_data, simulated

MODEL = bm.MixedLogit("C(alt) + x", random=[bm.Normal("x", "alt[1]", "alt[2]")])
PLAIN = bm.MixedLogit("C(alt) + x")
AT = {"mean[x]": 0.7, "sd[x]": 1.0, "mean[alt[1]]": 0.2, "mean[alt[2]]": -0.2}
AT |= {"sd[alt[1]]": 2.0, "sd[alt[2]]": 2.0}


@cache
def data():
    return simulated(MODEL, AT, 120, 6, seed=1)


def at_truth(choices):
    """A posterior of one draw: the parameters that choices are of."""
    names = ("x", "alt[1]", "alt[2]")
    values = {kind: [AT[f"{kind}[{n}]"] for n in names] for kind in ("mean", "sd")}
    return result(MODEL, choices, **values)


def test_choices_of_the_model_have_uniform_p_values():
    rng, frame = np.random.default_rng(2), attributes(np.random.default_rng(3), 40, 4)
    sets = choice_data(frame)
    found = []
    for _ in range(40):
        choices = bm.simulate_choices(MODEL, AT, sets, rng)
        found.append(bm.check_fit(at_truth(choices), choices, draws=39, nodes=64, rng=rng).checks)
    for name in ("switches", "spread between persons", "chosen x", "PIT", "reliability"):
        p = [float(one.loc[name, "p-value"]) for one in found]
        assert kstest(p, "uniform").pvalue > 0.005, name
        assert min(p) >= 1 / 40


def test_held_out_choices_of_known_people_have_uniform_p_values():
    rng, frame = np.random.default_rng(5), attributes(np.random.default_rng(3), 40, 5)
    sets, found = choice_data(frame), []
    for _ in range(30):
        choices = bm.simulate_choices(MODEL, AT, sets, rng)
        last = choices.frame["task"] % 5 > 2
        past, later = choice_data(choices.frame[~last]), choice_data(choices.frame[last])
        how = {"people": "known", "draws": 29, "nodes": 64, "rng": rng}
        found.append(bm.check_fit(at_truth(past), past, predict=later, **how).checks)
    for name in ("switches", "spread between persons", "chosen x", "PIT", "reliability"):
        p = [float(one.loc[name, "p-value"]) for one in found]
        assert kstest(p, "uniform").pvalue > 0.005, name


def test_heterogeneity_that_is_left_out_is_found_in_switches():
    plain = bm.msle(PLAIN, data())
    mixed = bm.msle(MODEL, data(), grid=bm.centred(bm.sobol(64)), starts=1, rng=1)
    wrong = bm.check_fit(plain, data(), draws=199, rng=1).checks
    right = bm.check_fit(mixed, data(), draws=199, rng=1).checks
    assert wrong.loc["switches", "p-value"] == pytest.approx(1 / 200)
    assert wrong.loc["shares", "p-value"] > 0.1  # constants see to these
    assert (right["p-value"] > 0.03).all()
    assert list(right.index) == ["shares", "switches", "spread between persons", "chosen x", "PIT",
                                 "reliability"]  # fmt: skip


def test_a_wrong_form_is_found_in_levels_and_calibration():
    frame = attributes(np.random.default_rng(4), 400, 3).assign(v=lambda f: np.cos(2 * f["x"]))
    truth = bm.MixedLogit("v")
    choices = bm.simulate_choices(truth, {"fixed[v]": 2.0}, choice_data(frame), 5)
    linear, right = bm.msle(bm.MixedLogit("x"), choices), bm.msle(truth, choices)
    how = {"draws": 99, "rng": 1, "attributes": ["x", "y"]}
    found = bm.check_fit(linear, choices, **how).checks
    assert found.loc["chosen x", "p-value"] == pytest.approx(0.01)
    assert found.loc["chosen y", "p-value"] > 0.03
    assert (bm.check_fit(right, choices, **how).checks["p-value"] > 0.03).all()
    sharp = result(truth, choices, fixed=[6.0])
    found = bm.check_fit(sharp, choices, **how).checks
    assert found.loc[["PIT", "reliability"], "p-value"].tolist() == pytest.approx([0.01, 0.01])


def test_known_people_are_labelled_and_their_answers_are_not_checked_by_themselves():
    train, holdout = known_sets()
    how = {"draws": 60, "rng": 1, "people": "known"}
    own = bm.check_fit(known_fit(), train, **how)
    assert "used twice" in repr(own)
    assert not {"PIT", "reliability"} & set(own.checks.index)
    later = bm.check_fit(known_fit(), train, predict=holdout, **how)
    assert "held-out" in repr(later)
    assert "PIT" in later.checks.index
    assert "switches" not in later.checks.index  # one task each
    # Replicated shares are those that are predicted of these people.
    expected = bm.shares(known_fit(), train, predict=holdout, **how)["estimate"]
    table = later.table[later.table["check"] == "shares"]
    np.testing.assert_allclose(table["expected"], expected, atol=0.06)
    with pytest.raises(DataError, match="predicted from themselves"):
        bm.check_fit(known_fit(), holdout, **how)
    part = choice_data(train.frame[train.frame["task"] % 5 > 0])
    with pytest.raises(DataError, match="'predict' holds 150 choices that are in the data too"):
        bm.check_fit(known_fit(), train, predict=part, **how)


def test_the_outside_option_weights_products_segments_and_one_person():
    rng = np.random.default_rng(6)
    frame = attributes(rng, 40, 3).assign(choice=0)
    frame["brand"] = np.array(["b", "c"])[rng.integers(0, 2, len(frame))]
    frame["w"], frame["half"] = 1.0 + frame["who"] % 2, frame["who"] % 2 == 0
    kept = (rng.random(len(frame)) < 0.8) | (frame["alt"] == 0)
    sets = choice_data(frame[kept], outside_option=True, weights="w")
    model = bm.MixedLogit("x + y", random=[bm.Normal("x")])
    choices = bm.simulate_choices(model, {"mean[x]": 0.5, "sd[x]": 1, "fixed[y]": -0.5}, sets, 7)
    found = bm.msle(model, choices, grid=bm.gauss_hermite(9), starts=1)
    check = bm.check_fit(
        found, choices, by="half", products="brand", attributes=["brand", "x"], draws=60, rng=1
    )
    table = check.table.set_index(["check", "at"])["observed"]
    outside = choices.chosen_row < 0
    weight = 1.0 + np.repeat(np.arange(40), 3) % 2
    assert table["shares", "outside"] == pytest.approx(weight @ outside / weight.sum())
    brands = choices.frame["brand"].to_numpy()[choices.chosen_row]
    share = weight @ (~outside & (brands == "b")) / weight.sum()
    assert table["shares", "b"] == table["chosen brand", "b"] == pytest.approx(share)
    odd = np.repeat(np.arange(40), 3) % 2 == 1
    assert table["shares by half", "False: outside"] == pytest.approx(outside[odd].mean())
    good = np.where(outside, "", brands).reshape(40, 3)
    moves = (good[:, 1:] != good[:, :-1]).sum(axis=1)
    own = 1.0 + np.arange(40) % 2
    assert table["switches", "2"] == pytest.approx(own @ (moves == 2) / own.sum())
    assert (check.checks["p-value"] > 0.02).all()
    frame = choices.frame[choices.frame["who"] == 3]
    one = choice_data(frame, outside_option=True, weights="w")
    assert bm.check_fit(found, one, draws=9, rng=1).persons == 1


@pytest.mark.parametrize("chart", ["plain", "many"])
def test_the_page_of_pictures_and_tables(chart):
    columns = [f"x{k}" for k in range(9)] if chart == "many" else ["x"]
    frame = attributes(np.random.default_rng(8), 30, 2, tuple(columns))
    choices = choice_data(frame)
    found = bm.check_fit(
        bm.msle(bm.MixedLogit(" + ".join(columns)), choices), choices, draws=9, rng=1
    )
    figure = found.plot()
    shown = [axis.get_title(loc="left") for axis in figure.axes if axis.get_visible()]
    assert len(shown) == (5 + 6 if chart == "many" else 6)
    assert any(title.startswith("PIT: p = ") for title in shown)
    assert len(found.checks) == 5 + len(columns)
    assert "reliability" in found._repr_html_()
    assert (found.table["low"] <= found.table["high"]).all()


def test_latent_classes_and_rankings():
    frame = attributes(np.random.default_rng(9), 60, 3)
    frame["rank"] = frame["alt"] + 1
    ranked = choice_data(frame, chosen=None, ranked="rank")
    kinds = bm.MixedLogit("x + y", random=[bm.LatentClass("x", classes=2)])
    at = {"fixed[x, 1]": 2.0, "fixed[x, 2]": -1.0, "fixed[y]": -0.5}
    at |= {"share[2]": 0.4}
    ranked = bm.simulate_choices(kinds, at, ranked, 1)
    tree = bm.msle(kinds, ranked, starts=1, rng=1)
    for people in ("population", "known"):
        found = bm.check_fit(tree, ranked, draws=9, rng=1, people=people)
        assert found.situations == 180


def test_what_does_not_serve_is_named():
    fit = bm.msle(PLAIN, data())
    blank = choice_data(data().frame.drop(columns="choice"), chosen=None)
    with pytest.raises(DataError, match="'data' holds no choices"):
        bm.check_fit(fit, blank)
    with pytest.raises(DataError, match="no column 'speed'"):
        bm.check_fit(fit, data(), attributes=["speed"])
    with pytest.raises(SpecificationError, match="'attributes' must be a list of columns"):
        bm.check_fit(fit, data(), attributes="x")
    with pytest.raises(SpecificationError, match="'delta' has none"):
        bm.check_fit(fit, data(), uncertainty="delta")
