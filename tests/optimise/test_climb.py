"""Climbing on person-centred grids: far starts, settled anchors, walls, the way back from 0."""

from functools import cache

import numpy as np
import pytest

from bayesmix import LKJNormal, LogNormal, Normal
from bayesmix.centring.grids import anchored_grid
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial, starting_values
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise import climb as climb_module
from bayesmix.optimise.climb import climb, settle
from bayesmix.optimise.leave_boundary import at_boundary, leave_boundary
from bayesmix.optimise.maximise import Optimum, Steps, maximise, whitening
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

RULE = centred(sobol(64))
LAWS = {
    "normal": Normal("x", "y"),
    "correlated": LKJNormal("x", "y"),
    "lognormal": [Normal("x"), LogNormal("y", sign=-1)],
}
AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 0.8}
every_law = pytest.mark.parametrize("law", list(LAWS))


@cache
def problem(law):
    model = MixedLogit("x + y", random=LAWS[law])
    at = {**AT, "corr[x, y]": 0.5} if law == "correlated" else AT
    return bind(model, simulated(model, at, 200, 6))


@cache
def exact(law):
    """The optimum on a product of 60 points, its inverse root of curvature, and the value."""
    here = problem(law)
    function = Likelihood(here, population_grid(gauss_hermite(60), 2, 200))
    theta = here.parameters.theta({**AT, "corr[x, y]": 0.5} if law == "correlated" else AT)
    _, scores = function.by_person(theta)
    root = whitening(scores, here.data.weights, natural_units(here))
    found = maximise(function.value_and_gradient, theta, root)
    assert found.converged
    return found, root


def distance(law, theta):
    """From the exact optimum, in standard errors."""
    found, root = exact(law)
    return float(np.linalg.norm(np.linalg.solve(root, theta - found.theta)))


def start(law):
    return starting_values(problem(law), multinomial(problem(law)))


@every_law
def test_the_exact_optimum_is_reached_from_the_logit(law):
    found, grid = climb(problem(law), RULE, start(law), np.random.default_rng(1))
    assert found.converged
    assert distance(law, found.theta) < 0.3
    assert found.value == pytest.approx(exact(law)[0].value, abs=1.0)
    assert distance(law, grid.anchors.theta) < 1.5


@every_law
def test_the_exact_optimum_is_reached_from_afar(law):
    far = start(law) + np.random.default_rng(2).normal(scale=1.0, size=len(start(law)))
    found, _ = climb(problem(law), RULE, far, np.random.default_rng(3))
    assert found.converged
    assert distance(law, found.theta) < 0.3


def test_the_optimum_is_stationary_on_the_returned_grid():
    here = problem("correlated")
    found, grid = climb(here, RULE, start("correlated"), np.random.default_rng(1))
    value, gradient = Likelihood(here, grid).value_and_gradient(found.theta)
    assert value == pytest.approx(found.value, rel=1e-12)
    _, root = exact("correlated")
    assert np.abs(root.T @ gradient).max() < 2e-3


