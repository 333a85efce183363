"""Known and new people in one set, against quadrature that is written out here."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from tests.simulated import attributes, choice_data

MODEL = bm.MixedLogit("x + y", random=[bm.Normal("x", mean="z")])
AT = {"mean[x]": 0.4, "shift[x, z]": 0.8, "sd[x]": 1.5, "fixed[y]": -0.8}
HOW = {"draws": 2, "rng": 1, "nodes": 1024}


@cache
def sets():
    """Choices of persons 0 to 39, and two further tasks of persons 30 to 49."""
    frame = attributes(np.random.default_rng(1), 50, 5).assign(z=lambda f: f["who"] % 3 - 1.0)
    data = bm.simulate_choices(MODEL, AT, choice_data(frame), 2)
    task, who = data.frame["task"] % 5, data.frame["who"]
    past = choice_data(data.frame[(task < 3) & (who < 40)])
    return past, choice_data(data.frame[(task >= 3) & (who >= 30)])


@cache
def fit():
    return bm.msle(MODEL, sets()[0], grid=bm.gauss_hermite(15), starts=1)


@cache
def posterior():
    return bm.sample(MODEL, sets()[0], method="importance", draws=6, chains=1, rng=1)


def draws_of(tree):
    """Parameters of each draw, by flat name."""
    draws = tree["posterior"].isel(chain=0)
    for d in range(draws.sizes["draw"]):
        one = draws.isel(draw=d)
        values = [float(one[name].squeeze()) for name in ("mean", "shift", "sd", "fixed")]
        yield dict(zip(AT, values, strict=True))


def by_hand(past, new, params):
    """E[P_itj | past choices of i] of the rows of ``new``, by 80 Gauss-Hermite nodes."""
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    out = []
    for who, rows in new.groupby("who", sort=True):
        z = rows["z"].iloc[0]
        beta = params["mean[x]"] + params["shift[x, z]"] * z + params["sd[x]"] * node

        def probabilities(part, beta=beta):
            v = np.outer(part["x"], beta) + params["fixed[y]"] * part["y"].to_numpy()[:, None]
            return np.exp(v) / np.exp(v).sum(axis=0)

        law = weight.copy()
        for _, task in past[past["who"] == who].groupby("task"):
            law *= probabilities(task)[task["choice"].to_numpy() == 1][0]
        law /= law.sum()
        out += [probabilities(task) @ law for _, task in rows.groupby("task", sort=True)]
    return np.concatenate(out)


def test_known_and_new_people_in_one_set():
    past, new = sets()
    expected = by_hand(past.frame, new.frame, fit().params)
    draws = [by_hand(past.frame, new.frame, p) for p in draws_of(posterior())]
    for one, values in ((fit(), expected), (posterior(), np.mean(draws, axis=0))):
        found = bm.predict(one, past, new=new, **{**HOW, "draws": 6})
        np.testing.assert_allclose(found["probability"], values, atol=5e-3)
        assert (found["person"].to_numpy() == new.frame["who"]).all()
        assert (found["situation"].to_numpy() == new.frame["task"]).all()
        assert (found["known"] == (found["person"] < 40)).all()
    np.testing.assert_allclose(found["low"], np.quantile(draws, 0.025, axis=0), atol=5e-3)
    stranger = by_hand(past.frame.iloc[:0], new.frame, fit().params)
    known = new.frame["who"].to_numpy() < 40
    assert abs(stranger - expected)[known].max() > 0.1
    assert (stranger == expected)[~known].all()


def test_they_are_what_each_kind_is_by_itself():
    past, new = sets()
    found = bm.predict(fit(), past, new=new, draws=30, rng=1)
    parts = new.frame.assign(known=new.frame["who"] < 40).drop(columns="choice")
    for known, part in parts.groupby("known"):
        people = "known" if known else "population"
        own = choice_data(part, chosen=None)
        alone = bm.predict(fit(), past, predict=own, people=people, draws=30, rng=1)
        both = found[found["known"] == known]
        np.testing.assert_allclose(both["probability"], alone["probability"], atol=5e-3)
        if known:  # the same draws of the parameters
            np.testing.assert_array_equal(both["low"], alone["low"])
        one = bm.predict(fit(), past, new=own, draws=30, rng=1)
        np.testing.assert_array_equal(one["probability"], alone["probability"])
        assert (one["known"] == known).all()
    assert (found["low"] < found["high"]).all()


def test_answers_of_new_sets_are_not_used_and_scenarios_are_theirs():
    past, new = sets()
    others = new.with_choices(new.situation_start[:-1])
    found = bm.predict(fit(), past, new=new, **HOW)
    assert found.equals(bm.predict(fit(), past, new=others, **HOW))
    there = new.without(2).with_attribute("y", 1.0, alternative=0)
    moved = bm.predict(fit(), past, new=new, scenario=there, **HOW)
    expected = by_hand(past.frame, there.frame, fit().params)
    np.testing.assert_allclose(moved["probability"], expected, atol=2e-3)
    with pytest.raises(DataError, match="argument 'scenario' has other persons"):
        bm.predict(fit(), past, new=new, scenario=past.without(2), **HOW)


def test_answers_that_are_known_are_not_predicted():
    past, _ = sets()
    with pytest.raises(DataError, match=r"'new' holds 120 choices that are in the data too, first"):
        bm.predict(fit(), past, new=past, **HOW)
    # Other people of these labels, or nobody's answers, leak nothing.
    free = choice_data(past.frame.assign(who=past.frame["who"] + 100))
    assert not bm.predict(fit(), past, new=free, **HOW)["known"].any()
    blank = choice_data(past.frame.drop(columns="choice"), chosen=None)
    assert bm.predict(fit(), past, new=blank, **HOW)["known"].all()
    # A task that is only called the same is another one.
    again = past.frame.assign(x=past.frame["x"] + 0.5)
    assert bm.predict(fit(), past, new=choice_data(again), **HOW)["known"].all()
    assert not bm.predict(fit(), past, new=past, people="population", **HOW)["known"].any()


def test_nobody_is_known_without_labels_or_choices():
    past, new = sets()
    expected = by_hand(past.frame.iloc[:0], new.frame, fit().params)
    blank = choice_data(past.frame.drop(columns="choice"), chosen=None)
    for data, there in ((blank, new), (past, choice_data(new.frame, person=None))):
        found = bm.predict(fit(), data, new=there, **HOW)
        np.testing.assert_allclose(found["probability"], expected, atol=3e-3)
        assert not found["known"].any()


def test_one_person_one_set_and_a_new_alternative():
    past, new = sets()
    frame = new.frame[(new.frame["task"] == 153) | (new.frame["task"] == 203)]
    fourth = frame[frame["alt"] == 2].assign(alt="tram", x=0.3, y=-1.0)
    wider = pd.concat([frame.astype({"alt": str}), fourth]).drop(columns="choice")
    both = choice_data(wider, chosen=None)
    found = bm.predict(fit(), past, new=both, **HOW)
    expected = by_hand(past.frame, both.frame, fit().params)
    np.testing.assert_allclose(found["probability"], expected, atol=3e-3)
    assert found["alternative"].tolist() == ["0", "1", "2", "tram"] * 2
    assert found["known"].tolist() == [True] * 4 + [False] * 4


def test_what_does_not_serve_is_named():
    past, new = sets()
    with pytest.raises(SpecificationError, match="two ways"):
        bm.predict(fit(), past, new=new, predict=new, **HOW)
    with pytest.raises(SpecificationError, match="argument 'new' must be ChoiceData"):
        bm.predict(fit(), past, new=new.frame, **HOW)
    with pytest.raises(DataError, match="no column 'z'"):
        bm.predict(fit(), past, new=choice_data(new.frame.drop(columns="z")), **HOW)
    with pytest.raises(DataError, match="'x' is not numeric"):
        bm.predict(fit(), past, new=choice_data(new.frame.assign(x="dear")), **HOW)


@pytest.mark.parametrize("written", [str, "{:03d}".format, float, pd.Timestamp])
def test_people_labelled_by_text_here_and_numbers_there_are_refused(written):
    """They would all be new people, and a count of zero known ones is easily overlooked."""
    past, new = sets()
    other = choice_data(new.frame.assign(who=new.frame["who"].map(written)))
    if written is float:  # 30.0 is 30
        assert bm.predict(fit(), past, new=other, draws=2, rng=1)["known"].any()
        return
    if written is pd.Timestamp:  # of another kind, and nobody's label
        assert not bm.predict(fit(), past, new=other, draws=2, rng=1)["known"].any()
        return
    said = rf"argument '{{}}' has person {written(30)!r}, str, and the data person 30, int"
    with pytest.raises(DataError, match=said.format("new")):
        bm.predict(fit(), past, new=other)
    with pytest.raises(DataError, match=said.format("predict")):
        bm.shares(fit(), past, predict=other, people="known")
    with pytest.raises(DataError, match=said.format("predict")):
        bm.scores(fit(), past, predict=other)


def test_answers_are_found_again_though_tasks_are_labelled_by_text():
    past, _ = sets()
    again = choice_data(past.frame.assign(task=past.frame["task"].astype(str)))
    with pytest.raises(DataError, match="holds 120 choices that are in the data too"):
        bm.scores(fit(), past, predict=again)
