"""Coefficients of persons: quadrature, the law of total variance, draws, refusals."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.one_class_model import coordinates
from bayesmix.bayes.tree import complete
from bayesmix.demand.draws import krinsky_robb
from bayesmix.errors import SpecificationError
from bayesmix.likelihood import persons
from bayesmix.likelihood.bind import bind
from tests.simulated import choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))
AT = {"mean[x]": 1.0, "sd[x]": 1.2, "fixed[y]": -0.6}


@cache
def data():
    return simulated(MODEL, AT, 80, 6, seed=5)


@cache
def fit():
    return bm.msle(MODEL, data(), grid=bm.gauss_hermite(15), starts=1)


def posterior_moments(theta):
    """Means and variances (I,) given the choices, on a fine grid of coefficients."""
    problem = bind(MODEL, data())
    mean, chol, fixed, *_ = problem.parameters.unpack(theta)
    beta = np.linspace(-7, 9, 1601)
    x, chosen = problem.design.random[:, 0], data().chosen_row
    v = np.outer(x, beta) + (problem.design.fixed @ fixed)[:, None]
    total = np.add.reduceat(np.exp(v), data().situation_start[:-1])
    logp = np.add.reduceat(v[chosen] - np.log(total), data().person_start[:-1])
    density = np.exp(logp - 0.5 * ((beta - mean[0]) / chol[0, 0]) ** 2)
    density /= density.sum(axis=1, keepdims=True)
    first = density @ beta
    return first, density @ beta**2 - first**2


def test_moments_at_the_estimates_are_those_of_quadrature():
    found = bm.individuals(fit(), data(), draws=10, uncertainty=False, rng=1)
    mean, variance = posterior_moments(fit().theta)
    assert found.attrs["parameter_draws"] == 1
    np.testing.assert_allclose(found["mean"][:, 0], mean, atol=0.05)
    np.testing.assert_allclose(found["sd"][:, 0], np.sqrt(variance), rtol=0.06)


def test_uncertain_parameters_add_the_variance_of_the_means():
    """The law of total variance, over the very draws of the parameters."""
    info = fit().information
    vague = replace(fit(), information=replace(info, scores=2.5 * info.scores))
    found = bm.individuals(vague, data(), draws=60, rng=7)
    thetas = krinsky_robb(vague, 60, np.random.default_rng(7))
    means, variances = map(np.array, zip(*map(posterior_moments, thetas), strict=True))
    np.testing.assert_allclose(found["mean"][:, 0], means.mean(axis=0), atol=0.06)
    total = variances.mean(axis=0) + means.var(axis=0)
    np.testing.assert_allclose(found["sd"][:, 0], np.sqrt(total), rtol=0.06)
    # That part is no rounding error: without it the tolerance would be missed.
    assert (np.sqrt(total / variances.mean(axis=0)) > 1.1).sum() > 5


def test_draws_have_the_moments():
    found = bm.individuals(fit(), data(), draws=800, uncertainty=False, rng=3)
    beta, sd = found["beta"].to_numpy()[:, :, 0], found["sd"].to_numpy()[:, 0]
    off = (beta.mean(axis=0) - found["mean"].to_numpy()[:, 0]) / (sd / np.sqrt(800))
    assert np.abs(off).max() < 4.5
    np.testing.assert_allclose(beta.std(axis=0), sd, rtol=0.15)


def test_persons_in_chunks_are_the_same(monkeypatch):
    whole = bm.individuals(fit(), data(), draws=5, rng=2)
    monkeypatch.setattr(persons, "CHUNK_BYTES", 2**17)
    cut = bm.individuals(fit(), data(), draws=5, rng=2)
    assert whole.identical(cut)


def test_a_seed_gives_the_same_numbers():
    one, same, other = (bm.individuals(fit(), data(), draws=5, rng=s) for s in (1, 1, 2))
    assert one.identical(same)
    assert not one.identical(other)


def test_what_has_no_individuals_is_refused():
    with pytest.raises(SpecificationError, match="everybody's are the same"):
        bm.individuals(bm.msle(bm.MixedLogit("x"), data()), data())
    with pytest.raises(SpecificationError, match="'draws' must be a whole number of at least 1"):
        bm.individuals(fit(), data(), draws=0)


def test_people_of_whom_the_parameters_know_nothing():
    """New people have the coefficients that they would have among those of the estimation."""
    frame = data().frame
    new = choice_data(frame[frame["who"] < 20].assign(who=frame["who"] + 1000))
    found = bm.individuals(fit(), new, draws=10, uncertainty=False, rng=1)
    assert found["person"].to_numpy().tolist() == list(range(1000, 1020))
    mean, variance = posterior_moments(fit().theta)
    np.testing.assert_allclose(found["mean"][:, 0], mean[:20], atol=0.05)
    np.testing.assert_allclose(found["sd"][:, 0], np.sqrt(variance[:20]), rtol=0.06)


def test_a_posterior_knows_new_people_too():
    b = fit().params
    draws = {
        kind: (("chain", "draw", dim), np.full((1, 2, 1), b[name]))
        for kind, dim, name in (
            ("mean", "random", "mean[x]"), ("sd", "random", "sd[x]"), ("fixed", "term", "fixed[y]")
        )
    }  # fmt: skip
    problem = bind(MODEL, data())
    names = {k: v for k, v in coordinates(problem).items() if k in ("random", "term")}
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset(draws, names | {"chain": [0], "draw": [0, 1]})}
    )
    posterior = complete(tree, problem, np.zeros((1, 2, 80)), None, {})
    frame = data().frame
    new = choice_data(frame[frame["who"] < 20].assign(who=frame["who"] + 1000))
    found = bm.individuals(posterior, new, draws=2, rng=1)
    mean, _ = posterior_moments(fit().theta)
    np.testing.assert_allclose(found["mean"][:, 0], mean[:20], atol=0.05)
