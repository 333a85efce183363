"""Coefficients given choices: Bayes' rule on a product rule's nodes."""

import numpy as np

import bayesmix as bm
from bayesmix.integration.grids import population_grid
from bayesmix.kernels.integrals import node_log_probabilities
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.point import Point
from tests.demand.test_shares import softmax


def test_known_people_choose_by_their_posterior(fit, data):
    problem = bind(fit.model, data)
    grid = population_grid(bm.gauss_hermite(40), 2, data.n_persons)
    nodes, weights = grid.block(0, data.n_persons)
    base = Point(problem, fit.theta).base
    mixture = Point(problem, fit.theta).mixture(nodes, weights)
    joint = weights * np.exp(node_log_probabilities(problem.panel(), base, mixture))
    posterior = joint / joint.sum(axis=1, keepdims=True)
    v = base[:, None] + problem.design.random @ Point(problem, fit.theta).coefficients(nodes)[0]
    p = np.column_stack([softmax(data, v[:, s]) for s in range(v.shape[1])])
    expected = (p * posterior[data.row_person]).sum(axis=1)
    expected = (
        np.bincount(
            data.row_person * 4 + data.alternative_code, expected, 4 * data.n_persons
        ).reshape(-1, 4)
        / 3
    )
    found = bm.shares(fit, data, by="who", people="known", nodes=1024, draws=2, rng=1)
    np.testing.assert_allclose(found["estimate"][:, :4], expected, atol=2e-3)
    population = bm.shares(fit, data, by="who", nodes=1024, draws=2, rng=1)
    assert abs(population["estimate"][:, :4] - expected).max() > 0.05
