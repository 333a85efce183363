"""Implied moments where means have covariates: closed forms, weights, classes."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.likelihood.simulate import draw_coefficients
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit(
    "x + y", random=[bm.Normal("x", mean="1 + age"), bm.LogNormal("y", sign=-1, mean="1 + age")]
)
AT = {"mean[x]": 0.3, "sd[x]": 0.8, "shift[x, age]": 0.7}
AT |= {"mean[y]": -0.4, "sd[y]": 0.6, "shift[y, age]": 0.4}


def frame():
    found = simulated(bm.MixedLogit("x + y"), {"fixed[x]": 0.0, "fixed[y]": 0.0}, 250, 6).frame
    ages = np.random.default_rng(5).normal(0.5, 1.0, 250).round(1)
    return found.assign(age=ages[found["who"]], w=1.0 + 2.0 * (ages[found["who"]] > 0.5))


@cache
def data():
    blank = choice_data(frame(), weights="w")
    return bm.simulate_choices(MODEL, AT, blank, rng=3)


@cache
def fit():
    return bm.msle(MODEL, data(), grid=bm.gauss_hermite(9), starts=1, rng=1)


def ages():
    age = frame().groupby("who")["age"].first().to_numpy()
    weight = data().weights / data().weights.sum()
    return age, weight


def test_a_normal_law_has_closed_forms():
    (age, w), b, table = ages(), fit().params, fit().summary()
    mean, shift, sd = b["mean[x]"], b["shift[x, age]"], b["sd[x]"]
    spread = w @ (age - w @ age) ** 2
    estimate = table["estimate"]
    assert estimate["implied mean[x]"] == pytest.approx(mean + shift * (w @ age), rel=1e-12)
    assert estimate["implied sd[x]"] == pytest.approx(np.sqrt(sd**2 + shift**2 * spread))
    share = w @ norm.cdf((mean + shift * age) / sd)
    assert estimate["share positive[x]"] == pytest.approx(share, rel=1e-12)
    slope = np.array([1.0, w @ age])
    names = ["mean[x]", "shift[x, age]"]
    variance = slope @ fit().covariance().loc[names, names].to_numpy() @ slope
    assert table["std error"]["implied mean[x]"] == pytest.approx(np.sqrt(variance), rel=1e-6)
    assert (table["2.5 %"] < estimate).all()


def test_moments_are_those_of_coefficients_drawn_for_the_sample():
    problem, table = fit().problem, fit().summary()["estimate"]
    rng, (_, w) = np.random.default_rng(2), ages()
    beta = np.array([draw_coefficients(problem, fit().theta, rng) for _ in range(800)])[:, :, 1]
    mean = (beta @ w).mean()
    assert table["implied mean[y]"] == pytest.approx(mean, abs=4 * (beta @ w).std() / 800**0.5)
    sd = np.sqrt(((beta - mean) ** 2 @ w).mean())
    assert table["implied sd[y]"] == pytest.approx(sd, rel=0.03)
    below = ((beta < table["implied median[y]"]) @ w).mean()
    assert below == pytest.approx(0.5, abs=0.005)


def test_weights_and_persons_count_and_not_the_covariates_origin():
    moved = choice_data(data().frame.assign(age=data().frame["age"] - 3.0), weights="w")
    again = bm.msle(MODEL, moved, grid=bm.gauss_hermite(9), starts=1, rng=1).summary()
    ours = fit().summary()
    rows = [name for name in ours.index if name.startswith(("implied", "share"))]
    np.testing.assert_allclose(again.loc[rows], ours.loc[rows], rtol=2e-3)
    plain = bm.msle(MODEL, choice_data(data().frame), grid=bm.gauss_hermite(9), starts=1, rng=1)
    b, (age, _) = plain.params, ages()
    found = plain.summary()["estimate"]["implied mean[x]"]
    assert found == pytest.approx(b["mean[x]"] + b["shift[x, age]"] * age.mean(), rel=1e-12)


def test_people_of_a_class_have_its_probability():
    law = bm.LatentClass(bm.Normal("x", mean="1 + age"), share="1 + age")
    model = bm.MixedLogit("x + y", random=law)
    found = bm.msle(model, data(), grid=bm.gauss_hermite(5), starts=1, rng=1)
    table, b, (age, w) = found.summary()["estimate"], found.params, ages()
    odds = np.exp(b["share[2]"] + b["share[2, age]"] * age)
    second = w * odds / (1 + odds)
    mean = b["mean[x, 2]"] + b["shift[x, age, 2]"] * (second @ age) / second.sum()
    assert table["implied mean[x, 2]"] == pytest.approx(mean, rel=1e-9)
    assert table["class share[2]"] == pytest.approx(second.sum())


def test_a_law_on_one_side_of_0_says_why_its_share_has_no_interval():
    at = {"mean[x]": -2.0, "sd[x]": 0.5, "mean[y]": 1.0, "sd[y]": 0.5}
    model = bm.MixedLogit("x + y", random=bm.Uniform("x", "y"))
    sample = simulated(model, at, 150, 6)
    table = bm.msle(model, sample, grid=bm.gauss_hermite(9), starts=1, rng=1).summary()
    assert table["estimate"]["share positive[x]"] == 0.0
    assert table["note"]["share positive[x]"] == "everybody has one sign: no interval"


def test_correlations_of_coefficients_are_those_of_coefficients_drawn():
    minus = bm.LogNormal("y", sign=-1, mean="1 + age")
    model = bm.MixedLogit("x + y", random=bm.Correlated(bm.Normal("x"), minus))
    found = bm.msle(model, data(), grid=bm.gauss_hermite(7), starts=1, rng=1)
    table, (_, w) = found.summary(), ages()
    rng, problem = np.random.default_rng(2), found.problem
    beta = np.concatenate([draw_coefficients(problem, found.theta, rng) for _ in range(800)])
    covariance = np.cov(beta.T, aweights=np.tile(w, 800))
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert table["estimate"]["implied corr[x, y]"] == pytest.approx(expected, abs=0.01)
    assert table["estimate"]["corr[x, y]"] * expected < 0
    assert table["note"]["corr[x, y]"] == "of the indices"
    assert table["note"]["implied corr[x, y]"] == ""
    plain = bm.MixedLogit("x + y", random=bm.LKJNormal("x", "y"))
    names = bm.msle(plain, data(), grid=bm.gauss_hermite(5), starts=1, rng=1).summary()
    assert "implied corr[x, y]" not in names.index
    assert "note" not in names
