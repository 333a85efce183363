"""What is finished is there, whatever happened; what is not this study's own is not reported."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmix import identity
from bayesmix.errors import SpecificationError
from bayesmix.study import keep, keys, read_study, report_step, run_folder
from bayesmix.study import run as run_module
from bayesmix.study.build import check_study
from bayesmix.study.manifest import read_manifest
from bayesmix.study.methods import METHODS
from bayesmix.study.stored import (
    Origin,
    fit_origin,
    posterior_origin,
    write_posterior,
)
from tests.study.running import FITS_ONLY, Write, run

pytestmark = pytest.mark.usefixtures("refuge", "quick_plots")


def test_a_run_stopped_at_its_start_goes_on(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    out.mkdir()
    (out / "study.toml").write_text(path.read_text())
    (out / ".lock").write_text("")
    (out / ".partial-run.json").write_text("{")
    run(path, out)
    assert estimators.names == ["msle", "nuts"]
    assert not list(out.glob(".*"))


def test_results_without_a_manifest_are_taken_up(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    run(path, out)
    (out / "run.json").unlink()
    run(path, out)
    assert estimators.names == ["msle", "nuts"]


def test_a_study_file_of_ones_own_is_not_a_run(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    out.mkdir()
    (out / "study.toml").write_text("[data]\n# mine")
    with pytest.raises(SpecificationError, match="holds files, but no run"):
        run(path, out)
    assert (out / "study.toml").read_text() == "[data]\n# mine"


def test_force_removes_what_runs_write_and_nothing_else(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(FITS_ONLY), tmp_path / "out"
    run(path, out)
    mine = [tmp_path / "mine.txt", out / "notes.txt", tmp_path / "linked.json"]
    for file in mine:
        file.write_text("mine")
    (out / "msle.json").unlink()
    (out / "msle.json").symlink_to(tmp_path / "linked.json")
    manifest = json.loads((out / "run.json").read_text())
    manifest["steps"]["msle"]["files"] = {"../mine.txt": "", str(mine[0]): "", "notes.txt": ""}
    (out / "run.json").write_text(json.dumps(manifest))
    run(path, out, force=True)
    assert [file.read_text() for file in mine] == ["mine"] * 3
    assert not (out / "msle.json").is_symlink()


def test_a_plot_that_fails_costs_a_plot(
    write_study: Write,
    estimators: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("no fonts")

    path, out = write_study(), tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(report_step, "save_trace", fail)
        finished = run(path, out)
    assert finished.report.missing == {"trace.png": "RuntimeError: no fonts"}
    assert "trace.png could not be written" in capsys.readouterr().err
    assert (out / "summary.txt").is_file()
    assert not run(path, out).report.missing
    assert (out / "trace.png").is_file()
    assert estimators.names == ["msle", "nuts"]


def test_tables_of_results_that_are_replaced_do_not_stay(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(write_study(), out)
    estimators.during["nuts"] = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(write_study(("seed = 5", "seed = 6")), out)
    assert fit_origin(out / "msle.json").seed == 6
    assert not (out / "comparison.csv").exists()
    assert not (out / "summary.txt").exists()


def test_reused_steps_keep_the_versions_that_made_them(
    write_study: Write, estimators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write_study(FITS_ONLY), tmp_path / "out"
    run(path, out)
    versions = identity.package_versions() | {"numpy": "99.0"}
    monkeypatch.setattr(run_module, "package_versions", lambda: versions)
    (out / "run.json").unlink()
    run(path, out)
    manifest = read_manifest(out)
    assert manifest is not None
    assert manifest.steps["msle"].versions["numpy"] != "99.0"


def test_builds_of_other_source_are_not_one_version(
    write_study: Write, estimators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "kernel.py").write_text("a = 1\n")
    monkeypatch.setattr(identity, "PACKAGE", package)
    hashed = identity.package_identity.__wrapped__
    first = hashed()
    (package / "kernel.py").write_bytes(b"a = 1\r\n")
    assert hashed() == first
    (package / "kernel.py").write_text("a = 2\n")
    assert hashed() != first

    path, out = write_study(FITS_ONLY), tmp_path / "out"
    run(path, out)
    monkeypatch.setattr(keys, "package_identity", lambda: "0.1.0+another")
    run(path, out)
    assert estimators.names == ["msle", "msle"]


def test_data_that_change_while_a_study_runs_do_not_count_as_its_own(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    frame = pd.read_csv(tmp_path / "choices.csv")

    def change() -> None:
        frame.assign(price=frame["price"] + 1).to_csv(tmp_path / "choices.csv", index=False)

    estimators.during["msle"] = change
    run(path, out)
    with pytest.raises(SpecificationError, match="another study"):
        run(path, out)
    frame.to_csv(tmp_path / "choices.csv", index=False)
    run(path, out)
    assert estimators.names == ["msle", "nuts"]


def test_labels_that_netcdf_does_not_know_come_back(write_study: Write, tmp_path: Path) -> None:
    path = write_study()
    frame = pd.read_csv(tmp_path / "choices.csv")
    frame["id"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["id"], "D")
    built = check_study(read_study(path))
    days = built.data.from_long(
        frame, person="id", situation="chid", alternative="alt", chosen="choice"
    )
    built = replace(built, data=days)
    persons = days.persons.to_numpy()
    tree = xr.DataTree.from_dict(
        {"log_likelihood": xr.Dataset({"choices": ("person", range(12))}, {"person": persons})}
    )
    file = tmp_path / "posterior.nc"
    write_posterior(tree, file, Origin("nuts", "key", 1, 1.0, "today", {}))
    assert posterior_origin(file).key == "key"
    again = METHODS["nuts"].load(file, built)
    xr.testing.assert_identical(again, tree)


def test_notes_that_netcdf_does_not_know_are_written(tmp_path: Path) -> None:
    """A posterior of latent classes says in a note whether its chains number them alike."""
    notes = {"label_switching": np.bool_(False), "switched": True, "none": None, "error": 0.5}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"mean": ("draw", [1.0])}, attrs=notes)})
    write_posterior(tree, tmp_path / "posterior.nc", Origin("nuts", "key", 1, 1.0, "today", {}))
    again = xr.load_datatree(tmp_path / "posterior.nc", engine="netcdf4")["posterior"].attrs
    assert again == {"label_switching": 0, "switched": 1, "none": "None", "error": 0.5}
    assert tree["posterior"].attrs == notes


DRIVER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from bayesmix.study import keep, methods, read_study, run_study
from tests.study.conftest import Estimators
methods.bm = Estimators()
keep.{function} = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
run_study(read_study(sys.argv[2]), sys.argv[3], progress=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_a_kill_between_file_and_manifest_loses_nothing(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(FITS_ONLY), tmp_path / "out"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", DRIVER.format(function="_note"), root, path, out]
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    manifest = read_manifest(out)
    assert manifest is not None
    assert not manifest.steps
    assert (out / ".lock").is_file()
    run(path, out)
    assert estimators.names == []
    assert not (out / ".lock").exists()


def test_names_that_runs_write_are_listed_once() -> None:
    assert set(run_folder.RESULTS) == set(METHODS) == set(keep.FORMATS)
