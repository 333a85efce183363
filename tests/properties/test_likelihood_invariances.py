"""What must not change a likelihood, on choice sets that hypothesis makes up."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import bayesmix as bm
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from tests.properties.choices import close, few, frames, halves, renamed, shuffled
from tests.simulated import choice_data

DERANDOMISED = few(8)
MODEL = bm.MixedLogit("x + y", bm.Normal("x"))
THETA = np.array([-0.7, 0.9, 0.5])


def loglik(frame, theta=THETA, **roles):
    """Of the mixed logit on nodes that are the same for everybody."""
    problem = bind(MODEL, choice_data(frame, **roles))
    logp, scores = Likelihood(
        problem, population_grid(bm.gauss_hermite(7), 1, problem.n_persons)
    ).by_person(theta)
    weights = problem.data.weights
    return np.append(weights @ logp, weights @ scores)


@DERANDOMISED
@given(frames(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_names_of_people_and_things_do_not_matter(frame, random):
    close(loglik(frame), loglik(shuffled(frame, random)))
    close(loglik(frame), loglik(renamed(frame)))


@DERANDOMISED
@given(frames(), st.sampled_from([1.0, 1e-3, 1e6]))
def test_two_copies_of_a_person_with_half_the_weight_are_one(frame, scale):
    close(scale * loglik(frame), loglik(halves(frame, scale), weights="weight"))


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
