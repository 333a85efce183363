"""What several starts have reached: on the final grid, by their difference on common draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.centring.grids import centre
from bayesmix.classical.ends import Ends, _gain, carried, ends_on_shared_grid
from bayesmix.classical.search import Search
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial
from bayesmix.optimise.maximise import Optimum
from bayesmix.progress import progress_line
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))
AT = {"mean[x]": 0.8, "sd[x]": 1.5, "fixed[y]": -0.5}


def a_search(problem, line):
    return Search(problem, multinomial(problem), "bfgs", np.random.default_rng(1), line, 0.0)


def at(theta, value):
    return Optimum(theta, value, np.zeros_like(theta), 0.0, 1, True, "")


def test_a_gain_is_the_difference_of_exact_log_likelihoods():
    """On 32 nodes each log-likelihood is off by more than the difference, which is not."""
    problem = bind(MODEL, simulated(MODEL, AT, 150, 8))
    theta = problem.parameters.theta(AT)
    moved = theta + np.array([0.05, -0.05, 0.02])
    fine = Likelihood(problem, bm.population_grid(bm.trapezoid(1000), 1, problem.n_persons))
    true = fine.value_and_gradient(moved)[0] - fine.value_and_gradient(theta)[0]
    ends = []
    for point, seed in ((moved, 1), (theta, 2)):
        grid = centre(problem, bm.centred(bm.sobol(32)), point, seed)
        ends.append((at(point, Likelihood(problem, grid).value_and_gradient(point)[0]), grid))
    with progress_line(False, "") as line:
        gain = _gain(a_search(problem, line), *ends)
        back = _gain(a_search(problem, line), *reversed(ends))
    assert abs(true) > 0.3
    assert gain == pytest.approx(true, abs=0.05)
    assert back == pytest.approx(-true, abs=0.05)


def test_what_starts_have_reached_is_carried_to_the_final_log_likelihood():
    data = simulated(MODEL, AT, 60, 4)
    fit = bm.msle(MODEL, data, grid=bm.centred(bm.sobol(64)), starts=1, rng=1)
    optima = pd.DataFrame(
        {"loglik": [-10.0, -12.5, np.nan], "grid": ["coarse", "coarse", "own"]}, index=[1, 2, 3]
    )
    ends = Ends(at(fit.theta, -10.0), "coarse", optima, np.zeros((3, 3)))
    found = carried(ends, fit)
    np.testing.assert_array_equal(found["loglik"], [fit.loglik, fit.loglik - 2.5, np.nan])
    assert list(found["grid"]) == [str(fit.grid), str(fit.grid), "own"]
    # None of them is the optimum: nothing is known on its grid.
    other = replace(ends, optimum=at(fit.theta, -11.0))
    pd.testing.assert_frame_equal(carried(other, fit), optima)


def test_optima_are_those_of_the_final_quadrature():
    """A ladder of quadratures: the first rung's numbers had stayed."""
    data = simulated(MODEL, AT | {"sd[x]": 3.0}, 250, 1)
    tolerance = bm.Tolerance(std_errors=1e-6)
    fit = bm.msle(MODEL, data, starts=3, tolerance=tolerance, rng=1)
    first = bm.msle(MODEL, data, starts=3, grid=bm.trapezoid(64), rng=1)
    assert fit.grid.rule == bm.trapezoid(128)
    assert list(fit.optima["grid"]) == [str(fit.grid)] * 3
    np.testing.assert_array_equal(fit.optima["loglik"], fit.loglik)
    assert fit.optima["converged"].all()
    assert first.loglik != fit.loglik


def test_the_best_end_on_a_shared_grid_is_the_best_of_all():
    problem = bind(MODEL, simulated(MODEL, AT, 60, 1))
    grid = bm.population_grid(bm.trapezoid(128), 1, problem.n_persons)
    theta = problem.parameters.theta(AT)
    value = Likelihood(problem, grid).value_and_gradient(theta)[0]
    optima = pd.DataFrame({"loglik": [1.0, 2.0, 3.0], "converged": False, "grid": "coarse"})
    thetas = np.array([theta, theta + 0.1, np.full(3, np.nan)])
    here = at(theta, value)
    with progress_line(False, "") as line:
        search = a_search(problem, line)
        ends = Ends(here, grid, optima, thetas)
        found = ends_on_shared_grid(search, ends, here, grid, 0.1 * np.eye(3))
    assert found.optimum.value > value + 0.05
    np.testing.assert_array_equal(found.optima["loglik"], [value, found.optimum.value, np.nan])
    assert list(found.optima["converged"]) == [True, True, False]
