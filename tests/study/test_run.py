"""Run folders: what they hold, what is used again, what an interruption leaves."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmix.errors import IntegrationError, SpecificationError
from bayesmix.study import read_study, run_study
from bayesmix.study.manifest import read_manifest
from tests.study.running import FILES, Write, run


def test_folder_holds_fits_tables_and_plots(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    finished = run(path, out)
    assert {file.name for file in out.iterdir()} == FILES
    assert (out / "study.toml").read_text() == path.read_text()
    comparison = pd.read_csv(out / "comparison.csv", index_col="parameter")
    assert comparison.loc["sd[time]", "MSLE estimate"] == 0.5
    mean = float(finished.results["nuts"]["posterior"]["mean"].mean())
    assert comparison.loc["mean[time]", "NUTS estimate"] == pytest.approx(mean)
    assert comparison.loc["mean[time]", "NUTS difference (std errors)"] == pytest.approx(
        (mean + 1.0) / 0.1
    )
    diagnostics = pd.read_csv(out / "diagnostics.csv", index_col="parameter")
    assert list(diagnostics.columns) == ["r_hat", "ess_bulk", "ess_tail", "divergences"]
    assert "log-likelihood -30.0" in (out / "summary.txt").read_text()


def test_settings_reach_the_estimators(write_study: Write, estimators: Any, tmp_path: Path) -> None:
    run(write_study(("draws = 20", "draws = 20\nstarts = 2")), tmp_path / "out")
    (_, msle), (_, nuts) = estimators.calls
    grid = msle.pop("grid")
    assert str(grid) == "sobol(32)"
    assert msle.pop("checkpoint").parent == tmp_path / "out"
    assert msle == {
        "starts": 2, "optimizer": "bfgs", "cluster": None, "rng": 5, "progress": False,
    }  # fmt: skip
    assert nuts == {
        "method": "nuts", "likelihood": "auto", "grid": "the grid as used", "draws": 20,
        "tune": 10, "chains": 2, "priors": None, "rng": 5, "progress": False,
    }  # fmt: skip


def test_posteriors_by_importance_stand_beside_those_by_nuts(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = (
        write_study(("draws = 20", 'draws = 20\nmethods = ["nuts", "importance"]')),
        tmp_path,
    )
    finished = run(path, out / "out")
    (_, nuts), (_, importance) = estimators.calls
    assert (importance.pop("tune"), nuts.pop("tune")) == (None, 10)
    assert (importance.pop("method"), nuts.pop("method")) == ("importance", "nuts")
    assert str(importance.pop("grid")) == str(nuts.pop("grid")) == "sobol(32)"
    assert importance == nuts
    diagnostics = pd.read_csv(out / "out" / "diagnostics.csv")
    assert list(diagnostics["method"].unique()) == ["NUTS", "IMPORTANCE"]
    assert {"importance.nc", "posterior.nc", "trace.png", "trace-importance.png"} <= {
        file.name for file in (out / "out").iterdir()
    }
    means = [float(result["posterior"]["mean"].mean()) for result in finished.results.values()]
    comparison = pd.read_csv(out / "out" / "comparison.csv", index_col="parameter")
    assert list(comparison.loc["mean[time]", ["NUTS estimate", "IMPORTANCE estimate"]]) == means
    run(path, out / "out")
    assert len(estimators.calls) == 2  # both are taken from their files


def test_moments_and_scores_stand_beside_the_likelihood(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    methods = 'methods = ["mss", "msle", "msm"]'
    path = write_study(
        ("draws = 20", f"{methods}\nstarts = 2"), ("nodes = 32", "nodes = 32\ncentred = true")
    )
    run(path, tmp_path / "out")
    assert estimators.names == ["msle", "msm", "mss"]
    # Moments need the population's nodes, whatever the likelihood is centred on.
    moments = estimators.calls[1][1]
    assert str(moments.pop("grid")) == "sobol(32)"
    assert moments == {"starts": 2, "rng": 5, "progress": False}
    scores = estimators.calls[2][1]
    assert str(scores.pop("grid")) == "monte_carlo(4096)"
    assert scores == moments | {"method": "accept-reject", "accepted": 25}
    table = pd.read_csv(tmp_path / "out" / "comparison.csv", index_col="parameter")
    assert table.loc["sd[time]", "MSM estimate"] == 0.6
    assert table.loc["mean[time]", "MSS difference (std errors)"] == pytest.approx(1.0)
    before = len(estimators.calls)
    run(path, tmp_path / "out")
    assert len(estimators.calls) == before
    run(write_study(("draws = 20", methods), ("seed = 5", "seed = 6")), tmp_path / "out")
    assert len(estimators.calls) == before + 3


def test_remedies_of_scores_are_keys_of_studies(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    study = read_study(
        write_study(
            ("draws = 20", 'methods = ["mss"]\nscores = "importance"\naccepted = 30'),
        )
    )
    run_study(study, tmp_path / "out", progress=False)
    settings = estimators.calls[0][1]
    assert (settings["method"], settings["grid"], settings["accepted"]) == ("importance", None, 30)

    def fail() -> None:
        raise IntegrationError(
            "no draw: use method='importance', or more candidates, such as grid=monte_carlo(65536)"
        )

    estimators.during["mss"] = fail
    with pytest.raises(IntegrationError) as caught:
        run_study(study, tmp_path / "again", progress=False)
    assert str(caught.value) == (
        'no draw: use the key scores = "importance" of [estimate], or more candidates, such as '
        "the key candidates = 65536 of [estimate]"
    )


def test_without_msle_nuts_has_the_rule(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    finished = run(write_study(("draws = 20", 'draws = 20\nmethods = ["nuts"]')), tmp_path / "out")
    assert estimators.names == ["nuts"]
    assert str(estimators.calls[0][1]["grid"]) == "sobol(32)"
    assert list(finished.results) == ["nuts"]
    assert not (tmp_path / "out" / "msle.json").exists()


def test_nuts_chooses_its_own_grid_where_grids_are_left_to_the_estimators(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    run(write_study(('rule = "sobol"\nnodes = 32', 'rule = "auto"')), tmp_path / "out")
    assert [settings["grid"] for _, settings in estimators.calls] == ["auto", "auto"]


def test_without_nuts_there_are_no_diagnostics(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    finished = run(write_study(("draws = 20", 'methods = ["msle"]')), tmp_path / "out")
    assert finished.report.diagnostics is None
    assert {f.name for f in (tmp_path / "out").iterdir()} == FILES - {
        "posterior.nc", "diagnostics.csv", "trace.png",
    }  # fmt: skip


@pytest.mark.parametrize(("chains", "draws"), [(1, 20), (2, 3), (1, 1)])
def test_too_few_draws_for_diagnostics_are_reported_all_the_same(
    write_study: Write, estimators: Any, tmp_path: Path, chains: int, draws: int
) -> None:
    few = ("draws = 20", f"draws = {draws}"), ("chains = 2", f"chains = {chains}")
    finished = run(write_study(*few), tmp_path / "out")
    assert "largest R-hat cannot be computed" in " ".join(finished.report.sentences)
    assert not finished.report.missing


def test_the_same_run_again_estimates_nothing(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    first = run(path, out)
    written = {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
    again = run(path, out)
    assert estimators.names == ["msle", "nuts"]
    pd.testing.assert_frame_equal(first.report.comparison, again.report.comparison)
    xr.testing.assert_identical(first.results["nuts"], again.results["nuts"])
    kept = {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
    results = FILES - {"study.toml", "run.json"}
    assert {name: kept[name] for name in results} == {name: written[name] for name in results}


@pytest.mark.parametrize(
    ("old", "new", "redone"),
    [
        ("draws = 20", "draws = 30", ["nuts"]),
        ("seed = 5", "seed = 6", ["msle", "nuts"]),
        ("nodes = 32", "nodes = 64", ["msle", "nuts"]),
        ("# note", "# another note", []),
    ],
)
def test_a_changed_setting_redoes_what_depends_on_it(
    write_study: Write, estimators: Any, tmp_path: Path, old: str, new: str, redone: list[str]
) -> None:
    note = ("[data]", "# note\n[data]")
    run(write_study(note), tmp_path / "out")
    estimators.calls.clear()
    run(write_study(note, (old, new)), tmp_path / "out")
    assert estimators.names == redone


def test_a_lost_file_is_made_again(write_study: Write, estimators: Any, tmp_path: Path) -> None:
    path, out = write_study(), tmp_path / "out"
    run(path, out)
    (out / "msle.json").unlink()
    run(path, out)
    assert estimators.names == ["msle", "nuts", "msle"]


def test_another_study_is_not_overwritten_unless_forced(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(write_study(), out)
    other = write_study(('"price + time"', '"time + price + price:time"'))
    before = (out / "msle.json").stat().st_mtime_ns
    with pytest.raises(SpecificationError, match="holds a run of another study"):
        run(other, out)
    assert (out / "msle.json").stat().st_mtime_ns == before
    (out / "notes.txt").write_text("mine")
    run(other, out, force=True)
    assert estimators.names == ["msle", "nuts"] * 2
    assert (out / "notes.txt").read_text() == "mine"


def test_changed_data_are_another_study(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    run(path, out)
    frame = pd.read_csv(tmp_path / "choices.csv")
    frame.assign(price=frame["price"] + 1).to_csv(tmp_path / "choices.csv", index=False)
    with pytest.raises(SpecificationError, match="another study"):
        run(path, out)


def test_a_folder_with_other_files_is_left_alone(
    write_study: Write, estimators: Any, tmp_path: Path
) -> None:
    path, out = write_study(), tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    with pytest.raises(SpecificationError, match="holds files, but no run"):
        run(path, out)
    assert [file.name for file in out.iterdir()] == ["thesis.tex"]


def test_a_damaged_manifest_is_named_and_results_speak_for_themselves(
    write_study: Write, estimators: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write_study(), tmp_path / "out"
    run(path, out)
    (out / "run.json").write_text('{"study": "small"}')
    run(path, out)
    assert estimators.names == ["msle", "nuts"]
    assert re.search(r"run\.json' is damaged", capsys.readouterr().err)
    assert list(json.loads((out / "run.json").read_text())["steps"]) == ["msle", "nuts", "report"]


def test_manifest_says_what_was_done(write_study: Write, estimators: Any, tmp_path: Path) -> None:
    run(write_study(), tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "run.json").read_text())
    assert manifest["study"] == "small"
    assert all(step["versions"]["numpy"] == np.__version__ for step in manifest["steps"].values())
    assert all(step["seed"] == 5 for step in manifest["steps"].values())
    assert list(manifest["steps"]) == ["msle", "nuts", "report"]
    assert all(step["seconds"] >= 0 for step in manifest["steps"].values())
    assert read_manifest(tmp_path / "out") == read_manifest(tmp_path / "out")
