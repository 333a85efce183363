"""The panel logit kernel of one person against ten lines of NumPy."""

import numpy as np
import pytest

from bayesmix.kernels.logit import BLOCK, Panel, dot, log_probabilities, scores, utility
from tests.oracles import log_probability, random_panel, slopes

ROUNDING = 1e-12


def run(panel, i, base, beta):
    """Log-probabilities (S,), choice probabilities (rows, S) and scores (K, S) of person i."""
    size, n = beta.shape
    first, last = panel.situation_start[panel.person_start[[i, i + 1]]]
    logp, prob, score = np.empty(n), np.empty((last - first, n)), np.empty((size, n))
    log_probabilities(panel, i, base, np.ascontiguousarray(beta), logp, prob)
    scores(panel, i, prob, n, score)
    return logp, prob, score


def one_person(x, start, chosen, outside=False):
    """A panel of one person, situations at the offsets ``start``."""
    start = np.asarray(start, dtype=np.int64)
    chosen = np.asarray(chosen, dtype=np.int64)
    return Panel(np.asarray(x, dtype=float), np.array([0, len(chosen)]), start, chosen, outside)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("size", range(10))
def test_log_probabilities_and_scores_are_the_oracles(size, outside):
    rng = np.random.default_rng(size)
    panel = random_panel(rng, 12, size, outside=outside)
    base = rng.normal(size=len(panel.x))
    beta = rng.normal(size=(size, 7))
    for i in range(12):
        logp, _, score = run(panel, i, base, beta)
        expected = log_probability(panel, i, base, beta)
        np.testing.assert_allclose(logp, expected, rtol=ROUNDING, atol=ROUNDING)
        exact = slopes(lambda b, i=i: log_probability(panel, i, base, b).sum(), beta)
        np.testing.assert_allclose(score, exact, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("outside", [False, True])
def test_probabilities_sum_to_one_with_the_outside_option(outside):
    rng = np.random.default_rng(1)
    panel = random_panel(rng, 5, 2, outside=outside)
    beta = rng.normal(size=(2, 9))
    _, prob, _ = run(panel, 0, np.zeros(len(panel.x)), beta)
    for t in range(panel.person_start[1]):
        start, end = panel.situation_start[t : t + 2]
        total = prob[start:end].sum(axis=0)
        if outside:
            total = total + 1 / (1 + np.exp(panel.x[start:end] @ beta).sum(axis=0))
        np.testing.assert_allclose(total, 1.0, rtol=ROUNDING)


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK])
def test_a_node_does_not_depend_on_how_many_there_are(n):
    rng = np.random.default_rng(2)
    panel = random_panel(rng, 3, 5)
    base, beta = rng.normal(size=len(panel.x)), rng.normal(size=(5, BLOCK))
    whole = run(panel, 1, base, beta)
    for part, all_of_it in zip(run(panel, 1, base, beta[:, :n]), whole, strict=True):
        np.testing.assert_allclose(part, all_of_it[..., :n], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("utility", [1e4, -1e4])
def test_very_large_utilities_neither_overflow_nor_lose_the_sum(utility, outside):
    panel = one_person([[1.0], [1.0], [0.0]], [0, 3], [0], outside)
    logp, prob, score = run(panel, 0, np.zeros(3), np.array([[utility]]))
    # Two alternatives share the top, or the third (with or without the outside option) has it.
    others = 2.0 if outside else 1.0
    expected = -np.log(2.0) if utility > 0 else utility - np.log(others)
    np.testing.assert_allclose(logp, expected, rtol=ROUNDING)
    np.testing.assert_allclose(score, 0.0 if utility > 0 else 1.0, atol=ROUNDING)
    np.testing.assert_allclose(
        prob[:, 0], [0.5, 0.5, 0.0] if utility > 0 else [0, 0, 1 / others], atol=ROUNDING
    )


@pytest.mark.parametrize("chosen", [0, -1])
def test_an_outside_option_far_above_every_alternative(chosen):
    panel = one_person([[1.0], [2.0]], [0, 2], [chosen], outside=True)
    logp, prob, _ = run(panel, 0, np.zeros(2), np.array([[-1e4, -800.0]]))
    np.testing.assert_allclose(logp, [0.0, 0.0] if chosen < 0 else [-1e4, -800.0], rtol=ROUNDING)
    np.testing.assert_allclose(prob, 0.0, atol=1e-300)


def test_utilities_far_below_zero_without_an_outside_option():
    panel = one_person([[1.0], [1.0]], [0, 2], [0])
    logp, prob, _ = run(panel, 0, np.array([0.0, 1.0]), np.array([[-1e4, -800.0]]))
    np.testing.assert_allclose(logp, -np.log1p(np.e), rtol=1e-9)
    np.testing.assert_allclose(prob.sum(axis=0), 1.0, rtol=ROUNDING)


@pytest.mark.parametrize("outside", [False, True])
def test_the_product_of_many_denominators_stays_in_range(outside):
    # Equal utilities: every denominator is as large as it can be, 400 situations of 100.
    situations, alternatives = 400, 100
    start = np.arange(situations + 1) * alternatives
    panel = one_person(np.zeros((start[-1], 1)), start, start[:-1], outside)
    logp, _, _ = run(panel, 0, np.zeros(start[-1]), np.zeros((1, 3)))
    np.testing.assert_allclose(logp, -situations * np.log(alternatives + outside), rtol=1e-13)


def test_many_alternatives_that_differ_are_the_oracles():
    rng = np.random.default_rng(3)
    start = np.arange(101) * 100
    panel = one_person(rng.normal(size=(10_000, 2)), start, start[:-1] + rng.integers(0, 100, 100))
    base, beta = rng.normal(scale=5, size=10_000), rng.normal(scale=5, size=(2, 4))
    logp, _, _ = run(panel, 0, base, beta)
    np.testing.assert_allclose(logp, log_probability(panel, 0, base, beta), rtol=ROUNDING)


def test_a_situation_with_one_alternative_says_nothing():
    panel = one_person([[3.0]], [0, 1], [0])
    logp, prob, score = run(panel, 0, np.ones(1), np.array([[2.0, -700.0]]))
    np.testing.assert_array_equal(logp, 0.0)
    np.testing.assert_array_equal(prob, 1.0)
    np.testing.assert_array_equal(score, 0.0)


@pytest.mark.parametrize("where", ["beta", "base"])
def test_nan_comes_out_as_nan_at_its_own_node_alone(where):
    panel = one_person([[1.0], [2.0], [0.0]], [0, 3], [2])
    base, beta = np.zeros(3), np.linspace(-1, 1, 6)[None].copy()
    if where == "beta":
        beta[0, 4] = np.nan
    else:
        base[1] = np.nan
    logp, _, _ = run(panel, 0, base, beta)
    expected = np.arange(6) == 4 if where == "beta" else np.ones(6, dtype=bool)
    np.testing.assert_array_equal(np.isnan(logp), expected)


@pytest.mark.parametrize("size", range(10))
def test_utility_and_dot_use_the_first_n_nodes_only(size):
    rng = np.random.default_rng(size)
    x, beta, v = rng.normal(size=size), rng.normal(size=(size, 8)), rng.normal(size=8)
    before = v.copy()
    utility(x, beta, 0.7, v, 5)
    np.testing.assert_allclose(v[:5], 0.7 + x @ beta[:, :5], atol=ROUNDING)
    np.testing.assert_array_equal(v[5:], before[5:])
    assert dot(before, v, 5) == pytest.approx(before[:5] @ v[:5], abs=ROUNDING)
