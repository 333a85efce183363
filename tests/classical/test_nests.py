"""Nested logits under mixing: published estimates, differences, recovery, and what refuses."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.fit import Fit
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from tests.simulated import attributes, choice_data, simulated

NESTS = bm.Nests({"low": [0, 1], "high": [2, 3]})
MODEL = bm.MixedLogit("C(alt) + x + y", bm.Normal("x"), nests=NESTS)
TRUTH = {
    "mean[x]": 1.0,
    "sd[x]": 0.8,
    "fixed[alt[1]]": 0.3,
    "fixed[alt[2]]": -0.2,
    "fixed[alt[3]]": 0.1,
    "fixed[y]": -0.7,
    "nest[low]": 0.4,
    "nest[high]": 0.7,
}


@pytest.fixture(scope="module")
def data():
    return simulated(MODEL, TRUTH, 400, 6, seed=3, alternatives=4)


@pytest.fixture(scope="module")
def fit(data):
    return bm.msle(MODEL, data, starts=1, rng=1)


@pytest.fixture(scope="module")
def swissmetro(shared_data):
    """The cross-section of the published fit, with the Swissmetro as the base of the constants."""
    frame = shared_data("swissmetro")
    frame["alt"] = pd.Categorical(frame["alt"], ["SM", "TRAIN", "CAR"])
    return bm.ChoiceData.from_long(
        frame.assign(case=frame["id"] * 100 + frame["obs"]),
        person=None,
        situation="case",
        alternative="alt",
        chosen="choice",
        availability="avail",
    )


@pytest.fixture(scope="module")
def published(shared_file):
    records = json.loads(shared_file("swissmetro", "refs.json").read_text())
    return next(record for record in records if record["id"] == "biogeme_b09_nested")


EXISTING = bm.MixedLogit("C(alt) + tt + cost", nests=bm.Nests({"existing": ["TRAIN", "CAR"]}))
NAMES = {
    "asc_train": "fixed[alt[TRAIN]]",
    "asc_car": "fixed[alt[CAR]]",
    "b_time": "fixed[tt]",
    "b_cost": "fixed[cost]",
}


def test_the_published_log_likelihood_at_the_published_estimates(swissmetro, published):
    """The optimiser of biogeme stopped 1.6e-6 nats below the maximum, and so at other digits."""
    coef = published["coef"]
    params = {name: coef[own] for own, name in NAMES.items()}
    params |= {"nest[existing]": 1.0 / coef["nest_parameter"]}
    problem = bind(EXISTING, swissmetro)
    theta = problem.parameters.theta(params)
    grid = population_grid(bm.sobol(1), 0, problem.n_persons, 0)
    logp, _ = Likelihood(problem, grid).by_person(theta)
    assert logp.sum() == pytest.approx(published["loglik"], abs=1e-8)


def test_the_published_maximum_and_standard_errors(swissmetro, published):
    fit = bm.msle(EXISTING, swissmetro, starts=1, rng=1)
    assert fit.loglik == pytest.approx(published["loglik"], abs=5e-6)
    assert fit.loglik > published["loglik"]
    scale = fit.params["nest[existing]"]
    assert scale == pytest.approx(1.0 / published["coef"]["nest_parameter"], abs=2e-4)
    for kind, key in (("hessian", "se"), ("robust", "se_robust")):
        errors = fit.covariance(kind)
        errors = pd.Series(np.sqrt(np.diag(errors)), index=fit.params.index)
        for own, name in NAMES.items():
            assert fit.params[name] == pytest.approx(published["coef"][own], abs=1e-4)
            assert errors[name] == pytest.approx(published[key][own], rel=1e-3)
        # Of the inverse of the coefficient, by the delta method.
        inverse = errors["nest[existing]"] / scale**2
        assert inverse == pytest.approx(published[key]["nest_parameter"], rel=1e-3)


@pytest.mark.parametrize("rule", [bm.sobol(32), bm.centred(bm.sobol(32))], ids=str)
@pytest.mark.parametrize("wtp", [None, "y"])
def test_gradients_are_those_of_differences(data, rule, wtp):
    from bayesmix.centring.grids import centre

    model = bm.MixedLogit(MODEL.formula, bm.Normal("x"), nests=NESTS, wtp=wtp)
    problem = bind(model, data)
    theta = problem.parameters.theta(TRUTH)
    if isinstance(rule, type(bm.sobol(1))):
        grid = population_grid(rule, 1, problem.n_persons, 0)
    else:
        grid = centre(problem, rule, theta, 0)
    likelihood = Likelihood(problem, grid)
    theta = theta + 0.1
    _, gradient = likelihood.value_and_gradient(theta)
    for p, own in enumerate(gradient):
        step = 1e-5 * np.eye(len(theta))[p]
        up, down = (likelihood.value_and_gradient(theta + h)[0] for h in (step, -step))
        assert own == pytest.approx((up - down) / 2e-5, abs=2e-5)


def test_estimates_are_near_the_truth(fit):
    off = (fit.params - pd.Series(TRUTH)) / fit.std_errors
    assert np.abs(off).max() < 3.0
    assert (fit.std_errors[["nest[low]", "nest[high]"]] < 0.1).all()
    assert fit.integration.within(0.5, 0.05)
    assert "nests     low: 0, 1; high: 2, 3" in str(fit.model)
    assert fit.model.kind == "mixed nested logit"


def test_a_coefficient_of_one_is_the_logit(data):
    held = {"nest[low]": 1.0, "nest[high]": 1.0}
    nested = bm.msle(MODEL, data, fixed=held, grid=bm.gauss_hermite(15), starts=1, rng=1)
    plain = bm.MixedLogit(MODEL.formula, bm.Normal("x"))
    plain = bm.msle(plain, data, grid=bm.gauss_hermite(15), starts=1, rng=1)
    assert nested.loglik == pytest.approx(plain.loglik, abs=1e-8)
    same = plain.params.index
    np.testing.assert_allclose(nested.params[same], plain.params, atol=1e-5)
    np.testing.assert_allclose(nested.std_errors[same], plain.std_errors, rtol=1e-3)


def test_a_coefficient_that_would_be_above_one_is_held_there(tmp_path):
    """Choices of a logit whose nests are no nests: half of such samples want more than 1."""
    own = bm.MixedLogit("x + y", nests=bm.Nests({"low": [0, 1]}))
    truth = {"fixed[x]": 1.0, "fixed[y]": -1.0, "nest[low]": 1.3}
    data = simulated(own, truth, 400, 3, seed=5)
    fit = bm.msle(own, data, starts=1)
    assert fit.params["nest[low]"] == 1.0
    assert "nest[low] at its bound 1" in fit.message
    free = bm.Constraints(bounds={"nest[low]": (0.0, 5.0)})
    above = bm.msle(bm.MixedLogit("x + y", nests=own.nests, constraints=free), data, starts=1)
    assert 1.0 < above.params["nest[low]"] < 1.3 + 3 * above.std_errors["nest[low]"]
    assert above.loglik > fit.loglik
    # It was estimated all the same, and is one of the parameters of criteria and of files.
    assert fit.n_parameters == above.n_parameters == 3
    assert fit.aic == 6.0 - 2.0 * fit.loglik
    assert fit.summary()["note"]["nest[low]"] == "at its bound"
    fit.save(tmp_path / "fit.json")
    assert Fit.load(tmp_path / "fit.json", data).aic == fit.aic
    held = bm.msle(own, data, fixed={"nest[low]": 1}, starts=1)
    assert held.n_parameters == 2
    assert held.summary()["note"]["nest[low]"] == "held"
    # Ends of intervals keep bounds: that of the free fit is beyond 2.
    near = bm.Constraints(bounds={"nest[low]": (0.0, 1.5)})
    cut = bm.msle(bm.MixedLogit("x + y", nests=own.nests, constraints=near), data, starts=1)
    assert above.confidence_intervals()["97.5 %"]["nest[low]"] > 1.5
    ends = cut.confidence_intervals().loc["nest[low]"]
    assert ends["97.5 %"] == cut.summary()["97.5 %"]["nest[low]"] == 1.5
    assert ends["scale"] == "log, high cut at the bound 1.5"


def test_coefficients_are_held_and_tied(data):
    tied = bm.msle(MODEL, data, equal=[("nest[low]", "nest[high]")], grid=bm.sobol(20), starts=1)
    assert tied.params["nest[low]"] == pytest.approx(tied.params["nest[high]"], abs=1e-12)
    held = bm.msle(MODEL, data, fixed={"nest[low]": 0.5}, grid=bm.sobol(20), starts=1)
    assert held.params["nest[low]"] == pytest.approx(0.5, abs=1e-12)
    assert held.std_errors["nest[low]"] == 0.0
    with pytest.raises(SpecificationError, match=r"nest\[low\] is to be held at -1"):
        bm.msle(MODEL, data, fixed={"nest[low]": -1})


def test_fits_come_back_from_files(fit, data, tmp_path):
    fit.save(tmp_path / "fit")
    back = Fit.load(tmp_path / "fit", data)
    assert back.model == fit.model
    pd.testing.assert_series_equal(back.params, fit.params)
    np.testing.assert_allclose(
        bm.predict(back, data, draws=2, rng=1)["probability"],
        bm.predict(fit, data, draws=2, rng=1)["probability"],
    )


def test_labels_of_an_array_are_known_in_a_file():
    labels = np.unique([3, 2, 1])
    nests = bm.Nests({"a": list(labels[:2]), "b": {labels[2]: 0.5, 0: 1.0}, "c": {3: 0.5, 4: 1}})
    back = bm.Nests.from_record(json.loads(json.dumps(nests.record())))
    assert back == nests
    assert [label for _, own in back.members for label, _ in own] == [1, 2, 3, 0, 3, 4]


def test_choices_are_drawn_by_their_probabilities():
    own = bm.MixedLogit("x", nests=bm.Nests({"low": [0, 1], "out": [2, "outside"]}))
    params = {"fixed[x]": 1.0, "nest[low]": 0.3, "nest[out]": 0.6}
    frame = attributes(np.random.default_rng(0), 1, 1)
    many = pd.concat([frame.assign(who=i, task=i) for i in range(4000)])
    data = choice_data(many, outside_option=True)
    drawn = bm.simulate_choices(own, params, data, rng=2)
    v = frame["x"].to_numpy()
    low = np.exp(v[:2] / 0.3)
    out = np.exp(np.append(v[2], 0.0) / 0.6)
    of_nests = np.array([low.sum() ** 0.3, out.sum() ** 0.6])
    of_nests /= of_nests.sum()
    expected = np.concatenate([of_nests[0] * low / low.sum(), of_nests[1] * out / out.sum()])
    chosen = np.where(drawn.chosen_row < 0, 3, drawn.alternative_code[drawn.chosen_row])
    share = np.bincount(chosen, minlength=4) / 4000
    assert (np.abs(share - expected) < 3 * np.sqrt(expected * (1 - expected) / 4000)).all()


def test_what_does_not_know_nests_says_so(data, fit):
    one = bm.MixedLogit("x + y", nests=NESTS)
    for call in (
        lambda: bm.msm(MODEL, data),
        lambda: bm.mss(MODEL, data),
        lambda: bm.mss(MODEL, data, method="importance"),
        lambda: bm.sample(MODEL, data),
        lambda: bm.pymc_model(MODEL, data),
        lambda: bm.priors(MODEL, data),
        lambda: bm.prior_predictive(MODEL, data, draws=2),
        lambda: bm.nonparametric(one, data, bm.Types({"x": [0.0, 1.0]})),
        lambda: bm.MixedLogit("x", bm.LatentClass("x"), nests=NESTS),
        lambda: bm.MixedLogit("x", scale="who", nests=NESTS),
        lambda: bm.marginal_consumers(fit, data, "quality"),
        lambda: bm.person_draws(fit, data, rng=1),
        lambda: bm.wald_test(fit, "nest[low] = 1"),
        lambda: bm.msle(one, data, market_shares={0: 0.2, 1: 0.3, 2: 0.2, 3: 0.3}),
    ):
        with pytest.raises(SpecificationError, match="nests="):
            call()
    ranks = data.frame.assign(rank=data.frame.groupby("task")["x"].rank(ascending=False))
    ranks = bm.ChoiceData.from_long(
        ranks.drop(columns="choice"),
        person="who",
        situation="task",
        alternative="alt",
        ranked="rank",
    )
    with pytest.raises(DataError, match="rankings"):
        bm.msle(one, ranks)


def test_without_the_bound_one_is_tested_as_any_value(data):
    nests = bm.Nests({"low": [0, 1], "high": [2, 3]}, bounded=False)
    model = bm.MixedLogit("x + y", nests=nests)
    free = bm.msle(model, data, starts=1)
    held = bm.msle(model, data, fixed={"nest[low]": 1}, starts=1)
    ratio = bm.lr_test(held, free)
    assert ratio.distribution == "chi2(1)"
    assert ratio.statistic == pytest.approx(2 * (free.loglik - held.loglik))
    wald = bm.wald_test(free, "nest[low] = 1")
    scale, error = free.params["nest[low]"], free.std_errors["nest[low]"]
    assert wald.statistic == pytest.approx(((scale - 1) / error) ** 2)
    # On the scale of its interval, that of logarithms.
    assert free.summary()["z"]["nest[low]"] == pytest.approx(np.log(scale) * scale / error)
    bounded = bm.MixedLogit("x + y", nests=NESTS)
    one = bm.msle(bounded, data, fixed={"nest[low]": 1}, starts=1)
    with pytest.raises(SpecificationError, match="at a bound"):
        bm.lr_test(one, bm.msle(bounded, data, starts=1))
    plain = bm.msle(bm.MixedLogit("x + y"), data)
    with pytest.raises(SpecificationError, match=r"bm.Nests\(..., bounded=False\)"):
        bm.lr_test(plain, bm.msle(bounded, data, starts=1))
    assert bm.lr_test(plain, free).distribution == "chi2(2)"
