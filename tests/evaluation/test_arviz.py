"""Every public name of ArviZ: called on a posterior, or listed with the reason why not."""

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import arviz as az
import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot

import bayesmix as bm
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + y + z", random=[bm.LKJNormal("x", "y")])
TRUTH = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 0.6}
TRUTH |= {"corr[x, y]": 0.4, "fixed[z]": 0.7}
GROUPS = {
    "posterior",
    "prior",
    "prior_predictive",
    "posterior_predictive",
    "log_likelihood",
    "log_prior",
    "sample_stats",
    "observed_data",
    "constant_data",
}
FIXED = {"var_names": ["fixed"]}


class Trees:
    """A posterior with every group, the same given other choices, and ArviZ's own of the former."""

    def __init__(self) -> None:
        self.data = simulated(MODEL, TRUTH, 40, 2, seed=3, columns=("x", "y", "z"))
        self.posterior = bm.sample(MODEL, self.data, draws=100, chains=4, rng=1, progress=False)
        self.tree = bm.posterior_predictive(self.posterior, self.data, draws=400, rng=1)
        self.others = bm.posterior_predictive(
            self.posterior, self.data, people="others", draws=100, nodes=32, rng=1
        )
        self.add_prior()
        self.loo = az.loo(self.tree, pointwise=True)
        self.compared = az.compare({"a": self.loo, "b": self.loo})

    def add_prior(self) -> None:
        prior = bm.prior_predictive(MODEL, self.data, draws=100, rng=2)
        for name in ("prior", "prior_predictive"):
            self.tree[name] = prior[name]

    @property
    def draws(self) -> xr.Dataset:
        return self.tree["posterior"].to_dataset()


@pytest.fixture(scope="module")
def have() -> Trees:
    matplotlib.use("Agg")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ABOUT_LABELS[-1])
        return Trees()


ON_THE_TREE: dict[str, dict[str, Any]] = {
    # Called with the tree and these arguments.
    **{
        f"plot_{name}": FIXED
        for name in (
            "autocorr", "convergence_dist", "dgof", "dgof_dist", "dist", "ess", "ess_evolution",
            "mcse", "prior_posterior", "psense_dist", "psense_quantities", "rank", "rank_dist",
            "ridge", "trace", "trace_dist",
        )
    },
    **{f"plot_{name}": {} for name in ("energy", "forest", "parallel", "ppc_interval", "ppc_pit")},
    "plot_pair": {"var_names": ["mean"]},
    "plot_pair_focus": {"focus_var": "mean", "focus_var_coords": {"random": "x"}},
    "plot_ppc_dist": {"kind": "ecdf", "num_samples": 10},
    "plot_ppc_pava": {"data_type": "categorical"},
    "plot_ppc_dist_pit": {"kind": "ecdf", "num_samples": 10},
    "plot_ppc_rootogram": {},
    "plot_ppc_tstat": {"t_stat": "mean"},
    "plot_bf": {"var_names": ["sd"], "ref_val": 1.0},
    "bayes_factor": {"var_names": ["sd"], "ref_vals": 1.0},
    "ci_in_rope": {"rope": (-0.1, 0.1)},
    "rhat_nested": {"superchain_ids": [0, 0, 1, 1]},
    "loo_subsample": {"observations": 20},
    **{
        name: {}
        for name in (
            "bfmi", "diagnose", "ess", "eti", "extract", "get_log_likelihood",
            "get_unconstrained_samples", "hdi", "histogram", "iqr", "kde", "loo", "mad", "mcse",
            "mean", "median", "mode", "psense", "psense_summary", "qds", "rhat", "std", "summary",
            "thin", "var", "convert_to_datatree",
        )
    },
}  # fmt: skip

GIVEN_OTHERS: dict[str, dict[str, Any]] = {
    # Called with the tree of choices given the person's others, which says log P by situation.
    name: {"data_type": "categorical"} if name == "plot_loo_pava" else {}
    for name in (
        "plot_loo_pava", "loo_pit", "loo_score", "metrics", "loo_expectations", "loo_metrics",
        "plot_loo_pit", "plot_loo_interval", "loo_influence",
    )
}  # fmt: skip

