"""Results wait where there is no room for them, and nothing is lost."""

import errno
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xarray as xr
from typer.testing import CliRunner

from bayesmix import locks
from bayesmix.cli import app
from bayesmix.errors import SpecificationError
from bayesmix.study import run as run_module
from tests.study.running import Write, fill, run

pytestmark = pytest.mark.usefixtures("refuge", "quick_plots")


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


def test_a_finished_run_in_a_folder_that_cannot_be_written_is_shown(
    write_study: Write, estimators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write_study(), tmp_path / "out"
    first = run(path, out)
    before = {file: file.stat().st_mtime_ns for file in out.iterdir()}

    def refuse(path: Path, words: tuple[str, str]) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(locks, "_acquire", refuse)
    again = run(path, out)
    pd.testing.assert_frame_equal(first.report.comparison, again.report.comparison)
    assert {file: file.stat().st_mtime_ns for file in out.iterdir()} == before
    with pytest.raises(SpecificationError, match=r"cannot be written \(Read-only file system\)"):
        run(write_study(("seed = 5", "seed = 6")), out)
    (out / "forest.png").unlink()
    assert list(run(write_study(), out).report.missing) == list(first.report.files)
    assert estimators.names == ["msle", "nuts"]
