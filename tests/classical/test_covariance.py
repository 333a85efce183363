"""Covariance matrices: differences of log-likelihoods, sandwiches, delta method, boundaries."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from bayesmix import LKJNormal
from bayesmix.classical.covariance import Information, free_names, natural_covariance
from bayesmix.classical.information import information_at
from bayesmix.classical.msle import msle
from bayesmix.errors import SpecificationError
from bayesmix.integration.rules import gauss_hermite
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit
from tests.oracles import differences
from tests.simulated import choice_data, simulated

MODEL = MixedLogit("x + y + z", random=LKJNormal("x", "y"))
AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 1.2, "corr[x, y]": -0.5}


@cache
def fitted(weighted=False):
    data = simulated(MODEL, AT | {"fixed[z]": 0.3}, 150, 6, columns=("x", "y", "z"))
    if weighted:
        frame = data.frame.assign(weight=0.5 + data.frame["who"] % 4)
        data = choice_data(frame, weights="weight")
    return msle(MODEL, data, grid=gauss_hermite(9), starts=1, rng=1), bind(MODEL, data)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_hessian_is_that_of_the_log_likelihood(weighted):
    fit, problem = fitted(weighted)
    value = Likelihood(problem, fit.grid)

    def gradient(theta):
        return differences(lambda a: value.value_and_gradient(a)[0], theta, step=1e-4)

    second = -differences(gradient, fit.theta, step=1e-3)
    np.testing.assert_allclose(fit.information.hessian, second, atol=2e-4 * np.abs(second).max())


@pytest.mark.parametrize("weighted", [False, True])
def test_the_outer_products_are_sums_over_persons(weighted):
    fit, problem = fitted(weighted)
    _, scores = Likelihood(problem, fit.grid).by_person(fit.theta)
    weights = problem.data.weights
    opg = sum(w * np.outer(s, s) for w, s in zip(weights, scores, strict=True))
    meat = sum(w**2 * np.outer(s, s) for w, s in zip(weights, scores, strict=True))
    np.testing.assert_allclose(fit.information.opg, opg)
    np.testing.assert_allclose(fit.information.meat, meat)


def test_kinds_of_covariance():
    fit, _ = fitted(True)
    info = fit.information
    bread = np.linalg.inv(info.hessian)
    np.testing.assert_allclose(info.covariance("hessian"), bread, rtol=1e-8)
    np.testing.assert_allclose(info.covariance("opg"), np.linalg.inv(info.opg), rtol=1e-8)
    np.testing.assert_allclose(info.covariance("robust"), bread @ info.meat @ bread, rtol=1e-8)
    # Of a model that is right they estimate the same thing.
    fit, _ = fitted(False)
    one, other = (np.sqrt(np.diag(fit.covariance(kind))) for kind in ("hessian", "opg"))
    np.testing.assert_allclose(one, other, rtol=0.35)
    with pytest.raises(SpecificationError, match="'kind' must be one of"):
        info.covariance("sandwich")
    with pytest.raises(SpecificationError, match="needs clusters, and the fit has none"):
        info.covariance("cluster")


@pytest.mark.parametrize("kind", ["robust", "hessian", "opg"])
def test_printed_parameters_by_the_delta_method(kind):
    fit, _ = fitted()
    slopes = differences(fit.space.natural, fit.theta).T
    expected = slopes @ fit.information.covariance(kind) @ slopes.T
    np.testing.assert_allclose(fit.covariance(kind), expected, rtol=1e-5)
    if kind == "robust":
        np.testing.assert_allclose(fit.std_errors**2, np.diag(expected), rtol=1e-5)


def test_functions_of_the_parameters():
    fit, _ = fitted()
    params, covariance = fit.params, fit.covariance()
    table = fit.delta(
        lambda p: type(p)(
            {"ratio": p["mean[x]"] / p["fixed[z]"], "variance": p["sd[y]"] ** 2, "three": 3.0}
        )
    )
    a, b = params["mean[x]"], params["fixed[z]"]
    slope = np.array([1 / b, -a / b**2])
    names = ["mean[x]", "fixed[z]"]
    variance = slope @ covariance.loc[names, names] @ slope
    assert table.loc["ratio", "estimate"] == a / b
    assert table.loc["ratio", "std error"] == pytest.approx(np.sqrt(variance), rel=1e-6)
    error = 2 * params["sd[y]"] * fit.std_errors["sd[y]"]
    assert table.loc["variance", "std error"] == pytest.approx(error, rel=1e-6)
    assert table.loc["three", "std error"] == 0.0


def some_information(size, seed=1):
    a, b = np.random.default_rng(seed).normal(size=(2, size, 50))
    return Information(a @ a.T, b.T, np.ones(50))


@pytest.mark.parametrize("sd", [0.0, 1e-9])
def test_a_standard_deviation_at_the_boundary_has_no_error_and_spoils_no_other(sd):
    fit, _ = fitted()
    space = fit.space
    theta = space.theta(dict(fit.params) | {"sd[x]": sd, "corr[x, y]": 0.0})
    silent = np.array(free_names(space)) == "chol[x, x]"
    values = natural_covariance(space, theta, some_information(6).covariance("robust"), silent)
    none = [n for n, v in zip(space.names, np.diag(values), strict=True) if np.isnan(v)]
    # With a little spread the correlation still has a slope in the other row.
    assert none == (["sd[x]", "corr[x, y]"] if sd == 0.0 else ["sd[x]"])
    known = ~np.isnan(np.diag(values))
    assert np.isfinite(values[np.ix_(known, known)]).all()


def test_a_correlation_of_one_has_no_error():
    fit, _ = fitted()
    mean, _, fixed, *_ = fit.space.unpack(fit.theta)
    theta = fit.space.pack(mean, np.array([[0.8, 0.0], [-1.2, 1e-3]]), fixed)
    nothing = np.zeros(6, dtype=bool)
    values = natural_covariance(fit.space, theta, np.eye(6), nothing)
    none = np.array(fit.space.names)[np.isnan(np.diag(values))]
    assert list(none) == ["corr[x, y]"]


def test_scores_that_vanish_where_the_curvature_does_not_are_silent():
    info = some_information(4)
    assert not info.silent.any()
    info = replace(info, scores=info.scores * [1.0, 1.0, 1e-4, 1.0])
    np.testing.assert_array_equal(info.silent, [False, False, True, False])


def test_a_saddle_has_no_covariance():
    info = Information(np.diag([1.0, -1.0]), np.eye(2), np.ones(2))
    assert np.isnan(info.covariance("hessian")).all()
    assert np.isnan(info.covariance("robust")).all()
    np.testing.assert_array_equal(info.covariance("opg"), np.eye(2))


def test_scales_do_not_hide_a_covariance():
    scale = np.array([1e-8, 1.0, 1e8, 1.0, 1.0])
    info = some_information(5)
    hessian = info.hessian * np.outer(scale, scale)
    scaled = Information(hessian, info.scores * scale, info.weights)
    expected = info.covariance("robust") / np.outer(scale, scale)
    np.testing.assert_allclose(scaled.covariance("robust"), expected, rtol=1e-8)


def test_the_direction_that_is_not_identified_is_named():
    fit, _ = fitted()
    assert fit.information.unidentified_direction(fit.space) is None
    # Three parameters of which the data know the differences alone.
    names = free_names(fit.space)
    assert names[:3] == ("mean[x]", "mean[y]", "chol[x, x]")
    flat = np.diag([1.0, 1, 1, 5, 5, 5])
    flat[:3, :3] -= 1 / 3
    words = Information(flat, flat, np.ones(6)).unidentified_direction(fit.space)
    assert all(name in words for name in names[:3])
    assert "chol[y, y]" not in words
    nothing = np.diag([1.0, 1, 0, 1, 1, 1])
    assert (
        Information(nothing, nothing, np.ones(6)).unidentified_direction(fit.space) == "chol[x, x]"
    )


def test_standard_errors_hardly_depend_on_the_scrambling():
    """Full covariance, 256 nodes: on nodes that move with theta the Hessian's vary by 8 %."""
    data = bm.examples.electricity()
    terms = ("pf", "cl", "loc", "wk", "tod", "seas")
    model = bm.MixedLogit(" + ".join(terms), random=[bm.LKJNormal(*terms)])
    fit = bm.msle(model, data, grid=bm.centred(bm.sobol(256), moments=True), starts=1, rng=1)
    problem = bind(model, data)
    one, other = (
        information_at(Likelihood(problem, fit.grid.renewed(seed)), fit.theta) for seed in (5, 6)
    )
    for kind, most in (("robust", 0.07), ("hessian", 0.04)):
        ratio = np.diag(one.covariance(kind)) / np.diag(other.covariance(kind))
        assert np.abs(np.sqrt(ratio) - 1).max() < most
