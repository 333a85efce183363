"""Modes and curvature of every person's posterior against derivatives in NumPy."""

import numpy as np
import pytest

from bayesmix import Normal
from bayesmix.centring.grids import find_anchors
from bayesmix.data.examples import electricity
from bayesmix.kernels.laws import no_laws
from bayesmix.kernels.logit import Panel
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.modes import LEAST_CURVATURE, REACH, TOLERANCE, find_modes
from bayesmix.likelihood.bind import bind
from bayesmix.specification.model import MixedLogit
from tests.oracles import (
    coefficients,
    log_probability,
    lognormals,
    random_mixture,
    random_panel,
    slopes,
)

PERSONS, SIZE = 40, 3
LINKS = [0, 1, -1]


def problem(link, outside=False, seed=1):
    """A panel, utilities of fixed coefficients, and a mixture without nodes."""
    rng = np.random.default_rng(seed)
    panel = random_panel(rng, PERSONS, SIZE, outside=outside)
    mixture = random_mixture(rng, 1, SIZE, 1, shared=True, link=link)
    return panel, rng.normal(size=len(panel.x)), mixture._replace(chol=2 * mixture.chol)


def gradient(panel, i, base, mixture, z):
    """Gradient (K,) of ``l_i(z) - z'z / 2``."""

    def height(z):
        beta = coefficients(mixture._replace(nodes=z[None, :, None]), i)
        return log_probability(panel, i, base, beta)[0] - (z @ z) / 2

    return slopes(height, z)


def curvature(panel, i, base, mixture, z, step=1e-5):
    """Minus the second derivatives (K, K), by differences of the exact gradient."""
    moved = [gradient(panel, i, base, mixture, z + step * e) for e in np.eye(len(z))]
    back = [gradient(panel, i, base, mixture, z - step * e) for e in np.eye(len(z))]
    return -(np.array(moved) - np.array(back)) / (2 * step)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("link", LINKS)
def test_the_gradient_is_zero_at_the_modes(link, outside):
    panel, base, mixture = problem(link, outside)
    modes, _, converged = find_modes(panel, base, mixture, np.zeros((PERSONS, SIZE)))
    assert converged.all()
    for i in range(PERSONS):
        assert np.linalg.norm(gradient(panel, i, base, mixture, modes[i])) < 2 * TOLERANCE


@pytest.mark.parametrize("link", LINKS)
def test_the_precision_is_the_observed_curvature_where_that_is_positive(link):
    panel, base, mixture = problem(link, outside=True)
    modes, precisions, _ = find_modes(panel, base, mixture, np.zeros((PERSONS, SIZE)))
    positive = 0
    for i in range(PERSONS):
        np.testing.assert_allclose(precisions[i], precisions[i].T, rtol=1e-12, atol=1e-12)
        observed = curvature(panel, i, base, mixture, modes[i])
        if np.linalg.eigvalsh(observed)[0] > 1.01 * LEAST_CURVATURE:
            positive += 1
            # Differences with a step of 1e-5 of a gradient of order 10.
            np.testing.assert_allclose(precisions[i], observed, rtol=1e-6, atol=1e-7)
        else:
            assert np.linalg.eigvalsh(precisions[i])[0] > 1 - 1e-9
    # A normal's log-likelihood is concave: there the curvature is never below the prior's.
    assert positive == PERSONS if link == 0 else positive > PERSONS // 2


def test_locations_may_differ_between_persons():
    panel, base, mixture = problem(0)
    own = mixture._replace(loc=np.random.default_rng(2).normal(size=(PERSONS, SIZE)))
    modes, _, _ = find_modes(panel, base, own, np.zeros((PERSONS, SIZE)))
    for i in range(PERSONS):
        assert np.linalg.norm(gradient(panel, i, base, own, modes[i])) < 2 * TOLERANCE


def test_standard_deviations_of_zero_give_the_prior():
    panel, base, mixture = problem(-1)
    still = mixture._replace(chol=np.zeros((SIZE, SIZE)))
    modes, precisions, converged = find_modes(panel, base, still, np.zeros((PERSONS, SIZE)))
    assert converged.all()
    np.testing.assert_array_equal(modes, 0.0)
    np.testing.assert_array_equal(precisions, np.broadcast_to(np.eye(SIZE), precisions.shape))


def test_nothing_is_learnt_from_situations_with_one_alternative():
    start = np.arange(4)
    panel = Panel(np.ones((3, SIZE)), np.array([0, 3]), start, start[:-1], False)
    mixture = problem(0)[2]
    modes, precisions, _ = find_modes(panel, np.zeros(3), mixture, np.zeros((1, SIZE)))
    np.testing.assert_allclose(modes, 0.0, atol=1e-12)
    np.testing.assert_allclose(precisions[0], np.eye(SIZE), atol=1e-12)


