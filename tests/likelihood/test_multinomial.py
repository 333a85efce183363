"""The multinomial logit: published results, weights, the outside option, refusals, starts."""

import json

import numpy as np
import pandas as pd
import pytest

from bayesmix import Correlated, LogNormal, Normal
from bayesmix.classical.msle import msle
from bayesmix.data.choices import ChoiceData
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.multinomial import (
    check_signs,
    multinomial,
    starting_values,
)
from bayesmix.likelihood.scaling import natural_units
from bayesmix.specification.model import MixedLogit
from tests.oracles import choice_frame, choices
from tests.simulated import attributes, choice_data

MODEL = MixedLogit("price + time + C(mode)")


@pytest.fixture
def reference(shared_file):
    """`reference("fishing", "xlogit_mnl")`: the record of a published result."""

    def read(name, key):
        records = json.loads(shared_file(name, "refs.json").read_text())
        return next(record for record in records if record["id"] == key)

    return read


def frame(seed=1, **options):
    return choice_frame(np.random.default_rng(seed), persons=60, **options)


def test_swissmetro_as_published(shared_data, reference):
    record = reference("swissmetro", "biogeme_b01a_logit")
    long = shared_data("swissmetro")
    long["alt"] = pd.Categorical(long["alt"], ["SM", "TRAIN", "CAR"])
    data = ChoiceData.from_long(
        long.assign(case=long["id"] * 100 + long["obs"]),
        person=None,
        situation="case",
        alternative="alt",
        chosen="choice",
        availability="avail",
    )
    fit = msle(MixedLogit("C(alt) + tt + cost"), data)
    printed = {"alt[TRAIN]": "asc_train", "alt[CAR]": "asc_car", "tt": "b_time", "cost": "b_cost"}
    assert fit.loglik == pytest.approx(-5331.252006916163, abs=1e-9)
    hessian = np.sqrt(np.diag(fit.covariance("hessian")))
    for m, name in enumerate(fit.space.fixed):
        key = printed[name]
        assert fit.params[f"fixed[{name}]"] == pytest.approx(record["coef"][key], abs=1e-5)
        assert hessian[m] == pytest.approx(record["se"][key], rel=1e-4)
        assert fit.std_errors.iloc[m] == pytest.approx(record["se_robust"][key], rel=1e-4)


def test_fishing_as_published(shared_data, reference):
    record = reference("fishing", "xlogit_mnl")
    data = ChoiceData.from_long(
        shared_data("fishing"), person=None, situation="id", alternative="alt", chosen="choice"
    )
    fit = msle(MixedLogit("C(alt) + C(alt):income + price + catch"), data)
    assert fit.loglik == pytest.approx(-1215.137604, abs=2e-6)
    printed = {"price": "price", "catch": "catch", "alt[boat]": "_intercept.boat"}
    for name, key in printed.items():
        # The printed estimates are not converged beyond a thousandth of a standard error.
        error = 1e-3 * record["se"][key]
        assert fit.params[f"fixed[{name}]"] == pytest.approx(record["coef"][key], abs=error)


def test_a_weight_is_so_many_persons_alike():
    once = frame()
    twice = pd.concat([once, once.assign(who=once["who"] + 1000)])
    weighted = multinomial(bind(MODEL, choices(once.assign(weight=2.0), weights="weight")))
    repeated = multinomial(bind(MODEL, choices(twice)))
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-9)
    np.testing.assert_allclose(weighted.std_errors, repeated.std_errors, rtol=1e-9)
    assert weighted.loglik == pytest.approx(repeated.loglik, rel=1e-12)


def test_weights_of_zero_influence_leave_the_others():
    once = frame()
    light = once["who"] % 2 == 0
    weighted = choices(once.assign(weight=np.where(light, 1e-12, 1.0)), weights="weight")
    left = multinomial(bind(MODEL, choices(once[~light])))
    np.testing.assert_allclose(
        multinomial(bind(MODEL, weighted)).coefficients, left.coefficients, atol=1e-8
    )


def test_the_outside_option_is_an_alternative_with_attributes_of_zero():
    inside = frame(outside=True)
    situations = inside.groupby(["who", "task"], as_index=False)["choice"].sum()
    none = situations.assign(mode="none", price=0.0, time=0.0, choice=1 - situations["choice"])
    explicit = pd.concat([inside, none])
    explicit["mode"] = pd.Categorical(explicit["mode"], ["none", "bus", "car", "train"])
    outside = multinomial(bind(MODEL, choices(inside, outside_option=True)))
    written_out = multinomial(bind(MODEL, choices(explicit)))
    assert outside.loglik == pytest.approx(written_out.loglik, rel=1e-12)
    names = [
        bind(MODEL, choices(f, outside_option=o)).design.fixed_names
        for f, o in ((inside, True), (explicit, False))
    ]
    order = [names[1].index(n) for n in names[0]]
    np.testing.assert_allclose(outside.coefficients, written_out.coefficients[order], rtol=1e-8)


