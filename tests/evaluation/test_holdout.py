"""Scores of held-out choices: probabilities given past tasks alone, and nothing leaks."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from tests.demand.test_new_people import HOW, by_hand, draws_of, fit, posterior, sets
from tests.simulated import choice_data


def test_scores_are_of_probabilities_given_past_tasks():
    past, later = sets()
    chosen = later.frame["choice"].to_numpy().reshape(-1, 3)
    draws = [by_hand(past.frame, later.frame, p) for p in draws_of(posterior())]
    own = by_hand(past.frame, later.frame, fit().params)
    for one, values in ((fit(), own), (posterior(), np.mean(draws, axis=0))):
        found = bm.scores(one, past, predict=later, **{**HOW, "draws": 6})
        p = values.reshape(-1, 3)
        log_score = np.log((p * chosen).sum(axis=1))
        np.testing.assert_allclose(found.situations["log score"], log_score, atol=1e-2)
        brier = np.square(p - chosen).sum(axis=1).mean()
        assert found.table.loc["Brier score", "mean"] == pytest.approx(brier, abs=2e-3)
        hits = (p.argmax(axis=1) == chosen.argmax(axis=1)).mean()
        assert found.table.loc["hit rate", "mean"] == pytest.approx(hits, abs=1e-9)
        assert (found.situations["known"] == (found.situations["person"] < 40)).all()
        assert "10 persons are known by past choices, 10 are not" in repr(found)
    unknown = bm.scores(fit(), past, predict=later, people="population", **HOW).table["mean"]
    known = bm.scores(fit(), past, predict=later, **HOW).table["mean"]
    assert known["log score"] > unknown["log score"]


def test_answers_move_scores_and_not_probabilities():
    past, later = sets()
    other = later.with_choices(later.situation_start[:-1])
    found = [bm.scores(fit(), past, predict=d, **HOW).situations for d in (later, other)]
    table = bm.predict(fit(), past, new=later, **HOW)["probability"].to_numpy().reshape(-1, 3)
    np.testing.assert_allclose(np.exp(found[1]["log score"]), table[:, 0], rtol=1e-12)
    np.testing.assert_array_equal(found[0]["expected hits"], found[1]["expected hits"])


def test_choices_are_not_predicted_from_themselves():
    past, later = sets()
    with pytest.raises(DataError, match=r"'predict' holds 120 choices that are in the data too"):
        bm.scores(fit(), past, predict=past, **HOW)
    with pytest.raises(DataError, match="choices that are known cannot be predicted"):
        bm.scores(fit(), past, people="known", **HOW)
    part = choice_data(past.frame[past.frame["task"] % 5 > 0])
    with pytest.raises(DataError, match="'predict' holds 80 choices"):
        bm.scores(fit(), past, predict=part, people="known", **HOW)
    with pytest.raises(DataError, match="'predict' has 10 persons of whom"):
        bm.scores(fit(), past, predict=later, people="known", **HOW)
    blank = choice_data(later.frame.drop(columns="choice"), chosen=None)
    for data, options in ((past, {"predict": blank}), (blank, {})):
        with pytest.raises(DataError, match="holds no choices"):
            bm.scores(fit(), data, **options, **HOW)


def test_choices_of_the_estimation_are_said_to_be():
    past, later = sets()
    own = bm.scores(fit(), past, **HOW)
    assert "120 of the choices are among those that the parameters were estimated on" in repr(own)
    assert "estimated on" not in repr(bm.scores(fit(), later, **HOW))
    assert "120 of the choices are among" in repr(bm.scores(posterior(), past, **HOW))
    assert "does not say" in repr(bm.scores(posterior(), later, **HOW))
    loglik = bm.msle(bm.MixedLogit("x + y"), past).loglik
    plain = bm.scores(bm.msle(bm.MixedLogit("x + y"), past), past)
    assert plain.situations["log score"].sum() == pytest.approx(loglik, abs=1e-9)


def test_the_outside_option_weights_and_one_person():
    past, _ = sets()
    frame = past.frame.copy()
    frame.loc[frame["task"] % 3 == 0, "choice"] = 0
    data = choice_data(frame.assign(w=1.0 + frame["who"] % 2), outside_option=True, weights="w")
    found = bm.msle(bm.MixedLogit("x + y"), data)
    scores = bm.scores(found, data)
    each = scores.situations
    weight = 1.0 + each["person"] % 2
    assert (weight * each["log score"]).sum() == pytest.approx(found.loglik, abs=1e-9)
    one = choice_data(frame[frame["who"] == 3].assign(w=1.0), outside_option=True, weights="w")
    assert bm.scores(found, one).table["std error"].isna().all()
