"""Fits under constraints: what theory says of them, and of their tests against free models."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.evaluate import Likelihood
from tests.classical.constrained import AT, COLUMNS, GRID, LOGIT, MODEL, data, fit, held
from tests.simulated import simulated


def test_a_parameter_held_at_its_estimate_leaves_the_others_and_their_curvature():
    """The others' covariance is theirs given it: V11 - V12 V21 / V22, of the inverse curvature."""
    free = fit()
    for name in ("fixed[z]", "mean[x]", "sd[x]", "corr[x, y]"):
        under = held(**{name: free.params[name]})
        assert under.params[name] == pytest.approx(free.params[name], rel=1e-12)
        assert (abs(under.params - free.params) / free.std_errors).max() < 2e-3
        assert under.loglik == pytest.approx(free.loglik, abs=1e-6)
        v = free.covariance("hessian")
        expected = v - np.outer(v[name], v[name]) / v.loc[name, name]
        np.testing.assert_allclose(
            under.covariance("hessian"), expected, atol=2e-2 * np.diag(expected).max()
        )
        errors = np.sqrt(np.diag(under.covariance("hessian")) / np.diag(expected).clip(1e-300))
        np.testing.assert_allclose(errors[under.params.index != name], 1.0, rtol=1e-2)
        assert under.std_errors[name] == 0.0
        assert under.information.size == free.information.size - 1
        assert under.aic == pytest.approx(free.aic - 2.0, abs=1e-5)
        assert under.bic == pytest.approx(free.bic - np.log(200), abs=1e-5)


def test_what_is_held_is_said_to_be():
    under = held(**{"fixed[z]": 0.5, "sd[y]": 0.0})
    table, intervals = under.summary(), under.confidence_intervals()
    assert table["note"]["fixed[z]"] == table["note"]["sd[y]"] == "held"
    assert table["note"]["corr[x, y]"] == "none: a standard deviation is held at 0"
    assert (intervals.loc["fixed[z]"].iloc[:2] == 0.5).all()
    assert (intervals.loc["sd[y]"].iloc[:2] == 0.0).all()
    assert intervals["scale"]["sd[y]"] == "held"
    assert "3 parameters (fixed[z] = 0.5; sd[y] = 0)" in repr(under)
    assert under.std_errors.drop("corr[x, y]").notna().all()
    assert np.isnan(under.params["corr[x, y]"])
    assert np.isnan(under.std_errors["corr[x, y]"])


def test_a_standard_deviation_of_0_is_a_fixed_coefficient():
    """With the same estimates and standard errors."""
    under = held(**{"sd[y]": 0})
    plain = fit(bm.MixedLogit("x + y + z", random=bm.Normal("x")))
    names = {"fixed[y]": "mean[y]"}
    params, errors = (s.rename(names) for s in (plain.params, plain.std_errors))
    assert (abs(under.params[params.index] - params) / errors).max() < 1e-3
    np.testing.assert_allclose(under.std_errors[errors.index], errors, rtol=1e-4)
    assert under.loglik == pytest.approx(plain.loglik, abs=1e-6)


def test_a_correlation_of_0_is_independence():
    under = held(**{"corr[x, y]": 0})
    plain = fit(bm.MixedLogit("x + y + z", random=[bm.Normal("x"), bm.Normal("y")]))
    np.testing.assert_allclose(under.params[plain.params.index], plain.params, rtol=1e-6)
    np.testing.assert_allclose(under.std_errors[plain.params.index], plain.std_errors, rtol=1e-6)


@pytest.mark.parametrize("value", [-0.3, 0.7])
def test_a_correlation_is_held_with_its_sign(value):
    under = held(**{"corr[x, y]": value})
    assert under.params["corr[x, y]"] == pytest.approx(value, rel=1e-10)
    assert under.converged
    assert under.loglik < fit().loglik


def test_two_coefficients_that_are_equal_are_that_of_the_sum():
    model = bm.MixedLogit("x + y + z", random=bm.Normal("x"))
    tied = fit(model, equal=(("fixed[y]", "fixed[z]"),))
    summed = fit(bm.MixedLogit("x + {y + z}", random=bm.Normal("x")))
    assert tied.loglik == pytest.approx(summed.loglik, abs=1e-5)
    for name in ("fixed[y]", "fixed[z]"):
        assert tied.params[name] == pytest.approx(summed.params["fixed[y + z]"], rel=1e-4)
        assert tied.std_errors[name] == pytest.approx(summed.std_errors["fixed[y + z]"], rel=1e-4)
    assert tied.covariance().loc["fixed[y]", "fixed[z]"] == pytest.approx(
        tied.std_errors["fixed[y]"] ** 2
    )
    assert tied.summary()["note"]["fixed[y]"] == "equal to fixed[z]"
    assert tied.information.size == 3


