"""Cross-validation by person, comparison of models, stacking."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import bayesmix as bm
from bayesmix.data.subset import take_persons
from bayesmix.evaluation.folds import folds_of
from bayesmix.evaluation.person_scores import LogScores, digests_of
from bayesmix.evaluation.stacking import stacking_weights
from tests.simulated import simulated

MIXED = bm.MixedLogit("x + y", random=bm.Normal("x"))
LOGIT = bm.MixedLogit("x + y")
TRUTH = {"mean[x]": 1.0, "sd[x]": 1.2, "fixed[y]": -0.5}
QUICK = partial(bm.msle, grid=bm.centred(bm.sobol(32)), starts=1)


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    rows = simulated(MIXED, TRUTH, 60, 5, seed=8, outside_option=True)
    frame = rows.frame.assign(w=1.0 + (rows.frame["who"] % 3))
    return bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice", weights="w",
        outside_option=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def both(data: bm.ChoiceData) -> bm.CrossValidations:
    return bm.cross_validate({"mixed": MIXED, "logit": LOGIT}, data, folds=4, method=QUICK, rng=1)


def test_folds_are_even_and_follow_the_seed() -> None:
    first, again = (folds_of(23, 5, np.random.default_rng(3)) for _ in range(2))
    assert (first == again).all()
    assert sorted(np.bincount(first)) == [4, 4, 5, 5, 5]
    assert (first != folds_of(23, 5, np.random.default_rng(4))).any()


def test_scores_are_those_of_fits_to_the_other_persons(
    data: bm.ChoiceData, both: bm.CrossValidations
) -> None:
    """A plain logit's probabilities are multiplied over a person's choices."""
    rows = both["logit"].rows
    expected = pd.Series(np.nan, index=rows.index)
    brier, hits, mass = 0.0, 0.0, 0.0
    for fold in range(4):
        away = (rows["fold"] == fold).to_numpy()
        fit = bm.msle(LOGIT, take_persons(data, np.flatnonzero(~away)))
        sets = take_persons(data, np.flatnonzero(away))
        table = fit.predict(sets)
        for (person, _), own in table.groupby(["person", "situation"]):
            t = sets.situations.get_loc((person, own["situation"].iloc[0]))
            p, row = own["probability"].to_numpy(), sets.chosen_row[t]
            place = row - sets.situation_start[t] if row >= 0 else len(p) - 1
            expected[person] = np.nansum([expected[person], np.log(p[place])])
            w = rows.loc[person, "weight"]
            brier += w * ((p - (np.arange(len(p)) == place)) ** 2).sum()
            hits += w * (p.argmax() == place)
            mass += w
    np.testing.assert_allclose(rows["log score"], expected, atol=1e-6)
    table = both["logit"].summary()["mean"]
    assert table["Brier score"] == pytest.approx(brier / mass, abs=1e-6)
    assert table["hit rate"] == pytest.approx(hits / mass)
    assert both["logit"].log_score == pytest.approx((rows["weight"] * expected).sum())
    assert (rows["choices"] == 5).all()


def test_the_true_model_is_ahead_by_a_paired_difference(both: bm.CrossValidations) -> None:
    table = both.compare()
    assert table.index.tolist() == ["mixed", "logit"]
    rows = {label: own.rows for label, own in both.items()}
    assert (rows["mixed"]["fold"] == rows["logit"]["fold"]).all()
    apart = (rows["logit"]["log score"] - rows["mixed"]["log score"]) * rows["mixed"]["weight"]
    assert table.loc["logit", "difference"] == pytest.approx(apart.sum())
    error = np.sqrt(len(apart) * apart.var())
    assert table.loc["logit", "difference error"] == pytest.approx(error, rel=1e-9)
    assert table.loc["logit", "difference error"] < table.loc["logit", "std error"]
    assert table["stacking weight"].sum() == pytest.approx(1.0)
    assert "difference error" in repr(both)
    assert "<table" in both._repr_html_()


def test_persons_are_found_by_their_labels(both: bm.CrossValidations) -> None:
    mixed, logit = both["mixed"], both["logit"]
    turned = LogScores(logit.rows.iloc[::-1], logit.digests[::-1], logit.unit)
    pd.testing.assert_frame_equal(
        bm.compare_models({"mixed": mixed, "logit": turned}), both.compare()
    )
    other = logit.digests.copy()
    other[3] = "another"
    with pytest.raises(bm.DataError, match="other choices, choice sets or weights"):
        bm.compare_models({"a": mixed, "b": LogScores(logit.rows, other, logit.unit)})
    fewer = LogScores(logit.rows.iloc[1:], logit.digests[1:], logit.unit)
    with pytest.raises(bm.DataError, match=r"other persons, such as 0"):
        bm.compare_models({"a": mixed, "b": fewer})
    with pytest.raises(bm.SpecificationError, match="by the same means"):
        bm.compare_models({"a": mixed, "b": LogScores(logit.rows, logit.digests, "something")})


def test_a_posterior_is_averaged_over_its_draws(
    data: bm.ChoiceData, both: bm.CrossValidations
) -> None:
    sampled = partial(
        bm.sample, method="importance", grid=bm.centred(bm.sobol(32)), draws=200, progress=False
    )
    found = bm.cross_validate(MIXED, data, folds=4, method=sampled, rng=1).rows
    point = both["mixed"].rows
    assert (found["fold"] == point["fold"]).all()
    assert (found["log score"] != point["log score"]).all()
    np.testing.assert_allclose(found["log score"], point["log score"], atol=0.6)


def test_failures_name_the_fold_and_the_model(data: bm.ChoiceData) -> None:
    one = data.frame.assign(rare=(data.frame["who"] == 5) * data.frame["x"])
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}
    sets = bm.ChoiceData.from_long(one, **roles, outside_option=True)
    with pytest.raises(bm.DataError, match=r"fold \d of model 'model': .*rare"):
        bm.cross_validate(bm.MixedLogit("x + rare"), sets, folds=3, rng=1)


def test_a_category_of_one_folds_persons_alone_is_said_with_what_to_do(
    data: bm.ChoiceData,
) -> None:
    one = data.frame.assign(rare=np.where(data.frame["who"] == 5, "yes", "no"))
    one.loc[one["x"] > one["x"].median(), "rare"] = "no"
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}
    sets = bm.ChoiceData.from_long(one, **roles, outside_option=True)
    words = r"fold \d .*no coefficient for them \('yes'\): the fold's persons alone have them"
    with pytest.raises(bm.SpecificationError, match=words):
        bm.cross_validate(bm.MixedLogit("x + C(rare)"), sets, folds=3, rng=1)


def test_a_method_without_a_seed_is_refused(data: bm.ChoiceData) -> None:
    with pytest.raises(bm.SpecificationError, match=r"method\(model, data, rng=seed\).*'rng'"):
        bm.cross_validate(LOGIT, data, folds=3, method=lambda model, sets: None)


def test_stacking_weights_are_a_maximum() -> None:
    rng = np.random.default_rng(1)
    scores, weights = rng.normal(-2, 0.7, (80, 3)), rng.uniform(0.5, 2, 80)
    found = stacking_weights(scores, weights)

    def lost(free: np.ndarray) -> float:
        share = np.exp(np.append(free, 0.0))
        return -float(weights @ np.log(np.exp(scores) @ (share / share.sum())))

    assert -float(weights @ np.log(np.exp(scores) @ found)) <= minimize(lost, [0, 0]).fun + 1e-6
    assert found.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("apart", [0.001, 0.01, 0.1, 1.0, 30.0])
def test_no_model_would_gain_by_a_larger_stacking_weight(apart: float) -> None:
    """The slopes of a concave function at its maximum, whether models hardly differ or much."""
    rng = np.random.default_rng(1)
    scores, weights = rng.normal(-60, apart, (300, 5)), rng.uniform(0.5, 2, 300)
    found = stacking_weights(scores, weights)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    slopes = weights / weights.sum() @ (p / (p @ found)[:, None])
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1.0)
    assert slopes.max() < 1 + 1e-3 * np.ptp(slopes) + 1e-8


def test_stacking_weights_that_are_none_are_0() -> None:
    """Searches stop short of 0, which would be printed as 3e-14."""
    scores = np.random.default_rng(0).normal(-1, 0.3, (200, 4)) - [0.0, 0.0, 0.4, 1.0]
    found = stacking_weights(scores, np.ones(200))
    assert found[2:].tolist() == [0.0, 0.0]
    assert found[:2].min() > 0.4


def test_digests_are_of_choices(data: bm.ChoiceData) -> None:
    other = data.chosen_row.copy()
    other[0] = -1 if other[0] >= 0 else 0
    apart = digests_of(data.with_choices(other)) != digests_of(data)
    assert apart.tolist() == [True] + [False] * 59
