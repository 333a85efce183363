"""Small fits for the tests of tables and plots."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayesmix.specification.parameters import ParameterSpace

TERMS = ["pf", "cl", "loc"]
PAIRS = ["pf, cl", "pf, loc", "cl, loc"]


@pytest.fixture
def posterior() -> xr.DataTree:
    """Two chains of 200 independent draws of three correlated coefficients and one fixed one."""
    rng = np.random.default_rng(7)
    shape = (2, 200)
    dims = ("chain", "draw")
    draws = xr.Dataset(
        {
            "mean": ((*dims, "random"), rng.normal([-1.0, -0.2, 2.4], 0.1, (*shape, 3))),
            "sd": ((*dims, "random"), rng.gamma(50.0, 0.02, (*shape, 3))),
            "corr": ((*dims, "pair"), np.tanh(rng.normal(0.0, 0.2, (*shape, 3)))),
            "fixed": ((*dims, "term"), rng.normal(0.5, 0.05, (*shape, 1))),
            "beta": ((*dims, "person", "random"), rng.normal(size=(*shape, 4, 3))),
        },
        coords={
            "chain": range(2),
            "draw": range(200),
            "random": TERMS,
            "pair": PAIRS,
            "term": ["wk"],
            "person": range(4),
        },
    )
    diverging = np.zeros(shape, dtype=bool)
    diverging[0, :3] = True
    stats = xr.Dataset({"diverging": (dims, diverging)}, {d: draws[d] for d in dims})
    return xr.DataTree.from_dict({"posterior": draws, "sample_stats": stats})


@pytest.fixture
def fit() -> SimpleNamespace:
    """A classical fit of the same model, without its correlations and with one more parameter."""
    names = [f"{kind}[{term}]" for kind in ("mean", "sd") for term in TERMS]
    return SimpleNamespace(
        params=pd.Series([-1.0, -0.2, 2.4, 1.0, 1.0, 1.0, 3.0], [*names, "fixed[age]"]),
        std_errors=pd.Series(0.1, [*names, "fixed[age]"]),
        space=ParameterSpace(tuple(TERMS), ("age",), ((0,), (1,), (2,))),
    )
