"""Public races: default fits of bayesmix against other packages, on one machine.

    python benchmarks/races.py [--only RACE] [--package NAME] [--again] [--minutes 10]

Each entry is a process of its own, whose results are a row of results/races.jsonl as soon as it has
ended: the same command goes on where it was ended. An entry that takes longer than so many minutes
is stopped, and its row says so. ``BAYESMIX_PEERS`` names the interpreters of other packages'
environments, with a colon between two. docs/performance.md is made of these rows by performance.py.
"""

import argparse
import datetime
import json
import os
import pickle
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _common import NAMES, PEERS, console, peer_python, write_rows

import bayesmix as bm
from bayesmix.data.choices import ChoiceData
from bayesmix.files import write_text

ROWS = Path(__file__).parent / "results" / "races.jsonl"
STRESS = tuple(f"x{number}" for number in range(1, 9))
PANEL = tuple(f"x{number}" for number in range(1, 6))


@dataclass(frozen=True)
class Entry:
    """A package, and how it is called, in a race on some data."""

    race: str
    package: str
    setting: str
    command: tuple[str, ...]
    data: tuple[str, int] = ("electricity", 0)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.race, self.package, self.setting


def entries() -> Iterator[Entry]:
    """All entries, the short ones first."""
    own, names = "bayesmix", ",".join(NAMES)
    yield Entry("electricity", own, "default", ("independent", names))
    yield Entry("electricity, full covariance", own, "default", ("correlated", names))
    for package in ("xlogit", "jaxlogit", "torchdcm"):
        for draws in (100, 1000):
            yield Entry("electricity", package, f"{draws} draws", (str(draws),))
    yield Entry("electricity", "biogeme", "100 draws", ("100",))
    names = ",".join(STRESS)
    for situations in (5_000, 25_000):
        race, data = f"stress, {situations:,} situations", ("stress", situations)
        yield Entry(race, own, "default", ("independent", names), data)
        grid = ("independent", names, "256", "1")
        yield Entry(race, own, "sobol(256), one start", grid, data)
        yield Entry(race, "torchdcm", "256 draws", ("256",), data)
    for persons in (1_000, 10_000, 50_000):
        data = ("panel", persons)
        setting = "correlated", ",".join(PANEL)
        yield Entry(f"panel, {persons:,} persons", own, "default", setting, data)


def stress(situations: int) -> ChoiceData:
    """Single choices of 12 alternatives with 8 attributes, coefficients of mean 0.5 and sd 0.7."""
    return simulated(situations, 1, 12, STRESS, 0.49 * np.eye(8))


def panel(persons: int) -> ChoiceData:
    """Ten choices of 5 alternatives with 5 attributes; all correlations of coefficients are 0.3."""
    return simulated(persons, 10, 5, PANEL, 0.49 * (0.7 * np.eye(5) + 0.3))


def simulated(
    persons: int, situations: int, alternatives: int, names: tuple[str, ...], covariance: np.ndarray
) -> ChoiceData:
    """Standard normal attributes, normal coefficients of mean 0.5."""
    rng, count = np.random.default_rng(1), persons * situations
    x = rng.standard_normal((count, alternatives, len(names)))
    beta = rng.multivariate_normal(np.full(len(names), 0.5), covariance, size=persons)
    utility = np.einsum("tjk,tk->tj", x, np.repeat(beta, situations, axis=0))
    best = (utility + rng.gumbel(size=utility.shape)).argmax(axis=1)
    row = np.arange(count * alternatives)
    frame = pd.DataFrame(x.reshape(len(row), -1), columns=list(names)).assign(
        person=row // (situations * alternatives),
        situation=row // alternatives,
        alternative=row % alternatives,
        chosen=(np.arange(alternatives) == best[:, None]).astype(int).ravel(),
    )
    return ChoiceData.from_long(
        frame,
        person="person",
        situation="situation",
        alternative="alternative",
        chosen="chosen",
    )


MAKERS = {"electricity": lambda _: bm.examples.electricity(), "stress": stress, "panel": panel}
COLUMNS = {"electricity": NAMES, "stress": STRESS, "panel": PANEL}


def command_of(entry: Entry, folder: Path) -> list[str] | None:
    """What runs an entry; None where its package is absent."""
    kind, size = entry.data
    data = MAKERS[kind](size)
    if entry.package == "bayesmix":
        path = folder / "data.pickle"
        path.write_bytes(pickle.dumps(data))
        script = str(PEERS / "race_own.py")
        return [sys.executable, script, entry.command[0], str(path), *entry.command[1:]]
    python = peer_python(entry.package)
    if python is None:
        return None
    rows = write_rows(data, folder, COLUMNS[kind])
    return [python, str(PEERS / "race_fit.py"), entry.package, str(rows), *entry.command]


def run(entry: Entry, minutes: float) -> dict[str, object] | None:
    """The row of an entry, whatever became of it."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    with tempfile.TemporaryDirectory() as folder:
        command = command_of(entry, Path(folder))
        if command is None:
            return None
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=60 * minutes
            )
        except subprocess.TimeoutExpired:
            found: dict[str, object] = {"failed": f"not finished in {minutes:g} minutes"}
        else:
            words = done.stderr.strip().splitlines()[-1:] or ["no message"]
            failed = {"failed": f"exit {done.returncode}: {words[0][:200]}"}
            found = failed if done.returncode else json.loads(done.stdout.splitlines()[-1])
    about = {"race": entry.race, "package": entry.package, "setting": entry.setting}
    return about | found | {"load": round(load, 1)} | machine()


def machine() -> dict[str, object]:
    """Where and when: the processor by its name."""
    name = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        lines = [line for line in cpu.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    today = datetime.date.today().isoformat()
    return {"machine": name, "cores": os.cpu_count(), "date": today}


def rows() -> list[dict]:
    """What has been run."""
    if not ROWS.exists():
        return []
    return [json.loads(line) for line in ROWS.read_text().splitlines()]


def others(entry: Entry) -> list[dict]:
    """What has been run of other entries."""
    return [r for r in rows() if (r["race"], r["package"], r["setting"]) != entry.key]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="races whose name begins so")
    parser.add_argument("--package", default="", help="one package alone")
    parser.add_argument("--again", action="store_true", help="also those that have been run")
    parser.add_argument("--minutes", type=float, default=10.0, help="an entry's, at most")
    asked = parser.parse_args()
    for entry in entries():
        known = len(others(entry)) < len(rows())
        wanted = entry.race.startswith(asked.only) and asked.package in ("", entry.package)
        if not wanted or (known and not asked.again):
            continue
        console.print(f"{entry.race}: {entry.package}, {entry.setting}")
        row = run(entry, asked.minutes)
        if row is not None:
            # Looked for again: another race may have ended meanwhile.
            write_text(ROWS, "".join(json.dumps(r) + "\n" for r in [*others(entry), row]))
            console.print({k: row.get(k) for k in ("seconds", "loglik", "failed")})


if __name__ == "__main__":
    main()
