"""Demand of latent classes: two types by hand, class probabilities, willingness to pay."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.likelihood.bind import bind
from tests.simulated import attributes, choice_data, simulated

TYPES = bm.MixedLogit("inside + x + price", random=[bm.LatentClass("inside", "price", share="0")])
AT = {
    "fixed[inside, 1]": 2.0,
    "fixed[inside, 2]": 4.0,
    "fixed[price, 1]": -1.0,
    "fixed[price, 2]": -3.0,
    "fixed[x]": 1.0,
}
QUICK = {"draws": 2, "rng": 1}


@cache
def people():
    """Person 0 faces the two products of the example; the others only tell columns apart."""
    frame = attributes(np.random.default_rng(1), 201, 3, ("x", "price"), 2)
    frame["inside"] = 1.0
    first = frame["who"] == 0
    frame.loc[first, "x"] = np.tile([1.0, 0.6], 3)
    frame.loc[first, "price"] = np.tile([1.0, 0.8], 3)
    frame["w"] = np.where(first, 1.0, 1e-12)
    return bm.simulate_choices(TYPES, AT, choice_data(frame, outside_option=True, weights="w"), 2)


@cache
def fit():
    data = people()
    even = choice_data(
        data.frame.assign(choice=np.isin(np.arange(data.n_rows), data.chosen_row).astype(int)),
        outside_option=True,
    )
    found = bm.msle(TYPES, even, starts=1, rng=1)
    return replace(found, theta=bind(TYPES, data).parameters.theta(AT))


def test_two_types():
    """Equal shares of alpha = (-1, -3), c = (2, 4); x = (1, .6), p = (1, .8); outside 0."""
    found = bm.shares(fit(), people(), **QUICK)["estimate"]
    np.testing.assert_allclose(found, [0.468034, 0.468624, 0.063342], atol=5e-7)
    elastic = bm.elasticities(fit(), people(), "price", **QUICK)["estimate"]
    found = elastic.sel(responding=0).to_numpy()
    np.testing.assert_allclose(found, [-1.0497919, 0.747069], atol=5e-7)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("removal", 0.877233), ("price", 0.889545), ("quality", 0.878961), ("finite", 0.884457)],
)
def test_diversion_of_two_types(kind, expected):
    change = {"change": lambda rows: 2 * rows["price"]} if kind == "finite" else {}
    found = bm.diversion(fit(), people(), kind, **change, **QUICK)["estimate"].to_numpy()
    assert found[0, 1] == pytest.approx(expected, abs=5e-7)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)


def test_surplus_of_two_types():
    found = float(bm.surplus(fit(), people(), **QUICK)["estimate"])
    v = [np.array([2 + 1 - 1, 2 + 0.6 - 0.8]), np.array([4 + 1 - 3, 4 + 0.6 - 2.4])]
    logsums = [np.log(1 + np.exp(u).sum()) for u in v]
    assert found == pytest.approx((logsums[0] / 1 + logsums[1] / 3) / 2, abs=1e-9)


def test_willingness_to_pay_has_two_values():
    for how in ({}, {"data": people()}):
        found = bm.wtp(fit(), "x", quantiles=(0.4, 0.6), **how, **QUICK)["estimate"]
        np.testing.assert_allclose(found, [2 / 3, 1 / 3, 1.0], atol=1e-9)


def test_class_probabilities_are_bayes_rule():
    data = people()
    found = bm.class_probabilities(fit(), data, **QUICK)
    design = data.frame[["inside", "x", "price"]].to_numpy()
    likelihood = np.empty((data.n_persons, 2))
    for c in (0, 1):
        v = design @ [(2, 4)[c], 1, (-1, -3)[c]]
        total = 1 + np.add.reduceat(np.exp(v), data.situation_start[:-1])
        chosen = np.where(data.chosen_row < 0, 0.0, v[data.chosen_row]) - np.log(total)
        likelihood[:, c] = np.exp(np.add.reduceat(chosen, data.person_start[:-1]))
    expected = likelihood / likelihood.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found["estimate"], expected, atol=1e-10)
    np.testing.assert_allclose(found["prior"], 0.5)
    known = bm.individuals(fit(), data, draws=1, uncertainty=False, rng=1)
    price = expected @ [-1.0, -3.0]
    np.testing.assert_allclose(known["mean"].sel(random="price"), price, atol=1e-10)
    assert set(known["beta"].sel(random="price").to_numpy().ravel()) == {-1.0, -3.0}


def test_known_people_have_their_own_shares():
    data = people()
    prior = bm.class_probabilities(fit(), data, **QUICK)["estimate"].to_numpy()[0]
    found = bm.shares(fit(), data, predict=data, people="known", **QUICK)["estimate"].to_numpy()
    types = []
    for c, alpha in ((2, -1), (4, -3)):
        v = np.exp([c + 1 + alpha, c + 0.6 + 0.8 * alpha, 0.0])
        types.append(v / v.sum())
    np.testing.assert_allclose(found, prior @ np.array(types), atol=1e-9)


def test_one_class_has_everybody():
    data = simulated(bm.MixedLogit("x + y"), {"fixed[x]": 0.5, "fixed[y]": 0.5}, 50, 3)
    found = bm.class_probabilities(bm.msle(bm.MixedLogit("x + y"), data), data, **QUICK)
    assert found["class"].to_numpy().tolist() == [1]
    assert (found["estimate"] == 1).all()
    assert (found["prior"] == 1).all()
