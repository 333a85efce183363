"""A small simulated panel with known parameters, shared by the Bayesian tests."""

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode

import bayesmix as bm

INTERPRETED = Mode(linker="py", optimizer="fast_compile")
"""Graphs are small: where one is called a few times, compiling it would not pay."""

TRUTH = {
    "mean[a]": 1.0,
    "mean[b]": -0.5,
    "mean[c]": 0.2,
    "sd[a]": 0.8,
    "sd[b]": 1.0,
    "sd[c]": 0.4,
    "corr[a, b]": 0.5,
    "fixed[d]": 0.7,
}
MODEL = bm.MixedLogit(
    "a + b + c + d", random=[bm.LKJNormal("a", "b", eta=3.0), bm.LogNormal("c", sign=-1)]
)


@pytest.fixture(scope="session")
def panel() -> bm.ChoiceData:
    """120 persons, 8 situations each, 3 alternatives; choices drawn from MODEL at TRUTH."""
    rng = np.random.default_rng(20)
    rows = 120 * 8 * 3
    frame = pd.DataFrame(rng.uniform(-1.5, 1.5, (rows, 4)), columns=list("abcd"))
    frame["id"] = np.repeat(np.arange(120), 24)
    frame["task"] = np.tile(np.repeat(np.arange(8), 3), 120)
    frame["alt"] = np.tile(["x", "y", "z"], 120 * 8)
    frame["choice"] = np.tile([1, 0, 0], 120 * 8)
    blank = bm.ChoiceData.from_long(
        frame, person="id", situation="task", alternative="alt", chosen="choice"
    )
    return bm.simulate_choices(MODEL, TRUTH, blank, rng=21)
