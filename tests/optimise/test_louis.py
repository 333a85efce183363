"""Curvature from posteriors of the index, and when it takes the place of differences."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.centring.grids import centre
from bayesmix.classical.information import information_at
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.scaling import natural_units
from bayesmix.optimise.louis import applicable, checked, law_scores, louis, plausible
from bayesmix.optimise.maximise import curvature, whitening
from tests.simulated import attributes, choice_data

LAWS = (
    bm.Correlated(bm.Normal("x", mean="1 + age"), bm.LogNormal("y", sign=-1)),
    bm.Normal("u", mean="0"),
)
TRUTH = {
    "mean[x]": 0.5,
    "mean[y]": -0.3,
    "sd[x]": 0.8,
    "sd[y]": 0.6,
    "sd[u]": 0.7,
    "corr[x, y]": 0.4,
    "fixed[z]": 0.5,
    "shift[x, age]": 0.3,
}
CENSORED = {"mean[x]": 0.4, "sd[x]": 1.0, "fixed[y]": 0.5}


def bound(model, truth, persons, situations, columns):
    rng = np.random.default_rng(3)
    frame = attributes(rng, persons, situations, columns)
    rows = 3 * situations
    frame["age"] = np.repeat(rng.normal(size=persons), rows)
    frame["weight"] = np.repeat(rng.uniform(0.5, 2, persons), rows)
    data = bm.simulate_choices(model, truth, choice_data(frame, weights="weight"), rng=1)
    problem = bind(model, data)
    return problem, problem.parameters.theta(truth)


def at_truth(problem, theta, nodes=4096):
    grid = centre(problem, bm.centred(bm.sobol(nodes), moments=True), theta, 1)
    likelihood = Likelihood(problem, grid)
    _, scores = likelihood.by_person(theta)
    return grid, likelihood, whitening(scores, problem.data.weights, natural_units(problem))


@pytest.mark.parametrize("wtp", [None, "y"])
def test_it_is_the_curvature_where_nodes_that_move_give_a_good_one(wtp):
    """With weights, means in covariates, error components, fixed coefficients."""
    model = bm.MixedLogit("x + y + z + u", random=LAWS, wtp=wtp)
    problem, theta = bound(model, TRUTH, 200, 6, ("x", "y", "z", "u"))
    grid, likelihood, root = at_truth(problem, theta)
    hessian, scores = louis(problem, grid, theta, root)
    found = root.T @ hessian @ root
    moved = curvature(lambda t: likelihood.value_and_gradient(t)[1], theta, root)
    np.testing.assert_allclose(found, root.T @ moved @ root, atol=0.02)
    own = law_scores(problem, grid, theta)
    np.testing.assert_allclose(
        np.delete(problem.data.weights @ scores, 6), own, rtol=1e-10, atol=1e-10
    )
    gradient = np.delete(likelihood.value_and_gradient(theta)[1], 6)
    # In standard errors of the parameters.
    units = np.sqrt((np.delete(root, 6, axis=0) ** 2).sum(axis=1))
    np.testing.assert_allclose(own * units, gradient * units, atol=0.02)


def test_a_censored_law_has_no_kinks_in_it():
    model = bm.MixedLogit("x + y", random=bm.CensoredNormal("x", lower=0))
    problem, theta = bound(model, CENSORED, 300, 8, ("x", "y"))
    grid, _likelihood, root = at_truth(problem, theta)
    found = root.T @ louis(problem, grid, theta, root)[0] @ root
    # One dimension: many plain nodes, over which the kinks average out.
    many = Likelihood(problem, population_grid(bm.sobol(2**14), 1, 300, 2))
    wide = curvature(lambda t: many.value_and_gradient(t)[1], theta, root, natural_units(problem))
    np.testing.assert_allclose(found, root.T @ wide @ root, atol=0.05)


def hard_panel():
    """A weakly informed panel: correlated lognormals whose coefficients reach the hundreds."""
    names = ("a", "b", "c", "d")
    model = bm.MixedLogit("a + b + c + d", random=bm.Correlated(bm.LogNormal(*names, sign=-1)))
    rng = np.random.default_rng(0)
    frame = attributes(rng, 200, 9, names, alternatives=2)
    frame[list(names)] = rng.uniform(0, 2, (len(frame), 4))
    problem = bind(model, choice_data(frame))
    correlation = np.array(
        [[1, 0.6, 0.7, 0.8], [0.6, 1, 0.75, 0.85], [0.7, 0.75, 1, 0.95], [0.8, 0.85, 0.95, 1]]
    )
    chol = np.array([1.2, 1.5, 1.7, 1.9])[:, None] * np.linalg.cholesky(correlation)
    theta = problem.parameters.pack(np.array([-0.5, -0.2, 0.0, -0.8]), chol, np.zeros(0))
    data = bm.simulate_choices(
        model,
        problem.parameters.series(problem.parameters.natural(theta)),
        choice_data(frame),
        rng=1,
    )
    return bind(model, data), theta


def test_large_lognormal_coefficients_make_noise_of_differences_and_not_of_this():
    """At a maximum: eigenvalues by differences -20 to 36, by this 0.03 to 3.4 from four seeds."""
    problem, _ = hard_panel()
    theta = hard_fit(problem).theta
    grid, likelihood, root = at_truth(problem, theta)
    moved = curvature(lambda t: likelihood.value_and_gradient(t)[1], theta, root)
    assert not plausible(moved, root)
    values = []
    for seed in (1, 2):
        own = root.T @ louis(problem, grid.renewed(seed), theta, root)[0] @ root
        values.append(np.linalg.eigvalsh(own))
    own, scores, words = checked(problem, theta, moved, root)
    assert "posterior (Louis 1982)" in words
    assert scores.shape == (problem.n_persons, len(theta))
    taken = root.T @ own @ root
    values.append(np.linalg.eigvalsh((taken + taken.T) / 2))
    assert min(v[0] for v in values) > 0
    for other in values[1:]:
        np.testing.assert_allclose(other[1:], values[0][1:], rtol=0.4)


def hard_fit(problem):
    return bm.msle(problem.model, problem.data, grid=bm.centred(bm.sobol(512)), starts=1, rng=1)


def test_what_is_plausible_is_left_alone_and_so_is_what_it_cannot_say():
    problem, theta = bound(
        bm.MixedLogit("x + y + z + u", random=LAWS), TRUTH, 200, 6, ("x", "y", "z", "u")
    )
    _grid, likelihood, root = at_truth(problem, theta, 256)
    usual = information_at(likelihood, theta).hessian
    assert checked(problem, theta, usual, root) == (usual, None, "")
    assert applicable(problem, theta)
    none = theta.copy()
    none[problem.parameters.diagonal()[0]] = 1e-3
    assert not applicable(problem, none)
    for law in (bm.Uniform("x"), bm.LatentClass("x", classes=2)):
        other = bind(bm.MixedLogit("x + y", random=law), problem.data)
        assert not applicable(other, np.ones(other.parameters.size))


def test_a_fit_of_such_a_panel_has_standard_errors_and_calls_nothing_unidentified():
    problem, _ = hard_panel()
    fit = hard_fit(problem)
    assert np.isfinite(fit.std_errors).all()
    assert "Not identified" not in fit.message
    # The model is right: curvature and outer product say the same, within sampling noise.
    ratio = np.sqrt(np.diag(fit.covariance("hessian")) / np.diag(fit.covariance("opg")))
    assert 0.8 < np.median(ratio) < 1.25
    assert ratio.min() > 0.5
    assert ratio.max() < 3.0


def test_what_is_not_identified_does_not_seem_to_be():
    """Two normals on one column, and a component on the sum of two correlated ones."""
    true = bm.MixedLogit("x + y", random=bm.LKJNormal("x", "y"))
    params = {"mean[x]": 0.5, "mean[y]": -0.5, "sd[x]": 1.2, "sd[y]": 1.0, "corr[x, y]": 0.5}
    frame = attributes(np.random.default_rng(1), 150, 6)
    frame["twice"], frame["both"] = 2 * frame["x"], frame["x"] + frame["y"]
    data = bm.simulate_choices(true, params, choice_data(frame), rng=1)
    for model, name in (
        (
            bm.MixedLogit("x + twice + y", random=[bm.Normal("x"), bm.Normal("twice", mean="0")]),
            "twice",
        ),
        (
            bm.MixedLogit(
                "x + y + both", random=[bm.LKJNormal("x", "y"), bm.Normal("both", mean="0")]
            ),
            "both",
        ),
    ):
        fit = bm.msle(model, data, grid=bm.centred(bm.sobol(64)), starts=1, rng=1)
        assert f"sd[{name}]" in fit.message.split("Error components: ")[1]
        assert not applicable(fit.problem, fit.theta)
