"""Likelihoods with constants of markets concentrated out: derivatives, closed forms, errors."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical import market_fit
from bayesmix.classical.market_fit import share_deviations
from bayesmix.data.market_sets import MarketSets
from bayesmix.data.segments import segments_of
from bayesmix.likelihood.bind import bind
from bayesmix.optimise.market_likelihood import MarketLikelihood
from tests.markets_with_panels import HELD, MODEL, TRUTH, data_of, frames

SMALL = {"markets": 6, "people": 8, "tasks": 2}
LOGIT = bm.MixedLogit("price:income")


@cache
def found() -> bm.Fit:
    rows, shares = frames(1)
    grid = bm.sobol(64)
    data = data_of(rows)
    return bm.msle(MODEL, data, market_shares=shares, fixed=HELD, grid=grid, starts=1, rng=1)


def likelihood(rows: pd.DataFrame, shares: pd.DataFrame, model: bm.MixedLogit = MODEL, **options):
    data = data_of(rows, **options)
    problem = bind(model, data)
    sets = MarketSets(data, *segments_of(data, "market", data))
    target = shares["share"].to_numpy().reshape(-1, 3)
    if data.outside_option:
        target = np.column_stack([target, 1.0 - target.sum(axis=1)])
    size = problem.parameters.n_random
    grid = bm.population_grid(bm.sobol(32 if size else 1), size, data.n_persons, 1)
    return MarketLikelihood(problem, grid, sets, target)


@pytest.mark.parametrize("outside", [True, False])
def test_derivatives_are_those_of_the_concentrated_likelihood(outside: bool) -> None:
    own = likelihood(*frames(1, **SMALL, outside=outside), outside_option=outside)
    theta = np.array([0.1, 0.5, 0.3, 0.2])
    here = own.at(theta)
    steps = 1e-5 * np.eye(4)
    ends = [(own.at(theta + step), own.at(theta - step)) for step in steps]
    slopes = np.stack([(a.logp - b.logp) / 2e-5 for a, b in ends], axis=1)
    moves = np.stack([(a.constants - b.constants) / 2e-5 for a, b in ends], axis=2)
    np.testing.assert_allclose(here.scores, slopes, atol=1e-7)
    np.testing.assert_allclose(here.moves, moves, atol=1e-7)
    # Constants take up what is everybody's: a mean, and an attribute of products.
    assert np.abs(here.scores[:, [0, 3 if outside else 2]]).max() < 1e-10 or outside
    assert np.abs(here.scores[:, 0]).max() < 1e-10


def test_of_a_logit_constants_have_a_closed_form() -> None:
    rows, shares = frames(2, **SMALL)
    rows["income"] = 1.0  # the same for everybody: predicted shares are one person's
    rows["far"] = np.tile([0.0, 1.0, 2.0], len(rows) // 3)
    own = likelihood(rows, shares, bm.MixedLogit("far"))
    given = own.target
    expected = np.log(given[:, :3]) - np.log(given[:, 3:]) - 0.4 * np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(own.at(np.array([0.4])).constants, expected, atol=1e-12)


def test_estimates_are_near_the_truth_and_shares_are_the_given_ones() -> None:
    fit = found()
    for name in ("sd[price]", "fixed[price:income]"):
        assert abs(fit.params[name] - TRUTH[name]) < 3.0 * fit.std_errors[name]
    own = fit.market_constants
    assert own is not None
    assert own.error < 1e-12
    assert fit.loglik > fit.loglik_multinomial + 10.0
    now = bm.shares(fit, fit.data, by="market", nodes=2048, draws=2, rng=1)["estimate"]
    inside = now.sel(alternative=list("abc")).to_numpy()
    np.testing.assert_allclose(inside, own.shares, atol=2e-3)
    assert "25 markets" in fit.headline()
    assert "has a constant" not in fit.message  # they have, in every market
    assert "above the tolerance" not in fit.message


def test_a_tolerance_that_is_out_of_reach_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_fit, "MOST_NODES", market_fit.NODES)
    rows, shares = frames(1, **SMALL)
    how = {"tolerance": bm.Tolerance(estimates=1e-6), "fixed": HELD, "starts": 1, "rng": 1}
    fit = bm.msle(MODEL, data_of(rows), market_shares=shares, **how)
    assert "above the tolerance" in fit.message


def error_by_differences(rows: pd.DataFrame, shares: pd.DataFrame, b: float) -> float:
    """``H^-1 (sum_i (m_i - C M^-1 g_i)^2)^(1/2)`` of a logit's one coefficient, in NumPy.

    H of the concentrated log-likelihood, m its scores at given moves of constants, C and M the
    derivatives of these and of predicted shares in constants, g predicted less given shares.
    """
    markets, size = rows["market"].max() + 1, 3 * (rows["market"].max() + 1)
    x = (rows["price"] * rows["income"]).to_numpy().reshape(-1, 3)
    y = rows["choice"].to_numpy().reshape(-1, 3)
    home, who = (rows[name].to_numpy()[::3] for name in ("market", "who"))
    s = shares["share"].to_numpy().reshape(markets, 3)

    def probabilities(b: float, xi: np.ndarray) -> np.ndarray:
        v = np.exp(b * x + xi[home])
        return v / (1.0 + v.sum(axis=1, keepdims=True))

    def solved(b: float) -> np.ndarray:
        xi = np.log(s)
        for _ in range(300):
            p = probabilities(b, xi)
            mean = np.stack([p[home == m].mean(axis=0) for m in range(markets)])
            xi = xi + np.log(s) - np.log(mean)
        return xi

    def loglik(b: float) -> float:
        p = probabilities(b, solved(b))
        return float(np.log(np.where(y.any(axis=1), (y * p).sum(axis=1), 1 - p.sum(axis=1))).sum())

    def parts(xi: np.ndarray) -> np.ndarray:
        """By situation: the score, and predicted less given shares of its market's alternatives."""
        p = probabilities(b, xi)
        gaps = np.zeros((len(p), markets, 3))
        gaps[np.arange(len(p)), home] = p - s[home]
        return np.column_stack([((y - p) * (x + moves[home])).sum(axis=1), gaps.reshape(-1, size)])

    xi, h = solved(b), 1e-3
    moves = (solved(b + h) - solved(b - h)) / (2 * h)
    hessian = -(loglik(b + h) - 2 * loglik(b) + loglik(b - h)) / h**2
    steps = 1e-5 * np.eye(size).reshape(size, markets, 3)
    slopes = np.array([(parts(xi + d) - parts(xi - d)).sum(axis=0) / 2e-5 for d in steps])
    sums = np.zeros((who.max() + 1, 1 + size))
    np.add.at(sums, who, parts(xi))
    whole = (
        sums[:, 0] - sums[:, 1:] @ np.linalg.solve(slopes[:, 1:].T, np.eye(size)).T @ slopes[:, 0]
    )
    return float(np.sqrt(whole @ whole) / hessian)


