"""Many persons: time of one evaluation of likelihood and gradient, and memory above the data.

Panels of 8 situations x 4 alternatives x 6 random coefficients. Each size runs in a process of its
own: the data are read from a file, so that making them leaves no mark on the peak of memory.

``--fits`` measures whole default fits in place of evaluations, in kB a person: what memory grows by
from the smallest size to each other, so that what a process needs whatever the persons is left out.
``--against PATH`` fits with the package in PATH too, in turns.
"""

import argparse
import os
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
from _common import FORMULA, FULL, INDEPENDENT, NAMES, console, options, table, verdict

import bayesmix as bm
from bayesmix.centring.grids import centre
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood

SITUATIONS, ALTERNATIVES = 8, 4
MEAN, SD = 0.5, 0.7
GRIDS = {"centred(sobol(64))": bm.centred(bm.sobol(64)), "sobol(64)": bm.sobol(64)}
GIB = 2.0**30
MODELS = {
    "6 normals": INDEPENDENT,
    "6 correlated normals": FULL,
    "2 lognormals among 6": bm.MixedLogit(
        FORMULA, random=[bm.Normal(*NAMES[:4]), bm.LogNormal(*NAMES[4:])]
    ),
}


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


def measure_fit(path: str, model: str) -> None:
    """Print memory of the process in kB before and at the peak of a default fit, and its time."""
    with open(path, "rb") as file:
        data = pickle.load(file)
    before, begun, spent = peak(), time.perf_counter(), time.process_time()
    fit = bm.msle(MODELS[model], data, rng=1)
    seconds, work = time.perf_counter() - begun, time.process_time() - spent
    print(before * GIB / 1e3, peak() * GIB / 1e3, seconds, work, fit.grid.size, fit.loglik)


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


def run_fit(path: Path, model: str, package: str | None) -> list[float]:
    """`measure_fit` in a process of its own, with the package in a folder."""
    command = [sys.executable, __file__, "--measure", str(path), "--fit", model]
    own = dict(os.environ) if package is None else {**os.environ, "PYTHONPATH": package}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=own)
    return [float(word) for word in done.stdout.split()]


def report_fits(sizes: list[int], folder: Path, against: str | None) -> None:
    """Memory and time of default fits, of this package and of another in turns."""
    packages = {"this": None} if against is None else {"this": None, "other": against}
    for model in MODELS:
        rows: list[list[str]] = []
        smallest: dict[str, tuple[int, float]] = {}
        for persons in sizes:
            path = folder / f"{persons}.pickle"
            for name, package in packages.items():
                before, top, seconds, work, nodes, loglik = run_fit(path, model, package)
                base = smallest.setdefault(name, (persons, top))
                slope = (top - base[1]) / (persons - base[0]) if persons > base[0] else np.nan
                rows.append(
                    [
                        f"{persons:,}",
                        name,
                        f"{nodes:.0f}",
                        f"{(top - before) / persons:.1f}",
                        f"{slope:.1f}",
                        f"{seconds:.1f}",
                        f"{work:.1f}",
                        f"{loglik:.6f}",
                    ]
                )
        heads = ["persons", "build", "nodes", "kB a person above the data", "slope, kB a person"]
        table(f"default fit, {model}", [*heads, "s", "core s", "log-likelihood"], rows)


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
    inside.add_argument("--fit")
    inside.add_argument("--fits", action="store_true")
    inside.add_argument("--against")
    inside.add_argument("--trace", action="store_true")
    found, rest = inside.parse_known_args()
    if found.fit:
        return measure_fit(found.measure, found.fit)
    if found.measure:
        return measure(found.measure, found.rule, found.trace)
    sys.argv[1:] = rest
    asked = options(__doc__)
    sizes = [1_000, 10_000] if asked.quick else [1_000, 10_000, 100_000]
    if found.fits:
        sizes = [500, 1_000] if asked.quick else [1_000, 4_000, 16_000]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for persons in sizes:
            with (folder / f"{persons}.pickle").open("wb") as file:
                pickle.dump(simulate(persons), file, protocol=5)
        if found.fits:
            return report_fits(sizes, folder, found.against)
        for rule in GRIDS:
            report(rule, sizes, folder)


if __name__ == "__main__":
    main()