def test_the_grid_is_a_function_of_rule_anchor_and_key():
    here = problem("lognormal")
    for rule in (RULE, centred(sobol(64), moments=True)):
        _, grid = climb(here, rule, start("lognormal"), np.random.default_rng(1))
        again = anchored_grid(here, rule, grid.anchors.theta, grid.base)
        for a, b in zip(grid.block(0, 200), again.block(0, 200), strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_same_generator_gives_the_same_numbers():
    runs = [climb(problem("normal"), RULE, start("normal"), np.random.default_rng(5)) for _ in "12"]
    np.testing.assert_array_equal(runs[0][0].theta, runs[1][0].theta)
    assert runs[0][1].base.key == runs[1][1].base.key


def test_evaluations_are_counted_and_values_reported():
    heard = []
    found, _ = climb(
        problem("normal"),
        RULE,
        start("normal"),
        np.random.default_rng(1),
        steps=Steps(callback=heard.append),
    )
    assert found.evaluations >= len(heard) > 5


@pytest.mark.parametrize("promise", [1e4, 0.0], ids=["a lie", "the truth"])
def test_steps_must_climb_on_fresh_nodes(promise, monkeypatch):
    """A step that climbs on its own nodes alone is cut and in the end refused."""
    here, (top, root) = problem("normal"), exact("normal")
    origin = top.theta + 6.0 * root[:, 1]
    aim = origin + 40.0 * root[:, 1] if promise else top.theta
    settled = []

    def local(likelihood, start, root, **options):
        logp, scores = likelihood.by_person(start)
        value, gradient = logp.sum(), scores.sum(axis=0)
        end = aim if np.array_equal(start, origin) else start
        return Optimum(end, value + promise, gradient, 0.0, 1, True, "")

    def settle(problem, rule, theta, rng, **options):
        settled.append(theta)
        return Optimum(theta, 0.0, theta, 0.0, 1, True, ""), None

    monkeypatch.setattr(climb_module, "maximise_likelihood", local)
    monkeypatch.setattr(climb_module, "settle", settle)
    climb(here, RULE, origin, np.random.default_rng(1))
    if promise:
        assert distance("normal", settled[0]) < 6.5
    else:
        assert distance("normal", settled[0]) < 0.1


def test_settling_anchors_again_where_the_optimum_is_far():
    here, (top, root) = problem("normal"), exact("normal")
    near = top.theta + 0.2 * root[:, 0]
    far = top.theta + 8.0 * root[:, 0]
    for origin in (near, far):
        found, grid = settle(here, RULE, origin, np.random.default_rng(1))
        assert found.converged
        assert distance("normal", found.theta) < 0.3
        step = np.linalg.norm(np.linalg.solve(root, found.theta - grid.anchors.theta))
        assert step < 2 * climb_module.FAR_STEP


def test_signs_of_the_anchor_are_canonical():
    here, (top, _) = problem("normal"), exact("normal")
    mirrored = top.theta * np.array([1, 1, -1, -1])
    found, grid = settle(here, RULE, mirrored, np.random.default_rng(1))
    assert (found.theta[2:] > 0).all()
    assert (grid.anchors.theta[2:] > 0).all()


# -- standard deviations near 0 -----------------------------------------------------------------


def test_what_is_near_the_boundary():
    here = problem("lognormal")
    spread = here.design.spread
    for sd, expected in (([1.0, 1.0], []), ([0.09 / spread[0], 1.0], [0]), ([1.0, 0.05], [1])):
        theta = here.parameters.pack(np.zeros(2), np.diag(sd), np.zeros(0))
        assert at_boundary(here, theta) == expected
    full = problem("correlated")
    chol = np.array([[0.01, 0.0], [0.8, 0.0]])
    # The second has all its variance in common with the first: it is not near 0.
    assert at_boundary(full, full.parameters.pack(np.zeros(2), chol, np.zeros(0))) == [0]


@pytest.mark.parametrize("law", ["normal", "lognormal"])
def test_a_collapsed_optimum_is_left(law):
    """From sd[y] = 0 the gradient has no component that would lead away."""
    here = problem(law)
    origin = exact(law)[0].theta.copy()
    origin[3] = 0.0
    visited = []

    def search(theta):
        visited.append(theta)
        if len(visited) == 1:
            value, _ = Likelihood(
                here, population_grid(gauss_hermite(9), 2, 200)
            ).value_and_gradient(theta)
            return Optimum(theta, value, np.zeros(4), 0.0, 1, True, "stays"), None
        return settle(here, RULE, theta, np.random.default_rng(1))

    found, _ = leave_boundary(here, search, origin)
    assert at_boundary(here, found.theta) == []
    assert distance(law, found.theta) < 0.3
    assert len(visited) == 2


def test_a_collapsed_optimum_is_kept_where_nothing_better_is_found():
    here = problem("normal")
    origin = exact("normal")[0].theta.copy()
    origin[3] = 0.0
    visited = []

    def search(theta):
        visited.append(theta)
        value = -100.0 if len(visited) == 1 else -100.01
        return Optimum(theta, value, np.zeros(4), 0.0, 1, True, ""), len(visited)

    found, grid = leave_boundary(here, search, origin)
    assert found.value == -100.0
    assert grid == 1
    assert len(visited) == 2
    assert visited[1][3] > 0.1
    np.testing.assert_array_equal(visited[1][:3], origin[:3])


@pytest.mark.parametrize("law", ["normal", "correlated"])
def test_a_known_optimum_is_recognised_on_other_nodes_and_with_other_signs(law):
    """On few nodes optima of one maximum differ by their noise; a start may come from -s."""
    rule, here = centred(sobol(16)), problem(law)
    known = climb(here, rule, start(law), np.random.default_rng(1))
    space = here.parameters
    mean, chol, fixed, *_ = space.unpack(start(law))
    mirrored = space.pack(mean, -chol, fixed, np.zeros(0), np.zeros(0))
    for seed in range(2, 6):
        alone, _ = climb(here, rule, mirrored, np.random.default_rng(seed))
        again, grid = climb(here, rule, mirrored, np.random.default_rng(seed), known=[known])
        assert not np.array_equal(alone.theta, known[0].theta)
        np.testing.assert_array_equal(again.theta, known[0].theta)
        assert grid is known[1]
        near, _ = climb(here, rule, alone.theta, np.random.default_rng(seed), known=[known])
        np.testing.assert_array_equal(near.theta, known[0].theta)
