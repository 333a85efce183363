"""Results used with other data than their own: what they keep of it, and what is refused."""

import json

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.one_class_model import coordinates
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.tree import complete
from bayesmix.errors import DataError, SpecificationError
from bayesmix.likelihood.bind import bind
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
    other = choice_data(frame.assign(x=2.0 * frame["x"] + frame["y"]))
    # What scale(x) has learnt is the posterior's; one that does not say so is refused.
    slope = 1.0 / frame["x"].std()
    same = posterior_of(bm.MixedLogit("x + y"), choice_data(frame), fixed=[slope, -0.7])
    found = bm.shares(tree, other, **HOW)["estimate"]
    np.testing.assert_allclose(found, bm.shares(same, other, **HOW)["estimate"], rtol=1e-12)
    old = tree.copy()
    del old["posterior"].attrs["estimated_on"]
    with pytest.raises(SpecificationError, match="has learnt from the posterior's data"):
        bm.shares(old, other, **HOW)


@pytest.mark.parametrize("outside", [True, False])
def test_sets_with_and_without_an_outside_option_are_told_apart(outside):
    """Shares of what is offered, without those who choose none of it, are other shares."""
    frame = three_sources()
    tree = posterior_of(PLAIN, choice_data(frame, outside_option=outside), fixed=[1.0, -0.7])
    with pytest.raises(DataError, match=f"posterior is of data .* give outside_option={outside}"):
        bm.shares(tree, choice_data(frame, outside_option=not outside), **HOW)


# offsets

PLAIN = bm.MixedLogit("x + y")
VERBS = {
    "shares": lambda result, data: bm.shares(result, data, **HOW),
    "individuals": lambda result, data: bm.individuals(result, data, rng=1),
    "elasticities": lambda result, data: bm.elasticities(result, data, "x", **HOW),
}


@pytest.fixture(scope="module")
def offsets():
    """Data of one frame with offsets "off", "other" and none."""
    rng = np.random.default_rng(3)
    frame = attributes(rng, 30, 3).assign(q=0.5)
    frame["off"], frame["other"] = rng.normal(size=(2, len(frame)))
    best = (frame["x"] + rng.gumbel(size=len(frame))).groupby(frame["task"]).idxmax()
    frame["choice"] = frame.index.isin(best).astype(int)
    return {name: choice_data(frame, offset=name) for name in ("off", "other", None)}


@pytest.fixture(scope="module")
def known(offsets):
    """Results on the data with the offset "off"."""
    fit = bm.msle(bm.MixedLogit("x + y", bm.Normal("x")), offsets["off"], grid=bm.gauss_hermite(5))
    return {"fit": fit, "posterior": posterior_of(PLAIN, offsets["off"], fixed=[1.0, -0.7])}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ["fit", "posterior"])
def test_offsets_forgotten_or_others_are_refused(known, offsets, kind, verb):
    if (kind, verb) != ("posterior", "individuals"):  # which has no random coefficients
        VERBS[verb](known[kind], offsets["off"])
    for name, words in ((None, "none"), ("other", "the offset 'other'")):
        message = f"the {kind} is of data with the offset 'off', .*these have {words}.*offset='off'"
        with pytest.raises(DataError, match=message):
            VERBS[verb](known[kind], offsets[name])


def test_predictions_refuse_other_offsets(known, offsets):
    fit = known["fit"]
    same = offsets["off"].with_choices(offsets["off"].chosen_row)
    np.testing.assert_array_equal(*(fit.predict(d)["probability"] for d in (same, None)))
    with pytest.raises(DataError, match="these have none: make them with offset='off'"):
        fit.predict(offsets[None])
    plain = bm.msle(PLAIN, offsets[None])
    with pytest.raises(DataError, match="without an offset, and these have the offset 'off'"):
        plain.predict(offsets["off"])
    scenario = offsets[None].with_attribute("x", 0.0)
    with pytest.raises(DataError, match="has the offset None, and the data have 'off': make it"):
        fit.predict(offsets["off"], scenario=scenario)


def test_samples_of_alternatives_are_for_estimation_alone(offsets):
    """The whole sets have the offset, and no probability of being sampled."""
    frame = offsets["off"].frame
    sampled = choice_data(frame, offset="off", sampling="q")
    fit = bm.msle(PLAIN, sampled)
    assert np.isfinite(bm.shares(fit, offsets["off"], **HOW)["estimate"]).all()


def test_stored_fits_keep_their_offset(known, offsets, tmp_path):
    path = tmp_path / "fit.json"
    known["fit"].save(path)
    again = bm.Fit.load(path, offsets["off"])
    assert again.offset == known["fit"].offset == "off"
    with pytest.raises(DataError, match=r"fit.json: the fit is of .* 'off', .* these have none"):
        bm.Fit.load(path, offsets[None])
    record = json.loads(path.read_text())
    del record["offset"]  # a file of before
    path.write_text(json.dumps(record))
    assert bm.Fit.load(path, offsets["off"]).loglik == known["fit"].loglik
