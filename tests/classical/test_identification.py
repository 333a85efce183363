"""Words for what the data hardly identify: simulated models, thresholds, units."""

from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.classical.covariance import Information
from bayesmix.classical.identification import diagnosis
from bayesmix.likelihood.simulate import simulate_choices
from bayesmix.specification.parameters import ParameterSpace
from tests.simulated import attributes, choice_data

MODEL = bm.MixedLogit("x + y + z", random=bm.Normal("x"))
AT = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": -0.5, "fixed[z]": 0.0}


@cache
def fitted(apart):
    """Column z is x and a little noise: it is hard to tell which of them matters."""
    rng = np.random.default_rng(1)
    frame = attributes(rng, 300, 5)
    frame["z"] = frame["x"] + apart * rng.normal(size=len(frame))
    data = simulate_choices(MODEL, AT, choice_data(frame), rng)
    return bm.msle(MODEL, data, grid=bm.gauss_hermite(9), starts=1), data


def test_a_nearly_unidentified_model_is_said_to_be():
    fit, data = fitted(0.005)
    assert "the data hardly tell mean[x] from fixed[z] (condition number 4e+04" in fit.message
    assert fit.message in repr(fit)
    assert "Not identified" not in fit.message
    assert fit.std_errors["fixed[z]"] > 30 * fit.std_errors["fixed[y]"]
    logit = bm.msle(bm.MixedLogit("x + y + z"), data)
    assert "hardly tell fixed[x] from fixed[z]" in logit.message


def test_a_model_that_is_identified_has_no_such_words():
    assert "identified" not in fitted(1.0)[0].message
    assert "identified" not in fitted(0.05)[0].message


SPACE = ParameterSpace(("a", "b"), ("c",), ((0, 1),))
THETA = np.array([0.3, -0.2, 1.0, 0.5, 0.8, 0.1])  # mean a, b; chol aa, ba, bb; fixed c


def with_weak_direction(direction, size):
    """Information with eigenvalue ``size`` along a direction of the printed parameters."""
    d = direction / np.linalg.norm(direction)
    hessian = np.eye(6) - (1 - size) * np.outer(d, d)
    jacobian = SPACE.jacobian(THETA)
    return Information(jacobian.T @ hessian @ jacobian, np.eye(6), np.ones(6))


@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_the_combination_is_one_of_printed_parameters(scale):
    # mean a, mean b, sd a, sd b, corr, fixed
    info = with_weak_direction(np.array([1.0, 0, 0, -1.0, 0, 0]), 1e-6)
    units = np.array([1.0, 1.0, 1.0, 1.0, 1.0, scale])
    scaled = Information(info.hessian * np.outer(units, units), info.scores, info.weights)
    words = diagnosis(scaled, SPACE, THETA)
    assert "hardly tell mean[a] from sd[b] (" in words
    three = with_weak_direction(np.array([0, 1.0, 0, 0, 1.0, -1.0]), 1e-6)
    assert "hardly tell mean[b] from corr[a, b], fixed[c] (" in diagnosis(three, SPACE, THETA)


def test_thresholds():
    direction = np.array([1.0, 0, 0, -1.0, 0, 0])
    assert diagnosis(with_weak_direction(direction, 1e-3), SPACE, THETA) == ""
    gone = diagnosis(with_weak_direction(direction, 0.0), SPACE, THETA)
    assert gone.startswith("Not identified: the direction")


def test_what_scores_tell_is_not_said_to_be_unidentified():
    """Steep integrands on few nodes: exact curvature 1.3 to 222, on 256 nodes below 0."""
    info = with_weak_direction(np.array([1.0, 0, 0, -1.0, 0, 0]), -0.1)
    assert diagnosis(info, SPACE, THETA).startswith("On these nodes the curvature is not that")
    alike = np.ones((6, 6))  # scores that move together tell of one direction alone
    silent = Information(info.hessian, alike, info.weights)
    assert diagnosis(silent, SPACE, THETA).startswith("Not identified: the direction")


def test_a_singular_covariance_is_named_in_the_free_vector():
    theta = THETA.copy()
    theta[2:5] = 0.0  # sd a = sd b = 0: no way back from the printed parameters
    hessian = np.eye(6)
    hessian[0, 5] = hessian[5, 0] = 1 - 1e-6
    info = Information(hessian, np.eye(6), np.ones(6))
    assert "hardly tell mean[a] from fixed[c]" in diagnosis(info, SPACE, theta)


BINARY = bm.MixedLogit("x + C(alt)", random=bm.Normal("alt[1]"))
WORDS = "Error components: sd[alt[1]] is not identified by these choice sets: leave these"


@cache
def binary(situations):
    """Choices between two alternatives, whose variances a single choice does not tell."""
    frame = attributes(np.random.default_rng(4), 200, situations, ("x",), alternatives=2)
    at = {"mean[alt[1]]": 0.3, "sd[alt[1]]": 1.0, "fixed[x]": 1.0}
    return simulate_choices(BINARY, at, choice_data(frame), 5)


@pytest.mark.parametrize(
    "fit",
    [
        lambda data: bm.msle(BINARY, data, starts=1, rng=1),
        lambda data: bm.msm(BINARY, data, grid=bm.gauss_hermite(9)),
        lambda data: bm.mss(BINARY, data, rng=1),
        lambda data: bm.mss(BINARY, data, method="importance", rng=1),
    ],
    ids=["msle", "msm", "mss", "importance"],
)
def test_fits_say_which_error_components_choices_do_not_tell(fit):
    found = fit(binary(1))
    assert WORDS in found.message
    (error,) = (f for f in bm.check(BINARY, binary(1)).findings if f.severity == "error")
    assert error.text[1:] in found.message


def test_no_root_is_sought_where_the_likelihood_tells_nothing():
    """Nor does the noise of draws pass for information: the standard errors are no small ones."""
    fit = bm.mss(BINARY, binary(1), rng=1)
    assert "In 1 direction of standard errors above 30 utils" in fit.message
    assert fit.std_errors["sd[alt[1]]"] > 30


def test_a_panel_tells_it():
    fit = bm.msle(BINARY, binary(6), starts=1, rng=1)
    assert "rror components" not in fit.message


def test_random_terms_in_proportion():
    data = fitted(1.0)[1]
    frame = data.frame.assign(twice=lambda f: -2 * f["x"] + f["task"])
    model = bm.MixedLogit("x + twice + y", [bm.Normal("x"), bm.Normal("twice", mean="0")])
    (error,) = (f for f in bm.check(model, choice_data(frame)).findings if f.severity == "error")
    assert error.where == "sd[x], sd[twice]"
    apart = frame.assign(twice=lambda f: f["twice"] + 1e-4 * f["z"])
    assert bm.check(model, choice_data(apart)).ok
