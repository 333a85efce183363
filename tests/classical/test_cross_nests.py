"""Alternatives in several nests, by given parts."""

import numpy as np
import pandas as pd

import bayesmix as bm
from tests.simulated import simulated


def test_a_cross_nested_logit_comes_back():
    """Alternative 1 is half in either nest; its parts are given."""
    nests = bm.Nests({"a": {0: 1, 1: 0.5}, "b": {1: 0.5, 2: 1, 3: 1}})
    model = bm.MixedLogit("x + y", nests=nests)
    truth = {"fixed[x]": 1.0, "fixed[y]": -1.0, "nest[a]": 0.4, "nest[b]": 0.6}
    drawn = simulated(model, truth, 400, 5, seed=1, alternatives=4)
    fit = bm.msle(model, drawn, starts=1)
    assert fit.model.kind == "cross-nested logit"
    off = (fit.params - pd.Series(truth)) / fit.std_errors
    assert np.abs(off).max() < 3.0
    assert (fit.std_errors < 0.1).all()
