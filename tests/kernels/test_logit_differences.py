"""The kernel in differences from the chosen alternative, against ten lines of NumPy."""

import numpy as np
import pytest

from bayesmix.kernels.logit import BLOCK, log_probabilities
from bayesmix.kernels.logit_differences import (
    HIGH,
    choice_log_probabilities,
    choice_scores,
    others,
)
from tests.kernels.test_logit import one_person
from tests.oracles import log_probability, random_panel, slopes

ROUNDING = 1e-12


def run(panel, i, base, beta):
    """Log-probabilities (S,), probabilities of what was not chosen, scores (K, S); rows of both."""
    left = others(panel, base, i)
    size, n = beta.shape
    logp, prob, score = np.empty(n), np.empty((len(left.row), n)), np.empty((size, n))
    choice_log_probabilities(left, np.ascontiguousarray(beta), n, logp, prob)
    choice_scores(left, prob, n, score)
    return logp, prob, score, left


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("size", range(10))
def test_log_probabilities_and_scores_are_the_oracles(size, outside):
    rng = np.random.default_rng(size)
    panel = random_panel(rng, 12, size, outside=outside)
    base = rng.normal(size=len(panel.x))
    beta = rng.normal(size=(size, 7))
    for i in range(12):
        logp, _, score, _ = run(panel, i, base, beta)
        expected = log_probability(panel, i, base, beta)
        np.testing.assert_allclose(logp, expected, rtol=ROUNDING, atol=ROUNDING)
        exact = slopes(lambda b, i=i: log_probability(panel, i, base, b).sum(), beta)
        np.testing.assert_allclose(score, exact, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("spread", [1.0, 100.0, 400.0])
@pytest.mark.parametrize("outside", [False, True])
def test_probabilities_are_those_of_the_kernel_of_all_alternatives(outside, spread):
    """Also where choices are all but impossible, one by one or together."""
    rng = np.random.default_rng(5)
    panel = random_panel(rng, 40, 3, outside=outside, largest=9)
    base, beta = rng.normal(size=len(panel.x)), spread * rng.normal(size=(3, BLOCK))
    passed = 0
    for i in range(40):
        first, last = panel.situation_start[panel.person_start[[i, i + 1]]]
        expected, every = np.empty(BLOCK), np.empty((last - first, BLOCK))
        log_probabilities(panel, i, base, beta, expected, every)
        logp, prob, _, left = run(panel, i, base, beta)
        np.testing.assert_allclose(logp, expected, rtol=ROUNDING, atol=ROUNDING)
        rows = left.row >= 0
        np.testing.assert_allclose(
            prob[rows], every[left.row[rows] - first], rtol=1e-10, atol=1e-300
        )
        passed += (expected < -HIGH).sum()
    assert (passed > 0) == (spread > 1.0)


@pytest.mark.parametrize("distance", [HIGH - 6, HIGH, HIGH + 6, 700.0, 1e4])
def test_choices_that_are_all_but_impossible(distance):
    panel = one_person([[1.0], [0.0], [0.0]], [0, 3], [1])
    logp, prob, score, _ = run(panel, 0, np.zeros(3), np.array([[distance, -distance]]))
    np.testing.assert_allclose(logp, [-distance, -np.log(2.0)], rtol=ROUNDING)
    np.testing.assert_allclose(prob, [[1.0, 0.0], [0.0, 0.5]], atol=1e-150)
    np.testing.assert_allclose(score, [[-1.0, 0.0]], atol=1e-150)


def test_the_product_of_many_large_denominators_stays_in_range():
    # 300 situations in which what was chosen has a probability of e^-50: a product of e^15,000.
    start = np.arange(301) * 2
    panel = one_person(np.tile([[1.0], [0.0]], (300, 1)), start, start[:-1] + 1)
    logp, _, _, _ = run(panel, 0, np.zeros(600), np.array([[50.0, 0.0, -50.0]]))
    np.testing.assert_allclose(logp, [-15_000.0, -300 * np.log(2.0), 0.0], atol=1e-9)


@pytest.mark.parametrize("situations", [1, 2, 3, 4, 7])
def test_products_of_denominators_stay_in_range_however_large_each_is(situations):
    """As large as one can be without care, and a little more: two of them must not overflow."""
    distance = np.arange(100.0, 370.0, 0.1)
    start = np.arange(situations + 1) * 2
    panel = one_person(np.tile([[1.0], [0.0]], (situations, 1)), start, start[:-1] + 1)
    base = np.zeros(2 * situations)
    # Together and one by one: a block is looked at for its largest denominator.
    logp, prob, _, _ = run(panel, 0, base, distance[None])
    alone = [run(panel, 0, base, np.array([[d]]))[0][0] for d in distance[distance > 340]]
    np.testing.assert_allclose(logp, -situations * distance, rtol=ROUNDING)
    np.testing.assert_allclose(alone, logp[distance > 340], rtol=ROUNDING)
    np.testing.assert_allclose(prob, 1.0, rtol=ROUNDING)


def test_nodes_beside_one_that_needs_care_are_as_they_are_without_it():
    rng = np.random.default_rng(2)
    panel = random_panel(rng, 1, 4, outside=True, largest=6)
    base, beta = rng.normal(size=len(panel.x)), rng.normal(size=(4, 9))
    far = beta.copy()
    far[:, 5] *= 2000.0
    near, beside = run(panel, 0, base, beta), run(panel, 0, base, far)
    others_ = np.arange(9) != 5
    for a, b in zip(near[:3], beside[:3], strict=True):
        np.testing.assert_array_equal(a[..., others_], b[..., others_])
    np.testing.assert_allclose(
        beside[0][5], log_probability(panel, 0, base, far[:, 5:6]), rtol=ROUNDING
    )
    assert beside[0][5] < -1000.0


def test_a_person_without_alternatives_is_certain_of_the_choices():
    panel = one_person([[1.0], [2.0]], [0, 1, 2], [0, 1])
    logp, prob, score, _ = run(panel, 0, np.zeros(2), np.array([[0.5, -3.0]]))
    np.testing.assert_array_equal(logp, [0.0, 0.0])
    assert prob.shape == (0, 2)
    np.testing.assert_array_equal(score, [[0.0, 0.0]])


@pytest.mark.parametrize("outside", [False, True])
def test_hundreds_of_alternatives(outside):
    rng = np.random.default_rng(3)
    panel = one_person(rng.normal(size=(600, 2)), [0, 300, 600], [7, 300], outside=outside)
    base, beta = rng.normal(size=600), rng.normal(size=(2, 5))
    logp, _, score, _ = run(panel, 0, base, beta)
    np.testing.assert_allclose(logp, log_probability(panel, 0, base, beta), rtol=ROUNDING)
    exact = slopes(lambda b: log_probability(panel, 0, base, b).sum(), beta)
    np.testing.assert_allclose(score, exact, rtol=ROUNDING, atol=ROUNDING)


def test_situations_whose_choice_is_not_known_have_room():
    panel = one_person([[1.0], [2.0], [3.0]], [0, 1, 3], [-1, -1])
    left = others(panel, np.zeros(3), 0)
    np.testing.assert_array_equal(left.row, [0, 1, 2])
    np.testing.assert_array_equal(left.start, [0, 1, 3])


def test_the_outside_option_counts_on_either_side():
    panel = one_person([[1.0], [2.0]] * 2, [0, 2, 4], [-1, 1 + 2], outside=True)
    beta = np.array([[0.3, 600.0, -600.0]])
    logp, prob, _, left = run(panel, 0, np.array([0.0, 0.5, 0.0, 0.5]), beta)
    np.testing.assert_array_equal(left.row, [0, 1, -1, 2])
    np.testing.assert_allclose(
        logp, log_probability(panel, 0, np.array([0.0, 0.5, 0.0, 0.5]), beta), rtol=ROUNDING
    )
    # The outside option of the second situation: certain where coefficients are very negative.
    np.testing.assert_allclose(prob[2, 1:], [0.0, 1.0], atol=1e-150)


@pytest.mark.parametrize("where", ["beta", "base"])
def test_nan_comes_out_as_nan_at_its_own_node_alone(where):
    panel = one_person([[1.0], [2.0], [0.0]], [0, 3], [2])
    base, beta = np.zeros(3), np.linspace(-1, 1, 6)[None].copy()
    if where == "beta":
        beta[0, 4] = np.nan
    else:
        base[1] = np.nan
    logp = run(panel, 0, base, beta)[0]
    expected = np.arange(6) == 4 if where == "beta" else np.ones(6, dtype=bool)
    np.testing.assert_array_equal(np.isnan(logp), expected)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_an_infinite_utility_has_no_probability_on_either_side(row, infinite):
    panel = one_person([[1.0], [2.0], [0.0]], [0, 3], [2])
    base = np.zeros(3)
    base[row] = infinite
    assert np.isnan(run(panel, 0, base, np.array([[0.5, -0.5]]))[0]).all()
    wide = one_person([[1.0], [2.0], [0.0]], [0, 3], [2])
    wide.x[row, 0] = infinite
    assert np.isnan(run(wide, 0, np.zeros(3), np.array([[0.5, -0.5]]))[0]).all()


def test_an_infinite_coefficient_has_no_probability():
    panel = one_person([[1.0], [0.0]], [0, 2], [1])
    logp = run(panel, 0, np.zeros(2), np.array([[np.inf, -np.inf, 0.0]]))[0]
    np.testing.assert_allclose(logp, [np.nan, np.nan, -np.log(2.0)])
