"""Choices of the studies that bring their own files: simulated, so that the truth is known.

``python simulate.py`` writes them again, the same to the last digit.
"""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).parent


def trips() -> pd.DataFrame:
    """A row a situation: 80 people, four trips each by train, bus or car; not all have a car.

    Tastes: time in hours is lognormal, -exp(N(0, 0.5)); cost -0.4 for all; a car is worth 0.5.
    """
    rng = np.random.default_rng(1)
    people, tasks, modes = 80, 4, ["train", "bus", "car"]
    rows = pd.DataFrame({"person": np.repeat(np.arange(people), tasks)})
    for mode, hours, cost in zip(modes, (1.0, 1.4, 0.8), (3.0, 1.5, 4.0), strict=True):
        rows[f"{mode}_time"] = (hours * rng.uniform(0.6, 1.6, len(rows))).round(2)
        rows[f"{mode}_cost"] = (cost * rng.uniform(0.6, 1.6, len(rows))).round(2)
    rows["car_av"] = (rng.uniform(size=people) < 0.7).astype(int)[rows["person"]]
    time = -np.exp(rng.normal(0, 0.5, people))[rows["person"]]
    utility = np.column_stack(
        [time * rows[f"{mode}_time"] - 0.4 * rows[f"{mode}_cost"] for mode in modes]
    ) + rng.gumbel(size=(len(rows), 3))
    utility[:, 2] = np.where(rows["car_av"] == 1, utility[:, 2] + 0.5, -np.inf)
    return rows.assign(mode=np.array(modes)[utility.argmax(axis=1)])


def market() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row an alternative: 20 towns, 12 buyers each, two choices of 4 products or none.

    Prices answer to what is liked in a town and is not in the file, and to cost, which is. Tastes:
    price -1.5; quality N(1, 0.8). Shares of the towns are those of all buyers, not of these.
    """
    rng = np.random.default_rng(2)
    towns, buyers, products = 20, 12, 4
    liked = rng.normal(0, 0.6, (towns, products))
    cost = rng.uniform(0.5, 1.5, (towns, products)).round(2)
    quality = np.array([0.2, 0.6, 1.0, 1.4])
    price = (0.6 + cost + 0.4 * liked + 0.3 * quality).round(2)
    index = pd.MultiIndex.from_product(
        [range(towns * buyers), range(2), range(products)], names=["buyer", "task", "product"]
    )
    rows = index.to_frame(index=False)
    town, product = rows["buyer"] // buyers, rows["product"]
    rows["town"], rows["firm"] = town, product.map({0: "A", 1: "A", 2: "B", 3: "C"})
    rows["price"], rows["cost"] = price[town, product], cost[town, product]
    rows["quality"] = quality[product]
    taste = rng.normal(1, 0.8, towns * buyers)
    known = 1 - 1.5 * rows["price"] + liked[town, product]
    utility = known + taste[rows["buyer"]] * rows["quality"] + rng.gumbel(size=len(rows))
    none = np.repeat(rng.gumbel(size=len(rows) // products), products)
    best = utility.groupby([rows["buyer"], rows["task"]]).transform("max")
    rows["chosen"] = ((utility == best) & (utility > none)).astype(int)
    node, weight = np.polynomial.hermite_e.hermegauss(20)
    v = 1 - 1.5 * price + liked + (1 + 0.8 * node[:, None, None]) * quality
    p = np.exp(v) / (1 + np.exp(v).sum(axis=-1, keepdims=True))
    share = np.tensordot(weight / weight.sum(), p, 1)
    names = pd.MultiIndex.from_product([range(towns), range(products)], names=["town", "product"])
    return rows, pd.DataFrame({"share": share.ravel().round(4)}, names).reset_index()


if __name__ == "__main__":
    choices, shares = market()
    files = {"trips": trips(), "market": choices, "market_shares": shares}
    for name, frame in files.items():
        frame.to_csv(FOLDER / f"{name}.csv", index=False)
