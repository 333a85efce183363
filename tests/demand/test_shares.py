"""Shares: oracles, closed forms, intervals, segments, and scenarios."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.kernels.shares import row_shares
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.point import Point
from tests.simulated import attributes, choice_data, simulated

AT = {"mean[x]": 1.0, "mean[y]": -0.5, "sd[x]": 1.0, "sd[y]": 0.7}
MODEL = bm.MixedLogit("x + y", random=[bm.Normal("x"), bm.LogNormal("y", sign=-1)])


def softmax(data, v):
    """Choice probabilities (R,) of utilities (R,), the outside option counted in."""
    total = np.bincount(data.row_situation, np.exp(v), data.n_situations)
    return np.exp(v) / (total + data.outside_option)[data.row_situation]


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("nodes", [3, 300])
def test_shares_of_rows_are_the_oracles(outside, nodes):
    data = simulated(MODEL, AT, 7, 3, outside_option=outside)
    problem = bind(bm.MixedLogit("x + y", random=[bm.LogNormal("x")]), data)
    theta = problem.parameters.theta({"mean[x]": 0.2, "sd[x]": 0.6, "fixed[y]": -0.4})
    grid = population_grid(bm.sobol(nodes), 1, 7, 1)
    points, weights = grid.block(0, 7)
    weights = weights * np.random.default_rng(1).uniform(0.5, 1.5, weights.shape)
    found = row_shares(
        problem.panel(), Point(problem, theta).base, Point(problem, theta).mixture(points, weights)
    )
    beta = Point(problem, theta).coefficients(points)[data.row_person, 0]
    expected = np.zeros(data.n_rows)
    for s in range(nodes):
        v = data.frame["x"] * beta[:, s] - 0.4 * data.frame["y"]
        expected += weights[data.row_person, s] * softmax(data, v.to_numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_multinomial_logit_in_closed_form():
    """Averages of softmax, weighted by person; with constants they are the observed shares."""
    frame = attributes(np.random.default_rng(3), 60, 2)
    frame["w"] = 1.0 + frame["who"] % 3
    frame["choice"] = (frame["alt"] == frame["task"] % 3).astype(int)
    data = choice_data(frame, weights="w")
    fit = bm.msle(bm.MixedLogit("x + C(alt)"), data)
    found = bm.shares(fit, data, draws=20, rng=1)
    problem = bind(fit.model, data)
    p = softmax(data, problem.design.fixed @ fit.theta)
    w = data.weights[data.row_person]
    expected = [(w * p)[data.alternative_code == j].sum() for j in range(3)] / (w.sum() / 3)
    np.testing.assert_allclose(found["estimate"], expected, atol=1e-12)
    chosen = data.alternative_code[data.chosen_row]
    observed = np.bincount(chosen, np.repeat(data.weights, 2)) / (2 * data.weights.sum())
    np.testing.assert_allclose(found["estimate"], observed, atol=1e-7)


@pytest.fixture(scope="module")
def fitted():
    data = simulated(MODEL, AT, 150, 6, seed=2, outside_option=True)
    return bm.msle(MODEL, data, grid=bm.centred(bm.sobol(32)), starts=1, rng=1), data


def test_shares_add_up_in_every_segment(fitted):
    fit, data = fitted
    frame = data.frame.assign(half=np.where(data.frame["who"] < 50, "low", "high"))
    cut = choice_data(
        frame.drop(columns="choice").assign(choice=_chosen(data)), outside_option=True
    )
    by = bm.shares(fit, cut, by="half", draws=10, rng=1)
    assert by["estimate"].dims == ("segment", "alternative")
    assert by["alternative"].to_numpy().tolist() == [0, 1, 2, "outside"]
    np.testing.assert_allclose(by["estimate"].sum("alternative"), 1.0, atol=1e-12)
    whole = bm.shares(fit, cut, draws=10, rng=1)["estimate"]
    parts = by["estimate"].sel(segment="low") / 3 + by["estimate"].sel(segment="high") * 2 / 3
    np.testing.assert_allclose(parts, whole, atol=1e-12)


def _chosen(data):
    flag = np.zeros(data.n_rows, dtype=int)
    flag[data.chosen_row[data.chosen_row >= 0]] = 1
    return flag


def test_intervals_are_those_of_the_delta_method(fitted):
    fit, data = fitted
    found = bm.shares(fit, data, draws=1000, rng=3)
    problem = bind(fit.model, data)

    def share(theta):
        grid = population_grid(bm.sobol(256), 2, data.n_persons, np.random.default_rng(3))
        mixture = Point(problem, theta).mixture(*grid.block(0, data.n_persons))
        rows = row_shares(problem.panel(), Point(problem, theta).base, mixture)
        return rows[data.alternative_code == 0].mean()

    step = 1e-5
    gradient = [
        (share(fit.theta + e) - share(fit.theta - e)) / (2 * step) for e in step * np.eye(4)
    ]
    se = np.sqrt(gradient @ fit.information.covariance("robust") @ gradient)
    one = found.sel(alternative=0)
    assert float(one["estimate"]) == pytest.approx(share(fit.theta), abs=1e-12)
    assert float(one["high"] - one["low"]) == pytest.approx(2 * 1.96 * se, rel=0.12)
    assert float(one["low"]) < float(one["estimate"]) < float(one["high"])


def test_removal_sends_everybody_elsewhere(fitted):
    """Brute force: utilities of minus infinity are as good as no product."""
    fit, data = fitted
    gone = bm.shares(fit, data, scenario=data.without(1), draws=10, rng=5)
    far = data.with_attribute("x", 0.0, alternative=1).with_attribute("y", 1e6, alternative=1)
    same = bm.shares(fit, data, scenario=far, draws=10, rng=5)
    assert gone["alternative"].to_numpy().tolist() == [0, 2, "outside"]
    np.testing.assert_allclose(
        gone["estimate"], same["estimate"].isel(alternative=[0, 2, 3]), atol=1e-12
    )
    now = bm.shares(fit, data, draws=10, rng=5)["estimate"]
    assert (gone["estimate"].to_numpy() > now.isel(alternative=[0, 2, 3]).to_numpy()).all()


def test_a_posterior_gives_its_own_intervals(fitted):
    _, data = fitted
    model = bm.MixedLogit("x + y")
    small = bm.msle(model, data)
    post = bm.sample(model, data, draws=300, tune=200, chains=2, rng=1, progress=False)
    one, other = (bm.shares(r, data, draws=300, rng=1) for r in (post, small))
    width = (other["high"] - other["low"]).mean()
    np.testing.assert_allclose(one["estimate"], other["estimate"], atol=0.2 * float(width))
    assert float((one["high"] - one["low"]).mean()) == pytest.approx(float(width), rel=0.3)


def test_entries_at_the_boundary_stay_there():
    still = AT | {"sd[x]": 0.0}
    data = simulated(MODEL, still, 60, 4, seed=1)
    fit = bm.msle(MODEL, data, grid=bm.gauss_hermite(7), starts=1, rng=1)
    found = bm.shares(fit, data, draws=20, rng=1)
    assert np.isfinite(found["low"]).all()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"by": "z"}, DataError, "no column 'z'"),
        ({"by": "x"}, DataError, "'x' varies within situations"),
        ({"draws": 0}, SpecificationError, "'draws' must be a whole number of at least 1, got 0"),
        ({"interval": 95}, SpecificationError, "above 0 and below 1, got 95"),
    ],
)
def test_arguments_are_checked(fitted, options, error, words):
    fit, data = fitted
    with pytest.raises(error, match=words):
        bm.shares(fit, data, **options)


def test_what_is_no_result_is_refused(fitted):
    with pytest.raises(SpecificationError, match="'result' must be a Fit or a DataTree"):
        bm.shares(pd.Series([1.0]), fitted[1])


def test_what_nobody_would_choose_is_0_and_its_limit_too():
    """Kernels' least probability is some 3e-308, which is no share."""
    frame = attributes(np.random.default_rng(3), 40, 2)
    frame["choice"] = (frame["alt"] == frame["task"] % 3).astype(int)
    data = choice_data(frame)
    fit = bm.msle(bm.MixedLogit("x + y"), data)
    far = choice_data(frame.assign(x=frame["x"] - 1e7 * np.sign(fit.params["fixed[x]"]) * (
        frame["alt"] == 2)))  # fmt: skip
    for rule in ("preference", "first-choice"):
        found = bm.shares(fit, far, rule=rule, draws=2, interval=0.01, rng=1)
        assert float(found["estimate"].sel(alternative=2)) == 0.0
        assert set(found["low"].sel(alternative=2).to_numpy().ravel()) <= {0.0}
    rows = bm.diversion(fit, far, draws=2, rng=1)["estimate"].to_numpy()
    assert rows[0, 2] == rows[1, 2] == 0.0
    assert fit.predict(far).query("alternative == 2")["probability"].eq(0.0).all()


def test_one_draw_makes_no_interval(fitted):
    fit, data = fitted
    found = bm.shares(fit, data, draws=1, rng=1)
    assert np.isfinite(found["estimate"]).all()
    assert np.isnan(found["low"]).all()
    assert np.isnan(found["high"]).all()
