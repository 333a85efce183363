"""Latent classes against ten lines of NumPy, and the chain of equalities."""

from dataclasses import replace

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.centring.grids import centre
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.optimise.em import (
    class_logits,
    class_theta,
    expectation_maximisation,
    random_classes,
)
from bayesmix.optimise.maximise import maximise, whitening
from bayesmix.specification.classes import Classes
from tests.oracles import choice_frame, choices, differences, slopes
from tests.simulated import attributes, choice_data

PURE = bm.MixedLogit("price + time", bm.LatentClass("price", share="1 + income"))
BOTH = bm.MixedLogit(
    "price + time + price:income",
    [bm.LatentClass("price", bm.Normal("time"), share="1 + income"), bm.Normal("price:income")],
)


@pytest.fixture(scope="module")
def data():
    return choices(choice_frame(np.random.default_rng(5), 25), weights="weight")


def by_hand(theta, data):
    """``log P_i`` (I,) of `PURE`: theta is price 1, price 2, time, share[2], share[2, income]."""
    x = data.frame[["price", "time"]].to_numpy()
    start, people = data.situation_start[:-1], data.person_start[:-1]
    income = data.frame["income"].to_numpy()[start[people]]
    index = np.stack([0 * income, theta[3] + theta[4] * income])
    pi = np.exp(index) / np.exp(index).sum(axis=0)
    total = 0
    for c in range(2):
        v = x @ np.array([theta[c], theta[2]])
        logp = v[data.chosen_row] - np.log(np.add.reduceat(np.exp(v), start))
        total = total + pi[c] * np.exp(np.add.reduceat(logp, people))
    return np.log(total)


def test_two_classes_by_hand(data):
    problem = bind(PURE, data)
    theta = np.array([-0.7, 0.4, -0.5, 0.3, -0.8])
    likelihood = Likelihood(problem, points_grid(problem))
    logp, scores = likelihood.by_person(theta)
    np.testing.assert_allclose(logp, by_hand(theta, data), atol=1e-10)
    for i in range(data.n_persons):
        expected = slopes(lambda t, i=i: by_hand(t, data)[i], theta)
        np.testing.assert_allclose(scores[i], expected, atol=1e-10)
    value, gradient = likelihood.value_and_gradient(theta)
    assert value == pytest.approx(data.weights @ logp, abs=1e-10)
    np.testing.assert_allclose(gradient, data.weights @ scores, atol=1e-10)


@pytest.mark.parametrize("own", [False, True], ids=["population", "centred"])
def test_gradient_of_mixtures_of_normals_by_differences(data, own):
    problem = bind(BOTH, data)
    theta = 0.5 * np.random.default_rng(6).normal(size=problem.parameters.size)
    grid = bm.population_grid(bm.sobol(32), 2, data.n_persons, 1)
    if own:
        grid = centre(problem, bm.centred(bm.sobol(32), moments=True), theta, 1)
    likelihood = Likelihood(problem, grid)
    found = differences(lambda t: likelihood.value_and_gradient(t)[0], theta)
    np.testing.assert_allclose(likelihood.value_and_gradient(theta)[1], found, atol=1e-6)


def test_grids_of_classes_and_of_the_population_agree(data):
    problem = bind(BOTH, data)
    theta = 0.5 * np.random.default_rng(7).normal(size=problem.parameters.size)
    grids = (
        bm.population_grid(bm.gauss_hermite(31), 2, data.n_persons),
        centre(problem, bm.centred(bm.sobol(1024)), theta, 1),
    )
    exact, near = (Likelihood(problem, grid).by_person(theta)[0] for grid in grids)
    np.testing.assert_allclose(near, exact, atol=5e-3)


def test_one_class_is_the_plain_model(data):
    one = bm.MixedLogit("price + time", Classes(("price", bm.Normal("time")), 1))
    plain = bm.MixedLogit("price + time", bm.Normal("time"))
    grid = bm.population_grid(bm.sobol(16), 1, data.n_persons, 1)
    theta = np.array([0.3, 0.8, -0.6])
    for a, b in zip(
        Likelihood(bind(one, data), grid).by_person(theta),
        Likelihood(bind(plain, data), grid).by_person(theta),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=1e-13)


@pytest.mark.parametrize("wtp", [None, "price"])
def test_equal_classes_are_the_multinomial_logit(data, wtp):
    equal = bind(bm.MixedLogit("price + time", bm.LatentClass("price", "time"), wtp=wtp), data)
    plain = bind(bm.MixedLogit("price + time", wtp=wtp), data)
    theta = equal.parameters.theta(
        {"fixed[price, 1]": -1, "fixed[price, 2]": -1, "fixed[time, 1]": 0.4,
         "fixed[time, 2]": 0.4, "share[2]": 0.7}
    )  # fmt: skip
    found = Likelihood(equal, points_grid(equal)).by_person(theta)[0]
    expected = Likelihood(plain, points_grid(plain)).by_person(np.array([-1.0, 0.4]))[0]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("share", ["0", "1", "1 + z"])
def test_em_never_falls_and_ends_where_bfgs_ends(share):
    model = bm.MixedLogit("x + y", bm.LatentClass("x", share=share))
    frame = attributes(np.random.default_rng(8), 150, 5)
    frame["z"] = np.random.default_rng(9).normal(size=150)[frame["who"]]
    frame["w"] = 1.0 + frame["who"] % 2
    at = {"fixed[x, 1]": -1.5, "fixed[x, 2]": 1.0, "fixed[y]": 0.5, "share[2]": -0.4,
          "share[2, z]": 0.8}  # fmt: skip
    blank = choice_data(frame, weights="w")
    problem = bind(model, blank)
    data = bm.simulate_choices(model, {n: at[n] for n in problem.parameters.names}, blank, 1)
    problem = bind(model, data)
    start = random_classes(problem, multinomial(problem), np.random.default_rng(2), tries=1)
    begin = replace(start, coefficients=start.coefficients * 0.3, gamma=0 * start.gamma, logliks=())
    end = expectation_maximisation(class_logits(problem), begin, 2000, 1e-10)
    assert min(np.diff(end.logliks)) > -1e-10
    # From afar, where whole Newton steps overshoot.
    far = replace(begin, coefficients=20 * start.coefficients)
    assert (
        min(np.diff(expectation_maximisation(class_logits(problem), far, 20, 1e-10).logliks))
        > -1e-10
    )
    assert len(end.logliks) > 5
    likelihood = Likelihood(problem, points_grid(problem))
    theta = class_theta(problem, end)
    assert likelihood.value_and_gradient(theta)[0] == pytest.approx(end.logliks[-1], abs=1e-9)
    first = class_theta(problem, begin)
    root = whitening(likelihood.by_person(first)[1], data.weights)
    best = maximise(likelihood.value_and_gradient, first, root)
    assert best.value == pytest.approx(end.logliks[-1], abs=1e-5)
    np.testing.assert_allclose(best.theta, theta, atol=2e-3)
