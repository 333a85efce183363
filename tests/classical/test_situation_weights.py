"""Weights of situations: refused within persons, with a remedy that does what it says."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from tests.oracles import choice_frame, choices


def weighted_frame():
    rng = np.random.default_rng(4)
    frame = choice_frame(rng, 60, 4)
    frame["task"] += 10 * frame["who"]
    frame["w"] = rng.uniform(0.5, 2.0, 1000)[frame["task"]]
    return frame


def test_weights_that_vary_within_persons_are_refused():
    with pytest.raises(DataError, match=r"person=None and the person's column as cluster=.*'who'"):
        choices(weighted_frame(), weights="w")


def test_the_remedy_is_the_weighted_logit_with_errors_by_person():
    frame = weighted_frame()
    data = choices(frame, person=None, weights="w")
    fit = bm.msle(bm.MixedLogit("price + time"), data, cluster="who")
    x = frame[["price", "time"]].to_numpy()
    exp = np.exp(x @ fit.theta)
    task = frame["task"].to_numpy()
    p = exp / np.bincount(task, exp)[task]
    rows = (frame["w"] * (frame["choice"] - p)).to_numpy()[:, None] * x
    assert np.abs(rows.sum(axis=0)).max() < 1e-4
    by_person = np.stack([rows[frame["who"] == i].sum(axis=0) for i in range(60)])
    information = np.zeros((2, 2))
    for t in np.unique(task):
        here, q = x[task == t], p[task == t]
        centred = here - q @ here
        information += frame["w"][task == t].iloc[0] * (centred * q[:, None]).T @ centred
    bread = np.linalg.inv(information)
    covariance = 60 / 59 * bread @ by_person.T @ by_person @ bread
    np.testing.assert_allclose(fit.std_errors, np.sqrt(np.diag(covariance)), rtol=1e-5)
    share = bm.shares(fit, data, draws=2, rng=1)["estimate"].sel(alternative="bus")
    bus = (frame["mode"] == "bus").to_numpy()
    mass = frame["w"][bus].sum()
    assert float(share) == pytest.approx((frame["w"] * p)[bus].sum() / mass, rel=1e-10)
