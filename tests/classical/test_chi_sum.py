"""Sums of scaled chi-squared laws: closed forms, far tails, and the size of a weighted test."""

import numpy as np
import pytest
from scipy.stats import chi2

import bayesmix as bm
from bayesmix.classical.chi_sum import ChiSum
from tests.simulated import choice_data, simulated


def two_exponentials(a, b, t):
    """``a chi2_2 + b chi2_2``: a sum of two exponential variables."""
    return (a * np.exp(-t / (2 * a)) - b * np.exp(-t / (2 * b))) / (a - b)


@pytest.mark.parametrize("t", [0.01, 1.0, 10.0, 60.0])
@pytest.mark.parametrize("a", [1.1, 3.0, 40.0])
def test_pairs_of_scales_have_a_closed_form(a, t):
    found = ChiSum((1.0, a, a, 1.0)).sf(t)
    assert found == pytest.approx(two_exponentials(a, 1.0, t), rel=1e-9)


def test_one_scale_is_a_chi_squared_law_however_far_out():
    assert ChiSum((2.0, 2.0, 2.0)).sf(400.0) == pytest.approx(chi2.sf(200.0, 3), rel=1e-12)
    assert ChiSum((1.0, 2.0)).sf(0.0) == 1.0


def test_weights_are_those_of_a_mixture():
    law = ChiSum((0.2, 0.9, 1.9))
    assert (law.weights > 0).all()
    assert law.weights.sum() == pytest.approx(1.0, abs=1e-12)
    draws = np.random.default_rng(1).standard_normal((400_000, 3)) ** 2 @ law.scales
    share = (draws > 6.0).mean()
    assert law.sf(6.0) == pytest.approx(share, abs=4 * np.sqrt(share / len(draws)))


def test_scales_too_far_apart_give_an_upper_bound():
    law = ChiSum((1e-6, 1.0))
    assert len(law.weights) == 20_000
    assert law.sf(3.0) >= chi2.sf(3.0, 1)


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
