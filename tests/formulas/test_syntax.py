"""What formulas may hold: data, no code; and what is said of the rest."""

import numpy as np
import pytest

from bayesmix import MixedLogit, Normal
from bayesmix.errors import SpecificationError
from bayesmix.formulas.formula import columns_like, evaluate, read
from tests.oracles import choice_frame, choices


@pytest.fixture(scope="module")
def data():
    frame = choice_frame(np.random.default_rng(1))
    frame["fast"] = frame["time"] < 0
    return choices(frame)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("{price + 2 * time - -price}", lambda f: 2 * f["price"] + 2 * f["time"]),
        ("{price ** 2 / 4}", lambda f: f["price"] ** 2 / 4),
        ("{price % 2 + price // 2}", lambda f: f["price"] % 2 + f["price"] // 2),
        ("{fast + fast}", lambda f: 2.0 * f["fast"]),
        ("{(price > 0) & ~fast}", lambda f: (f["price"] > 0) & ~f["fast"]),
        ("{fast | (price > 0)}", lambda f: (f["price"] > 0) | f["fast"]),
        ("{0 < price <= 1}", lambda f: (f["price"] > 0) & (f["price"] <= 1)),
        ("{(mode == 'car') * price}", lambda f: (f["mode"] == "car") * f["price"]),
        ("{('car' != mode) * price}", lambda f: (f["mode"] != "car") * f["price"]),
        ("np.where(price > 0, price, 0)", lambda f: f["price"].clip(0)),
        ("np.clip(price, None, 1)", lambda f: f["price"].clip(None, 1)),
        ("price.clip(0, 1)", lambda f: f["price"].clip(0, 1)),
        ("np.interp(price, [0, 1], [0, 2])", lambda f: 2 * f["price"].clip(0, 1)),
        ("round(price, 1)", lambda f: f["price"].round(1)),
        ("I(abs(time))", lambda f: f["time"].abs()),
        ("{np.pi * price}", lambda f: np.pi * f["price"]),
        ("Q('price')", lambda f: f["price"]),
    ],
)
def test_values_of_expressions(data, formula, value):
    found = evaluate(formula, data).values[:, 0]
    np.testing.assert_allclose(found, value(data.frame).to_numpy(float), rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("{open('x')}", "function 'open' is none"),
        ("{price.to_csv('x')}", "method 'to_csv' is none"),
        ("{np.load('x')}", "function 'np.load' is none"),
        ("{(lambda: price)()}", "what is called is no function's name"),
        ("{[v for v in price]}", r"'\[v for v in price\]' is code"),
        ("{price[0]}", r"'price\[0\]' is code"),
        ("{price if 1 else 2}", "is code"),
        ("{np.log(price, out=price)}", "leave out= out"),
        ("{np.abs(price).mean().item()}", "method 'item' is none"),
        ("{np.round(open)(price)}", "what is called is no function's name"),
        ("{price / np.std(price, axis=0, ddof=1)}", "leave axis= out"),
        ("{price / price.std(0)}", "leave 0 out"),
        ("{price - np.mean(price, 3)}", "leave 3 out"),
        ("{price - np.min(price, initial=-9)}", "leave initial= out"),
        ("{price - price.quantile(0.5, 'nearest')}", "leave 'nearest' out"),
        ("{price - price.quantile(0.5, interpolation='nearest')}", "leave interpolation= out"),
        ("{price - price.clip(0, upper=1)}", "leave upper= out"),
        ("C(mode, contr.nothing)", "'contr.nothing' names no contrasts; it has"),
        ("C(mode, levels=list(price))", "is no number, text or list of them"),
        ("C(open('x'))", "function 'open' is none"),
        ("scale(price, center=open('x'))", "is no number, text or list of them"),
        ("{'car'}", "the text 'car' stands for no number"),
        ("{mode < 'car'}", "texts are compared by == and != alone"),
        ("{price + time == 'car'}", "a text is compared with a column alone"),
        ("{1j * price}", "'1j' is no number"),
        ("{price and time}", r"write \(a > 1\) & \(b > 1\)"),
        ("{price @ time}", "operator MatMult is none"),
        ("sqqrt(price)", "did you mean 'sqrt'"),
        ("lag(price)", "'lag' reads other rows"),
        ("{price.rank()}", "'rank' reads other rows"),
        ("Q(price)", "Q.. holds the name of a column in quotes"),
        ("np.log()", "has no column"),
        ("poly(price, 1000)", "more than 100 columns"),
        ("bs(price, df=1000)", "more than 100 columns"),
        ("price + .", "'.' names no column"),
    ],
)
def test_what_is_no_data_is_refused_before_there_are_any(formula, words):
    with pytest.raises(SpecificationError, match=words) as caught:
        MixedLogit(formula)
    assert "trust=True" in str(caught.value)


