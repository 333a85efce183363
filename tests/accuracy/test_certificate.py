"""The certificate: seeds, cases without an answer, its parts one by one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from bayesmix import LKJNormal, Normal
from bayesmix.accuracy import certify as making
from bayesmix.accuracy import pooling as module
from bayesmix.accuracy.certificate import Certificate
from bayesmix.accuracy.certify import certify
from bayesmix.accuracy.pooling import SCRAMBLES, jackknife, pool, pooled_interval
from bayesmix.classical.integration_error import integration_error
from bayesmix.data.examples import electricity
from bayesmix.errors import IntegrationError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, halton, sobol, sparse
from bayesmix.likelihood import persons
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood, log_integrals
from bayesmix.likelihood.point import Point
from bayesmix.specification.model import MixedLogit
from tests.likelihood.truth import AT, case
from tests.simulated import attributes, choice_data


def test_an_exact_grid_has_no_error_within_the_interval():
    found = case().certify(case().grid(gauss_hermite(60)), 4)
    low, high = found.error_interval
    assert low < 0 < high < 0.3
    assert ((found.shift["low"] < 0) & (found.shift["high"] > 0)).sum() >= 3
    assert found.within(0.5, 0.1)


def test_evaluations_are_counted(monkeypatch):
    """Those of the reference, of the grid, and of the differences where no curvature is given."""
    here, counted = case(), []
    by_person, whole = Likelihood.by_person, Likelihood.value_and_gradient
    monkeypatch.setattr(Likelihood, "by_person", lambda *a: counted.append(1) or by_person(*a))
    monkeypatch.setattr(Likelihood, "value_and_gradient", lambda *a: counted.append(1) or whole(*a))
    # Of the reference's scramblings, each of whose persons fit into one block.
    pooled = making.log_integrals
    monkeypatch.setattr(making, "log_integrals", lambda *a: counted.append(1) or pooled(*a))
    for covariance in (here.covariance, None):
        counted.clear()
        grid = here.grid(gauss_hermite(5))
        found = certify(here.problem, here.theta, grid, covariance, here.errors, 1)
        assert found.evaluations == len(counted)


def test_rules_without_chance_have_no_bias_and_no_sd():
    for rule in (gauss_hermite(5), halton(50, scramble=False), centred(halton(50, scramble=False))):
        found = case().certify(case().grid(rule, 1))
        assert np.isnan(found.bias)
        assert np.isnan(found.sd)
        assert found.error_interval[0] < found.error < found.error_interval[1]


def test_the_same_seed_gives_the_same_certificate():
    grid = case().grid(sobol(50), 1)
    one, same, other = (case().certify(grid, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.shift, same.shift)
    pd.testing.assert_series_equal(one.pareto_k, same.pareto_k)
    assert (one.error, one.bias) == (same.error, same.bias)
    assert one.error != other.error


def test_persons_are_named_by_their_pareto_shape():
    found = case().certify(case().grid(sobol(50), 1))
    assert sorted(found.pareto_k.index) == list(range(60))
    assert found.pareto_k.is_monotonic_decreasing


def test_the_logarithm_of_a_mean_is_corrected_for_its_bias(monkeypatch):
    """The mean of R integrals is exact on average, its logarithm low by variance / 2 R."""
    pooled = (np.full(60, -3.0), np.full(60, 0.5))
    monkeypatch.setattr(module, "pooled", lambda logp: pooled)
    grid, weights = case().grid(gauss_hermite(3)), case().data.weights
    own, _ = case().by_person(gauss_hermite(3))
    expected = weights @ own - weights.sum() * (-3.0 + 0.5 / (2 * SCRAMBLES))
    assert case().certify(grid).error == pytest.approx(expected)


def test_jackknife_variances_are_those_of_means():
    """With equal integrals the pooled score is the mean: variances are the textbook's."""
    rng = np.random.default_rng(1)
    scores, weights = rng.normal(size=(SCRAMBLES, 30, 2)), rng.uniform(0.5, 2, 30)
    to_shift = np.array([[1.0, 2.0], [0.0, -1.0]])
    logp = np.full((SCRAMBLES, 30), -800.0)
    whole, variance = jackknife(logp, scores, weights, to_shift)
    np.testing.assert_allclose(whole, weights @ scores.mean(axis=0))
    by_person = (weights[:, None] * (scores @ to_shift.T)).var(axis=0, ddof=1) / SCRAMBLES
    np.testing.assert_allclose(variance, by_person)


