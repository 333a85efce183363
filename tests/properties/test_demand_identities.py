"""Identities of demand, on choice sets that hypothesis makes up."""

from functools import cache

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayesmix as bm
from tests.simulated import choice_data

# The same examples at every run, few of them, and no clock: it measures the machine.
DERANDOMISED = settings(
    derandomize=True,
    deadline=None,
    max_examples=8,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CLASSES = bm.MixedLogit("x + y", bm.LatentClass("x", "y"))
HOW = {"draws": 2, "rng": 1}


@st.composite
def frames(draw):
    """Persons, situations and alternatives, with whole attributes from -20 to 20."""
    persons, situations = draw(st.integers(4, 8)), draw(st.integers(1, 3))
    alternatives = draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = persons * situations * alternatives
    frame = pd.DataFrame(rng.integers(-20, 21, (size, 2)), columns=["x", "y"])
    frame["who"] = np.repeat(np.arange(persons), situations * alternatives)
    frame["task"] = np.repeat(np.arange(persons * situations), alternatives)
    frame["alt"] = np.tile(np.arange(alternatives), persons * situations)
    frame["choice"] = 0
    chosen = rng.integers(0, alternatives, persons * situations)
    frame.loc[np.arange(persons * situations) * alternatives + chosen, "choice"] = 1
    # Never flat, never collinear: the first rows of the first two persons say so.
    frame.loc[[0, 1], ["x", "y"]] = [[3, 1], [-2, 4]]
    last = persons * situations * alternatives - alternatives
    frame.loc[[last, last + 1], ["x", "y"]] = [[5, -6], [1, 7]]
    return frame


def close(one, other, rtol=1e-9):
    np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-9)


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
