"""Draws by acceptance and rejection: bounds are bounds, draws have the posterior's law."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from bayesmix import LKJNormal, LogNormal, Normal
from bayesmix.centring import accept_reject
from bayesmix.centring.accept_reject import accepted_draws, largest_log_probabilities
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import monte_carlo, sobol
from bayesmix.kernels.logit import Panel
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit
from tests.oracles import log_probability, random_panel
from tests.simulated import simulated

AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 1.2, "corr[x, y]": -0.6}
MODEL = MixedLogit("x + y", random=LKJNormal("x", "y"))


def streams(problem, nodes):
    size, rule = problem.parameters.n_random, monte_carlo(nodes)
    return (
        population_grid(rule, size, problem.n_persons, 1),
        population_grid(rule, 1, problem.n_persons, 2),
    )


@pytest.mark.parametrize("outside", [False, True])
def test_bounds_are_the_maxima(outside):
    rng = np.random.default_rng(0)
    panel = random_panel(rng, 60, 1, outside=outside)
    base = rng.normal(size=len(panel.x))
    bounds = largest_log_probabilities(panel, base)
    attained = 0
    for i, bound in enumerate(bounds):
        # Some maxima are at infinity.
        grid = np.concatenate([np.linspace(-60, 60, 4001), [-1e4, 1e4]])[None, :]
        best = log_probability(panel, i, base, grid).max()
        assert bound >= best
        attained += bound - best < 1e-3
    assert attained == 60


def test_bounds_in_several_dimensions():
    rng = np.random.default_rng(1)
    problem = bind(MODEL, simulated(MODEL, AT, 30, 12, seed=3))
    panel = problem.panel()
    flat = replace_x(panel, np.column_stack([panel.x, np.zeros(len(panel.x))]))
    base = rng.normal(size=len(panel.x))
    bounds = largest_log_probabilities(panel, base)
    for i in range(30):
        found = minimize(
            lambda b, i=i: -log_probability(panel, i, base, b[:, None])[0], np.zeros(2)
        )
        assert bounds[i] >= -found.fun
        assert bounds[i] == pytest.approx(-found.fun, abs=1e-5) or bounds[i] == 0
    # A column that does not vary for a person is in nobody's way.
    np.testing.assert_allclose(largest_log_probabilities(flat, base), bounds, atol=1e-6)


def replace_x(panel, x):
    return Panel(np.ascontiguousarray(x), *panel[1:])


@pytest.mark.parametrize("law", ["correlated", "lognormal", "fixed too"])
def test_scores_are_unbiased(law):
    model, at = {
        "correlated": (MODEL, AT),
        "lognormal": (
            MixedLogit("x + y", random=LogNormal("x", sign=-1)),
            {"mean[x]": 0.2, "sd[x]": 0.7, "fixed[y]": 0.5},
        ),
        "fixed too": (
            MixedLogit("x + y", random=Normal("x")),
            {"mean[x]": 1.0, "sd[x]": 1.5, "fixed[y]": -0.6},
        ),
    }[law]
    problem = bind(model, simulated(model, at, 2000, 2, seed=1))
    theta = problem.parameters.theta(at)
    grid = population_grid(sobol(1024), problem.parameters.n_random, 2000, 9)
    _, exact = Likelihood(problem, grid).by_person(theta)
    draws = accepted_draws(problem, theta, streams(problem, 4000), 3)
    assert (draws.counts == 3).mean() > 0.95
    assert draws.counts.min() > 0
    error = draws.scores(problem, theta) - exact
    z = error.mean(axis=0) / (error.std(axis=0) / np.sqrt(2000))
    assert np.abs(z).max() < 3.5, z
    # The noise is there, and far from the scores' own spread in no direction.
    assert (error.std(axis=0) > 0.05 * exact.std(axis=0)).all()


def test_the_noise_of_scores_is_their_spread_over_draws():
    problem = bind(MODEL, simulated(MODEL, AT, 60, 3, seed=2))
    theta, drawn = problem.parameters.theta(AT), []
    for seed in range(60):
        both = (
            population_grid(monte_carlo(1500), 2, 60, 2 * seed + 1),
            population_grid(monte_carlo(1500), 1, 60, 2 * seed + 2),
        )
        drawn.append(accepted_draws(problem, theta, both, 4))
    scores = np.array([d.scores(problem, theta).sum(axis=0) for d in drawn])
    claimed = np.mean([np.diag(d.noise(problem, theta)) for d in drawn], axis=0)
    # 60 repetitions know a variance within 18 %.
    np.testing.assert_allclose(claimed, scores.var(axis=0, ddof=1), rtol=0.55)
    one = replace(drawn[0], counts=np.where(np.arange(60) < 30, 1, drawn[0].counts))
    assert np.isfinite(one.noise(problem, theta)).all()
    alone = replace(drawn[0], counts=np.ones(60, dtype=int))
    assert np.isnan(alone.noise(problem, theta)).all()


def test_cuts_and_thresholds(monkeypatch):
    problem = bind(MODEL, simulated(MODEL, AT, 40, 3, seed=2))
    theta, both = problem.parameters.theta(AT), streams(problem, 300)
    whole = accepted_draws(problem, theta, both, 20)
    monkeypatch.setattr(accept_reject, "PERSONS", 7)
    monkeypatch.setattr(accept_reject, "FIRST", 300)
    cut = accepted_draws(problem, theta, both, 20)
    np.testing.assert_array_equal(whole.nodes, cut.nodes)
    np.testing.assert_array_equal(whole.counts, cut.counts)
    # The first few of many are the few.
    few = accepted_draws(problem, theta, both, 2)
    np.testing.assert_array_equal(few.nodes, whole.nodes[:, :, :2])
