"""Studies and searches killed (``kill -9``) at random moments: the same call goes on.

A study, MSLE with its grid chosen, two chains of NUTS in segments, and tables, is run as a command
and killed at a random moment; then the same command runs to its end. Its figures, to the last
digit, are held against those of the study that nothing disturbed, and so is the content of the
folder, in which nothing unfinished may be left.

A search, the default fit of the electricity data with ``checkpoint=``, runs in a fork of a process
that has everything imported, so that kills fall into the search, and is killed twice before it may
end; its fit is to be that of a search without a checkpoint, to the last bit.

What the last kill finds half done (evaluations of the search, segments of chains) stands in
``results/killed.csv``, a line a run; the script goes on where it stopped.

    python benchmarks/killed.py --runs 20
"""

import argparse
import contextlib
import csv
import json
import os
import random
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from _disturbances import Process, disturbed

import bayesmix as bm

RESULTS = Path(__file__).parent / "results" / "killed.csv"
COLUMNS = (
    *("what", "run", "moment", "code", "finished", "evaluations", "segments"),
    *("same", "left", "seconds"),
)
STUDY = """
[data]
file = "choices.csv"
person = "who"
situation = "task"
alternative = "alt"
chosen = "choice"

[utility]
formula = "price + x + y"

[[random]]
law = "normal"
terms = ["x", "y"]

[estimate]
methods = ["msle", "nuts"]
likelihood = "marginal"
checkpoint = true
draws = 500
tune = 100
chains = 2
seed = 1
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="in all, with those done earlier")
    parser.add_argument(
        "--what", nargs="+", choices=("search", "study"), default=["search", "study"]
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    for what in options.what:
        lines = _lines(options.results)
        done = {int(line["run"]) for line in lines if line["what"] == what}
        missing = sorted(set(range(options.runs)) - done)
        work = Path(tempfile.mkdtemp(prefix="killed-"))
        try:
            for line in (_searches if what == "search" else _studies)(work, missing):
                _append(options.results, {"what": what, **line})
                print(" ".join(f"{key}={value}" for key, value in line.items()), flush=True)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    for what in ("search", "study"):
        lines = [line for line in _lines(options.results) if line["what"] == what]
        same = sum(line["same"] == "1" and not line["left"] for line in lines)
        within = sum(bool(int(line["evaluations"]) + int(line["segments"])) for line in lines)
        print(f"{what}: {len(lines)} runs, {within} with steps half done: {same} ended the same")


def _studies(work: Path, numbers: list[int]) -> Iterator[dict[str, object]]:
    if not numbers:
        return
    _write_study(work)
    _run(work, work / "warm")  # what compiles does so here
    begun = time.perf_counter()
    _run(work, work / "undisturbed")
    seconds, undisturbed = time.perf_counter() - begun, _figures(work / "undisturbed")
    files = {path.name for path in (work / "undisturbed").iterdir()}
    for number in numbers:
        moment = random.Random(number).uniform(0.1, 1.0) * seconds
        out = work / f"run{number}"
        line = {"run": number, "moment": round(moment, 1), **_killed(work, out, moment)}
        line["same"] = int(_figures(out) == undisturbed)
        line["left"] = "+".join(sorted({path.name for path in out.iterdir()} ^ files))
        yield line
        shutil.rmtree(out)


def _searches(work: Path, numbers: list[int]) -> Iterator[dict[str, object]]:
    if not numbers:
        return
    _search(work / "warm", work / "warm.txt")
    begun = time.perf_counter()
    _search(None, work / "undisturbed.txt")
    seconds, undisturbed = time.perf_counter() - begun, (work / "undisturbed.txt").read_text()
    for number in numbers:
        rng, begun, folder = random.Random(number), time.perf_counter(), work / f"search{number}"
        for _ in range(2):
            moment = rng.uniform(0.0, 0.7) * seconds
            code = _forked(folder, work / "fit.txt", moment)
        journal = folder / "evaluations.jsonl"
        known = len(journal.read_bytes().splitlines()) if journal.exists() else 0
        found = {"run": number, "moment": round(moment, 1), "code": code, "finished": ""}
        _forked(folder, work / "fit.txt", np.inf)
        found |= {"evaluations": known, "segments": 0}
        found["same"] = int((work / "fit.txt").read_text() == undisturbed)
        found |= {"left": "", "seconds": round(time.perf_counter() - begun, 1)}
        yield found


def _forked(folder: Path, file: Path, moment: float) -> int:
    """The code of a fork that searches, killed at a moment if it has not ended."""
    file.unlink(missing_ok=True)
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            _search(folder, file)
        os._exit(0)
    until = time.perf_counter() + moment
    while time.perf_counter() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _search(folder: Path | None, file: Path) -> None:
    """The default fit, all bits of which are written to a file."""
    terms = ["pf", "cl", "loc", "wk", "tod", "seas"]
    model = bm.MixedLogit(" + ".join(terms), random=[bm.Normal(term) for term in terms])
    fit = bm.msle(model, bm.examples.electricity(), rng=1, checkpoint=folder)
    numbers = [*fit.params, *fit.std_errors, fit.loglik, fit.integration.error]
    file.write_text(" ".join(float(number).hex() for number in numbers) + fit.message)


def _write_study(work: Path) -> None:
    persons, tasks = 80, 6
    rng, rows = np.random.default_rng(1), persons * tasks * 3
    columns = {name: rng.normal(size=rows) for name in ("price", "x", "y")}
    who = np.repeat(np.arange(persons), tasks * 3)
    frame = pd.DataFrame({"who": who, "task": np.arange(rows) // 3, **columns})
    frame["alt"] = np.tile(list("abc"), persons * tasks)
    tastes = rng.normal([1.0, -0.5], [0.8, 1.2], (persons, 2))[who]
    utility = (frame[["x", "y"]].to_numpy() * tastes).sum(axis=1) - 0.7 * frame["price"]
    noisy = utility + rng.gumbel(size=rows)
    frame["choice"] = (noisy.groupby(frame["task"]).transform("max") == noisy).astype(int)
    frame.to_csv(work / "choices.csv", index=False)
    (work / "panel.toml").write_text(STUDY)


def _process(work: Path, out: Path) -> Process:
    command = ["run", str(work / "panel.toml"), "--out", str(out)]
    return Process(command, dict(os.environ), False, work / "said")


def _run(work: Path, out: Path) -> None:
    code, said = _process(work, out).to_end()
    assert not code, said


def _killed(work: Path, out: Path, moment: float) -> dict[str, object]:
    """Kill the command, see what there is, and let the same command end."""
    begun = time.perf_counter()
    code = disturbed(_process(work, out), "kill", moment)
    names = {"msle": "msle.json", "nuts": "posterior.nc"}
    found = {
        "code": code,
        "finished": "+".join(name for name, file in names.items() if (out / file).exists()),
        "evaluations": sum(len(p.read_bytes().splitlines()) for p in out.glob("search-*/*.jsonl")),
        "segments": len(list(out.glob("chains-*/*.npz"))),
    }
    _run(work, out)
    return found | {"seconds": round(time.perf_counter() - begun, 1)}


def _figures(out: Path) -> dict[str, str]:
    """All tables, and the fit, without times and places."""
    fit = json.loads((out / "msle.json").read_text())
    found = {name: json.dumps(fit[name]) for name in ("theta", "loglik", "params") if name in fit}
    return found | {path.name: _timeless(path) for path in sorted(out.glob("*.csv"))}


def _timeless(path: Path) -> str:
    return "\n".join(line for line in path.read_text().splitlines() if "seconds" not in line)


def _lines(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open())) if path.is_file() else []


def _append(path: Path, line: dict[str, object]) -> None:
    new = not path.is_file()
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(line)


if __name__ == "__main__":
    main()
