"""Every rule as a grid: shapes, purity, independence between persons, unbiasedness, accuracy."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import kstest

from bayesmix.errors import IntegrationError, SpecificationError
from bayesmix.integration.descriptions import DrawRule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.overview import rule_table
from bayesmix.integration.rules import (
    RULES,
    centred,
    gauss_hermite,
    halton,
    mlhs,
    monte_carlo,
    sobol,
    sparse,
    trapezoid,
)

RANDOM = [sobol(64), sobol(40), halton(64), mlhs(60), monte_carlo(64)]
RANDOM += [monte_carlo(64, antithetic=True)]
DRAWS = [*RANDOM, halton(64, scramble=False)]
SHARED = [gauss_hermite(4), trapezoid(8), sparse(4), sparse(4, "gqn")]
every_rule = pytest.mark.parametrize("rule", [*DRAWS, *SHARED], ids=str)
every_draw = pytest.mark.parametrize("rule", DRAWS, ids=str)
every_random = pytest.mark.parametrize("rule", RANDOM, ids=str)

STANDARD_ERRORS = 4.0


def test_the_registry_of_rules_is_tested_whole():
    assert {str(rule).split("(")[0] for rule in [*DRAWS, *SHARED]} == set(RULES)


@every_rule
def test_block_has_the_promised_shape_layout_and_weights(rule):
    grid = population_grid(rule, dimension=3, persons=10, rng=1)
    nodes, weights = grid.block(2, 9)
    n = 1 if grid.shared else 7
    assert nodes.shape == (n, 3, grid.size)
    assert weights.shape == (n, grid.size)
    for array in (nodes, weights):
        assert array.dtype == np.float64
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert np.isfinite(array).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-13)
    assert grid.condition == pytest.approx(np.abs(weights[0]).sum())


@every_draw
def test_numbers_do_not_depend_on_chunks_threads_or_dimension(rule):
    grid = population_grid(rule, dimension=5, persons=23, rng=1)
    whole = grid.block(0, 23)[0]
    pieces = [grid.block(a, b)[0] for a, b in [(0, 1), (1, 1), (1, 12), (12, 23)]]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    np.testing.assert_array_equal(grid.block(0, 23, parallel=True)[0], whole)
    fewer = PopulationGrid(rule, 2, 23, grid.key)
    np.testing.assert_array_equal(fewer.block(0, 23)[0], whole[:, :2])


def test_blocks_may_be_asked_for_by_several_threads_at_once():
    grid = population_grid(sobol(128), dimension=6, persons=200, rng=1)
    whole = grid.block(0, 200)[0]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: grid.block(0, 200)[0], range(8)))
    assert all(np.array_equal(nodes, whole) for nodes in found)


@every_draw
def test_persons_and_dimensions_differ(rule):
    nodes = population_grid(rule, dimension=4, persons=6, rng=1).block(0, 6)[0]
    assert len(np.unique(nodes[:, :, 0])) == 24


@every_random
def test_the_seed_is_all_that_matters(rule):
    one, again, generator, other = (
        population_grid(rule, 3, 4, rng).block(0, 4)[0]
        for rng in (1, 1, np.random.default_rng(1), 2)
    )
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(one, generator)
    assert not np.isin(one, other).any()


@pytest.mark.parametrize("rule", [*SHARED, halton(64, scramble=False)], ids=str)
def test_a_rule_that_is_not_random_leaves_the_generator_alone(rule):
    rng = np.random.default_rng(1)
    assert population_grid(rule, 3, 4, rng).key == 0
    assert rng.random() == np.random.default_rng(1).random()


@every_random
def test_a_given_node_is_standard_normal_over_persons(rule):
    nodes = population_grid(rule, dimension=3, persons=4000, rng=4).block(0, 4000)[0]
    for k, s in [(0, 0), (1, 1), (2, rule.nodes - 1)]:
        assert kstest(nodes[:, k, s], "norm").pvalue > 0.001
    pairs = np.corrcoef(nodes[:, :, 5].T)[np.triu_indices(3, 1)]
    assert (np.abs(pairs) < STANDARD_ERRORS / 4000**0.5).all()


def smooth(nodes):
    """An integrand `(n, S)` with mean 1 and standard deviation 1.31 under N(0, I), any K."""
    return np.exp(nodes.sum(axis=1) / nodes.shape[1] ** 0.5 - 0.5)


@every_random
@pytest.mark.parametrize("dimension", [2, 10])
def test_persons_estimates_are_unbiased_and_independent(rule, dimension):
    """The mean of 2,000 persons' estimates is off by their sd / sqrt(2000): shared draws fail."""
    persons = 2000
    grid = population_grid(rule, dimension, persons, rng=5)
    nodes, weights = grid.block(0, persons)
    estimates = (weights * smooth(nodes)).sum(axis=1)
    sd = estimates.std()
    assert sd > 0.001
    assert abs(estimates.mean() - 1.0) < STANDARD_ERRORS * sd / persons**0.5
    neighbours = np.corrcoef(estimates[:-1], estimates[1:])[0, 1]
    assert abs(neighbours) < STANDARD_ERRORS / persons**0.5