@pytest.mark.parametrize("chosen", ["the dearest", "the cheapest"])
@pytest.mark.parametrize("sd", [0.5, 3.0, 30.0])
def test_a_lognormal_with_a_flat_likelihood_does_not_run_away(chosen, sd):
    """Choices that say only that a taste is huge, or next to nothing: the likelihood has no
    maximum, its curvature changes sign, and an exponential of a long step overflows."""
    situations = 9
    start = 2 * np.arange(situations + 1)
    laws, known = lognormals([-1])
    price = np.tile([1.0, 5.0], situations)[:, None]
    panel = Panel(
        price, np.array([0, situations]), start, start[:-1] + (chosen == "the dearest"), False
    )
    mixture = Mixture(
        np.zeros((1, 1)), np.array([[sd]]), laws, np.zeros((1, 1, 1)), np.ones((1, 1)), known=known
    )
    base = np.zeros(len(price))
    modes, precisions, converged = find_modes(panel, base, mixture, np.zeros((1, 1)))
    assert converged.all()
    assert np.abs(modes).max() < REACH
    assert np.isfinite(precisions).all()
    assert precisions.min() > LEAST_CURVATURE
    assert abs(gradient(panel, 0, base, mixture, modes[0])[0]) < 1e-4
    # It is the highest point, and not only a flat one.
    grid = np.linspace(-REACH, REACH, 20_001)
    beta = coefficients(mixture._replace(nodes=grid[None, None]), 0)
    with np.errstate(over="ignore", invalid="ignore"):
        heights = log_probability(panel, 0, base, beta) - grid**2 / 2
    assert abs(grid[np.nanargmax(heights)] - modes[0, 0]) < 2e-3


def test_the_search_stays_within_nine_standard_deviations_and_says_so():
    # A hundred choices that contradict the population: the mode is 50 standard deviations away.
    start = 2 * np.arange(101)
    panel = Panel(
        np.tile([1.0, 0.0], 100)[:, None], np.array([0, 100]), start, start[:-1].copy(), False
    )
    mixture = Mixture(
        np.full((1, 1), -50.0), np.eye(1), no_laws(1), np.zeros((1, 1, 1)), np.ones((1, 1))
    )
    modes, precisions, converged = find_modes(panel, np.zeros(200), mixture, np.zeros((1, 1)))
    assert modes[0, 0] == pytest.approx(REACH)
    assert precisions[0, 0, 0] == pytest.approx(1.0)
    assert not converged.any()


def test_a_person_does_not_depend_on_the_others():
    panel, base, mixture = problem(-1)
    modes, precisions, _ = find_modes(panel, base, mixture, np.zeros((PERSONS, SIZE)))
    rows = slice(*panel.situation_start[panel.person_start[[0, 1]]])
    situations = panel.situation_start[: panel.person_start[1] + 1]
    first = Panel(
        panel.x[rows],
        panel.person_start[:2],
        situations,
        panel.chosen_row[: len(situations) - 1],
        False,
    )
    mode, precision, _ = find_modes(first, base[rows], mixture, np.zeros((1, SIZE)))
    np.testing.assert_array_equal(mode[0], modes[0])
    np.testing.assert_array_equal(precision[0], precisions[0])


@pytest.fixture(scope="module")
def panel():
    """Electricity, and a free vector of independent normals near its estimates."""
    terms = ("pf", "cl", "loc", "wk", "tod", "seas")
    bound = bind(MixedLogit(" + ".join(terms), random=Normal(*terms)), electricity())
    mean = np.array([-1.0103, -0.2332, 2.3531, 1.6772, -9.720, -9.881])
    sd = np.array([0.2228, 0.4105, 1.8854, 1.2480, 2.502, 1.608])
    return bound, bound.parameters.pack(mean, np.diag(sd), np.zeros(0))


def test_a_warm_start_finds_the_same_modes(panel):
    bound, theta = panel
    cold = find_anchors(bound, theta)
    near = find_anchors(bound, theta + 0.1 * np.abs(theta))
    for start in (cold.centres[:, 0], near.centres[:, 0], np.full((361, 6), 3.0)):
        before = start.copy()
        warm = find_anchors(bound, theta, start)
        # The curvature is at least that of the prior, 1: the gradient bounds the distance.
        np.testing.assert_allclose(warm.centres, cold.centres, atol=2 * TOLERANCE)
        np.testing.assert_array_equal(start, before)


def test_roots_are_those_of_the_inverse_precision(panel):
    bound, theta = panel
    anchors = find_anchors(bound, theta)
    mean, chol, *_ = bound.parameters.unpack(theta)
    mixture = Mixture(mean[None], chol, bound.laws, np.zeros((1, 6, 1)), np.ones((1, 1)))
    for i in (0, 200, 360):
        root = anchors.roots[i, 0]
        np.testing.assert_array_equal(root, np.tril(root))
        base = np.zeros(bound.data.n_rows)
        precision = curvature(bound.panel(), i, base, mixture, anchors.centres[i, 0])
        np.testing.assert_allclose(root @ root.T @ precision, np.eye(6), atol=1e-6)
