"""Error components next to all constants: a nest of alternatives that people like or dislike."""

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial
from tests.simulated import attributes, choice_data

NEST = bm.MixedLogit("x + C(alt) + nest", random=bm.Normal("nest", mean="0"))
LOGIT = bm.MixedLogit("x + C(alt)")
AT = {"sd[nest]": 1.5, "fixed[x]": 0.8, "fixed[alt[1]]": 0.3, "fixed[alt[2]]": -0.4}
NODES = bm.gauss_hermite(15)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    frame = attributes(rng, 400, 6, ("x",))
    frame["nest"] = (frame["alt"] != 0).astype(float)
    frame["rest"] = 1.0 - frame["nest"]
    return bm.simulate_choices(NEST, AT, choice_data(frame), rng)


@pytest.fixture(scope="module")
def fit(data):
    return bm.msle(NEST, data, grid=NODES, starts=1)


def within(fit):
    return ((fit.params - pd.Series(AT)) / fit.std_errors).abs().max()


def test_the_truth_is_recovered(fit):
    assert list(fit.params.index) == list(AT)
    assert within(fit) < 3
    assert "sd[nest]" in repr(fit)


def test_moments_recover_it_too(data):
    assert within(bm.msm(NEST, data, rng=1)) < 3


def test_the_multinomial_logit_has_no_column_of_the_component(fit, data):
    logit = bm.msle(LOGIT, data)
    assert fit.loglik_multinomial == pytest.approx(logit.loglik, abs=1e-9)
    found = multinomial(bind(NEST, data))
    np.testing.assert_allclose(found.coefficients, [0.0, *logit.params], atol=1e-9)
    assert np.isnan(found.std_errors).tolist() == [True, False, False, False]
    assert fit.loglik > logit.loglik + 50


def test_a_component_without_a_standard_deviation_is_the_multinomial_logit(fit, data):
    logit = bm.msle(LOGIT, data)
    theta = fit.space.theta({"sd[nest]": 0.0, **logit.params})
    grid = bm.population_grid(NODES, 1, data.n_persons)
    value, _ = Likelihood(bind(NEST, data), grid).value_and_gradient(theta)
    assert value == pytest.approx(logit.loglik, abs=1e-9)


def test_a_nest_is_its_complement(fit, data):
    """What some alternatives gain is what the others lose, and the law is symmetric."""
    other = bm.MixedLogit("x + C(alt) + rest", random=bm.Normal("rest", mean="0"))
    rest = bm.msle(other, data, grid=NODES, starts=1)
    assert rest.loglik == pytest.approx(fit.loglik, abs=1e-6)
    np.testing.assert_allclose(rest.params, fit.params, atol=1e-4)


def test_a_component_alone(data):
    alone = bm.MixedLogit("nest", random=bm.Normal("nest", mean="0"))
    found = bm.msle(alone, data, grid=NODES, starts=1)
    assert found.loglik_multinomial == pytest.approx(-data.n_situations * np.log(3))
    assert found.params["sd[nest]"] > 1


def test_in_a_latent_class(data):
    classes = bm.LatentClass("x", bm.Normal("nest", mean="0"), share="0")
    model = bm.MixedLogit("x + C(alt) + nest", random=classes)
    found = multinomial(bind(model, data))
    assert found.loglik == pytest.approx(bm.msle(LOGIT, data).loglik)
    assert bm.check(model, data).ok


def test_a_check_says_what_is_not_identified(data):
    rows = data.frame.assign(one=data.frame["task"].astype(str))
    for a in range(3):
        rows[f"a{a}"] = (rows["alt"] == a).astype(float)
    model = bm.MixedLogit("x + C(alt) + a0 + a1 + a2", random=bm.Normal("a0", "a1", "a2", mean="0"))
    once = bm.check(model, choice_data(rows, person=None, situation="one"))
    (error,) = (f for f in once.findings if f.severity == "error")
    assert error.what.startswith("error components: only 2 of the 3 variances sd[a0], sd[a1], sd[a")
    assert bm.check(model, choice_data(rows)).ok  # repeated choices tell all three


def test_demand(fit, data):
    shares = bm.shares(fit, data, draws=20, nodes=64, rng=1)
    observed = np.bincount(data.alternative_code[data.chosen_row]) / data.n_situations
    # The outcome of 2,400 choices has a standard error of 0.01.
    np.testing.assert_allclose(shares["estimate"], observed, atol=0.02)
