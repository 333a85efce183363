"""Cameras in a market, and their fits."""

from functools import cache

import numpy as np

import bayesmix as bm
from tests.simulated import attributes, choice_data

CAMERAS = [
    {"brand": "canon", "price": 1.5, "zoom": 1.0},
    {"brand": "sony", "price": 1.2, "zoom": 0.0},
    {"brand": "nikon", "price": 0.8, "zoom": 0.3},
]
MODEL = bm.MixedLogit(
    "C(brand) + price + zoom", random=[bm.LogNormal("price", sign=-1), bm.Normal("zoom", mean="z")]
)
HOW = {"draws": 3, "rng": 1}


@cache
def cameras(outside=True):
    rng = np.random.default_rng(1)
    frame = attributes(rng, 60, 4, ("zoom",)).assign(choice=0)
    frame["price"] = rng.uniform(0.5, 2.5, len(frame))
    frame["brand"] = np.array(["canon", "nikon", "sony"])[rng.integers(0, 3, len(frame))]
    frame["z"] = (frame["who"] % 2).astype(float)
    frame["old"] = np.where(frame["who"] < 20, "old", "young")
    frame["w"] = 1.0 + frame["who"] % 3
    if not outside:
        frame["choice"] = (frame["alt"] == 0).astype(int)
    data = choice_data(frame, outside_option=outside, weights="w")
    constants = ("canon", "nikon", "sony") if outside else ("nikon", "sony")
    at = {f"fixed[brand[{name}]]": 0.5 for name in constants}
    at |= {"mean[price]": -0.3, "sd[price]": 0.7, "mean[zoom]": 0.5, "shift[zoom, z]": 0.5}
    return bm.simulate_choices(MODEL, {**at, "sd[zoom]": 1.0}, data, 2)


@cache
def fit(outside=True):
    return bm.msle(MODEL, cameras(outside), grid=bm.centred(bm.sobol(32)), starts=1, rng=1)


@cache
def plain():
    return bm.msle(bm.MixedLogit("C(brand) + price + zoom"), cameras())


def utilities(params):
    """Utilities of the three cameras of a multinomial logit."""
    return np.array(
        [
            params[f"fixed[brand[{one['brand']}]]"]
            + params["fixed[price]"] * one["price"]
            + params["fixed[zoom]"] * one["zoom"]
            for one in CAMERAS
        ]
    )
