"""The PyTensor Ops: values, pullbacks, both linkers, several threads at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numba import njit

from bayesmix import Correlated, LogNormal, Normal
from bayesmix.bayes.density_ops import DensityLogProb
from bayesmix.bayes.graph import (
    free_parameters,
    log_integrals,
    shared_chunk,
)
from bayesmix.bayes.ops import IntegratedLogProb
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.kernels.integrals import integrate_serial
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit
from tests.bayes.conftest import INTERPRETED
from tests.oracles import choice_frame, choices, differences, random_mixture, random_panel

MODES = {"interpreted": INTERPRETED, "compiled": "NUMBA"}
PERSONS, SIZE = 5, 3
# Central differences with a step of 1e-5 of sums of order 10: truncation and rounding of 1e-9.
DIFFERENCES = 1e-7


def integrals_at(with_base=True, own_loc=False):
    """Inputs of `IntegratedLogProb`: the three differentiable arrays, and the rest."""
    rng = np.random.default_rng(1)
    panel = random_panel(rng, PERSONS, SIZE, outside=True)
    mixture = random_mixture(rng, PERSONS, SIZE, 150, link=-1)
    loc = rng.normal(size=(PERSONS, SIZE)) if own_loc else mixture.loc
    base = rng.normal(size=len(panel.x)) if with_base else np.zeros(len(panel.x))
    sizes = np.diff(panel.situation_start[panel.person_start])
    row_person = np.repeat(np.arange(PERSONS), sizes)
    rest = (*panel[:4], row_person)
    rest += (mixture.laws, mixture.known, mixture.nodes, mixture.weights)
    return (loc, mixture.chol, base), rest, panel, mixture


def densities_at(own_loc=False):
    rng = np.random.default_rng(2)
    chol = np.tril(rng.normal(scale=0.3, size=(SIZE, SIZE))) + np.eye(SIZE)
    loc = rng.normal(size=(PERSONS if own_loc else 1, SIZE))
    free = np.tril(np.ones((SIZE, SIZE), dtype=bool))
    nodes, constants = rng.normal(size=(PERSONS, SIZE, 40)), rng.normal(size=(PERSONS, 40))
    return (loc, chol), (free, nodes, constants)


def value_and_slopes(op, moving, rest, mode):
    """A compiled function of the moving inputs: ``c'log P`` and its derivatives; c = 1 .. n."""
    symbols = [pt.TensorType("float64", shape=a.shape)() for a in moving]
    logp = op(*symbols, *(pt.constant(a) for a in rest))[0]
    total = (logp * (1.0 + pt.arange(PERSONS))).sum()
    return pytensor.function(symbols, [total, *pytensor.grad(total, symbols)], mode=mode)


@pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))
@pytest.mark.parametrize("own_loc", [False, True])
def test_integrals_and_their_pullback(own_loc, mode):
    moving, rest, panel, mixture = integrals_at(own_loc=own_loc)
    function = value_and_slopes(IntegratedLogProb(True, True), moving, rest, mode)
    value, *gradients = function(*moving)
    kernel = integrate_serial(panel, moving[2], mixture._replace(loc=moving[0]), True)[0]
    np.testing.assert_allclose(value, kernel @ np.arange(1, PERSONS + 1), rtol=1e-13)
    for k, gradient in enumerate(gradients):

        def at(a, k=k):
            return function(*moving[:k], a, *moving[k + 1 :])[0]

        expected = differences(at, moving[k]).reshape(moving[k].shape)
        assert gradient.shape == moving[k].shape
        expected = np.tril(expected) if k == 1 else expected
        np.testing.assert_allclose(gradient, expected, atol=DIFFERENCES)


@pytest.mark.parametrize("mode", MODES.values(), ids=list(MODES))
@pytest.mark.parametrize("own_loc", [False, True])
def test_densities_and_their_pullback(own_loc, mode):
    moving, rest = densities_at(own_loc)
    function = value_and_slopes(DensityLogProb(), moving, rest, mode)
    value, *gradients = function(*moving)
    kernel = density_integrals(*moving, *rest)[0]
    np.testing.assert_allclose(value, kernel @ np.arange(1, PERSONS + 1), rtol=1e-13)
    for k, gradient in enumerate(gradients):

        def at(a, k=k):
            return function(*moving[:k], a, *moving[k + 1 :])[0]

        expected = differences(at, moving[k]).reshape(moving[k].shape)
        expected = np.tril(expected) if k == 1 else expected
        np.testing.assert_allclose(gradient, expected, atol=DIFFERENCES)


def test_without_fixed_coefficients_no_derivative_by_row_is_computed():
    moving, rest, *_ = integrals_at(with_base=False)
    op = IntegratedLogProb(True, False)
    outputs = op(*(pt.constant(a) for a in (*moving, *rest)))
    assert pytensor.function([], outputs[3], mode=INTERPRETED)().shape == (0,)


def test_second_derivatives_are_refused():
    moving, rest, *_ = integrals_at()
    loc = pt.TensorType("float64", shape=moving[0].shape)()
    constants = [pt.constant(a) for a in (*moving[1:], *rest)]
    logp = IntegratedLogProb(True, True)(loc, *constants)[0]
    gradient = pytensor.grad(logp.sum(), loc)
    with pytest.raises(NotImplementedError, match="second derivatives"):
        pytensor.grad(gradient.sum(), loc)


def likelihood(mode):
    """The graph of a model with all kinds of parameters, as a function of theta."""
    rng = np.random.default_rng(3)
    model = MixedLogit(
        "price + time + C(mode)", random=Correlated(Normal("time"), LogNormal("price", sign=-1))
    )
    problem = bind(model, choices(choice_frame(rng)))
    grid = population_grid(sobol(64), 2, problem.n_persons, rng=4)
    chunk = shared_chunk(problem.chunk(grid, 0, problem.n_persons))
    theta = pt.dvector()
    total = log_integrals(problem, chunk, free_parameters(theta, problem.parameters)).sum()
    function = pytensor.function([theta], [total, pytensor.grad(total, theta)], mode=mode)
    return function, Likelihood(problem, grid), rng.normal(scale=0.3, size=problem.parameters.size)


@pytest.fixture(scope="module")
def compiled():
    return likelihood("NUMBA")


def test_the_gradient_in_theta_is_that_of_differences(compiled):
    function, _, theta = compiled
    expected = differences(lambda a: function(a)[0], theta)
    np.testing.assert_allclose(function(theta)[1], expected, atol=DIFFERENCES)


def test_linkers_agree(compiled):
    function, _, theta = compiled
    interpreted, *_ = likelihood(INTERPRETED)
    for a, b in zip(function(theta), interpreted(theta), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_the_graph_is_the_likelihood_that_optimisers_see(compiled):
    function, numpy, theta = compiled
    for a, b in zip(function(theta), numpy.value_and_gradient(theta), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_a_compiled_function_serves_several_threads_at_once(compiled):
    # As samplers with a thread a chain use it, without Python's lock: with the layer of threads set
    # in conftest.py, a parallel kernel in the compiled Op would abort the process.
    function, _, theta = compiled
    body = function.vm.jit_fn
    arrays = tuple(s.storage[0] for s in function.input_storage[1:])

    @njit(nogil=True)
    def again_and_again(point, arrays):
        value, gradient = body(point, *arrays)
        for _ in range(200):
            value, gradient = body(point, *arrays)
        return value, gradient

    points = [theta + 0.01 * k for k in range(4)]
    alone = [function(point) for point in points]
    again_and_again(theta, arrays)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(again_and_again, points, [arrays] * 4))
    for (value, gradient), expected in zip(results, alone, strict=True):
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])
