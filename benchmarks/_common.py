"""What the benchmark scripts share: data, models, known results, timing, tables, peers."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import arviz as az
import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import bayesmix as bm
from bayesmix.data.choices import ChoiceData
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.problem import Problem

NAMES = ("pf", "cl", "loc", "wk", "tod", "seas")
FORMULA = " + ".join(NAMES)
INDEPENDENT = bm.MixedLogit(FORMULA, random=[bm.Normal(*NAMES)])
FULL = bm.MixedLogit(FORMULA, random=[bm.LKJNormal(*NAMES)])
LOGNORMAL = bm.MixedLogit(
    FORMULA, random=[bm.Normal(*NAMES[:4]), bm.LogNormal(*NAMES[4:], sign=-1)]
)

EXACT_LOGLIK = -3878.853
"""Electricity, six independent normals: the maximum under exact integration, and where it is."""
EXACT_MEANS = (-1.0103, -0.2332, 2.3531, 1.6772, -9.720, -9.881)
EXACT_SDS = (0.2228, 0.4105, 1.8854, 1.2480, 2.502, 1.608)
EXACT = pd.Series(
    (*EXACT_MEANS, *EXACT_SDS), [*(f"mean[{n}]" for n in NAMES), *(f"sd[{n}]" for n in NAMES)]
)

PEERS = Path(__file__).parent / "peers"
INSTALL = {
    "xlogit": "pip install xlogit==0.2.7",
    "biogeme": "pip install biogeme==3.3.5",
    "jaxlogit": "pip install jaxlogit==1.0.0",
    "torchdcm": "pip install torchdcm==0.1.2",
    "pyblp": "pip install pyblp==1.3.0",
    "partworth": 'pip install "partworth[nutpie]==0.0.1"',
}
console = Console(width=132)


FLAGS = {
    "quick": "a small form, for a look",
    "no-peers": "bayesmix alone",
    "cold": "compile bayesmix's own kernels too",
}


def options(description: str | None, *flags: str) -> argparse.Namespace:
    """The command line, with ``--quick`` and other flags; prints what the machine is."""
    parser = argparse.ArgumentParser(description=description)
    for flag in ("quick", *flags):
        parser.add_argument(f"--{flag}", action="store_true", help=FLAGS[flag])
    found = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    console.print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load before the run {load}"
        " (0 is an idle machine)"
    )
    return found


def electricity(model: bm.MixedLogit = INDEPENDENT) -> Problem:
    """A model bound to the electricity data."""
    return bind(model, bm.examples.electricity())


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers come as text."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for number, name in enumerate(columns):
        shown.add_column(name, justify="right" if number else "left")
    for row in rows:
        shown.add_row(*(escape(str(cell)) for cell in row))
    console.print(shown)


def verdict(good: bool) -> str:
    return "yes" if good else "NO"


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each call, taken in turns so that a busy machine is busy for all."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            seconds[name].append(timed(call)[0])
    return {name: median(values) for name, values in seconds.items()}


def timed[T](call: Callable[[], T]) -> tuple[float, T]:
    """Seconds of one call, and what it returned."""
    begun = time.perf_counter()
    result = call()
    return time.perf_counter() - begun, result


def deviations(params: pd.Series, std_errors: pd.Series) -> pd.Series:
    """Distance of estimates from the exact ones of `EXACT`, in standard errors."""
    return (params - EXACT) / std_errors


# -- peers: other software, in an environment of its own --------------------------------------


def peer_python(module: str) -> str | None:
    """An interpreter that has ``module``, of those in $BAYESMIX_PEERS or this one; None without."""
    named = os.environ.get("BAYESMIX_PEERS", "").split(os.pathsep)
    for python in filter(None, (*named, sys.executable)):
        probe = f"import importlib.util as u; raise SystemExit(u.find_spec({module!r}) is None)"
        if subprocess.run([python, "-c", probe], check=False).returncode == 0:
            return python
    console.print(
        f"{module} is absent, and left out. In an environment of its own: "
        f"{INSTALL[module]}; then set BAYESMIX_PEERS to its python.",
        markup=False,
    )
    return None


def write_rows(data: ChoiceData, folder: Path, names: Sequence[str] = NAMES) -> Path:
    """The data as an npz file that needs no bayesmix to read."""
    path = folder / "rows.npz"
    chosen = np.zeros(data.n_rows)
    chosen[data.chosen_row] = 1
    np.savez(
        path,
        x=data.frame[list(names)].to_numpy(float),
        names=np.array(names),
        person=data.row_person,
        situation=data.row_situation,
        alternative=data.alternative_code,
        chosen=chosen,
    )
    return path


class Peer:
    """A script in another interpreter that does its work once for each line that it is sent.

    It answers with a line of JSON: first when it is ready, then after each piece of work. So a
    peer's work can be timed in turns with ours.
    """

    def __init__(self, python: str, script: str, *arguments: object) -> None:
        self.folder = tempfile.TemporaryDirectory()
        rows = write_rows(bm.examples.electricity(), Path(self.folder.name))
        self.process = subprocess.Popen(
            [python, str(PEERS / script), str(rows), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.answer()

    def answer(self) -> dict:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a peer stopped: {self.process.args}")
        return json.loads(line)

    def work(self) -> dict:
        """One piece of work."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.folder.cleanup()


# -- draws ------------------------------------------------------------------------------------


def mixing(draws: np.ndarray) -> tuple[float, float]:
    """Least bulk effective sample size and largest R-hat of draws (chains, draws, quantities)."""
    tree = az.from_dict({"posterior": {"x": draws}})
    ess = az.ess(tree, method="bulk")["x"].to_numpy()
    rhat = az.rhat(tree)["x"].to_numpy()
    return float(ess.min()), float(rhat.max())


def moments(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Means (C, D, K) beside the lower triangle of covariances (C, D, K, K)."""
    rows, columns = np.tril_indices(mean.shape[-1])
    return np.concatenate([mean, covariance[..., rows, columns]], axis=-1)


def replicated(
    replication: Callable[[int], Mapping[str, float]], replications: int, file: Path
) -> pd.DataFrame:
    """What a function of the seed finds at seeds 0, 1, ...: those that the file lacks are made."""
    file.parent.mkdir(exist_ok=True)
    done = pd.read_csv(file) if file.exists() else pd.DataFrame({"seed": []})
    for seed in sorted(set(range(replications)) - set(done["seed"])):
        row = pd.DataFrame([replication(seed)])
        row.to_csv(file, mode="a", header=not file.exists(), index=False, float_format="%.5f")
    return pd.read_csv(file)
