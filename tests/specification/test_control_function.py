"""What a control function is made of, and what is refused in words."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.specification.record import model_from_record, model_record
from tests.markets_with_shocks import control, data_of, frame

TABLE = frame(1, 12, 3, 3)
LEVEL = (TABLE["market"] * 3 + TABLE["alt"]).to_numpy()


def designed(table: pd.DataFrame = TABLE, formula: str = "price + quality", **options: object):
    return bm.MixedLogit(formula, control=control(**options)).design(data_of(table))


def test_its_record_makes_it_again() -> None:
    model = bm.MixedLogit("price", control=control(powers=2, exogenous="quality", cluster="alt"))
    assert model_from_record(model_record(model)) == model
    assert "residual[price], residual[price]^2 of price on cost + wage beside quality" in str(model)


def test_exogenous_attributes_enter_where_they_are_of_levels() -> None:
    table = TABLE.assign(distance=np.random.default_rng(1).normal(size=len(TABLE)))
    first = designed(table, "price + price:distance + quality + distance + C(alt)").residuals.first
    assert first.names == ("1", "quality", "alt[1]", "alt[2]", "cost", "wage")
    assert first.left_out == ("distance (varies within levels)",)
    assert first.excluded.tolist() == [False] * 4 + [True] * 2
    # All constants of alternatives, which an outside option identifies, sum to the constant.
    outside = bm.ChoiceData.from_long(
        table, person=None, situation="who", alternative="alt", chosen="choice", outside_option=True
    )
    model = bm.MixedLogit("price + C(alt)", control=control())
    left = model.design(outside).residuals.first.left_out
    assert left == ("alt[2] (a combination of the others)",)
    # A constant that inside goods share is the first stage's own.
    shared = bm.MixedLogit("1 + price + quality", control=control()).design(outside)
    assert shared.residuals.first.names == ("1", "quality", "cost", "wage")
    assert shared.residuals.first.left_out == ("Intercept (a combination of the others)",)
    asked = designed(table, "price + quality + distance", exogenous="C(alt)").residuals.first
    assert asked.names == ("1", "alt[1]", "alt[2]", "cost", "wage")


def test_residuals_are_the_same_whatever_is_far_from_zero() -> None:
    near, far = (designed(TABLE.assign(cost=TABLE["cost"] + shift)) for shift in (0.0, 1e5))
    np.testing.assert_allclose(
        near.residuals.first.residual, far.residuals.first.residual, atol=1e-8
    )


def test_categories_are_instruments() -> None:
    regions = np.array(["n", "s", "w"])[np.arange(36) % 3]
    table = TABLE.assign(region=regions[(TABLE["market"] + TABLE["alt"]) % 3])
    first = designed(table, instruments="cost + C(region)").residuals.first
    assert first.names[-2:] == ("region[s]", "region[w]")


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        (
            TABLE.assign(price=TABLE["price"] + TABLE["who"]),
            {},
            "price' is not the same in all row",
        ),
        (TABLE.assign(cost=TABLE["who"] * 1.0), {}, "instruments column 'cost' is not the same"),
        (TABLE.assign(cost=2.0 * TABLE["quality"] + 1.0), {}, "'cost' is a combination of exogen"),
        (
            TABLE,
            {"instruments": "quality + cost", "exogenous": "1"},
            "'quality' is a column of the",
        ),
        (TABLE.assign(cost=TABLE["market"] * 1.0, wage=1.0), {}, "no instrument varies within any"),
        (TABLE.assign(price=1.0), {}, "is 1 in all 36 levels"),
        (TABLE.assign(price=TABLE["cost"] - TABLE["wage"]), {}, "its residual does not vary"),
        (TABLE, {"on": ("markt", "alt")}, "markt"),
        (TABLE, {"instruments": "cots"}, "cots"),
        (TABLE, {"on": ("market",)}, "price' is not the same"),
        (TABLE, {"cluster": "who"}, "clusters of column 'who' is not the same"),
        (TABLE.assign(all=1), {"cluster": "all"}, "need two, and are good with some tens"),
        (TABLE.assign(cost=np.where(LEVEL == 3, np.nan, 1.0)), {}, "cost.* is missing"),
        (TABLE, {"on": ("alt", "market"), "exogenous": "C(market):C(alt)"}, "'cost' is a combin"),
    ],
)
def test_bad_input_is_refused_by_name(table: pd.DataFrame, options: dict, words: str) -> None:
    with pytest.raises(bm.DataError, match=words):
        designed(table, **options)


def test_what_cannot_be_a_control_function() -> None:
    for options, words in (
        ({"instruments": "cost + price"}, "the endogenous column itself"),
        ({"instruments": "1"}, "a constant alone"),
        ({"exogenous": "price"}, "the endogenous column itself"),
        ({"instruments": "open('x')"}, "formula"),
    ):
        with pytest.raises(bm.SpecificationError, match=words):
            bm.MixedLogit("price", control=control(**options))
    with pytest.raises(bm.SpecificationError, match="does not depend on column 'price'"):
        designed(TABLE, "quality")
    with pytest.raises(bm.SpecificationError, match="argument 'powers'"):
        control(powers=0)
    model = bm.MixedLogit("price", bm.Normal("residual"), control=control())
    with pytest.raises(bm.SpecificationError, match="random term 'residual"):
        model.design(data_of(TABLE))
    named = TABLE.rename(columns={"quality": "residual[price]"})
    with pytest.raises(bm.SpecificationError, match="which ControlFunction adds"):
        designed(named, "price + `residual[price]`")


def test_check_reports_it() -> None:
    data = data_of(TABLE.assign(price=TABLE["cost"] - TABLE["wage"]))
    found = bm.check(bm.MixedLogit("price", control=control()), data)
    assert not found.ok
    assert "does not vary" in str(found)
    assert bm.check(bm.MixedLogit("price + quality", control=control()), data_of(frame(1))).ok


def test_there_are_more_levels_than_coefficients() -> None:
    few = TABLE[TABLE["market"] < 2]
    with pytest.raises(bm.DataError, match="has 6 levels, and the first stage 6 coefficients"):
        designed(few, "price + quality", exogenous="quality + C(alt)")
