"""Quadrature: exact moments, node counts, nodes in exact arithmetic, another package's grids."""

from fractions import Fraction
from math import comb, prod

import numpy as np
import pytest

from bayesmix.integration import univariate
from bayesmix.integration.descriptions import Interleaved
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import gauss_hermite, sparse, trapezoid


def rounding(degree):
    """Rounding of a monomial's sum, relative to its absolute terms: a node's error comes in as a
    multiple of the power."""
    return (64 + 2 * degree) * np.finfo(float).eps


FAMILIES = ("kpn", "gqn")
CASES = [(1, level) for level in (1, 2, 3, 5, 9, 15)] + [
    (2, 1), (2, 4), (2, 7), (3, 3), (3, 5), (5, 4), (10, 3), (20, 2), (20, 3),
]  # fmt: skip
NODE_COUNTS = {
    "gqn": {(5, 3): 61, (5, 5): 781, (10, 3): 221, (20, 3): 841},
    "kpn": {(5, 3): 51, (5, 5): 401, (10, 3): 201, (20, 3): 801},
}


def normal_moment(power):
    """E z**power: 0 when odd, (power - 1)!! when even."""
    return 0 if power % 2 else prod(range(1, power, 2))


def moment_errors(nodes, weights, degree):
    """(total degree, error, sum of absolute terms) of every monomial of total degree <= degree."""
    powers = nodes[:, np.newaxis, :] ** np.arange(degree + 1)[:, np.newaxis]
    stack = [(0, 0, weights, 1)]  # first coordinate still free, degree so far, terms, exact moment
    while stack:
        first, used, terms, exact = stack.pop()
        yield used, terms.sum() - exact, np.abs(terms).sum()
        for k in range(first, len(nodes)):
            for power in range(1, degree - used + 1):
                value = exact * normal_moment(power)
                stack.append((k + 1, used + power, terms * powers[k, power], value))


def points(rule, dimension):
    nodes, weights = population_grid(rule, dimension, persons=1).block(0, 1)
    return nodes[0], weights[0]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("dimension", "level"), CASES)
def test_sparse_grid_is_exact_up_to_its_degree_and_no_further(family, dimension, level):
    nodes, weights = points(sparse(level, family), dimension)
    for degree, error, size in moment_errors(nodes, weights, 2 * level - 1):
        assert abs(error) <= rounding(degree) * size
    if dimension > 1 and nodes.shape[1] < 100:
        beyond = [abs(e) for d, e, _ in moment_errors(nodes, weights, 2 * level) if d == 2 * level]
        assert max(beyond) > 0.01


@pytest.mark.parametrize(("dimension", "per_dimension"), [(1, 1), (1, 20), (2, 5), (3, 4)])
def test_product_rule_is_exact_up_to_its_degree_and_no_further(dimension, per_dimension):
    rule = gauss_hermite(per_dimension)
    nodes, weights = points(rule, dimension)
    assert nodes.shape == (dimension, per_dimension**dimension)
    for degree, error, size in moment_errors(nodes, weights, rule.degree()):
        assert abs(error) <= rounding(degree) * size
    beyond = weights @ nodes[0] ** (2 * per_dimension) - normal_moment(2 * per_dimension)
    assert abs(beyond) > 0.01


def logistic_of_a_normal(slope):
    """``E[1 / (1 + exp(1 - slope z))]`` by Gauss-Legendre, a thousand pieces of eight nodes."""
    x, w = np.polynomial.legendre.leggauss(8)
    z = (np.linspace(-9, 9, 1001)[:-1, None] + 0.009 * (1 + x)).ravel()
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return float(np.tile(0.009 * w, 1000) * density @ (1 / (1 + np.exp(1 - slope * z))))


