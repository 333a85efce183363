"""Predictions: oracles, outside option, scenarios, new data with the old formula state."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.fit import Fit
from bayesmix.errors import DataError, SpecificationError
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))
AT = {"mean[x]": 1.0, "sd[x]": 0.9, "fixed[y]": -0.6}


@cache
def data(outside=False):
    return simulated(MODEL, AT, 60, 4, outside_option=outside, seed=1)


@cache
def fit(outside=False):
    return bm.msle(MODEL, data(outside), grid=bm.gauss_hermite(9), starts=1)


def exact(fitted, frame, outside):
    """Probabilities of rows by Gauss-Hermite quadrature, situation by situation."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    b = fitted.params
    beta = b["mean[x]"] + b["sd[x]"] * nodes
    found = np.zeros(len(frame))
    for _, rows in frame.groupby("task"):
        v = np.outer(rows["x"], beta) + b["fixed[y]"] * rows["y"].to_numpy()[:, None]
        p = np.exp(v) / (np.exp(v).sum(axis=0) + outside)
        found[frame.index.get_indexer(rows.index)] = p @ weights / weights.sum()
    return found


@pytest.mark.parametrize("outside", [False, True])
def test_probabilities_are_those_of_quadrature(outside):
    found = fit(outside).predict()
    expected = exact(fit(outside), data(outside).frame, outside)
    inside = found[found["alternative"] != "outside"]
    np.testing.assert_allclose(inside["probability"], expected, atol=3e-3)
    np.testing.assert_allclose(inside["person"], data(outside).frame["who"])
    np.testing.assert_allclose(inside["situation"], data(outside).frame["task"])
    assert list(inside["alternative"]) == list(data(outside).frame["alt"])
    total = found.groupby("situation")["probability"].sum()
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)
    assert len(found) == data().n_rows + outside * data().n_situations


def test_the_outside_option_follows_the_rows_of_its_situation():
    found = fit(True).predict()
    assert list(found["alternative"][:8]) == [0, 1, 2, "outside"] * 2
    assert list(found.index[[3, 7]]) == ["outside"] * 2
    assert not found.index.isna().any()
    assert list(found.index[[0, 1, 2, 4]]) == [0, 1, 2, 3]


def test_predictions_join_the_users_table():
    shuffled = (
        data()
        .frame.sample(frac=1.0, random_state=3)
        .set_axis([f"r{n}" for n in range(data().n_rows)])
    )
    fitted = bm.msle(MODEL, choice_data(shuffled), grid=bm.gauss_hermite(9), starts=1)
    joined = shuffled.assign(p=fitted.predict()["probability"])
    np.testing.assert_allclose(joined["p"], exact(fitted, shuffled, False), atol=3e-3)


def test_averages_are_the_shares():
    for outside in (False, True):
        found = fit(outside).predict(rng=4).groupby("alternative")["probability"].mean()
        shares = bm.shares(fit(outside), data(outside), draws=2, rng=4)["estimate"]
        for label in shares["alternative"].values:
            assert found[label] == pytest.approx(float(shares.sel(alternative=label)), abs=1e-12)


def test_scenarios():
    without = fit().predict(scenario=data().without(1), rng=1)
    base = fit().predict(rng=1)
    stay = base[base["alternative"] != 1]
    assert (without["probability"].to_numpy() > stay["probability"].to_numpy()).all()
    with pytest.raises(DataError, match="has other persons or situations"):
        fit().predict(scenario=simulated(MODEL, AT, 20, 2).without(1))


STATE = bm.MixedLogit("center(x) + center(x):y + C(alt) + y")


def test_new_data_keep_what_the_formula_has_learnt():
    frame = data().frame
    fitted = bm.msle(STATE, data())
    one = frame[(frame["who"] < 5)].assign(x=lambda f: f["x"] + 0.5)
    found = fitted.predict(choice_data(one))["probability"].to_numpy()
    b, x = fitted.params, one["x"] - frame["x"].mean()
    v = (
        b["fixed[center(x)]"] * x
        + b["fixed[center(x):y]"] * x * one["y"]
        + b["fixed[y]"] * one["y"]
    )
    v += one["alt"].map({0: 0.0, 1: b["fixed[alt[1]]"], 2: b["fixed[alt[2]]"]})
    p = np.exp(v) / np.exp(v).groupby(one["task"]).transform("sum")
    np.testing.assert_allclose(found, p, rtol=1e-10)
    # An alternative that is offered nowhere leaves the others' constants as they are.
    two = one[one["alt"] != 2].assign(choice=lambda f: (f["alt"] == 0).astype(int))
    found = fitted.predict(choice_data(two))["probability"].to_numpy()
    kept = v[one["alt"] != 2]
    p = np.exp(kept) / np.exp(kept).groupby(two["task"]).transform("sum")
    np.testing.assert_allclose(found, p, rtol=1e-10)


def test_new_categories_and_other_outside_options_are_refused():
    fitted = bm.msle(STATE, data())
    new = data().frame.assign(alt=lambda f: f["alt"] + 1)
    with pytest.raises(SpecificationError, match="was not estimated on"):
        fitted.predict(choice_data(new))
    with pytest.raises(DataError, match="without an outside option, and these are not"):
        fit().predict(data(True))
    with pytest.raises(DataError, match="must be ChoiceData, got DataFrame"):
        fit().predict(data().frame)


def test_a_stored_fit_predicts_the_same(tmp_path):
    fit().save(tmp_path / "fit.json")
    again = Fit.load(tmp_path / "fit.json", data())
    pd.testing.assert_frame_equal(again.predict(rng=2), fit().predict(rng=2))
    pd.testing.assert_frame_equal(again.predict(data(), rng=2), fit().predict(rng=2))


def test_with_a_constant_the_outside_option_s_share_is_the_observed_one():
    """The score of a multinomial logit's constant: expected choices of it are the observed."""
    model = bm.MixedLogit("1 + x + y")
    found = bm.msle(model, data(True))
    observed = float((data(True).chosen_row < 0).mean())
    share = bm.shares(found, data(True), draws=5, rng=1)["estimate"].to_numpy()
    assert 1.0 - share[: len(data(True).alternatives)].sum() == pytest.approx(observed, abs=1e-6)
    without = bm.shares(bm.msle(bm.MixedLogit("x + y"), data(True)), data(True), draws=5, rng=1)
    assert abs(1.0 - without["estimate"].to_numpy()[:3].sum() - observed) > 1e-3
