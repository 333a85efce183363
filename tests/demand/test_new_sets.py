"""New choice sets: one set, one person, sets that nobody has chosen from yet."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from tests.demand.test_certain import result
from tests.demand.test_known import HOW, MODEL, fit, posterior, sets
from tests.simulated import attributes, choice_data

POPULATION = {**HOW, "people": "population"}


def rows(table, persons=None, situations=None):
    """Probabilities of some persons or situations in a table."""
    kept = table["person"].isin(persons) if persons else table["situation"].isin(situations)
    return table.loc[kept, "probability"].to_numpy()


@pytest.mark.parametrize("of", [fit, posterior])
def test_one_set_one_person_and_no_choices(of):
    train, _ = sets()
    frame = train.frame
    whole = bm.predict(of(), train, nodes=4096, **POPULATION)
    for part in (frame[frame["task"] == 10], frame[frame["who"] == 3]):
        for data in (
            choice_data(part),
            choice_data(part.drop(columns="choice"), chosen=None),
            choice_data(part, person=None),
        ):
            found = bm.predict(of(), data, nodes=4096, **POPULATION)
            expected = rows(whole, situations=part["task"].unique().tolist())
            np.testing.assert_allclose(found["probability"], expected, atol=2e-3)
            shares = bm.shares(of(), data, **POPULATION)["estimate"]
            assert float(shares.sum()) == pytest.approx(1.0)
            assert np.isfinite(bm.diversion(of(), data, **POPULATION)["estimate"]).all()
            assert np.isfinite(bm.elasticities(of(), data, "x", **POPULATION)["estimate"]).all()
            assert np.isfinite(bm.surplus(of(), data, price="y", **POPULATION)["estimate"])


def test_coefficients_of_one_person():
    train, _ = sets()
    one = choice_data(train.frame[train.frame["who"] == 3])
    how = {"draws": 50, "uncertainty": False, "rng": 1}
    found = bm.individuals(fit(), one, **how)["mean"].sel(person=3)
    every = bm.individuals(fit(), train, **how)["mean"].sel(person=3)
    np.testing.assert_allclose(found, every, atol=0.05)
    with pytest.raises(DataError, match="the data hold none"):
        bm.individuals(fit(), choice_data(one.frame.drop(columns="choice"), chosen=None))


def test_sets_without_choices_are_estimated_from_by_nobody():
    train, _ = sets()
    blank = choice_data(train.frame.drop(columns="choice"), chosen=None)
    assert not blank.observed
    assert "chosen" not in blank.summary().alternatives.columns
    for estimator in (bm.msle, bm.msm, bm.mss, bm.pymc_model, bm.sample):
        with pytest.raises(
            DataError, match="made without chosen=: estimate from data with choices"
        ):
            estimator(MODEL, blank)
    assert not bm.check(MODEL, blank).ok


def test_scenarios_and_simulated_choices_of_such_sets():
    train, _ = sets()
    blank = choice_data(train.frame.drop(columns="choice"), chosen=None)
    dearer = blank.with_attribute("y", lambda r: r["y"] + 1, alternative=1).without(0)
    found = bm.shares(fit(), blank, scenario=dearer, **POPULATION)["estimate"]
    observed = train.with_attribute("y", lambda r: r["y"] + 1, alternative=1).without(0)
    expected = bm.shares(fit(), train, scenario=observed, **POPULATION)["estimate"]
    np.testing.assert_array_equal(found, expected)
    at = {"mean[x]": 0.5, "sd[x]": 1.5, "fixed[y]": -0.8}
    drawn, same = (bm.simulate_choices(MODEL, at, d, 3) for d in (blank, train))
    np.testing.assert_array_equal(drawn.chosen_row, same.chosen_row)
    assert drawn.observed
    clash = choice_data(train.frame.assign(chosen=0).drop(columns="choice"), chosen=None)
    with pytest.raises(DataError, match="would stand in a column 'chosen'"):
        bm.simulate_choices(MODEL, at, clash, 3)


def test_wide_sets_without_choices():
    train, _ = sets()
    one = train.frame[train.frame["task"] == 10]
    wide = one.assign(who=3).pivot(index="who", columns="alt", values=["x", "y"])
    wide.columns = [f"{a}_{j}" for a, j in wide.columns]
    data = bm.ChoiceData.from_wide(
        wide.reset_index(),
        alternatives=[0, 1, 2],
        varying={"x": "x_{alternative}", "y": "y_{alternative}"},
        person="who",
    )
    found = fit().predict(data)["probability"]
    assert found.to_numpy() == pytest.approx(rows(fit().predict(), situations=[10]), abs=2e-2)


def test_constants_of_alternatives_that_are_not_offered():
    """A posterior's own data say what its constants are of; without them it is refused."""
    model = bm.MixedLogit("C(alt) + x")
    frame = attributes(np.random.default_rng(1), 20, 2)
    own = choice_data(frame)
    tree = result(model, own, fixed=[1.0, 2.0, -0.7])
    part = choice_data(frame[frame["alt"] != 0].drop(columns="choice"), chosen=None)
    found = bm.predict(tree, own, predict=part, draws=1, rng=1)["probability"].to_numpy()
    v = part.frame["alt"].map({1: 1.0, 2: 2.0}) - 0.7 * part.frame["x"]
    p = np.exp(v.to_numpy()).reshape(-1, 2)
    np.testing.assert_allclose(found, (p / p.sum(axis=1, keepdims=True)).ravel(), rtol=1e-12)
    with pytest.raises(DataError, match="predict="):
        bm.predict(tree, part, draws=1, rng=1)


def test_intervals_of_predictions_are_quantiles_over_draws():
    train, _ = sets()
    found = bm.predict(fit(), train, draws=30, rng=1)
    points = bm.predict(fit(), train, draws=30, rng=1, interval=0.5)
    assert (found["low"] <= points["low"]).all()
    assert (found["high"] >= points["high"]).all()
    assert (found["low"] < found["high"]).all()
    np.testing.assert_array_equal(found["probability"], points["probability"])
    by_alternative = found.groupby("alternative")["probability"].mean()
    shares = bm.shares(fit(), train, draws=30, rng=1)["estimate"]
    np.testing.assert_allclose(by_alternative, shares, atol=1e-12)


def test_the_outside_option_is_not_what_rounding_leaves_of_1():
    """Its probability of 1e-20 would be 0 or below by subtraction."""
    frame = attributes(np.random.default_rng(1), 40, 2)
    rng = np.random.default_rng(2)
    best = (frame["x"] + rng.gumbel(size=len(frame))).groupby(frame["task"]).idxmax()
    frame["choice"] = frame.index.isin(best).astype(int)
    frame.loc[frame["task"] % 4 == 0, "choice"] = 0
    data = choice_data(frame, outside_option=True)
    fit = bm.msle(bm.MixedLogit("x + y"), data)
    there = data.with_attribute("x", lambda rows: rows["x"] + 46.0 / fit.params["fixed[x]"])
    found = fit.predict(scenario=there)
    outside = found.loc[found["alternative"] == "outside", "probability"].to_numpy()
    v = (there.frame[["x", "y"]].to_numpy() @ fit.params.to_numpy()).reshape(-1, 3)
    expected = 1 / (1 + np.exp(v).sum(axis=1))
    np.testing.assert_allclose(outside, expected, rtol=1e-9)