def test_without_random_coefficients_too():
    """A multinomial logit under constraints is that of fewer columns, and of known utilities."""
    logit = bm.MixedLogit("x + y + z")
    out, without = fit(logit, fixed=(("fixed[z]", 0),)), fit(bm.MixedLogit("x + y"))
    assert out.loglik == pytest.approx(without.loglik, abs=1e-6)
    np.testing.assert_allclose(out.std_errors[without.params.index], without.std_errors, rtol=1e-4)
    frame = data().frame.assign(known=lambda f: 0.7 * f["z"])
    known = bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice", offset="known"
    )
    offset = bm.msle(bm.MixedLogit("x + y"), known)
    at = fit(logit, fixed=(("fixed[z]", 0.7),))
    assert at.loglik == pytest.approx(offset.loglik, abs=1e-6)
    np.testing.assert_allclose(at.params[:2], offset.params, rtol=1e-4)


def test_linear_constraints_are_a_change_of_columns():
    under = fit(
        bm.MixedLogit(
            "x + y + z", constraints=bm.Constraints(linear="fixed[x] + 2 * fixed[y] = 0.5")
        )
    )
    # fixed[x] = 0.5 - 2 fixed[y]: y - 2 x, and x half known.
    frame = data().frame.assign(known=lambda f: 0.5 * f["x"])
    known = bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice", offset="known"
    )
    other = bm.msle(bm.MixedLogit("{y - 2 * x} + z"), known)
    assert under.loglik == pytest.approx(other.loglik, abs=1e-6)
    assert under.params["fixed[y]"] == pytest.approx(other.params.iloc[0], abs=1e-5)
    assert under.std_errors["fixed[x]"] == pytest.approx(2 * other.std_errors.iloc[0], rel=1e-4)


@pytest.mark.parametrize("grid", [GRID, bm.centred(bm.sobol(64)), "auto"])
def test_where_all_is_held_the_log_likelihood_is_that_of_the_values(grid):
    under = bm.msle(MODEL, data(), fixed=AT, grid=grid, starts=1, rng=1)
    np.testing.assert_allclose(under.params, list(AT.values()), rtol=1e-15)
    assert (under.std_errors == 0).all()
    assert under.aic == under.bic == -2 * under.loglik
    exact = Likelihood(fit().problem, population_grid(GRID, 2, 200, 0)).check(fit().space.theta(AT))
    off = 1e-9 if grid is GRID else 0.2
    assert under.loglik == pytest.approx(exact[0].sum(), abs=off)
    assert "nothing was estimated" in under.message
    if grid is GRID:
        test = bm.lr_test(under, fit())
        assert test.distribution == "chi2(6)"
        assert test.statistic == pytest.approx(2 * (fit().loglik - exact[0].sum()), abs=1e-9)


def test_equal_shares_are_a_logit_of_zeros():
    zeros = fit(LOGIT, fixed=tuple((f"fixed[{name}]", 0.0) for name in COLUMNS))
    assert zeros.loglik == pytest.approx(-200 * 6 * np.log(3), abs=1e-9)


@pytest.mark.parametrize("verb", [bm.msm, bm.mss, bm.sample])
def test_others_refuse_to_estimate_nothing(verb):
    with pytest.raises(SpecificationError, match=f"leave .*{verb.__name__} nothing to estimate"):
        verb(MODEL, data(), fixed=AT)


# -- starts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": {"mean[w]": 0}}, r"'start' has 'mean\[w\]'.*it has"),
        ({"start": {"sd[x]": -1}}, "'start'.*negative"),
        ({"start": fit(bm.MixedLogit("{x * x}"))}, "'start' has no parameter in common with"),
        ({"start": {"mean[x]": "a"}}, "'start'.*must be a number"),
        ({"start": 3}, "argument 'start' must be values by flat name"),
        ({"start": {}, "starts": [{}]}, "give one list of starts"),
        ({"starts": []}, "a list of starts"),
        ({"fixed": {"fixed[w]": 0}}, r"'fixed' names 'fixed\[w\]'"),
        ({"equal": [("fixed[z]", "fixed[w]")]}, r"'equal' names 'fixed\[w\]'"),
    ],
)
def test_what_is_no_start_and_no_constraint_is_refused(options, words):
    with pytest.raises(SpecificationError, match=words):
        bm.msle(MODEL, data(), grid=GRID, rng=1, **options)


