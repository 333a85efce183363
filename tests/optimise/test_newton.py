"""Newton's method on nodes that follow: the root of the scores, from wherever a climb has ended."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bayesmix.centring.grids import centre
from bayesmix.classical.msle import msle
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.optimise.anchored_scores import anchored_scores
from bayesmix.optimise.newton import NEAR, ROOT, _Model, loosened, newton, rises
from bayesmix.specification.laws.joint import LKJNormal
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

RULE = centred(sobol(512), population=0.125, moments=True)
AT = {"mean[x]": 1.0, "mean[y]": -1.0, "sd[x]": 2.0, "sd[y]": 2.5, "corr[x, y]": 0.5}


@cache
def panel():
    """A long panel, its exact maximum (of quadrature centred on persons) and standard errors."""
    model = MixedLogit("x + y + z", random=LKJNormal("x", "y"))
    data = simulated(model, AT | {"fixed[z]": 0.7}, 80, 30, columns=("x", "y", "z"))
    exact = msle(model, data, grid=centred(gauss_hermite(31)), starts=1, rng=1)
    return bind(model, data), exact


def found(start, seed=3, **options):
    problem, _ = panel()
    base = population_grid(RULE.rule, 2, problem.n_persons, seed)
    return newton(problem, RULE, loosened(problem, start), base, **options)


@pytest.mark.parametrize(
    "start",
    [
        {"mean[x]": 0.0, "mean[y]": 0.0, "sd[x]": 1.0, "sd[y]": 1.0, "corr[x, y]": 0.0},
        {"sd[x]": 0.5, "sd[y]": 6.0, "corr[x, y]": -0.999},
        {"sd[x]": 0.0, "corr[x, y]": 0.0},
    ],
    ids=["far", "whole correlation", "at the boundary"],
)
def test_every_start_leads_to_the_exact_maximum(start):
    problem, exact = panel()
    optimum, grid = found(problem.parameters.theta(dict(exact.params) | start))
    assert optimum.frozen == "newton"
    assert optimum.converged
    assert optimum.decrement < ROOT
    estimates = problem.parameters.natural(optimum.theta)
    assert (np.abs(estimates - exact.params) < 0.1 * exact.std_errors).all()
    assert optimum.value == pytest.approx(exact.loglik, abs=0.2)
    # It is a root of the scores on the very grid that is returned, which rule and draws make anew.
    again = centre(problem, RULE, optimum.theta, 3)
    np.testing.assert_array_equal(again.anchors.centres, grid.anchors.centres)
    logp, scores = anchored_scores(problem, again)
    np.testing.assert_allclose(scores.sum(axis=0), optimum.gradient, atol=1e-9)
    np.testing.assert_allclose(Likelihood(problem, again).by_person(optimum.theta)[0], logp)


def test_a_search_ends_where_a_known_root_is_near():
    problem, exact = panel()
    start = problem.parameters.theta(dict(exact.params) | {"sd[x]": 3.0})
    assert found(start, known=lambda at: True)[0].evaluations < found(start)[0].evaluations


def test_a_search_ends_as_near_as_it_is_told():
    """The root of few nodes is where the search on many begins: its last digits are of no use."""
    problem, exact = panel()
    start = problem.parameters.theta(dict(exact.params) | {"sd[x]": 3.0})
    near, nearer = found(start, near=NEAR)[0], found(start)[0]
    assert near.evaluations < nearer.evaluations
    assert ROOT < near.decrement < NEAR


def test_a_root_on_other_nodes_is_not_loosened():
    """Where correlations are nearly whole, every finer grid began two nats below the last one."""
    problem, exact = panel()
    tight = problem.parameters.theta(dict(exact.params) | {"corr[x, y]": 0.97})
    base = population_grid(RULE.rule, 2, problem.n_persons, 3)
    seen = []

    def known(at):
        seen.append(at)
        return True

    newton(problem, RULE, tight, base, known=known)
    np.testing.assert_allclose(seen[0], tight)
    assert np.abs(loosened(problem, tight) - tight).max() > 0.01


def test_the_way_up_is_seen_and_the_way_down_too():
    problem, exact = panel()
    base = population_grid(RULE.rule, 2, problem.n_persons, 3)
    top = problem.parameters.theta(exact.params)
    low = problem.parameters.theta(dict(exact.params) | {"mean[x]": 0.0, "sd[y]": 1.0})
    assert rises(problem, RULE, low, top, base, 9.0)
    assert not rises(problem, RULE, top, low, base, 9.0)
    # Beyond the top it falls again: rising at first is not enough.
    assert not rises(problem, RULE, low, top + (top - low), base, 18.0)


def test_without_density_there_is_no_search():
    problem, exact = panel()
    spaces = bind(replace(problem.model, wtp="z"), problem.data)
    theta = problem.parameters.theta(exact.params)
    base = population_grid(RULE.rule, 2, problem.n_persons, 3)
    assert newton(spaces, RULE, theta, base) is None
    assert newton(problem, RULE, np.full_like(theta, np.nan), base) is None


def test_loosened_keeps_standard_deviations_and_what_is_loose():
    problem, exact = panel()
    space = problem.parameters
    theta = space.theta(exact.params)
    np.testing.assert_allclose(loosened(problem, theta), theta)
    tight = space.theta(dict(exact.params) | {"corr[x, y]": 0.99999})
    named = space.series(space.natural(loosened(problem, tight)))
    assert named["corr[x, y]"] == pytest.approx(np.sqrt(1 - 0.3**2))
    np.testing.assert_allclose(named.drop("corr[x, y]"), exact.params.drop("corr[x, y]"))


def test_an_updated_curvature_has_seen_the_gradient_fall():
    """The secant condition, in whitened coordinates; a gradient that rises changes nothing."""
    rng = np.random.default_rng(1)
    root, move = np.linalg.cholesky(np.cov(rng.normal(size=(3, 20)))), rng.normal(size=3)
    model = _Model(root, np.eye(3))
    fall = np.linalg.solve(root.T, 1.5 * np.linalg.solve(root, move))
    new = model.updated(move, fall)
    np.testing.assert_allclose(new.curvature @ np.linalg.solve(root, move), root.T @ fall)
    np.testing.assert_allclose(new.curvature, new.curvature.T)
    assert np.linalg.eigvalsh(new.curvature).min() > 0
    assert model.updated(move, -fall) is model
