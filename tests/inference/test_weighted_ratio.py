"""Likelihood ratios of weighted fits."""

from dataclasses import replace

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import SpecificationError
from tests.inference.ratios import X, Y, data, fit
from tests.simulated import choice_data


def weighted(weights, formula, *laws):
    """A fit with a weight of each person."""
    frame = data().frame
    sample = choice_data(frame.assign(w=weights[frame["who"]]), weights="w")
    rule = {"grid": bm.gauss_hermite(7), "starts": 1, "rng": 1} if laws else {}
    return bm.msle(bm.MixedLogit(formula, random=laws), sample, **rule)


@pytest.mark.parametrize("weights", [np.ones(150), 0.3 + np.arange(150) % 3], ids=["one", "more"])
def test_the_scale_of_the_weights_does_not_matter(weights):
    tests = [
        bm.lr_test(*(weighted(c * weights, formula, X) for formula in ("x + y", "x + y + z")))
        for c in (1.0, 25.0)
    ]
    assert tests[1].statistic == pytest.approx(tests[0].statistic, rel=1e-3)
    assert tests[1].p_value == pytest.approx(tests[0].p_value, rel=1e-3)


def test_the_scale_does_not_matter_at_a_boundary_either():
    plain = bm.lr_test(fit(), fit(X, Y))
    heavy = bm.lr_test(*(weighted(np.full(150, 4.0), "x + y + z", *laws) for laws in ((), (X, Y))))
    assert heavy.statistic == pytest.approx(plain.statistic, rel=1e-3)
    assert heavy.law.weights == pytest.approx(plain.law.weights, rel=1e-3)
    assert "everybody's weight is 4" in heavy.notes[0]


def test_the_headline_says_that_a_fit_is_weighted():
    weights = np.repeat([1.0, 3.0], 75)
    words = weighted(weights, "x + y").headline()
    assert "weights: sum 300, effective persons 120.0; the log-likelihood is weighted" in words
    assert "weights" not in fit().headline()
    assert "Weights: sum 300, effective" in weighted(weights, "x + y").to_latex()


def test_criteria_are_those_of_a_likelihood():
    moments = replace(fit(X), estimator="MSM")
    assert np.isfinite([fit(X).aic, fit(X).bic]).all()
    assert np.isnan([moments.aic, moments.bic]).all()
    assert "AIC" in fit(X).to_latex()
    assert "AIC" not in moments.to_latex()


def test_weights_that_differ_are_refused_at_a_boundary():
    weights = 0.3 + np.arange(150) % 3
    with pytest.raises(SpecificationError, match=r"sd\[x\] = 0: persons' weights differ.*fit both"):
        bm.lr_test(*(weighted(weights, "x + y", *laws) for laws in ((), (X,))))


def test_scales_of_a_weighted_ratio():
    """Rao and Scott: with weights unrelated to all else, scales near sum w^2 / sum w."""
    weights = np.random.default_rng(2).gamma(1.0, 1.0, 150)
    small, large = (weighted(weights, formula, X) for formula in ("x", "x + y + z"))
    test = bm.lr_test(small, large)
    gain = 2 * (large.loglik - small.loglik)
    assert gain / test.statistic == pytest.approx(weights @ weights / weights.sum(), rel=0.25)
    v, h = (large.covariance(k).to_numpy()[np.ix_([2, 3], [2, 3])] for k in ("robust", "hessian"))
    expected = np.sort(np.linalg.eigvals(v @ np.linalg.inv(h)).real)
    np.testing.assert_allclose(test.law.scales, expected / expected.mean(), rtol=1e-9)
    assert np.mean(test.law.scales) == pytest.approx(1.0)
    assert test.df is None
