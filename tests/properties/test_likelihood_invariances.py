"""What must not change a likelihood, on choice sets that hypothesis makes up."""

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayesmix as bm
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from tests.simulated import choice_data

# The same examples at every run, few of them, and no clock: it measures the machine.
DERANDOMISED = settings(
    derandomize=True,
    deadline=None,
    max_examples=8,
    database=None,
    suppress_health_check=list(HealthCheck),
)
MODEL = bm.MixedLogit("x + y", bm.Normal("x"))
THETA = np.array([-0.7, 0.9, 0.5])


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


def loglik(frame, theta=THETA, **roles):
    """Of the mixed logit on nodes that are the same for everybody."""
    problem = bind(MODEL, choice_data(frame, **roles))
    logp, scores = Likelihood(
        problem, population_grid(bm.gauss_hermite(7), 1, problem.n_persons)
    ).by_person(theta)
    weights = problem.data.weights
    return np.append(weights @ logp, weights @ scores)


def close(one, other, rtol=1e-9):
    np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-9)


@DERANDOMISED
@given(frames(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_names_of_people_and_things_do_not_matter(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    shuffled = frame.iloc[order].reset_index(drop=True)
    close(loglik(frame), loglik(shuffled))
    renamed = frame.assign(
        who=frame["who"].map(lambda i: f"p{99 - i}"),
        task=500 - frame["task"],
        alt=frame["alt"].map(dict(enumerate("dcba"))),
    )
    close(loglik(frame), loglik(renamed))


@DERANDOMISED
@given(frames(), st.sampled_from([1.0, 1e-3, 1e6]))
def test_two_copies_of_a_person_with_half_the_weight_are_one(frame, scale):
    copy = frame.assign(who=frame["who"] + 1000, task=frame["task"] + 100_000)
    both = pd.concat([frame, copy]).assign(weight=0.5 * scale)
    close(scale * loglik(frame), loglik(both, weights="weight"))


@DERANDOMISED
@given(frames(), st.sampled_from([1, 100, 10**6, 2**31]), st.sampled_from([0.25, 8.0, 2.0**40]))
def test_a_constant_and_the_units_of_an_attribute_do_not_matter(frame, constant, unit):
    moved = frame.assign(x=frame["x"] + constant)
    close(loglik(frame), loglik(moved))
    scaled = loglik(frame.assign(x=frame["x"] * unit), THETA / [unit, unit, 1.0])
    assert np.isclose(scaled[0], loglik(frame)[0], rtol=1e-9)


@DERANDOMISED
@given(frames(), st.sampled_from(["int8", "uint8", "float32", "Int16", "Float64", "object"]))
def test_the_type_of_a_column_does_not_matter(frame, kind):
    frame = frame.assign(x=frame["x"] + 20)
    close(loglik(frame), loglik(frame.astype({"x": kind})))
    small = frame.astype({"x": "int8", "y": "int8"})
    close(loglik(frame), loglik(pl.from_pandas(small)))
    product = bm.MixedLogit("x:y + x", bm.Normal("x"))
    columns = [bind(product, choice_data(f)).design.columns for f in (frame, small)]
    np.testing.assert_array_equal(*columns)


@DERANDOMISED
@given(frames())
def test_yes_and_no_are_1_and_0(frame):
    frame = frame.assign(x=(frame["x"] > 0).astype(int))
    frame.loc[[0, 1], "x"] = [1, 0]
    close(loglik(frame), loglik(frame.astype({"x": bool})))
