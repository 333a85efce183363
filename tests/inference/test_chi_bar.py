"""Mixtures of chi-squared laws: closed forms of cones, and brute-force projections."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from bayesmix.inference.chi_bar import ChiBar, boundary_law, orthant_weights, projected_lengths

AT = np.array([0.5, 2.0, 5.0, 12.0])


def test_one_variance_and_its_covariances():
    for k in range(4):
        law = boundary_law([1], k)
        assert law == ChiBar((0.5, 0.5), (k, k + 1))
        expected = 0.5 * chi2.sf(AT, k + 1) + (0.5 * chi2.sf(AT, k) if k else 0.0)
        np.testing.assert_allclose([law.sf(t) for t in AT], expected)
    assert boundary_law([1], 0).sf(0.0) == 1.0


def test_independent_variances_are_binomial():
    assert boundary_law([1, 1, 1], 1) == ChiBar((1 / 8, 3 / 8, 3 / 8, 1 / 8), (1, 2, 3, 4))
    simulated = orthant_weights(3, np.diag([1.0, 4.0, 0.1]))
    np.testing.assert_allclose(simulated, [1 / 8, 3 / 8, 3 / 8, 1 / 8], atol=0.025)


@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.6])
def test_two_correlated_variances(rho):
    """Angles of the cone: simulated projections have the closed form's weights."""
    covariance = np.array([[2.0, rho], [rho, 0.5]])
    w0, w1, w2 = orthant_weights(2, covariance)
    normals = np.random.default_rng(1).standard_normal((20_000, 2))
    z = normals @ np.linalg.cholesky(covariance).T
    assert (z > 0).all(axis=1).mean() == pytest.approx(w2, abs=0.012)
    assert (w0 + w2, w1) == (pytest.approx(0.5), 0.5)
    lengths = projected_lengths([1, 1], normals[:4000], covariance)
    assert (lengths < 1e-9).mean() == pytest.approx(w0, abs=0.03)
    assert (lengths > 2.0).mean() == pytest.approx(
        boundary_law([1, 1], 0, covariance).sf(2.0), abs=0.02
    )


def test_two_by_two_matrices_are_a_circular_cone():
    """Of half-angle 45 degrees in three dimensions, whose intrinsic volumes are known."""
    c = np.sqrt(0.5)
    exact = ChiBar(((1 - c) / 2, c / 2, c / 2, (1 - c) / 2), (0, 1, 2, 3))
    law = boundary_law([2], 0)
    for t in AT:
        assert law.sf(t) == pytest.approx(exact.sf(t), rel=0.04)
    two = boundary_law([2], 2)
    moved = ChiBar(exact.weights, (2, 3, 4, 5))
    for t in AT:
        assert two.sf(t) == pytest.approx(moved.sf(t), rel=0.04)


def test_projections_are_the_nearest_matrices():
    """In the metric of the inverse covariance, against a minimiser over Cholesky factors."""
    rng = np.random.default_rng(3)
    half = rng.normal(size=(4, 9))
    covariance = half @ half.T / 9 * np.outer([10, 1, 0.1, 3], [10, 1, 0.1, 3])
    normals = rng.standard_normal((6, 4))
    found = projected_lengths([2, 1], normals, covariance)
    root, weight = np.linalg.cholesky(covariance), np.linalg.inv(covariance)
    for normal, length in zip(normals, found, strict=True):
        z = root @ normal

        def element(p):
            return np.array([p[0] ** 2, p[0] * p[1], p[1] ** 2 + p[2] ** 2, p[3] ** 2])

        def distance(p, z=z):
            return (element(p) - z) @ weight @ (element(p) - z)

        scale = np.sqrt(np.array([10, 1, 0.1, 3]))
        best = min(
            minimize(distance, scale * start, method="Nelder-Mead",
                     options={"maxiter": 8000, "maxfev": 8000, "xatol": 1e-10, "fatol": 1e-13}).fun
            for start in rng.normal(size=(4, 4))
        )  # fmt: skip
        assert normal @ normal - length == pytest.approx(best, abs=2e-3)


def test_words():
    assert str(ChiBar((1.0,), (3,))) == "chi2(3)"
    assert str(boundary_law([1, 1], 0, np.array([[1, 0.5], [0.5, 1]]))) == (
        "0.167 chi2(0) + 1/2 chi2(1) + 0.333 chi2(2)"
    )
    assert "dimension 5 onto the cone of covariance matrices" in str(boundary_law([2], 2))
