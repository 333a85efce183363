"""Posteriors whose constants of markets match known shares at every draw."""

from functools import cache

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.pointwise import CONSTANTS, free_vectors
from bayesmix.bayes.whitened import posterior_mode
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.segments import segments_of
from bayesmix.demand.draws import parameter_draws
from bayesmix.document.formula import formulas
from bayesmix.document.results import diagnostics_section
from bayesmix.likelihood.bind import bind
from bayesmix.optimise.market_likelihood import MarketLikelihood
from tests.markets_with_panels import HELD, MODEL, data_of, frames

SIZES = {"markets": 6, "people": 12, "tasks": 3}
INSIDE = list("abc")


@cache
def both() -> tuple[bm.Fit, bm.ChoiceData, xr.DataTree]:
    rows, shares = frames(1, **SIZES)
    data, how = data_of(rows), {"market_shares": shares, "fixed": HELD, "rng": 1}
    fit = bm.msle(MODEL, data, grid=bm.sobol(16), starts=1, **how)
    how |= {"method": "importance", "draws": 60, "chains": 2, "progress": False}
    return fit, data, bm.sample(MODEL, data, grid=fit.grid, **how)


def likelihood(fit: bm.Fit, data: bm.ChoiceData) -> MarketLikelihood:
    """Of the fit's model on data without its constants."""
    sets = MarketSets(data, *segments_of(data, "market", data))
    inside = fit.market_constants.shares.to_numpy()
    target = np.column_stack([inside, 1.0 - inside.sum(axis=1)])
    return MarketLikelihood(bind(fit.model, data), fit.grid, sets, target)


def test_the_mode_under_flat_priors_is_the_msle() -> None:
    fit, data, _ = both()
    own = likelihood(fit, data)
    # In the logarithm of sd, its coordinate, such a law is flat.
    flat = {"fixed": (0.0, 1e6), "sd": bm.Prior("lognormal", mu=0.0, sigma=1e4)}
    start = fit.theta + np.array([0.0, 0.1, 0.0, -0.1])
    at = posterior_mode(own.problem, fit.grid, start, flat, own)
    np.testing.assert_allclose(at.theta, fit.theta, atol=2e-5)


def test_choices_say_the_same_whatever_a_common_slope_is_held_at() -> None:
    fit, data, _ = both()
    own, moved = likelihood(fit, data), fit.theta - np.array([1.2, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(own.at(moved).logp, own.at(fit.theta).logp, atol=1e-8)


def test_a_report_says_what_constants_are() -> None:
    _, data, tree = both()
    assert "market_constant" in formulas(parameter_draws(tree, data, 1).problem)
    found = diagnostics_section({"draws": tree})
    assert found is not None
    assert "without a prior" in found.content


def test_means_are_near_the_estimates() -> None:
    fit, _, tree = both()
    draws = tree["posterior"]
    errors = np.sqrt(np.diag(fit.information.covariance("hessian")))
    for values, place in ((draws["sd"], 1), (draws["fixed"].sel(term="price:income"), 3)):
        assert abs(float(values.mean()) - fit.theta[place]) < errors[place]
        assert 0.6 < float(values.std()) / errors[place] < 1.6
    assert "without a prior" in draws.attrs["market_shares"]
    assert np.isnan(draws.attrs["log_evidence"])
    assert 0.0 < draws.attrs["integration_error_sd"] < 2.0


def test_constants_and_log_likelihoods_are_those_of_each_draw() -> None:
    fit, data, tree = both()
    own = likelihood(fit, data)
    thetas = free_vectors(own.problem, tree["posterior"].to_dataset())
    for chain, draw in ((0, 3), (1, 50)):
        there = own.at(thetas[chain, draw])
        place = {"chain": chain, "draw": draw}
        np.testing.assert_allclose(
            tree["posterior"][CONSTANTS].isel(place), there.constants, atol=1e-10
        )
        np.testing.assert_allclose(
            tree["log_likelihood"]["choices"].isel(place), there.logp, atol=1e-10
        )


def test_predicted_shares_are_the_given_ones_at_every_draw() -> None:
    fit, data, tree = both()
    how = {"by": "market", "draws": 8, "nodes": 2048, "rng": 1}
    found = bm.shares(tree, data, **how).sel(alternative=INSIDE)
    given = fit.market_constants.shares
    np.testing.assert_allclose(found["estimate"], given, atol=0.02)  # the error of 16 nodes
    drawn = bm.shares(tree, data.with_attribute("price", 2.0), **how).sel(alternative=INSIDE)
    width = float((drawn["high"] - drawn["low"]).max())
    assert float((found["high"] - found["low"]).max()) < 0.5 * width


def test_a_scenario_keeps_constants_of_markets_and_alternatives() -> None:
    _, data, tree = both()
    how = {"by": "market", "draws": 4, "nodes": 64, "rng": 1}
    dearer = data.with_attribute("price", lambda rows: rows["price"] + 1.0, alternative="a")
    now = bm.shares(tree, data, **how)
    # Held at 0, the mean of the price is in the constants, which a scenario does not move.
    with pytest.raises(
        bm.SpecificationError, match=r"mean\[price\] held at 0: constants of markets"
    ):
        bm.shares(tree, data, scenario=dearer, **how)
    less = bm.shares(tree, data, scenario=data.without("c"), **how)["estimate"]
    odds = now["estimate"].sel(alternative="a") / now["estimate"].sel(alternative="b")
    gone = less.sel(alternative="a") / less.sel(alternative="b")
    np.testing.assert_allclose(gone, odds, rtol=0.2)
    strange = data_of(data.frame.assign(market=data.frame["market"] + 1))
    with pytest.raises(bm.DataError, match="no constants of market 6"):
        bm.shares(tree, strange, **how)


def test_chains_are_the_same_whatever_came_before() -> None:
    rows, shares = frames(2, **{**SIZES, "markets": 3})
    how = {"market_shares": shares, "fixed": HELD, "rng": 3, "progress": False}
    how |= {"draws": 5, "tune": 5, "chains": 2, "grid": bm.sobol(8)}
    first, second = (bm.sample(MODEL, data_of(rows), **how)["posterior"] for _ in range(2))
    xr.testing.assert_equal(first.to_dataset(), second.to_dataset())
    assert first["sd"].std() > 0


def test_what_has_no_constants_is_refused_in_words() -> None:
    rows, shares = frames(2, **SIZES)
    data = data_of(rows)
    how = {"market_shares": shares, "fixed": HELD}
    cases = [
        (MODEL, {"market_shares": shares}, "hold it"),
        (MODEL, {**how, "likelihood": "hierarchical"}, "integrated"),
        (bm.MixedLogit("price:income"), {"market_shares": shares}, "random"),
        (bm.MixedLogit(MODEL.formula, MODEL.laws, scale="market"), {"market_shares": shares}, "sc"),
        (MODEL, {**how, "grid": bm.centred(bm.sobol(8))}, "of the population"),
    ]
    for model, options, words in cases:
        with pytest.raises(bm.SpecificationError, match=words):
            bm.sample(model, data, **options)
    _, own, tree = both()
    with pytest.raises(bm.SpecificationError, match="predicted shares are of all"):
        bm.loo(tree, own, exact=[0])
