"""Hausman's test: formulas, laws, integration's noise, ranks, constraints."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import chi2

import bayesmix as bm
from bayesmix.errors import SpecificationError
from tests.inference.fits import MODEL, data, fit
from tests.simulated import choice_data, simulated


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
