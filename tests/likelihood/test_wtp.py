"""WTP space: the same law of choices in other coordinates."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.optimize import approx_fprime, minimize

from bayesmix import LKJNormal, LogNormal, MixedLogit, Normal
from bayesmix.bayes.graph import (
    conditional_log_probabilities,
    free_parameters,
    log_integrals,
    shared_chunk,
)
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.kernels.laws import MAP
from bayesmix.kernels.modes import find_modes
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial, starting_values
from bayesmix.likelihood.point import Point
from tests.bayes.conftest import INTERPRETED
from tests.oracles import choice_frame, choices, log_probability

FORMULA = "price + time + C(mode)"
PRICE = LogNormal("price", sign=-1)
MODELS = {
    "fixed price": [Normal("time")],
    "lognormal price": [PRICE, Normal("time")],
    "price last, correlated": [LKJNormal("time", "mode[train]"), PRICE],
    "lognormal willingness": [LogNormal("time", sign=-1), PRICE],
}


def problem(random, outside=False, wtp="price"):
    data = choices(choice_frame(np.random.default_rng(1), outside=outside), outside_option=outside)
    return bind(MixedLogit(FORMULA, random=random, wtp=wtp), data)


def point(bound):
    space = bound.parameters
    rng = np.random.default_rng(3)
    mean = rng.normal(scale=0.4, size=space.n_random)
    chol = np.tril(rng.normal(scale=0.4, size=(space.n_random,) * 2))
    fixed = rng.normal(scale=0.4, size=len(space.fixed))
    if "price" in space.fixed:
        fixed[space.fixed.index("price")] = -0.8
    return space.pack(mean, chol, fixed)


def test_with_a_fixed_price_it_is_the_preference_space_model_in_other_units():
    random = LKJNormal("time", "mode[train]")
    ours, theirs = problem(random), problem(random, wtp=None)
    grid = population_grid(sobol(32), 2, ours.n_persons, 1)
    theta = point(ours)
    mean, chol, fixed, *_ = ours.parameters.unpack(theta)
    price = fixed[ours.parameters.fixed.index("price")]
    others = np.array([n != "price" for n in ours.parameters.fixed])
    preference = ours.parameters.pack(
        -price * mean, -price * chol, np.where(others, -price * fixed, fixed)
    )
    value, scores = Likelihood(ours, grid).by_person(theta)
    expected, _ = Likelihood(theirs, grid).by_person(preference)
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-12)
    assert scores.shape == (ours.n_persons, len(theta))


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("kind", MODELS)
def test_coefficients_and_gradient(kind, outside):
    bound = problem(MODELS[kind], outside)
    theta = point(bound)
    space = bound.parameters
    grid = population_grid(sobol(16), space.n_random, bound.n_persons, 1)
    nodes, weights = grid.block(0, bound.n_persons)
    mean, chol, fixed, *_ = space.unpack(theta)
    index = mean[:, None] + np.einsum("kj,ijs->iks", chol, nodes)
    lognormal = bound.laws[:, [MAP]] != 0  # all of them negative
    willingness = np.where(lognormal, -np.exp(index), index)
    everyone = np.broadcast_to(fixed[:, None], (len(index), len(fixed), grid.size))
    beta = np.concatenate([willingness, everyone], axis=1)
    price = bound.x_names.index("price")
    beta = np.where(np.arange(len(bound.x_names))[:, None] == price, beta, -beta * beta[:, [price]])
    np.testing.assert_allclose(Point(bound, theta).coefficients(nodes), beta, rtol=1e-12)

    function = Likelihood(bound, grid)
    panel = bound.panel()
    logp = np.array(
        [
            np.log(
                np.exp(log_probability(panel, i, Point(bound, theta).base, beta[i])) @ weights[i]
            )
            for i in range(bound.n_persons)
        ]
    )
    found, scores = function.by_person(theta)
    np.testing.assert_allclose(found, logp, rtol=1e-12)
    value, gradient = function.value_and_gradient(theta)
    assert value == pytest.approx(bound.data.weights @ logp, rel=1e-13)
    np.testing.assert_allclose(bound.data.weights @ scores, gradient, rtol=1e-9, atol=1e-9)
    numeric = approx_fprime(theta, lambda at: function.value_and_gradient(at)[0], 1e-7)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-5, atol=2e-4)


@pytest.mark.parametrize("kind", MODELS)
def test_modes_and_curvature(kind):
    bound = problem(MODELS[kind], outside=True)
    theta = point(bound)
    size = bound.parameters.n_random
    mixture = Point(bound, theta).mixture(np.zeros((1, size, 1)), np.ones((1, 1)))
    base = Point(bound, theta).base
    panel = bound.panel()
    modes, precisions, converged = find_modes(
        panel, base, mixture, np.zeros((bound.n_persons, size))
    )
    assert converged.all()
    for i in range(8):

        def height(z, i=i):
            beta = Point(bound, theta).coefficients(z.reshape(1, size, 1))[0]
            return 0.5 * z @ z - log_probability(panel, i, base, beta)[0]

        best = minimize(height, np.zeros(size), tol=1e-10)
        np.testing.assert_allclose(modes[i], best.x, atol=2e-4)
        step = 1e-4 * np.eye(size)
        second = [
            [
                (height(modes[i] + a + b) - height(modes[i] + a - b))
                - (height(modes[i] - a + b) - height(modes[i] - a - b))
                for a in step
            ]
            for b in step
        ]
        np.testing.assert_allclose(precisions[i], np.array(second) / 4e-8, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["price last, correlated"])
def test_samplers_see_the_same_model(kind):
    """The graph of one node at u is the hierarchical model at z = u."""
    bound = problem(MODELS[kind], outside=True)
    theta = point(bound)
    grid = population_grid(sobol(1), bound.parameters.n_random, bound.n_persons, 1)
    variable = pt.dvector()
    parameters = free_parameters(variable, bound.parameters)
    chunk = bound.chunk(grid, 0, bound.n_persons)
    marginal = log_integrals(bound, shared_chunk(chunk), parameters)
    deviations = pt.constant(chunk.nodes[:, :, 0]) @ parameters.chol.T
    each = conditional_log_probabilities(bound, deviations, parameters)
    sums = [marginal.sum(), each.sum()]
    outputs = [*sums, *(pytensor.grad(s, variable) for s in sums)]
    one, other, d_one, d_other = pytensor.function([variable], outputs, mode=INTERPRETED)(theta)
    value, gradient = Likelihood(bound, grid).value_and_gradient(theta)
    np.testing.assert_allclose([one, other], value, rtol=1e-12)
    np.testing.assert_allclose(d_one, gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(d_other, gradient, rtol=1e-9, atol=1e-9)


def test_starts_are_the_logit_in_units_of_the_price():
    bound = problem([])
    logit = multinomial(bound)
    price = bound.parameters.fixed.index("price")
    theta = starting_values(bound, logit)
    expected = logit.coefficients / -logit.coefficients[price]
    expected[price] = logit.coefficients[price]
    np.testing.assert_allclose(theta, expected, rtol=1e-12)
    value, _ = Likelihood(bound, population_grid(sobol(1), 0, bound.n_persons)).value_and_gradient(
        theta
    )
    assert value == pytest.approx(logit.loglik, rel=1e-12)


def test_what_cannot_be_a_price():
    with pytest.raises(SpecificationError, match=r"both signs.*LogNormal\('price', sign=-1\)"):
        MixedLogit(FORMULA, random=Normal("price"), wtp="price")
    with pytest.raises(SpecificationError, match="did you mean 'price'"):
        problem([], wtp="prize")
