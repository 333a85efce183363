"""The vectorising exponential against NumPy's."""

import numpy as np
from numba import njit

from bayesmix.kernels.fastmath import exp


@njit(fastmath={"contract"}, error_model="numpy")
def exponentials(x):
    out = np.empty_like(x)
    for s in range(len(x)):
        out[s] = exp(x[s])
    return out


def test_exp_is_numpys_to_two_units_in_the_last_place():
    x = np.concatenate([np.linspace(-708.0, 700.0, 400_001), np.linspace(-1.0, 1.0, 100_001)])
    np.testing.assert_allclose(exponentials(x), np.exp(x), rtol=4.5e-16, atol=0)


def test_exp_at_zero_and_around_the_breaks_of_its_reduction():
    halves = (np.arange(-1000, 1001) + 0.5) * np.log(2)
    x = np.concatenate([[0.0, -0.0, 5e-324, -1e-300], halves, np.nextafter(halves, 0)])
    np.testing.assert_allclose(exponentials(x), np.exp(x), rtol=4.5e-16, atol=0)
    assert exponentials(np.zeros(1))[0] == 1.0


def test_exp_underflows_to_a_positive_floor():
    x = np.array([-709.0, -1e4, -1e300, -np.inf])
    np.testing.assert_array_equal(exponentials(x), exponentials(np.array([-708.0])).repeat(4))


def test_exp_passes_nan_on_alone_and_in_a_vector():
    x = np.zeros(17)
    x[3] = np.nan
    values = exponentials(x)
    assert np.isnan(values[3])
    assert (np.delete(values, 3) == 1.0).all()
    assert np.isnan(exponentials(np.array([np.nan]))).all()
