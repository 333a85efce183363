"""The horseshoe: its density, the normals that samplers move, what it does to shifts."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import integrate, stats
from scipy.optimize import approx_fprime

import bayesmix as bm
from bayesmix.bayes import sampler_grid
from bayesmix.bayes.hierarchical import Hierarchical, no_information
from bayesmix.bayes.horseshoe import (
    HorseshoeLaw,
    coordinate,
    normal_score,
    quantile,
    stretched,
)
from bayesmix.bayes.posterior import LogPosterior
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.prior_variables import prior_variable
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.scalar_priors import Law, Laws
from bayesmix.bayes.whitened import Whitening
from bayesmix.likelihood.bind import bind
from tests.bayes.conftest import INTERPRETED
from tests.simulated import attributes, choice_data

TAU, SLAB = 0.05, 1.5
NULL, KEPT = 20, {"z0": 0.7, "z1": -0.6, "z2": 0.5}
NAMES = [f"z{k}" for k in range(NULL + len(KEPT))]
"""Covariates of persons: three shift the coefficient of a, twenty do nothing."""


def density(x: float, tau: float, slab: float) -> float:
    """By adaptive quadrature over the logarithm of the local scale."""

    def term(u: float) -> float:
        local = np.exp(u)
        spread = 1 / np.sqrt(1 / slab**2 + 1 / (tau * local) ** 2)
        return float(stats.norm.pdf(x, 0, spread) * 2 / np.pi / (1 + local**2) * local)

    at = [np.log(abs(x) / tau)]
    return float(integrate.quad(term, -25, 30, limit=500, epsabs=0, epsrel=1e-10, points=at)[0])


@pytest.mark.parametrize(("tau", "slab"), [(TAU, SLAB), (2.0, 0.5)])
def test_the_density_is_that_of_the_mixture(tau: float, slab: float) -> None:
    law = HorseshoeLaw(tau, slab)
    x = tau * np.array([1e-3, 0.1, 1.0, 3.0]) * min(1.0, slab / tau)
    expected = [density(one, tau, slab) for one in x]
    np.testing.assert_allclose(np.exp(law.logpdf(x)), expected, rtol=1e-8)
    np.testing.assert_array_equal(law.logpdf(-x), law.logpdf(x))


@pytest.mark.parametrize(("tau", "slab"), [(TAU, SLAB), (2.0, 0.5)])
def test_it_is_a_function_of_a_standard_normal(tau: float, slab: float) -> None:
    z = np.array([-6.0, -2.0, -0.3, 1e-4, 0.8, 3.0, 9.0])
    x, slope = quantile(np, z, tau, slab)
    np.testing.assert_allclose(normal_score(x, tau, slab), z, rtol=1e-7)
    by_law = stats.norm.logpdf(z) - HorseshoeLaw(tau, slab).logpdf(x)
    np.testing.assert_allclose(np.log(slope), by_law, atol=2e-6)
    graph = quantile(pt, pt.constant(z), tau, slab)
    np.testing.assert_allclose(graph[0].eval(mode=INTERPRETED), x, rtol=1e-12)
    drawn = HorseshoeLaw(tau, slab).rvs((100_000,), np.random.default_rng(1))
    below = [(drawn < one).mean() for one in x]
    np.testing.assert_allclose(below, stats.norm.cdf(z), atol=5 * 0.5 / np.sqrt(100_000))
    assert quantile(np, np.zeros(1), tau, slab)[0] == 0.0


@pytest.mark.parametrize(("tau", "slab"), [(TAU, SLAB), (2.0, 0.5)])
def test_in_the_coordinates_of_samplers_it_has_no_pole(tau: float, slab: float) -> None:
    w = np.array([-9.0, -2.0, -0.2, 1e-4, 0.6, 4.0, 20.0])
    x, slope, log_density, falling = stretched(w, tau, slab)
    np.testing.assert_allclose(coordinate(x, tau, slab), w, rtol=1e-7)
    np.testing.assert_allclose(
        HorseshoeLaw(tau, slab).logpdf(x) + np.log(slope), log_density, atol=2e-6
    )
    above, below = (stretched(w * (1 + h), tau, slab) for h in (1e-5, -1e-5))
    np.testing.assert_allclose((above[0] - below[0]) / 2e-5 / w, slope, rtol=1e-6)
    np.testing.assert_allclose((above[2] - below[2]) / 2e-5, falling * w, atol=1e-5)
    assert (slope < 5 * tau).all()
    near = stretched(np.array([0.0, 1e-9, 1e-3]), tau, slab)[2]
    assert np.ptp(near) < 0.05  # where the density of x itself grows without bound


MODEL = bm.MixedLogit("a", random=bm.Normal("a", mean=" + ".join(NAMES)))
WIDER = bm.MixedLogit("a + b", random=bm.Normal("a", mean=" + ".join(NAMES)))
TRUTH = {"mean[a]": 0.5, "sd[a]": 0.5} | {
    f"shift[a, {name}]": KEPT.get(name, 0.0) for name in NAMES
}
PRIORS = {"shift": bm.Prior("horseshoe", tau=0.02, slab=1.0)}


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    rng = np.random.default_rng(5)
    frame = attributes(rng, 200, 6, ("a", "b"))
    covariates = pd.DataFrame(rng.normal(size=(200, len(NAMES))), columns=NAMES)
    table = choice_data(frame.join(covariates, on="who"))
    return bm.simulate_choices(MODEL, TRUTH, table, rng=6)


def test_the_posterior_in_normals_has_the_prior_s_density_and_right_slopes(data) -> None:
    problem = bind(WIDER, data)
    given = PRIORS | {"shift[a, z3]": (0.0, 0.3), "fixed": bm.Prior("horseshoe", tau=1, slab=3)}
    priors = make_priors(problem, given)
    names = list(problem.parameters.names)
    weights = np.linspace(-1.0, 1.0, len(names))
    posterior = LogPosterior(
        problem, priors, lambda theta: (float(weights @ theta), weights.copy())
    )
    q = np.random.default_rng(2).normal(size=len(names)) * 0.7
    value, slope = posterior(q)
    np.testing.assert_allclose(
        slope, approx_fprime(q, lambda at: posterior(at)[0], 1e-7), atol=1e-5
    )
    theta = posterior.coordinates.theta(q)
    np.testing.assert_allclose(posterior.coordinates.at(theta), q, atol=1e-7)
    gaps = []
    for at in (q, 0.9 * q):
        theta = posterior.coordinates.theta(at)
        volume = np.linalg.slogdet(approx_fprime(at, posterior.coordinates.theta, 1e-7))[1]
        expected = prior_value_and_gradient(problem, priors, theta)[0] + weights @ theta + volume
        gaps.append(posterior(at)[0] - expected)
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-4)
    many = posterior.values(np.array([q, 0.9 * q]))
    assert many[0] - many[1] == pytest.approx(value - posterior(0.9 * q)[0], abs=1e-9)


def test_persons_that_are_sampled_have_it_too(data) -> None:
    problem = bind(MODEL, data)
    priors = make_priors(problem, PRIORS)
    coordinates = LogPosterior(problem, priors, lambda theta: (0.0, theta)).coordinates
    size = problem.parameters.size
    at = Whitening(np.full(size, 0.1), 0.5 * np.eye(size), coordinates)
    joint = Hierarchical(problem, priors, at, no_information(problem))
    x = np.random.default_rng(3).normal(size=joint.size)
    way = np.zeros(joint.size)
    way[:size] = np.random.default_rng(4).normal(size=size)
    above, below = (joint(x + h * way)[0] for h in (1e-5, -1e-5))
    assert joint(x)[1] @ way == pytest.approx((above - below) / 2e-5, rel=1e-4)


def test_variables_of_pymc_have_the_law() -> None:
    own, wide = Law("horseshoe", (TAU, SLAB)), Law("horseshoe", (1.0, 3.0))
    laws = Laws((own, Law("normal", (1.0, 2.0)), wide))
    with pm.Model() as model:
        prior_variable(laws, "shift")
    assert {v.name for v in model.free_RVs} == {"shift_normal", "shift_others"}
    names = ("shift_normal", "shift_others")
    graph = pytensor.function([model[name] for name in names], model["shift"], mode=INTERPRETED)
    expected = [own.frozen.ppf(0.3), -0.4, wide.frozen.ppf(0.9)]
    np.testing.assert_allclose(graph(stats.norm.ppf([0.3, 0.9]), [-0.4]), expected)


def test_nulls_are_shrunk_and_others_kept(data, monkeypatch) -> None:
    """A normal prior leaves twenty shifts where they were; NUTS ends without divergences."""
    monkeypatch.setattr(sampler_grid, "FINE_NODES", 64)  # of the modes, which are starts alone
    how = {"grid": bm.centred(bm.sobol(32)), "rng": 1, "progress": False}
    own, other = (
        bm.sample(MODEL, data, method="importance", draws=250, priors=priors, **how)
        for priors in (PRIORS, None)
    )
    chains = bm.sample(MODEL, data, draws=100, tune=100, chains=2, priors=PRIORS, **how)
    assert int(chains["sample_stats"]["diverging"].sum()) == 0
    means, theirs, moved = (
        tree["posterior"]["shift"].mean(("chain", "draw")).to_series()
        for tree in (own, other, chains)
    )
    sd = own["posterior"]["shift"].std(("chain", "draw")).to_series()
    assert (abs(moved - means) / sd).max() < 0.5
    kept = [f"a, {name}" for name in KEPT]
    nulls = [name for name in means.index if name not in kept]
    assert len(nulls) == NULL
    size, size_of_others = (np.sqrt((one[nulls] ** 2).mean()) for one in (means, theirs))
    assert size < 0.4 * size_of_others
    np.testing.assert_allclose(means[kept], theirs[kept], rtol=0.2)
    assert "horseshoe(tau=0.02, slab=1)" in own["posterior"].attrs["priors"]
    assert own["log_prior"]["shift"].notnull().all()


def test_where_it_is_not_known_is_said(data) -> None:
    classes = bm.MixedLogit("a + b", random=bm.LatentClass("a"))
    with pytest.raises(bm.SpecificationError, match="'laplace' or 'student-t'"):
        bm.priors(classes, data, {"fixed": PRIORS["shift"]})
    with pytest.raises(bm.SpecificationError, match="'tau' of 'horseshoe' must be a positive"):
        bm.Prior("horseshoe", tau=0.0, slab=1.0)
    with pytest.raises(bm.SpecificationError, match="can be a positive number, and horseshoe"):
        bm.priors(MODEL, data, {"sd": PRIORS["shift"]})
