"""Fits that older builds stored are read, and printed as they were."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesmix.classical.fit import Fit
from tests.simulated import choice_data

RESOURCES = Path(__file__).parent / "resources"


def older_fit(name: str) -> dict:
    return json.loads((RESOURCES / f"format_4_{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["centred", "gauss_hermite", "classes", "msm", "mss"])
def test_fits_that_the_first_builds_stored_are_still_read(name):
    """Written by the build of 2026-11-28, estimates and standard errors beside what they are of."""
    data = choice_data(pd.read_csv(RESOURCES / "choices.csv"))
    fit, record = Fit.load(RESOURCES / f"format_4_{name}.json", data), older_fit(name)
    assert fit.params.to_dict() == pytest.approx(record["params"], rel=1e-12)
    stored_errors = [np.nan if v is None else v for v in record["std_errors"].values()]
    np.testing.assert_allclose(fit.std_errors, stored_errors, rtol=1e-9)
    assert fit.headline()


EVERY_LAW = RESOURCES / "every_law"


NUMBERS = json.loads((EVERY_LAW / "numbers.json").read_text(encoding="utf-8"))


def as_table(rows):
    return pd.DataFrame.from_dict(rows, orient="index")


@pytest.mark.parametrize("name", NUMBERS)
def test_what_older_builds_printed_of_their_fits_is_printed_still(name):
    """Commit 5ddc2cc stored one fit of each law, and of other models, and what it said of them."""
    frame = pd.read_csv(RESOURCES / "choices.csv")
    frame["z"] = frame["who"] % 5 / 5
    frame["third"] = (frame["alt"] == 2) * 1.0
    frame["stated"] = np.where(frame["task"] % 4 < 2, "RP", "SP")
    fit, numbers = Fit.load(EVERY_LAW / f"{name}.json", choice_data(frame)), NUMBERS[name]
    assert fit.loglik == numbers["loglik"]
    assert fit.aic == pytest.approx(numbers["aic"], rel=1e-14)
    assert fit.params.to_dict() == pytest.approx(numbers["params"], rel=1e-12)
    for kind, errors in numbers["errors"].items():
        found = pd.Series(np.diag(fit.covariance(kind)) ** 0.5, index=fit.params.index)
        inverted = fit.information.opg if kind == "opg" else fit.information.hessian
        # LAPACK's last bits are the processor's, and what is hardly identified multiplies them.
        rtol = max(1e-9, 4 * np.finfo(float).eps * np.linalg.cond(inverted))
        pd.testing.assert_series_equal(
            found, pd.Series(errors, dtype=float), rtol=rtol, check_names=False
        )
    intervals = as_table(numbers["intervals"]).replace({None: np.nan})
    pd.testing.assert_frame_equal(
        pd.DataFrame(fit.confidence_intervals()), intervals, rtol=1e-9, check_names=False
    )
    summary = pd.DataFrame(fit.summary()).drop(columns="note", errors="ignore")
    before = as_table(numbers["summary"]).astype(float)
    pd.testing.assert_series_equal(
        summary["estimate"], before["estimate"], rtol=1e-9, check_names=False
    )
    # Errors of implied moments have derivatives by differences.
    pd.testing.assert_frame_equal(summary, before, rtol=1e-6, check_names=False)
    rows = fit.predict()["probability"].to_numpy()[::24]
    np.testing.assert_allclose(rows, numbers["probabilities"], rtol=1e-10)
