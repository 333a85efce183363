"""The compiled inverse normal and the counter-based bits against published values."""

import numpy as np
import pytest
from scipy.special import ndtri

from bayesmix.kernels.normal_quantile import to_normal
from bayesmix.kernels.random_bits import below, bits, mix, stream, unit


@pytest.mark.parametrize(
    "u",
    [
        10.0 ** np.linspace(-300, -1, 20_001),
        np.random.default_rng(0).random(50_000),
        1.0 - 10.0 ** np.linspace(-15.9, -1, 20_001),
    ],
    ids=["lower tail", "centre", "upper tail"],
)
def test_inverse_normal_is_scipys(u):
    z = u.copy()
    to_normal(z)
    np.testing.assert_allclose(z, ndtri(u), rtol=2e-15)


def test_inverse_normal_is_zero_in_the_middle_and_finite_at_a_uniform_rounded_to_one():
    z = np.array([0.5, 1.0])
    to_normal(z)
    assert z[0] == 0.0
    assert z[1] == pytest.approx(ndtri(1.0 - 2.0**-53))


def test_bits_are_the_published_sequence_of_splitmix64():
    words = [int(bits(np.uint64(1234567), counter)) for counter in range(3)]
    assert words == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_units_are_strictly_inside_and_bounded_integers_within_bounds():
    extremes = [np.uint64(0), np.uint64(2**64 - 1)]
    assert unit(extremes[0]) > 0.0
    assert unit(extremes[1]) < 1.0
    assert [below(word, 7) for word in extremes] == [0, 6]


def test_streams_of_coordinates_differ():
    starts = {
        int(stream(np.uint64(key), person, dimension))
        for key in range(10)
        for person in range(30)
        for dimension in range(30)
    }
    assert len(starts) == 9000


def test_mixing_one_bit_moves_half_of_the_bits():
    words = [np.uint64(w) for w in np.random.default_rng(1).integers(2**63, size=200)]
    moved = [
        int(mix(word) ^ mix(word ^ np.uint64(1 << bit))).bit_count()
        for word in words
        for bit in range(64)
    ]
    # 64 fair coins a case: mean 32, variance 16
    assert abs(np.mean(moved) - 32.0) < 4.0 * 4.0 / len(moved) ** 0.5