# Factors as measured, less a third (SciPy's own scrambles measure the same).
FACTORS = [(sobol(512), 4.0), (sobol(64), 2.5), (halton(64), 1.6), (mlhs(64), 1.2)]


@pytest.mark.parametrize(("rule", "factor"), FACTORS, ids=str)
def test_spread_points_beat_monte_carlo(rule, factor):
    def error(which):
        nodes = population_grid(which, 4, 500, rng=6).block(0, 500)[0]
        return np.sqrt(np.mean((smooth(nodes).mean(axis=1) - 1.0) ** 2))

    assert error(rule) * factor < error(monte_carlo(rule.nodes))


def test_more_than_twenty_dimensions_and_no_dimension():
    for rule in DRAWS:
        assert np.isfinite(population_grid(rule, 40, 3, 1).block(0, 3)[0]).all()
        assert population_grid(rule, 0, 3, 1).block(0, 3)[0].shape == (3, 0, rule.nodes)
    for rule in SHARED:
        nodes, weights = population_grid(rule, 0, 3, 1).block(0, 3)
        assert nodes.shape == (1, 0, 1)
        assert weights == pytest.approx(np.ones((1, 1)))


def test_one_node():
    for rule in (sobol(1), halton(1), mlhs(1), monte_carlo(1), gauss_hermite(1), sparse(1)):
        nodes, weights = population_grid(rule, 2, 3, 1).block(0, 3)
        assert np.isfinite(nodes).all()
        assert (weights == 1.0).all()
        if not isinstance(rule, DrawRule):
            assert (nodes == 0.0).all()


def test_quadrature_that_would_be_too_large_names_the_remedy():
    with pytest.raises(IntegrationError, match=r"gauss_hermite\(7\) in 10 dim.*twice, sparse"):
        population_grid(gauss_hermite(7), 10, 1)
    with pytest.raises(IntegrationError, match=r"got 64,000,000: use centred\(sobol\(64\)\)"):
        population_grid(gauss_hermite(20), 6, 10)
    with pytest.raises(IntegrationError, match=r"sparse\(level=9.*lower level, or centred\(sobol"):
        population_grid(sparse(9), 20, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((centred(sobol(64)), 2, 3), "argument 'rule'.*person-centred"),
        (("sobol", 2, 3), "argument 'rule'"),
        ((sobol(8), 1.5, 3), "argument 'dimension'"),
        ((sobol(8), 2, 0), "argument 'persons'"),
    ],
)
def test_a_grid_that_cannot_be_made_is_an_error(arguments, words):
    with pytest.raises(SpecificationError, match=words):
        population_grid(*arguments)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 1), (0, 6)])
def test_persons_outside_the_grid_are_an_error(start, stop):
    grid = population_grid(sobol(8), 2, 5, 1)
    with pytest.raises(SpecificationError, match="<= 5 persons"):
        grid.block(start, stop)


def test_rule_table_lists_what_fits():
    table = rule_table(20)
    assert table.loc[str(sparse(3)), "nodes"] == 801
    assert table.loc[str(sparse(3)), "exact degree"] == 5
    assert table.loc[str(sparse(3, "gqn")), "sum |w|"] == pytest.approx(761.0)
    assert str(gauss_hermite(7)) not in table.index
    assert list(rule_table(2, [mlhs(30)])["own nodes"]) == [True]
