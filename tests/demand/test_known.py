"""Known people: past choices and what is predicted are two data sets, and no answer leaks."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from bayesmix.integration.grids import population_grid
from bayesmix.kernels.integrals import node_log_probabilities
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.point import Point
from tests.demand.test_certain import result
from tests.simulated import attributes, choice_data

MODEL = bm.MixedLogit("x + y", random=[bm.Normal("x")])
AT = {"mean[x]": 0.5, "sd[x]": 1.5, "fixed[y]": -0.8}
HOW = {"people": "known", "draws": 2, "rng": 1}


@cache
def sets():
    """Five tasks a person, of which the last is held out; person 7 does not answer it."""
    frame = attributes(np.random.default_rng(1), 50, 5).assign(price=lambda f: f["y"])
    data = bm.simulate_choices(MODEL, AT, choice_data(frame), 2)
    last = data.frame["task"] % 5 == 4
    holdout = data.frame[last & (data.frame["who"] != 7)]
    return choice_data(data.frame[~last]), choice_data(holdout)


@cache
def fit():
    return bm.msle(MODEL, sets()[0], grid=bm.gauss_hermite(15), starts=1)


@cache
def posterior():
    p = fit().params
    return result(MODEL, sets()[0], mean=[p["mean[x]"]], sd=[p["sd[x]"]], fixed=[p["fixed[y]"]])


def other_answers():
    holdout = sets()[1]
    return holdout.with_choices(holdout.situation_start[:-1])


def by_hand(fitted):
    """Probabilities of the held-out rows by Bayes' rule on a product rule's nodes."""
    train, holdout = sets()
    past, then = bind(fitted.model, train), bind(fitted.model, holdout)
    nodes, weights = population_grid(bm.gauss_hermite(60), 1, 50).block(0, 50)
    mixture = Point(past, fitted.theta).mixture(nodes, weights)
    logp = node_log_probabilities(past.panel(), Point(past, fitted.theta).base, mixture)
    joint = weights * np.exp(logp)
    share = np.delete(joint / joint.sum(axis=1, keepdims=True), 7, axis=0)
    beta = Point(past, fitted.theta).coefficients(nodes)[0, 0]
    v = Point(then, fitted.theta).base[:, None] + then.design.random * beta
    p = np.exp(v).reshape(-1, 3, len(beta))
    p /= p.sum(axis=1, keepdims=True)
    return np.einsum("tjs,ts->tj", p, share)


def test_predictions_of_known_people_are_by_bayes_rule():
    train, holdout = sets()
    expected = by_hand(fit())
    found = fit().predict(train, predict=holdout, people="known")
    np.testing.assert_allclose(found["probability"].to_numpy().reshape(-1, 3), expected, atol=2e-3)
    both = [bm.predict(r, train, predict=holdout, **HOW) for r in (fit(), posterior())]
    for table in both:
        p = table["probability"].to_numpy().reshape(-1, 3)
        np.testing.assert_allclose(p, expected, atol=2e-3)
    shares = bm.shares(fit(), train, predict=holdout, **HOW)["estimate"]
    np.testing.assert_allclose(shares, expected.mean(axis=0), atol=1e-3)
    assert abs(fit().predict(holdout)["probability"].to_numpy() - expected.ravel()).max() > 0.1


VERBS = {
    "shares": lambda r, d, **o: bm.shares(r, d, **o)["estimate"],
    "elasticities": lambda r, d, **o: bm.elasticities(r, d, "x", **o)["estimate"],
    "diversion": lambda r, d, **o: bm.diversion(r, d, **o)["estimate"],
    "marginal_consumers": lambda r, d, **o: bm.marginal_consumers(r, d, **o)["estimate"],
    "surplus": lambda r, d, **o: bm.surplus(r, d, price="y", **o)["estimate"],
    "price_curve": lambda r, d, **o: bm.price_curve(
        r, d, 1, price="y", prices=[-1, 0, 1], **o)["estimate"],
    "wtp": lambda r, d, **o: bm.wtp(r, "x", price="y", data=d, **o)["estimate"],
    "predict": lambda r, d, **o: bm.predict(r, d, **o)["probability"],
    "fit.predict": lambda r, d, **o: fit().predict(
        d, **{k: v for k, v in o.items() if k != "draws"})["probability"],
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("of", [fit, posterior])
def test_no_answer_leaks(verb, of):
    train, holdout = sets()
    found = VERBS[verb](of(), train, predict=holdout, **HOW)
    same = VERBS[verb](of(), train, predict=other_answers(), **HOW)
    np.testing.assert_array_equal(found, same)
    unanswered = choice_data(holdout.frame.drop(columns="choice"), chosen=None)
    np.testing.assert_array_equal(found, VERBS[verb](of(), train, predict=unanswered, **HOW))
    assert np.isfinite(found).all()
    with pytest.raises(DataError, match=r"predicted from themselves, .*predict=holdout"):
        VERBS[verb](of(), holdout, **HOW)
    with pytest.raises(DataError, match="the data hold none"):
        VERBS[verb](of(), unanswered, **HOW)
    assert np.isfinite(VERBS[verb](of(), train, **HOW)).all()  # the estimation's own


def test_individuals_of_some_persons():
    train, holdout = sets()
    how = {"draws": 50, "uncertainty": False, "rng": 1}
    every = bm.individuals(fit(), train, **how)["mean"]
    some = bm.individuals(fit(), train, predict=holdout, **how)["mean"]
    assert some["person"].to_numpy().tolist() == [i for i in range(50) if i != 7]
    np.testing.assert_allclose(some, every.sel(person=some["person"]), atol=0.05)


def test_persons_are_found_by_label():
    train, holdout = sets()
    few = holdout.frame[holdout.frame["who"].isin([40, 3])]
    part = fit().predict(train, predict=choice_data(few), people="known")
    whole = fit().predict(train, predict=holdout, people="known")
    joined = part.merge(whole, on=["person", "situation", "alternative"])
    assert len(joined) == 6
    np.testing.assert_allclose(joined["probability_x"], joined["probability_y"], atol=5e-3)


def test_strangers_and_cross_sections_are_named():
    train, holdout = sets()
    new = holdout.frame.replace({"who": {3: 77, 4: 78}})
    with pytest.raises(DataError, match=r"2 persons of whom the data have no choices, 77, 78: .*"):
        bm.shares(fit(), train, predict=choice_data(new), **HOW)
    population = {**HOW, "people": "population"}
    assert np.isfinite(bm.shares(fit(), train, predict=choice_data(new), **population)["low"]).all()
    with pytest.raises(DataError, match="argument 'predict' was made with person=None"):
        bm.shares(fit(), train, predict=choice_data(holdout.frame, person=None), **HOW)


def test_scenarios_of_sets_to_predict():
    train, holdout = sets()
    gone = bm.shares(fit(), train, predict=holdout, scenario=holdout.without(2), **HOW)
    found = bm.diversion(fit(), train, predict=holdout, **HOW)["estimate"].sel(origin=2)
    now = bm.shares(fit(), train, predict=holdout, **HOW)["estimate"]
    gain = gone["estimate"] - now.sel(alternative=gone["alternative"])
    np.testing.assert_allclose(found[:2], gain / float(now.sel(alternative=2)), atol=1e-12)
    with pytest.raises(DataError, match="has other persons or situations"):
        bm.shares(fit(), train, predict=holdout, scenario=train.without(2), **HOW)


def test_covariates_of_means_are_those_of_the_sets():
    """What is known of a person is how they differ from others like them."""
    rng = np.random.default_rng(4)
    frame = attributes(rng, 60, 4).assign(z=lambda f: f["who"] % 2)
    model = bm.MixedLogit("x + y", random=[bm.Normal("x", mean="z")])
    at = {"mean[x]": 0.3, "shift[x, z]": 1.0, "sd[x]": 1.0, "fixed[y]": -0.5}
    data = bm.simulate_choices(model, at, choice_data(frame), 5)
    fitted = bm.msle(model, data, grid=bm.gauss_hermite(9), starts=1)
    older = choice_data(data.frame.assign(z=lambda f: f["z"] + 1.0))
    how = {"draws": 2, "uncertainty": False, "rng": 1}
    now = bm.individuals(fitted, data, **how)["mean"]
    then = bm.individuals(fitted, data, predict=older, **how)["mean"]
    np.testing.assert_allclose(then - now, fitted.params["shift[x, z]"], atol=1e-9)
    assert isinstance(now.to_pandas(), pd.DataFrame)