def test_arguments_and_the_models_own_are_one():
    own = replace(MODEL, constraints=bm.Constraints(fixed={"fixed[z]": 0.5}))
    both = bm.msle(own, data(), fixed={"corr[x, y]": 0}, grid=GRID, starts=1, rng=1)
    np.testing.assert_array_equal(both.params, held(**{"fixed[z]": 0.5, "corr[x, y]": 0}).params)
    with pytest.raises(SpecificationError, match=r"holds fixed\[z\] at 0.4, and the model at 0.5"):
        bm.msle(own, data(), fixed={"fixed[z]": 0.4}, grid=GRID)


# -- published -----------------------------------------------------------------------------------


def test_a_discrete_mixture_with_a_class_that_does_not_care_for_time(shared_data):
    """biogeme's discrete mixture of the Swissmetro cross-section: -5208.498, whichever class."""
    frame = shared_data("swissmetro")
    frame["alt"] = pd.Categorical(frame["alt"], ["SM", "TRAIN", "CAR"])
    cross = bm.ChoiceData.from_long(
        frame.assign(case=frame["id"] * 100 + frame["obs"]),
        person=None,
        situation="case",
        alternative="alt",
        chosen="choice",
        availability="avail",
    )
    model = bm.MixedLogit("C(alt) + tt + cost", random=bm.LatentClass("tt"))
    for number in (1, 2):
        name = f"fixed[tt, {number}]"
        found = bm.msle(model, cross, fixed={name: 0}, starts=1, rng=1)
        assert found.loglik == pytest.approx(-5208.498, abs=6e-4)
        assert found.params[name] == 0.0
        assert found.params[f"fixed[tt, {3 - number}]"] == pytest.approx(-2.798, abs=1e-3)
        assert abs(found.params["share[2]"]) == pytest.approx(1.0944, abs=1e-3)


def test_on_nodes_centred_on_persons_too():
    """The certificate has no shift of what is held, and finds the others within its noise."""
    name = "sd[x]"
    found = bm.msle(MODEL, data(), fixed={name: 0.6}, starts=2, rng=1)
    exact = held(**{name: 0.6})
    assert (abs(found.params - exact.params) / exact.std_errors.replace(0.0, 1.0)).max() < 0.1
    assert np.isnan(found.integration.shift["estimate"][name])
    assert found.integration.shift["estimate"].drop(name).notna().all()
    np.testing.assert_allclose(found.std_errors, exact.std_errors, rtol=0.1)


def test_the_sd_of_a_lognormal_law_is_that_of_its_index_held_or_not():
    model = bm.MixedLogit("x + y + z", random=[bm.LogNormal("x"), bm.Normal("y", mean="0")])
    free = fit(model)
    at = free.params["sd[x]"]
    same, other = fit(model, fixed=(("sd[x]", at),)), fit(model, fixed=(("sd[x]", 0.8326),))
    assert same.loglik == pytest.approx(free.loglik, abs=1e-6)
    assert (abs(same.params - free.params) / free.std_errors).max() < 1e-3
    assert other.params["sd[x]"] == pytest.approx(0.8326, rel=1e-12)
    assert other.loglik < free.loglik
    test = bm.lr_test(other, free)
    assert (test.distribution, test.null) == ("chi2(1)", "sd[x] = 0.8326")
    mean = other.summary()["estimate"]["implied mean[x]"]
    assert mean == pytest.approx(np.exp(other.params["mean[x]"] + 0.8326**2 / 2), rel=1e-9)


def test_searches_of_many_tastes_know_their_standard_errors_under_constraints_too():
    """They end at roots of posteriors' scores, in the directions that are free."""
    names = ("a", "b", "c", "d")
    model = bm.MixedLogit(" + ".join(names), random=bm.Normal(*names))
    truth = {f"mean[{name}]": 0.5 for name in names} | {f"sd[{name}]": 0.8 for name in names}
    panel = simulated(model, truth, 150, 8, columns=names)
    free = bm.msle(model, panel, starts=1, rng=1)
    at = free.params["mean[a]"]
    under = bm.msle(model, panel, fixed={"mean[a]": at}, starts=1, rng=2)
    others = free.params.index.drop("mean[a]")
    off = (under.params - free.params)[others] / free.std_errors[others]
    assert off.abs().max() < 0.1
    assert under.loglik == pytest.approx(free.loglik, abs=0.25)
    checked = under.integration.std_errors
    assert checked.loc[others].notna().all(axis=None)
    assert checked.loc["mean[a]"].isna().all()
    assert under.integration.std_error < 0.02
    tied = bm.msle(model, panel, equal=[("mean[a]", "mean[b]")], starts=1, rng=1)
    assert tied.params["mean[a]"] == pytest.approx(tied.params["mean[b]"], rel=1e-12)
    assert tied.integration.std_error < 0.02
    wald = bm.wald_test(free, "mean[a] = mean[b]")
    ratio = bm.lr_test(tied, free)
    assert ratio.statistic == pytest.approx(wald.statistic, abs=0.3)
