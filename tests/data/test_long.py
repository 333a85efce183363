"""from_long: order, sets, weights, and the facts of known data."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmix.data.choices import ChoiceData
from bayesmix.data.examples import electricity
from bayesmix.errors import DataError


def content(data):
    """What the data say, whatever the order of rows."""
    frame = data.frame.assign(
        alternative=[data.alternatives[code] for code in data.alternative_code],
        is_chosen=np.isin(np.arange(data.n_rows), data.chosen_row),
        weight=data.weights[data.row_person],
        person_label=data.persons[data.row_person],
        situation_label=data.situations[data.row_situation],
    )
    return frame.sort_values(["situation_label", "alternative"], ignore_index=True)


def test_the_small_panel(panel, roles):
    data = ChoiceData.from_long(panel, **roles)
    assert data.persons.tolist() == ["ann", "bob"]
    assert data.situations.tolist() == [
        ("ann", 1),
        ("ann", 2),
        ("bob", 1),
        ("bob", 2),
        ("bob", 3),
    ]
    assert data.alternatives == ("bus", "car")
    assert data.person_start.tolist() == [0, 2, 5]
    assert data.situation_start.tolist() == [0, 2, 4, 6, 8, 9]
    assert data.alternative_code.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]
    assert data.chosen_row.tolist() == [0, 3, 5, 6, 8]
    assert data.row_person.tolist() == [0] * 4 + [1] * 5
    assert data.row_situation.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert data.rows.tolist() == panel.index.tolist()
    assert data.weights.tolist() == [1.0, 1.0]
    assert data.attribute("price").tolist() == panel["price"].tolist()
    for codes in (data.person_start, data.situation_start, data.chosen_row, data.row_person):
        assert codes.dtype == np.int64


def test_persons_and_situations_are_sorted_whatever_their_first_appearance(panel, roles):
    data = ChoiceData.from_long(panel.iloc[::-1], **roles)
    assert data.persons.tolist() == ["ann", "bob"]
    assert data.situations.tolist() == [("ann", 1), ("ann", 2), ("bob", 1), ("bob", 2), ("bob", 3)]
    assert data.alternatives == ("bus", "car")
    assert data.frame["price"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]


def test_persons_that_cannot_be_compared_come_by_first_appearance(panel, roles):
    names = {"ann": "ann", "bob": 7}
    panel["who"] = panel["who"].map(names).astype(object)
    data = ChoiceData.from_long(panel.iloc[::-1], **roles)
    assert data.persons.tolist() == [7, "ann"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_of_rows_has_no_meaning(panel, roles, seed):
    panel["w"] = panel["who"].map({"ann": 0.5, "bob": 2.0})
    panel["here"] = [1, 1, 1, 1, 1, 1, 1, 0, 1]
    columns = roles | {"weights": "w", "availability": "here"}
    shuffled = panel.sample(frac=1, random_state=seed)
    expected, got = (
        ChoiceData.from_long(panel, **columns),
        ChoiceData.from_long(shuffled, **columns),
    )
    pd.testing.assert_frame_equal(content(got), content(expected))
    assert got.frame["price"].tolist() != shuffled["price"].tolist()


def test_electricity_counts_and_shuffled_electricity():
    data = electricity()
    assert (data.n_persons, data.n_situations, data.n_rows) == (361, 4308, 17232)
    assert data.alternatives == (1, 2, 3, 4)
    assert np.diff(data.situation_start).tolist() == [4] * 4308
    chosen = data.alternative_code[data.chosen_row]
    assert np.bincount(chosen).tolist() == [978, 1137, 1026, 1167]
    columns = {"person": "id", "situation": "chid", "alternative": "alt", "chosen": "choice"}
    shuffled = data.frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(content(ChoiceData.from_long(shuffled, **columns)), content(data))


def test_bundled_electricity_is_the_shared_one(shared_data):
    pd.testing.assert_frame_equal(electricity().frame, shared_data("electricity"))


def test_swissmetro_car_missing_in_1161_situations(shared_data):
    frame = shared_data("swissmetro")
    roles = {"person": "id", "situation": "obs", "alternative": "alt", "chosen": "choice"}
    by_column = ChoiceData.from_long(frame, **roles, availability="avail")
    by_absence = ChoiceData.from_long(frame[frame["avail"] == 1], **roles)
    assert (by_column.n_persons, by_column.n_situations) == (752, 6768)
    assert by_column.n_rows == 3 * 6768 - 1161 == by_absence.n_rows
    available = by_column.summary().alternatives["available"]
    assert available.to_dict() == {"CAR": 6768 - 1161, "SM": 6768, "TRAIN": 6768}
    pd.testing.assert_frame_equal(content(by_column), content(by_absence))


def test_camera_outside_option_chosen_1343_times(shared_data):
    frame = shared_data("camera")
    data = ChoiceData.from_long(
        frame[frame["alt"] != 5],
        person="id",
        situation="task",
        alternative="alt",
        chosen="choice",
        outside_option=True,
    )
    assert (data.n_persons, data.n_situations, data.n_rows) == (332, 5312, 4 * 5312)
    assert np.sum(data.chosen_row == -1) == 1343
    outside = data.summary().alternatives.loc["outside"]
    assert outside.tolist() == [5312, 1343, 1343 / 5312]


def test_fishing_is_a_cross_section(shared_data):
    data = ChoiceData.from_long(
        shared_data("fishing"), person=None, situation="id", alternative="alt", chosen="choice"
    )
    assert data.n_persons == data.n_situations == 1182
    assert data.person is None
    assert data.situations[0] == (1, 1)
    assert data.person_start.tolist() == list(range(1183))


def test_polars_equals_pandas(panel, roles):
    panel["w"] = panel["who"].map({"ann": 0.5, "bob": 2.0})
    panel = panel.reset_index(drop=True)
    panel["choice"] = panel["choice"].astype(bool)
    columns = roles | {"weights": "w"}
    expected = ChoiceData.from_long(panel, **columns)
    got = ChoiceData.from_long(pl.DataFrame(panel.to_dict("list")), **columns)
    pd.testing.assert_frame_equal(content(got), content(expected))
    assert got.persons.tolist() == expected.persons.tolist()
    assert got.chosen_row.tolist() == expected.chosen_row.tolist()


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(pl.Enum(["walk", "car", "bus"]), ("car", "bus")), (pl.Categorical(), ("bus", "car"))],
)
def test_categories_of_polars(panel, roles, dtype, expected):
    frame = pl.DataFrame(panel.to_dict("list")).with_columns(pl.col("mode").cast(dtype))
    assert ChoiceData.from_long(frame, **roles).alternatives == expected


def test_polars_without_pyarrow(panel, roles, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    data = ChoiceData.from_long(pl.DataFrame(panel.to_dict("list")), **roles)
    assert data.frame["price"].tolist() == panel["price"].tolist()


def test_user_frame_is_not_modified(panel, roles):
    panel["mode"] = panel["mode"].astype("category")
    before = panel.copy(deep=True)
    data = ChoiceData.from_long(panel, **roles)
    data.frame.loc[:, "price"] = -1.0
    pd.testing.assert_frame_equal(panel, before)
    panel.loc[:, "price"] = -2.0
    assert data.frame["price"].tolist() == [-1.0] * 9


def test_alternatives_in_the_order_of_categories(panel, roles):
    panel["mode"] = pd.Categorical(panel["mode"], categories=["walk", "car", "bus"])
    data = ChoiceData.from_long(panel, **roles)
    assert data.alternatives == ("car", "bus")
    assert data.frame["mode"].cat.categories.tolist() == ["car", "bus"]
    assert data.frame["mode"].tolist()[:2] == ["car", "bus"]
    assert data.chosen_row.tolist() == [1, 2, 4, 7, 8]


def test_alternatives_are_sorted_whatever_their_first_appearance(panel, roles):
    panel["mode"] = ["tram", "bike", "car", "tram", "bike", "tram", "car", "bike", "bus"]
    data = ChoiceData.from_long(panel, **roles)
    assert data.alternatives == ("bike", "bus", "car", "tram")
    labels = [data.alternatives[code] for code in data.alternative_code]
    assert labels == data.frame["mode"].tolist()
    assert labels == ["bike", "tram", "car", "tram", "bike", "tram", "bike", "car", "bus"]


def test_labels_that_cannot_be_compared(panel, roles):
    panel["mode"] = panel["mode"].astype(object).replace("car", 7)
    data = ChoiceData.from_long(panel, **roles)
    assert data.alternatives == ("bus", 7)
    assert data.chosen_row.tolist() == [0, 3, 5, 6, 8]


def test_unavailable_rows_may_hold_anything(panel, roles):
    panel["here"] = 1
    panel.loc[[101, 107], "here"] = 0
    panel.loc[[101, 107], "price"] = [np.nan, np.inf]
    data = ChoiceData.from_long(panel, **roles, availability="here")
    assert data.attribute("price").tolist() == [1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0]
    assert data.rows_left_out == 2
    assert 101 not in data.rows


def test_alternative_available_nowhere_is_not_among_the_alternatives(panel, roles):
    walk = panel[panel["mode"] == "bus"].assign(mode="walk", choice=0, here=0)
    frame = pd.concat([panel.assign(here=1), walk], ignore_index=True)
    data = ChoiceData.from_long(frame, **roles, availability="here")
    assert data.alternatives == ("bus", "car")
    assert data.rows_left_out == 5


def test_outside_option_where_nothing_is_chosen(panel, roles):
    panel.loc[[103, 108], "choice"] = 0
    data = ChoiceData.from_long(panel, **roles, outside_option=True)
    assert data.chosen_row.tolist() == [0, -1, 5, 6, -1]
    assert data.summary().alternatives["chosen"].to_dict() == {
        "bus": 2,
        "car": 1,
        "outside": 2,
    }


def test_what_only_the_outside_option_is_chosen_from_is_left_out_and_counted(panel, roles):
    panel["here"] = [1, 1, 1, 1, 1, 1, 0, 0, 0]
    panel["choice"] = [1, 0, 0, 1, 0, 0, 0, 0, 0]
    arguments = roles | {"availability": "here", "outside_option": True}
    data = ChoiceData.from_long(panel, **arguments)
    assert data.situations.tolist() == [("ann", 1), ("ann", 2), ("bob", 1)]
    assert data.chosen_row.tolist() == [0, 3, -1]
    assert (data.situations_left_out, data.rows_left_out) == (2, 3)
    counts = data.summary().counts
    assert counts["situations left out, the outside option alone"] == 2
    assert "the outside option alone" in str(data)
    expected = ChoiceData.from_long(panel[:6], **roles, outside_option=True)
    assert "the outside option alone" not in str(expected)
    pd.testing.assert_frame_equal(
        data.frame.drop(columns="here"), expected.frame.drop(columns="here")
    )
    ranks = panel.assign(rank=panel["choice"].replace(0, np.nan)).drop(columns="choice")
    ranked = roles | {"chosen": None, "ranked": "rank"}
    exploded = ChoiceData.from_long(ranks, **arguments | ranked)
    assert exploded.first_choices().chosen_row.tolist() == [0, 3, -1]


def test_situations_that_are_left_out_do_not_move_others_of_labels_without_an_order():
    """Labels that cannot be compared stay in order of first appearance, in what is left too."""
    rows = [
        ("p2", 1, "bus", 2.0, 0, 1),
        ("p2", "s3", "bus", 4.0, 1, 1),
        ("p2", "s3", "car", 5.0, 0, 1),
        ("p2", 7, "bus", 6.0, 0, 0),
        ("p1", "s3", "bus", 0.0, 0, 1),
        ("p1", "s3", "car", 1.0, 1, 1),
    ]
    frame = pd.DataFrame(rows, columns=["who", "task", "mode", "price", "choice", "here"])
    data = ChoiceData.from_long(
        frame,
        person="who",
        situation="task",
        alternative="mode",
        chosen="choice",
        availability="here",
        outside_option=True,
    )
    labels = [data.situations[t] for t in data.row_situation]
    assert labels == list(zip(data.frame["who"], data.frame["task"], strict=True))
    assert data.frame["price"][data.chosen_row[data.chosen_row >= 0]].tolist() == [1.0, 4.0]
    assert frame["price"][data.rows].tolist() == data.frame["price"].tolist()
    assert (data.situations_left_out, data.rows_left_out) == (1, 1)


def test_one_alternative_besides_the_outside_option(panel, roles):
    buses = panel[panel["mode"] == "bus"]
    data = ChoiceData.from_long(buses, **roles, outside_option=True)
    assert data.alternatives == ("bus",)
    assert data.chosen_row.tolist() == [0, -1, -1, 3, 4]


def test_weights_are_kept_as_given(panel, roles):
    panel["w"] = panel["who"].map({"ann": 3, "bob": 7})
    assert ChoiceData.from_long(panel, **roles, weights="w").weights.tolist() == [3.0, 7.0]


def test_with_choices_changes_the_choices_alone(panel, roles):
    data = ChoiceData.from_long(panel, **roles)
    other = data.with_choices(np.array([1, 2, 4, 7, 8]))
    assert other.frame["choice"].tolist() == [0, 1, 1, 0, 1, 0, 0, 1, 1]
    assert data.frame["choice"].tolist() == panel["choice"].tolist()
    assert other.attribute("price").tolist() == panel["price"].tolist()


def test_who_chose_has_to_be_said(panel, roles):
    del roles["person"]
    with pytest.raises(DataError, match=r"argument 'person' is not given: .* person=None"):
        ChoiceData.from_long(panel, **roles)
