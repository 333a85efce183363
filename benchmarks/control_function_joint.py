"""Posteriors that have the price equation in them: coverage of their intervals.

The samples of `control_function.py`, the first 50: how often 95 % intervals of the joint posterior
hold the truth, and how its standard deviations compare with two-step standard errors and with those
that take residuals as known. Every sample is a line of `results/control_function_joint.csv`; a run
that was stopped goes on from there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from _common import replicated
from control_function import TRUTH, sample

import bayesmix as bm
from bayesmix.classical.first_stage_errors import without_first_stage

RESULTS = Path(__file__).parent / "results" / "control_function_joint.csv"


def replication(seed: int) -> dict[str, float]:
    """Of each coefficient: mean, standard deviation, and whether its interval holds the truth."""
    data = sample(seed)
    control = bm.ControlFunction("price", instruments="cost + wage", on=("market", "alt"))
    model = bm.MixedLogit("price + quality", control=control)
    fit = bm.msle(model, data, progress=False)
    plug_in = without_first_stage(fit).std_errors
    how = {"method": "importance", "draws": 250, "chains": 2, "rng": seed, "progress": False}
    tree = bm.sample(model, data, **how)
    draws = tree["posterior"]["fixed"]
    low, high = draws.quantile([0.025, 0.975], ("chain", "draw"))
    found: dict[str, float] = {"seed": seed, "pareto k": tree["posterior"].attrs["pareto_k"]}
    for name, truth in TRUTH.items():
        term = {"term": name.removeprefix("fixed[").removesuffix("]")}
        own = draws.sel(term)
        found[f"mean {name}"], found[f"sd {name}"] = float(own.mean()), float(own.std())
        found[f"covered {name}"] = float(low.sel(term) <= truth <= high.sel(term))
        found[f"two-step {name}"], found[f"plug-in {name}"] = fit.std_errors[name], plug_in[name]
        found[f"off {name}"] = (float(own.mean()) - fit.params[name]) / fit.std_errors[name]
    return found


def main(replications: int) -> None:
    report(replicated(replication, replications, RESULTS))


def report(table: pd.DataFrame) -> None:
    print(f"{len(table)} samples, largest Pareto k {table['pareto k'].max():.2f}")
    for name in TRUTH:
        sd = table[f"sd {name}"]
        print(
            f"{name:25} covered {table[f'covered {name}'].mean():.3f}; spread of means "
            f"{table[f'mean {name}'].std():.4f}, mean sd {sd.mean():.4f}, over two-step errors "
            f"{(sd / table[f'two-step {name}']).mean():.3f}, over plug-in ones "
            f"{(sd / table[f'plug-in {name}']).mean():.3f}; means from two-step estimates "
            f"{table[f'off {name}'].mean():+.2f} ({table[f'off {name}'].std():.2f}) standard errors"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
