"""Wald and Hausman tests: formulas, words, ranks, and refusals."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import bayesmix as bm
from bayesmix.errors import SpecificationError
from bayesmix.inference.meaning import meanings
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y + z", random=bm.LKJNormal("x", "y"))
AT = {"mean[x]": 1.0, "mean[y]": 1.0, "sd[x]": 0.8, "sd[y]": 1.2, "corr[x, y]": -0.5, "fixed[z]": 0}


@cache
def data():
    return simulated(MODEL, AT, 200, 6, columns=("x", "y", "z"), seed=4)


@cache
def fit():
    return bm.msle(MODEL, data(), grid=bm.gauss_hermite(9), starts=1)


# -- Wald ---------------------------------------------------------------------------------------


def test_one_restriction_is_the_square_of_z():
    test = bm.wald_test(fit(), "fixed[z] = 0")
    z = fit().params["fixed[z]"] / fit().std_errors["fixed[z]"]
    assert test.statistic == pytest.approx(z**2)
    assert test.p_value == pytest.approx(chi2.sf(z**2, 1))
    assert (test.df, test.null) == (1, "fixed[z] = 0")
    assert test.p_value > 0.01  # it is true


def test_restrictions_in_words_are_those_of_the_matrix():
    words = bm.wald_test(fit(), "mean[x] = 2 * mean[y] + 1, corr[x, y] - fixed[z]/2 = -0.5")
    matrix = pd.DataFrame(
        {"mean[x]": [1.0, 0.0], "mean[y]": [-2.0, 0], "corr[x, y]": [0, 1.0], "fixed[z]": [0, -0.5]}
    )
    by_name = bm.wald_test(fit(), matrix, [1.0, -0.5])
    full = matrix.reindex(columns=fit().params.index, fill_value=0.0).to_numpy()
    by_array = bm.wald_test(fit(), full, [1.0, -0.5])
    gap = full @ fit().params - [1.0, -0.5]
    statistic = gap @ np.linalg.inv(full @ fit().covariance() @ full.T) @ gap
    for test in (words, by_name, by_array):
        assert test.statistic == pytest.approx(statistic)
        assert test.df == 2
        assert test.null == "mean[x] - 2 mean[y] = 1, corr[x, y] - 0.5 fixed[z] = -0.5"
    listed = bm.wald_test(fit(), ["mean[x] = 2 * mean[y] + 1", "corr[x, y] - fixed[z]/2 = -0.5"])
    assert listed.statistic == pytest.approx(statistic)


def test_the_kind_of_covariance_is_taken():
    regional = fit().clustered(choice_data(data().frame.assign(g=data().frame["who"] // 4)), "g")
    found = [bm.wald_test(regional, "mean[x] = 1", kind=k) for k in (None, "hessian")]
    for test, kind in zip(found, ("cluster", "hessian"), strict=True):
        variance = regional.covariance(kind).loc["mean[x]", "mean[x]"]
        assert test.statistic == pytest.approx((fit().params["mean[x]"] - 1) ** 2 / variance)
        assert f"covariance: {kind}" in str(test)


def test_the_scale_of_a_restriction_does_not_matter():
    one, other = (bm.wald_test(fit(), f"{a} * mean[x] = {a} * mean[y]") for a in (1, 1000))
    assert one.statistic == pytest.approx(other.statistic)


@pytest.mark.parametrize(
    ("restrictions", "words"),
    [
        ("sd[x] = 0", r"sd\[x\] = 0 is at the boundary.*lr_test\(restricted, full\)"),
        ("mean[a] = 0", r"names 'mean\[a\]', which is no parameter; did you mean"),
        ("mean[x] = 0, 2 * mean[x] = 0", "singular: some follow from others"),
        ("mean[x] * mean[y] = 1", "'restrictions': cannot read"),
        ("mean[x] =", "'restrictions': cannot read"),
        ("3 = 3", "concerns no parameter"),
        (np.ones((1, 3)), r"shape \(1, 3\), expected \(n, 6\)"),
        (pd.DataFrame({"mean[w]": [1.0]}), r"'mean\[w\]', which is no parameter"),
    ],
)
def test_what_cannot_be_tested_is_refused(restrictions, words):
    with pytest.raises(SpecificationError, match=words):
        bm.wald_test(fit(), restrictions)


def test_a_parameter_at_the_boundary_cannot_be_tested():
    scores = fit().information.scores.copy()
    scores[:, 2] *= 1e-3  # chol[x, x]
    silent = replace(fit(), information=replace(fit().information, scores=scores))
    with pytest.raises(SpecificationError, match=r"^sd\[x\]: no standard error"):
        bm.wald_test(silent, "sd[x] = 1, mean[x] = 1")
    assert bm.wald_test(silent, "mean[x] = 1").df == 1


def test_tests_print_themselves():
    test = bm.wald_test(fit(), "mean[x] = mean[y]")
    assert str(test).startswith("Wald test of mean[x] - mean[y] = 0\nstatistic ")
    assert "chi2(1): p-value" in repr(test)
    assert test._repr_html_().startswith("<p>Wald test of mean[x]")


# -- Hausman ------------------------------------------------------------------------------------


@cache
def half():
    frame = data().frame
    fewer = choice_data(frame[frame["who"] < 80])
    return bm.msle(MODEL, fewer, grid=bm.gauss_hermite(9), starts=1)


def integration_noise(one):
    """Squares of the certificate's errors, in the parameters' own units (without weights)."""
    shift = one.integration.shift
    error = np.maximum(shift["estimate"].abs(), (shift["high"] - shift["low"]) / 2)
    errors = [np.sqrt(np.diag(one.covariance(kind))) for kind in ("robust", "hessian")]
    return (error * np.maximum(*errors)) ** 2


def test_hausman_by_its_formula():
    names = ["mean[x]", "fixed[z]"]
    test = bm.hausman_test(fit(), half(), params=names)
    gap = (fit().params - half().params)[names]
    spread = (half().covariance() - fit().covariance()).loc[names, names]
    noise = sum(integration_noise(f)[names] for f in (fit(), half()))
    assert test.statistic == pytest.approx(gap @ np.linalg.inv(spread + np.diag(noise)) @ gap)
    assert (test.df, test.notes) == (2, ())
    assert "MSLE and MSLE estimate the same mean[x], fixed[z]" in str(test)


SIMPLE = bm.MixedLogit("x + y", random=bm.Normal("x"))


@cache
def by_moments(seed=0, draws=64):
    """Fits of the same choices: the likelihood on good nodes and on few draws, and moments."""
    at = {"mean[x]": 1.5, "sd[x]": 1.5, "fixed[y]": -1.0}
    drawn = simulated(SIMPLE, at, 400, 2, seed=seed)
    return (
        bm.msle(SIMPLE, drawn, grid=bm.centred(bm.sobol(32)), starts=1, rng=1),
        bm.msle(SIMPLE, drawn, grid=bm.monte_carlo(5), starts=1, rng=1),
        bm.msm(SIMPLE, drawn, grid=bm.monte_carlo(draws), rng=2),
    )


def test_hausman_of_the_same_choices_by_its_formula():
    exact, _, moments = by_moments()
    test = bm.hausman_test(exact, moments)
    parts = []
    for one in (exact, moments):
        info = one.information
        jacobian = one.space.jacobian(one.theta)
        parts.append(info.scores @ np.linalg.inv(info.hessian) @ jacobian.T)
    difference = parts[0] - parts[1]
    gap = exact.params - moments.params
    spread = difference.T @ difference + np.diag(integration_noise(exact))
    assert test.statistic == pytest.approx(gap @ np.linalg.inv(spread) @ gap)
    assert test.df == 3
    assert "from both fits' scores, by person" in str(test)
    swapped = bm.hausman_test(moments, exact)
    assert swapped.statistic == pytest.approx(test.statistic)


def test_hausman_of_likelihood_and_moments_has_its_law():
    """Over samples its sum is chi-squared; where few draws bias the likelihood it rejects."""
    fits = [by_moments(seed) for seed in range(6)]
    tests = [bm.hausman_test(exact, moments) for exact, _, moments in fits]
    assert sum(test.df for test in tests) > 12
    right = chi2.sf(sum(test.statistic for test in tests), sum(test.df for test in tests))
    assert 0.005 < right < 0.995
    biased = [bm.hausman_test(few, moments) for _, few, moments in fits]
    assert chi2.sf(sum(test.statistic for test in biased), 3 * 6) < 1e-4
    assert all("standard errors, a bias of its draws" in test.notes[-1] for test in biased)


SEEDS = bm.MixedLogit("x + y", random=bm.Normal("x", "y"))


def of_a_seed(grid, rng, seed=0, **options):
    at = {"mean[x]": 0.5, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 0.7}
    drawn = simulated(SEEDS, at, 120, 5, seed=seed)
    return bm.msle(SEEDS, drawn, grid=grid, rng=rng, starts=1, **options)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("nodes", "options"),
    [(64, {}), (128, {}), (64, {"optimizer": "l-bfgs-b"})],
    ids=["seeds", "sizes", "optimisers"],
)
def test_one_estimator_on_other_nodes_is_refused(seed, nodes, options):
    """Its estimates differ by integration alone, for which scores on better nodes have no place."""
    one = of_a_seed(bm.centred(bm.sobol(64)), 1, seed)
    again = of_a_seed(bm.centred(bm.sobol(nodes)), 2, seed, **options)
    assert 1e-3 < ((one.params - again.params) / one.std_errors).abs().max() < 0.2
    with pytest.raises(SpecificationError, match="beyond that of integration: either both fits"):
        bm.hausman_test(one, again)


@pytest.mark.parametrize("points", [(5, 9), (7, 9), (15, 25)])
def test_one_estimator_on_other_quadratures_is_not_rejected(points):
    """Errors of persons differ, so that some of a quadrature's error is in the scores."""
    for seed in range(3):
        fits = [of_a_seed(bm.gauss_hermite(n), 1, seed) for n in points]
        assert bm.hausman_test(*fits).p_value > 0.2