OTHERWISE: dict[str, Callable[[Trees], Any]] = {
    # Called in a way of their own.
    "compare": lambda have: have.compared,
    "plot_compare": lambda have: az.plot_compare(have.compared),
    "plot_khat": lambda have: az.plot_khat(have.loo),
    "combine_plots": lambda have: az.combine_plots(
        have.tree, [(az.plot_trace, {}), (az.plot_rank, {})], **FIXED
    ),
    "kl_divergence": lambda have: az.kl_divergence(have.tree, have.posterior, num_samples=100),
    "loo_i": lambda have: az.loo_i(0, have.tree),
    "wasserstein": lambda have: az.wasserstein(
        have.tree, have.posterior, joint=False, num_samples=50
    ),
    "loo_approximate_posterior": lambda have: az.loo_approximate_posterior(
        have.tree, *2 * (have.tree["sample_stats"]["logp"],)
    ),
    "convert_to_dataset": lambda have: az.convert_to_dataset(have.tree),
    "dataset_to_dataarray": lambda have: az.dataset_to_dataarray(have.draws),
    "dataset_to_dataframe": lambda have: az.dataset_to_dataframe(have.draws),
    "explode_dataset_dims": lambda have: az.explode_dataset_dims(have.draws, "random"),
    "ecdf": lambda have: az.ecdf(have.draws["fixed"]),
    "xarray_sel_iter": lambda have: list(az.xarray_sel_iter(have.draws)),
    "xarray_var_iter": lambda have: list(az.xarray_var_iter(have.draws)),
    "xarray_to_ndarray": lambda have: az.xarray_to_ndarray(have.draws),
    "weight_predictions": lambda have: az.weight_predictions([have.tree] * 2, weights=[0.5, 0.5]),
}

NOT_FOR_CHOICES = {
    # Of ArviZ's functions of data and posteriors, those that do not apply, and why.
    "bayesian_r2": "of the variance of a number; alternatives are names",
    "residual_r2": "of the variance of a number; alternatives are names",
    "loo_r2": "of the variance of a number; alternatives are names",
    "generate_survival_curves": "of durations",
    "kaplan_meier": "of durations",
    "plot_ppc_censored": "of durations",
    "lfo_cv": "of time series",
    "plot_lm": "of a number against a regressor",
    "loo_kfold": "fits again through a wrapper of ArviZ's: bm.cross_validate does, by person",
    "reloo": "fits again through a wrapper of ArviZ's: bm.loo does, by person",
    "loo_moment_match": "needs the density of one person left out: bm.loo weighs and fits again",
    "update_subsample": "continues loo_subsample",
    "plot_ecdf_pit": "of a group of simulation-based calibration",
    "plot_ppc_pava_residuals": "of binary outcomes against a predictor",
    "hexbin": "of two arrays",
    "histogram2d": "of two arrays",
    "kde2d": "of two arrays",
}

HELPERS = {
    # What makes trees from other programs, or helps to make plots, and takes no posterior of ours.
    "AzStatsDaAccessor", "AzStatsDsAccessor", "AzStatsDtAccessor", "ELPDData", "ELPDDataLFO",
    "ELPDDataLOO", "ELPDDataLOOKFold", "ELPDDataLOOSubsample", "MCMCAdapter", "MigrationWarning",
    "NumPyroInferenceAdapter", "PlotCollection", "PlotMatrix", "SVIAdapter", "SamplingWrapper",
    "add_bands", "add_lines", "citations", "clear_data_home", "dict_to_dataset", "from_cmdstanpy",
    "from_dict", "from_emcee", "from_netcdf", "from_numpyro", "from_numpyro_svi", "from_zarr",
    "generate_dims_coords", "get_data_home", "get_function", "info", "list_datasets",
    "load_arviz_data", "make_attrs", "ndarray_to_dataarray", "rcParams", "rc_context",
    "references_to_dataset",
}  # fmt: skip

ABOUT_LABELS = (
    "Variables choice in .* look discrete",
    "Found chain dimension to be longer",
    "In a future version of xarray",
    "Estimated shape parameter of Pareto",
)
"""Warnings of ArviZ that are of the small sample, of codes as numbers, or of its own calls."""


def public() -> list[str]:
    names = [name for name in dir(az) if not name.startswith("_")]
    return [name for name in names if not isinstance(getattr(az, name), ModuleType)]


def classified() -> dict[str, int]:
    lists = (ON_THE_TREE, GIVEN_OTHERS, OTHERWISE, NOT_FOR_CHOICES, HELPERS)
    return {name: sum(name in one for one in lists) for one in lists for name in one}


def test_every_public_name_is_called_or_has_a_reason() -> None:
    """A new name of ArviZ's fails here until it stands in one of the lists."""
    assert set(public()) == set(classified())
    assert set(classified().values()) == {1}


def test_a_name_in_no_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(az, "plot_new", print, raising=False)
    assert set(public()) - set(classified()) == {"plot_new"}


@pytest.mark.parametrize("name", [*ON_THE_TREE, *GIVEN_OTHERS, *OTHERWISE])
def test_arviz_runs(have: Trees, name: str) -> None:
    with warnings.catch_warnings():
        for words in ABOUT_LABELS:
            warnings.filterwarnings("ignore", words)
        if name in OTHERWISE:
            found = OTHERWISE[name](have)
        elif name in ON_THE_TREE:
            found = getattr(az, name)(have.tree, **arguments(name, ON_THE_TREE))
        else:
            found = getattr(az, name)(have.others, **GIVEN_OTHERS[name])
    pyplot.close("all")
    assert found is not None or name == "diagnose"


