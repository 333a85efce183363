"""Person-centred grids: counts, weights, chunks, unbiasedness, accuracy."""

import numpy as np
import pytest

from bayesmix import Correlated, LogNormal, Normal
from bayesmix.centring.grids import centre, moments_of_block
from bayesmix.centring.moments import posterior_weights
from bayesmix.data.examples import electricity
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, monte_carlo, sobol
from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.kernels.integrals import integrate_serial, node_log_probabilities
from bayesmix.kernels.mixture import Mixture
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.persons import joined, over_persons
from bayesmix.likelihood.point import Point
from bayesmix.optimise import freeze as freeze_module
from bayesmix.optimise.freeze import freeze
from bayesmix.specification.model import MixedLogit
from tests.oracles import choice_frame, choices

STANDARD_ERRORS = 4.0
STEPS = np.linspace(-9.0, 9.0, 181)


@pytest.fixture(scope="module")
def small():
    """Twelve persons, a normal and a correlated lognormal; exact integrals on a fine lattice."""
    frame = choice_frame(np.random.default_rng(1), persons=12, situations=8)
    law = Correlated(Normal("time"), LogNormal("price", sign=-1))
    problem = bind(MixedLogit("price + time", random=law), choices(frame))
    theta = np.array([-0.5, -0.2, 0.8, 0.5, 1.2])
    mean, chol, *_ = problem.parameters.unpack(theta)
    nodes = np.stack(np.meshgrid(STEPS, STEPS)).reshape(1, 2, -1)
    weights = np.exp(-0.5 * (nodes**2).sum(axis=1))
    lattice = Mixture(
        mean[None], chol, problem.laws, nodes, weights / weights.sum(), known=problem.known
    )
    base = np.zeros(problem.data.n_rows)
    exact, *_ = integrate_serial(problem.panel(), base, lattice, False)
    share = posterior_weights(
        node_log_probabilities(problem.panel(), base, lattice), lattice.weights
    )
    return problem, theta, exact, np.einsum("is,ks->ik", share, nodes[0])


@pytest.fixture(scope="module")
def panel():
    terms = ("pf", "cl", "loc", "wk", "tod", "seas")
    problem = bind(MixedLogit(" + ".join(terms), random=Normal(*terms)), electricity())
    mean = np.array([-1.0103, -0.2332, 2.3531, 1.6772, -9.720, -9.881])
    sd = np.array([0.2228, 0.4105, 1.8854, 1.2480, 2.502, 1.608])
    return problem, problem.parameters.pack(mean, np.diag(sd), np.zeros(0))


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        (centred(sobol(64)), [16, 48]),
        (centred(sobol(64), moments=True), [16, 24, 24]),
        (centred(sobol(63), moments=True), [16, 24, 23]),
        (centred(sobol(10), population=0.5), [5, 5]),
        (centred(sobol(64), population=0.999), [64, 0]),
    ],
    ids=str,
)
def test_nodes_are_dealt_out_to_the_components(small, rule, counts):
    problem, theta, *_ = small
    grid = centre(problem, rule, theta, rng=1)
    assert grid.counts.tolist() == counts
    nodes, weights = grid.block(0, 12)
    assert nodes.shape == (12, 2, rule.rule.nodes)
    assert np.isfinite(nodes).all()
    # q >= a phi: no weight is larger than 1 / (a S).
    assert (weights > 0).all()
    assert weights.max() * counts[0] <= 1 + 1e-12


def test_the_population_alone_is_the_plain_grid(small):
    problem, theta, *_ = small
    nodes, weights = centre(problem, centred(sobol(64), population=0.999), theta, rng=1).block(
        0, 12
    )
    plain, equal = population_grid(sobol(64), 2, 12, rng=1).block(0, 12)
    np.testing.assert_array_equal(nodes, plain)
    np.testing.assert_allclose(weights, equal, rtol=1e-14)


@pytest.mark.parametrize("moments", [False, True])
def test_numbers_do_not_depend_on_chunks(small, moments):
    problem, theta, *_ = small
    grid = centre(problem, centred(sobol(32), moments=moments), theta, rng=1)
    whole = grid.block(0, 12)
    pieces = [grid.block(a, b) for a, b in [(0, 1), (1, 1), (1, 7), (7, 12)]]
    for k in range(2):
        np.testing.assert_array_equal(np.concatenate([p[k] for p in pieces]), whole[k])
    again = centre(problem, centred(sobol(32), moments=moments), theta, rng=1).block(0, 12)
    np.testing.assert_array_equal(again[0], whole[0])


def test_a_renewed_grid_has_other_nodes_of_the_same_mixtures(small):
    problem, theta, *_ = small
    grid = centre(problem, centred(sobol(32)), theta, rng=1)
    other = grid.renewed(2)
    assert other.anchors is grid.anchors
    assert (other.block(0, 12)[0] != grid.block(0, 12)[0]).all()


def over_scrambles(problem, theta, rule, number):
    """Log-integrals, and sums of the weights, over independent grids: (number, I) each."""
    logs, sums = [], []
    for seed in range(number):
        grid = centre(problem, rule, theta, rng=seed)
        logs.append(Likelihood(problem, grid).by_person(theta)[0])
        sums.append(grid.block(0, problem.n_persons)[1].sum(axis=1))
    return np.array(logs), np.array(sums)


def z_scores(draws, expected):
    error = draws.std(axis=0, ddof=1) / np.sqrt(len(draws))
    return (draws.mean(axis=0) - expected) / error


