"""Fits with latent classes: recovery, reports, storage, what is refused or said in words."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.latent_class import class_words
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.simulate import draw_coefficients
from tests.simulated import attributes, choice_data, simulated

MODEL = bm.MixedLogit("x + y", bm.LatentClass("x", "y", share="1 + age"))
AT = {
    "fixed[x, 1]": -1.0,
    "fixed[x, 2]": -0.2,
    "fixed[y, 1]": 0.5,
    "fixed[y, 2]": -1.2,
    "share[2]": -0.5,
    "share[2, age]": 1.0,
}
MIXED = bm.MixedLogit("x + y + w", [bm.LatentClass("x", bm.Normal("y")), bm.Normal("w")])
MIXED_AT = {
    "fixed[x, 1]": -1.2, "fixed[x, 2]": 1.0, "mean[y, 1]": 0.8, "mean[y, 2]": -0.8,
    "sd[y, 1]": 0.5, "sd[y, 2]": 1.0, "mean[w]": 0.5, "sd[w]": 0.8, "share[2]": -0.5,
}  # fmt: skip


@cache
def data():
    rng = np.random.default_rng(5)
    frame = attributes(rng, 400, 6)
    frame["age"] = rng.normal(size=400)[frame["who"]]
    frame["town"] = frame["who"] // 4
    return bm.simulate_choices(MODEL, AT, choice_data(frame), rng)


@cache
def fit():
    return bm.msle(MODEL, data(), rng=1)


@cache
def mixed():
    people = simulated(MIXED, MIXED_AT, 250, 8, seed=4, columns=("x", "y", "w"))
    return people, bm.msle(MIXED, people, grid=bm.centred(bm.sobol(32)), starts=1, rng=1)


def test_parameters_are_recovered():
    error = (fit().params - pd.Series(AT)) / fit().std_errors
    assert error.abs().max() < 3
    assert fit().loglik > fit().loglik_multinomial + 50


def test_mixtures_of_normals_are_recovered():
    _, found = mixed()
    error = (found.params - pd.Series(MIXED_AT)) / found.std_errors
    assert error.abs().max() < 3
    assert abs(found.integration.error) < 2
    assert found.integration.pareto_k.max() < 0.7


def test_moments_over_all_classes_are_those_of_people_drawn():
    _, found = mixed()
    draws = [
        draw_coefficients(found.problem, found.theta, np.random.default_rng(r)) for r in range(80)
    ]
    y = np.concatenate(draws)[:, list(found.problem.parameters.random).index("y")]
    table = found.summary()
    error = y.std() / len(y) ** 0.5
    assert table["estimate"]["implied mean[y]"] == pytest.approx(y.mean(), abs=4 * error)
    assert table["estimate"]["implied sd[y]"] == pytest.approx(y.std(), rel=0.02)
    assert table["estimate"]["share positive[y]"] == pytest.approx((y > 0).mean(), abs=0.01)
    assert 0 < table["std error"]["implied mean[y]"] < table["std error"]["mean[y, 2]"]


def test_classes_are_in_the_order_of_their_shares():
    shares = fit().summary().filter(like="class share", axis=0)
    assert shares["estimate"].is_monotonic_decreasing
    assert shares["estimate"].sum() == pytest.approx(1.0, abs=1e-12)
    assert (shares["2.5 %"] > 0).all()
    assert (shares["97.5 %"] < 1).all()
    age = data().frame["age"].to_numpy()[data().situation_start[data().person_start[:-1]]]
    index = fit().params["share[2]"] + fit().params["share[2, age]"] * age
    assert shares["estimate"].iloc[1] == pytest.approx((1 / (1 + np.exp(-index))).mean(), abs=1e-10)


def test_the_certificate_of_points_is_0_and_says_so():
    assert fit().integration.error == 0
    assert (fit().integration.shift == 0).all(axis=None)
    assert "integration error 0: each class is a point" in fit().headline()
    assert "4 of 4 starts reached the best log-likelihood" in fit().headline()
    assert "latent class logit" in fit().headline()


@pytest.mark.parametrize("which", ["points", "mixed"])
def test_fits_come_back_from_disk(tmp_path, which):
    people, found = (data(), fit()) if which == "points" else mixed()
    found.save(tmp_path / "fit.json")
    again = bm.Fit.load(tmp_path / "fit.json", people)
    pd.testing.assert_series_equal(again.params, found.params)
    pd.testing.assert_series_equal(again.std_errors, found.std_errors)
    assert str(again.integration) == str(found.integration)


def test_errors_by_cluster_tests_and_tables():
    clustered = fit().clustered(data(), "town")
    assert (clustered.std_errors > 0).all()
    assert bm.wald_test(fit(), "fixed[x, 1] = fixed[x, 2]").p_value < 0.01
    assert "class share" in fit().to_latex()
    logit = bm.msle(bm.MixedLogit("x + y"), data())
    assert fit().bic < logit.bic
    with pytest.raises(SpecificationError, match="compare aic and bic"):
        bm.lr_test(logit, fit())
    without = bm.msle(bm.MixedLogit("x + y", bm.LatentClass("x", "y")), data(), starts=1, rng=1)
    assert bm.lr_test(without, fit()).p_value < 1e-6


def test_predictions_are_mixtures_over_classes():
    found = fit().predict()
    assert found.groupby("situation")["probability"].sum().to_numpy() == pytest.approx(1.0)
    p = fit().params
    rows = data().frame.iloc[:3]
    index = p["share[2]"] + p["share[2, age]"] * rows["age"].iloc[0]
    pi = np.array([1.0, np.exp(index)]) / (1 + np.exp(index))
    expected = np.zeros(3)
    for c in (1, 2):
        v = np.exp(p[f"fixed[x, {c}]"] * rows["x"] + p[f"fixed[y, {c}]"] * rows["y"]).to_numpy()
        expected += pi[c - 1] * v / v.sum()
    np.testing.assert_allclose(found["probability"].to_numpy()[:3], expected, atol=1e-12)


def test_class_probabilities_solve_the_equations_of_the_shares():
    """At the maximum the probabilities given the choices and the shares agree on average."""
    found = bm.class_probabilities(fit(), data(), draws=2, rng=1)
    gap = (found["estimate"] - found["prior"]).sel({"class": 2}).to_numpy()
    age = data().frame["age"].to_numpy()[data().situation_start[data().person_start[:-1]]]
    np.testing.assert_allclose([gap.sum(), gap @ age], 0.0, atol=1e-2)
    assert np.abs(gap).max() > 0.3


def test_odd_classes_are_named():
    problem = bind(MODEL, data())
    same = problem.parameters.theta(AT | {"fixed[x, 2]": -1.0, "fixed[y, 2]": 0.5})
    assert class_words(problem, same) == "classes 1 and 2 are the same: leave LatentClass out"
    gone = problem.parameters.theta(AT | {"share[2]": -30.0})
    assert "class 2 has died out" in class_words(problem, gone)
    far = problem.parameters.theta(AT | {"fixed[x, 2]": -300.0})
    assert class_words(problem, far).startswith("coefficients of class 2 are beyond all bounds")
    assert class_words(problem, fit().theta) == ""


def test_a_class_too_many_is_said_in_words():
    logit = {"fixed[x]": -1.0, "fixed[y]": 0.5}
    people = simulated(bm.MixedLogit("x + y"), logit, 200, 5, seed=3)
    found = bm.msle(bm.MixedLogit("x + y", bm.LatentClass("x", "y", classes=3)), people, rng=1)
    assert "class 3 has died out" in found.message
    assert found.std_errors.isna().all()
    assert len(found.summary()) == found.space.size + 3


def test_other_estimators_and_too_many_classes_are_refused():
    for estimator in (bm.msm, bm.mss):
        with pytest.raises(SpecificationError, match="use msle"):
            estimator(MODEL, data())
    few = simulated(bm.MixedLogit("x + y"), {"fixed[x]": 1, "fixed[y]": 1}, 8, 3)
    with pytest.raises(SpecificationError, match="use fewer classes"):
        bm.msle(bm.MixedLogit("x + y", bm.LatentClass("x", "y", classes=3)), few)
    with pytest.raises(SpecificationError, match="in 2 classes, and the model has 1"):
        bm.msle(
            bm.MixedLogit("x + y + w", [bm.Normal("y"), bm.Normal("w")]),
            mixed()[0],
            grid=mixed()[1].grid,
        )


def test_check_knows_classes():
    assert bm.check(MODEL, data()).ok


@pytest.mark.parametrize(
    "random",
    [
        [bm.LatentClass("x", bm.Normal("y"))],
        [bm.LatentClass("x"), bm.Normal("y")],
        [bm.LatentClass(bm.LKJNormal("x", "y"))],
    ],
    ids=["inside", "outside", "correlated"],
)
def test_check_knows_laws_beside_classes(random):
    found = bm.check(bm.MixedLogit("x + y", random), data())
    assert "error" not in set(found.table["severity"])


@cache
def classes(*laws, formula="x + y"):
    return bm.msle(bm.MixedLogit(formula, laws), data(), starts=1, rng=1)


AGED = bm.LatentClass("x", share="1 + age")


def test_what_varies_outside_the_classes_has_the_ordinary_law():
    test = bm.lr_test(classes(AGED), classes(AGED, bm.Normal("y")))
    assert test.distribution == "1/2 chi2(0) + 1/2 chi2(1)"
    assert test.null == "sd[y] = 0"
    gain = classes(AGED, bm.Normal("y")).loglik - classes(AGED).loglik
    assert test.statistic == pytest.approx(max(0.0, 2 * gain))
    plain = bm.lr_test(classes(bm.LatentClass("x")), classes(AGED))
    assert (plain.null, plain.df) == ("share[2, age] = 0", 1)


@pytest.mark.parametrize(
    ("restricted", "full", "words"),
    [
        ((AGED,), (bm.LatentClass("x", bm.Normal("y")),), "whether 'y' varies within latent"),
        ((AGED,), (bm.LatentClass(bm.Normal("x")),), "whether 'x' varies within latent"),
        ((AGED,), (bm.LatentClass("x", "y"),), r"'fixed\[y, 1\] = fixed\[y, 2\]'"),
        ((bm.LatentClass("x", "y"),), (AGED,), "'y' differs between classes in the first alone"),
        ((), (AGED,), "1 and 2 latent classes, and their number has no likelihood ratio law"),
        ((AGED,), (bm.LatentClass("x", classes=3),), "2 and 3 latent classes"),
    ],
)
def test_other_classes_are_refused_for_what_they_are(restricted, full, words):
    small, large = (
        replace(classes(AGED), model=bm.MixedLogit("x + y", random))
        for random in (restricted, full)
    )
    with pytest.raises(bm.SpecificationError, match=words):
        bm.lr_test(small, large)
