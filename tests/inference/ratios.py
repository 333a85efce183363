"""Fits whose ratios several tests look at."""

from functools import cache

import bayesmix as bm
from tests.simulated import simulated

TRUTH = bm.MixedLogit("x + y + z", random=bm.Normal("x"))
AT = {"mean[x]": 1.0, "sd[x]": 0.9, "fixed[y]": -0.5, "fixed[z]": 0.0}
X, Y, XY = bm.Normal("x"), bm.Normal("y"), bm.LKJNormal("x", "y")


@cache
def data():
    return simulated(TRUTH, AT, 150, 5, columns=("x", "y", "z"), seed=8)


@cache
def fit(*laws, formula="x + y + z"):
    return bm.msle(bm.MixedLogit(formula, random=laws), data(), grid=bm.gauss_hermite(7), starts=1)
