"""Likelihoods with shares of markets: willingness-to-pay space, and how exact integrals are."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from tests.classical.test_market_shares import SMALL, likelihood
from tests.markets_with_panels import HELD, MODEL, data_of, frames

TRUTH = {"mean[price]": 0.2, "sd[price]": 0.5, "mean[quality]": 0.8, "sd[quality]": 0.6}
WTP = bm.MixedLogit(
    "price + quality", random=[bm.LogNormal("price", sign=-1), bm.Normal("quality")], wtp="price"
)


@cache
def fine() -> bm.Fit:
    rows, shares = frames(1, markets=10, people=16)
    return on(bm.gauss_hermite(24), rows, shares)


def on(grid: object, rows: pd.DataFrame, shares: pd.DataFrame, seed: int = 1) -> bm.Fit:
    how = {"market_shares": shares, "fixed": HELD, "starts": 1, "rng": seed}
    return bm.msle(MODEL, data_of(rows), grid=grid, **how)


@pytest.mark.parametrize("seed", range(3))
def test_intervals_of_a_certificate_hold_the_error(seed: int) -> None:
    rows, shares = frames(1, markets=10, people=16)
    coarse = on(bm.sobol(32), rows, shares, seed)
    found, exact = coarse.integration, fine()
    low, high = found.error_interval
    # At other estimates the log-likelihood is second order away.
    assert low - 0.05 < coarse.loglik - exact.loglik < high + 0.05
    free = ["sd[price]", "fixed[price:income]"]
    moved = ((coarse.params - exact.params) / exact.std_errors)[free]
    shift = found.shift.loc[free]
    assert (shift["low"] - 0.02 < moved).all()
    assert (moved < shift["high"] + 0.02).all()
    assert (found.shift.drop(free) == 0.0).all(axis=None)  # held
    assert found.bias < 0.0 < found.sd


def test_a_quadrature_is_judged_by_draws() -> None:
    rows, shares = frames(1, markets=10, people=16)
    rough, good = on(bm.gauss_hermite(2), rows, shares).integration, fine().integration
    assert rough.error_interval[1] < 0 or rough.error_interval[0] > 0
    assert good.error_interval[0] < 0.0 < good.error_interval[1]
    assert np.isnan(good.sd)  # no draws, and so no spread over them


def test_without_an_integral_there_is_no_error() -> None:
    rows, shares = frames(2, **SMALL)
    fit = bm.msle(bm.MixedLogit("price:income"), data_of(rows), market_shares=shares)
    assert fit.integration is None


def in_wtp_space(seed: int, markets: int = 12, people: int = 20, tasks: int = 6):
    """Choices by ``alpha_i (-price + w_i quality) + shock``, and shares of a large population."""
    rng, t = np.random.default_rng(seed), TRUTH
    size = (markets, 3)
    price, quality, shock = (
        rng.uniform(0.5, 2.5, size),
        rng.normal(size=size),
        rng.normal(size=size),
    )

    def utility(market: np.ndarray, n: np.ndarray) -> np.ndarray:
        alpha = np.exp(t["mean[price]"] + t["sd[price]"] * n[0])
        worth = t["mean[quality]"] + t["sd[quality]"] * n[1]
        return alpha[:, None] * (worth[:, None] * quality[market] - price[market]) + shock[market]

    share = np.empty(size)
    many = rng.normal(size=(2, 40_000))
    for m in range(markets):
        power = np.exp(utility(np.full(many.shape[1], m), many))
        share[m] = (power / (1.0 + power.sum(axis=1, keepdims=True))).mean(axis=0)
    home = np.repeat(np.arange(markets), people)
    u = utility(home, rng.normal(size=(2, len(home))))[:, None, :]
    u = np.pad(u.repeat(tasks, axis=1), ((0, 0), (0, 0), (0, 1)))
    best = (u + rng.gumbel(size=u.shape)).argmax(axis=2)
    index = pd.MultiIndex.from_product([range(len(home)), range(tasks), list("abc")])
    rows = index.set_names(["who", "task", "alt"]).to_frame(index=False)
    rows["market"], code = home[rows["who"]], np.tile(np.arange(3), len(home) * tasks)
    rows["price"], rows["quality"] = (v[rows["market"], code] for v in (price, quality))
    rows["choice"] = (code == np.repeat(best.ravel(), 3)).astype(int)
    cells = pd.MultiIndex.from_product([range(markets), list("abc")], names=["market", "alt"])
    return rows, cells.to_frame(index=False).assign(share=share.ravel()), shock


def test_derivatives_in_wtp_space_are_those_of_differences() -> None:
    own = likelihood(*frames(1, **SMALL), WTP)
    theta = np.array([-0.2, 0.5, 0.3, 0.2])
    here = own.at(theta)
    ends = [(own.at(theta + step), own.at(theta - step)) for step in 1e-5 * np.eye(4)]
    slopes = np.stack([(a.logp - b.logp) / 2e-5 for a, b in ends], axis=1)
    moves = np.stack([(a.constants - b.constants) / 2e-5 for a, b in ends], axis=2)
    np.testing.assert_allclose(here.scores, slopes, atol=1e-7)
    np.testing.assert_allclose(here.moves, moves, atol=1e-7)


def test_willingness_to_pay_is_told_beside_constants() -> None:
    rows, shares, shock = in_wtp_space(1)
    how = {"market_shares": shares, "grid": bm.sobol(64), "starts": 1, "rng": 1}
    fit = bm.msle(WTP, data_of(rows), **how)
    for name, truth in TRUTH.items():
        assert abs(fit.params[name] - truth) < 3.0 * fit.std_errors[name], name
        assert fit.std_errors[name] < 0.4
    own = fit.market_constants
    assert own is not None
    assert own.error < 1e-12
    now = bm.shares(fit, fit.data, by="market", nodes=2048, draws=2, rng=1)["estimate"]
    np.testing.assert_allclose(now.sel(alternative=list("abc")), own.shares, atol=5e-3)
    # At the truth constants are the shocks, in utils: to the error of shares of 20 people's nodes.
    there = replace(likelihood(rows, shares, WTP), grid=fit.grid)
    truth = there.problem.parameters.theta(TRUTH)
    assert np.abs(there.at(truth).constants - shock).max() < 0.1
    assert bm.mean_utilities(fit, "1").params.index.to_list() == ["1"]
    held = replace(fit.model, constraints=bm.Constraints({"mean[quality]": 0.0}))
    with pytest.raises(bm.SpecificationError, match="multiplied by each person's price"):
        bm.mean_utilities(replace(fit, model=held), "quality")
