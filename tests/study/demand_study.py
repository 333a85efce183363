"""A study of demand, markets and firms, and its run, made once."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import bayesmix as bm
from bayesmix.study import read_study, run_study

STUDY = """
[data]
file = "choices.csv"
person = "id"
situation = "chid"
alternative = "alt"
chosen = "choice"
outside_option = true

[utility]
formula = "price + quality"

[[random]]
law = "normal"
terms = ["quality"]

[priors]
"mean[quality]" = [0, 2]
sd = {law = "half-student-t", nu = 4, sigma = 1}

[grid]
rule = "sobol"
nodes = 16
centred = true

[estimate]
methods = ["msle", "importance"]
starts = 1
cluster = "region"
draws = 100
chains = 1

[demand]
elasticities = ["price"]
diversion = ["removal", "price"]
wtp = ["quality"]
surplus = true
draws = 5
nodes = 16

[market]
shares = "shares.csv"
column = "market"

[firms]
ownership = "firm"
pass_through = true

[[scenario]]
kind = "merger"
name = "A and B"
firms = ["A", "B"]
efficiencies = {1 = 0.05}

[[scenario]]
kind = "exit"
name = "no 3"
alternatives = [3]

[[scenario]]
kind = "change"
name = "dearer 1"
column = "price"
multiply = 1.1
alternatives = [1]

[[scenario]]
kind = "tax"
name = "tax"
specific = 0.2

[[scenario]]
kind = "entry"
name = "new"
alternative = "new"
like = 1
attributes = {price = 2.0, firm = "D"}
"""
GIVEN = {("north", 1): 0.2, ("north", 2): 0.1, ("north", 3): 0.3,
         ("south", 1): 0.15, ("south", 2): 0.15, ("south", 3): 0.2}  # fmt: skip


def choices() -> pd.DataFrame:
    """Sixty persons with two choices among three alternatives and none, in two markets."""
    rng = np.random.default_rng(3)
    rows = pd.MultiIndex.from_product(
        [range(60), range(2), [1, 2, 3]], names=["id", "chid", "alt"]
    ).to_frame(index=False)
    rows["market"] = np.where(rows["id"] < 30, "north", "south")
    rows["region"] = rows["id"] % 10
    rows["firm"] = rows["alt"].map({1: "A", 2: "B", 3: "C"})
    rows["price"] = 1.5 + 0.3 * rows["alt"] + 0.4 * (rows["market"] == "south")
    rows["quality"] = rng.normal(size=len(rows))
    rows["cost"] = rows["price"] + 0.2 * rng.normal(size=len(rows)).round(2)
    utility = 0.8 * rows["quality"] - 1.0 * rows["price"] + 1.5 + rng.gumbel(size=len(rows))
    best = utility.groupby([rows["id"], rows["chid"]]).transform("max")
    none = np.repeat(rng.gumbel(size=120), 3)
    rows["choice"] = ((utility == best) & (utility > none)).astype(int)
    return rows


def written(*replacements: tuple[str, str]) -> Path:
    """The study and its files in a folder of their own."""
    folder = Path(tempfile.mkdtemp())
    choices().to_csv(folder / "choices.csv", index=False)
    shares = pd.Series(GIVEN, name="share").rename_axis(["market", "alt"]).reset_index()
    shares.to_csv(folder / "shares.csv", index=False)
    text = STUDY
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (folder / "firms.toml").write_text(text, encoding="utf-8")
    return folder / "firms.toml"


@cache
def finished() -> Path:
    """The run folder of the study, made once."""
    path = written()
    run = run_study(read_study(path), path.parent / "runs" / "firms", progress=False)
    assert not run.missing
    return run.folder


@cache
def opened() -> bm.StudyRun:
    return bm.open_run(finished())