def test_groups_of_persons_add_up(monkeypatch):
    """Scores, variances and degrees of freedom of shifts do not depend on the groups."""
    here = case()
    to_shift = np.random.default_rng(1).normal(size=(2, len(here.theta)))
    grids = [here.grid(centred(sobol(16)), seed) for seed in range(SCRAMBLES)]
    point = Point(here.problem, here.theta)
    whole = pool(point, grids, log_integrals, to_shift)
    monkeypatch.setattr(persons, "BLOCK_BYTES", 7 * 8 * 16 * 3)
    parts = pool(point, grids, log_integrals, to_shift)
    np.testing.assert_array_equal(parts.logp, whole.logp)
    np.testing.assert_array_equal(parts.variance, whole.variance)
    np.testing.assert_allclose(parts.score, whole.score, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(parts.shift_variance, whole.shift_variance, rtol=1e-12)
    np.testing.assert_allclose(parts.degrees, whole.degrees, rtol=1e-12)
    assert ((whole.degrees > SCRAMBLES) & (whole.degrees < 60 * SCRAMBLES)).all()


def test_degrees_of_freedom_are_those_of_the_persons_that_matter():
    one, many = np.array([1.0] + [0.0] * 9), np.ones(10)
    quantile = student.ppf(0.975, SCRAMBLES - 1)
    assert pooled_interval(one, many) == pytest.approx(quantile / np.sqrt(SCRAMBLES))
    quantile = student.ppf(0.975, 10 * (SCRAMBLES - 1))
    assert pooled_interval(many, many) == pytest.approx(quantile * np.sqrt(10 / SCRAMBLES))
    assert pooled_interval(0 * one, many) == 0.0


def made(error=0.0, half=0.1, shift=(0.01, -0.02), width=0.01):
    index = pd.Index(["mean[x]", "sd[x]"], name="parameter")
    shift = np.array(shift, dtype=float)
    table = {"estimate": shift, "low": shift - width, "high": shift + width}
    return Certificate(
        error=error,
        error_interval=(error - half, error + half),
        bias=0.0,
        sd=0.0,
        shift=pd.DataFrame(table, index=index),
        pareto_k=pd.Series(dtype=float),
        nodes=1,
        reference_nodes=1,
        evaluations=9,
        seconds=0.0,
        noise=pd.Series(0.0, index=index),
    )


def test_errors_and_their_intervals_must_be_within():
    assert made().within(0.5, 0.05)
    assert not made(error=-0.6).within(0.5, 0.05)
    assert not made(half=0.6).within(0.5, 0.05)
    assert not made(shift=(0.01, -0.06)).within(0.5, 0.05)
    assert not made(width=0.06).within(0.5, 0.05)


def test_shifts_that_nobody_knows_are_not_small():
    unknown = made(shift=(np.nan, np.nan))
    assert not unknown.within(0.5, 0.05)
    assert unknown.within(0.5, np.inf)
    assert made(shift=(np.nan, 0.01)).within(0.5, 0.05)  # as where one is a constant


def test_parameters_without_standard_error_are_left_out():
    some, none = made(shift=(0.01, np.nan)), made(shift=(np.nan, np.nan))
    assert some.within(0.5, 0.05)
    assert not replace(some, error=1.0, error_interval=(0.9, 1.1)).within(0.5, 0.05)
    assert some.worst == "mean[x]"
    assert none.worst == ""
    assert "unknown" in str(none)
    assert "mean[x] by +0.010" in str(some)


def test_integration_error_on_request():
    model, data = MixedLogit("x + y", random=LKJNormal("x", "y")), case().data
    params = {**AT, "corr[x, y]": 0.0}
    found = [
        integration_error(model, data, params, rule, rng=1)
        for rule in (gauss_hermite(3), centred(sobol(64)), gauss_hermite(30))
    ]
    assert [c.nodes for c in found] == [9, 64, 900]
    assert abs(found[0].error) > 1 > abs(found[1].error) > 0
    assert abs(found[2].error) < 0.2
    grid = case().grid(gauss_hermite(3))
    again = integration_error(model, data, pd.Series(params), grid, rng=1)
    assert again.error == pytest.approx(case().truth(grid)[0], abs=0.5)
    with pytest.raises(SpecificationError, match="unknown parameter 'mean"):
        integration_error(model, data, {**params, "mean[z]": 1.0}, sobol(8))


def test_a_grid_without_integrals_has_no_certificate():
    terms = ("pf", "cl", "loc", "wk", "tod", "seas")
    model = MixedLogit(" + ".join(terms), random=Normal(*terms))
    values = (-1.0, -0.2, 2.4, 1.7, -9.7, -9.9, 0.2, 0.4, 1.9, 1.2, 2.5, 1.6)
    params = dict(zip(model.design(electricity()).parameters.names, values, strict=True))
    with pytest.raises(IntegrationError, match=r"is not positive on sparse\(level=4"):
        integration_error(model, electricity(), params, sparse(4))


def test_a_shift_that_no_person_informs_is_not_zero_but_unknown():
    """A standard deviation of 0: the printed parameters have no derivative there."""
    here = case()
    frame = attributes(np.random.default_rng(1), 30, 3)
    problem = bind(here.problem.model, choice_data(frame))
    theta = problem.parameters.theta({**AT, "sd[x]": 0.0})
    grid = population_grid(gauss_hermite(3), 2, 30)
    found = certify(problem, theta, grid, np.eye(4), np.ones(4), 1)
    assert np.isnan(found.shift["estimate"]["sd[x]"])
    assert found.shift["estimate"].drop("sd[x]").notna().all()
