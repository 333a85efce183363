"""A small panel, and its fits under constraints."""

from functools import cache

import bayesmix as bm
from tests.simulated import simulated

GRID = bm.gauss_hermite(9)
COLUMNS = ("x", "y", "z")
MODEL = bm.MixedLogit("x + y + z", random=[bm.Correlated(bm.Normal("x"), bm.Normal("y"))])
LOGIT = bm.MixedLogit("x + y + z")
AT = {
    "mean[x]": 0.6,
    "mean[y]": -0.4,
    "sd[x]": 0.8,
    "sd[y]": 0.7,
    "corr[x, y]": 0.4,
    "fixed[z]": 0.5,
}


@cache
def data():
    return simulated(MODEL, AT, 200, 6, columns=COLUMNS)


@cache
def fit(model=MODEL, fixed=(), equal=()):
    return bm.msle(model, data(), fixed=dict(fixed), equal=list(equal), grid=GRID, starts=1, rng=1)


def held(**fixed):
    return fit(fixed=tuple(fixed.items()))