@pytest.mark.parametrize("columns", ["x", "x + y"])
@pytest.mark.parametrize("share", [1.0, 0.1], ids=["all", "some"])
def test_a_perfect_predictor_is_named(columns, share):
    rng = np.random.default_rng(3)
    long = attributes(rng, 200, 2)
    utility = pd.Series(rng.gumbel(size=len(long))) + 0.5 * long["y"]
    long["choice"] = (utility == utility.groupby(long["task"]).transform("max")).astype(int)
    long["x"] = np.where(long["who"] < 200 * share, long["choice"], 0.0)
    with pytest.raises(ConvergenceError, match=r"no maximum.* most of all x\. .*separation"):
        multinomial(bind(MixedLogit(columns), choice_data(long)))


def test_a_rare_alternative_is_no_separation():
    long = attributes(np.random.default_rng(4), 20_000, 1, ("x",), alternatives=2)
    long.loc[:1, "choice"] = [0, 1]
    found = multinomial(bind(MixedLogit("C(alt) + x"), choice_data(long)))
    assert found.coefficients[0] == pytest.approx(-np.log(19_999), abs=1.5)


def test_a_sign_beyond_doubt_is_refused_and_a_doubtful_one_is_not():
    data = choices(frame())
    for law, sign in ((LogNormal("price", sign=1), -1), (LogNormal("time", sign=1), -1)):
        problem = bind(MixedLogit("price + time", random=law), data)
        ratio = multinomial(problem).coefficients[0] / multinomial(problem).std_errors[0]
        assert np.sign(ratio) == sign
        if abs(ratio) > 3:
            with pytest.raises(
                SpecificationError, match=rf"other sign.*: use sign={sign}, or Norm"
            ):
                msle(problem.model, data)
        else:
            check_signs(problem, multinomial(problem))
    problem = bind(MixedLogit("price + time", random=LogNormal("price", sign=-1)), data)
    check_signs(problem, multinomial(problem))


def test_starting_values_are_the_logits_with_moderate_heterogeneity():
    laws = [Correlated(Normal("time"), LogNormal("price", sign=-1)), Normal("mode[car]")]
    problem = bind(MixedLogit("price + time + C(mode)", random=laws), choices(frame()))
    logit = multinomial(problem)
    mean, chol, fixed, *_ = problem.parameters.unpack(starting_values(problem, logit))
    spread = problem.design.spread
    assert mean[0] == logit.coefficients[0]
    assert -np.exp(mean[1]) == pytest.approx(logit.coefficients[1])
    np.testing.assert_array_equal(fixed, logit.coefficients[3:])
    np.testing.assert_allclose(chol, np.diag([0.5 / spread[0], 0.5, 0.5 / spread[2]]))


def test_units_rescale_with_the_columns():
    once = frame()
    small = once.assign(time=once["time"] / 1000)
    laws = [Normal("time"), LogNormal("price", sign=-1)]
    model = MixedLogit("price + time + C(mode)", random=laws)
    before, after = (natural_units(bind(model, choices(f))) for f in (once, small))
    np.testing.assert_allclose(after / before, [1000, 1, 1000, 1, 1, 1])
    assert before[1] == before[3] == 1.0


@pytest.mark.parametrize("law", [Normal, LogNormal])
def test_a_mean_by_groups_starts_as_one_mean(law):
    rng = np.random.default_rng(4)
    long = attributes(rng, 80, 4)
    group = rng.integers(0, 3, 80).astype(float)
    long["group"] = group[long["who"]]
    long["one"] = 1.0 * (long["group"] == 1)
    utility = 1.2 * long["x"] + rng.gumbel(size=len(long))
    long["choice"] = (utility == utility.groupby(long["task"]).transform("max")).astype(int)
    data = choice_data(long)
    found, starts = [], []
    for mean in ("1", "0 + C(group)", "0 + one"):
        problem = bind(MixedLogit("x + y", random=law("x", mean=mean)), data)
        found.append(multinomial(problem))
        space, theta = problem.parameters, starting_values(problem, found[-1])
        own = space.unpack(theta)[0][0]
        starts.append(own + problem.z @ space.unpack(theta).shift)
    assert found[1].loglik == pytest.approx(found[0].loglik, rel=1e-12)
    np.testing.assert_allclose(starts[1], starts[0][0])
    # A group alone makes no mean of everybody's: the normal one is 0, a lognormal one is not.
    even = law is Normal
    assert (found[2].coefficients[0] == 0.0) == even
    assert (found[2].loglik < found[0].loglik - 10.0) == even
    np.testing.assert_array_equal(starts[2], 0.0)
