"""What must not change demand, on choice sets that hypothesis makes up."""

from functools import cache

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import bayesmix as bm
from tests.properties.choices import close, few, frames, halves, renamed, shuffled
from tests.simulated import choice_data

HOW = {"draws": 2, "rng": 1, "progress": False}
MODEL = bm.MixedLogit("x + y", bm.LatentClass("x"))


@cache
def fit():
    """Two classes: a mixture without simulation, so that demand is exact, whoever is where."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.integers(-3, 4, (900, 2)), columns=["x", "y"])
    frame["who"], frame["task"] = np.repeat(np.arange(100), 9), np.repeat(np.arange(300), 3)
    frame["alt"] = np.tile(np.arange(3), 300)
    slopes = np.where(frame["who"] % 2, -1.0, -0.3)
    utility = slopes * frame["x"] + 0.5 * frame["y"] + rng.gumbel(size=900)
    best = utility.groupby(frame["task"]).transform("max")
    return bm.msle(MODEL, choice_data(frame.assign(choice=(utility == best).astype(int))), rng=1)


def demand(frame, **roles):
    """Shares, elasticities, diversion and surplus, alternatives in the order of their labels."""
    data = choice_data(frame, **roles)
    found = [
        bm.shares(fit(), data, **HOW),
        bm.elasticities(fit(), data, "y", **HOW),
        bm.diversion(fit(), data, "removal", **HOW),
        bm.surplus(fit(), data, price="x", **HOW),
    ]
    return [one["estimate"].to_numpy() for one in found]


def same(one, other, rtol=1e-8):
    for a, b in zip(one, other, strict=True):
        close(a, b, rtol)


@few(4)
@given(frames(), st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(frame, random):
    frame = frame / {"x": 10, "y": 10, "who": 1, "task": 1, "alt": 1, "choice": 1}
    known = demand(frame)
    same(known, demand(shuffled(frame, random)))
    backwards = [a[tuple(slice(None, None, -1) for _ in a.shape)] for a in known]
    same(backwards, demand(renamed(frame)))


@few(4)
@given(frames(), st.sampled_from([1e-3, 1.0, 1e6]))
def test_two_copies_of_a_person_with_half_the_weight_are_one(frame, scale):
    frame = frame.assign(x=frame["x"] / 10, y=frame["y"] / 10)
    same(demand(frame), demand(halves(frame, scale), weights="weight"))


@few(4)
@given(
    frames(), st.sampled_from([1, 1000]), st.sampled_from(["int8", "float32", "Int16", "object"])
)
def test_constants_are_worth_themselves_and_types_of_columns_nothing(frame, constant, kind):
    """What all alternatives have more of changes no share, and surplus by its own price."""
    frame = frame.assign(x=frame["x"] // 4, y=frame["y"] // 4)
    known = demand(frame)
    same(known, demand(frame.astype({"x": kind, "y": kind})))
    same(known, demand(pl.from_pandas(frame.astype({"x": "int8"}))))
    moved = demand(frame.assign(x=frame["x"] + constant))
    same(known[:3], moved[:3])
    close(known[3] - constant, moved[3])
