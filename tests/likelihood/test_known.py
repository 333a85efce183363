"""Known utilities: offsets, and the correction for sampled alternatives (McFadden 1978)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.bayes.models import pymc_model
from bayesmix.data.fingerprint import fingerprint
from bayesmix.errors import DataError
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point
from tests.bayes.conftest import INTERPRETED
from tests.oracles import choice_frame, choices, differences, log_integral


def offset_data(*, outside=False, **options):
    rng = np.random.default_rng(1)
    frame = choice_frame(rng, 30, 4, outside=outside)
    frame["known"] = rng.normal(size=len(frame))
    frame["q"] = rng.uniform(0.05, 1.0, len(frame))
    frame["log_q"] = np.log(frame["q"])
    return choices(frame, outside_option=outside, **options)


@pytest.mark.parametrize("outside", [False, True])
def test_integrals_and_gradient_with_known_utilities(outside):
    data = offset_data(outside=outside, offset="known", sampling="q")
    problem = bind(bm.MixedLogit("price + time", random=bm.Normal("price")), data)
    grid = population_grid(bm.sobol(16), 1, 30, 3)
    likelihood, theta = Likelihood(problem, grid), np.array([-0.5, 0.8, 0.3])
    known = (data.frame["known"] - np.log(data.frame["q"])).to_numpy()
    base = known + 0.3 * data.frame["time"].to_numpy()
    mixture = Point(problem, theta).mixture(*grid.block(0, 30))
    expected = [log_integral(problem.panel(), i, base, mixture) for i in range(30)]
    logp, scores = likelihood.by_person(theta)
    np.testing.assert_allclose(logp, expected, rtol=1e-12)
    value, gradient = likelihood.value_and_gradient(theta)
    assert value == pytest.approx(np.sum(expected), rel=1e-12)
    np.testing.assert_allclose(gradient, scores.sum(axis=0), rtol=1e-10)
    slopes = differences(lambda at: likelihood.by_person(at)[0].sum(), theta)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6)


def test_an_offset_is_a_column_with_a_coefficient_of_1():
    """In every path: multinomial logit, moments, willingness to pay, posterior, predictions."""
    plain, known = offset_data(), offset_data(offset="known")
    fit = bm.msle(bm.MixedLogit("price + time"), known)
    parts = bind(bm.MixedLogit("price + time + known"), plain)
    grid = population_grid(bm.gauss_hermite(1), 0, 30)
    at = np.append(fit.theta, 1.0)
    value, gradient = Likelihood(parts, grid).value_and_gradient(at)
    assert fit.loglik == pytest.approx(value, rel=1e-12)
    assert np.abs(gradient[:2]).max() < 1e-4
    moments = bm.msm(bm.MixedLogit("price + time"), known)
    np.testing.assert_allclose(moments.params, fit.params, atol=1e-6)
    money = bm.msle(bm.MixedLogit("price + time", wtp="price"), known)
    assert money.loglik == pytest.approx(fit.loglik, abs=1e-8)

    whole = bm.msle(bm.MixedLogit("price + time + known"), plain)
    whole = replace(whole, theta=at)
    options = {"draws": 3, "rng": 1}
    np.testing.assert_allclose(
        bm.shares(fit, known, **options)["estimate"], bm.shares(whole, plain, **options)["estimate"]
    )
    for attribute in ("known", "price"):
        np.testing.assert_allclose(
            bm.elasticities(fit, known, attribute, **options)["estimate"],
            bm.elasticities(whole, plain, attribute, **options)["estimate"],
            atol=1e-12,
        )
    double = {"change": lambda rows: 2 * rows["known"], "attribute": "known"}
    np.testing.assert_allclose(
        bm.diversion(fit, known, "finite", **double, **options)["estimate"],
        bm.diversion(whole, plain, "finite", **double, **options)["estimate"],
    )
    density = pymc_model(bm.MixedLogit("price + time"), known)
    point, options = {"fixed": fit.theta}, {"jacobian": False, "mode": INTERPRETED}
    whole = density.compile_logp(**options)(point)
    priors = density.compile_logp(vars=density.free_RVs, **options)(point)
    assert float(whole - priors) == pytest.approx(fit.loglik, rel=1e-12)


def test_fingerprints_tell_offsets():
    prints = {fingerprint(offset_data(**o)) for o in ({}, {"offset": "known"}, {"sampling": "q"})}
    assert len(prints) == 3
    assert fingerprint(offset_data(sampling="q")) == fingerprint(offset_data(correction="log_q"))


# sampled alternatives

SITUATIONS, ALTERNATIVES = 1200, 300


@pytest.fixture(scope="module")
def whole():
    """Choices out of hundreds of alternatives, and the multinomial logit of all of them."""
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(2, SITUATIONS, ALTERNATIVES))
    utility = 1.0 * x - 0.8 * y + rng.gumbel(size=x.shape)
    frame = pd.DataFrame({"x": x.ravel(), "y": y.ravel()})
    frame["task"] = np.repeat(np.arange(SITUATIONS), ALTERNATIVES)
    frame["alt"] = np.tile(np.arange(ALTERNATIVES), SITUATIONS)
    frame["choice"] = 0
    frame.loc[np.arange(SITUATIONS) * ALTERNATIVES + utility.argmax(axis=1), "choice"] = 1
    fit = bm.msle(bm.MixedLogit("x + y"), as_data(frame))
    return frame, fit


def as_data(frame, **options):
    roles = {"person": None, "situation": "task", "alternative": "alt", "chosen": "choice"}
    return bm.ChoiceData.from_long(frame, **roles, **options)


def sampled(frame, q, seed=3):
    """Each alternative is drawn with its own probability; what was chosen is added."""
    drawn = np.random.default_rng(seed).random(len(frame)) < q
    return frame.assign(q=q, log_q=np.log(q))[drawn | (frame["choice"] == 1)]


def test_uniform_samples_recover_the_logit_of_all_alternatives(whole):
    """As drawing each with the same probability needs no correction, with it and without."""
    frame, full = whole
    few = sampled(frame, np.full(len(frame), 0.06))
    fits = [bm.msle(full.model, as_data(few, **o)) for o in ({}, {"sampling": "q"})]
    np.testing.assert_allclose(fits[0].params, fits[1].params, atol=1e-7)
    assert ((fits[0].params - full.params).abs() < 3 * fits[0].std_errors).all()


def test_importance_sampling_needs_the_correction(whole):
    frame, full = whole
    q = np.clip(0.06 * np.exp(0.7 * frame["x"].to_numpy() - 0.25), 0.0, 1.0)
    few = sampled(frame, q)
    for options in ({"sampling": "q"}, {"correction": "log_q"}):
        fit = bm.msle(full.model, as_data(few, **options))
        assert ((fit.params - full.params).abs() < 3 * fit.std_errors).all()
    biased = bm.msle(full.model, as_data(few))
    assert full.params["fixed[x]"] - biased.params["fixed[x]"] > 10 * biased.std_errors["fixed[x]"]


def test_predictions_are_of_whole_sets(whole):
    frame, full = whole
    first = frame[frame["task"] < 50]
    few = as_data(sampled(first, np.full(len(first), 0.06)), sampling="q")
    fit = bm.msle(full.model, few)
    for verb in (bm.shares, bm.elasticities, bm.diversion, bm.surplus):
        with pytest.raises(DataError, match=r"samples of alternatives \(column 'q'\), .*sampling="):
            verb(fit, few)
    with pytest.raises(DataError, match="which serve to estimate"):
        fit.predict()
    with pytest.raises(DataError, match="which serve to estimate"):
        bm.shares(fit, few, scenario=few.with_attribute("x", 0.0))
    table = bm.shares(fit, as_data(first), draws=2, rng=1)["estimate"]
    v = (fit.params["fixed[x]"] * first["x"] + fit.params["fixed[y]"] * first["y"]).to_numpy()
    p = np.exp(v.reshape(50, -1))
    np.testing.assert_allclose(table, (p / p.sum(axis=1, keepdims=True)).mean(axis=0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampling": "known"}, r"sampling column 'known' holds -\d.*in \(0, 1\]: .*correction="),
        ({"offset": "mode"}, "column 'mode' is both alternative and offset"),
        ({"offset": "group"}, "column 'group' is not numeric"),
        ({"offset": "knwon"}, "offset='knwon': frame has no such column; did you mean 'known'"),
        (
            {"sampling": "q", "correction": "log_q"},
            "give sampling=, .* or correction=, .*both",
        ),
    ],
)
def test_bad_columns_are_named(options, message):
    with pytest.raises(DataError, match=message):
        offset_data(**options)


def test_missing_offsets_are_refused_where_rows_are_offered():
    frame = choice_frame(np.random.default_rng(2)).assign(known=0.0, here=1)
    frame.loc[5, ["known", "here"]] = [np.nan, 0]
    frame.loc[5, "choice"] = 0
    frame.loc[3:4, "choice"] = [1, 0]
    assert choices(frame, offset="known", availability="here").rows_left_out == 1
    with pytest.raises(DataError, match="column 'known' is missing in 1 of"):
        choices(frame, offset="known")


def test_formulas_that_have_learnt_keep_what_they_know_on_whole_sets(whole):
    frame, _ = whole
    first = frame[frame["task"] < 50]
    few = as_data(sampled(first, np.full(len(first), 0.1)), sampling="q")
    fit = bm.msle(bm.MixedLogit("scale(x) + y"), few)
    plain = bm.msle(bm.MixedLogit("x + y"), few)
    tables = [bm.shares(f, as_data(first), draws=2, rng=1)["estimate"] for f in (fit, plain)]
    np.testing.assert_allclose(*tables, rtol=1e-6)
