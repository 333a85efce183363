"""Markets whose shares are known, of which a panel is seen: products' shocks move prices."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss

import bayesmix as bm

TRUTH = {"price": -1.0, "quality": 0.7, "sd[price]": 0.6, "fixed[price:income]": 0.3}
SHOCK = 0.5
MODEL = bm.MixedLogit("price + price:income + quality", random=[bm.Normal("price")])
HELD = {"mean[price]": 0.0, "fixed[quality]": 0.0}


def frames(
    seed: int, markets: int = 25, people: int = 24, tasks: int = 4, *, outside: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choices of people, some in each market, and the shares of everybody in it."""
    rng, products = np.random.default_rng(seed), 3
    size = (markets, products)
    quality, shock, cost = (
        rng.normal(size=size),
        SHOCK * rng.normal(size=size),
        rng.normal(size=size),
    )
    price = 2.0 + 0.5 * cost + 0.6 * shock + 0.2 * quality
    delta = TRUTH["price"] * price + TRUTH["quality"] * quality + shock + 0.5
    nodes, weights = hermegauss(40)
    spread = np.hypot(TRUTH["sd[price]"], TRUTH["fixed[price:income]"])
    v = np.exp(delta[..., None] + spread * nodes * price[..., None])
    share = (v / (outside + v.sum(axis=1, keepdims=True))) @ (weights / weights.sum())
    home = np.repeat(np.arange(markets), people)
    income, taste = rng.normal(size=(2, len(home)))
    slope = TRUTH["sd[price]"] * taste + TRUTH["fixed[price:income]"] * income
    u = (delta[home] + slope[:, None] * price[home])[:, None, :]
    u = u + rng.gumbel(size=(len(home), tasks, products))
    none = rng.gumbel(size=(len(home), tasks)) if outside else np.full((len(home), tasks), -np.inf)
    chosen = (u == u.max(axis=2, keepdims=True)) & (u > none[..., None])
    rows = pd.MultiIndex.from_product(
        [range(len(home)), range(tasks), list("abc")], names=["who", "task", "alt"]
    ).to_frame(index=False)
    market, code = home[rows["who"]], np.tile(np.arange(products), len(home) * tasks)
    rows["market"], rows["income"] = market, income[rows["who"]]
    for name, values in {"price": price, "quality": quality, "cost": cost}.items():
        rows[name] = values[market, code]
    rows["choice"] = chosen.ravel().astype(int)
    cells = pd.MultiIndex.from_product([range(markets), list("abc")], names=["market", "alt"])
    return rows, cells.to_frame(index=False).assign(share=share.ravel())


def data_of(rows: pd.DataFrame, **options: object) -> bm.ChoiceData:
    roles = {"person": "who", "situation": "task", "alternative": "alt", "chosen": "choice"}
    return bm.ChoiceData.from_long(rows, **{**roles, "outside_option": True, **options})
