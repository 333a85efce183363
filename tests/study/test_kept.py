"""What is finished is there, whatever happened; what is not this study's own is not reported."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from bayesmix.cli import app
from bayesmix.errors import SpecificationError
from bayesmix.study import folder as folder_module
from bayesmix.study import keep, keys, read_study, report, run_study
from bayesmix.study import lock as lock_module
from bayesmix.study import run as run_module
from bayesmix.study.build import check_study
from bayesmix.study.manifest import read_manifest
from bayesmix.study.methods import METHODS
from bayesmix.study.stored import (
    ATTRIBUTE,
    Origin,
    fit_origin,
    posterior_origin,
    write_posterior,
)

Write = Callable[..., Path]
FULL = OSError(errno.ENOSPC, "No space left on device")
FITS_ONLY = ("draws = 20", 'draws = 20\nmethods = ["msle"]')


def run(path: Path, out: Path, **options: bool) -> Any:
    return run_study(read_study(path), out, progress=False, **options)


@pytest.fixture(autouse=True)
def refuge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for temporary files of the test's own."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return temporary


@pytest.fixture(autouse=True)
def quick_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots that cost nothing."""
    monkeypatch.setattr(report, "forest", lambda results: None)
    monkeypatch.setattr(report, "save_figure", lambda figure, path: path.write_bytes(b"PNG"))
    monkeypatch.setattr(report, "save_trace", lambda posterior, path: path.write_bytes(b"PNG"))


def fill(monkeypatch: pytest.MonkeyPatch, *full: Path) -> None:
    """No posterior can be written into these folders, nor what is inside them."""
    format_ = keep.FORMATS["nuts"]

    def write(result: Any, path: Path, origin: Origin) -> Origin:
        if any(path.is_relative_to(one) for one in full):
            path.write_bytes(b"half")
            raise FULL
        return format_.write(result, path, origin)

    monkeypatch.setitem(keep.FORMATS, "nuts", replace(format_, write=write))


