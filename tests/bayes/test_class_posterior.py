"""Latent classes as a function of numbers: the law of PyMC's graph, and coordinates in order."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.class_labels import numbered_classes, ordering
from bayesmix.bayes.class_posterior import (
    ClassPosterior,
    class_coordinates_of,
    serial_on_classes,
    whitened_classes,
)
from bayesmix.bayes.class_priors import class_priors
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.centring.grids import centre
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.points_grid import points_grid
from tests.bayes.conftest import INTERPRETED
from tests.simulated import simulated

POINTS = bm.MixedLogit("x + y", bm.LatentClass("x", classes=3))
SHARED = bm.MixedLogit("x + y + w", [bm.LatentClass("x", bm.Normal("y")), bm.Normal("w")])
CORRELATED = bm.MixedLogit("x + y + w", bm.LatentClass("x", bm.LKJNormal("y", "w")))
MODELS = {"points": POINTS, "a law that is shared": SHARED, "correlated": CORRELATED}


@pytest.fixture(scope="module")
def data():
    at = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": 0.5, "fixed[w]": -0.5}
    model = bm.MixedLogit("x + y + w", bm.Normal("x"))
    return simulated(model, at, 40, 4, seed=3, columns=("x", "y", "w"))


@pytest.fixture(scope="module", params=MODELS)
def posterior(request, data):
    problem = bind(MODELS[request.param], data)
    at = 0.5 * np.random.default_rng(4).normal(size=problem.parameters.size)
    grid = points_grid(problem)
    if problem.parameters.n_random:
        grid = centre(problem, bm.centred(bm.sobol(8)), at, 1)
    order = ordering(problem, numbered_classes(problem))
    within = class_coordinates_of(problem, order)
    return ClassPosterior(
        problem, class_priors(problem), serial_on_classes(problem, grid), within
    ), grid


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_the_law_is_that_of_the_graph(data, posterior):
    own, grid = posterior
    problem, rng = own.problem, np.random.default_rng(2)
    pymc = bm.pymc_model(problem.model, data, likelihood="marginal", grid=grid)
    whole = pymc.compile_logp(mode=INTERPRETED, jacobian=False)
    kinds, start = list(problem.parameters.labels), pymc.initial_point()
    inside = pymc.replace_rvs_by_values([pymc[kind] for kind in kinds])
    printed = pymc.compile_fn(inside, on_unused_input="ignore", mode=INTERPRETED)
    gaps = []
    for _ in range(3):
        at = {k: v + 0.2 * rng.normal(size=v.shape) for k, v in start.items()}
        values = zip(kinds, printed(at), strict=True)
        tree = xr.Dataset({k: (("chain", "draw", k), v[None, None]) for k, v in values})
        theta = free_vectors(problem, tree)[0, 0]
        expected = Likelihood(problem, grid).value_and_gradient(theta)[0]
        assert own.likelihood(theta)[0] == pytest.approx(expected, abs=1e-12)
        gaps.append(float(whole(at)) - own.likelihood(theta)[0] - own.prior(theta)[0])
    np.testing.assert_allclose(np.diff(gaps), 0.0, atol=1e-10)


def test_coordinates_keep_the_order_and_know_their_jacobian(posterior):
    own, _ = posterior
    within, size = own.coordinates, own.problem.parameters.size
    q, step = 0.3 * np.random.default_rng(1).normal(size=size), 1e-6
    theta, log_jacobian, _ = within.point(q)
    assert (np.diff(theta[within.places]) > 0).all()
    np.testing.assert_allclose(within.theta(q), theta, atol=1e-14)
    np.testing.assert_allclose(within.at(theta), q, atol=1e-13)
    moves = step * np.eye(size)
    jacobian = [(within.theta(q + d) - within.theta(q - d)) / (2 * step) for d in moves]
    assert np.linalg.slogdet(np.array(jacobian))[1] == pytest.approx(log_jacobian, abs=1e-8)
    np.testing.assert_allclose(within.slopes(q, np.eye(size)), np.array(jacobian).T, atol=1e-8)


def test_gradient_is_that_of_the_value(posterior):
    own, _ = posterior
    size, step = own.problem.parameters.size, 1e-5
    q = 0.3 * np.random.default_rng(1).normal(size=size)
    numeric = [(own(q + d)[0] - own(q - d)[0]) / (2 * step) for d in step * np.eye(size)]
    np.testing.assert_allclose(own(q)[1], numeric, atol=1e-7)


def test_whitened_around_the_mode(data):
    problem = bind(POINTS, data)
    begin = numbered_classes(problem)
    order = ordering(problem, begin)
    found = whitened_classes(problem, points_grid(problem), begin, order)
    at_mode, slope = found(np.zeros(found.size))
    np.testing.assert_allclose(slope, 0.0, atol=2e-3)
    step = 0.05
    for move in step * np.eye(found.size):
        bend = (2 * at_mode - found(move)[0] - found(-move)[0]) / step**2
        assert bend == pytest.approx(1.0, rel=0.05)
    natural = problem.parameters.natural(found.theta(np.zeros(found.size)))
    values = problem.parameters.series(natural)
    assert (np.diff(values[list(order.names)]) > 0).all()
