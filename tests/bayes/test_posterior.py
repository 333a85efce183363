"""The posterior as numbers: PyTensor's graph of it, at 1e-10, wherever it is used for chains."""

from dataclasses import replace

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.correction import Correction, Features
from bayesmix.bayes.frozen_likelihood import FrozenLikelihood
from bayesmix.bayes.whitened import posterior_mode, whitened_posterior
from bayesmix.centring.grids import centre
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from tests.bayes.conftest import INTERPRETED

from .conftest import MODEL, TRUTH
from .graphs import whitened_model

NAMES = ("mean[a]", "mean[b]", "sd[a]", "sd[b]", "corr[a, b]")
WISHART = {"cov": bm.InverseWishart(mean_precision=0.2), "fixed[d]": (0.3, 0.5)}
MODELS = {
    "fixed coefficient": (MODEL, {}),
    "frozen nodes": (bm.MixedLogit("a + b", random=bm.LKJNormal("a", "b", eta=1.5)), {}),
    "law that moves": (bm.MixedLogit("a + b", random=[bm.Triangular("a"), bm.Normal("b")]), {}),
    "inverse-Wishart": (bm.MixedLogit("a + b + d", random=bm.LKJNormal("a", "b")), WISHART),
    "scales": (bm.MixedLogit("a + b + d", random=bm.Normal("a", "b"), scale="source"), {}),
}


@pytest.fixture(scope="module")
def sourced(panel):
    """The panel, every other task of which is of another source."""
    frame = panel.frame.assign(choice=0, source=np.where(panel.frame["task"] % 2, "SP", "RP"))
    frame.loc[frame.index[panel.chosen_row], "choice"] = 1
    names = {"person": "id", "situation": "task", "alternative": "alt", "chosen": "choice"}
    return bm.ChoiceData.from_long(frame, **names)


@pytest.mark.parametrize("name", MODELS)
def test_value_and_gradient_are_those_of_the_graph(sourced, name) -> None:
    model, priors = MODELS[name]
    problem, rng = bind(model, sourced), np.random.default_rng(3)
    space = problem.parameters
    known = {n: TRUTH.get(n, 0.5) for n in space.names}
    theta = problem.canonical(space.theta(known))
    grid = centre(problem, bm.centred(bm.sobol(32)), theta, 1)
    at = posterior_mode(problem, grid, theta, priors)
    half = rng.normal(size=(space.size, space.size))
    features = Features.around(at.within, at.centre, at.root)
    correction = Correction(features, rng.normal(size=space.size), half + half.T)
    ours = whitened_posterior(problem, grid, at, priors, correction=correction)
    graph = whitened_model(problem, grid, at, priors)
    value = graph.compile_logp(jacobian=False, mode=INTERPRETED)
    gradient = graph.compile_dlogp(jacobian=False, mode=INTERPRETED)
    assert (FrozenLikelihood.on(problem, grid) is not None) == (name == "frozen nodes")
    points = rng.normal(size=(3, space.size))
    constants = ours.values(points) - [ours(x)[0] for x in points]  # of the priors
    assert np.ptp(constants) < 1e-9
    for x in points:
        own, d_own = ours(x)
        known, slope = correction.value_and_slope(x)
        assert own == pytest.approx(float(value({"x": x})) + known, abs=1e-10)
        np.testing.assert_allclose(d_own, gradient({"x": x}) + slope, rtol=1e-10, atol=1e-9)


def test_signed_quadratures_and_shared_nodes(panel) -> None:
    problem = bind(MODEL, panel)
    theta = problem.canonical(problem.parameters.theta(TRUTH))
    grid = population_grid(bm.sparse(4), 3, panel.n_persons)
    at = posterior_mode(problem, grid, theta)
    ours, graph = whitened_posterior(problem, grid, at), whitened_model(problem, grid, at)
    x = np.full(problem.parameters.size, 0.3)
    value = graph.compile_logp(jacobian=False, mode=INTERPRETED)({"x": x})
    assert ours(x)[0] == pytest.approx(float(value), abs=1e-10)


def test_many_free_vectors_at_once_are_each_alone(panel) -> None:
    model = bm.MixedLogit("a + b", random=bm.LKJNormal("a", "b"))
    problem, rng = bind(model, panel), np.random.default_rng(8)
    theta = problem.canonical(problem.parameters.theta({n: TRUTH[n] for n in NAMES}))
    frozen = FrozenLikelihood.on(problem, centre(problem, bm.centred(bm.sobol(32)), theta, 1))
    assert frozen is not None
    thetas = theta + 0.2 * rng.uniform(-1, 1, size=(70, len(theta)))
    thetas[3, problem.parameters.diagonal()[0]] = 0.0  # a law without spread
    values, threads = frozen.values(thetas), replace(frozen, threads=3)
    assert np.isnan(values[3])
    for d in (0, 40, 69):
        own, slope = frozen(thetas[d])
        assert own == pytest.approx(values[d], abs=1e-10)
        assert own == pytest.approx(frozen.by_draw(thetas[d : d + 1]).sum(), abs=1e-10)
        same, d_same = threads(thetas[d])
        assert same == own
        assert (d_same == slope).all()
