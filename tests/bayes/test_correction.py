"""The quadratic that turns a few nodes into many, and the grids that it is found from."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes import one_class_sampling
from bayesmix.bayes.coordinates import Coordinates, Row
from bayesmix.bayes.correction import Correction, Features
from bayesmix.bayes.posterior import threaded_on
from bayesmix.bayes.posterior_accuracy import PosteriorAccuracy, posterior_accuracy
from bayesmix.bayes.sampler_grid import first_stand, stand_at
from bayesmix.centring.grids import centre
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial

from .conftest import MODEL

RANDOM = bm.MixedLogit(
    "a + b + c", random=[bm.LKJNormal("a", "b", eta=3.0), bm.LogNormal("c", sign=-1)]
)


WITHIN = Coordinates((Row(2, np.array([], dtype=int)), Row(4, np.array([3]))))
"""Two means, and a factor of two rows."""


def features():
    rng = np.random.default_rng(1)
    return Features.around(WITHIN, 0.3 * rng.normal(size=5), 0.4 * rng.normal(size=(5, 5)))


def quadratic():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(5, 5))
    return Correction(features(), rng.normal(size=5), root + root.T)


def test_features_are_the_coordinates_near_the_mode():
    here = features()
    x = 1e-4 * np.random.default_rng(3).normal(size=(3, 5))
    np.testing.assert_allclose(here(x), x, atol=1e-6)
    np.testing.assert_allclose(here.slopes(np.zeros(5)), np.eye(5), atol=1e-12)


def test_features_of_a_standard_deviation_that_vanishes_stand_still():
    """A row of length exp(-40) of the mode's: neither its logarithm nor its direction counts."""
    here = features()
    q = np.tile(here.centre, (3, 1))
    q[:, 4] -= [40.0, 60.0, 40.0]
    q[2, 3] += 1.0
    x = np.linalg.solve(here.root, (q - here.centre).T).T
    v = here(x)
    np.testing.assert_allclose(v[1:], v[:1].repeat(2, axis=0), atol=1e-10)
    assert np.abs(v[0]).max() < 0.1 * np.abs(x[0]).max()


def test_a_standard_deviation_of_which_no_digits_are_left_counts_as_0():
    """Squares of a row of length exp(-400), and exp(-800) itself, are 0 in floating point."""
    c = quadratic()
    q = np.tile(c.features.centre, (3, 1))
    q[:, 4] -= [300.0, 400.0, 800.0]
    x = np.linalg.solve(c.features.root, (q - c.features.centre).T).T
    np.testing.assert_allclose(c.values(x), c.values(x[:1])[0], atol=1e-10)
    # By coordinates q the last slope is 0 and the others are those at the first.
    slopes = [np.linalg.solve(c.features.root.T, c.value_and_slope(one)[1]) for one in x]
    np.testing.assert_allclose(slopes[1:], slopes[:1] * 2, atol=1e-8)


def test_a_quadratic_is_found_from_its_slopes():
    true = quadratic()
    points = np.random.default_rng(3).normal(size=(12, 5))
    by_v = true.gradient + true.features(points) @ true.hessian
    slopes = [true.features.pulled(x, own) for x, own in zip(points, by_v, strict=True)]
    found = Correction.fitted(true.features, points, np.array(slopes))
    np.testing.assert_allclose(found.gradient, true.gradient, atol=1e-9)
    np.testing.assert_allclose(found.hessian, true.hessian, atol=1e-9)


def test_near_the_mode_it_is_the_quadratic_and_far_away_it_is_bounded():
    c = quadratic()
    near = 0.3 * np.ones((1, 5))
    v = c.features(near)[0]
    plain = v @ c.gradient + 0.5 * v @ c.hessian @ v
    assert c.values(near)[0] == pytest.approx(plain, rel=1e-3)
    direction = np.linalg.solve(c.features.root, [1.0, -2.0, 0.0, 0.0, 0.0])
    far = c.values(np.array([1e3, 1e6])[:, None] * direction)
    assert far[0] == pytest.approx(far[1], rel=1e-4)
    assert abs(far[1]) < 45 * np.abs(c.hessian).sum()


def test_the_slope_is_that_of_the_values():
    c = quadratic()
    for x in 2.0 * np.random.default_rng(4).normal(size=(3, 5)):
        value, slope = c.value_and_slope(x)
        assert value == pytest.approx(c.values(x[None])[0], abs=1e-12)
        apart = 1e-6 * np.eye(5)
        numeric = (c.values(x + apart) - c.values(x - apart)) / 2e-6
        np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-7)


def test_where_a_standard_deviation_is_nearly_0_few_nodes_are_the_exact_integral(panel):
    """An uncertain one at 1 % of its mode: quadratics of its logarithm were 0.1 to 0.9 nats off.

    What does not depend on parameters is harmless.
    """
    problem = bind(RANDOM, panel)
    exact = Likelihood(problem, population_grid(bm.gauss_hermite(20), 3, panel.n_persons))
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        stand = first_stand(
            problem, centred(sobol(64), moments=True), multinomial(problem), None, rng
        )
        at, few = stand.whitening, threaded_on(problem, stand.grid)
        errors = np.sqrt((at.root**2).sum(axis=1))
        left = []
        for row in at.within.rows:
            if errors[row.diagonal] > 0.2:
                for step in (0.0, -1.0, -3.0, np.log(0.01)):
                    q = at.centre.copy()
                    q[row.diagonal] += step
                    theta = at.within.theta(q)
                    error = few(theta)[0] - exact.value_and_gradient(theta)[0]
                    left.append(error + stand.corrections(theta[None])[0])
        assert len(left) >= 4
        assert np.ptp(left) < 0.12


