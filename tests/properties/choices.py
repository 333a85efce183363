"""Choice sets that hypothesis makes up, and how few of them."""

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st


def few(examples: int) -> settings:
    """The same examples at every run, few of them, and no clock: it measures the machine."""
    return settings(
        derandomize=True,
        deadline=None,
        max_examples=examples,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def frames(draw):
    """Persons, situations and alternatives, with whole attributes from -20 to 20."""
    persons, situations = draw(st.integers(4, 8)), draw(st.integers(1, 3))
    alternatives = draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = persons * situations * alternatives
    frame = pd.DataFrame(rng.integers(-20, 21, (size, 2)), columns=["x", "y"])
    frame["who"] = np.repeat(np.arange(persons), situations * alternatives)
    frame["task"] = np.repeat(np.arange(persons * situations), alternatives)
    frame["alt"] = np.tile(np.arange(alternatives), persons * situations)
    frame["choice"] = 0
    chosen = rng.integers(0, alternatives, persons * situations)
    frame.loc[np.arange(persons * situations) * alternatives + chosen, "choice"] = 1
    # Never flat, never collinear: the first rows of the first two persons say so.
    frame.loc[[0, 1], ["x", "y"]] = [[3, 1], [-2, 4]]
    last = persons * situations * alternatives - alternatives
    frame.loc[[last, last + 1], ["x", "y"]] = [[5, -6], [1, 7]]
    return frame


def shuffled(frame, random):
    """The same rows in another order."""
    order = list(range(len(frame)))
    random.shuffle(order)
    return frame.iloc[order].reset_index(drop=True)


def renamed(frame):
    """The same persons, situations and alternatives under other names, in another order."""
    return frame.assign(
        who=frame["who"].map(lambda i: f"p{99 - i}"),
        task=500 - frame["task"],
        alt=frame["alt"].map(dict(enumerate("dcba"))),
    )


def halves(frame, scale=1.0):
    """Two copies of every person, with half of the weight each."""
    copy = frame.assign(who=frame["who"] + 1000, task=frame["task"] + 100_000)
    return pd.concat([frame, copy]).assign(weight=0.5 * scale)


def close(one, other, rtol=1e-9):
    np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-9)
