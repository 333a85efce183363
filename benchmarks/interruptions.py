"""Studies broken off at random moments: nothing finished is lost, nothing stale is reported.

A small study, MSLE and NUTS, is run as a command, and broken off: killed (``kill -9``), asked to
stop (SIGINT, SIGTERM), or left without room on its disk, at a random moment. Then the same command
runs to its end, on a disk with room, and what it says is held against the same study undisturbed:

- a step that was entered in ``run.json``, or whose file was whole, is not done again;
- a step that was kept elsewhere for want of room is not done again;
- estimates and tables are those of the undisturbed run, to the last digit;
- a run with another seed in the same folder shows its own figures, whatever stands there.

Each disturbance is a line of ``results/interruptions.csv``; the script goes on where it stopped.

    python benchmarks/interruptions.py --runs 1000 --stand-in

With ``--stand-in`` chains are random numbers, a fifth of a second after they are asked for, and
pictures are bytes: all else is real. Each run is then a fork of one process that has everything
imported, so that moments fall into the work itself, and a run takes less than a second of an idle
machine. The full disk is a small file system in memory, which only root may mount, on Linux;
elsewhere leave these runs out (``--kinds``).
"""

import argparse
import csv
import json
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

from _disturbances import Process, disk_for, disturbed

RESULTS = Path(__file__).parent / "results" / "interruptions.csv"
STAND_IN = """
import time
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from bayesmix.study import methods
def sample(model, data, *, rng, chains, draws, **settings):
    time.sleep(0.2)
    shape, rng = (chains, draws, 1), np.random.default_rng(rng)
    values = {"mean": "random", "sd": "random", "fixed": "term"}
    posterior = xr.Dataset(
        {name: (("chain", "draw", of), rng.gamma(4.0, size=shape)) for name, of in values.items()},
        coords={"random": ["x"], "term": ["y"], "chain": range(chains), "draw": range(draws)},
    )
    persons = {"person": data.persons.to_numpy()}
    logp = rng.normal(-4.0, 0.1, (chains, draws, 20))
    logp = xr.Dataset({"choices": (("chain", "draw", "person"), logp)}, coords=persons)
    return xr.DataTree.from_dict({"posterior": posterior, "log_likelihood": logp})
def savefig(figure, path, **settings):
    with open(path, "wb") as stream:
        stream.write(b"picture " * 4000)
methods.bm.sample = sample
Figure.savefig = savefig
"""
KINDS = ("kill", "sigint", "sigterm", "full disk")
STEPS = ("msle", "nuts")
FILES = {"msle": "msle.json", "nuts": "posterior.nc"}
COLUMNS = (
    *("run", "kind", "sampler", "moment", "code", "before"),
    *("lost", "redone", "stale", "seconds"),
)
STUDY = """
[data]
file = "choices.csv"
person = "who"
situation = "task"
alternative = "alt"
chosen = "choice"

[utility]
formula = "x + y"

[[random]]
law = "normal"
terms = ["x"]

[grid]
rule = "gauss-hermite"
points = 9

[estimate]
methods = ["msle", "nuts"]
starts = 1
draws = 60
tune = 60
chains = 2
seed = {seed}
"""


def main() -> None:
    options = _options()
    work = Path(tempfile.mkdtemp(prefix="interruptions-"))
    environment = os.environ | {
        "TMPDIR": str(work / "tmp"),
        "XDG_CACHE_HOME": str(work / "cache"),
    }
    (work / "tmp").mkdir()
    os.environ |= environment  # forks have it, and the folder of what is rescued
    tempfile.tempdir = None
    if options.stand_in:
        # Libraries keep threads that do nothing here; what the forks use starts its own.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        exec(STAND_IN, {})
    try:
        _write_studies(work)
        undisturbed = _undisturbed(work, environment, options.stand_in)
        done = _done(options.results)
        for number in sorted(set(range(options.runs)) - done):
            rng = random.Random(number)
            kind = options.kinds[number % len(options.kinds)]
            line = _one(work, environment, undisturbed, (number, kind, rng, options.stand_in))
            _append(options.results, line)
            print(" ".join(f"{key}={value}" for key, value in line.items()), flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _summary(options.results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000, help="in all, with those done earlier")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--stand-in", action="store_true", help="random numbers for chains")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


def _write_studies(work: Path) -> None:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "who": np.repeat(np.arange(20), 12),
            "task": np.repeat(np.arange(80), 3),
            "alt": np.tile(list("abc"), 80),
            "x": rng.normal(size=240),
            "y": rng.normal(size=240),
        }
    )
    utility = frame["x"] * rng.normal(1.0, 0.8, 20)[frame["who"]] - 0.5 * frame["y"]
    noisy = utility + rng.gumbel(size=240)
    frame["choice"] = (noisy.groupby(frame["task"]).transform("max") == noisy).astype(int)
    frame.to_csv(work / "choices.csv", index=False)
    for seed in (1, 2):  # one name, so that both belong to the same folder
        (work / f"seed{seed}").mkdir()
        shutil.copy(work / "choices.csv", work / f"seed{seed}")
        (work / f"seed{seed}" / "small.toml").write_text(STUDY.format(seed=seed))


