"""Bias, root mean square error and coverage of the classical estimators with few draws.

Choices are drawn again and again from known parameters. With few draws the simulated likelihood's
estimates are biased, for it takes logarithms of noisy probabilities; those of simulated moments and
of simulated scores are not, and those on person-centred nodes have little noise to begin with.

Every fit is appended to a file as soon as it is made: the same command goes on where it was ended.
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from _common import console, table, timed
from _monte_carlo_summary import plot, summary
from rich.progress import track

import bayesmix as bm

DRAWS = (10, 25, 100)
CANDIDATES = 4096
DRAWN = 10**6
"""Distance of the seeds of an estimator's draws from those of the choices."""
OUT = Path("runs/monte_carlo.csv")
KEYS = ["design", "estimator", "draws", "seed"]
COLUMNS = [*KEYS, "parameter", "error", "std error", "inside", "seconds", "failure"]


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
    "MSM, sequences": lambda m, d, n, seed: bm.msm(
        m, d, grid=bm.monte_carlo(n), moments="sequences", rng=seed
    ),
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


@dataclass(frozen=True)
class Task:
    """One fit: to the choices of a seed, by an estimator with so many draws."""

    design: str
    estimator: str
    draws: int
    seed: int


def tasks(asked: argparse.Namespace) -> list[Task]:
    """Fits replication by replication, so that a run that is ended has made some of each."""
    return [
        Task(design, estimator, draws, seed)
        for seed in range(asked.replications)
        for design in asked.design
        for estimator in asked.estimator
        for draws in asked.draws
    ]


def fit(task: Task) -> list[dict[str, object]]:
    """A row for each parameter of a fit; without numbers, and with the reason, where it failed."""
    design = DESIGNS[task.design]
    data = simulate(design, task.seed)
    try:
        seconds, found = timed(
            lambda: ESTIMATORS[task.estimator](design.model, data, task.draws, DRAWN + task.seed)
        )
    except (bm.ConvergenceError, bm.IntegrationError) as reason:
        failure = f"{type(reason).__name__}: {reason}"
        return [{**vars(task), "parameter": p, "failure": failure} for p in design.truth]
    ends = found.confidence_intervals().iloc[:, :2]
    return [
        {
            **vars(task),
            "parameter": p,
            "error": found.params[p] - value,
            "std error": found.std_errors[p],
            "inside": int(ends.loc[p].iloc[0] <= value <= ends.loc[p].iloc[1]),
            "seconds": round(seconds, 3),
        }
        for p, value in design.truth.items()
    ]


def finished(path: Path) -> set[Task]:
    """The fits that a file has."""
    if not path.exists():
        return set()
    rows = pd.read_csv(path)[KEYS].drop_duplicates()
    return {Task(*row) for row in rows.itertuples(index=False)}


def run(todo: list[Task], processes: int) -> Iterator[list[dict[str, object]]]:
    """The rows of each fit, as they are made."""
    if processes == 1:
        yield from map(fit, todo)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for future in as_completed([pool.submit(fit, task) for task in todo]):
            yield future.result()


def go_on(asked: argparse.Namespace) -> None:
    """Append what is still to be made to the file."""
    done = finished(asked.out)
    todo = [task for task in tasks(asked) if task not in done]
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    new = not asked.out.exists()
    with asked.out.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        for rows in track(run(todo, asked.processes), "fits", total=len(todo), console=console):
            writer.writerows(rows)
            file.flush()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=300)
    parser.add_argument("--design", choices=list(DESIGNS), action="append", help="default: all")
    parser.add_argument("--estimator", choices=list(ESTIMATORS), action="append", help="all")
    parser.add_argument("--draws", type=int, action="append", help=f"default: {DRAWS}")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT, help="a row for each fit and parameter")
    parser.add_argument("--results", type=Path, help="folder of table and plot")
    parser.add_argument("--show", action="store_true", help="what the file has, without new fits")
    asked = parser.parse_args()
    asked.design = asked.design or list(DESIGNS)
    asked.estimator = asked.estimator or list(ESTIMATORS)
    asked.draws = asked.draws or list(DRAWS)
    asked.results = asked.results or asked.out.parent / "results"
    return asked


def report(found: pd.DataFrame) -> None:
    """A table for each design."""
    for name, part in found.groupby("design", sort=False):
        table(
            str(name),
            ["estimator", "draws", "parameter", "fits", "bias", "noise", "rmse", "95 %", "wald",
             "no error", "failed", "s"],
            [
                [r.estimator, r.draws, r.parameter, r.fits, f"{r.bias:+.3f}", f"{r.noise:.3f}",
                 f"{r.rmse:.3f}", f"{r.coverage:.3f}", f"{r.wald:.3f}", r.unknown, r.failed,
                 f"{r.seconds:.2f}"]
                for r in part.rename(columns={"no error": "unknown"}).itertuples()
            ],
        )  # fmt: skip


def main() -> None:
    asked = options()
    if not asked.show:
        go_on(asked)
    estimates = pd.read_csv(asked.out)
    found = summary(estimates)
    report(found)
    for reason, count in estimates["failure"].dropna().value_counts().items():
        console.print(f"{count} rows without numbers: {reason}", markup=False)
    asked.results.mkdir(parents=True, exist_ok=True)
    table_at, plot_at = (asked.results / f"{asked.out.stem}{end}" for end in (".csv", ".png"))
    found.round(5).to_csv(table_at, index=False)
    plot(found, {name: list(d.truth) for name, d in DESIGNS.items()}, list(ESTIMATORS), plot_at)
    console.print(f"{asked.out}, {table_at}, {plot_at}")


if __name__ == "__main__":
    main()
