"""Many persons: time of one evaluation of likelihood and gradient, and memory above the data.

Panels of 8 situations x 4 alternatives x 6 random coefficients. Each size runs in a process of its
own: the data are read from a file, so that making them leaves no mark on the peak of memory.
"""

import argparse
import pickle
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from _common import INDEPENDENT, NAMES, console, options, table, verdict

import bayesmix as bm
from bayesmix.likelihood.centred import centre
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.problem import bind

SITUATIONS, ALTERNATIVES = 8, 4
MEAN, SD = 0.5, 0.7
GRIDS = {"centred(sobol(64))": bm.centred(bm.sobol(64)), "sobol(64)": bm.sobol(64)}
GIB = 2.0**30


def simulate(persons: int) -> bm.ChoiceData:
    """Standard normal attributes, coefficients of mean 0.5 and sd 0.7."""
    rng = np.random.default_rng(1)
    rows = persons * SITUATIONS * ALTERNATIVES
    x = rng.standard_normal((rows, len(NAMES)))
    beta = MEAN + SD * rng.standard_normal((persons, len(NAMES)))
    utility = np.einsum("rk,rk->r", x, np.repeat(beta, SITUATIONS * ALTERNATIVES, axis=0))
    utility += rng.gumbel(size=rows)
    chosen = np.zeros((rows // ALTERNATIVES, ALTERNATIVES), dtype=int)
    chosen[np.arange(len(chosen)), utility.reshape(-1, ALTERNATIVES).argmax(axis=1)] = 1
    row = np.arange(rows)
    frame = pd.DataFrame(x, columns=list(NAMES)).assign(
        id=row // (SITUATIONS * ALTERNATIVES),
        chid=row // ALTERNATIVES,
        alt=row % ALTERNATIVES,
        choice=chosen.ravel(),
    )
    return bm.ChoiceData.from_long(
        frame, person="id", situation="chid", alternative="alt", chosen="choice"
    )


# -- inside a process of its own --------------------------------------------------------------


def peak() -> float:
    """Highest resident memory of this process so far, GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB


def measure(path: str, rule: str, trace: bool) -> None:
    """Print seconds and memory of each step, as words in a line."""
    with open(path, "rb") as file:
        data = pickle.load(file)
    with_data = peak()
    if trace:
        tracemalloc.start(8)
    begun = time.perf_counter()
    problem = bind(INDEPENDENT, data)
    size = problem.parameters.n_random
    theta = problem.parameters.pack(np.full(size, MEAN), SD * np.eye(size), np.zeros(0))
    bound, with_model = time.perf_counter() - begun, peak() - with_data
    begun = time.perf_counter()
    if rule.startswith("centred"):
        grid = centre(problem, GRIDS[rule], theta, 1)
    else:
        grid = bm.population_grid(GRIDS[rule], size, problem.n_persons, 1)
    anchored, with_grid = time.perf_counter() - begun, peak() - with_data
    likelihood = Likelihood(problem, grid)
    likelihood.value_and_gradient(theta)
    seconds, work = [], []
    for _ in range(5):
        begun, spent = time.perf_counter(), time.process_time()
        likelihood.value_and_gradient(theta)
        seconds.append(time.perf_counter() - begun)
        work.append(time.process_time() - spent)
    memory = (with_data, with_model, with_grid, peak() - with_data)
    print(bound, anchored, median(seconds), median(work), *memory)
    if trace:
        print_trace()


def print_trace() -> None:
    """Where memory that is still held was allocated, and the peak of allocations."""
    held, highest = tracemalloc.get_traced_memory()
    print(f"allocated above the data: {held / GIB:.2f} GiB held, {highest / GIB:.2f} at the peak")
    for line in tracemalloc.take_snapshot().statistics("lineno")[:12]:
        print(line)


# -- the table --------------------------------------------------------------------------------


def run(path: Path, rule: str) -> list[float]:
    command = [sys.executable, __file__, "--measure", str(path), "--rule", rule]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def report(rule: str, sizes: list[int], folder: Path) -> None:
    rows, each = [], []
    for persons in sizes:
        bound, anchored, seconds, work, data, *memory = run(folder / f"{persons}.pickle", rule)
        each.append(work / persons)
        rows.append(
            [
                f"{persons:,}",
                f"{bound:.2f}",
                f"{anchored:.2f}",
                f"{seconds:.4f}",
                f"{each[-1] * 1e6:.1f}",
                f"{data:.2f}",
                *(f"{m:.2f}" for m in memory),
                verdict(memory[-1] < 2),
            ]
        )
    table(
        f"{rule}: seconds, and GiB of resident memory at the peak",
        [
            "persons",
            "bind s",
            "anchor s",
            "evaluation s",
            "core us a person",
            "with data",
            "+ bound",
            "+ anchored",
            "+ evaluated",
            "under 2",
        ],
        rows,
    )
    console.print(f"core time a person, largest over smallest: {max(each) / min(each):.2f}\n")


def main() -> None:
    inside = argparse.ArgumentParser(add_help=False)
    inside.add_argument("--measure")
    inside.add_argument("--rule")
    inside.add_argument("--trace", action="store_true")
    found, rest = inside.parse_known_args()
    if found.measure:
        return measure(found.measure, found.rule, found.trace)
    sys.argv[1:] = rest
    asked = options(__doc__)
    sizes = [1_000, 10_000] if asked.quick else [1_000, 10_000, 100_000]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for persons in sizes:
            with (folder / f"{persons}.pickle").open("wb") as file:
                pickle.dump(simulate(persons), file, protocol=5)
        for rule in GRIDS:
            report(rule, sizes, folder)


if __name__ == "__main__":
    main()
