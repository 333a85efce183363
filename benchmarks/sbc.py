"""Simulation-based calibration of a correlated panel, and coverage of classical intervals on it.

60 persons, 6 situations of 3 alternatives, three correlated normal coefficients. Every simulation
is added to a file as soon as it is made: the same command goes on where it was ended.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from _common import console

import bayesmix as bm

mpl.use("Agg")

PERSONS, SITUATIONS, ALTERNATIVES = 60, 6, 3
COLUMNS = ("a", "b", "c")
MODEL = bm.MixedLogit("a + b + c", random=[bm.LKJNormal(*COLUMNS, eta=2.0)])
PRIORS = {f"mean[{c}]": (0.0, 1.0) for c in COLUMNS} | {f"sd[{c}]": 1.0 for c in COLUMNS}
TRUTH = {"mean[a]": 1.0, "mean[b]": -0.5, "mean[c]": 0.5, "sd[a]": 1.0, "sd[b]": 0.8} | {
    "sd[c]": 0.6,
    "corr[a, b]": 0.4,
    "corr[a, c]": -0.2,
    "corr[b, c]": 0.1,
}
METHODS = ("importance", "marginal", "hierarchical", "msle")
OUT = Path("runs")


def design() -> bm.ChoiceData:
    """Independent standard normal attributes."""
    row = np.arange(PERSONS * SITUATIONS * ALTERNATIVES)
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.standard_normal((len(row), 3)), columns=list(COLUMNS)).assign(
        person=row // (SITUATIONS * ALTERNATIVES),
        situation=row // ALTERNATIVES,
        alternative=row % ALTERNATIVES,
        choice=(row % ALTERNATIVES == 0).astype(int),
    )
    return bm.ChoiceData.from_long(
        frame, person="person", situation="situation", alternative="alternative", chosen="choice"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    run = {"rng": 1, "simulations": asked.simulations, "processes": asked.processes}
    run |= {"file": OUT / f"sbc_{asked.method}.jsonl"}
    if asked.method == "msle":
        covered = bm.coverage(MODEL, design(), truth=TRUTH, **run)
        console.print(str(covered), markup=False)
        bm.plot_coverage(covered).savefig(OUT / "sbc_msle.png", dpi=120)
        covered.summary().to_csv(OUT / "sbc_msle.csv")
        return
    found = bm.sbc(MODEL, design(), method=asked.method, priors=PRIORS, **run)
    console.print(str(found), markup=False)
    bm.plot_sbc(found).savefig(OUT / f"sbc_{asked.method}.png", dpi=120)
    found.summary().to_csv(OUT / f"sbc_{asked.method}.csv")


if __name__ == "__main__":
    main()
