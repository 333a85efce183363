"""Quadrature rules in several dimensions: products, and Smolyak's sparse grids."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, product

import numpy as np

from bayesmix.errors import IntegrationError
from bayesmix.integration import univariate

MAX_NODES = 2_000_000
DRAWS = "centred(sobol(64)), with msm sobol(512)"
INSTEAD = f"{DRAWS}, or, where nobody chooses twice, sparse(5)"
"""Negative weights do not follow the likelihoods of panels, which draws centred on them do."""
ROUNDING = 1e-13  # a weight this small, relative to the terms that it sums, is zero


@lru_cache(maxsize=4)
def product_rule(family: str, points: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Product of a one-dimensional rule: nodes `(K, S)` and weights `(S,)`, S = points**K.

    `family` is the name of the rule in `univariate`: `gauss_hermite` or `trapezoid`.
    """
    _check_size(f"{family}({points})", dimension, points**dimension, INSTEAD)
    half_x, half_w = getattr(univariate, family)(points)
    odd = points % 2
    x = np.concatenate([-half_x[::-1], half_x[odd:]])
    w = np.concatenate([half_w[::-1], half_w[odd:]])
    nodes, weights = _product(x, w, dimension)
    return _frozen(nodes), _frozen(weights)


@lru_cache(maxsize=2)
def interleaved(points: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes `(K, 2 n**K)` and weights of `trapezoid(n)`, and of the same half a step on."""
    _check_size(f"interleaved trapezoid({points})", dimension, 2 * points**dimension, INSTEAD)
    nodes, weights = product_rule("trapezoid", points, dimension)
    x = np.unique(nodes[0])
    moved = x + (x[1] - x[0]) / 2
    density = np.exp(-0.5 * moved**2)
    others, other_weights = _product(moved, density / density.sum(), dimension)
    both = np.concatenate([nodes, others], axis=1)
    return _frozen(both), _frozen(np.concatenate([weights, other_weights]) / 2)


def _product(x: np.ndarray, w: np.ndarray, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """All combinations `(K, n**K)` of nodes `x (n,)`, and the products of their weights `w`."""
    nodes, weights = np.zeros((0, 1)), np.ones(1)
    for _ in range(dimension):
        nodes = np.vstack([np.repeat(nodes, x.size, axis=1), np.tile(x, weights.size)])
        weights = np.multiply.outer(weights, w).ravel()
    return nodes, weights


@lru_cache(maxsize=2)
def smolyak(level: int, family: str, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Sparse-grid nodes `(K, S)` and weights `(S,)`, exact up to total degree 2*level - 1.

    With increments D_l = U_l - U_(l-1) of the one-dimensional rules, the grid is the sum of the
    products of D_(l_1), ..., D_(l_K) over l_1 + ... + l_K <= level + K - 1. The weight of a node x
    is then the sum of the coefficients up to z**(level - 1) of the product over k of
    sum_l D_l(x_k) z**(l-1): nodes are merged from the outset, and a weight of zero drops its node.

    Source: Smolyak (1963); Heiss and Winschel (2008).
    """
    values, changes = univariate.increments(family, level)
    orders = np.argmax(changes != 0.0, axis=1)  # levels above the first at which a node enters
    _check_size(
        f"sparse(level={level}, family={family!r})",
        dimension,
        _count(orders[1:], level, dimension),
        f"a lower level, or {DRAWS}",
    )
    nodes, weights = [], []
    for pattern in _patterns(orders, level - 1, dimension):
        chosen = changes[list(pattern)]
        weight = _weight(chosen, changes[0], dimension)
        size = _weight(np.abs(chosen), np.abs(changes[0]), dimension)
        if abs(weight) > ROUNDING * size:
            nodes.append(_placed(values[list(pattern)], dimension))
            weights.append(np.full(len(nodes[-1]), weight))
    return _frozen(np.ascontiguousarray(np.concatenate(nodes).T)), _frozen(np.concatenate(weights))


def _patterns(orders: np.ndarray, budget: int, most: int) -> Iterator[tuple[int, ...]]:
    """Ordered tuples of at most `most` non-zero nodes whose orders sum to `budget` or less."""
    yield ()
    if most:
        for node in range(1, orders.size):
            if orders[node] <= budget:
                for rest in _patterns(orders, budget - orders[node], most - 1):
                    yield (node, *rest)


def _weight(chosen: np.ndarray, zero: np.ndarray, dimension: int) -> float:
    """Weight of a node with non-zero coordinates of increments `chosen (a, level)`, zeros else."""
    series = np.zeros_like(zero)
    series[0] = 1.0
    for increment in (*chosen, *[zero] * (dimension - len(chosen))):
        series = np.convolve(series, increment)[: zero.size]
    return float(series.sum())


def _placed(values: np.ndarray, dimension: int) -> np.ndarray:
    """Nodes `(n, K)` with the given non-zero values, in order, at all places and with all signs."""
    places = np.array(list(combinations(range(dimension), values.size)), np.intp)
    signed = np.array(list(product((1.0, -1.0), repeat=values.size))) * values
    nodes = np.zeros((len(places), len(signed), dimension))
    where = np.repeat(places[:, np.newaxis], len(signed), axis=1)
    np.put_along_axis(nodes, where, signed[np.newaxis], axis=2)
    return nodes.reshape(len(places) * len(signed), dimension)


def _count(orders: np.ndarray, level: int, dimension: int) -> int:
    """Number of nodes before any is dropped, from the orders of the positive one-dimensional ones.

    A power of the polynomial 1 + 2 sum_x z**order(x), in whole numbers of any length.
    """
    single = [1] + [2 * int(np.count_nonzero(orders == order)) for order in range(1, level)]
    series = [1] + [0] * (level - 1)
    for _ in range(dimension):
        series = [sum(series[j] * single[n - j] for j in range(n + 1)) for n in range(level)]
    return sum(series)


def _check_size(words: str, dimension: int, nodes: int, remedy: str) -> None:
    if nodes > MAX_NODES:
        raise IntegrationError(
            f"{words} in {dimension} dimensions: expected at most {MAX_NODES:,} nodes, got "
            f"{nodes:,}: use {remedy}"
        )


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
