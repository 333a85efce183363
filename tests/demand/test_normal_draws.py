"""Draws of parameters from the normal law of estimates."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.demand.normal_draws import krinsky_robb
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))


@pytest.fixture(scope="module")
def data():
    truth = {"mean[x]": 1.0, "sd[x]": 0.0, "fixed[y]": -1.0}
    return simulated(MODEL, truth, 200, 4, seed=3)


@pytest.fixture(scope="module")
def at_boundary(data):
    return bm.msle(MODEL, data, starts=1, rng=1)


def test_what_is_at_the_boundary_stays_there(at_boundary):
    fit, silent = at_boundary, at_boundary.information.silent
    assert silent.any()
    thetas = krinsky_robb(fit, 2000, np.random.default_rng(1))
    assert (thetas[:, silent] == fit.theta[silent]).all()
    spread = np.cov(thetas[:, ~silent].T)
    law = fit.information.covariance()[np.ix_(~silent, ~silent)]
    np.testing.assert_allclose(spread, law, atol=0.15 * np.diag(law).max())


def test_intervals_say_what_they_leave_at_the_boundary(at_boundary, data):
    how = {"draws": 4, "nodes": 8, "rng": 1}
    words = "sd[x] at the boundary 0: intervals leave it there"
    for extra in (how, {**how, "uncertainty": "delta"}):
        assert bm.elasticities(at_boundary, data, "y", **extra).attrs["note"].startswith(words)
        assert bm.wtp(at_boundary, "x", price="y", **extra).attrs["note"].startswith(words)
    plain = bm.msle(bm.MixedLogit("x + y"), data)
    boot = bm.bootstrap(at_boundary, data, replications=2, rng=1, progress=False)
    for fit, extra in ((plain, how), (at_boundary, {**how, "uncertainty": boot})):
        assert "note" not in bm.elasticities(fit, data, "y", **extra).attrs
