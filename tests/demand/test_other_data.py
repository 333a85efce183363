"""Results used with other data than their own: what they keep of it, and what is refused."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.models import coordinates
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.tree import complete
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.problem import bind
from tests.simulated import attributes, choice_data

SCALED = bm.MixedLogit("x + y", scale="source")
SCALES = np.array([3.0, 0.4])
HOW = {"draws": 2, "rng": 1}


def posterior_of(model, data, **values):
    """A posterior of two equal draws, as `bm.sample` would complete it."""
    problem = bind(model, data)
    dims = {"fixed": "term", "scale": "source"}
    draws = {
        kind: (("chain", "draw", dims[kind]), np.tile(value, (1, 2, 1)))
        for kind, value in values.items()
    }
    names = {k: v for k, v in coordinates(problem).items() if k in [dims[kind] for kind in values]}
    names |= {"chain": [0], "draw": [0, 1]}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(draws, names)})
    return complete(tree, problem, np.zeros((1, 2, data.n_persons)), None, {})


def three_sources(labels=("A", "B", "C")):
    frame = attributes(np.random.default_rng(1), 30, 3)
    return frame.assign(source=np.array(labels)[frame["task"] % 3])


@pytest.fixture(scope="module")
def scaled():
    return posterior_of(SCALED, choice_data(three_sources()), fixed=[1.0, -0.7], scale=SCALES)


def expected_shares(frame, scale):
    """Mean probabilities of the alternatives where utilities have this scale."""
    p = np.exp(scale * (frame["x"] - 0.7 * frame["y"])).to_numpy().reshape(-1, 3)
    return (p / p.sum(axis=1, keepdims=True)).mean(axis=0)


@pytest.mark.parametrize("kept", ["BC", "AC", "C"])
def test_scales_of_a_posterior_are_those_of_its_sources(scaled, kept):
    """Whichever sources other data have: the first of them there has no scale of 1."""
    frame = three_sources()
    part = frame[frame["source"].isin(list(kept))]
    found = bm.shares(scaled, choice_data(part), by="source", **HOW)["estimate"]
    for label in kept:
        rows = part[part["source"] == label]
        own = dict(zip("ABC", [1.0, *SCALES], strict=True))[label]
        np.testing.assert_allclose(found.sel(segment=label), expected_shares(rows, own))


def test_order_of_categories_does_not_move_scales(scaled):
    frame = three_sources()
    turned = frame.assign(
        source=frame["source"].astype("category").cat.reorder_categories(["C", "B", "A"])
    )
    np.testing.assert_array_equal(
        *(bm.shares(scaled, choice_data(f), **HOW)["estimate"] for f in (frame, turned))
    )


@pytest.mark.parametrize("labels", [(1, 2, 3), (False, True), ("2020-01-01", "2021-01-01")])
def test_labels_of_sources_come_back_from_files(labels, tmp_path):
    frame = attributes(np.random.default_rng(1), 30, 3)
    codes = frame["task"] % len(labels)
    dates = isinstance(labels[0], str)
    frame["source"] = np.array(labels, dtype="datetime64[ns]" if dates else None)[codes]
    scale = SCALES[: len(labels) - 1]
    tree = posterior_of(SCALED, choice_data(frame), fixed=[1.0, -0.7], scale=scale)
    tree.to_netcdf(tmp_path / "posterior.nc")
    back = xr.open_datatree(tmp_path / "posterior.nc")
    last = frame[codes == len(labels) - 1]
    found = bm.shares(back, choice_data(last), **HOW)["estimate"]
    back.close()
    np.testing.assert_allclose(found, expected_shares(last, scale[-1]))


def test_sources_and_parameters_that_a_posterior_has_not_are_refused(scaled):
    other = choice_data(three_sources(("A", "B", "D")))
    with pytest.raises(DataError, match="estimated on sources 'A', 'B', 'C', and has no scale for"):
        bm.shares(scaled, other, **HOW)
    old = scaled.copy()
    del old["posterior"].attrs["estimated_on"]
    with pytest.raises(DataError, match=r"posterior has scale of 'B', 'C', .* scale of 'B', 'D'"):
        bm.shares(old, other, **HOW)
    constants = bm.MixedLogit("C(alt) + x")
    frame = three_sources()
    tree = posterior_of(constants, choice_data(frame), fixed=[1.0, 2.0, -0.7])
    part = choice_data(frame[frame["alt"] != 0].assign(choice=lambda f: f["alt"] == 1))
    with pytest.raises(DataError, match=r"has fixed of 'alt\[1\]', 'alt\[2\]', 'x', and on these"):
        bm.shares(tree, part, **HOW)


def test_draws_are_taken_by_name(scaled):
    """As of the same draws with the parameters in another order."""
    problem = bind(SCALED, choice_data(three_sources()))
    draws = scaled["posterior"].to_dataset()
    turned = draws.isel(source=[1, 0], term=[1, 0])
    np.testing.assert_array_equal(free_vectors(problem, turned), free_vectors(problem, draws))


def test_other_data_of_as_many_rows_are_other_data():
    frame = three_sources()
    tree = posterior_of(bm.MixedLogit("scale(x) + y"), choice_data(frame), fixed=[1.0, -0.7])
    assert np.isfinite(bm.shares(tree, choice_data(frame), **HOW)["estimate"]).all()
    with pytest.raises(SpecificationError, match="has learnt from the posterior's data"):
        bm.shares(tree, choice_data(frame.assign(x=2.0 * frame["x"] + frame["y"])), **HOW)
