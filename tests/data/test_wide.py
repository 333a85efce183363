"""from_wide: the same content as the long frame it stands for."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmix.data.choices import ChoiceData
from bayesmix.errors import DataError


@pytest.fixture
def wide():
    """Four choices of three modes in the style of transport surveys, with codes as choices."""
    return pd.DataFrame(
        {
            "ID": [7, 7, 8, 8],
            "CHOICE": [1, 3, 2, 2],
            "TRAIN_TT": [10.0, 11.0, 12.0, 13.0],
            "SM_TT": [20.0, 21.0, 22.0, 23.0],
            "CAR_TT": [30.0, 31.0, np.nan, 33.0],
            "TRAIN_HE": [5, 6, 7, 8],
            "CAR_AV": [1, 1, 0, 1],
            "INCOME": [1, 1, 2, 2],
        },
        index=[40, 41, 42, 43],
    )


CODES = {1: "TRAIN", 2: "SM", 3: "CAR"}
ARGUMENTS = {
    "person": "ID",
    "chosen": "CHOICE",
    "alternatives": CODES,
    "varying": {
        "tt": "{alternative}_TT",
        "headway": {"TRAIN": "TRAIN_HE", "SM": 30, "CAR": 0},
    },
    "availability": {"TRAIN": 1, "SM": 1, "CAR": "CAR_AV"},
}


def test_one_row_a_situation_becomes_one_row_an_alternative(wide):
    before = wide.copy(deep=True)
    data = ChoiceData.from_wide(wide, **ARGUMENTS)
    assert data.alternatives == ("TRAIN", "SM", "CAR")
    assert data.situation_start.tolist() == [0, 3, 6, 8, 11]
    assert data.chosen_row.tolist() == [0, 5, 7, 9]
    tt = [10.0, 20.0, 30.0, 11.0, 21.0, 31.0, 12.0, 22.0, 13.0, 23.0, 33.0]
    assert data.attribute("tt").tolist() == tt
    assert data.attribute("headway").tolist() == [5, 30, 0, 6, 30, 0, 7, 30, 8, 30, 0]
    assert data.attribute("INCOME").tolist() == [1] * 6 + [2] * 5
    assert data.rows.tolist() == [40] * 3 + [41] * 3 + [42] * 2 + [43] * 3
    assert data.situations.tolist() == [(7, 0), (7, 1), (8, 2), (8, 3)]
    pd.testing.assert_frame_equal(wide, before)


def test_order_of_rows_has_no_meaning(wide):
    wide["t"] = [1, 2, 1, 2]
    data = ChoiceData.from_wide(wide.iloc[[3, 0, 2, 1]], **ARGUMENTS, situation="t")
    assert data.situations.tolist() == [(7, 1), (7, 2), (8, 1), (8, 2)]
    tt = [10.0, 20.0, 30.0, 11.0, 21.0, 31.0, 12.0, 22.0, 13.0, 23.0, 33.0]
    assert data.attribute("tt").tolist() == tt


def test_round_trip_from_long(shared_data):
    long = shared_data("electricity")
    attributes = ["pf", "cl", "loc", "wk", "tod", "seas"]
    pivot = long.pivot(index=["id", "chid"], columns="alt", values=attributes)
    pivot.columns = [f"{attribute}{alternative}" for attribute, alternative in pivot.columns]
    chosen = long[long["choice"] == 1].set_index(["id", "chid"])["alt"]
    wide = pivot.assign(choice=chosen).reset_index()
    got = ChoiceData.from_wide(
        wide,
        person="id",
        situation="chid",
        chosen="choice",
        alternatives=[1, 2, 3, 4],
        varying=dict.fromkeys(attributes, "{attribute}{alternative}"),
    )
    expected = ChoiceData.from_long(
        long, person="id", situation="chid", alternative="alt", chosen="choice"
    )
    for name in ("person_start", "situation_start", "alternative_code", "chosen_row"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))
    assert got.situations.equals(expected.situations)
    pd.testing.assert_frame_equal(got.frame[attributes], long[attributes])


def test_polars_equals_pandas(wide):
    got = ChoiceData.from_wide(pl.DataFrame(wide.to_dict("list")), **ARGUMENTS)
    expected = ChoiceData.from_wide(wide, **ARGUMENTS)
    pd.testing.assert_frame_equal(got.frame, expected.frame)


@pytest.mark.parametrize(("values", "label"), [([1, None, 2, 2], None), ([1, 9, 2, 2], 9)])
def test_outside_option_by_missing_value_or_by_label(wide, values, label):
    wide["CHOICE"] = values
    arguments = ARGUMENTS | {"outside_option": True, "outside_label": label}
    assert ChoiceData.from_wide(wide, **arguments).chosen_row.tolist() == [0, -1, 7, 9]


def test_text_choices_and_a_cross_section(wide):
    wide["CHOICE"] = pd.Categorical(wide["CHOICE"].map(CODES))
    arguments = ARGUMENTS | {"person": None, "alternatives": ["SM", "CAR", "TRAIN"]}
    data = ChoiceData.from_wide(wide, **arguments)
    assert data.alternatives == ("SM", "CAR", "TRAIN")
    assert data.n_persons == 4
    chosen = data.frame["alternative"][data.chosen_row]
    assert chosen.tolist() == ["TRAIN", "CAR", "SM", "SM"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"varying": {"tt": "{alternative}_TTT"}},
            "'tt' of alternative 'TRAIN', column='TRAIN_TTT': frame has no such column; "
            "did you mean 'TRAIN_TT'",
        ),
        (
            {"varying": {"he": {"TRAIN": "TRAIN_HE", "SM": 0}}},
            "'he': no column for alternative 'CAR'; .* a number such as 0",
        ),
        (
            {"varying": {"he": {"TRAIN": "TRAIN_HE", "SM": 0, "CAR": 0, "BUS": 0}}},
            "'he': unknown alternative 'BUS'; the alternatives are 'TRAIN', 'SM', 'CAR'",
        ),
        ({"varying": {"tt": "TRAIN_TT"}}, "the same for every alternative; .* {alternative}"),
        ({"varying": {"INCOME": "{alternative}_TT"}}, "'INCOME' exists already: rename it"),
        ({"varying": {"situation": "{alternative}_TT"}}, "'situation'.* exists already"),
        ({"varying": {"CHOICE": "{alternative}_TT"}}, "'CHOICE' exists already"),
        ({"weights": "TRAIN_TT"}, "'TRAIN_TT' is both weights and an attribute that varies"),
        ({"alternatives": "TRAIN"}, "alternatives must be a list of labels .* got 'TRAIN'"),
        ({"alternatives": ["a", "a"]}, "alternatives must be different labels"),
        ({"alternatives": {1: "TRAIN"}, "varying": {}, "availability": None},
         r"column 'CHOICE' holds 3, 2 in 3 rows \(rows 41, 42, 43\).*outside_option=True"),
        ({"outside_label": 9}, "outside_label=9 must come with outside_option=True"),
        ({"outside_label": 1, "outside_option": True}, "must not be one of the alternatives"),
        ({"chosen": "CHOSEN"}, "chosen='CHOSEN': frame has no such column; .* 'CHOICE'"),
        ({"person": "CHOICE"}, "'CHOICE' is both chosen and person"),
    ],
)  # fmt: skip
def test_bad_arguments(wide, change, message):
    with pytest.raises(DataError, match=message):
        ChoiceData.from_wide(wide, **ARGUMENTS | change)


def test_a_missing_choice_is_refused_without_outside_option(wide):
    wide["CHOICE"] = [1, None, 2, 2]
    with pytest.raises(DataError, match=r"'CHOICE' holds nan in 1 rows \(rows 41\)"):
        ChoiceData.from_wide(wide, **ARGUMENTS)


def test_an_unknown_label_is_refused_with_outside_option(wide):
    wide["CHOICE"] = [1, None, 2, 4]
    with pytest.raises(DataError, match=r"'CHOICE' holds 4.0 in 1 rows \(rows 43\)"):
        ChoiceData.from_wide(wide, **ARGUMENTS, outside_option=True)


@pytest.mark.parametrize("outside", [True, False])
def test_the_remedy_for_a_single_unknown_label_is_whole(wide, outside):
    wide["CHOICE"] = [1, 9, 2, 9]
    with pytest.raises(DataError, match="outside_option=True and outside_label=9;"):
        ChoiceData.from_wide(wide, **ARGUMENTS, outside_option=outside)
    data = ChoiceData.from_wide(wide, **ARGUMENTS, outside_option=True, outside_label=9)
    assert (data.chosen_row == -1).tolist() == [False, True, False, True]


def test_a_chosen_alternative_that_is_unavailable(wide):
    wide["CAR_AV"] = [1, 0, 1, 1]
    message = r"'CHOICE' holds 'CAR' in row 41, where it is not available \(column 'CAR_AV'\)"
    with pytest.raises(DataError, match=message):
        ChoiceData.from_wide(wide, **ARGUMENTS)


# -- messages are of the wide frame's own rows and columns ---------------------------------------

WIDE = pd.DataFrame(
    {
        "id": [1, 1, 2, 2],
        "mode": ["a", "b", "a", "b"],
        "a_p": [1.0, 2, 3, 4],
        "b_p": [2.0, 1, 3, 4],
        "a_av": [1, 1, 1, 0],
        "b_av": 1,
        "w": [1.0, 1, 2, 2],
    },
    index=[10, 11, 12, 13],
)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"a_av": [1, 2, 1, 0]}, r"column 'a_av' holds 2.0 in 1 rows \(rows 11\)"),
        ({"a_av": [1, None, 1, 0]}, r"column 'a_av' has missing values in 1 of 4 rows \(rows 11\)"),
        ({"a_av": [1, 1, 0, 0]}, r"'mode' holds 'a' in row 12, .*not available \(column 'a_av'\)"),
        ({"w": [1, None, 2, 2]}, r"column 'w' has missing values in 1 of 4 rows \(rows 11\)"),
        ({"w": [1, 1, -1, 2]}, r"weights column 'w' holds -1.0 in 1 rows \(rows 12\)"),
        ({"id": [1, None, 2, 2]}, r"column 'id' has missing values in 1 of 4 rows \(rows 11\)"),
    ],
)
def test_errors_name_rows_and_columns_of_the_wide_frame(changed, words):
    options = {
        "alternatives": ["a", "b"],
        "varying": {"p": "{alternative}_p"},
        "chosen": "mode",
        "person": "id",
        "availability": "{alternative}_av",
        "weights": "w",
    }
    assert ChoiceData.from_wide(WIDE, **options).n_rows == 7
    with pytest.raises(DataError, match=words):
        ChoiceData.from_wide(WIDE.assign(**changed), **options)


def test_availability_may_be_a_number_and_nothing_may_be_available():
    options = {"alternatives": ["a", "b"], "varying": {"p": "{alternative}_p"}}
    with pytest.raises(DataError, match=r"availability of alternative 'b' is 2; expected a column"):
        ChoiceData.from_wide(WIDE, availability={"a": "a_av", "b": 2}, **options)
    none = WIDE.assign(b_av=[1, 1, 1, 0])
    words = r"no alternative is available in 1 of 4 rows \(rows 13\).*'a_av', 'b_av'"
    with pytest.raises(DataError, match=words):
        ChoiceData.from_wide(none, availability="{alternative}_av", **options)
