"""Mixing laws: maps against SciPy's distributions, slopes against differences, in every path."""

from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import special, stats
from scipy.optimize import approx_fprime

from bayesmix import MixedLogit, Normal
from bayesmix.bayes.graph import (
    conditional_log_probabilities,
    free_parameters,
    log_integrals,
    shared_chunk,
)
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.kernels.laws import law_bend, law_table
from bayesmix.kernels.modes import find_modes
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point
from bayesmix.specification.laws.rows import laws_of
from bayesmix.specification.maps import location_of
from bayesmix.specification.moments import moments
from tests.bayes.conftest import INTERPRETED
from tests.kernels.law_oracles import reference
from tests.laws import CORRELATED, LAWS, coefficient
from tests.oracles import choice_frame, choices, log_probability
from tests.shares import shares_at

Z = np.linspace(-6, 6, 49)
POINTS = [(0.3, 0.8), (-1.2, 0.4), (0.9, 1.7)]
OWN = {name for name in LAWS if not coefficient(name).law.identity}


def table(c, d, loc, scale):
    laws, known = laws_of([c])
    loc = np.array([[loc, *c.shapes]])
    return law_table(laws, known, d[:, None], loc, np.array([scale]))[:, :, 0]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", LAWS)
def test_quantiles_are_those_of_scipy(name, point):
    c, (loc, scale) = coefficient(name), point
    loc = loc if c.law.located else 0.0
    found = table(c, scale * Z, loc, scale)[0]
    np.testing.assert_allclose(found, reference(c, loc, scale, Z), rtol=1e-9, atol=1e-12)
    if c.family == "truncated-normal":
        theirs = c.law.twin(c, loc, scale).ppf(special.ndtr(Z[10:-10]))
        np.testing.assert_allclose(found[10:-10], theirs, rtol=1e-7)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", sorted(OWN))
