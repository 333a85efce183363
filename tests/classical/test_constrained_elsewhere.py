"""Constraints in files, bootstraps, demand, moments and scores."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.resampling import make_job, weighted
from tests.classical.constrained import GRID, MODEL, data, fit, held


def test_a_stored_fit_keeps_what_it_holds(tmp_path):
    under = held(**{"fixed[z]": 0.5, "sd[y]": 0.0})
    under.save(tmp_path / "fit.json")
    again = bm.Fit.load(tmp_path / "fit.json", data())
    pd.testing.assert_frame_equal(again.covariance(), under.covariance())
    pd.testing.assert_series_equal(again.params, under.params)
    assert again.model == under.model
    assert again.aic == under.aic


def test_the_bootstrap_holds_it_too():
    under = held(**{"fixed[z]": 0.5})
    found = bm.bootstrap(under, data(), 8, rng=1, processes=1)
    assert (found.params["fixed[z]"] == 0.5).all()
    assert found.params["mean[x]"].std() > 0.02
    assert found.std_errors["fixed[z]"] == 0.0
    assert found.summary()["note"]["fixed[z]"] == "held"


def test_what_is_held_at_0_has_a_standard_error_of_0():
    fixed = {"fixed[z]": 0.0, "sd[y]": 0.0}
    found = bm.bootstrap(held(**fixed), data(), 4, rng=1, processes=1)
    assert (found.std_errors[list(fixed)] == 0.0).all()
    assert np.isnan(found.std_errors["corr[x, y]"])
    notes = found.summary()["note"]
    assert notes["fixed[z]"] == notes["sd[y]"] == "held"
    assert notes["corr[x, y]"] == "none: a standard deviation is held at 0"
    assert notes["mean[x]"] == ""


def test_replications_keep_the_signs_of_held_correlations():
    """Beyond sd[x] = 0 the same entries are those of the other sign: there is a wall."""
    under = held(**{"corr[x, y]": 0.7})
    job, weights = make_job(under, data(), 1), np.ones(200)
    value, _ = weighted(job, weights, under.theta)
    assert value == pytest.approx(under.loglik, abs=1e-9)
    other = under.theta.copy()
    other[under.space.diagonal()[0]] *= -1
    assert under.space.natural(other)[4] == pytest.approx(-0.7)
    assert np.isnan(weighted(job, weights, other)[0])
    assert np.isnan(weighted(job, weights, other)[1]).all()


def test_clusters_and_demand_know_it():
    under = held(**{"fixed[z]": 0.5})
    frame = data().frame.assign(village=data().frame["who"] // 4)
    again = bm.ChoiceData.from_long(
        frame, person="who", situation="task", alternative="alt", chosen="choice"
    )
    clustered = under.clustered(again, "village")
    assert clustered.std_errors["fixed[z]"] == 0.0
    assert (clustered.std_errors.drop("fixed[z]") > 0).all()
    shares = bm.shares(under, data(), draws=20, rng=1)
    assert shares.notnull().all().to_array().all()


def test_moments_and_scores_hold_parameters_as_the_likelihood_does():
    """Their estimates are the likelihood's within the standard errors of the difference."""
    fixed, equal = {"fixed[z]": 0.5, "corr[x, y]": 0.0}, [("sd[x]", "sd[y]")]
    model = bm.MixedLogit("x + y + z", random=[bm.Normal("x"), bm.Normal("y")])
    likelihood = fit(model, fixed=(("fixed[z]", 0.5),), equal=(("sd[x]", "sd[y]"),))
    found = {
        "moments": bm.msm(MODEL, data(), fixed=fixed, grid=GRID, rng=1),
        "sequences": bm.msm(
            model, data(), fixed={"fixed[z]": 0.5}, equal=equal, moments="sequences", rng=1
        ),
        "scores": bm.mss(model, data(), fixed={"fixed[z]": 0.5}, equal=equal, rng=1),
        "importance": bm.mss(
            model, data(), method="importance", fixed={"fixed[z]": 0.5}, equal=equal, rng=1
        ),
    }
    for name, other in found.items():
        assert other.converged
        assert other.params["fixed[z]"] == 0.5
        assert other.std_errors["fixed[z]"] == 0.0
        free = other.params.index.drop([n for n in fixed if n in other.params.index])
        assert (other.std_errors[free] > 0).all(), name
        if name != "moments":
            assert other.params["sd[x]"] == pytest.approx(other.params["sd[y]"], rel=1e-10)
            np.testing.assert_allclose(other.std_errors["sd[x]"], other.std_errors["sd[y]"])
            np.testing.assert_allclose(
                other.std_errors[free], likelihood.std_errors[free], rtol=0.25
            )
            gap = (other.params[free] - likelihood.params[free]) / other.std_errors[free]
            assert (abs(gap) < 0.6).all(), name
    assert found["moments"].params["corr[x, y]"] == 0.0
    over = found["moments"].overidentification
    root = found["moments"].information.size
    assert root == 4
    assert over.df > 0


def test_moments_of_a_held_multinomial_logit_are_its_likelihood():
    model = bm.MixedLogit("x + y + z")
    found = bm.msm(model, data(), fixed={"fixed[z]": 0.5}, equal=[("fixed[x]", "fixed[y]")])
    exact = fit(model, fixed=(("fixed[z]", 0.5),), equal=(("fixed[x]", "fixed[y]"),))
    np.testing.assert_allclose(found.params, exact.params, rtol=1e-4)