def test_noise_of_draws_of_the_population_is_in_the_scores():
    """Two seeds of them are estimators with noise of their own, and the test has its law."""
    tests = [
        bm.hausman_test(*(of_a_seed(bm.monte_carlo(50), rng, seed) for rng in (1, 2)))
        for seed in range(6)
    ]
    assert all(test.df == 4 for test in tests)
    assert 0.005 < chi2.sf(sum(test.statistic for test in tests), 4 * 6) < 0.995


def test_directions_of_integration_are_left_out():
    exact, _, moments = by_moments()
    shift = exact.integration.shift.copy()
    shift.loc["sd[x]"] = 20.0, 19.0, 21.0
    coarse = replace(exact, integration=replace(exact.integration, shift=shift))
    test = bm.hausman_test(coarse, moments)
    assert test.df == 2
    assert "1 of 3 directions of the difference are left out: integration" in test.notes[-1]
    rest = bm.hausman_test(exact, moments, params=["mean[x]", "fixed[y]"])
    assert test.statistic == pytest.approx(rest.statistic, rel=0.02)


def test_hausman_by_cluster():
    exact, _, moments = by_moments()
    exact = replace(exact, integration=None)  # errors of integration do not depend on clusters
    frame = exact.problem.data.frame
    drawn = choice_data(frame.assign(pair=frame["who"] // 2, own=frame["who"]))
    alone = bm.hausman_test(exact.clustered(drawn, "own"), moments)
    plain = bm.hausman_test(exact, moments)
    assert alone.statistic == pytest.approx(plain.statistic * 399 / 400)
    pairs = [one.clustered(drawn, "pair") for one in (exact, moments)]
    together, first = bm.hausman_test(*pairs), bm.hausman_test(pairs[0], moments)
    assert together.statistic == pytest.approx(first.statistic)
    assert "from both fits' scores, by 'pair'" in str(together)
    assert together.statistic != pytest.approx(plain.statistic, rel=1e-3)
    with pytest.raises(SpecificationError, match="same choices and clusters: fit both"):
        bm.hausman_test(exact.clustered(drawn, "own"), pairs[1], kind="joint")
    with pytest.raises(SpecificationError, match="same choices: fit both"):
        bm.hausman_test(fit(), half(), kind="joint")
    with pytest.raises(SpecificationError, match="both fits are one estimator here"):
        bm.hausman_test(exact, exact)


def test_hausman_takes_all_that_both_have():
    assert bm.hausman_test(fit(), half(), kind="hessian").df == 6
    frame = data().frame
    logit = bm.msle(bm.MixedLogit("x + z"), choice_data(frame[frame["who"] < 60]))
    test = bm.hausman_test(fit(), logit)
    assert test.null == "MSLE and MSLE estimate the same fixed[z]"


def test_estimates_that_differ_are_found_out():
    frame = data().frame
    some = choice_data(frame[frame["who"] < 80].assign(x=lambda f: f["x"] * 3.0))
    other = bm.msle(MODEL, some, grid=bm.gauss_hermite(9), starts=1)
    assert bm.hausman_test(fit(), other, params=["fixed[z]"]).p_value > 0.01
    # Coefficients of an attribute in other units are a third: their variances shrink as well.
    with pytest.raises(SpecificationError, match="no direction of positive variance"):
        bm.hausman_test(fit(), other, params=["mean[x]"])


def test_a_singular_difference_has_fewer_degrees_of_freedom():
    """Covariances that differ in one direction alone."""
    plain = replace(fit(), integration=None)
    info = plain.information
    direction = np.zeros(6)
    direction[[0, 1]] = 1.0, -1.0
    covariance = np.linalg.inv(info.hessian) + 1e-3 * np.outer(direction, direction)
    looser = replace(plain, information=replace(info, hessian=np.linalg.inv(covariance)))
    moved = replace(looser, theta=looser.theta + 0.01 * direction)
    test = bm.hausman_test(plain, moved, kind="hessian", params=["mean[x]", "mean[y]"])
    assert test.df == 1
    assert test.statistic == pytest.approx(0.01**2 / 1e-3, rel=1e-4)
    assert test.notes == ()


def test_a_difference_that_is_not_positive_is_said():
    plain = replace(fit(), integration=None)
    info = plain.information
    covariance = np.linalg.inv(info.hessian)
    covariance[0, 0] += 1e-3
    covariance[1, 1] -= 1e-4
    mixed = replace(plain, information=replace(info, hessian=np.linalg.inv(covariance)))
    test = bm.hausman_test(plain, mixed, kind="hessian", params=["mean[x]", "mean[y]"])
    assert test.df == 1
    assert "not positive definite (1 of 2 directions" in test.notes[0]
    with pytest.raises(SpecificationError, match=r"'mean\[w\]' is not in both fits"):
        bm.hausman_test(fit(), mixed, params=["mean[w]"])


# -- what parameters of one name mean ----------------------------------------------------------


@cache
def of(model):
    return bm.msle(model, data(), grid=bm.gauss_hermite(5), starts=1, rng=1)


def mixed(*laws, **options):
    return bm.MixedLogit("x + y + z", random=laws, **options)


OTHERS = {
    "law": (bm.Normal("x"), bm.LogNormal("x"), r"mean\[x\], sd\[x\] \(normal and lognormal\)"),
    "bounds": (
        bm.CensoredNormal("x", lower=0.0),
        bm.CensoredNormal("x", lower=-1.0),
        r"bounds 0 and none and censored normal bounds -1 and none",
    ),
    "mean": (bm.Normal("x"), bm.Normal("x", mean="1 + w"), r"normal and normal mean 1 \+ w"),
}


@pytest.mark.parametrize("case", list(OTHERS))
def test_other_laws_of_one_name_are_left_out(case):
    law, other, words = OTHERS[case]
    frame = data().frame.assign(w=data().frame["who"] % 5 / 5)
    fits = [
        bm.msle(mixed(one), choice_data(frame), grid=bm.gauss_hermite(5), starts=1, rng=1)
        for one in (law, other)
    ]
    test = bm.hausman_test(*fits, kind="joint")
    assert test.null == "MSLE and MSLE estimate the same fixed[y], fixed[z]"
    assert re.search(words, test.notes[0])
    with pytest.raises(SpecificationError, match=r"are not one quantity: mean\[x\] "):
        bm.hausman_test(*fits, params=["mean[x]"])


def test_willingness_to_pay_is_no_coefficient():
    plain, space = of(mixed(bm.Normal("y"))), of(mixed(wtp="z"))
    test = bm.hausman_test(plain, space)
    assert test.null.endswith("the same fixed[z]")
    assert test.notes[0].endswith("fixed[x] (in utils and in units of z)")
    with pytest.raises(SpecificationError, match="fit both with the same laws"):
        bm.hausman_test(of(bm.MixedLogit("x")), of(bm.MixedLogit("x + y", wtp="y")))


def test_one_model_by_two_laws_is_one_estimator():
    """Laws that shrink to a point: the rest differs by where optimisers end, no more."""
    flat = simulated(bm.MixedLogit("x + y"), {"fixed[x]": 0.8, "fixed[y]": -0.6}, 120, 4, seed=3)
    one, other = (
        bm.msle(bm.MixedLogit("x + y", random=law), flat, grid=bm.gauss_hermite(7), starts=1)
        for law in (bm.Normal("x"), bm.LogNormal("x"))
    )
    assert max(one.params["sd[x]"], other.params["sd[x]"]) < 1e-3
    with pytest.raises(SpecificationError, match="both fits are one estimator here"):
        bm.hausman_test(one, other)


def test_meanings_of_classes_and_scales():
    two = of(bm.MixedLogit("x + y + z", random=bm.LatentClass("x", bm.Normal("y"), share="1")))
    found = meanings(two)
    assert list(found) == list(two.space.names)
    assert found["fixed[x, 2]"].differs(found["fixed[z]"]) == "2 classes of x, y and none"
    assert found["sd[y, 1]"].law == "normal"
    assert found["share[2]"].differs(meanings(fit())["fixed[z]"]) != ""
    signs = mixed(bm.Correlated(bm.Normal("x"), bm.LogNormal("z", sign=-1)))
    assert meanings(of(signs))["corr[x, z]"].law == "normal, lognormal sign -1"


@cache
def constants(formula, *random, **options):
    """A fit to choices with an outside option, groups of persons, and two sources."""
    frame = data().frame.rename(columns={"alt": "number"})
    frame["alt"] = frame["number"].map({0: "a", 1: "b", 2: "c"})
    frame["group"] = np.where(frame["who"] % 2 == 0, "old", "young")
    if options:
        frame.loc[frame["task"] % 4 == 0, "choice"] = 0
    second = frame["task"] % 2 == 1
    orders = {"first": ["RP", "SP"], "second": ["SP", "RP"]}
    for name, order in orders.items():
        labels = np.where(second, "SP", "RP")
        frame[f"{name}_source"] = pd.Categorical(labels, categories=order)
    drawn = choice_data(frame, **options)
    return lambda scale=None: bm.msle(
        bm.MixedLogit(formula, random=random, scale=scale),
        drawn,
        **({"grid": bm.gauss_hermite(5), "starts": 1} if random else {}),
    )


def test_constants_against_other_bases_are_not_compared():
    default = constants("x + C(alt)")()
    other = constants("x + C(alt, contr.treatment(base='b'))")()
    same = constants("x + z + C(alt, contr.treatment('a'))")()
    with pytest.raises(SpecificationError, match=r"both fits are one estimator here"):
        bm.hausman_test(default, other)  # x alone is left, the same in both
    with pytest.raises(SpecificationError, match=r"alt\[c\]\] \(alt against a and alt against b\)"):
        bm.hausman_test(default, other, params=["fixed[alt[c]]"])
    assert bm.hausman_test(default, same, params=["fixed[alt[c]]"]).df == 1
    at_base = constants("x * C(alt)")()
    assert meanings(at_base)["fixed[x]"].differs(meanings(default)["fixed[x]"])


def test_the_constant_of_all_is_that_of_the_base():
    alone, base = (constants(f, outside_option=True)() for f in ("1 + x", "1 + x + C(alt)"))
    words = meanings(alone)["fixed[Intercept]"].differs(meanings(base)["fixed[Intercept]"])
    assert words == "none and alt against a"
    assert bm.hausman_test(alone, base).null == "MSLE and MSLE estimate the same fixed[x]"


def test_means_in_categories_are_those_of_their_base():
    found = meanings(constants("x + y", bm.Normal("x", mean="1 + C(group)"))())
    assert found["mean[x]"].law == "normal mean 1 + C(group) (group against old)"


def test_sources_with_another_reference_have_other_units():
    fit_of = constants("x + y")
    first, second, none = (fit_of(s) for s in ("first_source", "second_source", None))
    assert first.params["fixed[x]"] != pytest.approx(second.params["fixed[x]"], rel=1e-3)
    one, two, plain = (meanings(f)["fixed[x]"] for f in (first, second, none))
    assert one.differs(two) == "relative to RP and relative to SP"
    assert one.differs(plain) == ""
    scales = meanings(first)["scale[SP]"], meanings(second)["scale[RP]"]
    assert "'first_source' and sources by 'second_source'" in scales[0].differs(scales[1])


# -- Hausman of fits under constraints -----------------------------------------------------------


@cache
def under(fixed=(), equal=(), linear=()):
    model = replace(MODEL, constraints=bm.Constraints(dict(fixed), equal, linear))
    return bm.msle(model, data(), grid=bm.gauss_hermite(9), starts=1)


@pytest.mark.parametrize(
    ("constraints", "words", "df"),
    [
        ({"fixed": (("fixed[z]", 0.1),)}, "fixed[z] = 0.1", 1),
        ({"fixed": (("fixed[z]", 0.1), ("mean[x]", 1.1))}, "fixed[z] = 0.1, mean[x] = 1.1", 2),
        ({"equal": (("mean[x]", "mean[y]"),)}, "mean[x] = mean[y]", 1),
    ],
)
def test_hausman_has_as_many_degrees_as_constraints_and_is_then_walds(constraints, words, df):
    """Holding moves all estimates, along the directions of the restrictions alone.

    Of maximum likelihood under linear restrictions the quadratic form of the difference is Wald's,
    up to terms of a higher order.
    """
    tight = under(**constraints)
    for kind in (None, "hessian"):
        test = bm.hausman_test(tight, fit(), kind=kind)
        wald = bm.wald_test(fit(), words, kind="hessian" if kind else "robust")
        assert test.df == df
        assert test.statistic == pytest.approx(wald.statistic, rel=0.1, abs=0.02)
    assert bm.hausman_test(fit(), tight).df == df


def test_hausman_of_fits_with_constraints_of_their_own():
    held = under(fixed=(("fixed[z]", 0.1),))
    moments = bm.msm(MODEL, data(), fixed={"fixed[z]": 0.1}, grid=bm.gauss_hermite(9), rng=1)
    test = bm.hausman_test(held, moments)
    assert test.df == 5
    assert "left out, held in both fits: fixed[z]" in test.notes
    some = bm.hausman_test(held, moments, params=[n for n in fit().params.index if "z" not in n])
    assert test.statistic == pytest.approx(some.statistic)
    tied = under(equal=(("mean[x]", "mean[y]"),))
    equal = [("mean[x]", "mean[y]")]
    other = bm.msm(MODEL, data(), equal=equal, grid=bm.gauss_hermite(9), rng=1)
    assert bm.hausman_test(tied, other).df == 5
    with pytest.raises(SpecificationError, match=r"holds sd\[y\] at 0, the boundary"):
        bm.hausman_test(under(fixed=(("sd[y]", 0),)), fit())
