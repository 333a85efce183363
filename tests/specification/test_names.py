"""Names of columns mean nothing but themselves, whatever formulas, formulaic and we are called."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.formula import columns_like, evaluate
from tests.oracles import choice_frame, choices

TAKEN = (
    *("Intercept", "C", "I", "Q", "np", "log", "exp", "scale", "center", "poly", "bs", "contr"),
    *("1", "0", "1.5", "trip.cost", "np.log", "in vehicle", "a:b", "mean[x]", "lambda", "T", "__x"),
)


@pytest.fixture(scope="module")
def frame():
    frame = choice_frame(np.random.default_rng(1))
    rng = np.random.default_rng(2)
    return frame.assign(**{name: rng.normal(size=len(frame)) for name in TAKEN})


@pytest.fixture(scope="module")
def data(frame):
    return choices(frame)


@pytest.mark.parametrize("name", TAKEN)
def test_a_column_is_itself_whatever_it_is_called(data, name):
    """As a column of another name beside the functions that share it."""
    renamed = choices(data.frame.rename(columns={name: "other"}))
    text = "{} + C(mode) + scale(price) + np.log(time**2) + {}:price + I({} + time)"
    for written in (f"`{name}`", f"Q({name!r})"):
        found = evaluate(text.format(written, written, written), data)
        expected = evaluate(text.format("other", "other", "other"), renamed)
        np.testing.assert_array_equal(found.values, expected.values)
        assert name in found.names
        again = columns_like("", data, found.state)
        np.testing.assert_array_equal(again.values, found.values)


@pytest.mark.parametrize("name", ["trip.cost", "C", "np", "log", "Intercept"])
def test_plain_names_need_no_quotes(data, name):
    found = evaluate(f"{name} + {{2 * {name}}}:price", data)
    assert found.names[0] == name
    np.testing.assert_array_equal(found.values[:, 0], data.frame[name])
    np.testing.assert_array_equal(found.values[:, 1], 2 * data.frame[name] * data.frame["price"])


def test_text_is_no_category_though_a_column_is_called_c(frame):
    with pytest.raises(DataError, match="'group' is not numeric"):
        evaluate("C:group", choices(frame))


@pytest.mark.parametrize("outside", [False, True])
def test_a_column_called_intercept_beside_the_constant(outside):
    frame = choice_frame(np.random.default_rng(1), outside=outside)
    frame["Intercept"] = frame["asc"] = (frame["mode"] == "bus").astype(float)
    data = choices(frame, outside_option=outside)
    fits = [bm.msle(bm.MixedLogit(f"{n} + price"), data) for n in ("Intercept", "asc")]
    np.testing.assert_array_equal(fits[0].params, fits[1].params)
    assert fits[0].params.index.tolist() == ["fixed[Intercept]", "fixed[price]"]
    if outside:
        beside = [bm.msle(bm.MixedLogit(f"1 + {n} + price"), data) for n in ("Intercept", "asc")]
        np.testing.assert_array_equal(beside[0].params, beside[1].params)
        names = ["fixed[1]", "fixed[Intercept]", "fixed[price]"]
        assert beside[0].params.index.tolist() == names
        frame["1"] = frame["price"]
        with pytest.raises(SpecificationError, match=r"two columns called '1'.*constant is"):
            evaluate("1 + Intercept + `1`", choices(frame, outside_option=True))


@pytest.mark.parametrize(
    "law",
    [
        lambda mean: {"random": [bm.Normal("time", mean=mean)]},
        lambda mean: {"random": [bm.LatentClass("time", share=mean)]},
    ],
)
def test_a_covariate_called_intercept_is_one(frame, law):
    persons = frame.assign(Intercept=frame["income"])
    spaces = [
        bm.MixedLogit("price + time", **law(f"1 + {name}")).design(choices(persons)).parameters
        for name in ("Intercept", "income")
    ]
    assert [n.replace("Intercept", "income") for n in spaces[0].names] == list(spaces[1].names)


def test_columns_that_are_called_as_terms_are_refused(frame):
    frame = frame.assign(**{"mode[car]": frame["price"], "2 * time": frame["price"]})
    for formula in ("C(mode) + `mode[car]`", "{2 * time} + `2 * time`"):
        with pytest.raises(SpecificationError, match="two columns called"):
            evaluate(formula, choices(frame))


def test_the_nearest_name_is_offered(data):
    with pytest.raises(DataError, match=r"no column 'trip.cosd'; did you mean 'trip.cost'"):
        evaluate("trip.cosd", data)
