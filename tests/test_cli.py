"""The command as a user calls it, with the real estimators, on 60 households."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

import bayesmix as bm

STUDY = """
[data]
file = "choices.csv.gz"
person = "id"
situation = "chid"
alternative = "alt"
chosen = "choice"

[utility]
formula = "pf + cl + loc"

[[random]]
law = "normal"
terms = ["loc"]

[grid]
rule = "sobol"
nodes = 16
centred = true

[estimate]
starts = 1
draws = 40
tune = 60
chains = 2
"""
COMMAND = [sys.executable, "-c", "from bayesmix.cli import main; main()", "run", "small.toml"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    frame = bm.examples.electricity().frame
    few = frame[frame["id"].isin(frame["id"].unique()[:60])]
    few.to_csv(tmp_path / "choices.csv.gz", index=False)
    (tmp_path / "small.toml").write_text(STUDY)
    return tmp_path


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(COMMAND, cwd=folder, capture_output=True, text=True, check=False)


def interrupt_in_nuts(folder: Path) -> tuple[int, str]:
    """Start a run, press Ctrl-C when the sampler has begun; exit code and standard error."""
    pipe = subprocess.PIPE
    with subprocess.Popen(COMMAND, cwd=folder, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("2/3 NUTS"):
                process.send_signal(signal.SIGINT)
        return process.wait(timeout=120), "".join(lines)


def test_interrupted_resumed_and_used_again(folder: Path) -> None:
    code, errors = interrupt_in_nuts(folder)
    out = folder / "runs" / "small"
    assert code == 130
    assert "Finished and kept in runs/small: msle (msle.json)." in errors
    assert errors.endswith("To go on from there:\n  bayesmix run small.toml\n")
    assert not (out / "posterior.nc").exists()

    resumed = run(folder)
    assert (resumed.returncode, "1/3 MSLE: finished earlier" in resumed.stderr) == (0, True)
    comparison = pd.read_csv(out / "comparison.csv", index_col="parameter")
    assert list(comparison.index) == ["mean[loc]", "sd[loc]", "fixed[pf]", "fixed[cl]"]
    stored = json.loads((out / "msle.json").read_text())["params"]
    assert comparison["MSLE estimate"].to_dict() == pytest.approx(stored)
    posterior = xr.load_datatree(out / "posterior.nc", engine="netcdf4")
    assert posterior["posterior"]["mean"].sizes == {"chain": 2, "draw": 40, "random": 1}
    assert posterior["log_likelihood"]["choices"].sizes["person"] == 60
    assert (comparison["NUTS difference (std errors)"].abs() < 2).all()

    again = run(folder)
    assert again.stderr.count("finished earlier, used again") == 3
    assert again.stdout == resumed.stdout


def test_everything_is_compiled_beforehand_once() -> None:
    command = [sys.executable, "-m", "bayesmix", "warm"]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
    assert done.stdout == "nothing to compile: all is there\n"
