"""What is computed from a column does not depend on the type that its numbers are stored in."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest

from bayesmix import Normal
from bayesmix.data.choices import ChoiceData
from bayesmix.data.segments import segments_of
from bayesmix.errors import DataError
from bayesmix.formulas.formula import evaluate
from bayesmix.specification.covariates import covariates

PRICE = [20, 100, 90, 35, 60, 75, 50, 45, 80]
FORMULA = "price + I(price**2) + log(price) + I(price*price - 60) + I(price**-1) + I(exp(price))"


def exact(price):
    return np.column_stack(
        [price, price**2, np.log(price), price * price - 60, 1 / price, np.exp(price)]
    )


def objects(kind):
    return np.array([kind(v) for v in PRICE], dtype=object)


STORED = {
    **{t: np.array(PRICE, dtype=t) for t in ("int8", "uint8", "int16", "int32", "float16")},
    **{t: np.array(PRICE, dtype=t) for t in ("uint64", "float32", "longdouble")},
    **{t: pd.array(PRICE, dtype=t) for t in ("Int8", "UInt16", "Float32", "int8[pyarrow]")},
    "arrow decimal": pd.array([Decimal(v) for v in PRICE], dtype="object"),
    "Decimal": objects(Decimal),
    "Fraction": objects(Fraction),
    "int": objects(int),
    "int and float": np.array([int(v) if v > 50 else float(v) for v in PRICE], dtype=object),
    "int and Decimal": np.array([v if v > 50 else Decimal(v) for v in PRICE], dtype=object),
}


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_formulas_on_numbers_of_any_storage(panel, roles, stored):
    data = ChoiceData.from_long(panel.assign(price=stored), **roles)
    np.testing.assert_array_equal(evaluate(FORMULA, data).values, exact(np.array(PRICE, float)))
    assert data.frame["price"].dtype in (np.int64, np.float64)
    assert data.frame["price"].tolist() == PRICE


@pytest.mark.parametrize("kind", [pl.UInt8, pl.Int16, pl.Float32, pl.Decimal(6, 2), pl.Int128])
def test_formulas_on_polars(panel, roles, kind):
    frame = pl.DataFrame(panel.assign(price=PRICE).to_dict("list"))
    frame = frame.with_columns(pl.col("price").cast(kind))
    data = ChoiceData.from_long(frame, **roles)
    np.testing.assert_array_equal(evaluate(FORMULA, data).values, exact(np.array(PRICE, float)))


def test_whole_numbers_do_not_wrap_where_int64_would(panel, roles):
    data = ChoiceData.from_long(panel.assign(price=PRICE), **roles)
    values = evaluate("price + I(price**10)", data).values
    np.testing.assert_array_equal(values[:, 1], np.array(PRICE, float) ** 10)


@pytest.mark.parametrize("kind", ["bool", "boolean", "bool[pyarrow]", "object"])
def test_booleans_add_up(panel, roles, kind):
    feat, disp = np.arange(9) % 2 == 0, np.arange(9) % 3 == 0
    frame = panel.assign(feat=pd.array(feat, dtype=kind), disp=pd.array(disp, dtype=kind))
    data = ChoiceData.from_long(frame, **roles)
    values = evaluate("I(feat + disp) + feat:price", data).values
    np.testing.assert_array_equal(values[:, 0], feat.astype(float) + disp)
    np.testing.assert_array_equal(values[:, 1], feat * panel["price"])
    assert data.frame["feat"].tolist() == [1, 0] * 4 + [1]


def test_a_frame_that_was_transposed(panel, roles):
    data = ChoiceData.from_long(panel.T.T.assign(price=panel["price"].astype(object)), **roles)
    plain = ChoiceData.from_long(panel, **roles)
    numbers = ["task", "choice", "price"]
    pd.testing.assert_frame_equal(data.frame[numbers], plain.frame[numbers])
    assert data.situations.equals(plain.situations)


def test_categories_keep_their_names(panel, roles):
    """Whole numbers stay whole: a level is 2, not 2.0."""
    frame = panel.assign(size=np.array([1, 2, 3] * 3, dtype=np.uint8))
    data = ChoiceData.from_long(frame, **roles)
    assert evaluate("C(size) + I(size**5)", data).names == ("size[2]", "size[3]", "I(size ** 5)")


def test_labels_keep_their_type_and_value(panel, roles):
    frame = panel.assign(who=np.array([3, 3, 3, 3, 7, 7, 7, 7, 7], dtype=np.int8))
    frame["task"] = frame["task"].astype("UInt8")
    data = ChoiceData.from_long(frame, **roles)
    assert data.persons.tolist() == [3, 7]
    assert data.situations.tolist()[0] == (3, 1)
    assert data.persons.dtype.kind == "i"
    assert data.frame["task"].dtype == np.int64
    half = ChoiceData.from_long(frame.assign(who=frame["who"].astype(np.float16)), **roles)
    assert half.persons.tolist() == [3.0, 7.0]
    truth = ChoiceData.from_long(panel.assign(mode=panel["mode"] == "bus"), **roles)
    assert truth.alternatives == (False, True)


def test_missing_numbers_stay_missing(panel, roles):
    frame = panel.assign(price=pd.array([1, None] + [2] * 7, dtype="Int8"))
    data = ChoiceData.from_long(frame, **roles)
    with pytest.raises(DataError, match=r"'price' is missing in 1 of 9 rows .*row 101"):
        evaluate("log(price)", data)


def test_numbers_beyond_floating_point_are_said(panel, roles):
    big = np.array([2**53 + 1, 2**53] + [1] * 7)
    for stored in (big, big.astype(np.uint64), pd.array(big, dtype="Int64"), big.astype(object)):
        data = ChoiceData.from_long(panel.assign(x=stored), **roles)
        assert data.frame["x"].tolist() == big.tolist()
        message = r"'x' holds whole numbers beyond 2\*\*53.* in 1 rows \(rows 100: 9007199254740993"
        for formula in ("x", "log(x)"):
            with pytest.raises(DataError, match=message):
                evaluate(formula, data)
    data = ChoiceData.from_long(panel.assign(x=pd.array([*big[:8], None], dtype="Int64")), **roles)
    assert data.frame["x"].iloc[0] == 2**53 + 1
    assert evaluate("C(x)", ChoiceData.from_long(panel.assign(x=big), **roles)).names == (
        "x[9007199254740992]",
        "x[9007199254740993]",
    )


def test_covariates_weights_and_offsets(panel, roles):
    income = panel["who"].map({"ann": 100, "bob": 120})
    frame = panel.assign(income=income.astype(np.int8), off=np.full(9, 100, dtype=np.int8))
    frame["w"] = panel["who"].map({"ann": Fraction(1, 2), "bob": Decimal(3)}).astype(object)
    data = ChoiceData.from_long(frame, **roles, weights="w", offset="off")
    assert data.weights.tolist() == [0.5, 3.0]
    assert (data.attribute("off") * 2 == 200).all()
    law = Normal("price", mean="1 + I(income * income)")
    assert covariates(law.coefficients, data).values[:, 0].tolist() == [10000.0, 14400.0]


# scenarios


@pytest.mark.parametrize("kind", ["int8", "UInt8", "int8[pyarrow]", "float16"])
def test_what_functions_of_a_scenario_see_and_give(panel, roles, kind):
    data = ChoiceData.from_long(panel.assign(price=pd.Series(PRICE, panel.index, kind)), **roles)
    doubled = data.with_attribute("price", lambda rows: rows["price"] * rows["price"])
    assert doubled.attribute("price").tolist() == [v * v for v in PRICE]
    given = data.with_attribute("price", np.arange(9, dtype=np.int8))
    values = evaluate("price + I(price * 100)", given).values
    assert values[:, 1].tolist() == [100.0 * v for v in range(9)]
    decimals = data.with_attribute("price", [Decimal(v) for v in range(1, 10)])
    assert evaluate("log(price)", decimals).values[:, 0].tolist() == np.log(range(1, 10)).tolist()
    more = data.with_alternative("tram", {"price": pd.array([9] * 5, dtype="Int8")})
    assert set(more.frame["price"]) == {*PRICE, 9}
    assert more.frame["price"].dtype.kind in "if"


def test_true_and_false_in_scenarios(panel, roles):
    feat = np.arange(9) % 2 == 0
    data = ChoiceData.from_long(panel.assign(feat=feat), **roles)
    assert data.with_attribute("feat", False).attribute("feat").tolist() == [0.0] * 9
    dearer = data.with_attribute("price", 0.0, where=lambda rows: rows["feat"])
    assert dearer.frame["price"].tolist() == np.where(feat, 0.0, panel["price"]).tolist()
    flipped = data.with_attribute("feat", lambda rows: 1 - rows["feat"])
    assert flipped.attribute("feat").tolist() == (~feat).tolist()
    with pytest.raises(DataError, match=r"'feat' holds 0 and 1, of which ~ makes -1 and -2"):
        data.with_attribute("feat", lambda rows: ~rows["feat"])
    with pytest.raises(DataError, match=r"True and False: .* frame\['x'\] == 0"):
        data.with_attribute("price", 0.0, where=lambda rows: ~rows["feat"])


def test_segments_of_true_and_false_keep_their_names(panel, roles):
    frame = panel.assign(old=panel["who"] == "bob")
    data = ChoiceData.from_long(frame, **roles)
    assert data.booleans == {"old"}
    codes, names = segments_of(data, "old", data)
    assert [name is True for name in names] == [False, True]
    assert codes.tolist() == [0, 0, 1, 1, 1]
    assert data.with_attribute("price", 0.0).booleans == {"old"}


# from_wide


def test_a_boolean_beside_a_number_in_wide(roles):
    wide = pd.DataFrame({"mode": ["bus", "car", "bus"], "bus_p": [1.0, 2.0, 3.0]})
    wide["car_p"] = np.array([3, 2, 1], dtype=np.int8)
    wide["has_car"], wide["toll"] = [True, True, False], pd.array([True, False, True], "boolean")
    data = ChoiceData.from_wide(
        wide,
        chosen="mode",
        alternatives=["bus", "car"],
        varying={"p": "{alternative}_p", "toll": {"bus": 0, "car": "toll"}},
        availability={"bus": 1, "car": "has_car"},
    )
    assert np.diff(data.situation_start).tolist() == [2, 2, 1]
    assert data.attribute("toll").tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]
    assert data.attribute("p").tolist() == [1.0, 3.0, 2.0, 2.0, 3.0]
