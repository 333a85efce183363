"""The studies in models/: each is valid, and its estimators run on a few of its people."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.study import check_study, read_study
from bayesmix.study.build import Built
from bayesmix.study.methods import METHODS

FOLDER = Path(bm.__file__).parents[1] / "models"
STUDIES = sorted(path.stem for path in FOLDER.glob("*.toml"))
FEW = bm.centred(bm.sobol(8))
PEOPLE = {"electricity_wtp": 150, "electricity_demand": 100}  # of thirty, lognormals run off
TRUTH = {  # of the files that simulate.py makes
    "trips": {"mean[time]": 0.0, "sd[time]": 0.5, "fixed[cost]": -0.4},
    "trips_nested": {"fixed[cost]": -0.4, "nest[public]": 1.0},
    "market": {"fixed[price]": -1.5, "mean[quality]": 1.0, "sd[quality]": 0.8},
}


def reduced(built: Built) -> Built:
    """Few people, eight nodes, one start; files that are simulated are small as they are."""
    study = replace(built.study, estimate=replace(built.study.estimate, starts=1))
    if built.study.data.file is not None:
        return replace(built, study=study)
    frame = built.data.frame
    people = frame["id"].unique()[: PEOPLE.get(study.name, 30)]
    few = frame[frame["id"].isin(people)].reset_index(drop=True)
    roles = {"person": "id", "situation": "chid", "alternative": "alt", "chosen": "choice"}
    rule = FEW if built.model.random else built.rule
    return replace(built, study=study, data=bm.ChoiceData.from_long(few, **roles), rule=rule)


@pytest.mark.parametrize("name", STUDIES)
def test_runs(name: str) -> None:
    built = check_study(read_study(FOLDER / f"{name}.toml"))
    assert built.study.name == name
    small, fits = reduced(built), {}
    for method in built.study.estimate.methods:
        if method in ("msle", "msm", "mss"):
            fits[method] = METHODS[method].make(small, fits, False)
            assert np.isfinite(fits[method].params).all()
            assert METHODS[method].whole(small, fits[method])
    for parameter, value in TRUTH.get(name, {}).items():
        fit = fits["msle"]
        assert abs(fit.params[parameter] - value) < 3 * fit.std_errors[parameter], parameter


def test_a_control_function_is_needed_in_the_market() -> None:
    built = check_study(read_study(FOLDER / "market.toml"))
    plain = bm.msle(replace(built.model, control=None), built.data, grid=built.rule, starts=1)
    assert plain.params["fixed[price]"] - 3 * plain.std_errors["fixed[price]"] > -1.5


def test_files_are_those_that_the_script_makes() -> None:
    made = runpy.run_path(str(FOLDER / "simulate.py"))
    choices, shares = made["market"]()
    for name, frame in (("trips", made["trips"]()), ("market", choices), ("market_shares", shares)):
        pd.testing.assert_frame_equal(pd.read_csv(FOLDER / f"{name}.csv"), frame, rtol=1e-12)


def test_every_study_is_in_the_guide() -> None:
    text = (FOLDER.parent / "docs" / "studies.md").read_text(encoding="utf-8")
    assert not [name for name in STUDIES if f"| `{name}` |" not in text]