def arguments(name: str, table: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"show_diagnostics": False} if name == "diagnose" else table[name]


def test_every_group_is_there_and_dimensions_have_names(have: Trees) -> None:
    assert set(have.tree.children) == GROUPS
    data = have.data
    for tree in (have.tree, have.others):
        same = [tree[group]["choice"] for group in ("observed_data", "posterior_predictive")]
        assert all(one.dims[-1] == "situation" for one in same)
        assert list(tree["observed_data"]["alternative"].to_numpy()) == ["0", "1", "2"]
        chosen = tree["observed_data"]["choice"].to_numpy()
        assert (chosen == data.frame["alt"].to_numpy()[data.chosen_row]).all()
    assert have.tree["log_likelihood"]["choices"].dims == ("chain", "draw", "person")
    assert have.others["log_likelihood"]["choice"].dims == ("chain", "draw", "situation")
    assert "log_prior" not in have.others.children


def test_power_scaling_refuses_what_is_no_likelihood(have: Trees) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        az.psense_summary(have.others)


@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
def test_all_groups_come_back_from_files(have: Trees, kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"posterior.{kind}"
    if kind == "netcdf":
        have.tree.to_netcdf(file, engine="netcdf4")
        again = xr.load_datatree(file, engine="netcdf4")
    else:
        pytest.importorskip("zarr")
        have.tree.to_zarr(file, consolidated=False)
        again = xr.open_datatree(file, engine="zarr", consolidated=False).load()
    assert set(again.children) == GROUPS
    for name, group in have.tree.children.items():
        own, other = group.to_dataset(), again[name].to_dataset()
        assert set(own.variables) == set(other.variables), name
        for key, values in own.variables.items():
            if values.dtype.kind in "fiub":
                np.testing.assert_array_equal(values, other[key])
            elif key != "divergence_message":  # None where there is none
                assert list(map(str, values.to_numpy())) == list(map(str, other[key].to_numpy()))
    assert (
        bm.shares(again, have.data, people="known", draws=5, rng=1)["estimate"]
        == bm.shares(have.tree, have.data, people="known", draws=5, rng=1)["estimate"]
    ).all()


def test_correlations_are_matrices_where_they_are_wanted(have: Trees) -> None:
    found = bm.correlations(have.posterior)
    flat = have.draws["corr"].sel(pair="x, y").to_numpy()
    assert found.dims == ("chain", "draw", "random", "random_bis")
    for pair in (("x", "y"), ("y", "x")):
        one = found.sel(random=pair[0], random_bis=pair[1])
        np.testing.assert_array_equal(one, flat)
    assert (found.sel(random="x", random_bis="x") == 1).all()
    assert az.summary(found, kind="stats").shape[0] == 4
    with pytest.raises(bm.SpecificationError, match="expected a posterior"):
        bm.correlations(have.draws["corr"])  # type: ignore[arg-type]


def test_one_group_is_enough_for_demand_and_what_lost_its_model_is_said(have: Trees) -> None:
    how = {"draws": 5, "rng": 1}
    whole = bm.shares(have.posterior, have.data, **how)["estimate"]
    assert (bm.shares(have.posterior["posterior"], have.data, **how)["estimate"] == whole).all()
    every = bm.compare({"all": have.posterior, "one": have.posterior["posterior"]})
    assert (every["all"] == every["one"]).all().all()
    thin = have.posterior.isel(draw=slice(None, None, 5))
    assert bm.shares(thin, have.data, **how)["estimate"].notnull().all()
    with pytest.raises(bm.SpecificationError, match=r"as after arviz.thin.*tree.isel"):
        bm.shares(az.thin(have.posterior, factor=5), have.data, **how)


def test_choices_of_earlier_builds_are_labels(have: Trees) -> None:
    old = xr.DataTree.from_dict({k: v.to_dataset() for k, v in have.posterior.children.items()})
    seen = old["observed_data"]
    labels = seen["alternative"].to_numpy()[seen["choice"].to_numpy()]
    old["observed_data"] = xr.DataTree(xr.Dataset({"choice": ("situation", labels)}))
    how = {"people": "known", "draws": 5, "rng": 1}
    same = bm.shares(old, have.data, **how) == bm.shares(have.posterior, have.data, **how)
    assert bool(same["estimate"].all())
    old["observed_data"] = xr.DataTree(xr.Dataset({"choice": ("situation", labels[::-1])}))
    with pytest.raises(bm.DataError, match="predicted from themselves"):
        bm.shares(old, have.data, **how)
