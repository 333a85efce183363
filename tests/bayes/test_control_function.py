"""Posteriors with a control function, whose first stage is a part of the model."""

from functools import cache, cached_property

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.integrate import quad

import bayesmix as bm
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.whitened import Whitening, posterior_mode
from bayesmix.classical.first_stage_errors import without_first_stage
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.with_first_stage import WithFirstStage, price_equation
from tests.markets_with_shocks import Stacked, control, data_of, frame

FLAT = {"fixed": (0.0, 1e6)}
NORMAL = [bm.Normal("price")]


class OneInstrument(Stacked):
    """Just identified: choices say nothing of the first stage that their own terms do not take."""

    @cached_property
    def z(self) -> np.ndarray:
        return np.column_stack([np.ones(len(self.levels)), self.levels[["quality", "cost"]]])


@pytest.mark.parametrize("random", [[], NORMAL])
def test_gradients_are_those_of_differences(random: list) -> None:
    table = frame(1, markets=12, spread=0.5).assign(
        source=lambda t: np.where(t["who"] % 2, "a", "b")
    )
    model = bm.MixedLogit(
        "price + quality", random=random, control=control(powers=2), scale="source"
    )
    problem = bind(model, data_of(table))
    grid = points_grid(problem)
    if random:
        grid = population_grid(bm.sobol(16), 1, problem.n_persons, np.random.default_rng(1))
    joint, first = WithFirstStage(problem, grid), problem.design.residuals.first
    theta = np.append(np.linspace(0.3, 0.7, problem.parameters.size), first.gamma + 0.05)
    steps = 1e-5 * np.eye(len(theta))
    slopes = [(joint(theta + h)[0] - joint(theta - h)[0]) / 2e-5 for h in steps]
    np.testing.assert_allclose(joint(theta)[1], slopes, rtol=1e-5, atol=1e-6)
    moved, own = problem.split(theta)
    alone = Likelihood(moved, grid).value_and_gradient(own)[0]
    value = price_equation(first, theta[problem.parameters.size :])[0]
    assert joint(theta)[0] == pytest.approx(alone + value, rel=1e-12)


def test_the_price_equation_is_integrated_over_its_variance() -> None:
    first = bind(
        bm.MixedLogit("price + quality", control=control()), data_of(frame(2, markets=4))
    ).design.residuals.first

    def exact(gamma: np.ndarray) -> float:
        mu, n = first.price - first.x @ gamma, len(first.price)
        # Of the standard deviation s: a normal law of every price, and 1 / s.
        return quad(lambda s: np.exp(-(mu @ mu) / (2 * s**2)) * s ** (-n - 1), 0, np.inf)[0]

    near, far = first.gamma, first.gamma + np.array([0.1, -0.1, 0.05, 0.2])
    found = price_equation(first, far)[0] - price_equation(first, near)[0]
    assert found == pytest.approx(np.log(exact(far) / exact(near)), rel=1e-6)


@cache
def at_mode() -> tuple[bm.Fit, Whitening, OneInstrument]:
    """The fit and the posterior mode under flat priors, of one instrument."""
    table = frame(3)
    model = bm.MixedLogit("price + quality", control=control(instruments="cost"))
    fit = bm.msle(model, data_of(table), rng=1, progress=False)
    at = posterior_mode(fit.problem, points_grid(fit.problem), fit.theta + 0.1, FLAT)
    return fit, at, OneInstrument(table, 4)


def test_the_mode_under_flat_priors_is_the_two_step_estimate() -> None:
    fit, at, oracle = at_mode()
    np.testing.assert_allclose(at.theta[:3], fit.theta, atol=1e-4)
    np.testing.assert_allclose(at.theta[3:], oracle.gamma, atol=1e-5)


def test_its_curvature_is_that_of_murphy_and_topel() -> None:
    """``A^-1 + A^-1 B V B' A^-1``, V the covariance of first-stage coefficients."""
    fit, at, oracle = at_mode()
    theta, gamma = fit.theta, oracle.gamma

    def score(at: np.ndarray) -> np.ndarray:
        return oracle.scores(at[:3], at[3:]).sum(axis=0)

    both, steps = np.append(theta, gamma), 1e-5 * np.eye(6)
    slopes = np.column_stack([(score(both + h) - score(both - h)) / 2e-5 for h in steps])
    residual = oracle.levels["price"].to_numpy() - oracle.z @ gamma
    of_gamma = np.linalg.inv(oracle.z.T @ oracle.z) * (residual @ residual) / len(residual)
    plug_in = np.linalg.inv(-slopes[:, :3])
    carried = plug_in @ slopes[:, 3:] @ of_gamma @ slopes[:, 3:].T @ plug_in
    found = (at.root @ at.root.T)[:3, :3]
    np.testing.assert_allclose(found, plug_in + carried, rtol=2e-3)
    assert found[0, 0] > 1.5 * plug_in[0, 0]


@cache
def drawn() -> tuple[bm.Fit, bm.ChoiceData, xr.DataTree]:
    table = frame(1)
    data, model = data_of(table), bm.MixedLogit("price + quality", control=control())
    fit = bm.msle(model, data, rng=1, progress=False)
    how = {"method": "importance", "draws": 200, "chains": 2, "rng": 1, "progress": False}
    return fit, data, bm.sample(model, data, **how)


