"""Convergence figures."""

import json

import arviz as az
import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.psis import efficiency_of
from bayesmix.bayes.read import effective_draws
from bayesmix.reporting.diagnostics import convergence, convergence_sentence
from bayesmix.reporting.model_facts import model_facts


def test_agrees_with_arviz_by_flat_name(posterior: xr.DataTree) -> None:
    table = convergence(posterior)
    draws = posterior["posterior"]["sd"].sel(random="cl")
    row = table.loc["sd[cl]"]
    assert row["r_hat"] == pytest.approx(float(az.rhat(draws)))
    assert row["ess_bulk"] == pytest.approx(float(az.ess(draws)))
    assert row["ess_tail"] == pytest.approx(float(az.ess(draws, method="tail")))


def test_counts_divergences_and_leaves_persons_out(posterior: xr.DataTree) -> None:
    table = convergence(posterior)
    assert table["divergences"].tolist() == [3] * 10
    assert not table.index.str.startswith("beta").any()


def test_chains_that_disagree_are_reported(posterior: xr.DataTree) -> None:
    posterior["posterior"]["mean"][0, :, 1] += 1.0
    table = convergence(posterior)
    assert table["r_hat"].idxmax() == "mean[cl]"
    assert table.loc["mean[cl]", "r_hat"] > 1.5
    assert "(mean[cl])" in convergence_sentence(table)
    assert "3 divergences: look closer" in convergence_sentence(table)


def test_what_is_held_has_no_convergence_and_no_warning() -> None:
    """Warnings are errors here."""
    draws = np.random.default_rng(3).normal(size=(4, 1000, 2))
    draws[..., 1] = 0.5
    values = xr.Dataset({"mean": (("chain", "draw", "random"), draws)}, {"random": ["x", "y"]})
    values.attrs["model"] = json.dumps({"constraints": {"fixed": {"mean[y]": 0.5}}})
    table = convergence(xr.DataTree.from_dict({"posterior": values}))
    assert list(table.index) == ["mean[x]"]
    assert convergence_sentence(table).endswith("good")
    del values.attrs["model"]
    stuck = convergence_sentence(convergence(xr.DataTree.from_dict({"posterior": values})))
    assert "none for mean[y]" in stuck
    assert "look closer" in stuck


def test_good_chains_are_called_good() -> None:
    draws = np.random.default_rng(3).normal(size=(4, 1000))
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"scale": (("chain", "draw"), draws)})})
    table = convergence(tree)
    assert list(table.index) == ["scale"]
    assert convergence_sentence(table).endswith("divergences not recorded: good")
    for counted, words in ((0, "0 divergences: good"), (2, "2 divergences: look closer (R-hat")):
        stats = xr.Dataset(
            {"diverging": (("chain", "draw"), np.arange(4000).reshape(4, -1) < counted)}
        )
        told = convergence(
            xr.DataTree.from_dict({"posterior": tree["posterior"], "sample_stats": stats})
        )
        assert words in convergence_sentence(told)


def test_weighted_draws_have_the_effective_size_of_their_weights() -> None:
    """ArviZ takes resampled draws for independent ones."""
    draws = np.random.default_rng(3).normal(size=(4, 250))
    values = xr.Dataset({"scale": (("chain", "draw"), draws)})
    values.attrs |= {"method": "importance", "ess": 321.5, "pareto_k": 0.31}
    table = convergence(xr.DataTree.from_dict({"posterior": values}))
    assert table.loc["scale", ["ess_bulk", "ess_tail", "pareto_k"]].tolist() == [321.5, 321.5, 0.31]
    assert np.isnan(table.loc["scale", "r_hat"])
    assert convergence_sentence(table) == (
        "importance sampling, 322 effective draws, Pareto k 0.31: look closer (ESS > 400, k <= 0.7 "
        "wanted)"
    )
    values.attrs["ess"] = 5_000.0  # of all evaluations: no more are kept
    told = convergence_sentence(convergence(xr.DataTree.from_dict({"posterior": values})))
    assert told == "importance sampling, 1,000 effective draws, Pareto k 0.31: good"


def test_effective_draws_are_one_number_everywhere() -> None:
    """Weights of all evaluations are worth more than the draws that were resampled by them."""
    draws = np.random.default_rng(3).normal(size=(4, 5))
    values = xr.Dataset({"scale": (("chain", "draw"), draws)})
    values.attrs |= {"method": "importance", "ess": 27.4, "pareto_k": 0.31}
    tree = xr.DataTree.from_dict({"posterior": values})
    assert effective_draws(values) == 20
    assert (convergence(tree)[["ess_bulk", "ess_tail"]] == 20).all().all()
    assert bm.diagnose(tree).findings[0].value == 20
    assert model_facts({"a": tree}).loc["effective draws", "a"] == 20
    assert "worth 20 independent ones" in str(bm.diagnose(tree))
    assert efficiency_of(values) == 1.0
    values.attrs["ess"] = 8.0
    assert efficiency_of(values) == 0.4
    assert effective_draws(values) == 8
