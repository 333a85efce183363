"""Many persons begin with some of them, and end where they would have ended."""

import numpy as np

import bayesmix as bm
from bayesmix.classical import first_persons
from bayesmix.errors import ConvergenceError
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))


def many(number=600):
    at = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": -1.0}
    return choice_data(simulated(MODEL, at, number, 4).frame)


def test_the_optimum_is_that_of_a_search_on_all(monkeypatch):
    data = many()
    whole = bm.msle(MODEL, data, rng=1)
    monkeypatch.setattr(first_persons, "MANY", 150)
    monkeypatch.setattr(first_persons, "PART", 3)  # a third of 600 are many, too
    fit = bm.msle(MODEL, data, rng=1)
    off = (fit.params - whole.params) / whole.std_errors
    assert off.abs().max() < 0.05
    assert abs(fit.loglik - whole.loglik) < 0.05
    assert (
        "The search began at the optimum of 200 persons drawn at random; theirs at that of 66 "
        "persons drawn at random, which the best of 4 starts reached (-"
    ) in fit.message
    assert len(whole.optima) == 4
    assert len(fit.optima) == 1
    assert "drawn at random" not in whole.message
    again = bm.msle(MODEL, data, rng=1)
    assert again.params.equals(fit.params)
    assert again.loglik == fit.loglik


def test_persons_of_whom_there_is_no_optimum_are_not_begun_with(monkeypatch):
    def fails(search):
        raise ConvergenceError("separated")

    monkeypatch.setattr(first_persons, "MANY", 100)
    monkeypatch.setattr("bayesmix.classical.msle.some_persons", fails)
    fit = bm.msle(MODEL, many(), rng=1)
    assert len(fit.optima) == 4
    assert "drawn at random" not in fit.message


def test_a_given_start_is_the_start(monkeypatch):
    monkeypatch.setattr(first_persons, "MANY", 100)
    data = many()
    first = bm.msle(MODEL, data, rng=1)
    fit = bm.msle(MODEL, data, start=first, starts=1, rng=2)
    assert "drawn at random" not in fit.message
    assert np.isclose(fit.loglik, first.loglik, atol=0.05)
