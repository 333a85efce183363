"""Files that were changed or damaged are set aside, and made again."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bayesmix.study.stored import (
    ATTRIBUTE,
    posterior_origin,
)
from tests.study.running import FITS_ONLY, Write, run

pytestmark = pytest.mark.usefixtures("refuge", "quick_plots")


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


def test_force_works_where_the_manifest_is_damaged(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    run(path, out)
    (out / "run.json").write_text('{"steps"')
    run(path, out, force=True)
    assert estimators.names == ["msle", "nuts"] * 2


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