@pytest.mark.parametrize(("n", "slope", "error"), [(64, 3, 1e-6), (64, 9, 2e-4), (192, 9, 1e-8)])
def test_equally_spaced_nodes_follow_what_is_steep(n, slope, error):
    """Gauss-Hermite with as many points is a hundred times as far off."""
    exact = logistic_of_a_normal(slope)

    def off(rule):
        nodes, weights = points(rule, 1)
        return abs(weights @ (1 / (1 + np.exp(1 - slope * nodes[0]))) - exact)

    assert off(trapezoid(n)) < error
    if n < 64:
        assert off(gauss_hermite(n)) > 10 * off(trapezoid(n))


def test_equally_spaced_nodes_are_symmetric_and_have_the_moments_of_a_normal():
    for n in (24, 63, 256):
        nodes, weights = points(trapezoid(n), 1)
        np.testing.assert_array_equal(nodes, -nodes[:, ::-1])
        np.testing.assert_allclose(np.diff(nodes[0]), nodes[0, 1] - nodes[0, 0])
        assert weights @ nodes[0] ** 4 == pytest.approx(3, abs=0.05 if n == 24 else 1e-4)


def test_the_half_step_errs_the_other_way():
    """So that both together are a reference, of twice the nodes in any dimension."""

    def off(nodes, weights):
        steep = np.prod(1 / (1 + np.exp(1 - 8 * nodes)), axis=0)
        return weights @ steep - logistic_of_a_normal(8) ** 2

    one, both = points(trapezoid(24), 2), points(Interleaved(24), 2)
    assert both[0].shape == (2, 2 * 24**2)
    assert both[1].sum() == pytest.approx(1)
    assert abs(off(*one)) > 1e-5
    assert abs(off(*both)) < 0.1 * abs(off(*one))


@pytest.mark.parametrize("family", FAMILIES)
def test_sparse_node_counts_are_the_published_ones(family):
    found = {
        (k, level): points(sparse(level, family), k)[1].size for k, level in NODE_COUNTS[family]
    }
    assert found == NODE_COUNTS[family]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("dimension", "level"), [(1, 4), (3, 5), (6, 4)])
def test_sparse_nodes_are_distinct_and_their_weights_sum_to_one(family, dimension, level):
    nodes, weights = points(sparse(level, family), dimension)
    assert len(np.unique(nodes, axis=1).T) == weights.size
    assert weights.sum() == pytest.approx(1.0, abs=1e-13)
    grid = population_grid(sparse(level, family), dimension, persons=1)
    assert grid.condition == pytest.approx(np.abs(weights).sum())


@pytest.mark.parametrize("family", FAMILIES)
def test_sparse_grid_is_the_combination_of_products(family):
    """Smolyak's formula as printed: signed product rules, merged by a dictionary."""
    dimension, level = 3, 4
    merged: dict[tuple[float, ...], float] = {}
    for a, b, c in np.ndindex(level, level, level):
        depth = level - 1 - (a + b + c)
        if not 0 <= depth < dimension:
            continue
        sign = (-1) ** depth * comb(dimension - 1, depth)
        one, two, three = (full_rule(family, n + 1) for n in (a, b, c))
        for x, u in one:
            for y, v in two:
                for z, w in three:
                    merged[x, y, z] = merged.get((x, y, z), 0.0) + sign * u * v * w
    expected = {node: weight for node, weight in merged.items() if abs(weight) > 1e-14}
    nodes, weights = points(sparse(level, family), dimension)
    found = dict(zip(map(tuple, nodes.T.tolist()), weights, strict=True))
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[n] for n in expected], list(expected.values()), atol=1e-14)


def full_rule(family, level):
    """(node, weight) pairs on both sides of zero."""
    half = univariate.nested(level) if family == "kpn" else univariate.gauss_hermite(level)
    pairs = [(x, w) for x, w in zip(*map(np.ndarray.tolist, half), strict=True)]
    return [(-x, w) for x, w in pairs if x > 0] + pairs


