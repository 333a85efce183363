"""Sums of scaled chi-squared laws: closed forms, far tails, and the size of a weighted test."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import dawsn, ive
from scipy.stats import chi2

import bayesmix as bm
from bayesmix.errors import ConvergenceError
from bayesmix.inference import chi_sum
from bayesmix.inference.chi_sum import ChiSum
from tests.simulated import choice_data, simulated


def two_exponentials(a, b, t):
    """``a chi2_2 + b chi2_2``: a sum of two exponential variables."""
    return (a * np.exp(-t / (2 * a)) - b * np.exp(-t / (2 * b))) / (a - b)


@pytest.mark.parametrize("t", [0.01, 1.0, 10.0, 60.0])
@pytest.mark.parametrize("a", [1.1, 3.0, 40.0])
def test_pairs_of_scales_have_a_closed_form(a, t):
    found = ChiSum((1.0, a, a, 1.0)).sf(t)
    assert found == pytest.approx(two_exponentials(a, 1.0, t), rel=1e-9)


@pytest.mark.parametrize("d", [1, 2, 5, 40])
@pytest.mark.parametrize("level", [1 - 1e-9, 0.95, 0.5, 1e-3, 1e-10, 1e-200])
def test_equal_scales_are_a_chi_squared_law_however_far_out(d, level):
    t = chi2.isf(level, d)
    assert ChiSum((3.0,) * d).sf(3.0 * t) == pytest.approx(chi2.sf(t, d), rel=1e-9)
    assert ChiSum((3.0,) * d).sf(0.0) == 1.0


@pytest.mark.parametrize("small", [1e-8, 1e-4, 1e-2])
@pytest.mark.parametrize("t", [1e-6, 1e-2, 3.0, 40.0, 100.0])
def test_scales_far_apart(small, t):
    """Twice the small scale and one of 1, by the exponential law of the two.

    ``P(s E + Z^2 >= t)``, E of mean 2: ``P(Z^2 >= t)`` and, over ``Z^2 = z^2 < t``, the integral of
    ``exp(-(t - z^2) / 2 s)``, which is Dawson's, for ``(1 / s - 1) > 0``.
    """
    curve = np.sqrt((1.0 / small - 1.0) / 2.0)
    inner = np.exp(-t / 2.0) * dawsn(curve * np.sqrt(t)) / curve * np.sqrt(2.0 / np.pi)
    expected = chi2.sf(t, 1) + inner
    assert ChiSum((small, 1.0, small)).sf(t) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("t", [1e-4, 0.5, 20.0])
def test_two_scales_by_bessels_function(t):
    """The density of scales a and b: ``exp(-t (a + b) / 4ab) I0(t (a - b) / 4ab) / 2 sqrt(ab)``."""
    a, b = 1.0, 0.05

    def density(x):
        slope = x * (a - b) / (4 * a * b)
        return np.exp(-x * (a + b) / (4 * a * b) + slope) * ive(0, slope) / (2 * np.sqrt(a * b))

    below = quad(density, 0.0, t, epsabs=1e-14, epsrel=1e-12)[0]
    assert ChiSum((a, b)).sf(t) == pytest.approx(1.0 - below, rel=1e-8, abs=1e-12)


FEW_CLUSTERS = (6e-5, 0.02, 0.3, 0.7, 1.1, 1.9, 2.4)


@pytest.mark.parametrize(
    ("scales", "t"), [((0.2, 0.9, 1.9), 6.0), (FEW_CLUSTERS, 14.0), ((1e-6, 1.0, 1.0), 0.1)]
)
def test_shares_of_draws(scales, t):
    draws = np.random.default_rng(1).standard_normal((400_000, len(scales))) ** 2 @ scales
    share = (draws > t).mean()
    error = np.sqrt(share * (1 - share) / len(draws))
    assert ChiSum(scales).sf(t) == pytest.approx(share, abs=4 * error)


def test_an_integral_that_does_not_settle_is_refused(monkeypatch):
    monkeypatch.setattr(chi_sum, "INTERVALS", (2, 4))
    with pytest.raises(ConvergenceError, match=r"1e-06 chi2.*did not settle at 0\.01"):
        ChiSum((1e-6, 1.0)).sf(0.01)


def test_the_weighted_ratio_has_its_size():
    """300 samples under the null, weights by attributes: as it stands the ratio rejects too often.

    Three standard errors of a share of 300: 0.038 around 0.05.
    """
    model = bm.MixedLogit("x + y + z")
    truth = {"fixed[x]": 0.5, "fixed[y]": 0.0, "fixed[z]": 0.0}
    p_values, plain = [], []
    for seed in range(300):
        sample = simulated(model, truth, 200, 2, columns=("x", "y", "z"), seed=seed)
        spread = sample.frame.groupby("who")["y"].transform("std")
        data = choice_data(sample.frame.assign(w=spread**2), weights="w")
        small, large = (bm.msle(bm.MixedLogit(f), data) for f in ("x", "x + y + z"))
        p_values.append(bm.lr_test(small, large).p_value)
        plain.append(chi2.sf(2 * (large.loglik - small.loglik) / data.weights.mean(), 2))
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.038)
    assert np.mean(np.array(plain) < 0.05) > 0.1
