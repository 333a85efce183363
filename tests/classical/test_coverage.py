"""Coverage of classical intervals in simulated choices."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.coverage_result import Coverage
from tests.simulated import attributes, choice_data

LOGIT = bm.MixedLogit("x + y")
TRUTH = {"fixed[x]": 0.8, "fixed[y]": -0.5}
OPTIONS: dict[str, Any] = {"processes": 1, "progress": False, "rng": 3}


def design(persons: int = 40) -> bm.ChoiceData:
    return choice_data(attributes(np.random.default_rng(1), persons, 3, ("x", "y")))


@pytest.fixture(scope="module")
def found() -> Coverage:
    return bm.coverage(LOGIT, design(), truth=TRUTH, simulations=120, **OPTIONS)


def test_right_intervals_cover_as_often_as_they_say(found: Coverage) -> None:
    table = found.summary([0.5, 0.95])
    level = table.index.get_level_values("level").to_numpy()
    assert ((table["lower"] <= level) & (level <= table["upper"])).all()
    assert table["intervals"].eq(120).all()
    assert "every coverage is within" in found.headline()


def test_coverage_is_of_the_intervals_of_fits(found: Coverage) -> None:
    """One simulation, by hand."""
    seed = int(np.random.default_rng(3).integers(2**62))
    rng = np.random.default_rng([seed, 5])
    data = bm.simulate_choices(LOGIT, TRUTH, design(), rng)
    limits = bm.msle(LOGIT, data).confidence_intervals(level=0.5)
    true = pd.Series(TRUTH)
    covered = (limits.iloc[:, 0] <= true) & (true <= limits.iloc[:, 1])
    assert covered.tolist() == found.covered(0.5).loc[5].astype(bool).tolist()


def test_intervals_around_another_truth_do_not_cover(found: Coverage) -> None:
    off = Coverage(
        found.truth + 0.5,
        found.estimates,
        found.std_errors,
        found.parameters,
        found.simulations,
        {7: "no maximum"},
    )
    words = off.headline()
    assert "outside the 99 % binomial interval: fixed[x] " in words
    assert "1 have no estimates" in words


def test_truth_is_a_fit_or_draws_of_a_law() -> None:
    data = design()
    fit = bm.msle(LOGIT, bm.simulate_choices(LOGIT, TRUTH, data, 1))
    of_fit = bm.coverage(LOGIT, data, truth=fit, simulations=2, **OPTIONS)
    assert of_fit.truth.loc[1].to_dict() == fit.params.to_dict()
    draws = pd.DataFrame({"fixed[y]": [0.1, 0.2], "fixed[x]": [1.0, 1.1]})
    of_law = bm.coverage(LOGIT, data, truth=draws, simulations=3, **OPTIONS)
    assert of_law.truth["fixed[x]"].tolist() == [1.0, 1.1, 1.0]


def test_boundaries_and_held_parameters() -> None:
    """Without variation many estimates are 0, of which there is no interval."""
    model = bm.MixedLogit(
        "x + y", random=[bm.Normal("x")], constraints=bm.Constraints(fixed={"fixed[y]": -0.5})
    )
    truth = {"mean[x]": 0.8, "sd[x]": 0.0, "fixed[y]": -0.5}
    found = bm.coverage(
        model, design(25), truth=truth, simulations=6, grid=bm.gauss_hermite(5), **OPTIONS
    )
    assert list(found.estimates.columns) == ["mean[x]", "sd[x]"]
    zero = int(found.std_errors["sd[x]"].isna().sum())
    assert zero > 0
    assert found.summary([0.9]).loc[("sd[x]", 0.9), "none"] == zero
    assert f"no interval of sd[x] in {zero}" in found.headline()


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ({"fixed[x]": 1.0}, "fixed"),
        ([1.0, 2.0], "'truth'"),
        (pd.DataFrame({"fixed[x]": [], "fixed[y]": []}), "'truth'"),
    ],
)
def test_wrong_truths_are_refused(truth: Mapping[str, float], words: str) -> None:
    with pytest.raises(bm.SpecificationError, match=words):
        bm.coverage(LOGIT, design(), truth=truth, **OPTIONS)


def test_pictures(found: Coverage) -> None:
    figure = bm.plot_coverage(found)
    assert [axis.get_title() for axis in figure.axes] == ["fixed[x]", "fixed[y]"]
    with pytest.raises(bm.SpecificationError, match="'found'"):
        bm.plot_sbc(found)


def test_truth_is_where_fits_hold_it() -> None:
    held = bm.MixedLogit("x + y", constraints=bm.Constraints(fixed={"fixed[y]": -0.5}))
    with pytest.raises(bm.SpecificationError, match="every fit holds it"):
        bm.coverage(held, design(), truth=TRUTH | {"fixed[y]": -0.9}, simulations=1, **OPTIONS)