@pytest.mark.parametrize(("dimension", "level"), [(1, 15), (2, 9), (3, 10), (4, 5), (5, 3)])
@pytest.mark.parametrize("family", FAMILIES)
def test_sparse_grid_is_that_of_pyblp(family, dimension, level):
    integration = pytest.importorskip("pyblp.configurations.integration")
    theirs, their_weights = integration.sparse_grid(dimension, level, nested=family == "kpn")
    theirs, their_weights = theirs[their_weights != 0.0], their_weights[their_weights != 0.0]
    nodes, weights = points(sparse(level, family), dimension)
    keep = np.abs(their_weights) > 1e-13 * np.abs(their_weights).sum()  # rounding keeps some there
    order, their_order = (
        np.lexsort(np.round(x, 9)) for x in (nodes, np.ascontiguousarray(theirs[keep].T))
    )
    strong = np.abs(weights[order]) > 1e-13 * np.abs(weights).sum()
    np.testing.assert_allclose(
        nodes[:, order][:, strong], theirs[keep].T[:, their_order], atol=1e-12
    )
    np.testing.assert_allclose(
        weights[order][strong], their_weights[keep][their_order], atol=1e-13, rtol=1e-9
    )


# The nested rules in exact arithmetic: the extension polynomials have rational coefficients.


def multiply(p, q):
    result = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            result[i + j] += a * b
    return result


def solve(matrix, right):
    """Gauss-Jordan elimination in fractions."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        pivot = next(r for r in range(i, len(rows)) if rows[r][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for r in range(len(rows)):
            if r != i:
                rows[r] = [a - rows[r][i] * b for a, b in zip(rows[r], rows[i], strict=True)]
    return [row[-1] for row in rows]


def extension(base, added):
    """The even polynomial of degree `added`, orthogonal to lower powers under density x base."""

    def inner(power):
        return sum(c * normal_moment(i + power) for i, c in enumerate(base))

    half, odd = added // 2, range(1, added, 2)
    free = solve(
        [[inner(2 * c + j) for c in range(half)] for j in odd], [-inner(added + j) for j in odd]
    )
    result = [Fraction(0)] * (added + 1)
    result[:-1:2], result[-1] = free, Fraction(1)
    return result


def value(polynomial, x):
    return sum(c * Fraction(x) ** i for i, c in enumerate(polynomial))


def test_nested_nodes_are_right_to_the_last_digit():
    chain = [Fraction(0), Fraction(-3), Fraction(0), Fraction(1)]  # the three-point rule
    known = {x for x, _ in univariate.NESTED[3]}
    for size in (9, 19):
        polynomial = extension(chain, size - len(chain) + 1)
        new = sorted({x for x, _ in univariate.NESTED[size]} - known)
        assert len(new) == (len(polynomial) - 1) // 2
        for x in new:  # a zero lies between the two neighbours of the stored number
            assert value(polynomial, np.nextafter(x, 0)) * value(polynomial, np.nextafter(x, 9)) < 0
        chain, known = multiply(chain, polynomial), known | set(new)
    assert {x for size in (7, 17) for x, _ in univariate.NESTED[size]} < known


@pytest.mark.parametrize("level", range(1, 16))
def test_nested_weights_are_right_to_the_last_digit(level):
    """Exact moments, but for the last digit of the stored weights and nodes."""
    stored = univariate.NESTED[univariate.NESTED_POINTS[level - 1]]
    for power in range(0, 2 * level, 2):
        terms = [Fraction(w) * Fraction(x) ** power * (2 if x else 1) for x, w in stored]
        last_digit = (0.5 + power) * np.finfo(float).eps
        assert abs(sum(terms) - normal_moment(power)) <= last_digit * float(sum(map(abs, terms)))


def test_nested_rules_use_the_fewest_points():
    """The rule of the next smaller size is not exact enough."""
    for level, size in enumerate(univariate.NESTED_POINTS, start=1):
        smaller = [n for n in univariate.NESTED if n < size]
        if smaller and 2 * level - 1 > 0:
            x, w = np.array(univariate.NESTED[max(smaller)]).T
            powers = np.arange(0, 2 * level, 2)
            sums = (2 - (x == 0)) * w @ x[:, np.newaxis] ** powers
            exact = [normal_moment(power) for power in powers]
            assert not np.allclose(sums, exact, rtol=1e-9)
