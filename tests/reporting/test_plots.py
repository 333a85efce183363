"""Plots: what they show, and that the user's matplotlib is left alone."""

import struct
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.collections import LineCollection

from bayesmix.reporting.plots import forest, save_figure, save_trace


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:])


def test_forest_has_a_panel_a_kind_and_a_row_a_parameter(
    posterior: xr.DataTree, fit: SimpleNamespace
) -> None:
    figure = forest({"NUTS": posterior, "MSLE": fit})
    rows = [[label.get_text() for label in axis.get_yticklabels()] for axis in figure.axes]
    assert rows == [["pf", "cl", "loc"]] * 2 + [["pf, cl", "pf, loc", "cl, loc"], ["wk", "age"]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["NUTS", "MSLE"]


def test_forest_draws_quantiles_of_a_posterior_and_intervals_of_a_fit(
    posterior: xr.DataTree, fit: SimpleNamespace
) -> None:
    means = forest({"NUTS": posterior, "MSLE": fit}).axes[0]
    collections = [c for c in means.collections if isinstance(c, LineCollection)]
    (low, _), (high, _) = collections[0].get_segments()[1]
    draws = posterior["posterior"]["mean"].sel(random="cl")
    assert [low, high] == pytest.approx(np.quantile(draws, [0.025, 0.975]))
    (low, _), (high, _) = collections[2].get_segments()[1]
    assert [low, high] == pytest.approx([-0.2 - 0.196, -0.2 + 0.196], abs=1e-4)


def test_standard_deviations_have_intervals_above_zero(fit: SimpleNamespace) -> None:
    for error, limits in (
        (0.8, [np.exp(-0.8 * 1.959964), np.exp(0.8 * 1.959964)]),
        (5.0, [0.0, 1.0 + 5.0 * 1.959964]),
    ):
        fit.std_errors["sd[cl]"] = error
        (low, _), (high, _) = forest({"MSLE": fit}).axes[1].collections[0].get_segments()[1]
        assert [low, high] == pytest.approx(limits)


def test_forest_is_unknown_to_pyplot(fit: SimpleNamespace, tmp_path: Path) -> None:
    before = pyplot.get_fignums()
    save_figure(forest({"MSLE": fit}), tmp_path / "forest.png")
    assert pyplot.get_fignums() == before
    assert png_size(tmp_path / "forest.png")[0] == 840


def test_trace_restores_the_backend_and_closes_its_figure(
    posterior: xr.DataTree, tmp_path: Path
) -> None:
    previous = matplotlib.get_backend()
    pyplot.switch_backend("svg")
    try:
        save_trace(posterior, tmp_path / "trace.png")
        assert matplotlib.get_backend() == "svg"
        assert pyplot.get_fignums() == []
    finally:
        pyplot.switch_backend(previous)
    width, height = png_size(tmp_path / "trace.png")
    assert width == 4 * 3.2 * 120
    assert height == pytest.approx((0.4 + 3 * 1.5) * 120, abs=1)


def test_trace_of_very_many_parameters_leaves_correlations_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    draws = xr.Dataset(
        {
            "mean": (("chain", "draw", "random"), rng.normal(size=(2, 20, 2))),
            "corr": (("chain", "draw", "pair"), rng.normal(size=(2, 20, 45))),
        },
        coords={"chain": range(2), "draw": range(20)},
    )
    save_trace(xr.DataTree.from_dict({"posterior": draws}), tmp_path / "trace.png")
    assert png_size(tmp_path / "trace.png") == (2 * 384, 228)
