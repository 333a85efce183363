"""Many persons begin with some of them, and end where they would have ended."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.classical import first_persons
from bayesmix.errors import ConvergenceError
from bayesmix.likelihood.bind import bind
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))


def many(number=600):
    at = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": -1.0}
    return choice_data(simulated(MODEL, at, number, 4).frame)


def lower(monkeypatch, many, few):
    """Thresholds for a few hundred persons."""
    monkeypatch.setattr(first_persons, "MANY", many)
    monkeypatch.setattr(first_persons, "FEW", few)
    monkeypatch.setattr(first_persons, "PART", 3)


def test_the_optimum_is_that_of_a_search_on_all(monkeypatch):
    data = many()
    whole = bm.msle(MODEL, data, rng=1)
    lower(monkeypatch, 150, 100)
    fit = bm.msle(MODEL, data, rng=1)
    off = (fit.params - whole.params) / whole.std_errors
    assert off.abs().max() < 0.05
    assert abs(fit.loglik - whole.loglik) < 0.05
    # Standard errors of 100 are above a twentieth of a natural unit: more are drawn, up to a third.
    assert (
        "The search began at the optimum, certified, of 200 persons drawn at random, found from "
        "that of 100, which the best of 4 starts reached (-"
    ) in fit.message
    assert len(whole.optima) == 4
    assert len(fit.optima) == 1
    # Left are few evaluations of all.
    assert fit.optima["evaluations"].sum() < whole.optima["evaluations"].sum() / 2
    assert "drawn at random" not in whole.message
    again = bm.msle(MODEL, data, rng=1)
    assert again.params.equals(fit.params)
    assert again.loglik == fit.loglik


def test_standard_errors_say_how_many_are_enough(monkeypatch):
    """Four times as many persons have half the standard errors."""
    few, more = (bm.msle(MODEL, many(number), rng=1) for number in (150, 600))
    monkeypatch.setattr(first_persons, "CLOSE", 0.02)
    enough = [
        first_persons.enough_persons(fit, bind(MODEL, fit.data), 10**9) for fit in (few, more)
    ]
    assert 0.6 < enough[0] / enough[1] < 1.6
    # By the least known parameter, the standard deviation of x, whose spread is near 1.
    error = more.std_errors["sd[x]"] * bind(MODEL, more.data).design.spread[0]
    assert enough[1] == pytest.approx(600 * (error / 0.02) ** 2, rel=0.2)
    assert first_persons.enough_persons(more, bind(MODEL, more.data), 6010) == 601


def test_fewer_persons_do_where_each_has_several_choices(monkeypatch):
    monkeypatch.setattr(first_persons, "MANY_OF_PANELS", 599)
    monkeypatch.setattr(first_persons, "LEAST", 150)
    data = many()
    fit = bm.msle(MODEL, data, rng=1)
    assert "of 150 persons drawn at random, which the best of 4 starts" in fit.message
    frame = data.frame
    first = frame.groupby("who")["task"].transform("min")
    single = choice_data(frame[frame["task"] == first])
    assert single.n_situations == single.n_persons == 600
    assert "drawn at random" not in bm.msle(MODEL, single, starts=1, rng=1).message


def test_persons_of_whom_there_is_no_optimum_are_not_begun_with(monkeypatch):
    def fails(search):
        raise ConvergenceError("separated")

    monkeypatch.setattr(first_persons, "MANY", 100)
    monkeypatch.setattr("bayesmix.classical.msle.some_persons", fails)
    fit = bm.msle(MODEL, many(), rng=1)
    assert len(fit.optima) == 4
    assert "drawn at random" not in fit.message


def test_a_rare_category_that_no_drawn_person_has(monkeypatch):
    """Its column is 0 throughout among them: all persons are searched at once."""
    lower(monkeypatch, 150, 100)
    data = many()
    frame = data.frame.assign(kind=np.where(data.frame["who"] < 4, "rare", "usual"))
    model = bm.MixedLogit("x + y + C(kind):y", random=bm.Normal("x"))
    fit = bm.msle(model, choice_data(frame), rng=1)
    assert "drawn at random" not in fit.message
    assert fit.converged
    assert len(fit.optima) == 4


def test_a_given_start_is_the_start(monkeypatch):
    lower(monkeypatch, 100, 60)
    data = many()
    first = bm.msle(MODEL, data, rng=1)
    fit = bm.msle(MODEL, data, start=first, starts=1, rng=2)
    assert "drawn at random" not in fit.message
    assert np.isclose(fit.loglik, first.loglik, atol=0.05)