def test_standard_errors_are_those_of_both_equations() -> None:
    rows, shares = frames(3, **SMALL)
    fit = bm.msle(LOGIT, data_of(rows), market_shares=shares)
    expected = error_by_differences(rows, shares, fit.params["fixed[price:income]"])
    assert fit.std_errors["fixed[price:income]"] == pytest.approx(expected, rel=1e-4)


def test_what_a_person_does_to_constants_is_what_a_weight_does() -> None:
    rows, shares = frames(3, **SMALL)
    theta = np.array([0.1, 0.5, 0.3, 0.2])
    own = likelihood(rows, shares)
    effect = -share_deviations(own, own.at(theta)).toarray()[5].reshape(6, 3)
    ends = [
        likelihood(rows.assign(w=np.where(rows["who"] == 5, w, 1.0)), shares, weights="w").at(theta)
        for w in (1.001, 0.999)
    ]
    by_weight = (ends[0].constants - ends[1].constants) / 0.002
    np.testing.assert_allclose(effect, by_weight, rtol=1e-5, atol=1e-8)
    assert np.abs(effect).max() > 0.01


def test_weights_count_persons() -> None:
    rows, shares = frames(3, **SMALL)
    twice = rows[rows["who"] % 3 == 0]
    weighted = rows.assign(w=np.where(rows["who"] % 3 == 0, 2.0, 1.0))
    repeated = pd.concat([rows, twice.assign(who=twice["who"] + 1000)])
    fits = [
        bm.msle(LOGIT, data_of(frame, **options), market_shares=shares)
        for frame, options in ((weighted, {"weights": "w"}), (repeated, {}))
    ]
    gap = (fits[0].params - fits[1].params) / fits[0].std_errors
    assert gap.abs().max() < 1e-4  # where searches end
    np.testing.assert_allclose(fits[0].loglik, fits[1].loglik, rtol=1e-9)