@pytest.mark.parametrize("rule", [sobol(32), monte_carlo(32)], ids=str)
@pytest.mark.parametrize("moments", [False, True])
def test_integrals_and_the_constant_are_unbiased_over_scrambles(small, rule, moments):
    problem, theta, exact, _ = small
    rule = centred(rule, moments=moments)
    logs, sums = over_scrambles(problem, theta, rule, 200)
    for z in (z_scores(np.exp(logs - exact), 1.0), z_scores(sums, 1.0)):
        assert np.abs(z).max() < STANDARD_ERRORS
        # Persons are independent: a common bias of each would show in the sum.
        assert abs(z.sum()) < STANDARD_ERRORS * np.sqrt(len(z))


def test_many_nodes_integrate_the_constant_one(panel):
    problem, theta = panel
    few, many = (
        centre(problem, centred(sobol(n)), theta, rng=1).block(0, 50)[1].sum(axis=1) - 1
        for n in (64, 4096)
    )
    # Sobol errors fall at least as fast as those of independent draws: by 8 here.
    assert np.sqrt((many**2).mean()) < np.sqrt((few**2).mean()) / 8


def test_integrals_are_those_of_brute_force(panel):
    problem, theta = panel
    persons, scrambles = 6, 8
    mean, chol, *_ = problem.parameters.unpack(theta)
    part, base = problem.panel(0, persons), np.zeros(problem.rows(0, persons).stop)
    draws = {"brute": [], "centred": []}
    small_grid = centre(problem, centred(sobol(256)), theta, rng=0)
    for seed in range(scrambles):
        for name, grid in [
            ("brute", population_grid(sobol(2**17), 6, problem.n_persons, rng=seed)),
            ("centred", small_grid.renewed(100 + seed)),
        ]:
            mixture = Mixture(mean[None], chol, problem.laws, *grid.block(0, persons))
            draws[name].append(np.exp(integrate_serial(part, base, mixture, False)[0]))
    brute, close = np.array(draws["brute"]), np.array(draws["centred"])
    error = np.sqrt((brute.var(axis=0, ddof=1) + close.var(axis=0, ddof=1)) / scrambles)
    difference = brute.mean(axis=0) - close.mean(axis=0)
    assert (np.abs(difference) < STANDARD_ERRORS * error).all()
    assert (error < 0.05 * brute.mean(axis=0)).all()


def test_sixty_four_nodes_are_as_accurate_as_was_measured(panel):
    """Root mean square error of log P_i over people: 0.052 with 64 nodes, 1.09 with plain ones."""
    problem, theta = panel
    exact = Likelihood(problem, centre(problem, centred(sobol(4096)), theta, 1)).by_person(theta)[0]
    close = Likelihood(problem, centre(problem, centred(sobol(64)), theta, 2)).by_person(theta)[0]
    plain = Likelihood(problem, population_grid(sobol(64), 6, 361, 2)).by_person(theta)[0]
    assert np.sqrt(((close - exact) ** 2).mean()) < 0.07
    assert np.sqrt(((plain - exact) ** 2).mean()) > 0.8


def posterior_means(problem, grid):
    return joined(over_persons(Point(problem, grid.anchors.theta), grid, moments_of_block))[0]


def test_posterior_moments_are_the_exact_ones(small):
    problem, theta, _, exact = small
    grid = centre(problem, centred(sobol(1024)), theta, rng=1)
    draws = np.array([posterior_means(problem, grid.renewed(s)) for s in range(20)])
    assert np.abs(z_scores(draws, exact)).max() < STANDARD_ERRORS
    anchors = centre(problem, centred(sobol(64), moments=True), theta, rng=1).anchors
    np.testing.assert_array_equal(anchors.centres[:, 0], grid.anchors.centres[:, 0])
    # The first pass has 256 nodes, and the spread of a posterior is at most of order 1.
    np.testing.assert_allclose(anchors.centres[:, 1], exact, atol=0.1)
    assert (np.linalg.eigvalsh(anchors.roots[:, 1] @ anchors.roots[:, 1].swapaxes(1, 2)) > 0).all()


def test_frozen_in_coefficient_space_the_anchor_has_the_same_integrals(small, monkeypatch):
    problem, theta, *_ = small
    grid = centre(problem, centred(sobol(64)), theta, rng=1)
    assert freeze(problem, grid) == ()  # twelve persons leave standard deviations uncertain
    monkeypatch.setattr(freeze_module, "UNCERTAIN", np.inf)
    mean, chol, *_ = problem.parameters.unpack(theta)
    free = np.tril(np.ones((2, 2), dtype=bool))
    (nodes,) = freeze(problem, grid)
    logp, *_ = density_integrals(mean[None], chol, free, *nodes)
    np.testing.assert_allclose(logp, Likelihood(problem, grid).by_person(theta)[0], rtol=1e-11)
    assert freeze(problem, centre(problem, centred(sobol(8)), theta * [1, 1, 0, 0, 1], 1)) == ()


def test_gauss_hermite_is_met_where_it_is_exact(small):
    problem, theta, exact, _ = small
    grid = population_grid(gauss_hermite(60), 2, 12)
    np.testing.assert_allclose(Likelihood(problem, grid).by_person(theta)[0], exact, atol=1e-5)


def test_a_resized_grid_says_its_size_and_halves_stay_even(panel):
    problem, theta = panel
    grid = centre(problem, centred(sobol(64), halves=True), theta, 1)
    for nodes, size in ((128, 128), (375, 376)):
        other = grid.resized(nodes)
        assert other.rule.rule.nodes == other.size == other.base.size == size
        assert other.block(0, 3)[0].shape[2] == size
        assert str(other) == f"centred(sobol({size}), population=0.25, inflation=1.2, halves=True)"
