"""NUTS by both paths: they agree, recover the truth, and return a tree that ArviZ reads."""

import json

import arviz as az
import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood

from .conftest import MODEL, TRUTH


@pytest.fixture(scope="module")
def fit(panel):
    return bm.msle(MODEL, panel, grid=bm.centred(bm.sobol(64), moments=True), starts=1, rng=3)


@pytest.fixture(scope="module")
def marginal(panel, fit):
    return bm.sample(
        MODEL, panel, likelihood="marginal", grid=fit.grid, draws=500, tune=200, chains=3, rng=7,
        progress=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def hierarchical(panel, fit):
    return bm.sample(
        MODEL, panel, likelihood="hierarchical", grid=fit.grid, draws=500, tune=500, chains=2,
        rng=8, progress=False,
    )  # fmt: skip


def flat(tree):
    """Moments and diagnostics by flat name."""
    return az.summary(tree, kind="all", round_to="none")


def test_chains_mix_and_the_truth_is_within_reach(marginal):
    table = flat(marginal)
    assert table["r_hat"].max() < 1.02
    assert table["ess_bulk"].min() > 300
    z = (table["mean"] - [TRUTH[name] for name in table.index]) / table["sd"]
    assert z.abs().max() < 3.5
    assert int(marginal["sample_stats"]["diverging"].sum()) == 0


def test_both_paths_sample_the_same_posterior(marginal, hierarchical):
    one, other = flat(marginal), flat(hierarchical)
    assert set(one.index) == set(other.index)
    noise = np.hypot(one["mcse_mean"], other["mcse_mean"])
    # Beyond Monte Carlo error, the marginal path has the integration error of 64 nodes.
    gap = (one["mean"] - other["mean"]).abs() - 4 * noise
    assert (gap / one["sd"]).max() < 0.15
    assert (one["sd"] / other["sd"]).between(0.8, 1.25).all()


def test_log_likelihood_is_the_integrated_one_of_each_person(panel, fit, marginal):
    problem = bind(MODEL, panel)
    posterior = marginal["posterior"].to_dataset()
    theta = free_vectors(problem, posterior)[1, 40]
    values = marginal["log_likelihood"]["choices"]
    assert values.dims == ("chain", "draw", "person")
    expected = Likelihood(problem, fit.grid).by_person(theta)[0]
    assert values.to_numpy()[1, 40] == pytest.approx(expected, abs=1e-10)


def test_tree_has_names_data_and_what_was_fitted(panel, marginal, tmp_path):
    posterior = marginal["posterior"]
    assert list(posterior["mean"]["random"].to_numpy()) == ["a", "b", "c"]
    assert list(posterior["corr"]["pair"].to_numpy()) == ["a, b"]
    assert list(posterior["fixed"]["term"].to_numpy()) == ["d"]
    assert set(posterior.data_vars) == {"mean", "sd", "corr", "fixed"}
    assert set(marginal["log_prior"].data_vars) == {"mean", "sd", "corr", "fixed"}
    assert list(az.psense_summary(marginal).index) == list(flat(marginal).index)
    observed = marginal["observed_data"]
    choices = observed["alternative"].to_numpy()[observed["choice"].to_numpy()]
    assert (choices == panel.frame["alt"].to_numpy()[panel.chosen_row]).all()
    assert marginal["constant_data"].sizes["row"] == panel.n_rows
    assert json.loads(posterior.attrs["model"])["formula"] == "a + b + c + d"
    assert posterior.attrs["integration_error_sd"] < 2.0
    marginal.to_netcdf(tmp_path / "posterior.nc", engine="netcdf4")
    again = xr.load_datatree(tmp_path / "posterior.nc", engine="netcdf4")
    assert (again["posterior"]["sd"] == posterior["sd"]).all()


def test_same_seed_same_draws(panel, fit):
    one, other = (
        bm.sample(
            MODEL, panel, likelihood="marginal", grid=fit.grid, draws=60, tune=60, chains=3,
            rng=7, progress=False,
        )["posterior"]["mean"]
        for _ in range(2)
    )  # fmt: skip
    assert (one == other).all()
    assert float(one.std()) > 0


def test_individual_coefficients_follow_the_persons(panel, fit, marginal):
    """Posterior means of persons vary less than the population, and average to its mean."""
    known = bm.individuals(marginal, panel, draws=50, rng=1)
    classical = bm.individuals(fit, panel, draws=50, rng=1)
    sd = float(marginal["posterior"]["sd"].mean(("chain", "draw")).sel(random="b"))
    spread = float(known["mean"].sel(random="b").std())
    assert 0.4 * sd < spread < sd
    within = float((known["sd"].sel(random="b") ** 2).mean())
    assert spread**2 + within == pytest.approx(sd**2, rel=0.15)
    assert (
        np.corrcoef(known["mean"].sel(random="b"), classical["mean"].sel(random="b"))[0, 1] > 0.99
    )
    draws = known["beta"].sel(random="b").std("draw").mean()
    assert float(draws) == pytest.approx(float(known["sd"].sel(random="b").mean()), rel=0.1)
    assert (known["beta"].sel(random="c") < 0).all()


def test_multinomial_logit_is_sampled_too(panel):
    model = bm.MixedLogit("a + b")
    post = bm.sample(model, panel, draws=300, tune=200, chains=2, rng=1, progress=False)
    fit = bm.msle(model, panel)
    table = flat(post)
    assert (((table["mean"] - fit.params) / table["sd"]).abs() < 0.3).all()


def test_unknown_path_or_grid_is_refused(panel):
    with pytest.raises(bm.SpecificationError, match="'marginal', 'hierarchical', 'auto', got"):
        bm.sample(MODEL, panel, likelihood="gibbs")
    with pytest.raises(bm.SpecificationError, match="must be a rule or 'auto', got 'many'"):
        bm.sample(MODEL, panel, grid="many")


def test_weights_that_make_many_people_of_one_are_said(panel):
    """Before anything is sampled: the posterior of expansion factors is of a whole country."""
    heavy = panel.frame.assign(w=5_000.0)
    roles = {n: getattr(panel, n) for n in ("person", "situation", "alternative", "chosen")}
    data = bm.ChoiceData.from_long(heavy, **roles, weights="w")
    with (
        pytest.warns(UserWarning, match="stood 5e\\+03 times in the data"),
        pytest.raises(bm.SpecificationError, match="nobody"),
    ):
        bm.sample(MODEL, data, priors={"nobody": 1.0})
