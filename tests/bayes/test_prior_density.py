"""Prior densities as numbers: PyTensor's graph of the same law, and its derivatives."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import bayesmix as bm
from bayesmix.bayes.graph import free_parameters
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.bind import bind
from tests.bayes.conftest import INTERPRETED
from tests.oracles import choice_frame, choices

from .graphs import log_prior

BLOCK = bm.LKJNormal("price", "time", "comfort", eta=1.7)
LAWS = {
    "independent": ([bm.Normal("price", "time"), bm.LogNormal("comfort")], {}),
    "lkj": ([BLOCK], {"mean[time]": (0.5, 2.0), "sd[price]": 0.3}),
    "wishart": ([BLOCK], {"cov": bm.InverseWishart()}),
    "wishart of means": (
        [BLOCK],
        {"cov": bm.InverseWishart(df=7.0, scale=2.0, mean_precision=0.3, mean_location=0.4)},
    ),
    "families": (
        [BLOCK],
        {
            "mean": bm.Prior("student-t", nu=4, mu=0.2, sigma=1.5),
            "mean[time]": bm.Prior("laplace", mu=0.0, b=0.7),
            "sd": bm.Prior("half-student-t", nu=3, sigma=0.8),
            "sd[time]": bm.Prior("gamma", alpha=2.5, beta=3.0),
            "corr": 3.0,
        },
    ),
    "more families": (
        [bm.Normal("price", "time", "comfort")],
        {
            "sd[price]": bm.Prior("exponential", lam=1.3),
            "sd[time]": bm.Prior("inverse-gamma", alpha=3.0, beta=0.5),
            "sd[comfort]": bm.Prior("lognormal", mu=-0.5, sigma=0.6),
            "mean[price]": bm.Prior("cauchy", alpha=0.1, beta=2.0),
        },
    ),
    "shifts": ([bm.Normal("price", mean="1 + income"), bm.Normal("time", mean="0")], {}),
}


@pytest.mark.parametrize("kind", LAWS)
def test_value_and_gradient_are_those_of_the_graph(kind: str) -> None:
    rng = np.random.default_rng(4)
    frame = choice_frame(rng)
    frame["comfort"] = rng.normal(size=len(frame))
    laws, given = LAWS[kind]
    problem = bind(bm.MixedLogit("price + time + comfort", random=laws), choices(frame))
    priors, space = make_priors(problem, given), problem.parameters
    theta = rng.normal(size=space.size)
    theta[space.diagonal()] = 0.3 + np.abs(theta[space.diagonal()])
    variable = pt.dvector()
    graph = log_prior(problem, priors, free_parameters(variable, space))
    outputs = [graph, pytensor.grad(graph, variable)]
    expected = pytensor.function([variable], outputs, mode=INTERPRETED)(theta)
    value, gradient = prior_value_and_gradient(problem, priors, theta)
    assert value == pytest.approx(float(expected[0]), abs=1e-10)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-10, atol=1e-10)
