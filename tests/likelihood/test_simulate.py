"""Simulated choices: shares of the model, seeds, what is kept of the data."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bayesmix import LKJNormal, LogNormal, Normal
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.simulate import draw_coefficients, simulate_choices
from bayesmix.specification.model import MixedLogit
from tests.simulated import choice_data

N = 40_000
X, Y = np.array([1.0, -0.5, 0.3]), np.array([-1.0, 0.4, 0.2])
MODEL = MixedLogit("x + y", random=Normal("x"))


def alike(situations=N, persons=None, **options):
    """The same choice set again and again."""
    frame = pd.DataFrame({"x": np.tile(X, situations), "y": np.tile(Y, situations)})
    frame["task"] = np.repeat(np.arange(situations), 3)
    frame["who"] = frame["task"] // (situations // (persons or situations))
    frame["alt"] = np.tile([0, 1, 2], situations)
    frame["choice"] = (frame["alt"] == 0).astype(int)
    return choice_data(frame, **options)


def chosen(data):
    """Chosen position of each situation, -1 outside."""
    return np.where(data.chosen_row < 0, -1, data.chosen_row % 3)


def probabilities(utility, outside):
    v = np.append(utility, 0.0 if outside else -np.inf)
    v = np.exp(v - v.max())
    return v / v.sum()


def check_shares(data, expected):
    """Counts of the alternatives, and of the outside option last, within 4 standard errors."""
    shares = np.array([(chosen(data) == j).mean() for j in (0, 1, 2, -1)])
    errors = np.sqrt(expected * (1 - expected) / data.n_situations)
    np.testing.assert_array_less(np.abs(shares - expected), 4 * errors + 1e-15)


@pytest.mark.parametrize("outside", [False, True])
def test_without_heterogeneity_shares_are_the_logits(outside):
    at = {"mean[x]": 0.8, "sd[x]": 0.0, "fixed[y]": -0.6}
    drawn = simulate_choices(MODEL, at, alike(outside_option=outside), rng=1)
    check_shares(drawn, probabilities(0.8 * X - 0.6 * Y, outside))


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("lognormal", [False, True])
def test_with_heterogeneity_shares_are_averages_over_people(outside, lognormal):
    model = MixedLogit("x + y", random=LogNormal("x", sign=-1) if lognormal else Normal("x"))
    at = {"mean[x]": 0.3, "sd[x]": 1.2, "fixed[y]": -0.6}
    index = 0.3 + 1.2 * norm.ppf((np.arange(4000) + 0.5) / 4000)
    beta = -np.exp(index) if lognormal else index
    average = np.mean([probabilities(b * X - 0.6 * Y, outside) for b in beta], axis=0)
    check_shares(simulate_choices(model, at, alike(outside_option=outside), rng=2), average)


def test_a_person_keeps_her_taste():
    # With a huge sd everyone always takes the largest x, or always the smallest.
    at = {"mean[x]": 0.0, "sd[x]": 1e6, "fixed[y]": 0.0}
    drawn = chosen(simulate_choices(MODEL, at, alike(2000, persons=200), rng=3)).reshape(200, 10)
    assert (drawn == drawn[:, :1]).all()
    assert set(drawn[:, 0]) == {0, 1}


def test_coefficients_have_the_moments_of_the_law():
    model = MixedLogit("x + y", random=LKJNormal("x", "y"))
    problem = bind(model, alike())
    at = {"mean[x]": 1.0, "mean[y]": -2.0, "sd[x]": 0.5, "sd[y]": 2.0, "corr[x, y]": -0.6}
    theta = problem.parameters.theta(at)
    beta = draw_coefficients(problem, theta, np.random.default_rng(4))
    np.testing.assert_allclose(beta.mean(axis=0), [1, -2], atol=4 * 2 / np.sqrt(N))
    np.testing.assert_allclose(beta.std(axis=0), [0.5, 2], rtol=4 / np.sqrt(2 * N))
    corr = np.corrcoef(beta.T)[0, 1]
    assert corr == pytest.approx(-0.6, abs=4 * (1 - 0.6**2) / np.sqrt(N))


def test_seeds():
    data, at = alike(1000), {"mean[x]": 0.3, "sd[x]": 1.0, "fixed[y]": 0.0}
    first, same, other = (
        simulate_choices(MODEL, at, data, rng=seed).chosen_row for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).mean() > 0.2
    generator = np.random.default_rng(1)
    again = [simulate_choices(MODEL, at, data, rng=generator).chosen_row for _ in range(2)]
    np.testing.assert_array_equal(again[0], first)
    assert (again[1] != first).any()


def test_the_data_are_kept_and_the_choices_are_marked():
    data, at = alike(50, outside_option=True), {"mean[x]": 0.3, "sd[x]": 1.0, "fixed[y]": 0.0}
    before = data.chosen_row.copy()
    drawn = simulate_choices(MODEL, at, data, rng=1)
    np.testing.assert_array_equal(data.chosen_row, before)
    pd.testing.assert_frame_equal(
        drawn.frame.drop(columns="choice"), data.frame.drop(columns="choice")
    )
    inside = drawn.chosen_row >= 0
    assert 0 < inside.sum() < 50
    np.testing.assert_array_equal(np.flatnonzero(drawn.frame["choice"]), drawn.chosen_row[inside])


def test_wrong_parameters_are_refused():
    with pytest.raises(SpecificationError, match=r"unknown parameter 'sd\[z\]'"):
        simulate_choices(MODEL, {"mean[x]": 0.3, "sd[z]": 1.0, "fixed[y]": 0.0}, alike(5))
    with pytest.raises(SpecificationError, match=r"no value for parameters \['fixed\[y\]'\]"):
        simulate_choices(MODEL, {"mean[x]": 0.3, "sd[x]": 1.0}, alike(5))
