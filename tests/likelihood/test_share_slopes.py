"""Shares and their derivatives: against the kernel of shares, and against differences of it."""

import numpy as np
import pytest

from bayesmix import LKJNormal, LogNormal, Normal
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import gauss_hermite, sobol
from bayesmix.kernels.shares import row_shares
from bayesmix.likelihood import share_slopes
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.point import Point
from bayesmix.specification.model import MixedLogit
from tests.oracles import choice_frame, choices, differences
from tests.shares import shares_at

LAWS = {
    "normal": Normal("price"),
    "lognormal": LogNormal("price", sign=-1),
    "correlated": LKJNormal("price", "time"),
    "two laws": [Normal("time"), LogNormal("price", sign=-1)],
    "none": (),
}


def problem_of(law, outside=False):
    frame = choice_frame(np.random.default_rng(0), outside=outside)
    model = MixedLogit("C(mode) + price + time", random=law)
    return bind(model, choices(frame, outside_option=outside))


def theta_of(problem):
    return np.random.default_rng(1).normal(scale=0.5, size=problem.parameters.size)


def together(problem, grid, theta):
    parts = list(shares_at(problem, grid, theta))
    return np.concatenate([p.values for p in parts]), np.concatenate([p.slopes for p in parts])


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("law", list(LAWS))
def test_derivatives_are_those_of_the_shares(law, outside):
    problem = problem_of(LAWS[law], outside)
    size, theta = problem.parameters.n_random, theta_of(problem)
    rule = sobol(200) if size else gauss_hermite(1)
    grid = population_grid(rule, size, problem.n_persons, 3)

    def shares(at):
        mixture = Point(problem, at).mixture(*grid.block(0, problem.n_persons))
        return row_shares(problem.panel(), Point(problem, at).base, mixture)

    values, slopes = together(problem, grid, theta)
    np.testing.assert_allclose(values, shares(theta), rtol=1e-12)
    np.testing.assert_allclose(slopes, differences(shares, theta).T, atol=1e-8)


def test_cuts_change_nothing(monkeypatch):
    problem = problem_of(LAWS["correlated"])
    theta, grid = theta_of(problem), population_grid(sobol(16), 2, problem.n_persons, 3)
    whole = together(problem, grid, theta)
    monkeypatch.setattr(share_slopes, "ROWS", 40)
    assert len(list(shares_at(problem, grid, theta))) > 5
    for one, other in zip(whole, together(problem, grid, theta), strict=True):
        np.testing.assert_array_equal(one, other)
