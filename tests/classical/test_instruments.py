"""Instruments of simulated moments: drawn, given, redundant."""

import numpy as np
import pytest

from bayesmix.classical.gmm import SituationMoments, weight_root
from bayesmix.classical.instruments import (
    independent,
    optimal_instruments,
)
from bayesmix.classical.msm import msm
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.bind import bind
from tests.classical.moments_fits import MODEL, data


def test_instruments_are_drawn_independently_of_residuals():
    """Also where the grid was made with the fit's own seed."""
    grid = population_grid(sobol(32), 1, 600, 1)
    fit = msm(MODEL, data(), grid=grid, rng=1)
    assert fit.grid is grid
    problem = bind(MODEL, data())
    same = SituationMoments(problem, grid, optimal_instruments(problem, grid, fit.theta))
    assert np.abs(same.by_person(fit.theta)[0].sum(axis=0)).max() > 1e-3


def test_the_users_instruments():
    formula = "x + y + I(x**2) + I(x*y)"
    fit = msm(MODEL, data(), grid=sobol(64), instruments=formula, steps="one-step", rng=1)
    x, y = data().frame["x"].to_numpy(), data().frame["y"].to_numpy()
    array = np.column_stack([x, y, x**2, x * y, x + y])  # the last says nothing new
    same = msm(MODEL, data(), grid=sobol(64), instruments=array, steps="one-step", rng=1)
    np.testing.assert_allclose(fit.params, same.params, atol=1e-8)
    assert fit.overidentification.df == same.overidentification.df == 1


def test_redundant_instruments_are_left_out():
    x, y = data().frame["x"].to_numpy(), data().frame["y"].to_numpy()
    constant = np.repeat(np.arange(data().n_situations), 3)  # the same for all alternatives
    kept = independent(np.column_stack([x, constant, 2 * x + constant, y]), data())
    assert kept.shape[1] == 2
    assert np.corrcoef(kept[:, 1], y)[0, 1] == pytest.approx(1.0)
    spread = np.diag([1.0, 4.0, 0.0])
    root = weight_root(spread, 2)
    np.testing.assert_allclose(root @ root.T, np.diag([1.0, 0.25, 0.0]), atol=1e-12)
