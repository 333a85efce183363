"""Labels of ours, and names that columns may have all the same."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from tests.oracles import choice_frame, choices

NAMES = ("self", "frame", "person", "situation", "alternative", "row", "share", "segment", "draw")


@pytest.fixture(scope="module")
def frame():
    return choice_frame(np.random.default_rng(1), outside=True)


@pytest.mark.parametrize("label", ["outside", "outside option"])
def test_an_alternative_called_as_the_outside_option_is_refused_where_there_is_one(frame, label):
    called = frame.assign(mode=frame["mode"].replace("bus", label))
    with pytest.raises(DataError, match=f"an alternative is called '{label}'.* another label"):
        choices(called, outside_option=True)
    data = choices(frame, outside_option=True)
    new = {"price": 1.0, "time": 1.0}
    with pytest.raises(DataError, match="an alternative is called"):
        data.with_alternative(label, new)
    chosen = choice_frame(np.random.default_rng(1))
    chosen["mode"] = chosen["mode"].replace("bus", label)
    assert label in choices(chosen).alternatives


@pytest.mark.parametrize("name", NAMES)
def test_attributes_and_segments_of_any_name(frame, name):
    """As of the same columns under other names, in scenarios and wide frames too."""
    data = choices(frame, outside_option=True)
    other = choices(frame.rename(columns={"price": name}), outside_option=True)
    fits = [bm.msle(bm.MixedLogit(f"{x} + time"), d) for x, d in (("price", data), (name, other))]
    dearer = [
        d.with_attribute(x, lambda rows, x=x: rows[x] + 1.0, alternative="car")
        for x, d in (("price", data), (name, other))
    ]
    found = [
        bm.shares(fit, d, scenario=s, draws=3, rng=1)["estimate"]
        for fit, d, s in zip(fits, (data, other), dearer, strict=True)
    ]
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize("name", NAMES)
def test_segments_of_any_name(frame, name):
    data = choices(frame, outside_option=True)
    other = choices(frame.rename(columns={"group": name}), outside_option=True)
    fit = bm.msle(bm.MixedLogit("price + time"), data)
    found = [bm.shares(fit, d, by=x, draws=3, rng=1) for d, x in ((data, "group"), (other, name))]
    np.testing.assert_array_equal(found[0]["estimate"], found[1]["estimate"])
    assert found[1]["estimate"].dims == ("segment", "alternative")
