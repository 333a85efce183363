"""Plots and tables of demand: what they show, on made-up results."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from bayesmix import (
    plot_diversion,
    plot_matrix,
    plot_price_curve,
    plot_wtp,
)
from bayesmix.errors import SpecificationError
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
    figure = plot_matrix(diversion, segment="a")
    inside, outside, bar = figure.axes
    assert [t.get_text() for t in inside.texts] == ["0.70", "0.60"]
    assert [t.get_text() for t in outside.texts] == ["0.30", "0.40"]
    assert [t.get_text() for t in inside.get_yticklabels()] == ["x_1", "y"]
    assert [t.get_text() for t in outside.get_xticklabels()] == ["outside"]
    assert bar.get_ylabel() == "diversion ratio"
    inner, outer = (axis.get_images()[0] for axis in (inside, outside))
    assert (inner.norm.vmin, inner.norm.vmax) == (0.0, 0.7)
    assert (outer.norm.vmin, outer.norm.vmax) == (0.0, 1.0)
    assert inner.get_cmap().name != outer.get_cmap().name
    assert figure.get_suptitle() == "Where people go who leave an alternative, a"


def test_responses_have_both_signs_and_say_to_what(diversion):
    renamed = diversion.rename(origin="changed", destination="responding")
    renamed.attrs |= {"kind": "semi", "attribute": "fare"}
    figure = plot_matrix(renamed, segment="a")
    inside, outside, bar = figure.axes
    assert len(inside.texts) + len(outside.texts) == 6
    scales = [axis.get_images()[0].norm for axis in (inside, outside)]
    assert [(one.vmin, one.vmax) for one in scales] == [(-0.7, 0.7)] * 2
    assert (figure.get_suptitle(), bar.get_ylabel()) == (
        "Responses of shares to fare, a",
        "semi-elasticity",
    )


@pytest.mark.parametrize(("count", "shown"), [(4, True), (30, True), (100, False)])
def test_numbers_are_written_where_they_can_be_read(count, shown):
    labels = [f"product {k}" for k in range(count)]
    matrix = np.random.default_rng(count).dirichlet(np.ones(count), count)
    found = results(["origin", "destination"], {"origin": labels, "destination": labels}, matrix)
    figure = plot_matrix(found)
    axis = figure.axes[0]
    assert len(axis.texts) == shown * count * (count - 1)
    figure.canvas.draw()
    cell = axis.get_window_extent().width / count
    assert all(text.get_window_extent().width < cell for text in axis.texts[:50])
    turned = axis.get_xticklabels()[0].get_rotation()
    assert turned == 90  # "product 0" is wider than a cell


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
    found.attrs |= {"alternative": "bus", "attribute": "fare"}
    above, below = plot_price_curve(found).axes
    np.testing.assert_allclose(above.get_lines()[1].get_ydata(), [0.5, 0.4, 0.2])
    words = above.get_ylabel(), below.get_ylabel(), below.get_xlabel()
    assert words == ("share of bus", "revenue, fare x share", "fare of bus")
    band = above.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(0.6)
    marks = below.get_lines()[2:]
    assert len(marks) == (2 if np.isfinite(best[0]) else 0)
    if marks:
        (at,), (height,) = marks[1].get_data()
        line = below.get_lines()[0]
        assert (at, height) == (2.0, pytest.approx(0.8))
        assert np.interp(at, *line.get_data()) == pytest.approx(height)
        assert below.get_legend().get_texts()[0].get_text() == "best fare: 2 [1.5, 2.5]"


def test_price_curve_is_highest_at_the_best_price():
    price = np.array([1.0, 2.0, 4.0, 5.0])
    revenue = price * (6.0 - price)
    coords = {"quantity": ["share", "revenue"], "price": price}
    found = results(list(coords), coords, [revenue / price, revenue])
    found["best_price"] = ("limit", [3.0, 2.9, 3.1])
    share, line = (axis.get_lines()[0] for axis in plot_price_curve(found).axes)
    assert line.get_xdata()[line.get_ydata().argmax()] == pytest.approx(3.0)
    assert line.get_ydata().max() == pytest.approx(9.0)
    np.testing.assert_allclose(share.get_xdata() * share.get_ydata(), line.get_ydata())


def willingness(values, term="time"):
    middle = float(np.median(values))
    attrs = {"term": term, "price": "cost", "law": values}
    return results(["statistic"], {"statistic": ["mean", "median"]}, [9.0, middle], **attrs)


def test_density_of_willingness_to_pay_is_that_of_its_law():
    values = norm.ppf((np.arange(1024) + 0.5) / 1024, 2.0, 1.5)
    axis = plot_wtp(willingness(values)).axes[0]
    x, height = axis.get_lines()[0].get_data()
    np.testing.assert_allclose([x[0], x[-1]], norm.ppf([0.01, 0.99], 2.0, 1.5), atol=0.05)
    np.testing.assert_allclose(height, norm.pdf(x, 2.0, 1.5), atol=0.05 * height.max())
    assert axis.get_lines()[1].get_xdata()[0] == pytest.approx(2.0)


def test_willingness_to_pay_has_a_panel_for_each_unit():
    values = np.linspace(1.0, 3.0, 1024)
    found = {"NUTS": willingness(values), "MSLE": willingness(values + 1), "noise": willingness(
        -values, "noise")}  # fmt: skip
    figure = plot_wtp(found)
    labels = [[t.get_text() for t in axis.get_legend().get_texts()] for axis in figure.axes]
    assert labels == [["NUTS", "MSLE"], ["noise"]]
    assert [a.get_xlabel() for a in figure.axes] == [
        "cost for a unit of time",
        "cost for a unit of noise",
    ]


def test_willingness_to_pay_of_classes_has_bars_of_their_shares():
    axis = plot_wtp(willingness(np.repeat([1.0, 4.0], [256, 768]))).axes[0]
    bars = axis.containers[0].patches
    centres = [bar.get_x() + bar.get_width() / 2 for bar in bars]
    assert (centres, [bar.get_height() for bar in bars]) == (
        pytest.approx([1.0, 4.0]),
        [0.25, 0.75],
    )
    with pytest.raises(SpecificationError, match="the same for everybody"):
        plot_wtp({"a": willingness(np.ones(1024))})


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
    assert [axis.get_title() for axis in axes] == ["from x_1", "from y"]
    first, second = axes[0].get_lines()[1:]
    np.testing.assert_allclose(first.get_xdata(), [0.7, 0.3])
    np.testing.assert_allclose(second.get_xdata(), [0.0, 0.6])
    assert np.round(first.get_ydata()).tolist() == [1, 2]
    assert (first.get_ydata() < second.get_ydata()).all()
    bars = np.array([path.vertices[:, 0] for path in axes[0].collections[0].get_paths()])
    np.testing.assert_allclose(bars, [[0.6, 0.8], [0.2, 0.4]])
    legend = plot_diversion({"NUTS": one, "MSLE": other}).legends[0]
    assert [t.get_text() for t in legend.get_texts()] == ["NUTS", "MSLE"]
    assert [t.get_text() for t in axes[0].get_yticklabels()] == ["x_1", "y", "outside"]
    same = plot_diversion({"a": diversion, "b": diversion}, segment="b").axes[1].get_lines()
    np.testing.assert_allclose(same[1].get_xdata(), same[2].get_xdata())
    responses = one.rename(origin="changed", destination="responding")
    assert len(plot_diversion({"a": responses}).axes[0].get_lines()[1].get_xdata()) == 3


def test_what_cannot_stand_side_by_side_is_refused(diversion):
    one = diversion.sel(segment="a")
    renamed = one.assign_coords(origin=["x_1", "z"])
    with pytest.raises(SpecificationError, match="'a' and 'b' are about different alternatives"):
        plot_diversion({"a": one, "b": renamed})
    with pytest.raises(SpecificationError, match="result 'a': expected what diversion"):
        plot_diversion({"a": one.sel(origin="y")})
    with pytest.raises(SpecificationError, match="no results"):
        plot_diversion({})
