"""The certificate against brute force: intervals, bias, and shifts are what they are said to be."""

import numpy as np
import pytest

from bayesmix.accuracy import certify as module
from bayesmix.accuracy.certify import certify
from bayesmix.integration.rules import centred, gauss_hermite, monte_carlo, sobol
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.optimise.maximise import curvature, maximise
from tests.likelihood.truth import case

SEEDS = 100


@pytest.mark.parametrize(
    ("law", "rule"),
    [
        ("normal", centred(sobol(32))),
        ("normal", gauss_hermite(3)),
        ("lognormal", sobol(64)),
    ],
    ids=str,
)
def test_intervals_hold_the_true_errors_90_to_99_times_in_100(law, rule, monkeypatch):
    for bound in ("MOST_REFERENCE", "QUADRATURE_REFERENCE"):
        monkeypatch.setattr(module, bound, 64)  # the coarser, the harder
    here, held, shifts = case(law), 0, np.zeros(4)
    for seed in range(SEEDS):
        grid = here.grid(rule, 1000 + seed)
        error, shift = here.truth(grid)
        found = here.certify(grid, seed)
        held += found.error_interval[0] <= error <= found.error_interval[1]
        shifts += (found.shift["low"] <= shift) & (shift <= found.shift["high"])
    assert 90 <= held <= 99
    assert shifts.min() >= 88  # the least of four
    assert 90 <= shifts.mean() <= 99


@pytest.mark.parametrize("rule", [sobol(32), monte_carlo(64), centred(sobol(16))], ids=str)
def test_bias_and_sd_predict_the_errors(rule):
    here = case()
    grids = [here.grid(rule, seed) for seed in range(60)]
    errors = np.array([here.truth(grid)[0] for grid in grids])
    found = [here.certify(grid, seed) for seed, grid in enumerate(grids[:20])]
    bias, sd = np.mean([c.bias for c in found]), np.mean([c.sd for c in found])
    # Of second order in the errors themselves, and so to a quarter.
    noise = 4 * errors.std() / np.sqrt(60)
    assert errors.mean() == pytest.approx(bias, abs=noise + 0.25 * abs(bias))
    assert errors.std() == pytest.approx(sd, rel=4 / np.sqrt(2 * 60))


def test_shifts_are_those_of_estimates():
    """Estimates on a coarse rule minus exact ones, to first order."""
    here = case()
    root = np.linalg.cholesky(here.covariance)

    def optimum(rule):
        function = Likelihood(here.problem, here.grid(rule)).value_and_gradient
        return maximise(function, here.theta, root).theta

    coarse, exact = optimum(gauss_hermite(9)), optimum(gauss_hermite(60))
    natural = here.problem.parameters.natural
    moved = (natural(coarse) - natural(exact)) / here.errors
    grid = here.grid(gauss_hermite(60))
    gradient = Likelihood(here.problem, grid).value_and_gradient
    hessian = curvature(lambda at: gradient(at)[1], exact, root)
    grid, inverse = here.grid(gauss_hermite(9)), np.linalg.inv(hessian)
    assert np.abs(moved).max() > 0.5
    # To first order: told the curvature at the exact optimum, or finding it at the coarse one.
    for covariance in (inverse, None):
        found = certify(here.problem, coarse, grid, covariance, here.errors, 1)
        np.testing.assert_allclose(found.shift["estimate"], moved, atol=0.15)
