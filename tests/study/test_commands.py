"""Commands that read runs, copy examples and list rules; JSON of all of them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import bayesmix as bm
from bayesmix.cli import app
from bayesmix.console import rows
from bayesmix.study import check_study, read_study
from bayesmix.study.example import examples
from tests.study.running import FITS_ONLY, run

Write = Callable[..., Path]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def parsed(*arguments: object) -> Any:
    return json.loads(call(*arguments, "--json").stdout)


@pytest.fixture
def two_runs(write_study: Write, estimators: Any, quick_plots: None, tmp_path: Path) -> list[Path]:
    path = write_study(FITS_ONLY)
    first, second = tmp_path / "one", tmp_path / "two"
    run(path, first)
    estimators.offset = 0.25
    run(path, second)
    return [first, second]


def test_runs_stand_beside_one_another(two_runs: list[Path]) -> None:
    one, two = two_runs
    table = {row["parameter"]: row for row in parsed("compare", one, two)["estimates"]}
    assert table["mean[time]"][f"{one} MSLE estimate"] == -1.0
    assert table["mean[time]"][f"{two} MSLE estimate"] == -0.75
    assert "mean[time]" in call("compare", one).stdout
    twice = call("compare", one, one)
    assert twice.exit_code == 2
    assert "is given twice" in twice.stderr
    assert "is no run folder" in parsed("compare", one.parent)["error"]


def test_a_run_and_a_check_in_json(
    write_study: Write, estimators: Any, quick_plots: None, tmp_path: Path
) -> None:
    path = write_study(FITS_ONLY)
    found = parsed("run", path, "--out", tmp_path / "out", "--quiet")
    assert found["results"] == ["msle"]
    assert found["missing"] == found["elsewhere"] == {}
    assert "comparison.csv" in found["files"]
    assert found["comparison"][0] == {
        "parameter": "mean[time]", "MSLE estimate": -1.0, "MSLE std error": 0.1,
    }  # fmt: skip
    checked = parsed("check", path)
    assert checked["ok"] is True
    assert checked["parameters"] == ["mean[time]", "sd[time]", "fixed[price]"]
    refused = call("check", write_study(("nodes = 32", "node = 32")), "--json")
    assert refused.exit_code == 2
    assert "line 18, [grid]: unknown key 'node'" in json.loads(refused.stdout)["error"]


@pytest.mark.parametrize("command", ["check", "run", "inspect", "new", "compare", "report"])
def test_what_is_not_there_and_what_is_a_folder_are_said_in_words(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("nosuch.toml", "nosuch.csv", "folder"):
        result = call(command, tmp_path / name)
        assert result.exit_code == 2
        assert "Errno" not in result.stderr
        assert re.search(r": (check|give|rename|there is no 'run)", " ".join(result.stderr.split()))


def test_files_in_json(write_study: Write) -> None:
    file = write_study().with_name("choices.csv")
    columns = {row["column"]: row for row in parsed("inspect", file)["columns"]}
    assert columns["alt"]["role"] == "alternative"
    made = parsed("new", file, "--out", file.with_name("first.toml"))
    assert Path(made["written"]).is_file()


def test_examples_are_copied_and_never_over_a_file(tmp_path: Path) -> None:
    assert "electricity.toml" in call("example").stdout.split()
    assert set(parsed("example")["examples"]) == set(examples())
    for name in ("electricity", "01-quickstart"):
        written = Path(parsed("example", name, "--out", tmp_path)["written"])
        assert written.read_bytes() == examples()[name].read_bytes()
    written.write_text("mine")
    again = call("example", "01-quickstart", "--out", tmp_path)
    assert again.exit_code == 2
    assert "is there already" in again.stderr
    assert written.read_text() == "mine"
    assert call("example", "01-quickstart", "--out", tmp_path, "--force").exit_code == 0
    assert "did you mean 'electricity'?" in parsed("example", "electricty")["error"]


def test_files_of_data_go_along(tmp_path: Path) -> None:
    for name in ("market", "trips", "trips_nested"):  # the last two share a file
        study = read_study(parsed("example", name, "--out", tmp_path)["written"])
        assert check_study(study).data.n_persons > 0
    files = {path.name for path in tmp_path.iterdir() if path.suffix == ".csv"}
    assert files == {"market.csv", "market_shares.csv", "trips.csv"}
    (tmp_path / "trips.csv").write_text("mine")
    assert "trips.csv' is there already" in parsed("example", "trips", "--out", tmp_path)["error"]


def test_rules_are_those_of_the_table() -> None:
    table = bm.rule_table(3)
    rows = {row["rule"]: row for row in parsed("rules", 3)["rules"]}
    assert {name: row["nodes"] for name, row in rows.items()} == table["nodes"].to_dict()
    assert "sobol(64)" in call("rules", 3).stdout
    assert call("rules", 0).exit_code == 2


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in call("--help").stdout


def test_numbers_in_json_keep_their_digits() -> None:
    numbers = [1.23456789012e-10, -0.05427912345678901, np.inf, np.nan]
    table = pd.DataFrame({"a": numbers, "n": pd.array([1, 2, 3, None], dtype="Int64")})
    found = json.loads(json.dumps(rows(table), allow_nan=False))
    assert [row["a"] for row in found] == [*numbers[:2], None, None]
    assert [row["n"] for row in found] == [1, 2, 3, None]


def test_what_was_compiled_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bm, "warm", lambda processes, progress: 3)
    assert parsed("warm") == {"compiled": 3}
