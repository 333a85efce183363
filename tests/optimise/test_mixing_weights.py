"""Weights of a mixture of given points: certificates, two methods, and least squares."""

import numpy as np
import pytest
from scipy.optimize import minimize

from bayesmix.errors import ConvergenceError
from bayesmix.optimise.mixing_weights import (
    em_weights,
    least_on_simplex,
    newton_weights,
    slopes_at,
)


@pytest.fixture(scope="module")
def normals() -> tuple[np.ndarray, np.ndarray]:
    """Densities (I, M) of normal observations around points, and weights of observations."""
    rng = np.random.default_rng(1)
    y = np.where(rng.random(150) < 0.4, -1.5, 1.0) + rng.standard_normal(150)
    points = np.linspace(-4, 4, 60)
    return np.exp(-0.5 * (y[:, None] - points) ** 2), rng.uniform(0.5, 2.0, 150)


def test_newton_and_em_find_one_maximum(normals: tuple[np.ndarray, np.ndarray]) -> None:
    likelihoods, persons = normals
    start = np.ones(likelihoods.shape[1])
    newton = newton_weights(likelihoods, persons, start, 1e-6)
    em = em_weights(likelihoods, persons, start, 1e-3)
    assert newton.gap <= 1e-6
    assert 0 <= newton.loglik - em.loglik <= em.gap + 1e-6
    np.testing.assert_allclose(newton.weights.sum(), 1.0, rtol=1e-12)
    assert (newton.weights == 0).sum() > 50
    # Lindsay's conditions: derivatives are 0 where weights are.
    np.testing.assert_allclose(newton.slopes[newton.weights > 0], 0.0, atol=1e-3)


def test_the_gap_bounds_what_any_weights_can_gain(normals: tuple[np.ndarray, np.ndarray]) -> None:
    likelihoods, persons = normals
    best = newton_weights(likelihoods, persons, np.ones(60), 1e-8).loglik
    rng = np.random.default_rng(2)
    for _ in range(20):
        slopes, value = slopes_at(likelihoods, persons, rng.dirichlet(np.full(60, 0.1)))
        assert best - value <= slopes.max() + 1e-9


def test_a_derivative_is_that_of_differences(normals: tuple[np.ndarray, np.ndarray]) -> None:
    likelihoods, persons = normals
    weights = np.full(60, 1 / 60)
    slopes, value = slopes_at(likelihoods, persons, weights)
    for m in (0, 30):
        moved = weights * (1 - 1e-6)
        moved[m] += 1e-6
        gained = (slopes_at(likelihoods, persons, moved)[1] - value) / 1e-6
        np.testing.assert_allclose(gained, slopes[m], rtol=1e-3, atol=1e-3)


def test_least_squares_on_the_simplex_is_a_general_optimisers() -> None:
    rng = np.random.default_rng(3)
    for n in (3, 50):
        matrix = rng.normal(size=(n, 6)) + 0.5
        found = least_on_simplex(matrix)
        other = minimize(
            lambda w, a=matrix: float(((a @ w) ** 2).sum()),
            np.full(6, 1 / 6),
            bounds=[(0, 1)] * 6,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            method="SLSQP",
            options={"ftol": 1e-14},
        )
        assert ((matrix @ found) ** 2).sum() <= other.fun + 1e-9
        np.testing.assert_allclose(found.sum(), 1.0, rtol=1e-12)
        assert (found >= 0).all()


def test_what_does_not_settle_is_said(normals: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ConvergenceError, match="directional derivative"):
        newton_weights(*normals, np.ones(60), -1.0)
