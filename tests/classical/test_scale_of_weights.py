"""Weights that sum to a population, to the persons or to 1 are the same data: nothing moves."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.integration_error import integration_error
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.effective_weights import in_effective_persons, person_unit
from bayesmix.likelihood.multinomial import multinomial
from tests.simulated import choice_data, simulated

SCALES = (1e-4, 30.0, 1000.0)
NORMALS = bm.MixedLogit("x + y", random=bm.Normal("x", "y"))
AT = {"mean[x]": -1.0, "mean[y]": 0.8, "sd[x]": 0.9, "sd[y]": 0.5}
FEW = bm.centred(bm.sobol(64))


@cache
def frame():
    found = simulated(NORMALS, AT, 120, 5, seed=7).frame
    drawn = np.random.default_rng(2).uniform(0.2, 3.0, 120)
    return found.assign(w=drawn[found["who"]], region=found["who"] % 20)


@cache
def data(scale=1.0):
    return choice_data(frame().assign(w=frame()["w"] * scale), weights="w")


def words(fit):
    """What the fit says of its search: without nats, which are of the weights given."""
    return fit.message, str(fit.grid), fit.optima[["evaluations", "converged", "grid"]].to_csv()


FITS = {
    "auto": lambda d: bm.msle(NORMALS, d, rng=1, starts=2),
    "trust-region": lambda d: bm.msle(
        NORMALS, d, grid=FEW, rng=1, starts=1, optimizer="trust-region"
    ),
    "bhhh": lambda d: bm.msle(NORMALS, d, grid=bm.sobol(100), rng=1, starts=1, optimizer="bhhh"),
    "boundary": lambda d: bm.msle(
        bm.MixedLogit("x + y", random=bm.Normal("x")), d, grid=FEW, rng=1, cluster="region"
    ),
    "lognormal": lambda d: bm.msle(
        bm.MixedLogit("x + y", random=[bm.LogNormal("x", sign=-1)]), d, grid=FEW, rng=1, starts=2
    ),
    "wtp": lambda d: bm.msle(
        bm.MixedLogit("x + y", random=[bm.Normal("y")], wtp="x"), d, grid=FEW, rng=1, starts=1
    ),
    "classes": lambda d: bm.msle(
        bm.MixedLogit("x + y", random=bm.LatentClass("x", "y")), d, rng=1, starts=2
    ),
    "logit": lambda d: bm.msle(bm.MixedLogit("x + y"), d),
    "moments": lambda d: bm.msm(NORMALS, d, grid=bm.sobol(64), rng=1),
    "scores": lambda d: bm.mss(NORMALS, d, grid=bm.monte_carlo(512), accepted=8, rng=1, starts=1),
}


@pytest.mark.parametrize("kind", FITS)
def test_fits_are_the_same_at_any_scale_of_weights(kind):
    fit = FITS[kind]
    one = fit(data())
    assert np.isfinite(one.std_errors).all()
    # Moments are matched to a tolerance: rounding of weights ends their search a few bits away.
    close = 1e-8 if kind == "moments" else 1e-10
    for scale in SCALES if kind == "auto" else SCALES[:2]:
        other = fit(data(scale))
        np.testing.assert_allclose(other.params, one.params, rtol=close)
        np.testing.assert_allclose(other.std_errors, one.std_errors, rtol=10 * close)
        assert words(other) == words(one)
        assert other.loglik == pytest.approx(scale * one.loglik, rel=1e-12)
        assert other.loglik_multinomial == pytest.approx(scale * one.loglik_multinomial, rel=1e-12)
        np.testing.assert_allclose(other.optima["loglik"], scale * one.optima["loglik"], rtol=1e-12)
        assert other.problem.data is data(scale)
        if kind == "moments":  # variances of moments do not depend on the scale of weights
            np.testing.assert_allclose(
                other.covariance("hessian"), one.covariance("hessian"), rtol=1e-7
            )
            assert str(other.overidentification) == str(one.overidentification)
        else:
            np.testing.assert_allclose(
                scale * other.covariance("hessian"), one.covariance("hessian"), rtol=1e-8
            )


def test_the_certificate_is_of_the_weights_given_and_judged_in_effective_persons():
    one, other = (FITS["auto"](data(c)).integration for c in (1.0, 1000.0))
    for name in ("error", "bias", "sd", "unit"):
        value = 1000 * getattr(one, name)  # of a quadrature bias and sd are not known
        assert getattr(other, name) == pytest.approx(value, rel=1e-8, nan_ok=True)
    np.testing.assert_allclose(other.shift, one.shift, rtol=1e-7, atol=1e-9)
    assert one.within(0.5, 0.05)
    assert other.within(0.5, 0.05)
    assert not other.scaled(1e-3).within(0.5 * abs(one.error), 0.05)
    tail = str(one).partition("effective persons")[2]
    assert tail
    assert str(other).partition("effective persons")[2] == tail


def test_integration_errors_on_request_are_of_the_weights_given():
    weights, at = data().weights, AT
    coarse = bm.gauss_hermite(3)
    one = integration_error(NORMALS, data(), at, coarse, rng=1)
    other = integration_error(NORMALS, data(1e-4), at, coarse, rng=1)
    assert other.error == pytest.approx(1e-4 * one.error, rel=1e-9)
    np.testing.assert_allclose(other.shift, one.shift, rtol=1e-7, atol=1e-9)
    assert one.unit == pytest.approx(weights @ weights / weights.sum(), rel=1e-9)


def test_tests_and_resampling_do_not_depend_on_the_scale_of_weights():
    less = bm.MixedLogit("x", random=bm.Normal("x"))
    more = bm.MixedLogit("x + y", random=bm.Normal("x"))
    found = []
    for scale in (1.0, 1e-4, 1000.0):
        fits = [bm.msle(m, data(scale), grid=FEW, starts=1, rng=1) for m in (less, more)]
        test = bm.lr_test(*fits)
        again = bm.bootstrap(fits[1], data(scale), 4, rng=1, processes=1)
        check = bm.check(NORMALS, data(scale))
        found.append((test.statistic, test.p_value, *again.params.to_numpy().ravel()))
        found[-1] += (check.condition,)
    np.testing.assert_allclose(found[1], found[0], rtol=1e-7)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-7)


def test_two_halves_of_a_person_are_the_person():
    whole = frame()
    halves = whole.assign(w=whole["w"] / 2)
    twins = halves.assign(who=halves["who"] + 1000, task=halves["task"] + 10000)
    twice = choice_data(pd.concat([halves, twins], ignore_index=True), weights="w")
    rule = bm.gauss_hermite(9)
    one = bm.msle(NORMALS, data(), grid=rule, rng=1, starts=1)
    two = bm.msle(NORMALS, twice, grid=rule, rng=1, starts=1)
    np.testing.assert_allclose(two.theta, one.theta, atol=1e-4 * one.std_errors.min())
    assert two.loglik == pytest.approx(one.loglik, abs=1e-6)
    np.testing.assert_allclose(two.covariance("hessian"), one.covariance("hessian"), rtol=1e-4)


def test_equal_weights_are_no_weights():
    plain = bm.msle(NORMALS, choice_data(frame()), grid=FEW, rng=1, starts=1)
    equal = choice_data(frame().assign(w=17.3), weights="w")
    weighted = bm.msle(NORMALS, equal, grid=FEW, rng=1, starts=1)
    np.testing.assert_allclose(weighted.params, plain.params, atol=1e-4 * plain.std_errors.min())
    assert weighted.loglik == pytest.approx(17.3 * plain.loglik, rel=1e-9)
    assert weighted.message == plain.message


@pytest.mark.parametrize("scale", [1e-90, 1e90])
def test_extreme_scales_fit_without_overflow(scale):
    one, other = (bm.msle(NORMALS, data(c), grid=FEW, rng=1, starts=1) for c in (1.0, scale))
    np.testing.assert_allclose(other.params, one.params, rtol=1e-10)
    np.testing.assert_allclose(other.std_errors, one.std_errors, rtol=1e-9)
    assert other.integration.within(0.5, 0.1)


@pytest.mark.parametrize("weight", [1e308, 1e-300])
def test_weights_whose_squares_no_number_holds_are_refused_with_a_remedy(weight):
    with pytest.raises(DataError, match="divide them by the largest"):
        choice_data(frame().assign(w=frame()["w"] / 4 * weight), weights="w")
    scaled = frame()["w"] / 4 * weight
    assert choice_data(frame().assign(w=scaled / scaled.max()), weights="w").weights.max() == 1.0


def test_units_are_what_an_effective_person_weighs():
    w = data().weights
    assert person_unit(np.full(7, 3.0)) == 3.0
    assert person_unit(w) == pytest.approx((w**2).sum() / w.sum(), rel=1e-14)
    problem, unit = in_effective_persons(bind(NORMALS, data()))
    effective = w.sum() ** 2 / (w @ w)
    assert problem.data.weights.sum() == pytest.approx(effective, rel=1e-9)
    np.testing.assert_allclose(problem.data.weights * unit, w, rtol=1e-9)
    assert in_effective_persons(problem)[0] is problem
    plain = bind(NORMALS, choice_data(frame()))
    assert in_effective_persons(plain) == (plain, 1.0)


def test_the_logit_behind_a_fit_is_as_sure_as_its_effective_persons():
    logits = [multinomial(bind(NORMALS, data(c))) for c in (1.0, *SCALES)]
    for logit, scale in zip(logits[1:], SCALES, strict=True):
        np.testing.assert_array_equal(logit.coefficients, logits[0].coefficients)
        np.testing.assert_allclose(logit.std_errors * scale**0.5, logits[0].std_errors, rtol=1e-9)
    wrong = bm.MixedLogit("x + y", random=bm.LogNormal("x"))
    for scale in (1.0, 1e-4):  # the sign is beyond doubt, whatever a weight is called
        with pytest.raises(SpecificationError, match="the data say the other sign"):
            bm.msle(wrong, data(scale), grid=FEW, rng=1)
