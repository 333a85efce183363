"""The second stage: two-stage least squares on constants, and the fit with its coefficients."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from tests.classical.test_market_shares import LOGIT, SMALL, found
from tests.markets_with_panels import TRUTH, data_of, frames

IV = {"endogenous": "price", "instruments": "cost"}


def products() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Constants, attributes and instruments of products in markets, in NumPy."""
    fit = found()
    first = fit.data.frame.drop_duplicates(["market", "alt"]).sort_values(["market", "alt"])
    assert fit.market_constants is not None
    y = fit.market_constants.constants.to_numpy().ravel()
    ones = np.ones(len(y))
    x = np.column_stack([ones, first[["price", "quality"]]])
    return y, x, np.column_stack([ones, first[["cost", "quality"]]])


def test_estimates_are_two_stage_least_squares() -> None:
    y, x, z = products()
    two = bm.mean_utilities(found(), "price + quality", **IV)
    np.testing.assert_allclose(two.params, np.linalg.solve(z.T @ x, z.T @ y), rtol=1e-8)
    one = bm.mean_utilities(found(), "price + quality")
    np.testing.assert_allclose(one.params, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-8)
    left = y - x @ two.params.to_numpy()
    np.testing.assert_allclose(two.unobserved.sort_index(), left, atol=1e-10)


def test_the_price_coefficient_is_found_with_instruments_alone() -> None:
    two = bm.mean_utilities(found(), "price + quality", **IV)
    for name in ("price", "quality"):
        assert abs(two.params[name] - TRUTH[name]) < 3.0 * two.std_errors[name]
    one = bm.mean_utilities(found(), "price + quality")
    assert one.params["price"] - TRUTH["price"] > 4.0 * one.std_errors["price"]
    assert two.strength["price"].effective_f > 50.0


def test_errors_know_that_constants_are_estimated() -> None:
    y, x, z = products()
    two = bm.mean_utilities(found(), "price + quality", **IV)
    onto = np.linalg.solve(z.T @ x, z.T)
    left = (y - x @ two.params.to_numpy()) * np.sqrt(len(y) / (len(y) - 3))
    known = np.sqrt(np.diag(onto @ np.diag(left**2) @ onto.T))
    assert (two.std_errors > known).all()
    assert two.std_errors["price"] > 1.02 * known[1]
    by_market = bm.mean_utilities(found(), "price + quality", cluster="market", **IV)
    np.testing.assert_allclose(by_market.params, two.params)
    assert (np.abs(np.log(by_market.std_errors / two.std_errors)) < 0.5).all()


def test_the_fit_with_its_coefficients_predicts_the_same_and_has_the_slopes() -> None:
    fit, two = found(), bm.mean_utilities(found(), "price + quality", **IV)
    there = two.fit
    assert there.loglik == fit.loglik
    assert there.params["mean[price]"] == two.params["price"]
    assert there.std_errors["sd[price]"] == fit.std_errors["sd[price]"]
    how = {"draws": 2, "nodes": 64, "rng": 1}
    now, before = bm.shares(there, there.data, **how), bm.shares(fit, fit.data, **how)
    np.testing.assert_allclose(now["estimate"], before["estimate"], atol=1e-10)
    own = bm.elasticities(there, there.data, "price", **how)["estimate"]
    assert (np.diag(own.sel(responding=list("abc"), changed=list("abc"))) < -0.5).all()


