"""Draw-type sequences: the defining property of each, person by person."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from bayesmix.integration.constants import directions, first_primes
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import halton, mlhs, monte_carlo, sobol


def uniforms(rule, dimension, persons, rng=0):
    return ndtr(population_grid(rule, dimension, persons, rng).block(0, persons)[0])


def cells(u, count):
    """Number of points in each of `count` equal cells, along the last axis."""
    where = np.floor(u * count).astype(int)
    return np.apply_along_axis(np.bincount, -1, where, minlength=count)


def test_sobol_directions_give_scipys_unscrambled_points():
    dimension, columns = 20, 9
    words = np.zeros((dimension, 1), np.uint64)
    for j in range(columns):
        words = np.hstack([words, words ^ directions(dimension, columns)[:, j : j + 1]])
    gray = np.arange(2**columns) ^ (np.arange(2**columns) >> 1)
    theirs = qmc.Sobol(dimension, scramble=False).random_base2(columns)
    np.testing.assert_array_equal(words[:, gray].T * 2.0**-64, theirs)


@pytest.mark.parametrize("bits", [0, 1, 6, 9])
def test_each_interval_of_a_persons_sobol_points_holds_one(bits):
    u = uniforms(sobol(2**bits), dimension=25, persons=4)
    assert (cells(u, 2**bits) == 1).all()


@pytest.mark.parametrize("split", range(7))
def test_a_persons_first_two_sobol_dimensions_are_a_net(split):
    """Every elementary rectangle of area 1/64 holds exactly one of 64 points."""
    u = uniforms(sobol(64), dimension=2, persons=20)
    rectangle = np.floor(u[:, 0] * 2**split) * 2 ** (6 - split) + np.floor(
        u[:, 1] * 2 ** (6 - split)
    )
    assert (np.sort(rectangle, axis=1) == np.arange(64)).all()


def test_the_first_sobol_nodes_of_a_person_do_not_depend_on_how_many_follow():
    few, more = (population_grid(sobol(n), 3, 5, rng=2).block(0, 5)[0] for n in (40, 64))
    np.testing.assert_array_equal(few, more[:, :, :40])


@pytest.mark.parametrize(("dimension", "base"), list(enumerate([2, 3, 5, 7, 11, 13])))
def test_scrambled_halton_points_are_stratified_in_their_base(dimension, base):
    nodes = base ** (3 if base < 7 else 2)
    u = uniforms(halton(nodes), dimension + 1, persons=5)[:, dimension]
    assert (cells(u, nodes) == 1).all()


def concatenated_halton(base, length):
    """The plain sequence as older software builds it."""
    h, t = np.zeros(1), 1
    while h.size < length:
        h = np.concatenate([h + c / base**t for c in range(base)])
        t += 1
    return h[:length]


@pytest.mark.parametrize(("nodes", "skip"), [(7, 100), (100, 100), (64, 1)])
def test_plain_halton_is_the_published_recipe(nodes, skip):
    persons, dimension = 12, 7
    length = skip + persons * nodes
    columns = [concatenated_halton(base, length)[skip:] for base in (2, 3, 5, 7, 11, 13, 17)]
    expected = ndtri(np.array(columns)).reshape(dimension, persons, nodes).swapaxes(0, 1)
    grid = population_grid(halton(nodes, scramble=False, skip=skip), dimension, persons)
    np.testing.assert_allclose(grid.block(0, persons)[0], expected, rtol=1e-12, atol=1e-14)


def test_mlhs_is_an_evenly_spaced_sample_in_random_order():
    u = uniforms(mlhs(50), dimension=6, persons=10)
    np.testing.assert_allclose(np.diff(np.sort(u, axis=-1), axis=-1), 1 / 50, rtol=1e-10)
    assert ((u.min(axis=-1) > 0) & (u.min(axis=-1) < 1 / 50)).all()
    orders = {tuple(row) for row in np.argsort(u, axis=-1).reshape(60, 50)}
    assert len(orders) == 60


def test_every_order_of_mlhs_is_equally_likely():
    u = uniforms(mlhs(3), dimension=1, persons=6000)[:, 0]
    _, counts = np.unique(np.argsort(u, axis=-1), axis=0, return_counts=True)
    assert counts.size == 6
    assert (np.abs(counts - 1000) < 4 * np.sqrt(6000 * 1 / 6 * 5 / 6)).all()


def test_odd_moments_of_antithetic_draws_are_zero():
    z = population_grid(monte_carlo(100, antithetic=True), 4, 20, rng=3).block(0, 20)[0]
    np.testing.assert_array_equal(z[:, :, 50:], -z[:, :, :50])
    odd = z[:, 0] ** 3 + z[:, 1] * z[:, 2] * z[:, 3] + z[:, 2]
    np.testing.assert_allclose(odd.mean(axis=-1), 0.0, atol=1e-14)


def test_first_primes():
    assert first_primes(20)[-1] == 71
