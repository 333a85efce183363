"""Cold starts: a first fit with nothing compiled, and a second process, against another build.

    python benchmarks/cold_start.py --against PATH [--rounds 3]

PATH is a clone of this repository. Each start is a process of its own that fits six correlated
normals to the electricity data on ``centred(sobol(256))`` three times; its time runs from the start
of the process to the first result. Seconds of processors are those of the process and of all that
it starts: on a busy machine they say more than the clock.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from _common import console, table

HERE = Path(__file__).resolve().parents[1]
FITS = """
import json, sys, time
import bayesmix as bm
from pathlib import Path
data = bm.examples.electricity()
names = ("pf", "cl", "loc", "wk", "tod", "seas")
model = bm.MixedLogit(" + ".join(names), random=[bm.LKJNormal(*names)])
marks, cpu = [], []
for _ in range(3):
    cpu.append(time.process_time())
    fit = bm.msle(model, data, grid=bm.centred(bm.sobol(256)), rng=1)
    marks.append(time.time())
cpu.append(time.process_time())
print(json.dumps([marks, cpu, fit.loglik, str(Path(bm.__file__).parents[1])]))
"""


def start(build: Path, cache: str) -> dict[str, float]:
    """One process: seconds to its first result, and how much longer its first fit took."""
    environment = os.environ | {"PYTHONPATH": str(build.resolve()), "NUMBA_CACHE_DIR": cache}
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    # Not where this one was started: Python looks there first.
    command = [sys.executable, "-c", FITS]
    done = subprocess.run(
        command, env=environment, cwd=cache, capture_output=True, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    marks, cpu, loglik, used_build = json.loads(done.stdout.splitlines()[-1])
    assert Path(used_build) == build.resolve()
    later, later_cpu = marks[2] - marks[1], cpu[3] - cpu[2]
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds to the first result": marks[0] - begun,
        "seconds more than a later fit": marks[0] - begun - later,
        "processor seconds, less two later fits": used - 2 * later_cpu,
        "processor seconds more than three later fits": used - 3 * later_cpu,
        "log-likelihood": loglik,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="a clone to take turns with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round")
    asked = parser.parse_args()
    builds = {"this build": HERE} | ({"the other": asked.against} if asked.against else {})
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for number in range(1 if asked.quick else asked.rounds):
        console.print(f"round {number + 1}", style="dim")
        for name, build in builds.items():
            with tempfile.TemporaryDirectory() as cache:
                for kind in ("nothing compiled", "second process"):
                    found.setdefault((kind, name), []).append(start(build, cache))
    for kind in ("nothing compiled", "second process"):
        words = list(found[kind, "this build"][0])
        middle = {
            name: [median(run[word] for run in found[kind, name]) for word in words]
            for name in builds
        }
        rows = [
            (word, *(f"{middle[name][k]:.2f}" for name in builds))
            + ((f"{middle['this build'][k] / middle['the other'][k]:.3f}",) * (len(builds) > 1))
            for k, word in enumerate(words)
        ]
        table(kind, ["medians", *builds, *(["ratio"] * (len(builds) > 1))], rows)


if __name__ == "__main__":
    main()
