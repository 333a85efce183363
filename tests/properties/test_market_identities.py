"""What must not change constants, markups and mergers, on markets that hypothesis makes up."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayesmix as bm

# The same examples at every run, few of them, and no clock: it measures the machine.
DERANDOMISED = settings(
    derandomize=True,
    deadline=None,
    max_examples=5,
    database=None,
    suppress_health_check=list(HealthCheck),
)
HOW = {"draws": 2, "rng": 1, "progress": False}
ROLES = {"person": None, "situation": "who", "alternative": "alt", "chosen": "choice"}


def data_of(frame, **roles):
    return bm.ChoiceData.from_long(frame, **{**ROLES, **roles}, outside_option=True)


@cache
def fitted():
    """A logit without simulation, in which a higher price is worse."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"who": np.repeat(np.arange(300), 3), "alt": np.tile(np.arange(3), 300)})
    frame["price"], frame["quality"] = rng.uniform(1, 3, 900), rng.normal(size=900)
    utility = 1.0 - frame["price"] + frame["quality"] + rng.gumbel(size=900)
    best = utility.groupby(frame["who"]).transform("max")
    bought = (utility == best) & (best > rng.gumbel(size=300)[frame["who"]])
    return bm.msle(bm.MixedLogit("1 + price + quality"), data_of(frame.assign(choice=bought)))


@st.composite
def markets(draw):
    """Two markets of two to four products of two firms, with three people each, and shares."""
    products = draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = pd.MultiIndex.from_product(
        [range(6), range(products)], names=["who", "alt"]
    ).to_frame(index=False)  # fmt: skip
    rows["market"], rows["firm"] = rows["who"] // 3, rows["alt"] % 2
    cells = rows["market"] * products + rows["alt"]
    rows["price"] = rng.integers(4, 13, 2 * products)[cells] / 4
    rows["quality"] = rng.integers(-2, 3, len(rows)) / 2
    rows["choice"] = 0
    shares = rng.dirichlet(np.ones(products + 1), 2)[:, :products].ravel()
    index = pd.MultiIndex.from_product([range(2), range(products)], names=["market", "alt"])
    return rows, pd.Series(shares * 0.9 + 0.02, index)


def close(one, other, rtol=1e-7):
    np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-9)


def constants(frame, shares, **roles):
    found = bm.match_shares(fitted(), data_of(frame, **roles), shares, market="market", **HOW)
    return found, found.constants.to_series().dropna()


@DERANDOMISED
@given(markets(), st.randoms(use_true_random=False), st.sampled_from([1e-3, 1.0, 1e6]))
def test_constants_match_whatever_people_and_rows_are_called_and_how_often_they_are_counted(
    drawn, random, scale
):
    frame, shares = drawn
    found, xi = constants(frame, shares)
    predicted = bm.shares(fitted(), found.data, by="market", **HOW)["estimate"].to_series()
    close(predicted.reindex(shares.index), shares)
    order = list(range(len(frame)))
    random.shuffle(order)
    renamed = frame.iloc[order].reset_index(drop=True)
    renamed["who"] = renamed["who"].map(lambda i: f"p{99 - i}")
    close(constants(renamed, shares)[1], xi)
    copy = frame.assign(who=frame["who"] + 100)
    both = pd.concat([frame, copy]).assign(weight=0.5 * scale)
    close(constants(both, shares, weights="weight")[1], xi)
    # A constant of an attribute is in the constants.
    away = fitted().params["fixed[quality]"] * 7.0
    close(constants(frame.assign(quality=frame["quality"] + 7.0), shares)[1], xi - away)
    small = frame.astype({"market": "int8", "alt": "int16", "price": "float32"})
    close(constants(small, shares)[1], xi)


@DERANDOMISED
@given(markets())
def test_margins_are_those_of_the_first_order_conditions(drawn):
    """``p - c = Delta^-1 s`` of NumPy, by market; of labels and order of rows they know nothing."""
    frame, shares = drawn
    fit, firms = fitted(), bm.Firms("firm", market="market")
    data = constants(frame, shares)[0].data
    found = bm.markups(fit, data, firms, **HOW)["estimate"]
    products, alpha = frame["alt"].nunique(), fit.params["fixed[price]"]
    sets = data.frame.sort_values(["who", "alt"])
    utility = fit.params["fixed[Intercept]"] + alpha * sets["price"] + sets["constant"]
    utility += fit.params["fixed[quality]"] * sets["quality"]
    v = np.exp(utility.to_numpy()).reshape(2, 3, products)
    p = v / (1.0 + v.sum(axis=2, keepdims=True))
    owner = np.arange(products) % 2
    for m in range(2):
        own = p[m]
        slopes = alpha * (np.diag(own.mean(axis=0)) - own.T @ own / 3)
        delta = -slopes * (owner[:, None] == owner)
        margins = np.linalg.solve(delta, own.mean(axis=0))
        here = found.sel(market=m)
        price = here.sel(quantity="price").to_numpy()
        close(price - here.sel(quantity="cost").to_numpy(), margins)


@DERANDOMISED
@given(markets())
def test_a_merger_of_one_firm_with_itself_and_products_that_merge_in_any_order(drawn):
    frame, shares = drawn
    fit, firms = fitted(), bm.Firms("firm", market="market")
    data = constants(frame, shares)[0].data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # second-order conditions are said, and are not the point
        one, other = (
            bm.merger(fit, data, firms, merge=both, **HOW).products["estimate"].to_numpy()
            for both in ((0, 1), (1, 0))
        )
        flat = bm.tax(fit, data, firms, specific=0.0, **HOW).products["estimate"]
    close(one, other)
    close(flat.sel(quantity="price_change"), 0.0)
