"""Situations of which the outside option alone is left: they have segments, and nothing to gain."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import DataError
from tests.demand.test_certain import result
from tests.simulated import attributes, choice_data

HOW = {"rng": 1}


def offered():
    """Two of twenty persons, of segment "a" and "b", are offered the first alternative alone."""
    frame = attributes(np.random.default_rng(1), 20, 1).assign(price=lambda f: 2.0 + f["y"])
    frame["segment"] = np.array(["a", "b"])[frame["who"] % 2]
    return choice_data(frame[(frame["who"] > 1) | (frame["alt"] == 0)], outside_option=True)


def posterior(data):
    return result(bm.MixedLogit("x + price"), data, fixed=[0.5, -1.0])


def by_hand(frame):
    """Shares and logsums (T, .) of situations that keep some row."""
    v = pd.Series(0.5 * frame["x"] - frame["price"], index=frame.index)
    total = 1.0 + np.exp(v).groupby(frame["who"]).sum()
    return np.exp(v) / total.loc[frame["who"]].to_numpy(), np.log(total)


def test_segments_of_situations_that_have_lost_their_rows():
    data = offered()
    found = bm.shares(posterior(data), data, scenario=data.without(0), by="segment", **HOW)
    share, _ = by_hand(data.frame[data.frame["alt"] != 0])
    left = data.frame.loc[share.index]
    for segment in "ab":
        mine = found["estimate"].sel(segment=segment)
        for alternative in (1, 2):
            here = (left["segment"] == segment) & (left["alt"] == alternative)
            assert float(mine.sel(alternative=alternative)) == pytest.approx(share[here].sum() / 10)
        assert float(mine.sum()) == pytest.approx(1.0)
    with pytest.raises(DataError, match=r"'by': 2 situations have no rows .* give the sets before"):
        bm.shares(posterior(data), data.without(0), by="segment", **HOW)


def test_the_surplus_of_the_outside_option_alone_is_nothing():
    data = offered()
    found = bm.surplus(posterior(data), data, predict=data.without(0), **HOW)["estimate"]
    _, logsum = by_hand(data.frame[data.frame["alt"] != 0])
    assert float(found) == pytest.approx(logsum.sum() / 20)


def test_situations_that_were_left_out_are_said():
    """Their outside option is sure to be taken; shares are of people who have a choice."""
    frame = offered().frame.assign(there=lambda f: (f["who"] != 7).astype(int))
    frame.loc[frame["who"] == 7, "choice"] = 0
    data = choice_data(frame, outside_option=True, availability="there")
    assert data.situations_left_out == 1
    found = bm.shares(posterior(data), data, **HOW)
    assert found.attrs["left_out"].startswith("1 situations in which the outside option alone")
    assert "left_out" not in bm.shares(posterior(offered()), offered(), **HOW).attrs
