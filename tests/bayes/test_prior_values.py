"""Whole prior densities: SciPy's, times the Jacobian of the free vector; and by parameter."""

import numpy as np
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.prior_values import held_value, lkj_constant, prior_values
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.bind import bind
from tests.oracles import choice_frame, choices

from .test_prior_density import LAWS


def bound(kind: str):
    rng = np.random.default_rng(4)
    frame = choice_frame(rng)
    frame["comfort"] = rng.normal(size=len(frame))
    laws, given = LAWS[kind]
    problem = bind(bm.MixedLogit("price + time + comfort", random=laws), choices(frame))
    space = problem.parameters
    thetas = rng.normal(size=(6, space.size))
    thetas[:, space.diagonal()] = 0.3 + np.abs(thetas[:, space.diagonal()])
    return problem, make_priors(problem, given), thetas


def known(problem, priors, theta) -> float:
    """SciPy's densities of the printed parameters, and the Jacobian of these by the free vector."""
    space, total = problem.parameters, 0.0
    values = dict(zip(space.names, space.natural(theta), strict=True))
    for name, law in priors.laws.items():
        if law.kind != "none":
            total += law.frozen.logpdf(values[name])  # SciPy's
    mean, chol, *_ = space.unpack(theta)
    if priors.covariances[0] is not None:
        prior, sigma, logs = priors.covariances[0], chol @ chol.T, np.log(np.diag(chol))
        total += stats.invwishart.logpdf(sigma, prior.df, prior.root @ prior.root.T)
        if prior.mean_precision is not None:
            law = stats.multivariate_normal(prior.mean_location, sigma / prior.mean_precision)
            total += law.logpdf(mean)
        return total + 3 * np.log(2) + (np.array([3, 2, 1]) * logs).sum()
    if space.pairs:
        sd = np.sqrt((chol**2).sum(axis=1))
        corr = chol @ chol.T / np.outer(sd, sd)
        eta = priors.etas[0]
        total += (eta - 1) * np.linalg.slogdet(corr)[1] - lkj_constant(3, eta)
    return total + np.linalg.slogdet(space.jacobian(theta))[1]


@pytest.mark.parametrize("kind", LAWS)
def test_densities_are_scipys_times_the_jacobian(kind: str) -> None:
    problem, priors, thetas = bound(kind)
    found = prior_values(problem, priors, thetas)
    expected = [known(problem, priors, theta) for theta in thetas]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    # What chains move on is the same, up to a constant.
    moved = [prior_value_and_gradient(problem, priors, theta)[0] for theta in thetas]
    assert np.ptp(found - moved) < 1e-9


def test_a_held_mean_has_no_density_without_its_covariance() -> None:
    laws, given = LAWS["wishart of means"]
    held = bm.Constraints(fixed={"mean[time]": 0.3})
    model = bm.MixedLogit("price + time + comfort", random=laws, constraints=held)
    frame = choice_frame(np.random.default_rng(4))
    problem = bind(model, choices(frame.assign(comfort=np.arange(len(frame)) % 7.0)))
    assert np.isnan(held_value(problem, make_priors(problem, given)))
    own = make_priors(problem, {"mean[time]": (0.5, 2.0)})
    assert held_value(problem, own) == pytest.approx(stats.norm(0.5, 2).logpdf(0.3))


def test_the_lkj_constant_is_the_volume_of_correlation_matrices() -> None:
    assert np.exp(lkj_constant(3, 1.0)) == pytest.approx(np.pi**2 / 2)  # Rousseeuw, Molenberghs
    r = np.linspace(-1, 1, 20_001)
    assert np.exp(lkj_constant(2, 2.5)) == pytest.approx(np.trapezoid((1 - r**2) ** 1.5, r))
