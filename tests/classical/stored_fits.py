"""A fit to be stored."""

from functools import cache

from bayesmix import Correlated, LogNormal, Normal
from bayesmix.classical.msle import msle
from bayesmix.integration.rules import centred, sobol
from bayesmix.specification.model import MixedLogit
from tests.simulated import simulated

LAW = Correlated(Normal("x"), LogNormal("y", sign=-1))

MODEL = MixedLogit("x + y", random=LAW)

AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 0.8, "sd[y]": 0.7, "corr[x, y]": 0.5}


@cache
def data():
    return simulated(MODEL, AT, 80, 5)


@cache
def stored():
    return msle(MODEL, data(), grid=centred(sobol(32)), starts=1, rng=3)