def test_intervals_carry_the_first_stage() -> None:
    fit, _, tree = drawn()
    draws = tree["posterior"]["fixed"].sel(term="price")
    two_step, plug_in = (one.std_errors["fixed[price]"] for one in (fit, without_first_stage(fit)))
    assert abs(float(draws.mean()) - fit.params["fixed[price]"]) < 0.5 * two_step
    assert float(draws.std()) == pytest.approx(two_step, rel=0.25)
    assert float(draws.std()) > 1.15 * plug_in
    first = tree["posterior"]["first_stage"]
    assert list(first["regressor"].to_numpy()) == ["1", "quality", "cost", "wage"]
    assert np.isnan(tree["posterior"].attrs["log_evidence"])  # a flat prior has no constant
    assert "flat" in tree["posterior"].attrs["first_stage"]


def test_the_first_stage_of_a_posterior_is_that_of_its_draws() -> None:
    fit, data, tree = drawn()
    found, plain = bm.first_stage(tree, data), bm.first_stage(fit)
    draws = tree["posterior"]["first_stage"]
    mean, sd = draws.mean(("chain", "draw")).to_numpy(), draws.std(("chain", "draw"), ddof=1)
    np.testing.assert_allclose(found.table["estimate"], mean, rtol=1e-12)
    np.testing.assert_allclose(found.table["std error"], sd, rtol=1e-12)
    np.testing.assert_allclose(found.table["least squares"], plain.table["estimate"], rtol=1e-12)
    assert found.strength == plain.strength
    x = np.column_stack([np.ones(len(data.frame)), data.frame[["quality", "cost", "wage"]]])
    fitted = pd.Series(x @ mean).groupby([data.frame[c] for c in control().on]).first()
    np.testing.assert_allclose(found.levels["fitted"], fitted.loc[found.levels.index], rtol=1e-10)
    assert "means and standard deviations of 400 draws" in found.headline()
    with pytest.raises(bm.SpecificationError, match=r"first_stage\(posterior, data\)"):
        bm.first_stage(tree)
    with pytest.raises(bm.DataError, match="not the choices that the posterior is of"):
        bm.first_stage(tree, data_of(frame(2)))


def test_demand_has_the_residuals_of_each_draw() -> None:
    _, data, tree = drawn()
    oracle = Stacked(data.frame, 4)
    problem = bind(bm.MixedLogit("price + quality", control=control()), data)
    thetas = free_vectors(problem, tree["posterior"].to_dataset()).reshape(-1, 7)
    assert (thetas[:, 3:].std(axis=0) > 0.01).all()
    chosen = thetas[np.linspace(0, len(thetas) - 1, 5).round().astype(int)]
    each = [oracle.shares(t[:3], oracle.x(t[3:])).mean(axis=0) for t in chosen]
    found = bm.shares(tree, data, draws=5, rng=1)
    np.testing.assert_allclose(found["estimate"], np.mean(each, axis=0), rtol=1e-10)
    logp = tree["log_likelihood"]["choices"].to_numpy().reshape(len(thetas), -1)
    wanted = data.frame["choice"].to_numpy().reshape(-1, 4) == 1
    own = np.log(oracle.shares(thetas[7, :3], oracle.x(thetas[7, 3:]))[wanted])
    np.testing.assert_allclose(logp[7], own, rtol=1e-10)


def test_chains_of_a_mixed_logit_have_it_too() -> None:
    data = data_of(frame(4, markets=15, spread=0.5))
    model = bm.MixedLogit("price + quality", random=NORMAL, control=control())
    how = {"draws": 15, "tune": 15, "chains": 2, "rng": 1, "progress": False}
    tree = bm.sample(model, data, grid=bm.centred(bm.sobol(16)), **how)
    draws = tree["posterior"]
    assert draws["first_stage"].shape == (2, 15, 4)
    assert (draws["first_stage"].std(("chain", "draw")) > 0.01).all()
    assert draws.attrs["integration_error_sd"] < 0.5


def test_what_is_not_drawn_jointly_is_refused_in_words() -> None:
    data, plain = data_of(frame(1, markets=12)), "price + quality"
    model = bm.MixedLogit(plain, control=control())
    mixed = bm.MixedLogit(plain, random=NORMAL, control=control())
    cases = [
        (mixed, {"likelihood": "hierarchical", "noncentred": False}, "without noncentred=False"),
        (bm.MixedLogit(plain, random=[bm.Normal("residual[price]")], control=control()), {}, "law"),
        (bm.MixedLogit(plain, wtp="price", control=control()), {}, "preference space"),
    ]
    for one, how, words in cases:
        with pytest.raises(bm.SpecificationError, match=words):
            bm.sample(one, data, **how)
    for verb in (bm.pymc_model, bm.prior_predictive):
        with pytest.raises(bm.SpecificationError, match="does not know control functions"):
            verb(model, data)
    assert "fixed[price]" in bm.priors(model, data).table.index
