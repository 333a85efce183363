"""Estimates side by side."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from bayesmix.reporting.compare import compare


def test_posterior_gives_mean_and_sd_of_all_draws(posterior: xr.DataTree) -> None:
    table = compare({"NUTS": posterior})
    draws = posterior["posterior"]["corr"].sel(pair="pf, loc").to_numpy().ravel()
    row = table.loc["corr[pf, loc]", "NUTS"]
    assert row["estimate"] == pytest.approx(draws.mean())
    assert row["std error"] == pytest.approx(draws.std(ddof=1))


def test_rows_are_population_parameters_in_the_order_of_the_posterior(
    posterior: xr.DataTree,
) -> None:
    names = ["mean[pf]", "mean[cl]", "mean[loc]", "sd[pf]", "sd[cl]", "sd[loc]"]
    names += ["corr[pf, cl]", "corr[pf, loc]", "corr[cl, loc]", "fixed[wk]"]
    assert list(compare({"NUTS": posterior}).index) == names


def test_a_parameter_that_a_fit_lacks_is_missing_there(
    posterior: xr.DataTree, fit: SimpleNamespace
) -> None:
    table = compare({"NUTS": posterior, "MSLE": fit})
    assert table.loc["corr[pf, cl]", "MSLE"].isna().all()
    assert table.loc["fixed[age]", "NUTS"].isna().all()
    assert table.loc["fixed[age]", ("MSLE", "estimate")] == 3.0
    assert table.index[-1] == "fixed[age]"


def test_columns_are_label_by_statistic(posterior: xr.DataTree, fit: SimpleNamespace) -> None:
    table = compare({"MSLE": fit, "NUTS": posterior})
    assert list(table.columns) == [
        ("MSLE", "estimate"),
        ("MSLE", "std error"),
        ("NUTS", "estimate"),
        ("NUTS", "std error"),
    ]


def test_differences_are_in_standard_errors_of_the_first(
    posterior: xr.DataTree, fit: SimpleNamespace
) -> None:
    table = compare({"MSLE": fit, "NUTS": posterior}, differences=True)
    expected = (table[("NUTS", "estimate")] - table[("MSLE", "estimate")]) / 0.1
    assert np.allclose(table[("NUTS", "difference (std errors)")], expected, equal_nan=True)
    assert ("MSLE", "difference (std errors)") not in table


def test_fits_are_not_changed(fit: SimpleNamespace) -> None:
    before = fit.params.copy()
    compare({"MSLE": fit, "again": fit}, differences=True)
    assert fit.params.equals(before)


def test_another_type_is_refused_by_name(posterior: xr.DataTree) -> None:
    with pytest.raises(TypeError, match="'NUTS' is a Dataset; expected a posterior"):
        compare({"NUTS": posterior["posterior"].to_dataset()})
    with pytest.raises(TypeError, match="no group 'posterior'"):
        compare({"NUTS": posterior["sample_stats"]})
    with pytest.raises(TypeError, match="at least one fit"):
        compare({})


def weighted(posterior: xr.DataTree) -> xr.DataTree:
    """As importance sampling leaves it: resampled draws, with what their weights were worth."""
    tree = posterior.copy()
    how = {"method": "importance", "ess": 1e9, "pareto_k": 0.31}
    tree["posterior"].attrs |= how | {"integration": "mean 0.01 nats"}
    return tree


def test_what_is_long_stands_below_and_weighted_draws_have_their_worth(
    posterior: xr.DataTree,
) -> None:
    """No line is wider than a terminal, and no column of facts is blank."""
    table = compare({"weights": weighted(posterior), "chains": posterior})
    sizes = posterior["posterior"].sizes
    draws = sizes["chain"] * sizes["draw"]
    facts = table.models
    assert facts["weights"]["effective draws"] == draws  # no more than there are
    assert facts["weights"]["Pareto k"] == 0.31
    assert np.isnan(facts["chains"]["Pareto k"])
    assert facts.loc["parameters"].tolist() == [len(table)] * 2
    text = repr(table)
    assert text.endswith("weights: mean 0.01 nats")
    assert "<p>weights: mean 0.01 nats</p>" in table._repr_html_()
    assert max(map(len, text.splitlines())) <= 80


def test_many_constants_of_markets_are_counted_and_not_printed(posterior: xr.DataTree) -> None:
    draws = posterior["posterior"].to_dataset()[["fixed"]]
    values = np.random.default_rng(1).normal(size=(2, 200, 4, 3))
    draws["market_constant"] = (("chain", "draw", "market", "alternative"), values)
    draws = draws.assign_coords(market=list("abcd"), alternative=[1, 2, 3])
    table = compare({"NUTS": xr.DataTree.from_dict({"posterior": draws})})
    assert table.loc["market_constant[d, 3]", ("NUTS", "estimate")] == values[:, :, 3, 2].mean()
    for text in (str(table), table._repr_html_()):
        assert "market_constant[" not in text
        assert "fixed[wk]" in text
        assert "12 constants by market and alternative" in " ".join(text.split())
    few = draws.isel(market=[0, 1])
    assert "market_constant[b, 3]" in str(compare({"a": xr.DataTree.from_dict({"posterior": few})}))
