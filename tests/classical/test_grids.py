"""Every rule leads to the same estimates, as closely as its own certificate says."""

from functools import cache

import numpy as np
import pytest

from bayesmix import LogNormal, Normal
from bayesmix.classical.msle import msle
from bayesmix.integration.rules import (
    centred,
    gauss_hermite,
    halton,
    mlhs,
    monte_carlo,
    sobol,
    sparse,
)
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 1.5, "sd[y]": 1.0}
MODEL = MixedLogit("x + y", random=[Normal("x"), LogNormal("y", sign=-1)])


@cache
def data(situations):
    return simulated(MODEL, AT, 1500 if situations == 1 else 150, situations)


@cache
def exact(situations):
    grid = gauss_hermite(40 if situations == 1 else 60)
    return msle(MODEL, data(situations), grid=grid, starts=1, rng=1)


def agrees(fit, truth):
    """Within the certificate's intervals, made half as wide again for the step's second order."""
    certificate = fit.integration
    # Estimates where the shift is large move the curvature: a tenth of the shift more.
    shift = certificate.shift
    moved = (fit.params - truth.params) / fit.std_errors
    half = (shift["high"] - shift["low"]) / 2
    slack = 1.5 * half + 0.15 * shift["estimate"].abs().max() + 0.02
    assert ((moved - shift["estimate"]).abs() <= slack).all(), f"{moved}\n{shift}"
    low, high = certificate.error_interval
    # The log-likelihood at the grid's optimum: the exact one is lower there than at its own.
    assert fit.loglik - high - 0.05 <= truth.loglik
    assert fit.loglik - low >= truth.loglik - 0.5 * (moved**2).sum() - 0.05


@pytest.mark.parametrize(
    "rule",
    [
        gauss_hermite(7),
        sparse(6),
        sparse(6, "gqn"),
        sobol(200),
        halton(200),
        halton(200, scramble=False),
        mlhs(200),
        monte_carlo(400, antithetic=True),
        centred(sobol(32)),
    ],
    ids=str,
)
def test_rules_agree_on_a_cross_section(rule):
    agrees(msle(MODEL, data(1), grid=rule, starts=1, rng=1), exact(1))


@pytest.mark.parametrize(
    "rule",
    [
        sobol(200),
        halton(200),
        gauss_hermite(30),
        centred(sobol(32)),
        centred(sobol(32), moments=True),
        centred(halton(64), population=0.5),
        centred(monte_carlo(64), inflation=1.5),
    ],
    ids=str,
)
def test_rules_agree_on_a_panel(rule):
    agrees(msle(MODEL, data(8), grid=rule, starts=1, rng=1), exact(8))


def test_plain_draws_are_biased_down_and_centred_ones_hardly():
    """The logarithm of an unbiased integral: the fewer draws, the lower the log-likelihood."""

    def bias(rule):
        fits = [msle(MODEL, data(8), grid=rule, starts=1, rng=seed) for seed in range(6)]
        return np.mean([fit.loglik for fit in fits]) - exact(8).loglik

    few, many, centre = (
        bias(rule) for rule in (monte_carlo(20), monte_carlo(80), centred(sobol(32)))
    )
    assert few < -5
    assert few < many < 0
    assert abs(centre) < 0.4


def test_a_grid_says_in_a_line_what_it_is():
    model = MixedLogit("x + y", random=Normal("x"))
    sample = simulated(model, {"mean[x]": 1.0, "sd[x]": 0.5, "fixed[y]": -0.5}, 40, 4)
    grid = msle(model, sample, grid=centred(sobol(16)), starts=1, rng=1).grid
    assert repr(grid) == f"PersonGrid({grid}, 40 persons, 1 dimensions)"
