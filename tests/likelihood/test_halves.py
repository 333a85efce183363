"""Grids of two halves: what they are made of, and that the bias of log-integrals is gone."""

from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.by_classes import pymc_model_of
from bayesmix.bayes.pointwise import integrated_log_likelihood
from bayesmix.bayes.posterior import serial_on, threaded_on
from bayesmix.centring.grids import centre
from bayesmix.centring.stored_grid import read_grid
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood, log_integrals
from bayesmix.likelihood.halves import corrected, first_share, without_bias
from bayesmix.likelihood.persons import over_persons
from bayesmix.likelihood.point import Point
from tests.bayes.conftest import INTERPRETED
from tests.simulated import simulated

AT = {"mean[x]": 1.0, "mean[y]": -1.0, "sd[x]": 1.5, "sd[y]": 1.0}
RULE = bm.centred(bm.sobol(32), halves=True)
LAWS = {
    "normal": ("x + y", bm.Normal("x", "y"), AT),
    "fixed": ("x + y + z", bm.Normal("x", "y"), AT | {"fixed[z]": 0.5}),
}


@cache
def case(name="normal", persons=60):
    formula, law, at = LAWS[name]
    model = bm.MixedLogit(formula, random=law)
    columns = tuple(formula.split(" + "))
    problem = bind(model, simulated(model, at, persons, 5, columns=columns))
    return problem, problem.parameters.theta(at)


def test_the_value_and_its_derivative() -> None:
    first, second = np.array([-3.0, -2.0, -1.0, -5.0]), np.array([-3.1, -2.0, -0.9, -60.0])
    # But for terms of the fourth order, the jackknife of two groups.
    pooled = np.logaddexp(first, second) - np.log(2)
    jackknife = 2 * pooled - (first + second) / 2
    np.testing.assert_allclose(without_bias(first, second)[:3], jackknife[:3], atol=2e-6)
    # A half that has lost its person adds half a nat, whatever it has of the integral.
    assert without_bias(first, second)[3] == pytest.approx(pooled[3] + 0.5)
    step = 1e-6
    slope = (without_bias(first + step, second) - without_bias(first - step, second)) / (2 * step)
    np.testing.assert_allclose(first_share(first, second), slope, atol=1e-8)
    np.testing.assert_allclose(first_share(second, first), 1 - slope, atol=1e-8)


def test_the_nodes_are_those_of_two_independent_grids() -> None:
    problem, theta = case()
    grid = centre(problem, RULE, theta, 1)
    first, second = grid.halves
    nodes, weights = grid.block(3, 9)
    for half, where in ((first, slice(0, 16)), (second, slice(16, 32))):
        own, own_weights = half.block(3, 9)
        np.testing.assert_array_equal(nodes[:, :, where], own)
        np.testing.assert_array_equal(weights[:, where], own_weights / 2)
    assert not np.isin(first.block(0, 60)[0], second.block(0, 60)[0]).any()
    assert first.size == second.size == 16
    again = read_grid(grid.record, problem)
    np.testing.assert_array_equal(again.block(0, 60)[0], grid.block(0, 60)[0])
    assert again.halves


@pytest.mark.parametrize("keep", [True, False])
def test_log_likelihoods_and_scores_are_those_of_both(keep) -> None:
    problem, theta = case("fixed")
    grid = centre(problem, RULE, theta, 1)
    each = [Likelihood(problem, half).by_person(theta) for half in grid.halves]
    logp, scores = Likelihood(problem, grid, keep=keep).by_person(theta)
    expected = corrected(*each)
    np.testing.assert_array_equal(logp, expected[0])
    np.testing.assert_array_equal(scores, expected[1])
    # In blocks of any size.
    cut = list(over_persons(Point(problem, theta), grid, log_integrals, step=7))
    np.testing.assert_array_equal(np.concatenate([part[0] for part in cut]), logp)


def test_scores_are_the_slopes() -> None:
    problem, theta = case("fixed")
    likelihood = Likelihood(problem, centre(problem, RULE, theta, 1))
    scores = likelihood.by_person(theta)[1]
    for p, move in enumerate(1e-5 * np.eye(len(theta))):
        up, down = (likelihood.by_person(theta + sign * move)[0] for sign in (1, -1))
        np.testing.assert_allclose(scores[:, p], (up - down) / 2e-5, atol=1e-6)


def test_the_bias_is_gone() -> None:
    """Of few nodes a person and many persons, over scramblings: plain integrals are too low."""
    problem, theta = case(persons=1000)
    fine = centre(problem, bm.centred(bm.gauss_hermite(41)), theta, 0)
    exact = Likelihood(problem, fine).by_person(theta)[0].sum()
    errors = {}
    for halves in (False, True):
        rule = bm.centred(bm.monte_carlo(32), halves=halves)
        grids = (centre(problem, rule, theta, seed) for seed in range(20))
        errors[halves] = [Likelihood(problem, g).by_person(theta)[0].sum() - exact for g in grids]
    middle = {k: np.mean(v) for k, v in errors.items()}
    error = {k: np.std(v, ddof=1) / np.sqrt(20) for k, v in errors.items()}
    assert middle[False] < -3 * error[False]
    assert abs(middle[True]) < 2 * error[True]


@pytest.mark.parametrize("name", LAWS)
def test_posteriors_have_the_same_likelihood(name) -> None:
    """As numbers on one thread and on several, as a graph, and for all draws at once."""
    problem, theta = case(name)
    grid = centre(problem, bm.centred(bm.sobol(64), halves=True), theta, 1)
    near = theta + 0.02
    values = [serial_on(problem, grid)(near), threaded_on(problem, grid)(near)]
    np.testing.assert_allclose(values[1][1], values[0][1], rtol=1e-9, atol=1e-9)
    graph = pymc_model_of(problem, grid)
    at = _values(graph, problem, near)
    whole = graph.compile_logp(jacobian=False, mode=INTERPRETED)(at)
    priors = graph.compile_logp(vars=graph.free_RVs, jacobian=False, mode=INTERPRETED)(at)
    assert float(whole - priors) == pytest.approx(values[0][0], abs=1e-9)
    by_draw = integrated_log_likelihood(problem, grid, near[None, None])
    assert by_draw.sum() == pytest.approx(values[0][0], abs=1e-9)
    step = 1e-5 * np.eye(len(near))
    slope = [
        (serial_on(problem, grid)(near + s)[0] - serial_on(problem, grid)(near - s)[0]) / 2e-5
        for s in step
    ]
    np.testing.assert_allclose(values[0][1], slope, rtol=1e-4, atol=1e-4)


def _values(graph, problem, theta):
    """Values of a model's variables at a free vector, of independent normals."""
    mean, chol, fixed, *_ = problem.parameters.unpack(theta)
    known = {"mean": mean, "sd": np.log(np.diag(chol)), "fixed": fixed}
    return {v.name: known[v.name.removesuffix("_log__")] for v in graph.value_vars}


def test_what_cannot_be_halved_is_refused() -> None:
    for rule in (bm.sobol(63), bm.gauss_hermite(9)):
        with pytest.raises(SpecificationError, match=r"'halves': expected an even number"):
            bm.centred(rule, halves=True)
    assert str(RULE) == "centred(sobol(32), population=0.25, inflation=1.2, halves=True)"
