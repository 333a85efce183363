"""Prices that answer to demand shocks: estimates with and without a control function, coverage.

100 markets of 5 products, 2,000 people; price is cost, quality and a shock, correlated 0.6 with it,
which utility has too. Over many samples: how far the price coefficient is off, and how often 95 %
intervals hold the truth, with standard errors of one stage and of both. Every sample is a line of
`results/control_function.csv`; a run that was stopped goes on from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from _common import replicated
from scipy import stats

import bayesmix as bm
from bayesmix.classical.first_stage_errors import without_first_stage

MARKETS, PRODUCTS, PEOPLE = 100, 5, 20
TRUTH = {"fixed[price]": -1.0, "fixed[quality]": 0.5, "fixed[residual[price]]": 1 / 0.6}
RESULTS = Path(__file__).parent / "results" / "control_function.csv"


def sample(seed: int) -> bm.ChoiceData:
    """Prices of variance 1 whose correlation with the shock is 0.6; the shock has variance 1."""
    rng = np.random.default_rng(seed)
    cost, wage, quality, shock = rng.normal(size=(4, MARKETS, PRODUCTS))
    price = 3.0 + 0.6 * cost + np.sqrt(0.19) * wage + 0.3 * quality + 0.6 * shock
    home = np.repeat(np.arange(MARKETS), PEOPLE)
    utility = (-1.0 * price + 0.5 * quality + shock)[home]
    utility = utility + rng.gumbel(size=utility.shape)
    columns = {"cost": cost, "wage": wage, "quality": quality, "price": price}
    frame = pd.DataFrame({name: values[home].ravel() for name, values in columns.items()})
    frame["who"] = np.repeat(np.arange(len(home)), PRODUCTS)
    frame["market"] = np.repeat(home, PRODUCTS)
    frame["alt"] = np.tile(np.arange(PRODUCTS), len(home))
    frame["choice"] = (utility == utility.max(axis=1, keepdims=True)).ravel().astype(int)
    return bm.ChoiceData.from_long(
        frame, person=None, situation="who", alternative="alt", chosen="choice"
    )


def replication(seed: int) -> dict[str, float]:
    """Distances from the truth in standard errors, and what tests say."""
    data = sample(seed)
    control = bm.ControlFunction("price", instruments="cost + wage", on=("market", "alt"))
    fit = bm.msle(bm.MixedLogit("price + quality", control=control), data)
    plain = bm.msle(bm.MixedLogit("price + quality"), data)
    found = {"seed": seed}
    kinds = {
        "both stages": fit,
        "by market": fit.clustered(data, "market"),
        "second stage": without_first_stage(fit),
        "no control": plain,
    }
    for label, one in kinds.items():
        for name in one.params.index:
            found[f"{label} {name}"] = (one.params[name] - TRUTH[name]) / one.std_errors[name]
    found["estimate"], found["std error"] = (
        fit.params["fixed[price]"],
        fit.std_errors["fixed[price]"],
    )
    found["overidentification p"] = bm.overidentification_test(fit).p_value
    return found


def main(replications: int) -> None:
    report(replicated(replication, replications, RESULTS))


def report(table: pd.DataFrame) -> None:
    print(f"{len(table)} samples")
    width = stats.norm.ppf(0.975)
    for column in (c for c in table.columns if "[" in c):
        z = table[column]
        covered = (z.abs() < width).mean()
        print(f"{column:40} mean {z.mean():7.2f}  sd {z.std():5.2f}  covered {covered:.3f}")
    spread, errors = table["estimate"].std(), table["std error"].mean()
    print(f"price: spread {spread:.4f}, mean standard error {errors:.4f}")
    print(
        f"overidentification rejected at 5 %: {(table['overidentification p'] < 0.05).mean():.3f}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
