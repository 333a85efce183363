"""The truncated normal law where its mean is far beyond a bound."""

import numpy as np
import pytest
from scipy import special, stats

from bayesmix.specification.laws.truncated_normal import truncated_law


@pytest.mark.parametrize(("low", "high"), [(0.0, np.inf), (-np.inf, 0.0), (0.0, 0.3), (-0.2, 0.0)])
@pytest.mark.parametrize("far", [20.0, 30.0, 60.0, 1e3])
def test_a_truncated_law_far_from_its_bounds(low, high, far):
    """A mean of many standard deviations beyond a bound: tails that underflow, and no cliff."""
    s = 0.7
    loc = -far * s if low == 0.0 else far * s
    z = np.linspace(-4, 4, 9)
    found = np.array([truncated_law(one, loc, s, low, high) for one in z])
    a, b = (low - loc) / s, (high - loc) / s
    expected = stats.truncnorm(a, b, loc, s).ppf(special.ndtr(z))
    # SciPy's quantile is relative to the mean, far away.
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-8, atol=1e-12 * abs(loc))
    h = 1e-4

    def value(z, loc, s):
        return np.array([truncated_law(one, loc, s, low, high)[0] for one in np.atleast_1d(z)])

    by_z = (value(z + h, loc, s) - value(z - h, loc, s)) / (2 * h * s)
    by_loc = (value(z, loc + h, s) - value(z, loc - h, s)) / (2 * h)
    by_s = (value(z, loc, s + h * s) - value(z, loc, s - h * s)) / (2 * h * s)
    np.testing.assert_allclose(found[:, 1], by_z, rtol=1e-4)
    np.testing.assert_allclose(found[:, 2], by_loc, rtol=1e-4, atol=1e-10)
    # T_s is that at a fixed d = s z.
    np.testing.assert_allclose(found[:, 3] + z * found[:, 1], by_s, rtol=1e-4, atol=1e-7)
