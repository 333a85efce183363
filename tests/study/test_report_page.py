"""`bayesmix report`: a finished run on one page."""

from pathlib import Path

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from bayesmix.cli import app

STUDY = """
[data]
file = "choices.csv"
situation = "task"
alternative = "alt"
chosen = "choice"

[utility]
formula = "price + time"

[estimate]
methods = ["msle"]
"""


def call(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_run_becomes_a_page_and_a_page_is_not_replaced_unasked(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"task": np.repeat(np.arange(60), 3), "alt": np.tile(list("abc"), 60)})
    frame["price"], frame["time"] = rng.normal(size=180), rng.normal(size=180)
    utility = rng.gumbel(size=180) - frame["price"] - frame["time"]
    best = utility.groupby(frame["task"]).transform("max")
    frame["choice"] = (utility == best).astype(int)
    frame.to_csv(tmp_path / "choices.csv", index=False)
    study, run = tmp_path / "small.toml", tmp_path / "run"
    study.write_text(STUDY)
    assert call("run", study, "--out", run, "--quiet")[0] == 0
    code, said = call("report", run, "--json")
    assert code == 0
    assert "report.html" in said
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<title>small</title>" in page
    assert "formula = &quot;price + time&quot;" in page
    assert call("report", run)[0] == 2
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in (study, tmp_path / "choices.csv"):
        file.rename(moved / file.name)
    code, said = call("report", run, "--force")
    assert code == 2
    assert "report RUN --study PATH.toml" in " ".join(said.split())
    assert call("report", run, "--force", "--study", moved / "small.toml")[0] == 0
    assert "no run" in call("report", tmp_path / "nowhere", "--out", tmp_path / "x.html")[1]
    assert not (tmp_path / "x.html").exists()
