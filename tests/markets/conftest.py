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
QUICK = {"rng": 4, "nodes": 32, "draws": 3}
OWN = bm.Firms("firm", market="market")
LOGIT = bm.MixedLogit("price + quality")


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


def estimates(found, quantity, market=0):
    """Estimates of a quantity by product, of the products that are offered."""
    return found["estimate"].sel(quantity=quantity, market=market).to_series().dropna()


def logit_of(frame, slope=-1.0):
    data = market_data(frame)
    at = {"fixed[price]": slope, "fixed[quality]": 0.5}
    return data, bm.msle(LOGIT, bm.simulate_choices(LOGIT, at, data, 1))


@pytest.fixture(scope="session")
def logit():
    return logit_of(market_frame(60))


def at_prices(data, found):
    """The data with the prices that were found."""
    prices = found.products["estimate"].sel(quantity="price_after").to_series()

    def of(rows):
        return prices.loc[list(zip(rows["market"], rows["alt"], strict=True))].to_numpy()

    return data.with_attribute("price", of)


def conditions(fit, data, there, costs, owner, market):
    """First-order conditions by `bm.shares` and `bm.elasticities`, of the prices in a scenario."""
    options = {**QUICK, "by": "market", "scenario": there}
    slopes = bm.elasticities(fit, data, kind="marginal", **options)["estimate"].sel(segment=market)
    shares = bm.shares(fit, data, **options)["estimate"].sel(segment=market)
    labels = list(costs.index)
    frame = there.frame[there.frame["market"] == market]
    price = frame.groupby("alt")["price"].first().loc[labels]
    margin = price - costs
    out = []
    for j in labels:
        ours = [k for k in labels if owner[k] == owner[j]]
        effect = slopes.sel(changed=j, responding=ours).to_numpy()
        out.append(float(shares.sel(alternative=j)) + effect @ margin.loc[ours].to_numpy())
    return np.array(out)
