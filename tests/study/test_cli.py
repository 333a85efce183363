"""The command line."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from bayesmix.cli import app

Write = Callable[..., Path]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_writes_the_default_folder_and_prints_the_comparison(
    write_study: Write, estimators: Any, here: Path
) -> None:
    result = call("run", write_study())
    assert result.exit_code == 0
    assert (here / "runs" / "small" / "summary.txt").is_file()
    rows = [line.split() for line in result.stdout.splitlines() if "[" in line]
    assert ["sd[time]", "0.5000", "0.1000"] in [row[:3] for row in rows]
    assert "MSLE: log-likelihood -30.0" in result.stdout
    assert "NUTS: largest R-hat" in result.stdout
    assert "written to runs/small" in result.stdout
    assert "1/3 MSLE: " in result.stderr


def test_quiet_prints_nothing(write_study: Write, estimators: Any, here: Path) -> None:
    result = call("run", write_study(), "--out", here / "out", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (here / "out" / "comparison.csv").is_file()


def test_a_second_run_says_what_it_uses_again(
    write_study: Write, estimators: Any, here: Path
) -> None:
    path = write_study()
    call("run", path)
    again = call("run", path)
    assert "1/3 MSLE: finished earlier, used again" in again.stderr
    assert "3/3 tables and plots: finished earlier, used again" in again.stderr
    assert "sd[time]" in again.stdout


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    write_study: Write, estimators: Any, here: Path
) -> None:
    path = write_study()
    estimators.during["nuts"] = lambda: os.kill(os.getpid(), signal.SIGINT)
    result = call("run", path, "--out", "my run", "--force")
    assert result.exit_code == 130
    assert "Finished and kept in my run: msle (msle.json)." in result.stderr
    assert f"  bayesmix run {path} --out 'my run'\n" in result.stderr
    assert "Traceback" not in result.output


def test_ctrl_c_at_once_keeps_nothing(write_study: Write, estimators: Any, here: Path) -> None:
    estimators.during["msle"] = lambda: os.kill(os.getpid(), signal.SIGINT)
    result = call("run", write_study())
    assert result.exit_code == 130
    assert "kept in runs/small: no step." in result.stderr


@pytest.mark.parametrize("command", ["run", "check"])
def test_user_errors_are_one_message_and_exit_code_2(
    write_study: Write, here: Path, command: str
) -> None:
    path = write_study(("nodes = 32", "node = 32"))
    result = call(command, path)
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {path}, line 18, [grid]: unknown key 'node' for rule 'sobol'; did you mean "
        "'nodes'? valid: rule, nodes, centred, moments, halves\n"
    )
    assert result.stdout == ""
    assert not (here / "runs").exists()


def test_a_study_that_is_not_there(here: Path) -> None:
    result = call("check", "absent.toml")
    assert result.exit_code == 2
    assert "no study file 'absent.toml': check the name" in result.stderr


def test_force_replaces_another_study(write_study: Write, estimators: Any, here: Path) -> None:
    call("run", write_study())
    other = write_study(('"price + time"', '"time + price + price:time"'))
    refused = call("run", other)
    assert refused.exit_code == 2
    assert "use --force" in refused.stderr or "with --force" in refused.stderr
    assert call("run", other, "--force").exit_code == 0


def test_a_defect_is_not_dressed_up_as_a_user_error(
    write_study: Write, estimators: Any, here: Path
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    estimators.during["msle"] = fail
    result = call("run", write_study())
    assert isinstance(result.exception, ZeroDivisionError)


def test_check_prints_data_and_model_and_fits_nothing(
    write_study: Write, estimators: Any, here: Path
) -> None:
    result = call("check", write_study())
    assert result.exit_code == 0
    assert "3 parameters" in result.stdout
    assert "independent normal: time" in result.stdout
    assert "auto likelihood, 2 chains of 20 draws after 10 of tuning" in result.stdout
    assert estimators.names == []
    assert not (here / "runs").exists()


def test_version_and_check_do_without_the_samplers(write_study: Write) -> None:
    command = (
        "import sys; from bayesmix.cli import app; "
        "app(sys.argv[1:], standalone_mode=False); "
        "print('pymc' in sys.modules, 'arviz' in sys.modules)"
    )
    arguments = [sys.executable, "-c", command, "check", str(write_study())]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"


def test_check_reports_on_identification(write_study: Write, here: Path) -> None:
    result = call("check", write_study())
    assert "\n\nIdentification: " in result.stdout
    assert "condition number" in result.stdout
    # Whoever always takes the cheapest is predicted by the price.
    frame = pd.read_csv(here / "choices.csv")
    frame["choice"] = frame.groupby(["id", "chid"])["price"].transform("min").eq(frame["price"])
    frame.to_csv(here / "choices.csv", index=False)
    refused = call("check", here / "small.toml")
    assert refused.exit_code == 2
    assert "error    the multinomial logit has no maximum" in refused.stdout


@pytest.mark.filterwarnings("default::UserWarning")
def test_warnings_are_notes_without_a_path(write_study: Write, estimators: Any, here: Path) -> None:
    path = write_study()
    frame = pd.read_csv(here / "choices.csv")
    column = "alt" if "alt" in frame else frame.columns[2]
    last = frame[column].astype(str).where(frame.index > 5, frame[column].astype(str) + " ")
    frame.assign(**{column: last}).to_csv(here / "choices.csv", index=False)
    said = call("check", path).stderr
    assert said.startswith(f"note: column '{column}' has ")
    assert not [word for word in ("Warning", ".py") if word in said]
