"""Simulated scores: recovery, the likelihood's root as a limit, draws, refusals."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from bayesmix import LogNormal, Normal
from bayesmix.classical.fit import Fit
from bayesmix.classical.msle import msle
from bayesmix.classical.mss import mss
from bayesmix.errors import ConvergenceError, IntegrationError, SpecificationError
from bayesmix.integration.rules import centred, monte_carlo, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.reporting.compare import compare
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

AT = {"mean[x]": 1.0, "sd[x]": 1.2, "fixed[y]": -0.6}
MODEL = MixedLogit("x + y", random=Normal("x"))
RULE = monte_carlo(1000)


@cache
def data(persons=600, situations=3):
    return simulated(MODEL, AT, persons, situations, seed=0)


@cache
def fitted(accepted=25):
    return mss(MODEL, data(), grid=RULE, accepted=accepted, rng=1)


@cache
def likelihood():
    return msle(MODEL, data(), grid=centred(sobol(256)), starts=1, rng=1)


@pytest.mark.parametrize("law", ["normal", "lognormal"])
def test_parameters_are_recovered(law):
    model, at, options = {
        "normal": (MODEL, AT, {"outside_option": True}),
        "lognormal": (
            MixedLogit("x + y", random=LogNormal("x", sign=-1)),
            {"mean[x]": 0.2, "sd[x]": 0.8, "fixed[y]": -0.6},
            {},
        ),
    }[law]
    fit = mss(model, simulated(model, at, 1000, 3, seed=5, **options), grid=RULE, rng=1)
    truth = fit.space.series(np.array([at[n] for n in fit.space.names], dtype=float))
    off = (fit.params - truth) / fit.std_errors
    assert np.abs(off).max() < 3, off.to_string()
    assert fit.estimator == "MSS"
    assert fit.converged


def test_it_is_near_the_likelihood_and_its_noise_is_in_the_standard_errors():
    exact = likelihood()
    for accepted, within in ((3, 2.5), (100, 0.6)):
        fit = fitted(accepted)
        assert ((fit.params - exact.params).abs() / exact.std_errors).max() < within
    assert (fitted(3).std_errors > 1.02 * fitted(100).std_errors).all()
    np.testing.assert_allclose(fitted(100).std_errors, exact.std_errors, rtol=0.1)


def test_the_simulations_part_of_variances():
    """It falls with the number of draws, and is how far estimates are from the likelihood's."""
    few, many = (fitted(a).integration.share for a in (3, 100))
    # Some persons accept fewer than 100 of their candidates.
    odds = few / (1 - few) / (many / (1 - many))
    assert odds.between(18, 38).all(), odds
    exact = likelihood()
    gap = ((fitted(3).params - exact.params) / fitted(3).std_errors) ** 2
    assert (gap < 9 * few).all()


def test_importance_sampling_solves_the_score_on_the_nodes():
    fit = mss(MODEL, data(), method="importance", grid=centred(sobol(32)), starts=1, rng=1)
    _, scores = Likelihood(bind(MODEL, data()), fit.grid).by_person(fit.theta)
    g = scores.sum(axis=0)
    assert np.sqrt(g @ fit.information.covariance("hessian") @ g) < 1e-3
    same = msle(MODEL, data(), grid=centred(sobol(32)), starts=1, rng=1)
    np.testing.assert_array_equal(fit.theta, same.theta)
    assert fit.estimator == "MSS"


def test_without_random_coefficients_it_is_the_maximum_likelihood():
    plain = MixedLogit("x + y")
    np.testing.assert_array_equal(mss(plain, data()).params, msle(plain, data()).params)


def test_a_seed_gives_the_same_numbers():
    one, same, other = (mss(MODEL, data(300), grid=RULE, accepted=5, rng=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.theta, same.theta)
    np.testing.assert_array_equal(one.std_errors, same.std_errors)
    assert (one.theta != other.theta).any()


def test_it_is_a_fit_like_the_others(tmp_path):
    fit = fitted()
    assert "draws a person" in fit.message
    fit.save(tmp_path / "mss.json")
    again = Fit.load(tmp_path / "mss.json", data())
    np.testing.assert_allclose(again.std_errors, fit.std_errors)
    pd.testing.assert_series_equal(again.integration.share, fit.integration.share, rtol=0)
    assert "simulated scores are unbiased" in again.headline()
    table = compare({"MSLE": likelihood(), "MSS": fit}, differences=True)
    assert table["MSS"].notna().all(axis=None)


def test_refusals(monkeypatch):
    with pytest.raises(SpecificationError, match="'method' must be one of"):
        mss(MODEL, data(), method="rejection")
    with pytest.raises(SpecificationError, match="independent draws"):
        mss(MODEL, data(), grid=sobol(512))
    with pytest.raises(SpecificationError, match="independent draws"):
        mss(MODEL, data(), grid=monte_carlo(512, antithetic=True))
    with pytest.raises(SpecificationError, match="person-centred nodes"):
        mss(MODEL, data(), method="importance", grid=sobol(512))
    with pytest.raises(SpecificationError, match="'accepted' must be a whole number of at least 2"):
        mss(MODEL, data(), accepted=1)
    with pytest.raises(IntegrationError, match=r"no draw was accepted .*persons \d+.*importance"):
        mss(MODEL, data(), grid=monte_carlo(3))
    monkeypatch.setattr("bayesmix.classical.score_root.ARRIVED", 0.0)
    monkeypatch.setattr("bayesmix.classical.score_root.ROUNDS", 2)
    with pytest.raises(ConvergenceError, match=r"after 3 times 2 rounds .* accept more draws"):
        mss(MODEL, data(), grid=RULE, accepted=5, rng=1)
