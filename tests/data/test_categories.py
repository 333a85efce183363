"""Categories that no row has are no levels; 0 and 1 are numbers whatever they are stored as."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import DataError
from bayesmix.formulas.formula import evaluate
from bayesmix.likelihood.bind import bind, bind_scenario
from tests.simulated import attributes, choice_data

ROLES = {"person": "id", "situation": "t", "alternative": "alt", "chosen": "y"}


def frame(unused: bool) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = pd.MultiIndex.from_product([range(30), range(3), list("abc")])
    table = rows.to_frame(index=False, name=["id", "t", "alt"])
    table["price"] = rng.normal(size=270)
    table["y"] = (np.tile([0, 1, 2], 90) == rng.integers(3, size=90).repeat(3)) * 1
    levels = ["Aaron", "Acme", "Bolt", "Cord", "Dune"] if unused else ["Acme", "Bolt", "Cord"]
    table["brand"] = pd.Categorical(rng.choice(["Acme", "Bolt", "Cord"], 270), categories=levels)
    where = ["east", "north", "south", "west"] if unused else ["north", "south"]
    table["region"] = pd.Categorical(np.take(["north", "south"], table["id"] % 2), categories=where)
    table["here"] = 1
    return table


MODELS = {
    "utility": bm.MixedLogit("price + C(brand)"),
    "interaction": bm.MixedLogit("price + price:C(region)"),
    "mean": bm.MixedLogit("price", random=[bm.Normal("price", mean="1 + C(region)")]),
    "share": bm.MixedLogit(
        "price", random=[bm.LatentClass("price", classes=2, share="1 + C(region)")]
    ),
    "scale": bm.MixedLogit("price", scale="region"),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_categories_without_rows_are_no_levels(model):
    """As if they had been removed: the same parameters and columns."""
    found, expected = (bind(model, ChoiceData.from_long(frame(u), **ROLES)) for u in (True, False))
    assert found.parameters.names == expected.parameters.names
    np.testing.assert_array_equal(found.design.random, expected.design.random)
    np.testing.assert_array_equal(found.design.fixed, expected.design.fixed)


def test_a_level_of_unavailable_rows_alone_is_none():
    table = frame(False)
    table.loc[table["y"] == 1, "brand"] = "Acme"
    table.loc[table["brand"] == "Cord", "here"] = 0
    data = ChoiceData.from_long(table, **ROLES, availability="here")
    assert evaluate("C(brand)", data).names == ("brand[Bolt]",)


def test_a_scenario_keeps_the_levels_that_were_learnt():
    data = ChoiceData.from_long(frame(True), **ROLES)
    problem = bind(bm.MixedLogit("price + C(brand)"), data)
    gone = data.with_attribute("brand", "Bolt", where=lambda rows: rows["brand"] == "Acme")
    there = bind_scenario(problem, gone)
    assert there.parameters is problem.parameters
    bolt = (gone.frame["brand"] == "Bolt").to_numpy()
    np.testing.assert_array_equal(there.design.fixed[:, 1], bolt)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("levels", [[0, 1], [1, 0], [False, True], ["FALSE", "TRUE"]])
def test_choices_and_availability_as_categories(ordered, levels):
    table, plain = frame(False), ChoiceData.from_long(frame(False), **ROLES)
    names = sorted(levels, key=str)  # 0 before 1, False before True
    chosen = np.take(np.array(names, dtype=object), table["y"])
    table["y"] = pd.Categorical(chosen, categories=levels, ordered=ordered)
    table["here"] = pd.Categorical([names[1]] * 270, categories=levels, ordered=ordered)
    data = ChoiceData.from_long(table, **ROLES, availability="here")
    assert data.chosen_row.tolist() == plain.chosen_row.tolist()


def test_ranks_and_weights_as_categories():
    table = frame(False).drop(columns="y")
    table["rank"] = pd.Categorical(np.tile([2, 1, 3], 90), ordered=True)
    table["w"] = pd.Categorical(table["id"] + 1)
    roles = {k: v for k, v in ROLES.items() if k != "chosen"}
    data = ChoiceData.from_long(table, **roles, ranked="rank", weights="w")
    assert data.first_choices().chosen_row.tolist() == list(range(1, 270, 3))
    assert data.weights.tolist() == list(range(1, 31))


def test_attributes_of_categories_0_and_1_are_numbers():
    dummy = np.random.default_rng(1).integers(2, size=270)
    data = ChoiceData.from_long(frame(False).assign(d=pd.Categorical(dummy)), **ROLES)
    np.testing.assert_array_equal(evaluate("d + d:price", data).values[:, 0], dummy)
    np.testing.assert_array_equal(evaluate("C(d)", data).values[:, 0], dummy)


# from_wide

WIDE = pd.DataFrame(
    {"mode": ["bus", "car", "car"], "bus_p": [1.0, 2, 3], "car_p": [3.0, 2, 1], "bus_t": 1.0}
).assign(car_t=[4.0, 5, 6])


@pytest.mark.parametrize(
    "varying", [["p", "t"], ("p", "t"), {"p": ["bus_p", "car_p"], "t": ["bus_t", "car_t"]}]
)
def test_a_list_says_which_columns_vary(varying):
    arguments = {"chosen": "mode", "alternatives": ["bus", "car"]}
    data = ChoiceData.from_wide(WIDE, varying=varying, **arguments)
    pattern = {"p": "{alternative}_p", "t": "{alternative}_t"}
    expected = ChoiceData.from_wide(WIDE, varying=pattern, **arguments)
    pd.testing.assert_frame_equal(data.frame, expected.frame)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"varying": ["p", "q"]}, r"varying is a list, \['p', 'q'\], .* 0 ways .* give a mapping"),
        ({"varying": "p"}, "varying must be a mapping attribute -> columns, such as .*got 'p'"),
        ({"varying": {"p": ["bus_p"]}}, "'p': 1 columns for 2 alternatives: .* 'bus', 'car'"),
        ({"varying": {"p": 3}}, "'p': expected a pattern .* got 3"),
        ({"varying": {"p": ["bus_p", None]}}, "'p' of alternative 'car': .* got None"),
        ({"availability": 1}, "'availability': expected a pattern"),
        ({"alternatives": [["bus"], "car"]}, "alternatives must be labels"),
        ({"outside_option": 2}, "'outside_option' must be True or False, got 2"),
        ({"person": ["mode"]}, "person= is the name of a column, text, got a list"),
    ],
)
def test_what_from_wide_cannot_read_is_said(change, words):
    arguments = {"chosen": "mode", "alternatives": ["bus", "car"], "varying": ["p"]}
    with pytest.raises(ValueError, match=words):
        ChoiceData.from_wide(WIDE, **arguments | change)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outside_option": 2}, "'outside_option' must be True or False, got 2"),
        ({"weights": np.ones(270)}, "weights= is the name of a column, text, got a ndarray"),
        ({"availability": "x"}, "availability='x': frame has no such column"),
        ({"person": 3}, "person= is the name of a column, text, got a int"),
        ({"offset": "brand"}, "column 'brand' is not numeric"),
    ],
)
def test_what_from_long_cannot_read_is_said(change, words):
    with pytest.raises(ValueError, match=words):
        ChoiceData.from_long(frame(False), **ROLES | change)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: d.with_choices("x"), "'chosen_row' has <U1 values of shape ()"),
        (lambda d: d.with_choices(np.full(90, 0.5)), r"expected \(90,\) whole numbers"),
        (lambda d: d.with_choices(np.full(90, 999)), "'chosen_row' holds 999"),
        (lambda d: d.without(["a", "b"]), r"got list: name one; without\('bus', 'car'\)"),
        (lambda d: d.with_attribute("price", {"a": 1}), "'price' cannot be a dict"),
        (lambda d: d.with_attribute(["price"], 1), "a column is named by its name, got a list"),
        (lambda d: d.attribute(["price"]), "a column is named by its name, got a list"),
        (lambda d: d.with_alternative("d", ["price"]), "'attributes' must be a mapping"),
        (lambda d: d.with_alternative("d", {}, like=["a"]), "got list: name one"),
    ],
)
def test_what_methods_cannot_take_is_said(call, words):
    with pytest.raises(DataError, match=words):
        call(ChoiceData.from_long(frame(False), **ROLES))


def test_levels_of_booleans_may_be_written_as_they_are():
    """The data have 1 and 0 for True and False; so have the levels, whichever way they stand."""
    frame = attributes(np.random.default_rng(1), 30, 3)
    data = choice_data(frame.assign(feat=frame["x"] > 0))
    plain = bm.msle(bm.MixedLogit("C(feat) + y"), data).params
    for formula in (
        "C(feat, levels=[True, False]) + y",
        "C(feat, levels=[1, 0]) + y",
        "C(feat, Treatment(True)) + y",
    ):
        found = bm.msle(bm.MixedLogit(formula), data).params
        assert list(found.index) == ["fixed[feat[0]]", "fixed[y]"], formula
        np.testing.assert_allclose(found, [-plain.iloc[0], plain.iloc[1]], rtol=1e-8)
