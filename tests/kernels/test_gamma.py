"""The gamma law's quantiles and its table, against SciPy's."""

import numpy as np
import pytest
from scipy import special

from bayesmix.specification.laws.gamma import (
    CELLS,
    COLUMNS,
    digamma,
    fill_table,
    gamma_at,
    gamma_law,
)

Z = np.linspace(-6, 6, 49)


@pytest.mark.parametrize("s", [0.005, 0.029, 0.031, 0.3, 1.0, 3.0])
def test_the_gamma_law_is_scipys_and_its_slopes_are_differences(s):
    def ratio(z, s):
        a = s**-2
        below = special.gammaincinv(a, special.ndtr(z))
        return np.where(z < 0, below, special.gammainccinv(a, special.ndtr(-z))) / a

    found = np.array([gamma_law(z, s) for z in Z])
    np.testing.assert_allclose(found[:, 0], ratio(Z, s), rtol=1e-8)
    inner, h = slice(8, -8), 1e-5
    by_z = (ratio(Z + h, s) - ratio(Z - h, s)) / (2 * h)
    by_s = (ratio(Z, s * (1 + h)) - ratio(Z, s * (1 - h))) / (2 * h * s)
    np.testing.assert_allclose(found[inner, 1], by_z[inner], rtol=1e-6)
    np.testing.assert_allclose(found[inner, 2], by_s[inner], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("s", [0.05, 0.3, 1.0, 2.5])
def test_a_table_of_the_gamma_law_is_the_law(s):
    table = np.zeros((CELLS, COLUMNS))
    fill_table(s, table)
    z = np.random.default_rng(1).uniform(-9, 9, 2000)
    found = np.array([gamma_at(table, one, s) for one in z])
    expected = np.array([gamma_law(one, s) for one in z])
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=2e-10)
    np.testing.assert_allclose(found[:, 1], expected[:, 1], rtol=1e-8)
    np.testing.assert_allclose(found[:, 2], expected[:, 2], rtol=1e-6, atol=2e-7)


def test_digamma_is_scipys():
    at = np.geomspace(1e-3, 1e3, 50)
    np.testing.assert_allclose([digamma(a) for a in at], special.digamma(at), rtol=1e-12)


@pytest.mark.jit  # a division by zero is infinite there
def test_a_large_gamma_shape_parameter_is_the_law_where_the_table_ends():
    """Quantiles of 0 in double precision have no logarithm to interpolate."""
    table = np.zeros((CELLS, COLUMNS))
    fill_table(8.0, table)
    found = np.array([gamma_at(table, z, 8.0) for z in Z])
    expected = np.array([gamma_law(z, 8.0) for z in Z])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-12)
