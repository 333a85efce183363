"""Moments of mixtures of laws over people: one law, quadrature of the mixture, scales of 0."""

import numpy as np
import pytest
from scipy import stats

from bayesmix import Gamma, JohnsonSB, LogNormal
from bayesmix.kernels.laws import law_table
from bayesmix.specification import location_nodes
from bayesmix.specification.laws.rows import laws_of
from bayesmix.specification.moments import moments
from bayesmix.specification.population import population_correlation, population_moments
from tests.laws import LAWS, coefficient

LOCATED = [name for name in LAWS if coefficient(name).law.located]
POINTS = [(0.3, 0.8), (-1.2, 0.4), (0.5, 2.5)]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", LOCATED)
def test_people_of_one_kind_have_the_law_itself(name, point):
    c, (loc, scale) = coefficient(name), point
    found = population_moments(c, np.full(3, loc), scale, np.array([0.2, 0.5, 0.3]))
    assert found == pytest.approx(moments(c, loc, scale), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", LOCATED)
def test_mixtures_by_their_distribution_function(name):
    """Moments and median from the average of the laws' own, and the share from their sums."""
    c, locs, share = coefficient(name), np.array([-0.6, 0.1, 0.8]), np.array([0.5, 0.2, 0.3])
    found = population_moments(c, locs, 0.7, share)
    laws = [moments(c, loc, 0.7) for loc in locs]
    mean = share @ [law.mean for law in laws]
    square = share @ [law.sd**2 + law.mean**2 for law in laws]
    assert found.mean == pytest.approx(mean, rel=1e-6)
    assert found.sd == pytest.approx(np.sqrt(square - mean**2), rel=1e-6)
    assert found.positive == pytest.approx(share @ [law.positive for law in laws], abs=1e-12)
    assert min(law.median for law in laws) <= found.median <= max(law.median for law in laws)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_median_of_a_mixture_halves_it(sign):
    c = LAWS["lognormal" if sign > 0 else "negative lognormal"].coefficients[0]
    locs, share = np.array([-1.0, 2.0]), np.array([0.7, 0.3])
    median = sign * population_moments(c, locs, 0.5, share).median
    below = [stats.norm.cdf((np.log(median) - loc) / 0.5) for loc in locs]
    assert share @ below == pytest.approx(0.5, abs=1e-12)


def test_the_median_of_censored_people_may_be_the_bound():
    c = coefficient("censored below")
    found = population_moments(c, np.array([-1.0, 2.0]), 0.5, np.array([0.7, 0.3]))
    assert found.median == 0.0
    assert found.positive == pytest.approx(0.7 * stats.norm.cdf(-2) + 0.3 * stats.norm.cdf(4))


def test_a_scale_of_zero_is_one_value_a_kind():
    c = coefficient("negative lognormal")
    found = population_moments(c, np.log([1.0, 2.0, 4.0]), 0.0, np.array([0.6, 0.3, 0.1]))
    assert found.median == pytest.approx(-1.0)
    assert found.mean == pytest.approx(-1.6)
    assert found.sd == pytest.approx(np.sqrt(0.6 * 0.36 + 0.3 * 0.16 + 0.1 * 2.4**2))


@pytest.mark.parametrize("name", LAWS)
def test_correlations_by_quadrature_over_both_indices(name):
    """With a normal, and of two kinds of people; the oracle integrates the maps over a square."""
    c, normal = coefficient(name), coefficient("normal")
    locs = np.array([-0.3, 0.6]) if c.law.located else np.zeros(2)
    share, rho, scale = np.array([0.3, 0.7]), -0.6, 0.8
    found = population_correlation((normal, c), (np.zeros(2), locs), (1.3, scale), rho, share)
    z = np.linspace(-8, 8, 1201)
    weight = stats.norm.pdf(z) * (z[1] - z[0])
    beta = np.array([mapped(c, at, scale, z) for at in locs])
    mean = share @ (beta @ weight)
    sd = np.sqrt(share @ ((beta - mean) ** 2 @ weight))
    covariance = 1.3 * rho * (share @ (beta @ (weight * z)))
    assert found == pytest.approx(covariance / (1.3 * sd), rel=1e-4)


def test_two_kinds_of_people_are_correlated_by_their_means():
    normal = coefficient("normal")
    locs = np.array([-1.0, 1.0])
    found = population_correlation(
        (normal, normal), (locs, -locs), (1.0, 2.0), 0.5, np.full(2, 0.5)
    )
    assert found == pytest.approx((1.0 - 1.0) / np.sqrt(2 * 5), abs=1e-12)
    one = locs[:1]
    assert np.isnan(population_correlation((normal,) * 2, (one,) * 2, (0.0, 1.0), 0.5, np.ones(1)))


def test_the_sign_of_a_lognormal_turns_its_correlation():
    pair = [
        (coefficient("normal"), LAWS[n].coefficients[0])
        for n in ("lognormal", "negative lognormal")
    ]
    zero = np.zeros(1)
    up, down = (population_correlation(p, (zero, zero), (1.0, 0.7), 0.4, np.ones(1)) for p in pair)
    assert up == pytest.approx(0.4 * 0.7 / np.sqrt(np.expm1(0.49)))
    assert down == -up


def test_correlations_of_wide_lognormals_are_known_or_said_not_to_be():
    wide, other = LogNormal("x", sign=-1).coefficients[0], Gamma("y").coefficients[0]
    zero, one = np.zeros(1), np.ones(1)
    found = population_correlation((wide, wide), (zero, zero), (6.0, 5.0), 0.5, one)
    exact = np.expm1(0.5 * 30.0) / np.sqrt(np.expm1(36.0) * np.expm1(25.0))
    assert found == pytest.approx(exact, rel=1e-12)
    # E[e^(s z) T(z')] = e^(s^2/2) E[T(z' + corr s)]: of the gamma law on a fine grid.
    z = np.linspace(-10, 10, 20001)
    weight, law = stats.norm.pdf(z) / stats.norm.pdf(z).sum(), stats.gamma(0.7**-2, scale=0.7**2)
    for scale in (1.0, 9.0, 19.0):
        found = population_correlation((wide, other), (zero, zero), (scale, 0.7), 0.5, one)
        mean = weight @ law.isf(stats.norm.sf(z + 0.5 * scale))
        exact = (mean - 1.0) / (0.7 * np.sqrt(-np.expm1(-(scale**2))) * np.exp(scale**2 / 2))
        assert found == pytest.approx(-exact, rel=1e-6)
    assert np.isnan(population_correlation((wide, other), (zero, zero), (30.0, 0.7), 0.5, one))
    assert moments(wide, 0.0, 30.0).sd == population_moments(wide, zero, 30.0, one).sd == np.inf


def test_a_series_that_has_not_converged_is_no_correlation():
    """Of two steps, nearly: their terms vanish slowly where the correlation is not small."""
    law, zero, one = JohnsonSB("x", lower=0, upper=1).coefficients[0], np.zeros(1), np.ones(1)
    at = [
        population_correlation((law,) * 2, (zero,) * 2, (50.0,) * 2, r, one) for r in (0.9, 0.999)
    ]
    # The covariance is nearly that of the signs of two normals, arcsin(corr) / (2 pi).
    variance = moments(law, 0.0, 50.0).sd ** 2
    assert at[0] == pytest.approx(np.arcsin(0.9) / (2.0 * np.pi) / variance, rel=5e-3)
    assert np.isnan(at[1])


KINDS = (-0.3, 0.6), (0.5, -0.2)
CURVED = [
    ("gamma", "uniform"),
    ("lognormal", "triangular"),
    ("censored below", "johnson"),
    ("censored on both sides", "censored above"),
    ("negative gamma", "exponential"),
    ("truncated above", "negative zero-bounded triangular"),
    ("uniform", "triangular"),
]


@pytest.mark.parametrize("rho", [-0.6, 0.3, 0.9])
@pytest.mark.parametrize("names", CURVED, ids=" x ".join)
def test_correlations_of_curved_laws_by_a_grid_over_a_square(names, rho):
    """Two kinds of people; the oracle has compiled maps of ``z_1`` and of ``rho z_1 + r z_2``."""
    pair, scales, share = [coefficient(name) for name in names], (0.8, 1.1), np.array([0.3, 0.7])
    locs = [
        np.array(at) if c.law.located else np.zeros(2) for c, at in zip(pair, KINDS, strict=True)
    ]
    found = population_correlation(tuple(pair), tuple(locs), scales, rho, share)
    z = np.linspace(-7.5, 7.5, 501)
    weight = np.outer(stats.norm.pdf(z), stats.norm.pdf(z)) * (z[1] - z[0]) ** 2
    indices = (z[:, None] + 0.0 * z), rho * z[:, None] + np.sqrt(1 - rho**2) * z
    beta = np.array(
        [
            [
                mapped(c, at[g], scale, index)
                for c, at, scale, index in zip(pair, locs, scales, indices, strict=True)
            ]
            for g in range(2)
        ]
    )
    mean = np.einsum("g,ij,gkij->k", share, weight, beta)
    away = beta - mean[:, None, None]
    covariance = np.einsum("g,ij,gkij,glij->kl", share, weight, away, away, optimize=True)
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found == pytest.approx(expected, abs=2e-5)
    assert abs(found) > 0.05


def mapped(c, loc, scale, z):
    """The compiled map of a law at standard normals of any shape."""
    laws, known = laws_of([c])
    table = law_table(
        laws, known, scale * z.reshape(-1, 1), np.array([[loc, *c.shapes]]), np.array([scale])
    )
    return table[0, :, 0].reshape(z.shape)


@pytest.fixture
def crowd():
    """Locations of two coefficients of 3,000 people, and their shares."""
    rng = np.random.default_rng(0)
    x, share = rng.normal(size=(2, 3000)), rng.uniform(0.5, 1.5, 3000)
    return 0.3 + 0.8 * x[0], -0.2 + 0.5 * (0.6 * x[0] + x[1]), share / share.sum()


@pytest.mark.parametrize("scale", [0.02, 0.7, 3.0])
@pytest.mark.parametrize("name", LOCATED)
def test_nodes_stand_for_many_kinds_of_people(name, scale, crowd, monkeypatch):
    c, (loc, _, share) = coefficient(name), crowd
    found = population_moments(c, loc, scale, share)
    monkeypatch.setattr(location_nodes, "FEW", len(loc))
    assert found == pytest.approx(population_moments(c, loc, scale, share), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("names", [*CURVED, ("lognormal", "gamma"), ("normal", "johnson")], ids=str)
def test_nodes_stand_for_many_kinds_of_pairs(names, crowd, monkeypatch):
    pair, (a, b, share) = tuple(coefficient(name) for name in names), crowd
    found = population_correlation(pair, (a, b), (0.7, 0.9), -0.5, share)
    monkeypatch.setattr(location_nodes, "FEW", len(a))
    exact = population_correlation(pair, (a, b), (0.7, 0.9), -0.5, share)
    assert found == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("name", ["gamma", "truncated above", "johnson"])
def test_moments_of_a_crowd_have_derivatives(name, crowd):
    """By steps as small as the delta method's: nodes move with people, and jump nowhere."""
    c, (loc, _, share) = coefficient(name), crowd

    def rise(step):
        ends = [
            population_moments(c, 1.0 + (loc - 1.0) * (1.0 + e), 0.7, share) for e in (step, -step)
        ]
        return (np.array(ends[0]) - ends[1]) / (2 * step)

    assert rise(1e-6) == pytest.approx(rise(1e-3), rel=2e-3, abs=2e-4)


@pytest.mark.parametrize("scale", [1.0, 2.5, 6.0, 10.0, 40.0])
def test_wide_johnson_laws_are_what_they_are_without_shifts(scale):
    c = JohnsonSB("x", lower=0, upper=1).coefficients[0]
    found = population_moments(c, np.full(2, 0.3), scale, np.full(2, 0.5))
    assert found == pytest.approx(moments(c, 0.3, scale), rel=1e-7)


@pytest.mark.parametrize("name", LOCATED)
def test_people_who_are_nearly_alike_have_a_median(name):
    """Distribution functions at the medians of its ends may round to the same side of 1/2."""
    c, share = coefficient(name), np.full(7, 1 / 7)
    for gap in (1e-17, 1e-16, 3e-16, 1e-15):
        locs = 0.3 + gap * np.arange(7)
        found = population_moments(c, locs, 0.7, share).median
        assert found == pytest.approx(moments(c, 0.3, 0.7).median, rel=1e-9)


def test_all_people_of_one_sign_are_exactly_all():
    c, rng = coefficient("truncated below"), np.random.default_rng(1)
    for size in (3, 30, 3000):
        share = rng.uniform(size=size)
        found = population_moments(c, rng.normal(size=size), 0.7, share / share.sum())
        assert found.positive == 1.0
