"""Coverage of demand's intervals: an elasticity and a diversion ratio, in simulated data sets.

Attributes and choices are drawn again and again from known parameters, the model is fitted by MSLE
on person-centred nodes, and the 95 % intervals of the own price elasticity of alternative 0 and of
its removal diversion to alternative 1 either hold the truth or do not. The truth is that of the
data set's own attributes, by Gauss-Hermite quadrature in plain NumPy at the true parameters.

Every replication is a line of a file in `runs/`; a run that was stopped goes on from there.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from _common import console, table, timed, verdict
from rich.progress import track
from scipy.stats import binom

import bayesmix as bm

PERSONS, SITUATIONS, ALTERNATIVES = 200, 4, 3
MODEL = bm.MixedLogit(
    "price + quality + new",
    random=[bm.LogNormal("price", sign=-1), bm.Normal("quality")],
)
TRUTH = {
    "mean[price]": -0.2,
    "sd[price]": 0.6,
    "mean[quality]": 0.8,
    "sd[quality]": 1.0,
    "fixed[new]": 0.5,
}
GRID = bm.centred(bm.sobol(64))
LEVEL, LEAST, MOST = 0.95, 0.90, 0.98
DRAWS, NODES = 200, 128
POINTS = 24
"""Quadrature points of each of the two coefficients."""
METHODS = ("krinsky-robb", "delta")
OUT = Path("runs") / "demand_coverage.csv"


def simulate(seed: int) -> bm.ChoiceData:
    """Attributes of three alternatives with an outside option, and choices from the model."""
    rng = np.random.default_rng(seed)
    row = np.arange(PERSONS * SITUATIONS * ALTERNATIVES)
    frame = pd.DataFrame(
        {
            "person": row // (SITUATIONS * ALTERNATIVES),
            "situation": row // ALTERNATIVES,
            "alternative": row % ALTERNATIVES,
            "choice": 0,
            "price": rng.uniform(0.5, 3.0, len(row)),
            "quality": rng.standard_normal(len(row)),
            "new": rng.integers(0, 2, len(row)).astype(float),
        }
    )
    data = bm.ChoiceData.from_long(
        frame,
        person="person",
        situation="situation",
        alternative="alternative",
        chosen="choice",
        outside_option=True,
    )
    return bm.simulate_choices(MODEL, TRUTH, data, rng)


def truth(data: bm.ChoiceData) -> dict[str, float]:
    """Both quantities at the true parameters, on the data's attributes."""
    u, w = np.polynomial.hermite_e.hermegauss(POINTS)
    w = w / w.sum()
    x = data.frame[["price", "quality", "new"]].to_numpy().reshape(-1, ALTERNATIVES, 3)
    slope = -np.exp(TRUTH["mean[price]"] + TRUTH["sd[price]"] * u)
    liking = TRUTH["mean[quality]"] + TRUTH["sd[quality]"] * u
    share, effect, flow = 0.0, 0.0, 0.0
    for alpha, a in zip(slope, w, strict=True):
        for beta, b in zip(liking, w, strict=True):
            v = np.exp(x @ np.array([alpha, beta, TRUTH["fixed[new]"]]))
            left = 1.0 + v[:, 1:].sum(axis=1)  # without alternative 0: 1 - p may round to 0
            mine = v[:, 0] / (left + v[:, 0])
            share += a * b * mine.sum()
            effect += a * b * alpha * (x[:, 0, 0] * mine * left / (left + v[:, 0])).sum()
            flow += a * b * (mine * v[:, 1] / left).sum()
    return {"own elasticity": effect / share, "removal diversion": flow / share}


def estimated(fit: bm.Fit, data: bm.ChoiceData, method: str) -> dict[str, list[float]]:
    """Estimate and both ends of each quantity."""
    how = {"uncertainty": method, "interval": LEVEL, "draws": DRAWS, "rng": 1, "nodes": NODES}
    own = bm.elasticities(fit, data, "price", **how).sel(changed=0, responding=0)
    removal = bm.diversion(fit, data, "removal", **how).sel(origin=0, destination=1)
    names = ("estimate", "low", "high")
    return {
        "own elasticity": [float(own[n]) for n in names],
        "removal diversion": [float(removal[n]) for n in names],
    }


def replicate(seed: int) -> pd.DataFrame:
    """A row for each method and quantity of one data set."""
    data = simulate(seed)
    true = truth(data)
    seconds, fit = timed(lambda: bm.msle(MODEL, data, grid=GRID, starts=1, rng=seed))
    rows = [
        [seed, method, name, true[name], *values, seconds]
        for method in METHODS
        for name, values in estimated(fit, data, method).items()
    ]
    columns = ["seed", "method", "quantity", "truth", "estimate", "low", "high", "seconds"]
    return pd.DataFrame(rows, columns=columns)


def finished(path: Path) -> pd.DataFrame:
    """The replications that the file holds."""
    return pd.read_csv(path) if path.exists() else pd.DataFrame({"seed": []})


def report(found: pd.DataFrame) -> None:
    """Coverage and bias, with what chance alone does to each."""
    count = found["seed"].nunique()
    low, high = binom.ppf([0.025, 0.975], count, LEVEL) / count
    rows = []
    for (quantity, method), part in found.groupby(["quantity", "method"], sort=False):
        error = part["estimate"] - part["truth"]
        covered = ((part["low"] <= part["truth"]) & (part["truth"] <= part["high"])).mean()
        below, above = (part["truth"] < part["low"]).mean(), (part["truth"] > part["high"]).mean()
        width = (part["high"] - part["low"]).mean() / error.std() / 3.92
        rows.append(
            [f"{quantity}, {method}", f"{covered:.3f}", f"{below:.3f}", f"{above:.3f}",
             f"{part['truth'].mean():.4f}", f"{error.mean():+.4f}", f"{error.sem():.4f}",
             f"{error.std():.4f}", f"{width:.2f}", verdict(LEAST <= covered <= MOST)]
        )  # fmt: skip
    table(
        f"{count} data sets of {PERSONS} persons x {SITUATIONS} situations x {ALTERNATIVES} "
        f"alternatives and an outside option; of intervals with exact coverage {low:.3f} to "
        f"{high:.3f}, 19 times in 20",
        ["quantity, interval", "covered", "truth below", "above", "mean truth", "bias", "noise",
         "sd of errors", "width / 3.92 sd", f"{LEAST} to {MOST}"],
        rows,
    )  # fmt: skip
    console.print(f"Seconds a fit, median: {found['seconds'].median():.2f}. {OUT}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="twenty replications")
    asked = parser.parse_args()
    seeds = range(20 if asked.quick else asked.replications)
    OUT.parent.mkdir(exist_ok=True)
    done = finished(OUT)
    for seed in track([s for s in seeds if s not in set(done["seed"])], console=console):
        replicate(seed).to_csv(OUT, mode="a", header=not OUT.exists(), index=False)
    found = finished(OUT)
    report(found[found["seed"].isin(seeds)])


if __name__ == "__main__":
    main()
