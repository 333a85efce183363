"""Sources of data with scales of their own: oracle, gradient, recovery, every path, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.bayes.by_classes import pymc_model_of
from bayesmix.errors import DataError
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point
from tests.bayes.conftest import INTERPRETED
from tests.oracles import differences, log_integral
from tests.simulated import attributes, choice_data

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"), scale="source")
TRUTH = {"mean[x]": 1.0, "sd[x]": 0.8, "fixed[y]": -0.7, "scale[SP]": 0.5}


def two_sources(persons=40, situations=4, **options):
    frame = attributes(np.random.default_rng(1), persons, situations)
    frame["source"] = np.where(frame["task"] % 2 == 0, "RP", "SP")
    frame["known"] = np.random.default_rng(2).normal(size=len(frame))
    return choice_data(frame, **options)


@pytest.mark.parametrize(
    "options", [{}, {"offset": "known"}, {"outside_option": True, "offset": "known"}]
)
@pytest.mark.parametrize("model", [MODEL, bm.MixedLogit("x + y", scale="source")])
def test_integrals_and_gradient(options, model):
    data = two_sources(**options)
    problem = bind(model, data)
    size = problem.parameters.n_random
    grid = population_grid(bm.sobol(200) if size else bm.gauss_hermite(1), size, 40, 3)
    likelihood = Likelihood(problem, grid)
    theta = np.array([1.0, 0.8, -0.7, np.log(0.5)] if size else [1.0, -0.7, np.log(0.5)])
    scale = np.where(data.frame["source"] == "SP", 0.5, 1.0)
    x, y = data.frame[["x", "y"]].to_numpy().T
    known = data.frame["known"].to_numpy() if "offset" in options else 0.0
    rest = -0.7 * y if size else x - 0.7 * y
    panel = problem.panel()._replace(x=(problem.x * scale[:, None]))
    mixture = Point(problem, theta).mixture(*grid.block(0, 40))
    expected = [log_integral(panel, i, scale * rest + known, mixture) for i in range(40)]
    logp, scores = likelihood.by_person(theta)
    np.testing.assert_allclose(logp, expected, atol=1e-10)
    value, gradient = likelihood.value_and_gradient(theta)
    assert value == pytest.approx(np.sum(expected), abs=1e-10)
    np.testing.assert_allclose(gradient, scores.sum(axis=0), rtol=1e-9, atol=1e-9)
    slopes = differences(lambda at: likelihood.by_person(at)[0].sum(), theta)
    np.testing.assert_allclose(gradient, slopes.ravel(), rtol=1e-6, atol=1e-6)


def test_a_scale_of_1_is_the_pooled_model():
    data = two_sources()
    plain = bm.MixedLogit("x + y", random=bm.Normal("x"))
    grid, theta = population_grid(bm.sobol(32), 1, 40, 3), np.array([1.0, 0.8, -0.7])
    one = Likelihood(bind(MODEL, data), grid).by_person(np.append(theta, 0.0))[0]
    np.testing.assert_allclose(one, Likelihood(bind(plain, data), grid).by_person(theta)[0])


@pytest.fixture(scope="module")
def drawn():
    return bm.simulate_choices(MODEL, TRUTH, two_sources(500, 6), rng=2)


@pytest.fixture(scope="module")
def fit(drawn):
    return bm.msle(MODEL, drawn, grid=bm.centred(bm.sobol(64)), starts=1, rng=1)


def test_recovery_and_demand(fit, drawn, tmp_path):
    truth = pd.Series(TRUTH)[fit.params.index]
    assert ((fit.params - truth).abs() < 3 * fit.std_errors).all()
    assert fit.params["scale[SP]"] > 0
    found = bm.shares(fit, drawn, by="source", draws=3, rng=1)["estimate"]
    np.testing.assert_allclose(found.sum("alternative"), 1.0)
    fit.save(tmp_path / "fit.json")
    same = bm.Fit.load(tmp_path / "fit.json", drawn)
    pd.testing.assert_series_equal(same.params, fit.params)


def test_the_ratio_of_separate_fits():
    data = bm.simulate_choices(
        bm.MixedLogit("x + y", scale="source"),
        {"fixed[x]": 1.0, "fixed[y]": -0.7, "scale[SP]": 0.5},
        two_sources(500, 4),
        rng=3,
    )
    fit = bm.msle(bm.MixedLogit("x + y", scale="source"), data)
    parts = [
        bm.msle(bm.MixedLogit("x + y"), choice_data(rows))
        for _, rows in data.frame.groupby("source")
    ]
    ratio = parts[1].params / parts[0].params
    assert ((ratio - fit.params["scale[SP]"]).abs() < 3 * 0.08).all()
    assert abs(fit.params["scale[SP]"] - 0.5) < 3 * fit.std_errors["scale[SP]"]


def test_posterior_is_prior_times_likelihood(drawn, fit):
    problem = bind(MODEL, drawn)
    model = pymc_model_of(problem, fit.grid)
    point = {
        "mean": fit.theta[:1],
        "sd_log__": np.log(fit.theta[1:2]),
        "fixed": fit.theta[2:3],
        "scale_log__": fit.theta[3:],
    }
    options = {"jacobian": False, "mode": INTERPRETED}
    whole = model.compile_logp(**options)(point)
    priors = model.compile_logp(vars=model.free_RVs, **options)(point)
    assert float(whole - priors) == pytest.approx(fit.loglik, abs=1e-8)


def test_what_is_not_identified():
    data = two_sources()
    frame = data.frame
    with pytest.raises(DataError, match="holds one source alone, 'RP'"):
        bind(MODEL, choice_data(frame.assign(source="RP")))
    rp = (frame["source"] == "RP").to_numpy()
    apart = frame.assign(x=frame["x"] * rp, y=frame["y"] * ~rp)
    with pytest.raises(DataError, match="source 'SP' has no coefficient in common with 'RP'"):
        bind(MODEL, choice_data(apart))
    every = f"varies within {data.n_situations} of {data.n_situations} situations"
    first = r"\(situation 0 of person 0 in row 1; .*; and \d+ more\): .*name the column"
    with pytest.raises(DataError, match=f"{every} {first}"):
        bind(MODEL, choice_data(frame.assign(source=frame["alt"])))
    other = frame["source"].where(frame.index != 4, "new")
    with pytest.raises(
        DataError, match=r" 1 of \d+ situations \(situation 1 of person 0 in row 4\)"
    ):
        bind(MODEL, choice_data(frame.assign(source=other)))


def test_the_null_of_a_scale_is_1():
    """The ratio test and the table's z compare with the first source, whose scale is 1."""
    data = bm.simulate_choices(MODEL, TRUTH, two_sources(200), rng=5)
    full = bm.msle(MODEL, data, grid=bm.gauss_hermite(9), starts=1)
    pooled = bm.msle(bm.MixedLogit("x + y", scale=None), data)
    test = bm.lr_test(pooled, full)
    assert "scale[SP] = 1" in test.null
    row = full.summary().loc["scale[SP]"]
    z = np.log(row["estimate"]) / (row["std error"] / row["estimate"])
    assert row["z"] == pytest.approx(z)
    assert row["note"] == "z against 1"
    # The interval of a level ends at 1 where z says so.
    level = 2 * norm.cdf(abs(z)) - 1
    ends = full.summary(level=level).loc["scale[SP]"].iloc[3:5]
    assert min(abs(ends - 1)) < 1e-9
    assert test.statistic == pytest.approx(2 * (full.loglik - pooled.loglik))
