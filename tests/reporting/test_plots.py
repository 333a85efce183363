"""Plots: what they show, and that the user's matplotlib is left alone."""

import json
import re
import struct
from pathlib import Path
from types import SimpleNamespace

import arviz as az
import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from IPython.core.formatters import DisplayFormatter
from matplotlib import pyplot
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

import bayesmix as bm
from bayesmix.picture import save_figure
from bayesmix.reporting import trace_plot
from bayesmix.reporting.forest import plot_forest
from bayesmix.reporting.named_draws import flat_items
from bayesmix.reporting.trace_plot import save_trace
from bayesmix.specification.parameters import ParameterSpace
from bayesmix.specification.record import model_record


def png_size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:])


def test_forest_has_a_panel_a_kind_and_a_row_a_parameter(
    posterior: xr.DataTree, fit: SimpleNamespace
) -> None:
    figure = plot_forest({"NUTS": posterior, "MSLE": fit})
    rows = [[label.get_text() for label in axis.get_yticklabels()] for axis in figure.axes]
    pairs = ["pf, cl", "pf, loc", "cl, loc"]
    assert rows == [["pf", "loc"], ["cl"], ["pf", "cl", "loc"], pairs, ["wk", "age"]]
    assert figure.axes[1].get_title(loc="left") == "means of the mixing law, smaller ones"
    assert "thick lines: 50 % intervals" in figure.get_supxlabel()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["NUTS", "MSLE"]


def test_forest_draws_quantiles_of_a_posterior_and_intervals_of_a_fit(
    posterior: xr.DataTree, fit: SimpleNamespace
) -> None:
    means = plot_forest({"NUTS": posterior, "MSLE": fit}).axes[1]  # of cl alone, the smaller one
    collections = [c for c in means.collections if isinstance(c, LineCollection)]
    (low, _), (high, _) = collections[0].get_segments()[0]
    draws = posterior["posterior"]["mean"].sel(random="cl")
    assert [low, high] == pytest.approx(np.quantile(draws, [0.025, 0.975]))
    (low, _), (high, _) = collections[2].get_segments()[0]
    assert [low, high] == pytest.approx([-0.2 - 0.196, -0.2 + 0.196], abs=1e-4)


def test_standard_deviations_have_intervals_above_zero(fit: SimpleNamespace) -> None:
    for error, place, limits in (
        (0.8, 1, [np.exp(-0.8 * 1.959964), np.exp(0.8 * 1.959964)]),
        (5.0, 0, [0.0, 1.0 + 5.0 * 1.959964]),
    ):
        fit.std_errors["sd[cl]"] = error
        bars = plot_forest({"MSLE": fit}).axes[2].collections[0]
        (low, _), (high, _) = bars.get_segments()[place]
        assert [low, high] == pytest.approx(limits)


def test_forest_is_unknown_to_pyplot(fit: SimpleNamespace, tmp_path: Path) -> None:
    before = pyplot.get_fignums()
    save_figure(plot_forest({"MSLE": fit}), tmp_path / "forest.png")
    assert pyplot.get_fignums() == before
    assert png_size(tmp_path / "forest.png")[0] == 816


def test_a_picture_shows_itself_without_pyplot_and_once_with_it(fit: SimpleNamespace) -> None:
    """In IPython as it starts, and with pyplot's own display of figures switched on."""
    before = pyplot.get_fignums()
    figure = plot_forest({"MSLE": fit})
    plain = DisplayFormatter().format(figure)[0]
    assert sorted(plain) == ["image/png", "text/plain"]
    formatter = DisplayFormatter()
    formatter.formatters["image/png"].for_type(Figure, lambda one: b"as pyplot shows it")
    assert formatter.format(figure)[0]["image/png"] == b"as pyplot shows it"
    assert pyplot.get_fignums() == before


def test_every_plot_is_a_picture_that_shows_itself() -> None:
    """What functions and methods of the package draw on comes from one place."""
    package = Path(bm.__file__).parent
    made = [p.name for p in package.rglob("*.py") if re.search(r"\bFigure\(figsize", p.read_text())]
    assert made == []


@pytest.fixture(scope="module")
def lognormal():
    """A lognormal and a normal coefficient, fitted, and a posterior of 5 draws at its estimates."""
    data = bm.examples.electricity()
    model = bm.MixedLogit(
        "pf + cl + loc + wk + tod + seas", [bm.LogNormal("pf", sign=-1), bm.Normal("cl")]
    )
    fit = bm.msle(model, data, grid=bm.centred(bm.sobol(16)), starts=1, rng=1)
    return fit, tree_of(fit)


