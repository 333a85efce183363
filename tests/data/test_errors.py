"""Every kind of bad input is refused with a message that says where, how much, and what to do."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmix.data.attributes import check_complete, check_numeric
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import DataError
from bayesmix.likelihood.bind import bind
from bayesmix.specification.model import MixedLogit


def refused(frame, roles, message, **more):
    with pytest.raises(DataError, match=message):
        ChoiceData.from_long(frame, **roles | more)


# frames and columns


@pytest.mark.parametrize("frame", [[1, 2], {"a": [1]}, np.ones((2, 2)), None])
def test_not_a_frame(roles, frame):
    refused(frame, roles, f"must be a data frame .* got {type(frame).__name__}")


def test_lazy_frame(panel, roles):
    lazy = pl.DataFrame(panel.to_dict("list")).lazy()
    refused(lazy, roles, "got LazyFrame: collect a lazy frame first")


def test_empty_frame(panel, roles):
    refused(panel.iloc[:0], roles, "frame has no rows: check the filter")


def test_missing_column_names_the_nearest(panel, roles):
    refused(panel, roles, "chosen='choise': .* did you mean 'choice'", chosen="choise")
    refused(panel, roles, "person='WHO': .* did you mean 'who'", person="WHO")
    refused(
        panel, roles, "situation='q7': .* it has 'who', 'task', 'mode', 'choice'", situation="q7"
    )


def test_column_in_the_index(panel, roles):
    refused(panel.set_index("who"), roles, r"person='who': .* call frame.reset_index\(\) first")


def test_column_with_two_roles(panel, roles):
    refused(panel, roles, "'choice' is both chosen and availability", availability="choice")
    refused(panel, roles, "'task' is both person and situation: .* person=None", person="task")


def test_columns_of_the_same_name(panel, roles):
    twice = pd.concat([panel, panel[["price"]]], axis=1)
    refused(twice, roles, "columns of the same name: 'price'; rename one")


def test_levels_of_columns(panel, roles):
    refused(pd.concat({"a": panel}, axis=1), roles, "more than one level of column names")


@pytest.mark.parametrize("column", ["who", "task", "mode", "choice", "here", "w"])
def test_missing_values_in_structural_columns(panel, roles, column):
    panel = panel.assign(here=1, w=1.0).astype({column: object})
    panel.loc[[101, 102, 104, 108], column] = None
    message = rf"'{column}' has missing values in 4 of 9 rows \(rows 101, 102, 104 and 1 more\)"
    refused(panel, roles, message + ": fill", availability="here", weights="w")


# choices and sets


def test_no_choice(panel, roles):
    panel.loc[[100, 106], "choice"] = 0
    refused(
        panel,
        roles,
        r"situation 1 of person 'ann' has 0 chosen rows; expected exactly 1: check column "
        r"'choice', or give outside_option=True .*; 1 more situation like it "
        r"\(situation 2 of person 'bob'\)$",
    )


def test_two_choices(panel, roles):
    panel.loc[103:104, "choice"] = 1
    panel.loc[[101, 102, 107], "choice"] = 1
    refused(
        panel,
        roles,
        r"situation 1 of person 'ann' has 2 chosen rows; expected exactly 1: check column "
        r"'choice'; 3 more situations like it \(situation 2 of person 'ann', situation 1 of "
        r"person 'bob', \.\.\.\)$",
    )


def test_two_choices_with_outside_option(panel, roles):
    panel.loc[101, "choice"] = 1
    panel.loc[108, "choice"] = 0
    refused(
        panel,
        roles,
        "situation 1 of person 'ann' has 2 chosen rows; expected at most 1: check column 'choice'$",
        outside_option=True,
    )


def test_cross_section_does_not_name_persons(panel, roles):
    panel["task"] = [1, 1, 2, 2, 3, 3, 4, 4, 5]
    panel.loc[100, "choice"] = 0
    refused(panel, roles, "^situation 1 has 0 chosen rows", person=None)


@pytest.mark.parametrize("outside_option", [False, True])
def test_chosen_but_unavailable(panel, roles, outside_option):
    panel["here"] = panel.index != 103
    refused(
        panel,
        roles,
        r"^alternative 'car' in situation 2 of person 'ann' \(row 103\) is chosen but not "
        r"available: check columns 'choice' and 'here'$",
        availability="here",
        outside_option=outside_option,
    )


def test_nothing_available(panel, roles):
    refused(
        panel.assign(here=0, choice=0),
        roles,
        r"situation 1 of person 'ann' has no available alternative: drop its rows, or check column "
        r"'here'; 4 more situations like it \(situation 2 of person 'ann'",
        availability="here",
        outside_option=True,
    )


def test_duplicate_alternative(panel, roles):
    panel.loc[101, "mode"] = "bus"
    refused(
        panel,
        roles,
        r"alternative 'bus' in situation 1 of person 'ann' \(row 101\) occurs more than once: "
        "check the columns that identify situation and alternative$",
    )


def test_task_numbers_without_persons(panel, roles):
    message = "if situations are numbered within persons, give person=; 3 more rows"
    refused(panel, roles, message, person=None)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ["bus"] * 9,
            r"'choice' holds 'bus'; expected 0/1 or True/False: for labels, compare them",
        ),
        ([1, 2] * 4 + [1], r"'choice' holds 2.0 in 4 rows \(rows 101, 103, 105 and 1 more\)"),
        (["1", "0"] * 4 + ["1"], "'choice' holds '1', '0'; expected 0/1 or True/False"),
    ],
)
def test_choices_are_not_0_or_1(panel, roles, values, message):
    refused(panel.assign(choice=values), roles, message)


def test_availability_is_not_0_or_1(panel, roles):
    panel["here"] = [1, 1, 1, 0.5, 1, 1, 1, -1, 1]
    message = r"'here' holds -1.0, 0.5 in 2 rows \(rows 103, 107\); expected 0/1 or True/False"
    refused(panel, roles, message, availability="here")


# sizes: data of any size are data, and what is estimated needs several


def not_estimable(frame, roles, message, **changes):
    data = ChoiceData.from_long(frame, **(roles | changes))
    with pytest.raises(DataError, match=message):
        bind(MixedLogit("price"), data)


def test_single_alternative(panel, roles):
    buses = panel[panel["mode"] == "bus"].assign(choice=1)
    message = "a single alternative, 'bus': add the rows .* outside_option=True"
    not_estimable(buses, roles, message)


def test_single_person(panel, roles):
    bob = panel[panel["who"] == "bob"]
    not_estimable(bob, roles, "'who' holds a single person, 'bob': .* person=None")
    assert ChoiceData.from_long(bob, **roles | {"person": None}).n_persons == 3


def test_single_situation(panel, roles):
    first = panel.loc[[100, 101]]
    said = "a single choice, situation 1 of person 'ann', to estimate from: check column 'task'"
    not_estimable(first, roles, said)
    not_estimable(first, roles, "a single choice, situation 1, to estimate", person=None)


# weights


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf])
def test_weights_are_positive_and_finite(panel, roles, bad):
    panel["w"] = panel["who"].map({"ann": 1.0, "bob": bad})
    message = (
        rf"weights column 'w' holds {bad} in 5 rows \(rows 104, 105, 106 and 2 more\); "
        "expected positive finite numbers: drop the people"
    )
    refused(panel, roles, message, weights="w")


def test_weights_are_constant_within_a_person(panel, roles):
    panel["w"] = [1, 1, 1, 1, 1, 1, 1, 2, 1]
    message = (
        r"'w' varies within person 'bob' \(1.0, 2.0\); expected one weight per person: .* mean"
    )
    refused(panel, roles, message, weights="w")


def test_weights_are_numbers(panel, roles):
    message = "weights column 'who' holds 'ann', 'bob'; .* pandas.to_numeric"
    refused(panel.assign(n=panel["who"]), roles, message, person="n", weights="who")


# attributes, checked when they are used


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "missing"), (np.inf, "infinite")])
def test_missing_and_infinite_attributes(panel, roles, bad, word):
    panel.loc[[108, 102, 103, 101], "price"] = bad
    data = ChoiceData.from_long(panel, **roles)
    with pytest.raises(DataError) as caught:
        data.attribute("price")
    assert str(caught.value) == (
        f"column 'price' is {word} in 4 of 9 rows (alternative 'car' in situation 1 of person "
        "'ann' (row 101); alternative 'bus' in situation 2 of person 'ann' (row 102); alternative "
        "'car' in situation 2 of person 'ann' (row 103); and 1 more): fill the values in, drop "
        "these situations, or mark the rows unavailable (availability=)"
    )


def test_missing_attribute_column(panel, roles):
    data = ChoiceData.from_long(panel, **roles)
    for check in (check_numeric, check_complete):
        with pytest.raises(DataError, match="no column 'pirce'; did you mean 'price'"):
            check(data, "pirce")


@pytest.mark.parametrize(
    "values",
    [
        ["cheap"] * 9,
        pd.Categorical(range(9)),
        pd.date_range("2020-01-01", periods=9),
        pd.Series([1, "2"] * 4 + [3], dtype=object).to_numpy(),
    ],
)
def test_attribute_that_is_not_numeric(panel, roles, values):
    data = ChoiceData.from_long(panel.assign(comfort=values), **roles)
    with pytest.raises(DataError, match=r"'comfort' is not numeric: it holds .* C\(comfort\)"):
        data.attribute("comfort")
    assert check_complete(data, "comfort").tolist() == list(values)


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, 0] * 4 + [1], dtype="Int64"),
        pd.array([True, False] * 4 + [True], dtype="boolean"),
        np.array([1, 0] * 4 + [1], dtype=bool),
        np.array([1, 0] * 4 + [1], dtype=np.uint8),
        np.array([Decimal(1), Decimal(0)] * 4 + [Decimal(1)], dtype=object),
    ],
)
def test_kinds_of_numbers(panel, roles, values):
    attribute = ChoiceData.from_long(panel.assign(x=values), **roles).attribute("x")
    assert attribute.dtype == np.float64
    assert attribute.tolist() == [1.0, 0.0] * 4 + [1.0]


# choice data made by hand


def test_arrays_that_do_not_agree(panel, roles):
    data = ChoiceData.from_long(panel, **roles)
    with pytest.raises(DataError, match="weights 3, expected 2: use ChoiceData"):
        replace(data, weights=np.ones(3))
    with pytest.raises(DataError, match=r"not a row of its own situation .* \(situations 0, 4\)"):
        data.with_choices(np.array([-1, 2, 4, 6, 0]))
