"""Integrals over a grid and their derivatives against NumPy; persons, blocks, threads."""

import numpy as np
import pytest

from bayesmix.kernels.integrals import integrate, integrate_serial, node_log_probabilities
from bayesmix.kernels.logit import BLOCK, Panel
from bayesmix.kernels.mixture import Mixture
from tests.oracles import (
    coefficients,
    log_integral,
    log_probability,
    random_mixture,
    random_panel,
    slopes,
)

ROUNDING = 1e-11
PERSONS = 6


def problem(seed, size=3, n_nodes=5, outside=False, **options):
    rng = np.random.default_rng(seed)
    panel = random_panel(rng, PERSONS, size, outside=outside)
    base = rng.normal(size=len(panel.x))
    return panel, base, random_mixture(rng, PERSONS, size, n_nodes, **options)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("n_nodes", [1, BLOCK - 1, BLOCK, BLOCK + 1, 300])
def test_log_integrals_at_any_number_of_nodes(n_nodes, shared):
    panel, base, mixture = problem(n_nodes, n_nodes=n_nodes, shared=shared)
    logp, *_ = integrate_serial(panel, base, mixture, False)
    close(logp, [log_integral(panel, i, base, mixture) for i in range(PERSONS)])


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("size", range(10))
def test_log_integrals_at_any_number_of_coefficients(size, outside):
    panel, base, mixture = problem(size, size=size, n_nodes=40, outside=outside)
    logp, d_loc, d_chol, _ = integrate_serial(panel, base, mixture, False)
    assert (d_loc.shape, d_chol.shape) == ((PERSONS, size), (PERSONS, size, size))
    close(logp, [log_integral(panel, i, base, mixture) for i in range(PERSONS)])


def test_without_random_coefficients_it_is_the_multinomial_logit():
    panel, base, mixture = problem(1, size=0, n_nodes=1)
    logp, _, _, d_base = integrate_serial(
        panel, base, mixture._replace(weights=np.ones((1, 1))), True
    )
    fixed = np.zeros((0, 1))
    close(logp, [log_probability(panel, i, base, fixed)[0] for i in range(PERSONS)])
    total = slopes(
        lambda b: sum(log_probability(panel, i, b, fixed)[0] for i in range(PERSONS)), base
    )
    close(d_base, total)


@pytest.mark.parametrize("link", [0, 1, -1])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("n_nodes", [7, BLOCK + 60])
@pytest.mark.parametrize("own_loc", [False, True])
def test_derivatives_are_the_oracles(link, shared, n_nodes, own_loc):
    panel, base, mixture = problem(4, n_nodes=n_nodes, shared=shared, link=link, outside=True)
    if own_loc:
        mixture = mixture._replace(loc=np.random.default_rng(5).normal(size=(PERSONS, 3)))
    _, d_loc, d_chol, d_base = integrate_serial(panel, base, mixture, True)
    for i in range(PERSONS):
        loc = mixture.loc[i if own_loc else 0]

        def at(i=i, base=base, **changed):
            return log_integral(panel, i, base, mixture._replace(**changed))

        close(d_loc[i], slopes(lambda a: at(loc=a[None].repeat(PERSONS, 0)), loc))
        close(d_chol[i], np.tril(slopes(lambda c: at(chol=c), mixture.chol)))
        rows = slice(*panel.situation_start[panel.person_start[[i, i + 1]]])
        close(d_base[rows], slopes(lambda b: at(base=b), base)[rows])


def test_weights_of_either_sign_are_summed_with_their_signs():
    panel, base, mixture = problem(6, n_nodes=200)
    weights = np.random.default_rng(7).normal(0.5, 1.0, size=(PERSONS, 200)) / 100
    mixture = mixture._replace(weights=weights)
    logp, d_loc, *_ = integrate_serial(panel, base, mixture, False)
    with np.errstate(invalid="ignore"):
        expected = np.array([log_integral(panel, i, base, mixture) for i in range(PERSONS)])
    assert np.isfinite(expected).any()
    close(logp, expected)
    assert (np.isnan(d_loc).all(axis=1) == np.isnan(logp)).all()


