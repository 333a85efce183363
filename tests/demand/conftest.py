"""Data with everything that demand must honour, and fits to them."""

import json

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.specification.record import model_record
from tests.simulated import attributes, choice_data

MODEL = bm.MixedLogit(
    "price + price:poor + quality + np.log(size) + new",
    random=[bm.LogNormal("price", sign=-1), bm.Normal("quality")],
)
AT = {
    "mean[price]": -0.5,
    "sd[price]": 0.8,
    "mean[quality]": 0.6,
    "sd[quality]": 1.2,
    "fixed[price:poor]": -0.3,
    "fixed[np.log(size)]": 0.5,
    "fixed[new]": 0.4,
}


def ragged(persons=120, seed=1):
    """Sets of 1 to 4 alternatives, an outside option, weights, and columns to be transformed."""
    rng = np.random.default_rng(seed)
    frame = attributes(rng, persons, 3, ("price", "quality"), 4)
    frame["price"] = rng.uniform(0.5, 3.0, len(frame))
    frame["size"] = rng.uniform(0.2, 5.0, len(frame))
    frame["new"] = rng.integers(0, 2, len(frame))
    frame["poor"] = (frame["who"] % 2).astype(float)
    frame["w"] = 1.0 + frame["who"] % 3
    frame["half"] = np.where(frame["who"] < 40, "a", "b")
    kept = (rng.random(len(frame)) < 0.7) | (frame["alt"] == 2)
    return choice_data(
        frame[kept].assign(choice=0).reset_index(drop=True), outside_option=True, weights="w"
    )


@pytest.fixture(scope="session")
def data():
    return bm.simulate_choices(MODEL, AT, ragged(), 3)


@pytest.fixture(scope="session")
def fit(data):
    return bm.msle(MODEL, data, grid=bm.centred(bm.sobol(32)), starts=1, rng=1)


@pytest.fixture(scope="session")
def posterior(fit):
    """A posterior of six draws, as `bm.sample` would keep them."""
    rng = np.random.default_rng(2)
    names = {name: [n for n in fit.params.index if n.startswith(name)] for name in AT_KINDS}
    draws = {
        kind: (
            ("chain", "draw", dim),
            fit.params[names[kind]].to_numpy() * rng.uniform(0.8, 1.2, (2, 3, len(names[kind]))),
        )
        for kind, dim in AT_KINDS.items()
    }
    coords = {"random": list(fit.space.random), "term": list(fit.space.fixed)}
    tree = xr.Dataset(draws, coords, attrs={"model": json.dumps(model_record(MODEL))})
    return xr.DataTree.from_dict({"posterior": tree})


AT_KINDS = {"mean": "random", "sd": "random", "fixed": "term"}
