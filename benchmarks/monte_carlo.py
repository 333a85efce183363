"""Bias, root mean square error and coverage of the classical estimators with few draws.

Choices are drawn again and again from known parameters. With few draws the simulated likelihood's
estimates are biased, for it takes logarithms of noisy probabilities; those of simulated moments and
of simulated scores are not, and those on person-centred nodes have little noise to begin with.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from _common import console, table, timed
from matplotlib import pyplot as plt
from rich.progress import track

import bayesmix as bm

mpl.use("Agg")

DRAWS = (10, 25, 100)
CANDIDATES = 4096
OUT = Path("runs")


@dataclass(frozen=True)
class Design:
    """Persons, situations and alternatives of a design, its laws and true parameters."""

    persons: int
    situations: int
    alternatives: int
    model: bm.MixedLogit
    truth: dict[str, float]


DESIGNS = {
    "cross-section, one normal": Design(
        1000,
        1,
        3,
        bm.MixedLogit("a + b", random=bm.Normal("a")),
        {"mean[a]": 1.5, "sd[a]": 1.5, "fixed[b]": -1.0},
    ),
    "panel of 4, two normals": Design(
        500,
        4,
        4,
        bm.MixedLogit("a + b + c", random=bm.Normal("a", "b")),
        {"mean[a]": 1.0, "mean[b]": -1.0, "sd[a]": 1.0, "sd[b]": 1.5, "fixed[c]": 0.5},
    ),
    "panel of 4, a lognormal and two normals": Design(
        500,
        4,
        4,
        bm.MixedLogit("a + b + c", random=[bm.LogNormal("a", sign=-1), bm.Normal("b", "c")]),
        {
            "mean[a]": 0.0,
            "mean[b]": -1.0,
            "mean[c]": 0.5,
            "sd[a]": 0.7,
            "sd[b]": 1.2,
            "sd[c]": 0.8,
        },
    ),
}

Estimator = Callable[[bm.MixedLogit, bm.ChoiceData, int, int], bm.Fit]
ESTIMATORS: dict[str, Estimator] = {
    "MSLE": lambda m, d, n, seed: bm.msle(m, d, grid=bm.monte_carlo(n), starts=1, rng=seed),
    "MSM": lambda m, d, n, seed: bm.msm(m, d, grid=bm.monte_carlo(n), rng=seed),
    "MSS": lambda m, d, n, seed: bm.mss(
        m, d, grid=bm.monte_carlo(CANDIDATES), accepted=n, rng=seed
    ),
    "MSLE, centred": lambda m, d, n, seed: bm.msle(
        m, d, grid=bm.centred(bm.sobol(n)), starts=1, rng=seed
    ),
}


def simulate(design: Design, seed: int) -> bm.ChoiceData:
    """Independent standard normal attributes, and choices from the model."""
    rng = np.random.default_rng(seed)
    row = np.arange(design.persons * design.situations * design.alternatives)
    frame = pd.DataFrame(rng.standard_normal((len(row), 3)), columns=list("abc")).assign(
        person=row // (design.situations * design.alternatives),
        situation=row // design.alternatives,
        alternative=row % design.alternatives,
        choice=(row % design.alternatives == 0).astype(int),
    )
    data = bm.ChoiceData.from_long(
        frame, person="person", situation="situation", alternative="alternative", chosen="choice"
    )
    return bm.simulate_choices(design.model, design.truth, data, rng)


def replicate(name: str, replications: int) -> pd.DataFrame:
    """Errors, standard errors and seconds, a row for each estimator, draws and parameter."""
    rows = []
    for seed in track(range(replications), description=name, console=console):
        data = simulate(DESIGNS[name], seed)
        for estimator in ESTIMATORS:
            for draws in DRAWS:
                rows += one_fit(name, data, estimator, draws, seed)
    return pd.DataFrame(rows)


def one_fit(
    name: str, data: bm.ChoiceData, estimator: str, draws: int, seed: int
) -> list[dict[str, object]]:
    """The rows of one fit; without numbers where it failed."""
    design = DESIGNS[name]
    key = {"design": name, "estimator": estimator, "draws": draws, "seed": seed}
    try:
        seconds, found = timed(lambda: ESTIMATORS[estimator](design.model, data, draws, seed))
    except (bm.ConvergenceError, bm.IntegrationError):
        return [{**key, "parameter": p, "error": np.nan, "std error": np.nan} for p in design.truth]
    return [
        {
            **key,
            "parameter": p,
            "error": found.params[p] - value,
            "std error": found.std_errors[p],
            "seconds": seconds,
        }
        for p, value in design.truth.items()
    ]


def summary(estimates: pd.DataFrame) -> pd.DataFrame:
    """Bias with its noise, root mean square error, coverage of 95 % intervals, failures."""
    keys = ["design", "estimator", "draws", "parameter"]
    # A standard deviation at 0 has no standard error, and no interval that could cover.
    covered = (estimates["error"].abs() < 1.96 * estimates["std error"]).astype(float)
    grouped = estimates.assign(
        square=estimates["error"] ** 2,
        covered=covered.where(estimates["error"].notna()),
        failed=estimates["error"].isna(),
    ).groupby(keys, sort=False)
    found = grouped.agg(
        bias=("error", "mean"),
        noise=("error", "sem"),
        rmse=("square", lambda s: np.sqrt(s.mean())),
        coverage=("covered", "mean"),
        failed=("failed", "sum"),
        seconds=("seconds", "median"),
    )
    return found.reset_index()


def plot(found: pd.DataFrame, path: Path) -> None:
    """Bias by draws, a panel for each parameter, a row for each design."""
    width = max(len(d.truth) for d in DESIGNS.values())
    names = list(found["design"].unique())
    figure, axes = plt.subplots(
        len(names), width, figsize=(3 * width, 2.6 * len(names)), squeeze=False
    )
    for line, name in zip(axes, names, strict=True):
        for axis in line[len(DESIGNS[name].truth) :]:
            axis.set_visible(False)
        for axis, parameter in zip(line, DESIGNS[name].truth, strict=False):
            here = found[(found["design"] == name) & (found["parameter"] == parameter)]
            for estimator, part in here.groupby("estimator", sort=False):
                axis.errorbar(
                    part["draws"], part["bias"], 1.96 * part["noise"], marker="o", label=estimator
                )
            axis.axhline(0.0, color="black", linewidth=0.6)
            axis.set(xscale="log", title=parameter)
        line[0].set_ylabel(f"{name}\nbias", fontsize=8)
    axes[0, 0].legend(fontsize=7)
    figure.supxlabel("draws or nodes a person")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=300)
    parser.add_argument("--design", choices=list(DESIGNS), action="append", help="default: all")
    asked = parser.parse_args()
    found = pd.concat(
        [summary(replicate(name, asked.replications)) for name in asked.design or DESIGNS]
    )
    OUT.mkdir(exist_ok=True)
    found.to_csv(OUT / "monte_carlo.csv", index=False)
    plot(found, OUT / "monte_carlo.png")
    for name, part in found.groupby("design", sort=False):
        table(
            f"{name}, {asked.replications} replications",
            ["estimator", "draws", "parameter", "bias", "noise", "rmse", "95 %", "failed", "s"],
            [
                [r.estimator, r.draws, r.parameter, f"{r.bias:+.3f}", f"{r.noise:.3f}",
                 f"{r.rmse:.3f}", f"{r.coverage:.2f}", r.failed, f"{r.seconds:.2f}"]
                for r in part.itertuples()
            ],
        )  # fmt: skip
    console.print(f"{OUT / 'monte_carlo.csv'}, {OUT / 'monte_carlo.png'}")


if __name__ == "__main__":
    main()
