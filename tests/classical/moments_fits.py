"""A small panel, and its fit by moments."""

from functools import cache

from bayesmix import Normal
from bayesmix.classical.msm import msm
from bayesmix.integration.rules import sobol
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

AT = {"mean[x]": 1.0, "sd[x]": 1.2, "fixed[y]": -0.6}
MODEL = MixedLogit("x + y", random=Normal("x"))


@cache
def data(seed=0, persons=600, situations=3):
    return simulated(MODEL, AT, persons, situations, seed=seed)


@cache
def fitted():
    return msm(MODEL, data(), grid=sobol(64), rng=1)
