"""The sampler's coordinates: partial correlations, Jacobians, and what happens near 0."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.optimize import approx_fprime

import bayesmix as bm
from bayesmix.bayes.coordinates import Coordinates, Row, coordinates_of
from bayesmix.bayes.posterior import LogPosterior
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.bind import bind
from tests.bayes.conftest import INTERPRETED
from tests.oracles import choice_frame, choices

from .graphs import symbolic as symbolic_theta

BLOCK = Coordinates(
    (Row(1, np.array([], dtype=int)), Row(3, np.array([2])), Row(6, np.array([4, 5])))
)
"""Of a vector of a mean, three rows of a factor, and a fixed coefficient."""
Q = np.array([0.7, -0.4, 0.9, 0.3, -1.2, 0.5, -2.0, 1.5])


def test_they_are_logarithms_and_partial_correlations() -> None:
    theta = BLOCK.theta(Q)
    chol = np.zeros((3, 3))
    chol[np.tril_indices(3)] = theta[1:7]
    sd = np.sqrt((chol**2).sum(axis=1))
    np.testing.assert_allclose(np.log(sd), Q[[1, 3, 6]])
    corr = (chol / sd[:, None]) @ (chol / sd[:, None]).T
    assert np.arctanh(corr[0, 1]) == pytest.approx(Q[2])
    assert np.arctanh(corr[0, 2]) == pytest.approx(Q[4])
    partial = (corr[1, 2] - corr[0, 1] * corr[0, 2]) / np.sqrt(
        (1 - corr[0, 1] ** 2) * (1 - corr[0, 2] ** 2)
    )
    assert np.arctanh(partial) == pytest.approx(Q[5])
    np.testing.assert_array_equal(theta[[0, 7]], Q[[0, 7]])
    many = np.array([Q, -Q])
    np.testing.assert_allclose(BLOCK.at(BLOCK.theta(many)), many)
    np.testing.assert_array_equal(BLOCK.theta(many)[0], theta)
    np.testing.assert_array_equal(BLOCK.log_jacobian(many)[1], BLOCK.log_jacobian(-Q))


def test_slopes_and_jacobian_are_those_of_differences() -> None:
    jacobian = np.array(
        [approx_fprime(Q, lambda q, p=p: BLOCK.theta(q)[p], 1e-7) for p in range(8)]
    )
    by_theta = np.random.default_rng(1).normal(size=(2, 8))
    np.testing.assert_allclose(BLOCK.slopes(Q, by_theta), by_theta @ jacobian, atol=1e-5)
    theta, value, gradient = BLOCK.point(Q)
    np.testing.assert_allclose(theta, BLOCK.theta(Q), rtol=1e-13)
    assert value == pytest.approx(float(BLOCK.log_jacobian(Q)), abs=1e-12)
    for own in by_theta:
        one = BLOCK.gradient(Q, theta, own)
        np.testing.assert_allclose(one, BLOCK.slopes(Q, own), rtol=1e-12, atol=1e-13)
    assert value == pytest.approx(np.linalg.slogdet(jacobian)[1], abs=1e-5)
    numerical = approx_fprime(Q, BLOCK.log_jacobian, 1e-7)
    np.testing.assert_allclose(gradient, numerical, atol=1e-5)
    symbolic = pt.dvector()
    graph = pytensor.function([symbolic], symbolic_theta(BLOCK, symbolic), mode=INTERPRETED)
    theta, total = graph(Q)
    np.testing.assert_allclose(theta, BLOCK.theta(Q), rtol=1e-12)
    assert float(total) == pytest.approx(value, abs=1e-12)


def problem_of(**constraints):
    rng = np.random.default_rng(4)
    frame = choice_frame(rng)
    frame["comfort"] = rng.normal(size=len(frame))
    model = bm.MixedLogit(
        "price + time + comfort",
        random=bm.LKJNormal("price", "time", "comfort", eta=1.0),
        constraints=bm.Constraints(**constraints),
    )
    return bind(model, choices(frame))


def test_entries_that_are_held_are_none() -> None:
    problem = problem_of(fixed={"corr[price, comfort]": 0})
    rows = coordinates_of(problem, make_priors(problem)).rows
    assert [len(row.before) for row in rows] == [0, 1, 1]
    q = np.linspace(-0.5, 0.5, problem.parameters.size)
    held = [p for p in range(len(q)) if p not in problem.constraint.free]
    q[held] = 0.0
    assert (coordinates_of(problem, make_priors(problem)).theta(q)[held] == 0.0).all()


def test_nothing_pulls_a_small_standard_deviation_down() -> None:
    """Without data the last law's density falls with every factor of 1/e, by one nat.

    In the entries of the factor themselves, with a logarithmic diagonal, it grew by one.
    """
    problem = problem_of()
    flat = lambda theta: (0.0, np.zeros(len(theta)))  # noqa: E731
    posterior = LogPosterior(problem, make_priors(problem), flat)
    q = np.zeros(problem.parameters.size)
    for row in posterior.coordinates.rows:
        for small in (-12.0, -20.0):
            q[row.diagonal] = small
            high, slope = posterior(q)
            q[row.diagonal] = small - 1.0
            assert posterior(q)[0] == pytest.approx(high - 1.0, abs=1e-6)
            assert slope[row.diagonal] == pytest.approx(1.0, abs=1e-6)
        q[row.diagonal] = 0.0
