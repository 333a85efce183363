"""Attributes that play no role in an alternative, combinations that no row has, and remedies."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.formula import evaluate
from tests.oracles import choice_frame, choices


@pytest.fixture(scope="module")
def frame():
    frame = choice_frame(np.random.default_rng(1))
    return frame.assign(time=frame["time"].where(frame["mode"] != "bus", 0.0))


@pytest.fixture(scope="module")
def data(frame):
    return choices(frame)


@pytest.fixture(scope="module")
def fit(data):
    return bm.msle(bm.MixedLogit("price + C(mode):time"), data)


def test_slopes_of_the_other_alternatives_are_those_of_columns_made_by_hand(frame, data, fit):
    by_hand = "price + {(mode == 'car') * time} + {(mode == 'train') * time}"
    other = bm.msle(bm.MixedLogit(by_hand), data)
    np.testing.assert_allclose(fit.params, other.params, rtol=1e-7)
    assert [*fit.params.index[1:]] == ["fixed[mode[car]:time]", "fixed[mode[train]:time]"]


def test_what_has_no_coefficient_is_said(data, fit):
    words = "0 in every row, and so has no coefficient: mode[bus]:time"
    assert words in fit.headline()
    assert words in fit.model.describe(data)
    found = bm.check(fit.model, data)
    assert found.ok
    assert "mode[bus]:time" in "; ".join(f.where for f in found.findings if f.severity == "note")
    with pytest.raises(SpecificationError, match=r"'mode\[bus\]:time' is 0 in every row"):
        bm.MixedLogit("C(mode):time", random=[bm.Normal("mode[bus]:time")]).design(data)


def test_scenarios_leave_it_at_0(data, fit):
    slower = data.with_attribute("time", lambda rows: rows["time"] + 1, alternative="car")
    assert np.isfinite(bm.shares(fit, data, scenario=slower)["estimate"]).all()
    with pytest.raises(SpecificationError, match=r"'mode\[bus\]:time' was 0 in every row.*row 0"):
        bm.shares(fit, data, scenario=data.with_attribute("time", 1.0, alternative="bus"))


def test_a_combination_of_categories_that_no_row_has(frame):
    frame = frame.assign(seat=np.where(frame["mode"] == "bus", "hard", "soft"))
    frame.loc[frame.index % 5 == 0, "seat"] = "hard"
    columns = evaluate("C(mode) + C(mode):C(seat)", choices(frame))
    assert columns.state.empty == ("mode[bus]:seat[soft]",)
    assert columns.values.any(axis=0).all()


@pytest.mark.parametrize(
    ("formula", "remedy"),
    [
        ("price + income", r"C\(mode\):income$"),
        ("price + C(group)", r"C\(mode\):C\(group\)$"),
        ("price + income:weight", r"C\(mode\):income:weight$"),
        ("price + {2 * income}", r"C\(mode\):\{2 \* income\}$"),
        ("price + np.log(weight)", r"C\(mode\):np\.log\(weight\)$"),
        ("price + `net income`", r"C\(mode\):`net income`$"),
        ("price + {0 * price}", "leave it out$"),
    ],
)
def test_remedies_for_columns_without_variation_can_be_followed(frame, formula, remedy):
    frame = frame.assign(**{"net income": frame["income"] ** 2})
    data = choices(frame)
    with pytest.raises(DataError, match=remedy) as caught:
        bm.MixedLogit(formula).design(data)
    if remedy.startswith("C"):
        followed = str(caught.value).rpartition(", ")[2]
        assert bm.MixedLogit(f"price + {followed}").design(data).fixed.shape[1] >= 3


def test_parameters_of_one_name_are_refused(frame):
    names = ["a, b", "c", "a", "b, c"]
    frame = frame.assign(
        **{n: np.random.default_rng(len(n)).normal(size=len(frame)) for n in names}
    )
    for k, n in enumerate(names):
        frame[n] += np.random.default_rng(k).normal(size=len(frame))
    laws = [bm.LKJNormal("a, b", "c"), bm.LKJNormal("a", "b, c")]
    model = bm.MixedLogit("`a, b` + c + a + `b, c`", random=laws)
    with pytest.raises(SpecificationError, match=r"two parameters .* 'corr\[a, b, c\]'"):
        model.design(choices(frame))