def test_further_instruments_are_tested() -> None:
    rows, shares = frames(5)
    market = rows["market"].to_numpy() * 3 + np.tile(range(3), len(rows) // 3)
    rows["wage"] = np.random.default_rng(1).normal(size=75)[market]
    fit = bm.msle(LOGIT, data_of(rows), market_shares=shares)
    fine = bm.mean_utilities(fit, "price + quality", endogenous="price", instruments="cost + wage")
    assert fine.overidentification.df == 1
    assert fine.overidentification.p_value > 0.01
    assert "Hansen" in fine.headline()
    rows["bad"] = rows["wage"] + 2.0 * fine.unobserved.sort_index().to_numpy()[market]
    fit = bm.msle(LOGIT, data_of(rows), market_shares=shares)
    bad = bm.mean_utilities(fit, "price + quality", endogenous="price", instruments="cost + bad")
    assert bad.overidentification.p_value < 0.001


def test_without_an_outside_option_differences_count() -> None:
    rows, shares = frames(6, **{**SMALL, "markets": 12}, outside=False)
    fit = bm.msle(LOGIT, data_of(rows, outside_option=False), market_shares=shares)
    assert fit.market_constants is not None
    y = fit.market_constants.constants.to_numpy()
    np.testing.assert_allclose(y[:, 0], 0.0)
    first = rows.drop_duplicates(["market", "alt"]).sort_values(["market", "alt"])
    x = first[["price", "quality"]].to_numpy().reshape(12, 3, 2)
    x = (x - x.mean(axis=1, keepdims=True)).reshape(-1, 2)
    y = (y - y.mean(axis=1, keepdims=True)).ravel()
    one = bm.mean_utilities(fit, "price + quality")
    np.testing.assert_allclose(one.params, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-8)
    by_market = bm.mean_utilities(fit, "price + quality", cluster="market")
    np.testing.assert_allclose(one.covariance, by_market.covariance)  # they share a mean


def test_one_market_without_an_outside_option_has_errors_of_its_size() -> None:
    """Differences from the first product share its shock: one market would say what it is."""
    shown = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        goods = pd.DataFrame({"alt": range(20), "quality": rng.normal(size=20)})
        xi = goods["quality"] + 0.5 * rng.normal(size=20)
        xi[0] += 3.0  # the first is much liked, for no reason that is a column
        rows = goods.loc[np.tile(goods.index, 100)].assign(who=np.repeat(np.arange(100), 20))
        rows["z"] = rng.normal(size=len(rows))
        utility = xi[rows["alt"]].to_numpy() + 0.5 * rows["z"] + rng.gumbel(size=len(rows))
        best = utility.groupby(rows["who"]).transform("max")
        rows["choice"] = (utility == best).astype(int)
        data = bm.ChoiceData.from_long(
            rows, person=None, situation="who", alternative="alt", chosen="choice"
        )
        shares = goods.assign(share=np.exp(xi) / np.exp(xi).sum())[["alt", "share"]]
        fit = bm.msle(bm.MixedLogit("z"), data, market_shares=shares)
        found = bm.mean_utilities(fit, "quality")
        assert len(found.unobserved) == 20
        assert abs(found.unobserved.sum()) < 1e-8
        shown.append((found.params["quality"] - 1.0) / found.std_errors["quality"])
    assert np.abs(shown).max() < 2.5


def test_errors_are_known_where_constants_are_far_from_logarithms_of_shares() -> None:
    rows, shares = frames(7, **SMALL)
    shares["share"] *= 0.999 / shares.groupby("market")["share"].transform("sum")
    two = bm.mean_utilities(bm.msle(LOGIT, data_of(rows), market_shares=shares), "price")
    assert (two.std_errors > 0).all()


def test_clusters_that_are_too_few_for_the_further_test_are_said() -> None:
    rows, shares = frames(1, **SMALL)
    place = rows["market"] * 3 + rows["alt"].map({"a": 0, "b": 1, "c": 2})
    for seed, name in enumerate(["rent", "wage"], start=50):
        rows[name] = np.random.default_rng(seed).normal(size=18)[place]
    rows["region"] = rows["market"] % 2
    fit = bm.msle(LOGIT, data_of(rows), market_shares=shares)
    how = {"endogenous": "price", "instruments": "cost + rent + wage", "cluster": "region"}
    two = bm.mean_utilities(fit, "price + quality", **how)
    assert np.isnan(two.overidentification.statistic)
    assert "clusters are too few" in two.headline()


def test_attributes_that_are_no_terms_of_the_model_are_said() -> None:
    two = bm.mean_utilities(found(), "price + quality + cost")
    assert "not in .fit: cost;" in two.headline()
    assert "not in .fit" not in bm.mean_utilities(found(), "price + quality").headline()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"formula": "income"}, "not the same in all rows of market 0, alt 'a'"),
        ({"endogenous": "cost"}, "none of the formula's columns"),
        ({"instruments": None}, "give both"),
        ({"instruments": "quality"}, "which is an attribute of the formula"),
        ({"endogenous": ("price", "quality")}, "1 columns for 2"),
        ({"formula": "price + price + quality", "cluster": "choice"}, "not the same in all rows"),
        ({"cluster": "town"}, "no column 'town'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(change, words) -> None:
    given = {"formula": "price + quality", **IV, **change}
    with pytest.raises((bm.SpecificationError, bm.DataError), match=words):
        bm.mean_utilities(found(), given.pop("formula"), **given)


def test_a_fit_without_constants_has_no_second_stage() -> None:
    fit = bm.msle(LOGIT, data_of(frames(1, **SMALL)[0]))
    with pytest.raises(bm.SpecificationError, match="market_shares"):
        bm.mean_utilities(fit, "price")