@pytest.mark.parametrize("model", [MODEL, RANDOM], ids=["with fixed terms", "all random"])
def test_corrected_nodes_err_half_as_much_over_the_posterior(panel, model):
    """Ratios from six scramblings: 0.86 0.68 0.20 0.62 0.15 0.47; 1.39 0.24 0.21 0.32 0.36 1.11."""
    problem = bind(model, panel)
    raw, left = [], []
    for seed in (1, 2, 3):
        errors, corrections = _errors_of_few(problem, np.random.default_rng(seed))
        raw.append(errors.std())
        left.append((errors + corrections).std())
    assert np.exp(np.log(np.divide(left, raw)).mean()) < 0.6  # 0.49 and 0.41
    assert max(left) < 0.2  # log-likelihoods are off by this much at most, and a constant


def _errors_of_few(problem, rng):
    """Errors (N,) of the log-likelihood on 32 nodes over the posterior, and their corrections."""
    stand = first_stand(problem, centred(sobol(32), moments=True), multinomial(problem), None, rng)
    assert stand.grid.size == 32
    at = stand.whitening
    coordinates = at.centre + rng.normal(size=(16, len(at.centre))) @ at.root.T
    thetas = np.array([at.within.theta(q) for q in coordinates])
    few, exact = [], []
    for theta in thetas:
        few.append(Likelihood(problem, stand.grid).value_and_gradient(theta)[0])
        many = centre(problem, centred(sobol(2048), moments=True), theta, rng)
        exact.append(Likelihood(problem, many).value_and_gradient(theta)[0])
    if not problem.parameters.fixed:
        few = _in_coefficient_space(problem, stand.grid, thetas)
    return np.array(few) - exact, stand.corrections(thetas)


def _in_coefficient_space(problem, grid, thetas):
    from bayesmix.bayes.pointwise import integrated_log_likelihood

    return integrated_log_likelihood(problem, grid, thetas[None])[0].sum(axis=1)


def test_a_grid_of_a_fit_is_used_as_it_is(panel):
    problem = bind(RANDOM, panel)
    fit = bm.msle(RANDOM, panel, grid=centred(sobol(32)), starts=1, rng=1)
    stand = first_stand(problem, fit.grid, multinomial(problem), None, np.random.default_rng(1))
    assert stand.grid is fit.grid
    assert stand.correction is None
    assert (stand.corrections(fit.theta[None, :]) == 0).all()


def test_anchors_that_have_lost_their_persons_are_seen(panel):
    """Far from the anchor weights have heavy tails; near it they have not."""
    problem = bind(RANDOM, panel)
    rng = np.random.default_rng(3)
    fit = bm.msle(RANDOM, panel, grid=centred(sobol(64)), starts=1, rng=1)
    good = stand_at(problem, centred(sobol(64), moments=True), fit.theta, None, rng).grid
    mean, chol, fixed, *_ = problem.parameters.unpack(fit.theta)
    lost = centre(problem, centred(sobol(64)), problem.parameters.pack(mean + 4.0, chol, fixed), 1)
    thetas = np.repeat(fit.theta[None, :], 4, axis=0)
    totals = np.zeros(4)
    assert posterior_accuracy(problem, good, thetas, totals, rng).pareto_k < 0.7
    bad = posterior_accuracy(problem, lost, thetas, totals, rng)
    assert bad.pareto_k > 0.7
    assert not bad.reliable
    plain = population_grid(sobol(16), 3, panel.n_persons, 1)
    assert np.isnan(posterior_accuracy(problem, plain, thetas, totals, rng).pareto_k)


def test_anchors_are_renewed_when_weights_fail(panel, monkeypatch):
    """A first verdict of heavy tails: more nodes are anchored, and the chains run again."""
    verdicts = [PosteriorAccuracy(0.0, 0.1, 0.9, 7), PosteriorAccuracy(0.0, 0.1, 0.3, 7)]
    seen = []

    def judge(problem, grid, thetas, totals, rng):
        seen.append(grid.size)
        return verdicts[len(seen) - 1]

    def chains(problem, stand, how, rng):
        mean, chol, *_ = problem.parameters.unpack(stand.whitening.theta)
        values = {"mean": mean, "sd": np.diag(chol)}
        draws = {k: (("chain", "draw", "random"), np.tile(v, (1, 4, 1))) for k, v in values.items()}
        coords = {"chain": [0], "draw": range(4), "random": list(problem.parameters.random)}
        stats = xr.Dataset(coords={"chain": [0], "draw": range(4)})
        groups = {"posterior": xr.Dataset(draws, coords=coords), "sample_stats": stats}
        return xr.DataTree.from_dict(groups)

    monkeypatch.setattr(one_class_sampling, "posterior_accuracy", judge)
    monkeypatch.setattr(one_class_sampling, "_run", chains)
    model = bm.MixedLogit("a", random=[bm.Normal("a")])
    post = bm.sample(model, panel, likelihood="marginal", rng=4, progress=False)
    assert seen == [128, 256]
    assert "sobol(256)" in post["posterior"].attrs["grid"]
    assert post["posterior"].attrs["integration_pareto_k"] == 0.3