def test_stored_fits_have_their_constants(tmp_path: Path) -> None:
    fit = found()
    fit.save(tmp_path / "fit.json")
    again = bm.Fit.load(tmp_path / "fit.json", fit.data)
    assert (again.covariance() == fit.covariance()).all(axis=None)
    one, other = again.market_constants, fit.market_constants
    assert one is not None
    assert other is not None
    assert one.constants.identical(other.constants)
    assert one.frame().equals(other.frame())
    first = bm.Fit.load(tmp_path / "fit.json", data_of(frames(1)[0]))  # data that a user has
    np.testing.assert_array_equal(first.problem.offset, fit.problem.offset)
    assert first.fingerprint == again.fingerprint == fit.fingerprint


def test_alternatives_that_nobody_chose_have_constants() -> None:
    rows, shares = frames(4, **SMALL)
    rows.loc[rows["alt"] == "c", "choice"] = 0
    fit = bm.msle(LOGIT, data_of(rows), market_shares=shares)
    assert fit.converged


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": MODEL}, r"mean\[price\], fixed\[quality\].*hold it, fixed="),
        ({"model": bm.MixedLogit("price", bm.LatentClass("price"))}, "latent classes"),
        ({"model": bm.MixedLogit("price:income", scale="alt")}, "interact attributes"),
        ({"model": MODEL, "fixed": HELD, "grid": bm.centred(bm.sobol(16))}, "centred on persons"),
        ({"model": MODEL, "fixed": HELD, "grid": "sobol"}, "a rule or 'auto', got 'sobol'"),
        ({"market_shares": 3}, "'market_shares' must be a frame"),
        ({"market_shares": lambda s: s.assign(share=0.0)}, "no constant gives a share of 0"),
        ({"market_shares": lambda s: s.assign(share=0.5)}, "sum to 1.5"),
        ({"market_shares": lambda s: s.assign(market=s["market"] + 1)}, "none of that name"),
        ({"market_shares": lambda s: s.iloc[1:]}, "which is offered there"),
        ({"market_shares": lambda s: s.rename(columns={"market": "town"})}, "'town'"),
        ({"market_shares": lambda s: s.assign(price=1.0)}, "2 columns"),
    ],
)
def test_what_cannot_be_is_refused_in_words(change, words) -> None:
    rows, shares = frames(1, **SMALL)
    given = {"model": LOGIT, "market_shares": shares, "starts": 1, "rng": 1, **change}
    if callable(given["market_shares"]):
        given["market_shares"] = given["market_shares"](shares)
    with pytest.raises((bm.SpecificationError, bm.DataError), match=words):
        bm.msle(given.pop("model"), data_of(rows), **given)


def test_what_does_not_know_of_constants_says_so() -> None:
    with pytest.raises(bm.SpecificationError, match="shares of markets"):
        bm.bootstrap(found(), found().data, 2)
    rows, shares = frames(1, **SMALL)
    data, held = data_of(rows), {"fixed[price:income]": 0.0}
    full = bm.msle(LOGIT, data, market_shares=shares)
    assert bm.lr_test(bm.msle(LOGIT, data, market_shares=shares, fixed=held), full).p_value > 0.01
    with pytest.raises(bm.SpecificationError, match="not of the same shares"):
        bm.lr_test(bm.msle(LOGIT, data, fixed=held), full)
    with pytest.raises(bm.DataError, match="offset 'market constant'"):
        bm.shares(found(), data_of(frames(1)[0]), draws=2)
