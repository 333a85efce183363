"""Two-stage estimates with known shares of markets: standard errors against the spread.

25 markets of 3 products whose shares are known, 24 people seen in each, 4 choices each; prices owe
to shocks of products. Over many samples: distances from the truth in standard errors, of what the
choices tell (first stage, `msle(market_shares=)`) and of what constants tell (`mean_utilities`).
Every sample is a line of `results/market_constants.csv`; a run that was stopped goes on from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from _common import replicated
from scipy import stats

import bayesmix as bm

sys.path.append(str(Path(__file__).parents[1]))
from tests.markets_with_panels import HELD, MODEL, TRUTH, data_of, frames

RESULTS = Path(__file__).parent / "results" / "market_constants.csv"


def replication(seed: int) -> dict[str, float]:
    """Estimates and standard errors of both stages."""
    rows, shares = frames(seed)
    fit = bm.msle(MODEL, data_of(rows), market_shares=shares, fixed=HELD, rng=seed, progress=False)
    second = bm.mean_utilities(fit, "price + quality", endogenous="price", instruments="cost")
    found: dict[str, float] = {"seed": seed}
    for stage in (fit, second):
        for name in stage.params.index:
            if name in TRUTH and stage.std_errors[name] > 0:
                found[f"{name} estimate"] = stage.params[name]
                found[f"{name} std error"] = stage.std_errors[name]
    return found


def main(replications: int) -> None:
    report(replicated(replication, replications, RESULTS))


def report(table: pd.DataFrame) -> None:
    print(f"{len(table)} samples")
    width = stats.norm.ppf(0.975)
    for name, truth in TRUTH.items():
        estimate, error = table[f"{name} estimate"], table[f"{name} std error"]
        z = (estimate - truth) / error
        noise = 1 / np.sqrt(2 * (len(table) - 1))
        print(
            f"{name:20} bias {estimate.mean() - truth:+.4f}  spread {estimate.std():.4f}  mean "
            f"standard error {error.mean():.4f}  ratio {error.mean() / estimate.std():.3f} "
            f"(noise {noise:.3f})  covered {(z.abs() < width).mean():.3f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
