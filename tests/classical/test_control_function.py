"""Fits with a control function: recovery, standard errors of two stages, the bootstrap, storage."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.classical.first_stage_errors import without_first_stage
from tests.markets_with_shocks import PRICE, Stacked, control, data_of, frame

TABLE = frame(1)
DATA = data_of(TABLE)
MODEL = bm.MixedLogit("price + quality", control=control())


@pytest.fixture(scope="module")
def fit() -> bm.Fit:
    return bm.msle(MODEL, DATA)


@pytest.fixture(scope="module")
def stacked() -> Stacked:
    return Stacked(TABLE, 4)


def test_the_price_coefficient_is_found_with_the_control_alone() -> None:
    data = data_of(frame(11, 100, 5, 20))
    without, found = bm.msle(bm.MixedLogit("price + quality"), data), bm.msle(MODEL, data)
    off = [
        (f.params["fixed[price]"] - PRICE) / f.std_errors["fixed[price]"] for f in (without, found)
    ]
    assert off[0] > 5.0
    assert abs(off[1]) < 2.0


@pytest.mark.parametrize("powers", [1, 2])
def test_covariances_are_those_of_stacked_estimating_equations(powers: int) -> None:
    model = bm.MixedLogit("price + quality", control=control(powers=powers))
    fit, oracle = bm.msle(model, DATA), Stacked(TABLE, 4, powers)
    theta = fit.params.to_numpy()
    assert np.abs(oracle.scores(theta, oracle.gamma).sum(axis=0)).max() < 1e-6
    robust = oracle.covariance(theta, by_market=False)
    np.testing.assert_allclose(fit.covariance(), robust, rtol=3e-5, atol=1e-7)
    by_market = fit.clustered(DATA, "market")
    clustered = oracle.covariance(theta, by_market=True)
    np.testing.assert_allclose(by_market.covariance(), clustered, rtol=3e-5, atol=1e-7)
    same = bm.msle(model, DATA, cluster="market")
    np.testing.assert_allclose(same.covariance(), by_market.covariance(), rtol=1e-10)


def test_every_kind_of_covariance_carries_the_first_stage(fit: bm.Fit) -> None:
    known = without_first_stage(fit)
    for kind in ("robust", "hessian", "opg"):
        more = np.linalg.eigvalsh(fit.covariance(kind) - known.covariance(kind))
        assert more[-1] > 1e-4
        assert more[0] > -1e-12


def test_the_bootstrap_redoes_both_stages(fit: bm.Fit) -> None:
    by_market = fit.clustered(DATA, "market")
    known = without_first_stage(by_market).std_errors
    for one in (fit, by_market):
        again = bm.bootstrap(one, DATA, 60, rng=1, processes=1)
        ratio = again.std_errors / one.std_errors
        assert again.first_stage is not None
        assert again.first_stage.shape == (len(again.thetas), 4)
        assert (abs(np.log(ratio)) < 3.0 / np.sqrt(120)).all()
        assert (again.std_errors > 1.1 * known)[["fixed[price]", "fixed[residual[price]]"]].all()


def test_estimates_move_with_the_first_stage_by_its_slopes(fit: bm.Fit, stacked: Stacked) -> None:
    first = fit.information.first
    assert first is not None
    step = np.array([0.0, 0.02, -0.01, 0.01])
    moved = []
    for sign in (1.0, -1.0):
        x = stacked.x(stacked.gamma + sign * step)
        table = TABLE.assign(r=x[:, :, 2].ravel())
        moved.append(bm.msle(bm.MixedLogit("price + quality + r"), data_of(table)).params)
    by_refits = (moved[0].to_numpy() - moved[1].to_numpy()) / 2.0
    by_slopes = np.linalg.solve(fit.information.hessian, first.slopes @ step)
    np.testing.assert_allclose(by_slopes, by_refits, rtol=2e-3, atol=1e-5)


def test_moments_and_scores_carry_it_too(fit: bm.Fit) -> None:
    for other in (bm.msm(MODEL, DATA), bm.mss(MODEL, DATA)):
        np.testing.assert_allclose(other.params, fit.params, rtol=1e-5)
        np.testing.assert_allclose(other.std_errors, fit.std_errors, rtol=0.03)


def test_the_test_of_moments_knows_that_residuals_are_estimated() -> None:
    """Hansen's J of NumPy, with ``S + C V C'`` for the moments' covariance; S alone rejects."""
    table = frame(1003, people=40)
    stacked, data = Stacked(table, 4), data_of(table)
    found = bm.msm(MODEL, data, further="cost + quality:cost").overidentification
    gamma = stacked.gamma
    own = np.column_stack([table["cost"], table["quality"] * table["cost"]]).reshape(-1, 4, 2)
    chosen = table["choice"].to_numpy().reshape(-1, 4)

    def moments(theta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
        x = stacked.x(gamma)
        z = np.concatenate([stacked.x(stacked.gamma), own], axis=2)
        return np.einsum("ij,ijp->ip", chosen - stacked.shares(theta, x), z)

    def slopes(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
        steps = 1e-5 * np.eye(len(at))
        both = [function(at + h).sum(axis=0) - function(at - h).sum(axis=0) for h in steps]
        return np.column_stack(both) / 2e-5

    theta = bm.msle(MODEL, data).params.to_numpy()
    g, d = moments(theta, gamma), slopes(lambda at: moments(at, gamma), theta)
    n = table["market"].nunique()
    influence = stacked.moments(gamma).reshape(n, 4, -1).sum(axis=1)
    influence = influence @ np.linalg.inv(stacked.z.T @ stacked.z)
    moved = influence @ slopes(lambda at: moments(theta, at), gamma).T
    js = []
    for spread in (g.T @ g, g.T @ g + n / (n - 1) * moved.T @ moved):
        weight, total = np.linalg.inv(spread), g.sum(axis=0)
        step = np.linalg.solve(d.T @ weight @ d, d.T @ weight @ total)
        js.append((total - d @ step) @ weight @ (total - d @ step))
    assert found is not None
    assert found.df == 2
    assert found.statistic == pytest.approx(js[1], rel=0.02)
    assert js[0] > 1.5 * js[1]


def test_weights_and_order_of_rows() -> None:
    weighted = TABLE.assign(w=np.where(TABLE["who"] % 3 == 0, 2.0, 1.0))
    fit = bm.msle(MODEL, data_of(weighted, weights="w"))
    twice = pd.concat([TABLE, TABLE[TABLE["who"] % 3 == 0].assign(who=lambda t: t["who"] + 10**6)])
    repeated = bm.msle(MODEL, data_of(twice.sample(frac=1.0, random_state=1)))
    np.testing.assert_allclose(fit.params, repeated.params, rtol=1e-6)
    # A level counts once, however often it is met: the first stages are the same.
    one, other = (bm.first_stage(f).table["estimate"] for f in (fit, repeated))
    np.testing.assert_allclose(one, other, rtol=1e-10)


def test_held_and_random_residuals(tmp_path: Path) -> None:
    model = bm.MixedLogit(
        "price + quality", random=[bm.Normal("residual[price]")], control=control()
    )
    grid = bm.centred(bm.sobol(32))
    fit = bm.msle(model, DATA, grid=grid, starts=1, rng=1, fixed={"sd[residual[price]]": 0.5})
    assert fit.std_errors["sd[residual[price]]"] == 0.0
    assert (fit.std_errors.drop("sd[residual[price]]") > 0.05).all()
    fit.save(tmp_path / "fit.json")
    again = bm.Fit.load(tmp_path / "fit.json", DATA)
    assert again.model == fit.model
    assert (again.covariance() == fit.covariance()).all(axis=None)
    assert bm.endogeneity_test(fit).df == 1


def test_a_stored_fit_has_the_same_numbers(fit: bm.Fit, tmp_path: Path) -> None:
    by_market = fit.clustered(DATA, "market")
    by_market.save(tmp_path / "fit.json")
    again = bm.Fit.load(tmp_path / "fit.json", DATA)
    assert (again.covariance() == by_market.covariance()).all(axis=None)
    one, other = (bm.shares(f, DATA, draws=10, rng=1) for f in (again, by_market))
    assert bool((one == other).all().to_array().all())
    other_data = data_of(TABLE.assign(cost=TABLE["cost"] + 0.3 * TABLE["wage"] ** 2))
    with pytest.raises(bm.DataError, match=r"log-likelihood|first stage"):
        bm.Fit.load(tmp_path / "fit.json", other_data)


def test_latent_classes_and_wtp_space(fit: bm.Fit) -> None:
    wtp = bm.msle(bm.MixedLogit("price + quality", wtp="price", control=control()), DATA, starts=1)
    assert abs(wtp.loglik - fit.loglik) < 1e-6
    np.testing.assert_allclose(
        wtp.std_errors["fixed[price]"], fit.std_errors["fixed[price]"], rtol=1e-3
    )
    classes = bm.MixedLogit("price + quality", bm.LatentClass("price"), control=control())
    found = bm.msle(classes, DATA, starts=1, rng=1)
    assert found.information.first is not None
    assert np.isfinite(found.std_errors["fixed[residual[price]]"])


def test_moments_of_sequences_are_refused_in_words() -> None:
    mixed = bm.MixedLogit("price + quality", random=[bm.Normal("price")], control=control())
    with pytest.raises(bm.SpecificationError, match="sequences"):
        bm.msm(mixed, DATA, moments="sequences")


def test_what_the_first_stage_changes_elsewhere(fit: bm.Fit) -> None:
    with pytest.raises(bm.SpecificationError, match="choices alone"):
        bm.coverage(MODEL, DATA, truth=fit, simulations=2, processes=1, progress=False)
    assert "carry the first stage" in fit.to_latex()
    assert "residual[price] from 240 levels" in fit.headline()