@pytest.mark.parametrize("formula", ["price + {open('x')}", "{price +}", "{price;time}"])
def test_means_and_shares_are_formulas_too(formula):
    with pytest.raises(SpecificationError, match=r"a mean: |argument 'mean': "):
        MixedLogit("price", random=[Normal("price", mean=formula)])


@pytest.mark.parametrize(
    "formula", ["(a + b)**30", "*".join("abcdefghijklmnop"), "((a + b)**12)**12"]
)
def test_products_are_counted_before_they_are_multiplied_out(formula):
    with pytest.raises(SpecificationError, match="products of terms, and at most 10,000"):
        MixedLogit(formula)


@pytest.mark.parametrize(
    "formula", ["price**2", "time + price^3", "price*price", "price:price", "C(mode)**2"]
)
def test_what_reads_as_a_square_and_is_the_column_itself_is_refused(formula):
    with pytest.raises(SpecificationError, match=r"is x itself, as in R: write \{x\*\*2\}"):
        MixedLogit(formula)


def test_levels_are_counted_before_they_are_coded(data):
    frame = data.frame.assign(row=np.arange(data.n_rows), other=np.arange(data.n_rows)[::-1])
    with pytest.raises(SpecificationError, match=r"'row:other' .* would be [\d,]+ columns"):
        evaluate("C(row):C(other) + price", choices(frame))


def test_small_powers_are_multiplied_out(data):
    assert evaluate("(price + time)**2", data).names == ("price", "time", "price:time")


@pytest.mark.parametrize("formula", ["{" + "-" * 9000 + "price}", "{" + "price+" * 9000 + "price}"])
def test_what_is_nested_too_deeply_is_refused_in_few_words(formula):
    with pytest.raises(SpecificationError, match="cannot read the formula") as caught:
        MixedLogit(formula)
    assert len(str(caught.value)) < 1000


def test_texts_are_not_compared_with_numbers(data):
    with pytest.raises(SpecificationError, match="'price' holds numbers"):
        evaluate("{price == '1'}", data)
    with pytest.raises(SpecificationError, match="other values than 0 and 1"):
        evaluate("{price & fast}", data)


def test_python_is_run_where_it_is_trusted(data):
    model = MixedLogit("{price.map(lambda v: v ** 2)} + hashed(mode, 3)", trust=True)
    columns = evaluate(model.formula, data, trust=True)
    np.testing.assert_array_equal(columns.values[:, 0], data.frame["price"] ** 2)
    again = columns_like(model.formula, data, columns.state)
    np.testing.assert_array_equal(again.values, columns.values)
    with pytest.raises(SpecificationError, match="method 'map' is none"):
        read(model.formula)


@pytest.mark.parametrize(
    "formula",
    [
        "{price.rank()}",
        "{np.sort(price)}",
        "{price - price.groupby(mode).transform('mean')}",
        "{price.map(abs) / price.map(abs).max()}",
        "{price.shift().fillna(0)}",
        "lag(price)",
    ],
)
def test_trusted_python_that_reads_other_rows_is_refused(data, formula):
    with pytest.raises(SpecificationError, match="is not computed row by row"):
        evaluate(formula, data, trust=True)
