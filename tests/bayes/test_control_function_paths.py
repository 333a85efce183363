"""Joint posteriors with a control function where persons are sampled, and of latent classes."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.class_model import class_model
from bayesmix.bayes.first_stage_graph import WHITE
from bayesmix.bayes.hierarchical import Hierarchical, information_at, no_information
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.whitened import posterior_mode
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.points_grid import points_grid
from bayesmix.likelihood.with_first_stage import price_equation
from bayesmix.specification.parameter import SD
from tests.bayes.conftest import INTERPRETED
from tests.markets_with_shocks import control, data_of, frame

LAWS = {
    "points": bm.LatentClass("price"),
    "points of residuals": bm.LatentClass("price", "residual[price]"),
    "a law in each": bm.LatentClass(bm.Normal("price")),
}


def small(spread: float = 0.5) -> bm.ChoiceData:
    return data_of(frame(4, markets=15, people=4, spread=spread))


@pytest.mark.parametrize("centred", [True, False])
def test_slopes_of_persons_and_first_stage_are_those_of_differences(centred: bool) -> None:
    model = bm.MixedLogit("price + quality", bm.Normal("price"), control=control(powers=2))
    problem = bind(model, small())
    grid = population_grid(bm.sobol(16), 1, problem.n_persons, np.random.default_rng(1))
    at = posterior_mode(problem, grid, np.array([-1.0, 0.5, 0.5, 0.5, 0.1]))
    own = information_at(problem, at.theta) if centred else no_information(problem)
    posterior = Hierarchical(problem, make_priors(problem, None), at, own)
    assert posterior.population == 9  # five of choices, four of prices
    x = 0.5 * np.random.default_rng(2).standard_normal(posterior.size)
    value, slopes = posterior(x)
    places = [*range(9), 9, posterior.size - 1]
    steps = 1e-5 * np.eye(posterior.size)[places]
    found = [(posterior(x + h)[0] - posterior(x - h)[0]) / 2e-5 for h in steps]
    np.testing.assert_allclose(slopes[places], found, rtol=1e-5, atol=1e-6)
    assert np.isfinite(value)
    # At other prices' coefficients the choices have other residuals, and prices another density.
    gamma = posterior.theta(x)[5:]
    assert np.abs(gamma - problem.design.residuals.first.gamma).max() > 0.01


def test_chains_of_persons_are_those_of_the_integrated_posterior() -> None:
    model = bm.MixedLogit("price + quality", bm.Normal("price"), control=control())
    data, how = small(), {"rng": 1, "progress": False, "chains": 2}
    one = bm.sample(model, data, method="importance", draws=500, **how)["posterior"]
    tree = bm.sample(model, data, likelihood="hierarchical", draws=150, tune=100, **how)
    other, dims = tree["posterior"], ("chain", "draw")
    for name in ("fixed", "first_stage"):
        gap = (other[name].mean(dims) - one[name].mean(dims)) / one[name].std(dims)
        assert float(np.abs(gap).max()) < 0.35, name  # 300 draws of NUTS
        ratio = other[name].std(dims) / one[name].std(dims)
        assert 0.7 < float(ratio.min()) < float(ratio.max()) < 1.4
    assert "flat" in other.attrs["first_stage"]
    assert tree["log_likelihood"]["choices"].shape[:2] == (2, 150)


@pytest.mark.parametrize("name", LAWS)
def test_potentials_of_classes_are_likelihood_and_price_equation(name: str) -> None:
    problem = bind(bm.MixedLogit("price + quality", LAWS[name], control=control()), small())
    size = problem.parameters.n_random
    grid = points_grid(problem)
    if size:
        grid = population_grid(bm.sobol(16), size, problem.n_persons, np.random.default_rng(1))
    theta = problem.parameters.theta(
        {n: 0.1 + 0.2 * i for i, n in enumerate(problem.parameters.names)}
    )
    model = class_model(problem, grid, start=theta)
    value = model.compile_logp(vars=model.potentials, mode=INTERPRETED)
    begin = model.initial_point()
    if size:
        printed = problem.parameters.natural(theta)
        begin |= {"sd_log__": np.log(printed[problem.parameters.of_kind(SD)])}
    first = problem.design.residuals.first
    root = first.root * first.residual.std()
    white = np.array([0.5, -1.0, 0.3, 0.8])

    def exact(white: np.ndarray) -> float:
        gamma = first.gamma + root @ white
        logp = Likelihood(problem, grid).by_person(np.append(theta, gamma))[0]
        return float(logp.sum()) + price_equation(first, gamma)[0]

    moved = value(begin | {WHITE: white}) - value(begin | {WHITE: np.zeros(4)})
    assert moved == pytest.approx(exact(white) - exact(np.zeros(4)), rel=1e-9)
    assert abs(moved - price_equation(first, first.gamma + root @ white)[0]) > 1e-3


def test_chains_of_classes_have_draws_of_the_first_stage() -> None:
    data = small(spread=1.0)
    model = bm.MixedLogit("price + quality", bm.LatentClass("price"), control=control())
    how = {"draws": 10, "tune": 10, "chains": 1, "rng": 1, "progress": False}
    tree = bm.sample(model, data, **how)
    draws = tree["posterior"]
    assert draws["first_stage"].shape == (1, 10, 4)
    assert (draws["first_stage"].std(("chain", "draw")) > 0.01).all()
    assert "flat" in draws.attrs["first_stage"]
    problem = bind(model, data)
    thetas = free_vectors(problem, draws.to_dataset())[0]
    logp = Likelihood(problem, points_grid(problem)).by_person(thetas[3])[0]
    kept = tree["log_likelihood"]["choices"][0, 3]
    np.testing.assert_allclose(kept, logp, rtol=1e-10)