def test_another_models_file_is_not_reported(
    write_study: Write, estimators: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write_study(FITS_ONLY), tmp_path / "out"
    run(path, out)
    other = write_study(FITS_ONLY, ('"price + time"', '"time + price:time"'))
    estimators.offset = 5.0
    run(other, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "msle.json", out)
    estimators.offset = 0.0
    again = run(write_study(FITS_ONLY), out)
    assert again.results["msle"].values["mean[time]"] == -1.0
    assert json.loads((out / "msle.json").read_text())["values"]["mean[time]"] == -1.0
    assert estimators.names == ["msle"] * 3


@pytest.mark.parametrize("change", ["number", "no origin", "not JSON", "nested"])
def test_a_fit_that_was_changed_is_done_again_and_set_aside(
    write_study: Write,
    estimators: Any,
    tmp_path: Path,
    change: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = write_study(FITS_ONLY), tmp_path / "out"
    run(path, out)
    text = (out / "msle.json").read_text()
    record = json.loads(text)
    changed = {
        "number": text.replace("-1.0", "-9.0"),
        "no origin": json.dumps({k: v for k, v in record.items() if k != "study"}),
        "not JSON": text[:100],
        "nested": "[" * 100_000,
    }[change]
    (out / "msle.json").write_text(changed)
    assert run(path, out).results["msle"].values["mean[time]"] == -1.0
    assert estimators.names == ["msle", "msle"]
    assert (out / "msle.json.set-aside-1").read_text() == changed
    assert "msle.json is not used" in capsys.readouterr().err


def test_a_nested_manifest_is_a_damaged_one(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(FITS_ONLY), tmp_path / "out"
    run(path, out)
    (out / "run.json").write_text("[" * 100_000)
    run(path, out)
    assert json.loads((out / "run.json").read_text())["steps"]["msle"]
    assert estimators.names == ["msle"]


@pytest.mark.parametrize("mark", ["[" * 100_000, 3])
def test_a_posterior_whose_origin_is_no_record_is_not_used(tmp_path: Path, mark: Any) -> None:
    tree = xr.DataTree(xr.Dataset({"x": ("draw", [1.0])}, attrs={ATTRIBUTE: mark}))
    tree.to_netcdf(tmp_path / "posterior.nc", engine="netcdf4")
    with pytest.raises(ValueError, match=r"too deeply|does not say"):
        posterior_origin(tmp_path / "posterior.nc")


def test_damaged_posteriors_and_tables_are_made_again(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    first = run(path, out)
    for name in ("posterior.nc", "comparison.csv"):
        content = (out / name).read_bytes()
        (out / name).write_bytes(content[: len(content) // 2])
    again = run(path, out)
    assert estimators.names == ["msle", "nuts", "nuts"]
    xr.testing.assert_identical(first.results["nuts"], again.results["nuts"])
    assert (out / "comparison.csv").read_text().count("\n") == len(again.report.comparison) + 1


def test_a_bit_of_a_posterior_matters(write_study: Write, estimators: Any, tmp_path: Path) -> None:
    path, out = write_study(), tmp_path / "out"
    run(path, out)
    tree = xr.load_datatree(out / "posterior.nc", engine="netcdf4")
    tree["posterior"]["mean"].values[0, 0, 0] += 1e-9
    tree.to_netcdf(out / "posterior.nc", engine="netcdf4")
    with pytest.raises(ValueError, match="changed after it was written"):
        posterior_origin(out / "posterior.nc")


def test_a_full_disk_keeps_the_posterior_elsewhere_and_the_same_call_finds_it(
    write_study: Write,
    estimators: Any,
    tmp_path: Path,
    refuge: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = write_study(), tmp_path / "out"
    with monkeypatch.context() as patch:
        fill(patch, out)
        first = run(path, out)
    kept = next(refuge.rglob("posterior.nc"))
    assert f"NUTS could not be written to {out} (No space left on device)" in (
        said := capsys.readouterr().err
    )
    assert f"it is kept in {kept}" in said
    assert list(first.elsewhere) == ["nuts"]
    assert not list(out.glob("*partial*"))
    again = run(path, out)
    assert estimators.names == ["msle", "nuts"]
    assert not again.elsewhere
    xr.testing.assert_identical(first.results["nuts"], again.results["nuts"])
    assert (out / "posterior.nc").is_file()
    assert not kept.exists()


def test_results_stay_in_memory_until_there_is_room(
    write_study: Write,
    estimators: Any,
    tmp_path: Path,
    refuge: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = write_study(), tmp_path / "out"
    with monkeypatch.context() as patch:
        fill(patch, out, refuge, tmp_path / "cache")
        first = run(path, out)
    assert "it is kept in memory, and written as soon as it can be" in capsys.readouterr().err
    assert first.results["nuts"]["posterior"]["mean"].shape == (2, 20, 1)
    assert "NUTS estimate" in (out / "comparison.csv").read_text()
    # What was in memory alone is lost with the process: the report on it is not of the next run.
    run(path, out)
    assert estimators.names == ["msle", "nuts", "nuts"]

    again = tmp_path / "again"
    with monkeypatch.context() as patch:
        fill(patch, again, refuge, tmp_path / "cache")
        make = run_module.again
        patch.setattr(run_module, "again", lambda keeper: (patch.undo(), make(keeper)))
        assert not run(path, again).elsewhere
    assert (again / "posterior.nc").is_file()


def test_a_result_out_of_the_folder_is_exit_code_2(
    write_study: Write, estimators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write_study(), tmp_path / "out"
    fill(monkeypatch, out)
    result = CliRunner().invoke(app, ["run", str(path), "--out", str(out), "--quiet"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "could not be written" in result.stderr


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


def test_force_works_where_the_manifest_is_damaged(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    run(path, out)
    (out / "run.json").write_text('{"steps"')
    run(path, out, force=True)
    assert estimators.names == ["msle", "nuts"] * 2


def test_a_finished_run_in_a_folder_that_cannot_be_written_is_shown(
    write_study: Write, estimators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write_study(), tmp_path / "out"
    first = run(path, out)
    before = {file: file.stat().st_mtime_ns for file in out.iterdir()}

    def refuse(path: Path) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(lock_module, "_acquire", refuse)
    again = run(path, out)
    pd.testing.assert_frame_equal(first.report.comparison, again.report.comparison)
    assert {file: file.stat().st_mtime_ns for file in out.iterdir()} == before
    with pytest.raises(SpecificationError, match=r"cannot be written \(Read-only file system\)"):
        run(write_study(("seed = 5", "seed = 6")), out)
    (out / "forest.png").unlink()
    assert list(run(write_study(), out).report.missing) == list(first.report.files)
    assert estimators.names == ["msle", "nuts"]


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
        patch.setattr(report, "save_trace", fail)
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
    versions = keys.package_versions() | {"numpy": "99.0"}
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
    monkeypatch.setattr(keys, "PACKAGE", package)
    identity = keys.package_identity.__wrapped__
    first = identity()
    (package / "kernel.py").write_bytes(b"a = 1\r\n")
    assert identity() == first
    (package / "kernel.py").write_text("a = 2\n")
    assert identity() != first

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


def test_a_folder_of_an_early_build_is_taken_up_but_its_files_are_not_trusted(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(FITS_ONLY), tmp_path / "out"
    run(path, out)
    manifest = json.loads((out / "run.json").read_text())
    step = {"key": manifest["steps"]["msle"]["key"], "seconds": 1.0, "files": ["msle.json"]}
    early = manifest | {"seed": 5, "versions": {"numpy": "2.1"}, "steps": {"msle": step}}
    (out / "run.json").write_text(json.dumps(early))
    record = json.loads((out / "msle.json").read_text())
    (out / "msle.json").write_text(json.dumps({k: v for k, v in record.items() if k != "study"}))
    run(path, out)
    assert estimators.names == ["msle", "msle"]
    assert not list(out.glob("*set-aside*json*"))


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
    assert set(folder_module.RESULTS) == set(METHODS) == set(keep.FORMATS)
