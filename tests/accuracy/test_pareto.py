"""Pareto shapes: tails of known index, the laws of shift and scale, cases without an answer."""

import numpy as np
import pytest
from scipy.stats import genpareto

from bayesmix.accuracy.pareto import pareto_shape

ROWS, N = 2000, 3000


def tail_size(n):
    return int(np.ceil(min(n / 5, 3 * np.sqrt(n))))


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("n", [100, N])
def test_generalised_pareto_tails_have_their_shape(k, n):
    """A Pareto law's excesses over any threshold have the law's own shape."""
    x = genpareto.rvs(k, size=(ROWS, n), random_state=np.random.default_rng(1)) + 1.0
    shapes = pareto_shape(np.log(x))
    m = tail_size(n)
    # Maximum likelihood's standard deviation, (1 + k) / sqrt m, and the prior worth ten at 0.5;
    # the fit itself is biased by less than 1 / m.
    expected = (m * k + 5) / (m + 10)
    deviation = (1 + k) / np.sqrt(m) * m / (m + 10)
    assert shapes.mean() == pytest.approx(expected, abs=4 * deviation / np.sqrt(ROWS) + 0.9 / m)
    assert shapes.std() == pytest.approx(deviation, rel=0.2)


def test_bounded_and_exponential_tails_lie_below():
    rng = np.random.default_rng(2)
    assert pareto_shape(np.log(rng.uniform(1, 2, (50, N)))).max() < 0.1
    exponential = pareto_shape(np.log(rng.exponential(size=(200, N))))
    assert exponential.mean() == pytest.approx(5 / (tail_size(N) + 10), abs=0.04)


def test_heavier_tails_have_larger_shapes():
    log_weights = np.random.default_rng(3).normal(size=(1, 2000))
    shapes = [pareto_shape(scale * log_weights)[0] for scale in (0.5, 1.0, 2.0, 4.0)]
    assert (np.diff(shapes) > 0).all()


def test_shift_and_order_do_not_matter():
    rng = np.random.default_rng(4)
    log_weights = rng.normal(size=(5, 200)) * 2
    shuffled = rng.permuted(log_weights, axis=1)
    np.testing.assert_allclose(pareto_shape(shuffled - 700.0), pareto_shape(log_weights), rtol=1e-9)


def test_rows_do_not_meet():
    log_weights = np.random.default_rng(5).normal(size=(4, 100))
    together = pareto_shape(log_weights)
    alone = [pareto_shape(row[None])[0] for row in log_weights]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_too_few_or_equal_weights_have_no_shape():
    assert np.isnan(pareto_shape(np.random.default_rng(6).normal(size=(3, 20)))).all()
    mixed = np.vstack([np.zeros(100), np.random.default_rng(7).normal(size=100)])
    shapes = pareto_shape(mixed)
    assert np.isnan(shapes[0])
    assert np.isfinite(shapes[1])


def test_ties_and_weights_that_underflow_are_no_trouble():
    rng = np.random.default_rng(8)
    ties = np.round(rng.normal(size=(20, 200)), 1)
    huge = rng.normal(size=(20, 200)) * 500
    one = np.full((1, 200), -1e4)
    one[0, 0] = 0.0
    assert np.isfinite(pareto_shape(np.vstack([ties, huge]))).all()
    assert pareto_shape(one)[0] > 0.7
