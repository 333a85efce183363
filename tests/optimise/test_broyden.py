"""Roots of scores where posteriors are far from normal: wide correlated lognormals."""

from functools import cache

import numpy as np

from bayesmix import Correlated, LKJNormal, LogNormal
from bayesmix.centring.grids import centre
from bayesmix.classical.ends import SAME_ROOT
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.optimise.anchored_scores import anchored_scores
from bayesmix.optimise.broyden import LOST, broyden_root
from bayesmix.optimise.maximise import whitening
from bayesmix.optimise.newton import newton
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

RULE = centred(sobol(512), population=0.125, moments=True)
TERMS = ("x", "y", "z")
AT = {f"mean[{t}]": 0.5 for t in TERMS} | {f"sd[{t}]": 2.5 for t in TERMS}
AT |= {"corr[x, y]": 0.8, "corr[x, z]": 0.8, "corr[y, z]": 0.8}


@cache
def case():
    """A problem, the parameters that it was simulated from, and a root of the scores' product."""
    model = MixedLogit("x + y + z", random=Correlated(LogNormal(*TERMS, sign=-1)))
    data = simulated(model, AT, 250, 9, columns=TERMS, alternatives=2)
    problem = bind(model, data)
    theta = problem.parameters.theta(AT)
    scores = Likelihood(problem, centre(problem, RULE, theta, 1)).by_person(theta)[1]
    return problem, theta, whitening(scores, data.weights)


def found(start, seed=3, **options):
    problem, _, root = case()
    base = population_grid(RULE.rule, 3, problem.n_persons, seed)
    return broyden_root(problem, RULE, start, base, root=root, **options)


def test_posteriors_are_far_from_normal_and_newtons_steps_are_for_others() -> None:
    problem, theta, _ = case()
    grid = centre(problem, RULE, theta, 1)
    assert not grid.anchors.normal.any()
    base = population_grid(RULE.rule, 3, problem.n_persons, 3)
    assert newton(problem, RULE, theta, base) is None
    model = MixedLogit("x + y", random=LKJNormal("x", "y"))
    at = {"mean[x]": 0.5, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 1.0, "corr[x, y]": 0.3}
    near = bind(model, simulated(model, at, 100, 8))
    normal = near.parameters.theta(at)
    assert (centre(near, RULE, normal, 1).anchors.normal > 0.3).all()
    draws = population_grid(RULE.rule, 2, near.n_persons, 3)
    assert broyden_root(near, RULE, normal, draws, root=np.eye(len(normal))) is None


def test_the_root_is_where_scores_vanish() -> None:
    problem, theta, root = case()
    optimum, grid = found(theta)
    assert optimum.frozen == "broyden"
    assert optimum.decrement < LOST
    np.testing.assert_array_equal(grid.anchors.theta, optimum.theta)
    on_grid = Likelihood(problem, grid).by_person(optimum.theta)[0].sum()
    np.testing.assert_allclose(optimum.value, on_grid, rtol=1e-11)
    # Independent nodes, many more of them: the root is near the exact maximum.
    fine = centre(problem, centred(sobol(4096), moments=True), optimum.theta, 9)
    slope = anchored_scores(problem, fine)[1].sum(axis=0)
    assert np.linalg.norm(root.T @ slope) < 2 * SAME_ROOT


def test_a_search_ends_at_a_root_that_is_known() -> None:
    _, theta, _ = case()
    optimum, _ = found(theta)
    assert found(optimum.theta, known=lambda at: True)[0].evaluations == 1
    assert optimum.evaluations > 1