def test_an_integral_that_is_not_positive_is_nan_and_spoils_nobody_else():
    panel, base, mixture = problem(8, n_nodes=10)
    before = integrate_serial(panel, base, mixture, True)
    weights = mixture.weights.copy()
    weights[2] *= -1
    after = integrate_serial(panel, base, mixture._replace(weights=weights), True)
    others = np.arange(PERSONS) != 2
    for old, new in zip(before[:3], after[:3], strict=True):
        assert np.isnan(new[2]).all()
        np.testing.assert_array_equal(new[others], old[others])


def test_nodes_far_below_the_best_one_underflow_and_the_sum_stays_exact():
    # 300 choices: log-probabilities are spread over thousands of nats, across three blocks.
    rng = np.random.default_rng(9)
    start = np.arange(301) * 3
    panel = Panel(rng.normal(size=(900, 2)), np.array([0, 300]), start, start[:-1] + 1, False)
    mixture = random_mixture(rng, 1, 2, 300)
    mixture = mixture._replace(loc=20 * mixture.loc, nodes=10 * mixture.nodes)
    spread = np.ptp(log_probability(panel, 0, np.zeros(900), coefficients(mixture, 0)))
    assert spread > 1000
    for order in (slice(None), slice(None, None, -1)):
        nodes = np.ascontiguousarray(mixture.nodes[:, :, order])
        turned = mixture._replace(
            nodes=nodes, weights=np.ascontiguousarray(mixture.weights[:, order])
        )
        logp, d_loc, *_ = integrate_serial(panel, np.zeros(900), turned, False)
        close(logp[0], log_integral(panel, 0, np.zeros(900), mixture))
        close(
            d_loc[0],
            slopes(
                lambda m: log_integral(panel, 0, np.zeros(900), mixture._replace(loc=m[None])),
                mixture.loc[0],
            ),
        )


def test_a_person_alone_has_the_same_numbers_as_in_company():
    panel, base, mixture = problem(10, n_nodes=150)
    together = integrate_serial(panel, base, mixture, True)
    for i in range(PERSONS):
        a, b = panel.person_start[i : i + 2]
        situations = panel.situation_start[a : b + 1]
        rows = slice(situations[0], situations[-1])
        alone = integrate_serial(
            Panel(
                panel.x[rows],
                np.array([0, b - a]),
                situations - situations[0],
                panel.chosen_row[a:b] - situations[0],
                panel.outside,
            ),
            base[rows],
            mixture._replace(nodes=mixture.nodes[i : i + 1], weights=mixture.weights[i : i + 1]),
            True,
        )
        for part, whole in zip(alone[:3], together[:3], strict=True):
            np.testing.assert_array_equal(part[0], whole[i])
        np.testing.assert_array_equal(alone[3], together[3][rows])


def test_threads_do_not_change_a_bit():
    panel, base, mixture = problem(11, n_nodes=200, link=-1)
    serial = integrate_serial(panel, base, mixture, True)
    for threads in range(1, 5):
        for a, b in zip(
            integrate(panel, base, mixture, True, threads=threads), serial, strict=True
        ):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("link", [0, -1])
def test_log_probabilities_node_by_node(link):
    panel, base, mixture = problem(12, n_nodes=BLOCK + 3, link=link)
    values = node_log_probabilities(panel, base, mixture)
    for i in range(PERSONS):
        close(values[i], log_probability(panel, i, base, coefficients(mixture, i)))


def test_a_rows_derivatives_are_empty_when_not_wanted():
    panel, base, mixture = problem(13)
    wanted, unwanted = (integrate_serial(panel, base, mixture, flag) for flag in (True, False))
    assert unwanted[3].shape == (0,)
    for a, b in zip(wanted[:3], unwanted[:3], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_standard_deviation_of_zero_leaves_the_logit_at_the_mean():
    panel, base, mixture = problem(14, n_nodes=20)
    still = mixture._replace(chol=np.zeros((3, 3)))
    logp, d_loc, *_ = integrate_serial(panel, base, still, False)
    one = Mixture(
        still.loc, still.chol, still.laws, np.zeros((1, 3, 1)), np.ones((1, 1)), known=still.known
    )
    expected = integrate_serial(panel, base, one, False)
    close(logp, expected[0])
    close(d_loc, expected[1])
