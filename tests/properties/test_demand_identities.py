"""Identities of demand, on choice sets that hypothesis makes up."""

from functools import cache

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import bayesmix as bm
from tests.properties.choices import close, few, frames
from tests.simulated import choice_data

DERANDOMISED = few(8)
CLASSES = bm.MixedLogit("x + y", bm.LatentClass("x", "y"))
HOW = {"draws": 2, "rng": 1}


@cache
def fitted():
    """Fits without simulation, whose predictions are exact: a logit, and one of two classes."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.integers(-3, 4, (900, 2)), columns=["x", "y"])
    frame["who"], frame["task"] = np.repeat(np.arange(100), 9), np.repeat(np.arange(300), 3)
    frame["alt"] = np.tile(np.arange(3), 300)
    slopes = np.where(frame["who"] % 2, -1.0, 0.3)
    utility = slopes * frame["x"] + 0.5 * frame["y"] + rng.gumbel(size=900)
    best = utility.groupby(frame["task"]).transform("max")
    data = choice_data(frame.assign(choice=(utility == best).astype(int)))
    return [bm.msle(bm.MixedLogit("x + y"), data), bm.msle(CLASSES, data, rng=1, starts=1)]


@DERANDOMISED
@given(frames(), st.integers(0, 1), st.sampled_from([1, 20, 300]))
def test_demand_adds_up(frame, which, stretch):
    """Shares to 1, rows of diversion to 1, elasticities weighted by shares to 0, tails or not."""
    fit, data = fitted()[which], choice_data(frame.assign(x=frame["x"] * stretch))
    shares = bm.shares(fit, data, **HOW)["estimate"].to_numpy()
    close(shares.sum(), 1.0)
    for kind in ("removal", "quality"):
        rows = bm.diversion(fit, data, kind, **HOW)["estimate"].to_numpy().sum(axis=1)
        told = np.isfinite(rows)
        close(rows[told], 1.0, rtol=1e-6)
    own = bm.elasticities(fit, data, "y", **HOW)["estimate"].to_numpy()
    told = shares > 1e-12
    close((own[:, told] * shares[told]).sum(axis=1), 0.0, rtol=1e-6)


@DERANDOMISED
@given(frames(), st.integers(0, 1), st.sampled_from([1, 20, 300]))
def test_removal_is_what_a_scenario_without_the_alternative_says(frame, which, stretch):
    """Utilities may be hundreds apart: who is sure of a choice goes somewhere all the same."""
    fit, data = fitted()[which], choice_data(frame.assign(x=frame["x"] * stretch))
    before = bm.shares(fit, data, **HOW)["estimate"].to_numpy()
    after = bm.shares(fit, data, scenario=data.without(0), **HOW)["estimate"]
    gains = after.to_series().reindex(range(1, len(before))).to_numpy() - before[1:]
    if before[0] > 1e-3:
        found = bm.diversion(fit, data, "removal", **HOW)["estimate"].to_numpy()[0, 1:]
        close(found, gains / before[0], rtol=1e-6)
