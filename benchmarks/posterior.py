"""The electricity posterior in turns: NUTS of this build, of another clone, importance sampling.

    python benchmarks/posterior.py --against PATH [--rounds 3] [--quick]

PATH is a clone of another commit, whose NUTS runs in turns with ours. Every run is a process of its
own with warm caches of kernels; PyTensor's are empty, for a user's models are new. Then means and
standard deviations of importance sampling against a long run of NUTS on the same nodes. Rows go to
benchmarks/results/posterior.csv, with the machine's name and load.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from _common import FULL, console, table

import bayesmix as bm

HERE = Path(__file__).parents[1]
CHILD = Path(__file__).parent / "peers" / "own_posterior.py"
RESULTS = Path(__file__).parent / "results" / "posterior.csv"


def processor() -> str:
    """The processor's name, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def run(where: Path, method: str, draws: int, again: bool) -> dict[str, float]:
    """One process: the figures that it leaves."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        own = {"PYTHONPATH": str(where), "PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor"}
        command = [sys.executable, str(CHILD), method, str(draws), str(int(again)), str(out)]
        subprocess.run(command, env=os.environ | own, check=True, cwd=folder)
        return dict(json.loads(out.read_text()))


def runs(against: Path | None, quick: bool) -> list[tuple[str, Path, str, int]]:
    """Name, clone, method and draws a chain of everything that runs in turns."""
    size = 50 if quick else 1000
    found = [("NUTS", HERE, "nuts", size)]
    if against is not None:
        found.append(("NUTS, other build", against, "nuts", size))
    many = [size] if quick else [size, 5 * size]
    return [*found, *(("importance", HERE, "importance", n) for n in many)]


def in_turns(asked: argparse.Namespace) -> pd.DataFrame:
    """All runs, round by round."""
    rows = []
    todo = runs(asked.against, asked.quick)
    for where in {str(where): where for _, where, *_ in todo}.values():
        run(where, "nuts", 20, False)  # kernels are compiled, and on disk
    for number in range(asked.rounds):
        for name, where, method, draws in todo:
            console.print(f"round {number + 1}: {name}, 4 x {draws}", style="dim")
            load = os.getloadavg()[0]
            again = where == HERE
            own = run(where, method, draws, again)
            rows.append({"what": name, "draws": draws, "round": number, "load": load, **own})
    frame = pd.DataFrame(rows)
    frame["ess/s"] = frame["ess"] / frame["seconds"]
    frame["ess/cpu s"] = frame["ess"] / frame["cpu"]
    frame["machine"] = f"{processor()}, {os.cpu_count()} cores"
    return frame


def agreement(quick: bool) -> pd.DataFrame:
    """Importance sampling against a long run of NUTS, both on the nodes of one fit."""
    data = bm.examples.electricity()
    grid = bm.centred(bm.sobol(128), moments=True)
    fit = bm.msle(FULL, data, grid=grid, starts=1, rng=1, progress=False)
    options = {"grid": fit.grid, "progress": False, "draws": 100 if quick else 5000}
    values = {}
    for method in ("nuts", "importance"):
        tree = bm.sample(FULL, data, method=method, rng=2, **options)
        draws = tree["posterior"].to_dataset()
        flat = [draws[v].to_numpy().reshape(-1, draws[v].shape[-1]) for v in draws.data_vars]
        values[method] = np.concatenate(flat, axis=1)
    mean, sd = values["nuts"].mean(axis=0), values["nuts"].std(axis=0)
    return pd.DataFrame(
        {
            "mean, sd": (values["importance"].mean(axis=0) - mean) / sd,
            "sd, relative": values["importance"].std(axis=0) / sd - 1,
        }
    )


def show(frame: pd.DataFrame, gaps: pd.DataFrame) -> None:
    """Medians over rounds, and the largest differences."""
    rows = []
    for (name, draws), own in frame.groupby(["what", "draws"], sort=False):
        figures = ["seconds", "cpu", "again seconds", "ess", "ess/s", "ess/cpu s", "r_hat"]
        middle = [median(own[figure]) for figure in figures]
        rows.append((f"{name}, 4 x {draws}", *(f"{m:.4g}" for m in middle)))
    columns = ("", "seconds", "CPU s", "again, s", "least ESS", "ESS/s", "ESS/CPU s", "R-hat")
    load = f"load {frame['load'].min():.1f} to {frame['load'].max():.1f}"
    table(f"Electricity, 27 parameters; {frame['machine'].iloc[0]}; {load}", columns, rows)
    worst = gaps.abs().max()
    console.print(
        f"importance against NUTS, 4 x 5,000 each, same nodes: means within {worst.iloc[0]:.3f} "
        f"posterior sd (target 0.05), sds within {100 * worst.iloc[1]:.1f} % (target 3 %)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="a clone of another commit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a small form, for a look")
    asked = parser.parse_args()
    asked.against = None if asked.against is None else asked.against.resolve()
    frame, gaps = in_turns(asked), agreement(asked.quick)
    show(frame, gaps)
    if not asked.quick:
        frame.round(4).to_csv(RESULTS, index=False)
        gaps.round(4).to_csv(RESULTS.with_name("posterior_gaps.csv"), index=False)


if __name__ == "__main__":
    main()
