"""From formulas to columns: coding of categories, names, checks."""

import numpy as np
import pandas as pd
import pytest

from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.formula import bases, columns_like, columns_of, evaluate, read
from bayesmix.specification.covariates import check_mean
from tests.oracles import choice_frame, choices


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    frame = choice_frame(rng)
    frame["comfort"] = rng.choice(["low", "high"], len(frame))
    frame["my price"] = frame["price"]
    frame["fast"] = frame["time"] < 0
    frame["objects"] = pd.Series(frame["time"].tolist(), dtype=object)
    frame["first"] = frame["price"].where(frame.index > 3)
    frame["zero"] = frame["price"] * 0.0
    return frame


@pytest.fixture(scope="module")
def data(frame):
    return choices(frame)


@pytest.fixture(scope="module")
def outside():
    frame = choice_frame(np.random.default_rng(1), outside=True)
    return choices(frame, outside_option=True)


BASED = ("mode[car]", "mode[train]")
FULL = ("mode[bus]", "mode[car]", "mode[train]")


def across(modes, *levels):
    """Names of the interactions of the constants with other columns, in formulaic's order."""
    return tuple(f"{mode}:{level}" for level in levels for mode in modes)


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("price + time", ("price", "time")),
        ("price + C(mode)", ("price", *BASED)),
        ("price - 1", ("price",)),
        ("C(mode, contr.treatment(base='car'))", ("mode[bus]", "mode[train]")),
        ("C(mode, levels=['train', 'bus', 'car'])", ("mode[bus]", "mode[car]")),
        # What does not vary within situations is coded against a base, constants given or not.
        ("C(mode):income", across(BASED, "income")),
        ("C(mode) + C(mode):income", (*BASED, *across(BASED, "income"))),
        ("C(mode):C(group)", across(BASED, "group[old]", "group[young]")),
        ("C(mode) + C(mode):C(group)", (*BASED, *across(BASED, "group[young]"))),
        ("C(mode):income:weight", across(BASED, "income:weight")),
        ("C(mode):C(group):income", across(BASED, "group[old]:income", "group[young]:income")),
        # What does vary is not: each alternative has its own slope.
        ("C(mode):price", across(FULL, "price")),
        ("price + C(mode):price", ("price", *across(BASED, "price"))),
        ("price:C(group)", ("price:group[old]", "price:group[young]")),
        ("price + price:C(group)", ("price", "price:group[young]")),
        ("price + C(comfort)", ("price", "comfort[low]")),
        ("price:income + price", ("price", "price:income")),
        ("np.log(price ** 2) + {time * 2}", ("np.log(price ** 2)", "time * 2")),
        ("`my price` + time", ("my price", "time")),
        ("fast + objects", ("fast", "objects")),
    ],
)
def test_columns_without_an_outside_option(data, formula, names):
    assert evaluate(formula, data).names == names


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("price + C(mode)", ("price", *FULL)),
        ("1", ("Intercept",)),
        ("1 + price", ("Intercept", "price")),
        ("price + 1 + C(mode)", ("Intercept", "price", *BASED)),
        ("0 + price", ("price",)),
        ("price - 1", ("price",)),
        ("C(mode):income", across(FULL, "income")),
        ("C(mode) + C(mode):C(group)", (*FULL, *across(FULL, "group[young]"))),
        ("C(group) + price", ("group[old]", "group[young]", "price")),
        ("income + price", ("income", "price")),
        ("C(mode) * income", (*FULL, "income", *across(BASED, "income"))),
    ],
)
def test_columns_with_an_outside_option(outside, formula, names):
    assert evaluate(formula, outside).names == names


def test_a_constant_alone_cancels_without_an_outside_option(data):
    with pytest.raises(SpecificationError, match=r"'1' has no term: write"):
        evaluate("1", data)


@pytest.mark.parametrize("role", ["a mean", "class shares"])
def test_a_constant_alone_is_no_covariate(role):
    with pytest.raises(SpecificationError, match=r"'1 \+ 1' has no term"):
        check_mean("1 + 1", role)


@pytest.mark.parametrize("formula", ["1", "1 + price"])
def test_a_constant_against_the_outside_option_is_1_everywhere(outside, formula):
    columns = evaluate(formula, outside)
    np.testing.assert_array_equal(columns.values[:, 0], 1.0)
    again = columns_like(formula, outside, columns.state)
    assert again.names == columns.names
    np.testing.assert_array_equal(again.values, columns.values)


@pytest.mark.parametrize("formula", ["1 + price", "price + 1", "price + C(mode) + 1"])
def test_a_constant_that_cancels_is_refused(data, formula):
    with pytest.raises(SpecificationError, match=r"common to all.*cancels.*write C\(mode\) for"):
        evaluate(formula, data)


def test_values_are_those_of_the_named_columns(data):
    columns = evaluate("price + np.exp(time) + C(mode) + C(mode):income + C(mode):C(group)", data)
    assert columns.values.flags.c_contiguous
    frame = data.frame
    car = (frame["mode"] == "car").to_numpy(float)
    young = (frame["group"] == "young").to_numpy(float)
    expected = {
        "price": frame["price"],
        "np.exp(time)": np.exp(frame["time"]),
        "mode[car]": car,
        "mode[car]:income": car * frame["income"],
        "mode[car]:group[young]": car * young,
    }
    assert set(expected) < set(columns.names)
    for name, values in expected.items():
        np.testing.assert_array_equal(columns.values[:, columns.names.index(name)], values)


