"""Plots and tables of demand: what they show, on made-up results."""

import numpy as np
import pytest
import xarray as xr

from bayesmix.errors import SpecificationError
from bayesmix.reporting.demand_plots import (
    plot_diversion,
    plot_matrix,
    plot_price_curve,
    plot_wtp,
)
from bayesmix.reporting.demand_tables import demand_table


def results(dims, coords, values, **attrs):
    values = np.asarray(values, dtype=float)
    ends = {"estimate": values, "low": values - 0.1, "high": values + 0.1}
    return xr.Dataset({k: (dims, v) for k, v in ends.items()}, coords, attrs)


@pytest.fixture
def diversion():
    coords = {"segment": ["a", "b"], "origin": ["x_1", "y"], "destination": ["x_1", "y", "outside"]}
    matrix = [[0.0, 0.7, 0.3], [0.6, 0.0, 0.4]]
    return results(list(coords), coords, [matrix, np.flip(matrix)])


def test_matrix_shows_numbers_and_leaves_the_diagonal_of_diversion_blank(diversion):
    axis = plot_matrix(diversion, segment="a").axes[0]
    assert [t.get_text() for t in axis.texts] == ["0.70", "0.30", "0.60", "0.40"]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["x_1", "y"]
    colours = axis.get_images()[0].norm
    assert colours.vmin == -colours.vmax == -0.7
    renamed = diversion.rename(origin="changed", destination="responding")
    assert len(plot_matrix(renamed, segment="a").axes[0].texts) == 6


def test_segments_are_named_where_there_are_any(diversion):
    with pytest.raises(SpecificationError, match=r"one of \['a', 'b'\], got None"):
        plot_matrix(diversion)
    with pytest.raises(SpecificationError, match="no segments"):
        plot_matrix(diversion.sel(segment="a"), segment="a")
    with pytest.raises(SpecificationError, match="expected what elasticities"):
        plot_matrix(diversion.sel(segment="a", origin="y"))


@pytest.mark.parametrize("best", [[2.0, 1.5, 2.5], [np.nan] * 3])
def test_price_curve_has_its_bands_and_the_best_price(best):
    coords = {"quantity": ["share", "revenue"], "price": [1.0, 2.0, 3.0]}
    found = results(list(coords), coords, [[0.5, 0.4, 0.2], [0.5, 0.8, 0.6]])
    found["best_price"] = ("limit", best)
    above, below = plot_price_curve(found).axes
    np.testing.assert_allclose(above.get_lines()[0].get_ydata(), [0.5, 0.4, 0.2])
    band = above.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(0.6)
    marks = [line.get_xdata()[0] for line in below.get_lines()[1:]]
    assert marks == ([2.0] if np.isfinite(best[0]) else [])


def test_density_integrates_to_the_probability_between_the_quantiles():
    names = ["mean", "quantile 0.1", "median", "quantile 0.9"]
    found = results(["statistic"], {"statistic": names}, [3.0, 1.0, 2.0, 6.0], term="time")
    axis = plot_wtp(found).axes[0]
    steps = axis.patches[0].get_data()
    np.testing.assert_allclose(steps.values, [0.4, 0.1])
    assert axis.get_lines()[0].get_xdata()[0] == 2.0
    assert axis.get_legend().get_texts()[0].get_text() == "time"
    with pytest.raises(SpecificationError, match="the same for everybody"):
        plot_wtp({"a": found.assign(estimate=0 * found["estimate"])})


def test_table_has_the_last_dimension_by_column(diversion):
    table = demand_table(diversion, digits=2)
    assert list(table.columns) == ["x_1", "y", "outside"]
    assert list(table.index) == [("a", "x_1"), ("a", "y"), ("b", "x_1"), ("b", "y")]
    assert table.loc[("a", "x_1"), "y"] == "0.70 [0.60, 0.80]"
    one = demand_table(diversion.sel(segment="a", origin="y"), intervals=False)
    assert one["estimate"].tolist() == ["0.600", "0.000", "0.400"]
    missing = demand_table(diversion.where(diversion["origin"] == "y"), digits=1)
    assert missing.loc[("a", "x_1")].tolist() == ["", "", ""]
    scalar = demand_table(diversion.isel(segment=0, origin=0, destination=1), digits=1)
    assert scalar["estimate"].tolist() == ["0.7 [0.6, 0.8]"]


def test_results_stand_side_by_side_without_the_diagonal(diversion):
    one, other = diversion.sel(segment="a"), diversion.sel(segment="b")
    axes = plot_diversion({"NUTS": one, "MSLE": other}).axes
    assert [axis.get_title() for axis in axes] == ["origin: x_1", "origin: y"]
    first, second = axes[0].get_lines()
    np.testing.assert_allclose(first.get_xdata(), [0.7, 0.3])
    np.testing.assert_allclose(second.get_xdata(), [0.0, 0.6])
    assert np.round(first.get_ydata()).tolist() == [1, 2]
    assert (first.get_ydata() < second.get_ydata()).all()
    bars = np.array([path.vertices[:, 0] for path in axes[0].collections[0].get_paths()])
    np.testing.assert_allclose(bars, [[0.6, 0.8], [0.2, 0.4]])
    assert [t.get_text() for t in axes[0].get_legend().get_texts()] == ["NUTS", "MSLE"]
    assert [t.get_text() for t in axes[0].get_yticklabels()] == ["x_1", "y", "outside"]
    same = plot_diversion({"a": diversion, "b": diversion}, segment="b").axes[1].get_lines()
    np.testing.assert_allclose(same[0].get_xdata(), same[1].get_xdata())
    responses = one.rename(origin="changed", destination="responding")
    assert len(plot_diversion({"a": responses}).axes[0].get_lines()[0].get_xdata()) == 3


def test_what_cannot_stand_side_by_side_is_refused(diversion):
    one = diversion.sel(segment="a")
    renamed = one.assign_coords(origin=["x_1", "z"])
    with pytest.raises(SpecificationError, match="'a' and 'b' are about different alternatives"):
        plot_diversion({"a": one, "b": renamed})
    with pytest.raises(SpecificationError, match="result 'a': expected what diversion"):
        plot_diversion({"a": one.sel(origin="y")})
    with pytest.raises(SpecificationError, match="no results"):
        plot_diversion({})
