"""Fits that several tests of hypotheses look at."""

from functools import cache

import bayesmix as bm
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + y + z", random=bm.LKJNormal("x", "y"))

AT = {"mean[x]": 1.0, "mean[y]": 1.0, "sd[x]": 0.8, "sd[y]": 1.2, "corr[x, y]": -0.5, "fixed[z]": 0}


@cache
def data():
    return simulated(MODEL, AT, 200, 6, columns=("x", "y", "z"), seed=4)


@cache
def fit():
    return bm.msle(MODEL, data(), grid=bm.gauss_hermite(9), starts=1)