def test_slopes_are_differences(name, point):
    c, (loc, scale) = coefficient(name), point
    d, h = np.linspace(-2.53, 2.41, 12) * scale, 1e-6
    if c.family == "censored-normal":
        edges = np.abs(loc + d[:, None] - np.array(c.limits)) > 1e-3
        d = d[edges.all(axis=1)]
    _, by_d, by_loc, by_scale, *by_shape = table(c, d, loc, scale)
    numeric = [
        (table(c, d + h, loc, scale)[0] - table(c, d - h, loc, scale)[0]) / (2 * h),
        (table(c, d, loc + h, scale)[0] - table(c, d, loc - h, scale)[0]) / (2 * h),
        (table(c, d, loc, scale + h)[0] - table(c, d, loc, scale - h)[0]) / (2 * h),
    ]
    if not c.law.located:
        by_loc, numeric[1] = np.zeros(2), np.zeros(2)  # there is no location to move
    for j in range(len(by_shape)):
        up, down = (
            replace(c, shape=tuple(np.add(c.shapes, side * h * (np.arange(len(c.shapes)) == j))))
            for side in (1, -1)
        )
        numeric.append((table(up, d, loc, scale)[0] - table(down, d, loc, scale)[0]) / (2 * h))
    for found, expected in zip((by_d, by_loc, by_scale, *by_shape), numeric, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    laws, known = laws_of([c])
    x, at = d + (0.0 if c.law.moves else loc), np.array([loc, scale, *c.shapes])
    second = [law_bend(laws, known, 0, one, at) for one in x]
    slopes = (table(c, d + h, loc, scale)[1] - table(c, d - h, loc, scale)[1]) / (2 * h)
    np.testing.assert_allclose(second, slopes, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", LAWS)
def test_moments_are_those_of_the_map(name, point):
    """Integrals of the map over the standard normal, by a rule that knows no law."""
    c, (loc, scale) = coefficient(name), point
    loc = loc if c.law.located else 0.0
    # Between peaks the map is steep.
    z = np.linspace(-9, 9, 60_001 if c.family.startswith("semi") else 3001)
    weight = stats.norm.pdf(z) * (z[1] - z[0])
    beta = table(c, scale * z, loc, scale)[0]
    found = moments(c, loc, scale)
    assert found.mean == pytest.approx(weight @ beta, rel=1e-5, abs=1e-6)
    assert found.sd == pytest.approx(np.sqrt(weight @ (beta - found.mean) ** 2), rel=1e-5)
    assert found.median == pytest.approx(table(c, np.zeros(1), loc, scale)[0, 0], rel=1e-9)
    assert found.positive == pytest.approx(weight @ (beta > 0), abs=2e-3)
    if c.side:
        assert found.positive == (c.side > 0) or c.family == "censored-normal"


@pytest.mark.parametrize("name", LAWS)
def test_a_scale_of_zero_is_a_constant(name):
    c = coefficient(name)
    loc = 0.2 if c.law.located else 0.0
    value = table(c, np.zeros(1), loc, 0.0)[0, 0]
    assert np.isfinite(table(c, np.zeros(1), loc, 0.0)).all()
    assert moments(c, loc, 0.0)[:3] == pytest.approx((value, value, 0.0), abs=1e-12)
    small = moments(c, loc, 1e-4) if c.family != "gamma" else moments(c, loc, 1e-2)
    assert small.mean == pytest.approx(value, abs=1e-3)
    location = location_of(c, value)
    if c.law.located:
        assert table(c, np.zeros(1), location, 0.0)[0, 0] == pytest.approx(value, abs=1e-12)
    else:
        assert location is None


def problem(law, **options):
    frame = choice_frame(np.random.default_rng(1), persons=12).rename(
        columns={"price": "x", "time": "y"}
    )
    return bind(MixedLogit("x + y + C(mode)", random=law, **options), choices(frame))


def point(bound):
    space, rng = bound.parameters, np.random.default_rng(3)
    mean = rng.normal(scale=0.4, size=space.n_random + len(space.shapes))
    chol = np.tril(rng.normal(scale=0.2, size=(space.n_random,) * 2)) + 0.6 * np.eye(space.n_random)
    return space.pack(mean, chol, rng.normal(scale=0.4, size=len(space.fixed)))


def betas(bound, theta, nodes):
    """Coefficients (I, K, S), by the references of one law at a time."""
    mean, chol, *_ = bound.parameters.unpack(theta)
    d = np.einsum("kj,ijs->iks", chol, nodes)
    scale = np.sqrt((chol**2).sum(axis=1))
    every = [
        reference(
            replace(c, shape=tuple(mean[bound.parameters.n_random :])) if c.law.shapes else c,
            mean[k],
            scale[k],
            d[:, k] / scale[k],
        )
        for k, c in enumerate(bound.design.coefficients)
    ]
    return np.stack(every, axis=1)


@pytest.mark.parametrize("name", CORRELATED)
def test_likelihood_and_gradient_in_a_correlated_block(name):
    bound = problem(CORRELATED[name])
    theta = point(bound)
    grid = population_grid(sobol(8), 2, bound.n_persons, 1)
    nodes, weights = grid.block(0, bound.n_persons)
    beta = betas(bound, theta, nodes)
    np.testing.assert_allclose(Point(bound, theta).coefficients(nodes), beta, rtol=1e-8, atol=1e-12)
    panel, base = bound.panel(), Point(bound, theta).base
    logp = np.array(
        [
            np.log(np.exp(log_probability(panel, i, base, beta[i])) @ weights[i])
            for i in range(bound.n_persons)
        ]
    )
    function = Likelihood(bound, grid)
    found, scores = function.by_person(theta)
    np.testing.assert_allclose(found, logp, rtol=1e-8)
    value, gradient = function.value_and_gradient(theta)
    assert value == pytest.approx(found.sum(), rel=1e-13)
    np.testing.assert_allclose(scores.sum(axis=0), gradient, rtol=1e-9, atol=1e-9)
    numeric = approx_fprime(theta, lambda at: function.value_and_gradient(at)[0], 1e-7)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-5, atol=2e-4)
    (shares,) = shares_at(bound, grid, theta)
    numeric = approx_fprime(theta, lambda at: next(shares_at(bound, grid, at)).values[7], 1e-7)
    np.testing.assert_allclose(shares.slopes[7], numeric, atol=1e-6)


@pytest.mark.parametrize("name", CORRELATED)
def test_modes_and_curvature(name):
    bound = problem(CORRELATED[name])
    theta = point(bound)
    mixture = Point(bound, theta).mixture(np.zeros((1, 2, 1)), np.ones((1, 1)))
    panel, base = bound.panel(), Point(bound, theta).base
    modes, precisions, converged = find_modes(panel, base, mixture, np.zeros((bound.n_persons, 2)))
    assert converged.all()
    for i in range(4):

        def height(z, i=i):
            beta = Point(bound, theta).coefficients(z.reshape(1, 2, 1))[0]
            return log_probability(panel, i, base, beta)[0] - 0.5 * z @ z

        steps = 1e-3 * np.eye(2)
        best = height(modes[i])
        assert all(height(modes[i] + s) <= best + 1e-9 for s in (*steps, *-steps))
        if "censored" in name:
            continue  # a mode may stand at the kink
        h = 1e-4 * np.eye(2)
        second = [
            [
                (height(modes[i] + a + b) - height(modes[i] + a - b))
                - (height(modes[i] - a + b) - height(modes[i] - a - b))
                for a in h
            ]
            for b in h
        ]
        if np.linalg.eigvalsh(-np.array(second) / 4e-8).min() > 0.3:
            np.testing.assert_allclose(
                precisions[i], -np.array(second) / 4e-8, rtol=2e-3, atol=2e-3
            )


@pytest.mark.jit
@pytest.mark.parametrize(
    ("law", "mode"),
    [
        (CORRELATED["gamma"], INTERPRETED),
        (CORRELATED["yeo-johnson"], INTERPRETED),
        (LAWS["uniform"], "NUMBA"),
    ],
)
def test_samplers_see_the_same_model(law, mode):
    """The graph of one node at u is the hierarchical model at z = u; one law's is compiled."""
    bound = problem(law)
    theta = point(bound)
    grid = population_grid(sobol(1), bound.parameters.n_random, bound.n_persons, 1)
    variable = pt.dvector()
    parameters = free_parameters(variable, bound.parameters)
    chunk = bound.chunk(grid, 0, bound.n_persons)
    marginal = log_integrals(bound, shared_chunk(chunk), parameters)
    deviations = pt.constant(chunk.nodes[:, :, 0]) @ parameters.chol.T
    each = conditional_log_probabilities(bound, deviations, parameters)
    sums = [marginal.sum(), each.sum()]
    outputs = [*sums, *(pytensor.grad(s, variable) for s in sums)]
    one, other, d_one, d_other = pytensor.function([variable], outputs, mode=mode)(theta)
    value, gradient = Likelihood(bound, grid).value_and_gradient(theta)
    np.testing.assert_allclose([one, other], value, rtol=1e-12)
    # The gamma law comes from a table in one, and from itself in the other.
    np.testing.assert_allclose(d_one, gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(d_other, gradient, rtol=1e-8, atol=1e-8)


def test_willingness_to_pay_of_any_law_over_a_price_of_one_sign():
    """``beta_y = -a T``: a gamma price, and a uniform willingness to pay for y."""
    price = coefficient("negative gamma")
    bound = problem([LAWS["negative gamma"], Normal("y")], wtp="x")
    theta = point(bound)
    grid = population_grid(sobol(8), 2, bound.n_persons, 1)
    nodes, _ = grid.block(0, bound.n_persons)
    mean, chol, fixed, *_ = bound.parameters.unpack(theta)
    a = reference(price, mean[0], chol[0, 0], nodes[:, 0])
    found = Point(bound, theta).coefficients(nodes)
    np.testing.assert_allclose(found[:, 0], a, rtol=1e-8)
    np.testing.assert_allclose(found[:, 1], -a * (mean[1] + chol[1, 1] * nodes[:, 1]), rtol=1e-8)
    np.testing.assert_allclose(found[:, 2], -a * fixed[0], rtol=1e-8)
    function = Likelihood(bound, grid)
    numeric = approx_fprime(theta, lambda at: function.value_and_gradient(at)[0], 1e-7)
    np.testing.assert_allclose(function.value_and_gradient(theta)[1], numeric, rtol=2e-5, atol=2e-4)


def test_bounds_are_read_only_where_there_are_some():
    assert len(problem(Normal("x")).known) == 0
    assert problem(CORRELATED["johnson"]).known[1] == pytest.approx([1, -2, 1])
    assert {name for name in OWN if not coefficient(name).law.moves} == {
        "lognormal", "negative lognormal",
        "johnson", "yeo-johnson", "censored below", "censored above", "censored on both sides",
    }  # fmt: skip
