"""Fits under constraints: what theory says of them, and of their tests against free models."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.bounds import _pulled_inwards
from bayesmix.classical.resampling import make_job, weighted
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.evaluate import Likelihood
from tests.simulated import simulated

GRID = bm.gauss_hermite(9)
COLUMNS = ("x", "y", "z")
MODEL = bm.MixedLogit("x + y + z", random=[bm.Correlated(bm.Normal("x"), bm.Normal("y"))])
AT = {
    "mean[x]": 0.6,
    "mean[y]": -0.4,
    "sd[x]": 0.8,
    "sd[y]": 0.7,
    "corr[x, y]": 0.4,
    "fixed[z]": 0.5,
}


@cache
def data():
    return simulated(MODEL, AT, 200, 6, columns=COLUMNS)


@cache
def fit(model=MODEL, fixed=(), equal=()):
    return bm.msle(model, data(), fixed=dict(fixed), equal=list(equal), grid=GRID, starts=1, rng=1)


def held(**fixed):
    return fit(fixed=tuple(fixed.items()))


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


def test_bounds_hold_what_would_cross_them():
    free = fit()
    bounds = {"fixed[z]": (None, 0.2), "mean[x]": (-5, 5)}
    model = replace(MODEL, constraints=bm.Constraints(bounds=bounds))
    bounded, at = fit(model), held(**{"fixed[z]": 0.2})
    assert free.params["fixed[z]"] > 0.2
    np.testing.assert_allclose(bounded.params, at.params, rtol=1e-4)
    assert "Held: fixed[z] at its bound 0.2" in bounded.message
    inside = fit(replace(MODEL, constraints=bm.Constraints(bounds={"mean[x]": (-5, 5)})))
    np.testing.assert_array_equal(inside.params, free.params)


LOGIT = bm.MixedLogit("x + y + z")


def best_of_active_sets(constraints):
    """Among fits with bounds held in every possible way, the best that keeps all: an oracle."""
    found = []
    ends = [[None, low, high] for _, low, high in constraints.bounds]
    for at in product(*ends):
        names = [name for name, _, _ in constraints.bounds]
        fixed = {n: v for n, v in zip(names, at, strict=True) if v is not None and abs(v) < np.inf}
        under = bm.Constraints(fixed, constraints.equal, constraints.linear)
        try:
            one = fit(replace(LOGIT, constraints=under))
        except SpecificationError:
            continue
        if all(low <= one.params[n] <= high for n, low, high in constraints.bounds):
            found.append(one)
    return max(found, key=lambda one: one.loglik)


@pytest.mark.parametrize(
    "given",
    [
        # Both cross, and only one can be held: the tie leaves the other below its own bound.
        {
            "equal": [("fixed[x]", "fixed[z]")],
            "bounds": {"fixed[x]": (None, 0.3), "fixed[z]": (None, 0.1)},
        },
        {
            "equal": [("fixed[x]", "fixed[z]")],
            "bounds": {"fixed[x]": (None, 0.1), "fixed[z]": (None, 0.3)},
        },
        {
            "linear": "fixed[x] + fixed[y] + fixed[z] = 0.2",
            "bounds": {"fixed[x]": (None, 0.25), "fixed[y]": (-0.2, None), "fixed[z]": (None, 0.2)},
        },
        # Held first, and let go when another is held.
        {
            "linear": "fixed[x] - 2 * fixed[z] = 0.1",
            "bounds": {"fixed[x]": (None, 0.5), "fixed[z]": (0.05, 0.1), "fixed[y]": (-0.1, 0)},
        },
        {"bounds": {"fixed[x]": (0.9, 1), "fixed[y]": (None, -0.8), "fixed[z]": (0, 0.4)}},
    ],
)
def test_bounds_beside_ties_hold_what_the_best_of_all_sets_holds(given):
    constraints = bm.Constraints(**given)
    bounded, best = fit(replace(LOGIT, constraints=constraints)), best_of_active_sets(constraints)
    assert bounded.loglik == pytest.approx(best.loglik, abs=1e-7)
    np.testing.assert_allclose(bounded.params, best.params, rtol=1e-5, atol=1e-7)
    assert "Held: " in bounded.message


def test_a_multiplier_says_whether_a_bound_is_still_needed():
    """Held beyond the free estimate it is, held short of it the log-likelihood rises inwards."""
    free = fit(LOGIT)
    for name in ("fixed[x]", "fixed[y]"):
        value, error = free.params[name], free.std_errors[name]
        for side, ends in ((1, (-5, None)), (-1, (None, 5))):
            short, beyond = value - side * error, value + side * error
            for at, expected in ((short, name), (beyond, None)):
                bounds = {name: tuple(at if end is not None else None for end in ends)}
                model = replace(LOGIT, constraints=bm.Constraints(bounds=bounds))
                held_there = fit(LOGIT, fixed=((name, float(at)),))
                assert _pulled_inwards(model, held_there, {name: float(at)}) == expected


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {
                "linear": "fixed[x] + fixed[z] = 1",
                "bounds": {"fixed[x]": (None, 0), "fixed[z]": (None, 0)},
            },
            "no values keep all of .*bounds contradict",
        ),
        (
            {
                "fixed": {"fixed[x]": 1},
                "equal": [("fixed[x]", "fixed[y]")],
                "bounds": {"fixed[y]": (2, 3)},
            },
            "no values keep",
        ),
        ({"bounds": {"sd[x]": (None, -1)}}, "no standard deviation is negative"),
    ],
)
def test_bounds_that_nothing_keeps_are_refused(given, words):
    model = MODEL if "sd[x]" in str(given) else LOGIT
    with pytest.raises(SpecificationError, match=words):
        fit(replace(model, constraints=bm.Constraints(**given)))


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


# -- tests of what is held -----------------------------------------------------------------------


def test_a_ratio_of_a_held_fit_is_that_of_the_refitted_model():
    free = fit(bm.MixedLogit("x + y + z", random=[bm.Normal("x"), bm.Normal("y")]))
    still = fit(free.model, fixed=(("sd[y]", 0.0),))
    refit = fit(bm.MixedLogit("x + y + z", random=bm.Normal("x")))
    ours, theirs = bm.lr_test(still, free), bm.lr_test(refit, free)
    assert ours.distribution == theirs.distribution == "1/2 chi2(0) + 1/2 chi2(1)"
    assert ours.statistic == pytest.approx(theirs.statistic, abs=1e-5)
    assert ours.null == "sd[y] = 0"


@pytest.mark.parametrize(
    ("fixed", "law"),
    [
        ({"fixed[z]": 0.5}, "chi2(1)"),
        ({"corr[x, y]": 0.2, "fixed[z]": 0.5}, "chi2(2)"),
        ({"sd[y]": 0}, "1/2 chi2(1) + 1/2 chi2(2)"),
        ({"sd[y]": 0, "fixed[z]": 0.5}, "1/2 chi2(2) + 1/2 chi2(3)"),
    ],
)
def test_laws_of_ratios(fixed, law):
    test = bm.lr_test(held(**fixed), fit())
    assert test.distribution == law
    assert test.null == ", ".join(f"{name} = {value:g}" for name, value in fixed.items())


def test_a_standard_deviation_of_0_in_words_is_held_as_by_its_name():
    words = fit(replace(MODEL, constraints=bm.Constraints(linear="sd[y] = 0")))
    named = held(**{"sd[y]": 0})
    np.testing.assert_array_equal(words.params, named.params)
    assert words.aic == named.aic
    ours, theirs = (bm.lr_test(one, fit()) for one in (words, named))
    assert (ours.statistic, ours.p_value) == (theirs.statistic, theirs.p_value)
    assert ours.distribution == theirs.distribution == "1/2 chi2(1) + 1/2 chi2(2)"
    assert ours.null == theirs.null == "sd[y] = 0"


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({"fixed[z]": (None, 0.9)}, None),
        ({"fixed[z]": (0.5, None)}, r"fixed\[z\] = 0.5 under the null is at a bound"),
        ({"fixed[z]": (None, 0.5)}, "the same parameters"),
        ({"fixed[z]": (0.52, None)}, "not nested in the second.* the second bounds it"),
    ],
)
def test_a_null_at_a_bound_of_the_full_fit_has_no_known_law(bounds, words):
    """Though the restricted model is written without the bound."""
    restricted = held(**{"fixed[z]": 0.5})
    full = fit(replace(MODEL, constraints=bm.Constraints(bounds=bounds)))
    if words is None:
        assert bm.lr_test(restricted, full).distribution == "chi2(1)"
        return
    with pytest.raises(SpecificationError, match=words):
        bm.lr_test(restricted, full)


def test_several_standard_deviations_of_0_are_at_the_corner_of_a_cone():
    free = fit()
    none = held(**{"sd[x]": 0, "sd[y]": 0})
    test, refit = bm.lr_test(none, free), bm.lr_test(fit(bm.MixedLogit("x + y + z")), free)
    assert "dimension 3 onto the cone" in test.distribution
    assert test.statistic == pytest.approx(refit.statistic, abs=1e-5)
    np.testing.assert_allclose(test.law.sf(2.0), refit.law.sf(2.0), rtol=0.02)


def test_fits_that_are_not_nested_are_refused():
    one, other = held(**{"fixed[z]": 0.5}), held(**{"corr[x, y]": 0.2})
    for restricted, full, words in (
        (fit(), one, "does not hold and tie all"),
        (one, other, "does not hold and tie all"),
        (one, one, "the same parameters"),
        (one, fit(bm.MixedLogit("x + y + z", random=bm.Normal("x"))), "different models"),
    ):
        with pytest.raises(SpecificationError, match=words):
            bm.lr_test(restricted, full)


# -- what uses fits ------------------------------------------------------------------------------


def test_functions_do_not_move_with_what_is_held():
    under = held(**{"fixed[z]": 0.5})
    table = under.delta(lambda b: {"a": b["fixed[z]"] ** 2, "b": b["mean[x]"] / b["fixed[z]"]})
    assert table["std error"]["a"] == 0.0
    expected = under.std_errors["mean[x]"] / 0.5
    assert table["std error"]["b"] == pytest.approx(expected, rel=1e-6)


def test_a_stored_fit_keeps_what_it_holds(tmp_path):
    under = held(**{"fixed[z]": 0.5, "sd[y]": 0.0})
    under.save(tmp_path / "fit.json")
    again = bm.Fit.load(tmp_path / "fit.json", data())
    pd.testing.assert_frame_equal(again.covariance(), under.covariance())
    pd.testing.assert_series_equal(again.params, under.params)
    assert again.model == under.model
    assert again.aic == under.aic


def test_the_bootstrap_holds_it_too():
    under = held(**{"fixed[z]": 0.5})
    found = bm.bootstrap(under, data(), 8, rng=1, processes=1)
    assert (found.params["fixed[z]"] == 0.5).all()
    assert found.params["mean[x]"].std() > 0.02
    assert found.std_errors["fixed[z]"] == 0.0
    assert found.summary()["note"]["fixed[z]"] == "held"


def test_what_is_held_at_0_has_a_standard_error_of_0():
    fixed = {"fixed[z]": 0.0, "sd[y]": 0.0}
    found = bm.bootstrap(held(**fixed), data(), 4, rng=1, processes=1)
    assert (found.std_errors[list(fixed)] == 0.0).all()
    assert np.isnan(found.std_errors["corr[x, y]"])
    notes = found.summary()["note"]
    assert notes["fixed[z]"] == notes["sd[y]"] == "held"
    assert notes["corr[x, y]"] == "none: a standard deviation is held at 0"
    assert notes["mean[x]"] == ""


def test_replications_keep_the_signs_of_held_correlations():
    """Beyond sd[x] = 0 the same entries are those of the other sign: there is a wall."""
    under = held(**{"corr[x, y]": 0.7})
    job, weights = make_job(under, data(), 1), np.ones(200)
    value, _ = weighted(job, weights, under.theta)
    assert value == pytest.approx(under.loglik, abs=1e-9)
    other = under.theta.copy()
    other[under.space.diagonal()[0]] *= -1
    assert under.space.natural(other)[4] == pytest.approx(-0.7)
    assert np.isnan(weighted(job, weights, other)[0])
    assert np.isnan(weighted(job, weights, other)[1]).all()


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        ({"fixed": (("fixed[z]", 0.5),)}, "fixed[z] = 0"),
        ({"equal": (("mean[x]", "mean[y]"),)}, "mean[x] = mean[y]"),
        ({"fixed": (("fixed[z]", 0.5),)}, "mean[x] = 0, 2 * fixed[z] = 1"),
    ],
)
def test_a_wald_test_of_what_is_held_says_so(constraints, words):
    with pytest.raises(SpecificationError, match="the fit itself holds or ties this"):
        bm.wald_test(fit(**constraints), words)


def test_clusters_and_demand_know_it():
    under = held(**{"fixed[z]": 0.5})
    frame = data().frame.assign(village=data().frame["who"] // 4)
    again = bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice"
    )
    clustered = under.clustered(again, "village")
    assert clustered.std_errors["fixed[z]"] == 0.0
    assert (clustered.std_errors.drop("fixed[z]") > 0).all()
    shares = bm.shares(under, data(), draws=20, rng=1)
    assert shares.notnull().all().to_array().all()


# -- starts --------------------------------------------------------------------------------------


def test_searches_begin_where_they_are_told(monkeypatch):
    from bayesmix.classical import msle as module

    begun = []
    real = module.best_of

    def best_of(search, grid, origins):
        begun.append([search.problem.parameters.natural(o) for o in origins])
        return real(search, grid, origins)

    monkeypatch.setattr(module, "best_of", best_of)
    names, free = list(fit().params.index), fit()
    some = {"mean[x]": 0.1, "sd[y]": 1.4}
    bm.msle(MODEL, data(), start=some, starts=1, grid=GRID, rng=1)
    bm.msle(MODEL, data(), start=free, starts=2, grid=GRID, rng=1)
    bm.msle(MODEL, data(), starts=[some, free.params, AT], grid=GRID, rng=1)
    assert [len(b) for b in begun] == [1, 2, 3]
    for first in (begun[0][0], begun[2][0]):
        values = dict(zip(names, first, strict=True))
        assert values["mean[x]"] == pytest.approx(0.1)
        assert values["sd[y]"] == pytest.approx(1.4)
    np.testing.assert_allclose(begun[1][0], free.params, rtol=1e-12)
    np.testing.assert_allclose(begun[2][1], free.params, rtol=1e-9)
    np.testing.assert_allclose(begun[2][2], [AT[name] for name in names], rtol=1e-12)


def test_a_fit_of_another_model_starts_what_they_have_in_common():
    from bayesmix.classical.given_starts import completed

    problem, small = fit().problem, fit(bm.MixedLogit("x + y + z", random=bm.Normal("x")))
    theta = completed(problem, problem.parameters.theta(AT), small)
    values = problem.parameters.series(problem.parameters.natural(theta))
    for name in ("mean[x]", "sd[x]", "fixed[z]"):
        assert values[name] == pytest.approx(small.params[name])
    for name in ("mean[y]", "sd[y]", "corr[x, y]"):
        assert values[name] == pytest.approx(AT[name])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": {"mean[w]": 0}}, r"'start' has 'mean\[w\]'.*did you mean"),
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


# -- other estimators ----------------------------------------------------------------------------


def test_moments_and_scores_hold_parameters_as_the_likelihood_does():
    """Their estimates are the likelihood's within the standard errors of the difference."""
    fixed, equal = {"fixed[z]": 0.5, "corr[x, y]": 0.0}, [("sd[x]", "sd[y]")]
    model = bm.MixedLogit("x + y + z", random=[bm.Normal("x"), bm.Normal("y")])
    likelihood = fit(model, fixed=(("fixed[z]", 0.5),), equal=(("sd[x]", "sd[y]"),))
    found = {
        "moments": bm.msm(MODEL, data(), fixed=fixed, grid=GRID, rng=1),
        "sequences": bm.msm(
            model, data(), fixed={"fixed[z]": 0.5}, equal=equal, moments="sequences", rng=1
        ),
        "scores": bm.mss(model, data(), fixed={"fixed[z]": 0.5}, equal=equal, rng=1),
        "importance": bm.mss(
            model, data(), method="importance", fixed={"fixed[z]": 0.5}, equal=equal, rng=1
        ),
    }
    for name, other in found.items():
        assert other.converged
        assert other.params["fixed[z]"] == 0.5
        assert other.std_errors["fixed[z]"] == 0.0
        free = other.params.index.drop([n for n in fixed if n in other.params.index])
        assert (other.std_errors[free] > 0).all(), name
        if name != "moments":
            assert other.params["sd[x]"] == pytest.approx(other.params["sd[y]"], rel=1e-10)
            np.testing.assert_allclose(other.std_errors["sd[x]"], other.std_errors["sd[y]"])
            np.testing.assert_allclose(
                other.std_errors[free], likelihood.std_errors[free], rtol=0.25
            )
            gap = (other.params[free] - likelihood.params[free]) / other.std_errors[free]
            assert (abs(gap) < 0.6).all(), name
    assert found["moments"].params["corr[x, y]"] == 0.0
    over = found["moments"].overidentification
    root = found["moments"].information.size
    assert root == 4
    assert over.df > 0


def test_moments_of_a_held_multinomial_logit_are_its_likelihood():
    model = bm.MixedLogit("x + y + z")
    found = bm.msm(model, data(), fixed={"fixed[z]": 0.5}, equal=[("fixed[x]", "fixed[y]")])
    exact = fit(model, fixed=(("fixed[z]", 0.5),), equal=(("fixed[x]", "fixed[y]"),))
    np.testing.assert_allclose(found.params, exact.params, rtol=1e-4)


def test_bounds_are_for_the_likelihood_alone():
    model = replace(MODEL, constraints=bm.Constraints(bounds={"mean[x]": (0, None)}))
    for estimate in (bm.msm, bm.mss):
        with pytest.raises(SpecificationError, match="knows no bounds"):
            estimate(model, data())


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
