"""What must not change shares of types, on choice sets that hypothesis makes up."""

from hypothesis import assume, given
from hypothesis import strategies as st

import bayesmix as bm
from tests.properties.choices import few, frames, halves, renamed, shuffled
from tests.simulated import choice_data

MODEL = bm.MixedLogit("x + y")
SIZES = (-0.2, -0.05, 0.0, 0.1)
GAP = 1e-6
"""Nats by which a log-likelihood is at most below the best of these points."""


def loglik(frame, unit=1.0, **roles):
    """Of the best shares of types with these slopes, of which there may be several."""
    points = bm.Types({"x": [size / unit for size in SIZES], "y": [0.0, 0.1]})
    data = choice_data(frame, **roles)
    found = bm.nonparametric(MODEL, data, points, adding=False, tolerance=GAP)
    assert found.gap <= GAP
    return found.loglik


@few(8)
@given(frames(), st.randoms(use_true_random=False), st.sampled_from([0.25, 8.0]))
def test_shares_of_types_are_as_good_whatever_things_are_called_and_measured_in(
    frame, random, unit
):
    try:
        known = loglik(frame)
    except bm.ConvergenceError:  # some column predicts all of these choices
        assume(False)
    for other in (
        loglik(shuffled(frame, random)),
        loglik(renamed(frame)),
        loglik(halves(frame), weights="weight"),
        loglik(frame.assign(x=frame["x"] + 1000)),
        loglik(frame.astype({"x": "int8", "y": "Int16"})),
        loglik(frame.assign(x=frame["x"] * unit), unit),
    ):
        assert abs(other - known) <= 10 * GAP
