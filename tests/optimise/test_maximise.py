"""Maximisation in whitened coordinates: optima, walls, scales, curvature."""

import numpy as np
import pytest

from bayesmix.errors import SpecificationError
from bayesmix.optimise.maximise import (
    OPTIMIZERS,
    Steps,
    check_optimizer,
    curvature,
    maximise,
    whitening,
)

every_optimizer = pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
TOP = np.array([1.0, -2.0, 30.0])
SCALE = np.array([1.0, 0.1, 50.0])


def bell(theta):
    """``-sum log cosh``: smooth, concave, far from quadratic; minus curvature ``1 / SCALE^2``."""
    z = (theta - TOP) / SCALE
    return 7.0 - np.logaddexp(z, -z).sum(), -np.tanh(z) / SCALE


def scores(n, rng):
    return rng.normal(size=(n, 3)) @ np.array([[1, 0, 0], [0.5, 20, 0], [0, 1, 0.01]])


@every_optimizer
def test_every_optimizer_finds_the_top(optimizer):
    found = maximise(bell, np.zeros(3), np.diag(SCALE), steps=Steps(optimizer))
    assert found.converged
    np.testing.assert_allclose(found.theta, TOP, atol=2e-3 * SCALE.max(), rtol=0)
    assert (np.abs(found.theta - TOP) < 2e-3 * SCALE).all()
    assert found.value == pytest.approx(7.0 - 3 * np.log(2), abs=1e-6)
    assert found.decrement == pytest.approx(np.linalg.norm(SCALE * found.gradient))


@every_optimizer
def test_a_region_without_values_is_a_wall(optimizer):
    """log t - t / 3 exists for t > 0 alone, and the first step from 9 leads below 0."""
    visited = []

    def function(theta):
        visited.append(theta[0])
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(np.log(theta[0]) - theta[0] / 3), 1 / theta - 1 / 3

    found = maximise(function, np.array([9.0]), np.eye(1) * 30, steps=Steps(optimizer))
    assert min(visited) <= 0
    assert found.converged
    assert found.theta[0] == pytest.approx(3.0, abs=1e-2)


def test_a_function_without_values_has_no_optimum():
    found = maximise(lambda theta: (np.nan, theta * np.nan), np.ones(2), np.eye(2))
    assert not found.converged
    assert found.value == -np.inf


def test_the_best_point_seen_is_reported_with_its_own_value():
    found = maximise(bell, np.zeros(3), np.diag(SCALE), steps=Steps(iterations=2))
    assert not found.converged
    value, gradient = bell(found.theta)
    assert found.value == value
    np.testing.assert_array_equal(found.gradient, gradient)


def test_units_do_not_matter():
    """Parameters in other units, and a whitening that follows, give the same steps."""
    factor = np.array([10.0, 0.01, 3.0])

    def rescaled(theta):
        value, gradient = bell(theta / factor)
        return value, gradient / factor

    one = maximise(bell, np.zeros(3), np.diag(SCALE))
    other = maximise(rescaled, np.zeros(3), np.diag(SCALE * factor))
    assert one.evaluations == other.evaluations
    np.testing.assert_allclose(other.theta / factor, one.theta, rtol=1e-9)


def test_the_callback_hears_of_every_improvement():
    heard = []
    found = maximise(bell, np.zeros(3), np.diag(SCALE), steps=Steps(callback=heard.append))
    assert heard == sorted(heard)
    assert heard[-1] == found.value


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(SpecificationError, match="one of 'bfgs', 'bhhh', 'l-bfgs-b'"):
        check_optimizer("newton")


def test_whitening_is_a_root_of_the_inverse_outer_product():
    rng = np.random.default_rng(1)
    s, w = scores(200, rng), rng.uniform(0.5, 2, 200)
    root = whitening(s, w)
    outer = (s * w[:, None]).T @ s
    scale = np.sqrt(np.diag(outer))
    np.testing.assert_allclose(root.T @ outer @ root, np.eye(3), atol=1e-3)
    np.testing.assert_allclose(
        (root @ root.T) * np.outer(scale, scale),
        np.linalg.inv(outer / np.outer(scale, scale)),
        atol=1e-3,
    )


def test_units_of_parameters_rescale_the_whitening():
    rng = np.random.default_rng(1)
    s, units, factor = scores(200, rng), np.array([1.0, 0.1, 100.0]), np.array([1.0, 1e-7, 1e7])
    root = whitening(s, np.ones(200), units)
    other = whitening(s / factor, np.ones(200), units * factor)
    np.testing.assert_allclose(other / factor[:, None], root, rtol=1e-8, atol=1e-12)


def test_whitening_of_fewer_persons_than_parameters_is_finite():
    root = whitening(scores(2, np.random.default_rng(2)), np.ones(2))
    assert np.isfinite(root).all()


def test_units_bound_the_length_of_columns_and_change_little_else():
    s, w = scores(500, np.random.default_rng(3)), np.ones(500)
    s[:, 0] *= 1e-9
    units = np.array([2.0, 0.1, 100.0])
    bounded = whitening(s, w, units)
    assert np.abs(whitening(s, w)[0]).max() > 10 * units[0]
    assert (np.abs(bounded) <= 10 * units[:, None] * (1 + 1e-9)).all()
    np.testing.assert_allclose(whitening(s, 5 * w, units), bounded / np.sqrt(5), rtol=1e-9)
    np.testing.assert_allclose(bounded[1:, 1:], whitening(s[:, 1:], w), rtol=0.01, atol=1e-12)


def test_curvature_is_minus_the_second_derivative():
    def gradient(theta):
        return -np.tanh((theta - TOP) / SCALE) / SCALE

    root = np.diag(SCALE) @ np.tril(np.random.default_rng(4).normal(size=(3, 3)) + 3 * np.eye(3))
    at = TOP + 0.5 * SCALE
    expected = np.diag(1 / np.cosh(0.5) ** 2 / SCALE**2)
    found = curvature(gradient, at, root)
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_allclose(np.outer(SCALE, SCALE) * (found - expected), 0, atol=1e-4)


def test_wide_differences_stay_within_a_parameters_units():
    """Where scores vanish whitening reaches ten units, over which this gradient changes sign."""

    def gradient(theta):
        return np.array([-np.sin(theta[0]) - 0.5 * theta[1], -theta[1] - 0.5 * np.sin(theta[0])])

    root = np.array([[16.0, 0.3], [1.6, 0.7]])
    found = curvature(gradient, np.zeros(2), root, units=np.ones(2))
    np.testing.assert_allclose(found, [[1.0, 0.5], [0.5, 1.0]], rtol=0.02)


@every_optimizer
def test_what_is_known_at_the_start_is_not_evaluated_again(optimizer):
    visited = []

    def function(theta):
        visited.append(theta.copy())
        return bell(theta)

    origin = np.array([0.5, 0.0, 10.0])
    plain = maximise(bell, origin, np.diag(SCALE), steps=Steps(optimizer))
    found = maximise(function, origin, np.diag(SCALE), steps=Steps(optimizer), known=bell(origin))
    assert not any(np.array_equal(theta, origin) for theta in visited)
    np.testing.assert_array_equal(found.theta, plain.theta)
