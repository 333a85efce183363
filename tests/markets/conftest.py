"""Markets with firms, and results for choices in them."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.specification.record import model_record

MODEL = bm.MixedLogit(
    "price + quality", random=[bm.LogNormal("price", sign=-1), bm.Normal("quality")]
)
AT = {"mean[price]": 0.2, "sd[price]": 0.4, "mean[quality]": 0.6, "sd[quality]": 1.0}
FIRMS = {"a": "A", "b": "A", "c": "B", "d": "C"}


def market_frame(persons=90, seed=1, markets=3):
    """Four products of three firms, one price per product and market; product d not in market 2."""
    rng = np.random.default_rng(seed)
    rows = pd.MultiIndex.from_product([range(persons), range(2), list("abcd")]).to_frame(
        index=False
    )
    rows.columns = ["who", "task", "alt"]
    rows["market"] = rows["who"] % markets
    rows["firm"] = rows["alt"].map(FIRMS)
    price = rng.uniform(1.0, 2.0, (markets, 4))
    quality = rng.normal(size=(markets, 4))
    code = rows["alt"].map(dict(zip("abcd", range(4), strict=True)))
    rows["price"] = price[rows["market"], code]
    rows["quality"] = quality[rows["market"], code] + 0.3 * rng.normal(size=len(rows))
    rows["income"] = np.where(rows["who"] % 2 == 0, "low", "high")
    rows["w"] = 1.0 + rows["who"] % 3
    rows["choice"] = (rows["alt"] == "a").astype(int)
    return rows[(rows["market"] != 2) | (rows["alt"] != "d")].reset_index(drop=True)


def market_data(frame, **options):
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}
    return bm.ChoiceData.from_long(frame, **{**roles, "outside_option": True, **options})


@pytest.fixture(scope="session")
def data():
    return bm.simulate_choices(MODEL, AT, market_data(market_frame(), weights="w"), 3)


@pytest.fixture(scope="session")
def fit(data):
    return bm.msle(MODEL, data, grid=bm.centred(bm.sobol(32)), starts=1, rng=1)


@pytest.fixture(scope="session")
def posterior():
    """A posterior of six draws, as `bm.sample` would keep them."""
    rng = np.random.default_rng(2)
    draws = {
        kind: (
            ("chain", "draw", "random"),
            np.array([AT[f"{kind}[{name}]"] for name in ("price", "quality")])
            * rng.uniform(0.8, 1.2, (2, 3, 2)),
        )
        for kind in ("mean", "sd")
    }
    attributes = {"model": json.dumps(model_record(MODEL))}
    tree = xr.Dataset(draws, {"random": ["price", "quality"]}, attrs=attributes)
    return xr.DataTree.from_dict({"posterior": tree})
