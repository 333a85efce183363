"""What a formula learns from data is learnt once, and holds on all others."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.formulas.formula import columns_like, columns_of, evaluate
from bayesmix.inference.meaning import meanings
from tests.oracles import choice_frame, choices

HOW = {"interval": 0.9}
LEARNT = {
    "{price / price.std()}": lambda x, f: x / f.std(ddof=1),
    "{price / np.std(price)}": lambda x, f: x / f.std(ddof=0),
    "{price / np.std(price, ddof=1)}": lambda x, f: x / f.std(ddof=1),
    "{price - price.quantile(q=0.1)}": lambda x, f: x - f.quantile(0.1),
    "{price - np.percentile(price, 10)}": lambda x, f: x - f.quantile(0.1),
    "{price - price.mean()}": lambda x, f: x - f.mean(),
    "{price / np.max(price)}": lambda x, f: x / f.max(),
    "{price - np.quantile(price, 0.1)}": lambda x, f: x - f.quantile(0.1),
    "{price - price.quantile(0.1)}": lambda x, f: x - f.quantile(0.1),
    "{price - price.median()}": lambda x, f: x - f.median(),
    "{(price > np.median(price)) * price}": lambda x, f: (x > f.median()) * x,
    "center(price)": lambda x, f: x - f.mean(),
    "scale(price)": lambda x, f: (x - f.mean()) / f.std(ddof=1),
    "{2 * center(price) + 1}": lambda x, f: 2 * (x - f.mean()) + 1,
}


@pytest.fixture(scope="module")
def frame():
    frame = choice_frame(np.random.default_rng(1))
    return frame.assign(price=frame["price"] + 3.0)


@pytest.fixture(scope="module")
def data(frame):
    return choices(frame)


@pytest.mark.parametrize("formula", LEARNT)
def test_statistics_are_those_of_the_first_data(frame, data, formula):
    first = evaluate(formula, data)
    price = data.frame["price"]
    expected = LEARNT[formula](price, price)
    np.testing.assert_allclose(first.values[:, 0], expected, rtol=1e-13, atol=1e-13)
    others = choices(frame[frame["who"].isin([3, 4])].assign(price=lambda f: 7.0 * f["price"]))
    found = columns_like(formula, others, first.state).values[:, 0]
    np.testing.assert_allclose(
        found, LEARNT[formula](others.frame["price"], price), rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize(
    "formula", ["poly(price, 3)", "bs(price, df=5)", "cr(price, df=4)", "standardize(price)"]
)
def test_bases_are_those_of_the_first_data(frame, data, formula):
    first = evaluate(formula, data)
    some = choices(frame[frame["who"].isin([3, 4])])
    rows = data.frame["who"].isin([3, 4]).to_numpy()
    found = columns_like(formula, some, first.state).values
    np.testing.assert_allclose(found, first.values[rows], rtol=1e-12, atol=1e-12)


def test_covariates_of_persons_learn_once_too(frame, data):
    first = columns_of("1 + {income / income.std()} + scale(income)", data)
    some = choices(frame[frame["who"].isin([3, 4])])
    found = columns_like("", some, first.state, of_persons=True)
    income, whole = some.frame["income"], data.frame["income"]
    np.testing.assert_allclose(found.values[:, 1], income / whole.std(), rtol=1e-13)
    np.testing.assert_allclose(found.values[:, 2], (income - whole.mean()) / whole.std())


@pytest.mark.parametrize("formula", ["{price / price.mean()} + time", "scale(price) + time"])
def test_demand_does_not_depend_on_how_a_price_is_scaled(data, formula):
    plain = bm.msle(bm.MixedLogit("price + time"), data)
    fit = bm.msle(bm.MixedLogit(formula), data)
    dearer = data.with_attribute("price", lambda rows: 1.1 * rows["price"], alternative="bus")
    assert fit.loglik == pytest.approx(plain.loglik, abs=1e-8)
    for verb in (
        lambda f: bm.elasticities(f, data, "price"),
        lambda f: bm.shares(f, data, scenario=dearer),
    ):
        np.testing.assert_allclose(verb(fit)["estimate"], verb(plain)["estimate"], atol=1e-5)


def test_coefficients_of_columns_with_other_numbers_are_other_quantities(frame, data):
    half = choices(frame[frame["who"] < 15])
    fits = [bm.msle(bm.MixedLogit("scale(price) + {time / 2}"), d) for d in (data, half)]
    one, other = (meanings(fit) for fit in fits)
    assert "scale(price) of" in one["fixed[scale(price)]"].differs(other["fixed[scale(price)]"])
    assert not one["fixed[time / 2]"].differs(other["fixed[time / 2]"])
