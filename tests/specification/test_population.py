"""Moments of mixtures of laws over people: one law, quadrature of the mixture, scales of 0."""

import numpy as np
import pytest
from scipy import stats

from bayesmix import Gamma, LogNormal
from bayesmix.likelihood.laws import law_table
from bayesmix.specification.families import moments
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
    columns = np.array([c.code]), scale * z[:, None]
    beta = np.array(
        [
            law_table(*columns, np.full((1, 1), at), np.array([scale]), np.array([c.limits]))[
                0, :, 0
            ]
            for at in locs
        ]
    )
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
    narrow, far = (
        population_correlation((wide, other), (zero, zero), (s, 0.7), 0.5, one) for s in (1.0, 9.0)
    )
    assert -1.0 < narrow < -0.3
    assert np.isnan(far)
