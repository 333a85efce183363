"""Scores of posteriors whose nodes follow them: unbiased, smooth, and with little noise."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.centring.grids import centre
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point
from bayesmix.optimise.anchored_scores import anchored_integrals, anchored_scores, freezable_at
from tests.simulated import simulated

RULE = bm.centred(bm.sobol(128), population=0.125, moments=True)
NORMALS = {"mean[x]": 0.5, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 1.0, "corr[x, y]": 0.3}
LOGNORMALS = {"mean[x]": -0.5, "mean[y]": 0.0, "sd[x]": 0.7, "sd[y]": 0.8, "corr[x, y]": 0.4}
CASES = {
    "normals": (bm.MixedLogit("x + y", random=bm.LKJNormal("x", "y")), NORMALS, {}),
    "independent, fixed": (
        bm.MixedLogit("x + y + z", random=bm.Normal("x", "y")),
        {k: v for k, v in NORMALS.items() if "," not in k} | {"fixed[z]": 0.6},
        {},
    ),
    "lognormals, fixed, outside": (
        bm.MixedLogit("x + y + z", random=bm.Correlated(bm.LogNormal("x", "y", sign=-1))),
        LOGNORMALS | {"fixed[z]": 0.6},
        {"outside_option": True},
    ),
}


@cache
def case(name):
    model, at, options = CASES[name]
    columns = ("x", "y", "z") if "fixed[z]" in at else ("x", "y")
    problem = bind(model, simulated(model, at, 150, 8, columns=columns, **options))
    return problem, problem.parameters.theta(at)


@cache
def totals(name, seeds=16):
    """Scores of several scramblings in standard errors: of posteriors, and of nodes that move."""
    problem, theta = case(name)
    fine = centre(problem, bm.centred(bm.gauss_hermite(41)), theta, 0)
    exact = Likelihood(problem, fine).by_person(theta)[1]
    root = np.linalg.cholesky(np.linalg.inv(exact.T @ exact))
    found = []
    for seed in range(seeds):
        grid = centre(problem, RULE, theta, seed)
        kinds = anchored_scores(problem, grid)[1], Likelihood(problem, grid).by_person(theta)[1]
        found.append([root.T @ (scores - exact).sum(axis=0) for scores in kinds])
    return np.swapaxes(found, 0, 1)


@pytest.mark.parametrize("name", CASES)
def test_they_are_those_of_the_integral(name) -> None:
    """Against quadrature centred on persons, over scramblings."""
    own, _ = totals(name)
    assert np.abs(own).max() < 0.1
    assert (np.abs(own.mean(axis=0)) < 4 * own.std(axis=0, ddof=1) / np.sqrt(len(own))).all()


@pytest.mark.parametrize(("name", "part"), list(zip(CASES, (0.4, 0.4, 0.8), strict=True)))
def test_they_have_less_noise_than_nodes_that_move_with_theta(name, part) -> None:
    own, moving = totals(name)
    noise, other = (np.sqrt((gap**2).mean(axis=0)) for gap in (own, moving))
    assert np.sqrt((noise**2).mean()) < part * np.sqrt((other**2).mean())


@pytest.mark.parametrize("name", CASES)
def test_log_integrals_are_the_grids_and_blocks_do_not_matter(name) -> None:
    problem, theta = case(name)
    grid = centre(problem, RULE, theta, 1)
    logp, scores = anchored_scores(problem, grid)
    np.testing.assert_allclose(logp, Likelihood(problem, grid).by_person(theta)[0], rtol=1e-11)
    some = anchored_integrals(Point(problem, theta).part(30, 50), grid.part(30, 50))
    np.testing.assert_array_equal(some[0], logp[30:50])
    np.testing.assert_allclose(some[1], scores[30:50], rtol=1e-12, atol=1e-12)


def test_what_cannot_be_followed() -> None:
    """A standard deviation of 0 has no density; in WTP space a price moves what nodes mean."""
    problem, theta = case("normals")
    assert freezable_at(problem, theta)
    flat = problem.parameters.theta(NORMALS | {"sd[y]": 0.0, "corr[x, y]": 0.0})
    assert not freezable_at(problem, flat)
    assert np.isnan(anchored_scores(problem, centre(problem, RULE, flat, 1))[1]).all()
    with_fixed, at = case("independent, fixed")
    assert freezable_at(with_fixed, at)
    spaces = bind(replace(with_fixed.model, wtp="z"), with_fixed.data)
    assert not freezable_at(spaces, at)
