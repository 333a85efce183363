"""Nodes that follow each person's posterior: the same integrals, and curvature that is right."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.centring.follow import followed, following_gradient
from bayesmix.centring.grids import centre
from bayesmix.classical.covariance import Information
from bayesmix.classical.information import information_at
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.optimise.maximise import curvature

NAMES = ("pf", "cl", "loc", "wk", "tod", "seas")
ESTIMATES = (-1.0103, -0.2332, 2.3531, 1.6772, -9.720, -9.881)
SPREADS = (0.2228, 0.4105, 1.8854, 1.2480, 2.502, 1.608)


def electricity():
    model = bm.MixedLogit(" + ".join(NAMES), random=bm.Normal(*NAMES))
    problem = bind(model, bm.examples.electricity())
    return problem, np.array([*ESTIMATES, *SPREADS])


@pytest.mark.parametrize("moments", [False, True])
def test_at_the_anchor_nothing_moves_and_elsewhere_it_is_a_grid_anchored_there(moments):
    problem, theta = electricity()
    grid = centre(problem, bm.centred(bm.sobol(16), moments=moments), theta, 1)
    same = followed(problem, grid, theta)
    np.testing.assert_allclose(same.anchors.centres, grid.anchors.centres, atol=1e-6)
    np.testing.assert_allclose(same.anchors.roots, grid.anchors.roots, atol=1e-6)
    moved, there = (
        followed(problem, grid, theta * 1.02),
        centre(problem, grid.rule, theta * 1.02, 1),
    )
    # A component with a posterior's moments is carried along, and not estimated again.
    np.testing.assert_allclose(moved.anchors.centres[:, 0], there.anchors.centres[:, 0], atol=1e-5)
    np.testing.assert_allclose(moved.anchors.roots[:, 0], there.anchors.roots[:, 0], atol=1e-5)
    assert np.abs(moved.anchors.centres - there.anchors.centres).max() < 0.5
    expected = Likelihood(problem, moved).value_and_gradient(theta * 1.02)[1]
    np.testing.assert_array_equal(following_gradient(problem, grid)(theta * 1.02), expected)


def test_standard_errors_of_64_nodes_are_those_of_1024():
    """On nodes that stay where they are, in coefficients, that of mean[pf] came out at 0.111."""
    problem, theta = electricity()
    few, many = (
        information_at(
            Likelihood(problem, centre(problem, bm.centred(bm.sobol(n)), theta, 4)), theta
        )
        for n in (64, 1024)
    )
    for kind, most in (("hessian", 0.05), ("robust", 0.08)):
        one, other = (np.sqrt(np.diag(found.covariance(kind))) for found in (few, many))
        np.testing.assert_allclose(one, other, rtol=most)
    np.testing.assert_allclose(other[0], 0.0567, rtol=0.02)


def test_an_eighth_of_the_nodes_is_enough_for_the_curvature():
    problem, theta = electricity()
    rule = bm.centred(bm.sobol(1024), population=0.125, moments=True)
    likelihood = Likelihood(problem, centre(problem, rule, theta, 3))
    logp, scores = likelihood.check(theta)
    found = information_at(likelihood, theta, scores)
    assert found.scores is scores
    np.testing.assert_array_equal(logp, likelihood.by_person(theta)[0])
    root = found.root()
    all_nodes = curvature(following_gradient(problem, likelihood.grid), theta, root)
    whole = Information(all_nodes, scores, found.weights)
    for kind in ("hessian", "robust"):
        few, many = (np.sqrt(np.diag(one.covariance(kind))) for one in (found, whole))
        assert not np.array_equal(few, many)
        np.testing.assert_allclose(few, many, rtol=0.03)