def _command(work: Path, seed: int, out: Path) -> list[str]:
    return ["run", str(work / f"seed{seed}" / "small.toml"), "--out", str(out)]


def _undisturbed(
    work: Path, environment: dict[str, str], stand_in: bool
) -> dict[int, dict[str, object]]:
    """What each seed's study says, run in peace; and how long a warm run takes."""
    found: dict[int, dict[str, object]] = {}
    for seed in (1, 1, 2):  # the first compiles, and code just compiled differs in its last bits
        out = work / f"undisturbed{seed}"
        shutil.rmtree(out, ignore_errors=True)
        start = time.perf_counter()
        process = Process(_command(work, seed, out), environment, stand_in, work / "said")
        code, said = process.to_end()
        assert not code, said
        found[seed] = {"figures": _figures(out), "seconds": time.perf_counter() - start}
    assert found[1]["figures"] != found[2]["figures"]
    return found


def _figures(out: Path) -> dict[str, object]:
    """All that a run reports, besides times and places."""
    fit = json.loads((out / "msle.json").read_text())
    return {
        "comparison": (out / "comparison.csv").read_text(),
        "diagnostics": (out / "diagnostics.csv").read_text(),
        "params": fit["params"],
        "loglik": fit["loglik"],
    }


def _one(
    work: Path,
    environment: dict[str, str],
    undisturbed: dict[int, dict[str, object]],
    what: tuple[int, str, random.Random, bool],
) -> dict[str, object]:
    """Disturb a run, let the same command end, and compare."""
    number, kind, rng, stand_in = what
    command = _command(work, 1, work / "disk" / "out")
    start = time.perf_counter()
    other = work / "undisturbed2" if rng.random() < 0.3 else None
    with disk_for(work, kind, rng, other) as (disk, room):
        out = disk / "out"
        if other is not None:  # another seed's finished run stands there already
            shutil.copytree(other, out)
        moment = rng.uniform(0.0, 1.1) * float(str(undisturbed[1]["seconds"]))
        process = Process(command, environment, stand_in, work / "said")
        code = disturbed(process, kind, moment)
        room()
        before = _finished(out, work)
        ending, said = Process(command, environment, stand_in, work / "said").to_end()
        used = [name for name in STEPS if f"{name.upper()}: finished earlier" in said]
        redone = [name for name in before if name not in used]
        stale = bool(ending) or _figures(out) != undisturbed[1]["figures"]
        if redone or stale:
            print(said, file=sys.stderr)
    shutil.rmtree(work / "disk", ignore_errors=True)
    return {
        "run": number,
        "kind": kind,
        "sampler": "stand-in" if stand_in else "NUTS",
        "moment": round(moment, 2),
        "code": code,
        "before": "+".join(before),
        "lost": f"exit code {ending}" if ending else "",
        "redone": "+".join(redone),
        "stale": int(stale),
        "seconds": round(time.perf_counter() - start, 1),
    }


def _finished(out: Path, work: Path) -> list[str]:
    """Steps of seed 1 whose files are whole, in the folder or where they were rescued."""
    from bayesmix.study.keep import FORMATS

    found = []
    for name in STEPS:
        for path in (out / FILES[name], *work.glob(f"tmp/*/*/{FILES[name]}")):
            try:
                if FORMATS[name].origin(path).seed == 1:
                    found.append(name)
                    break
            except (OSError, ValueError):
                continue
    return found


def _done(path: Path) -> set[int]:
    """Numbers of the runs that stand in the file."""
    return {int(line["run"]) for line in csv.DictReader(path.open())} if path.is_file() else set()


def _append(path: Path, line: dict[str, object]) -> None:
    path.parent.mkdir(exist_ok=True)
    new = not path.is_file()
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(line)


def _summary(path: Path) -> None:
    lines = list(csv.DictReader(path.open()))
    for kind in KINDS:
        some = [line for line in lines if line["kind"] == kind]
        redone = sum(bool(line["redone"]) for line in some)
        wrong = sum(line["stale"] != "0" for line in some)
        kept = sum(bool(line["before"]) for line in some)
        print(
            f"{kind:10} {len(some):5} runs, {kept} with finished steps: "
            f"{redone} with one done again, {wrong} with stale or no figures"
        )


if __name__ == "__main__":
    main()
