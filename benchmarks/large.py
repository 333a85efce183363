"""Data larger than memory: Parquet, store, bound model, default fit and demand, of many persons.

Panels of 8 situations x 4 alternatives x 6 random coefficients, six independent normals, as in
``scale.py``; of each person a row of every file, so that rows have to be sorted. Files are written
as they are simulated, a few thousand persons at a time. Each step is a process of its own, with a
peak of memory of its own; what is done stands in ``results/large.csv``, and the script goes on
where it stopped, within a fit at the evaluation where it stopped.

    python benchmarks/large.py --persons 10000 200000
    nice -19 python benchmarks/large.py --persons 1000000 --folder /somewhere/large
"""

import argparse
import csv
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import bayesmix as bm
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.multinomial import multinomial

RESULTS = Path(__file__).parent / "results" / "large.csv"
FOLDER = Path(tempfile.gettempdir()) / "bayesmix-large"
COLUMNS = ("step", "persons", "seconds", "cpu_seconds", "peak_mb", "load", "found")
SITUATIONS, ALTERNATIVES = 8, 4
NAMES = ("pf", "cl", "loc", "wk", "tod", "seas")
MEAN, SD = 0.5, 0.7
BLOCK = 10_000
"""Persons that are simulated at a time."""
MODEL = bm.MixedLogit(" + ".join(NAMES), random=[bm.Normal(*NAMES)])
STEPS = ("parquet", "store", "bind", "fit", "demand")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persons", type=int, nargs="+", default=[10_000])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for what is made")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--inside", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options.inside, options.persons[0], options.folder)
    for persons in options.persons:
        folder = options.folder / str(persons)
        folder.mkdir(parents=True, exist_ok=True)
        for step in options.steps:
            if (step, str(persons)) not in known(options.results):
                command = [sys.executable, __file__, "--inside", step]
                command += ["--persons", str(persons), "--folder", str(folder)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                append(options.results, [step, str(persons), *done.stdout.split(maxsplit=4)])
                print(step, persons, done.stdout.strip(), flush=True)


# -- inside a process of its own --------------------------------------------------------------


def inside(step: str, persons: int, folder: Path) -> None:
    """Do a step, and print seconds, seconds of processors, peak of memory, load and what it is."""
    begun, load = time.perf_counter(), os.getloadavg()[0]
    steps = {"store": store, "bind": bound, "fit": fit, "demand": demand}
    words = write(persons, folder) if step == "parquet" else steps[step](folder)
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    seconds, spent = time.perf_counter() - begun, time.process_time()
    print(f"{seconds:.1f} {spent:.1f} {peak:.0f} {load:.1f} {words}")


def write(persons: int, folder: Path) -> str:
    """Files of rows, one of each situation; a file is there whole or not at all."""
    files = folder / "rows"
    if not files.is_dir():
        beside = folder / "rows.partial"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        schema = simulated(0, 1).schema
        paths = [beside / f"{number}.parquet" for number in range(SITUATIONS)]
        writers = [pq.ParquetWriter(path, schema) for path in paths]
        for first in range(0, persons, BLOCK):
            rows = simulated(first, min(first + BLOCK, persons))
            for number, writer in enumerate(writers):
                writer.write_table(rows.filter(pa.compute.equal(rows["task"], number)))
        for writer in writers:
            writer.close()
        beside.rename(files)
    size = sum(path.stat().st_size for path in files.iterdir())
    return f"{size / 1e6:.0f} MB"


def simulated(first: int, last: int) -> pa.Table:
    """Rows of persons: standard normal attributes, coefficients of mean 0.5 and sd 0.7."""
    rng = np.random.default_rng([1, first])
    persons, size = last - first, SITUATIONS * ALTERNATIVES
    x = rng.standard_normal((persons * size, len(NAMES)))
    beta = MEAN + SD * rng.standard_normal((persons, len(NAMES)))
    utility = (x * np.repeat(beta, size, axis=0)).sum(axis=1) + rng.gumbel(size=len(x))
    best = utility.reshape(-1, ALTERNATIVES).argmax(axis=1)
    row = np.arange(len(x))
    columns = {
        "id": first + row // size,
        "task": row // ALTERNATIVES % SITUATIONS,
        "alt": row % ALTERNATIVES,
        "choice": (row % ALTERNATIVES == best[row // ALTERNATIVES]).astype(np.int8),
    }
    return pa.table(columns | dict(zip(NAMES, x.T, strict=True)))


def open_data(folder: Path) -> bm.ChoiceData:
    return bm.ChoiceData.from_parquet(
        folder / "rows",
        person="id",
        situation="task",
        alternative="alt",
        chosen="choice",
        store=folder / "store",
    )


def store(folder: Path) -> str:
    return f"{open_data(folder).n_rows} rows"


def bound(folder: Path) -> str:
    """The model's columns with all checks, and the multinomial logit: before any search."""
    logit = multinomial(bind(MODEL, open_data(folder)))
    return f"multinomial log-likelihood {logit.loglik:.3f}"


def fit(folder: Path) -> str:
    found = bm.msle(MODEL, open_data(folder), rng=1, checkpoint=folder / "search")
    found.save(folder / "fit.json")
    off, error = found.integration.shift["estimate"].abs().max(), found.integration.error
    estimates = " ".join(f"{value:.4f}" for value in found.params)
    words = (
        f"log-likelihood {found.loglik:.3f}; error {error:.3f} nats and {off:.3f} standard errors"
    )
    return f"{words}; {found.grid}; {estimates}; {found.message}"


def demand(folder: Path) -> str:
    """Removal diversion with 500 draws of the parameters, by all persons."""
    data = open_data(folder)
    found = bm.diversion(bm.Fit.load(folder / "fit.json", data), data, draws=500, rng=1)
    return " ".join(f"{name} {found[name].to_numpy().ravel()[1]:.5f}" for name in found)


# -- the file of results ------------------------------------------------------------------------


def known(path: Path) -> set[tuple[str, str]]:
    """Steps, and of how many persons, that are done."""
    lines = csv.DictReader(path.open()) if path.is_file() else []
    return {(line["step"], line["persons"]) for line in lines}


def append(path: Path, values: list[str]) -> None:
    new = not path.is_file()
    with path.open("a", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerow([value.strip() for value in values])


if __name__ == "__main__":
    main()
