"""Plots of markets show the numbers that they are given, and refuse others."""

import numpy as np
import pytest

import bayesmix as bm
from tests.markets.conftest import AT, MODEL, market_data, market_frame

FIRMS = bm.Firms("firm", market="market")
QUICK = {"draws": 3, "rng": 1, "nodes": 16}


@pytest.fixture(scope="module")
def results():
    data = bm.simulate_choices(MODEL, AT, market_data(market_frame(60)), 3)
    fit = bm.msle(MODEL, data, grid=bm.centred(bm.sobol(16)), starts=1, rng=1)
    merged = bm.merger(fit, data, FIRMS, merge=("A", "B"), by="income", **QUICK)
    passed = bm.pass_through(fit, data, FIRMS, **QUICK)
    return bm.markups(fit, data, FIRMS, **QUICK), merged, passed


def points(axis):
    return axis.collections[-1].get_offsets().data


def test_markups_by_firm(results):
    figure = bm.plot_markups(results[0], market=2)
    axis = figure.axes[0]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["a", "b", "c"]
    expected = results[0]["estimate"].sel(market=2, quantity="lerner").to_numpy()[:3]
    np.testing.assert_allclose(points(axis)[:, 0], expected)
    assert [t.get_text() for t in axis.get_legend().get_texts()] == ["A", "B"]


def test_changes_of_prices_and_surplus(results):
    merged = results[1]
    figure = bm.plot_counterfactual(merged, market=0)
    prices, people = (points(axis)[:, 0] for axis in figure.axes)
    expected = merged.products["estimate"].sel(market=0, quantity="price_change")
    np.testing.assert_allclose(prices, expected)
    np.testing.assert_allclose(people, merged.segments["estimate"].to_numpy()[:, 0])


def test_pass_through(results):
    figure = bm.plot_pass_through(results[2], market=2)
    (image,) = figure.axes[0].get_images()
    expected = results[2]["estimate"].sel(market=2).to_numpy()[:3, :3]
    np.testing.assert_allclose(image.get_array(), expected)


def test_refusals(results):
    markups, merged, passed = results
    with pytest.raises(bm.SpecificationError, match=r"'market' must be one of \[0, 1, 2\]"):
        bm.plot_markups(markups)
    with pytest.raises(bm.SpecificationError, match=r"what bm\.markups returned"):
        bm.plot_markups(passed, market=0)
    with pytest.raises(bm.SpecificationError, match=r"what bm\.merger"):
        bm.plot_counterfactual(merged.products)
    with pytest.raises(bm.SpecificationError, match=r"what bm\.pass_through returned"):
        bm.plot_pass_through(markups)