def tree_of(fit: bm.Fit) -> xr.DataTree:
    p = fit.params
    shape, dims = (1, 5), ("chain", "draw")
    draws = xr.Dataset(
        {
            kind: ((*dims, "random"), np.broadcast_to([p[f"{kind}[{t}]"] for t in ("pf", "cl")],
                                                      (*shape, 2)))
            for kind in ("mean", "sd")
        },
        {"chain": [0], "draw": range(5), "random": ["pf", "cl"]},
        {"model": json.dumps(model_record(fit.model))},
    )  # fmt: skip
    return xr.DataTree.from_dict({"posterior": draws})


def test_what_is_of_a_logarithm_says_so_and_its_moments_stand_below(lognormal) -> None:
    fit, tree = lognormal
    figure = plot_forest({"MSLE": fit, "draws": tree})
    found = {axis.get_title(loc="left"): axis for axis in figure.axes}
    logs = found["means of the mixing law, of logarithms"]
    assert [t.get_text() for t in logs.get_yticklabels()] == ["log(-pf)"]
    implied = found["means of coefficients that are no normals, as their laws imply"]
    m, s = fit.params["mean[pf]"], fit.params["sd[pf]"]
    means = [line.get_xdata()[0] for line in implied.get_lines()[:2]]
    assert means == pytest.approx([-np.exp(m + s**2 / 2)] * 2)
    spread = found["standard deviations of coefficients that are no normals"]
    sds = [line.get_xdata()[0] for line in spread.get_lines()[:2]]
    assert sds == pytest.approx([np.exp(m + s**2 / 2) * np.sqrt(np.expm1(s**2))] * 2)
    (low, _), (high, _) = implied.collections[0].get_segments()[0]
    own = fit.summary().loc["implied mean[pf]"]
    assert [low, high] == pytest.approx([own["2.5 %"], own["97.5 %"]])


def test_many_rows_stand_in_two_columns(fit: SimpleNamespace) -> None:
    terms = [f"x{k}" for k in range(6)]
    space = ParameterSpace(tuple(terms), (), (tuple(range(6)),))
    names = [str(p) for p in space.listed]
    values = pd.Series(np.where([n.startswith("corr") for n in names], 0.5, 1.0), names)
    many = SimpleNamespace(params=values, std_errors=0 * values + 0.1, space=space)
    figure = plot_forest({"MSLE": many})
    figure.canvas.draw()
    left, middle, right = (axis.get_position().x0 for axis in figure.axes)
    assert left == pytest.approx(middle)
    assert right > 0.45
    assert len(figure.axes[2].get_yticklabels()) == 15


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
    assert width == 8 * 120
    assert height == pytest.approx((0.3 + 10 * 1.25) * 120, abs=1)


def test_titles_of_traces_have_r_hat_red_where_chains_differ(
    posterior: xr.DataTree, tmp_path: Path, monkeypatch
) -> None:
    draws = posterior["posterior"].to_dataset()[["mean", "fixed"]].copy(deep=True)
    draws["fixed"][1] += 10.0
    titles: list[tuple[str, str]] = []

    def look(figure: Figure, path: Path) -> None:
        titles.extend(
            (a._left_title.get_text(), a._left_title.get_color()) for a in figure.axes[::2]
        )

    monkeypatch.setattr(trace_plot, "save_figure", look)
    save_trace(xr.DataTree.from_dict({"posterior": draws}), tmp_path / "trace.png")
    words, colours = zip(*titles, strict=True)
    names = ["mean[pf]", "mean[cl]", "mean[loc]", "fixed[wk]"]
    rhat = [float(v) for _, v in flat_items(az.rhat(draws))]
    assert list(words) == [f"{n}, R-hat {v:.3f}" for n, v in zip(names, rhat, strict=True)]
    assert colours[3] == "C3"
    assert rhat[3] > 1.5
    assert colours[0] == ("C3" if rhat[0] >= 1.01 else "black")


def test_titles_of_resampled_draws_say_what_they_are_worth(
    posterior: xr.DataTree, tmp_path: Path, monkeypatch
) -> None:
    """They are no chains: their R-hat would be 1, and their autocorrelation none."""
    draws = posterior["posterior"].to_dataset()[["fixed"]].copy(deep=True)
    draws.attrs |= {"method": "importance", "ess": 234.4, "pareto_k": 0.75}
    titles: list[object] = []

    def look(figure: Figure, path: Path) -> None:
        titles.extend(a._left_title for a in figure.axes[::2])

    monkeypatch.setattr(trace_plot, "save_figure", look)
    save_trace(xr.DataTree.from_dict({"posterior": draws}), tmp_path / "trace.png")
    assert titles[0].get_text() == "fixed[wk], effective draws 234, Pareto k 0.75"
    assert titles[0].get_color() == "C3"


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
    assert png_size(tmp_path / "trace.png") == (960, round((0.3 + 2 * 1.25) * 120))