def test_two_bases_span_the_same_utilities(data):
    first = evaluate("C(mode)", data).values
    other = evaluate("C(mode, contr.treatment(base='train'))", data).values
    both = np.column_stack([first, other, np.ones(len(first))])
    assert np.linalg.matrix_rank(both) == 3


def test_the_users_frame_is_left_alone(data):
    before = data.frame.copy()
    evaluate("objects + price", data)
    pd.testing.assert_frame_equal(data.frame, before)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("", r"empty or not text: ''; write 'price \+ time'"),
        ("   ", "empty or not text"),
        (None, "empty or not text: None"),
        ("0", r"'0' has no term: write"),
        ("1 - 1", r"'1 - 1' has no term"),
        ("choice ~ price", "more than one part: write the utility alone, without '~'"),
        ("price | time", "more than one part"),
        ("price +", r"cannot read the formula 'price \+'"),
        ("price time", "cannot read the formula 'price time': Missing operator"),
    ],
)
def test_a_formula_that_cannot_be_read(formula, message):
    with pytest.raises(SpecificationError, match=message) as caught:
        read(formula)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("prise + time", DataError, "no column 'prise'; did you mean 'price'"),
        ("mode + price", DataError, r"'mode' is not numeric: it holds 'bus'.*write C\(mode\)"),
        ("price + C(mode):group", DataError, r"'group' is not numeric.*write C\(group\)"),
        ("first + time", DataError, r"'first' is missing in 4 of .* rows \(alternative 'bus'"),
        ("C(first) + time", DataError, "'first' is missing in 4"),
        (
            "np.log(zero) + time",
            DataError,
            r"'np.log\(zero\)' .* NaN or infinite .* first in row 0",
        ),
        ("price + choice", SpecificationError, "uses column 'choice', which holds the choices"),
        ("price:C(choice)", SpecificationError, "uses column 'choice'"),
        ("C(mode, contr.treatment(base='tram'))", SpecificationError, "cannot evaluate .*'tram'"),
    ],
)
def test_a_formula_that_does_not_fit_the_data(data, formula, error, message):
    with pytest.raises(error, match=message):
        evaluate(formula, data)


def test_the_row_named_in_a_message_is_the_users(frame):
    labelled = frame.set_index(pd.Index([f"r{i}" for i in range(len(frame))]))[::-1]
    labelled["cost"] = 1.0
    labelled.loc["r7", "cost"] = 0.0
    with pytest.raises(DataError, match="infinite in 1 rows, first in row 'r7'"):
        evaluate("np.log(cost) + price", choices(labelled))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("~price", "more than one part: write the utility alone, without '~'"),
        ("choice ~ price + time", "more than one part"),
        ("poly(price, 0) + time", r"term 'poly\(price, 0\)' .* has no column"),
        ("price + C(one)", "term 'one' .* has no column: a category of one level"),
        ("bs(price, df=0)", "df= of .* must be 1 at least"),
        ("bs(price, degree=1.5)", "degree= of .* must be 1 at least"),
        ("np.where(price > 0)", "is not one number a row: give its functions all"),
        ("price + C(mode, Treatment('tram'))", "'tram'.*; check levels and contrasts"),
    ],
)
def test_what_would_be_left_out_or_is_no_column_is_refused(frame, formula, words):
    with pytest.raises(SpecificationError, match=words):
        evaluate(formula, choices(frame.assign(one="same")))


BUS, YOUNG = "mode against bus", "group against old"


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("price + C(mode)", ["", BUS, BUS]),
        ("C(mode, contr.treatment(base='car'))", ["mode against car"] * 2),
        ("C(mode, levels=['train', 'bus', 'car'])", ["mode against train"] * 2),
        ("C(mode, contr.sum)", ["mode in sum contrasts of bus, car, train"] * 2),
        # A slope that differs between categories is the base's.
        ("price * C(mode)", [BUS] * 5),
        ("C(mode):price", ["", "", ""]),
        ("C(mode):income", [BUS] * 2),
        ("C(mode) + C(mode):C(group)", [f"{YOUNG}, {BUS}"] * 4),
        ("C(mode):C(group)", [BUS] * 4),
        ("price:C(group)", ["", ""]),
        ("np.log(price ** 2) + {time * 2}", ["", ""]),
    ],
)
def test_what_columns_are_measured_against(data, formula, found):
    columns = evaluate(formula, data)
    assert bases(columns.state) == dict(zip(columns.names, found, strict=True))


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("price + C(mode)", ["", "", "", ""]),
        ("1 + price", ["", ""]),
        ("price + 1 + C(mode)", [BUS, "", BUS, BUS]),
    ],
)
def test_what_constants_are_measured_against(outside, formula, found):
    columns = evaluate(formula, outside)
    names = [columns.names.index(n) for n in bases(columns.state)]
    assert names == list(range(len(found)))
    assert list(bases(columns.state).values()) == found


def test_what_covariates_are_measured_against(data):
    found = bases(columns_of("1 + C(group)", data).state)
    assert found == {"Intercept": YOUNG, "group[young]": YOUNG}
