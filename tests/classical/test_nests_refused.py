"""Nests that are none, or that nothing tells, are refused in words."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from tests.simulated import attributes, choice_data


@pytest.mark.parametrize(
    ("nests", "words"),
    [
        ({"a": [0, 9]}, "which is no alternative"),
        ({"a": [0, "outside"]}, "no outside option"),
    ],
)
def test_labels_that_are_no_alternatives(nests, words):
    data = choice_data(attributes(np.random.default_rng(1), 20, 2))
    model = bm.MixedLogit("x", nests=bm.Nests(nests))
    with pytest.raises(SpecificationError, match=words):
        bm.msle(model, data)
    with pytest.raises(SpecificationError, match=words):
        bm.simulate_choices(model, {"fixed[x]": 1.0, "nest[a]": 0.5}, data)


@pytest.mark.parametrize(
    ("nests", "words"),
    [
        ({"a": [0]}, "two alternatives at least"),
        ({"a": [0, 0]}, "each once"),
        ({"a": [0, 1], "b": [1, 2]}, "sum to 2, expected 1"),
        ({"a": {0: 1, 1: 0.5}}, "sum to 0.5"),
        ({"a": {0: 1, 1: -0.5}}, "above 0"),
        ({}, "one at least"),
        ({"a": "01"}, "nests by name"),
    ],
)
def test_nests_that_are_none(nests, words):
    with pytest.raises(SpecificationError, match=words):
        bm.Nests(nests)


def test_nests_whose_alternatives_never_meet():
    frame = attributes(np.random.default_rng(1), 20, 2)
    frame = frame[(frame["alt"] == 0) | (frame["alt"] - 1 == frame["task"] % 2)]
    model = bm.MixedLogit("x", nests=bm.Nests({"a": [1, 2]}))
    with pytest.raises(SpecificationError, match="ever offered together"):
        bm.msle(model, choice_data(frame))


def test_a_nest_of_all_alternatives_is_one_of_scale():
    """Its coefficient divides all utilities: nothing tells it, unless there is something else."""
    frame = attributes(np.random.default_rng(1), 20, 2)
    outside, words = choice_data(frame, outside_option=True), "every alternative that is ever"
    inside = bm.MixedLogit("x", nests=bm.Nests({"all": [0, 1, 2]}))
    everything = bm.MixedLogit("x", nests=bm.Nests({"all": [0, 1, 2, "outside"]}))
    for model, data in ((inside, choice_data(frame)), (everything, outside)):
        with pytest.raises(SpecificationError, match=words):
            bind(model, data)
    assert bind(inside, outside).parameters.names[-1] == "nest[all]"
