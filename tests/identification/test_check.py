"""`bayesmix.check`: the fit's own words, without raising; curvature at the starting values."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayesmix as bm
from bayesmix.errors import ConvergenceError, DataError, SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial
from tests.simulated import attributes, choice_data, simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))
AT = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": -0.5}
REFUSALS = (DataError, SpecificationError, ConvergenceError)


@pytest.fixture(scope="module")
def data():
    return simulated(MODEL, AT, 200, 5)


def with_columns(data, **columns):
    return choice_data(data.frame.assign(**columns))


def test_a_good_model_has_no_findings(data):
    found = bm.check(MODEL, data)
    assert found.ok
    assert found.findings == ()
    assert 1 < found.condition < 100
    assert set(found.weakest) <= {"mean[x]", "sd[x]", "fixed[y]"}


@pytest.mark.parametrize(
    "model",
    [
        bm.MixedLogit("x + y + flat", random=bm.Normal("x")),
        bm.MixedLogit("x + y + sum", random=bm.Normal("x")),
        bm.MixedLogit("x + oracle"),
        bm.MixedLogit("x + y", random=bm.LogNormal("y")),
        bm.MixedLogit("x + absent"),
        bm.MixedLogit("x + y", random=bm.Normal("absent")),
        bm.MixedLogit("x + np.log(x)"),
        bm.MixedLogit("x + y", random=bm.LogNormal("y", sign=-1), wtp="absent"),
    ],
    ids=["flat", "collinear", "separation", "sign", "column", "term", "infinite", "price"],
)
def test_what_a_fit_refuses_is_a_finding_in_the_same_words(data, model):
    frame = data.frame
    extended = with_columns(
        data, flat=frame["who"], sum=frame["x"] + frame["y"], oracle=frame["choice"]
    )
    with pytest.raises(REFUSALS) as caught:
        bm.msle(model, extended, grid=bm.gauss_hermite(3), starts=1)
    found = bm.check(model, extended)
    errors = [f for f in found.findings if f.severity == "error"]
    assert [f.text for f in errors] == [str(caught.value)]
    assert not found.ok
    assert np.isnan(found.condition)


def test_all_errors_of_columns_are_found_at_once(data):
    frame = data.frame
    extended = with_columns(data, flat=frame["who"], twice=2 * frame["x"], thrice=3 * frame["y"])
    found = bm.check(bm.MixedLogit("x + y + flat + twice + thrice"), extended)
    wheres = [f.where for f in found.findings if f.severity == "error"]
    assert wheres == ["flat", "x, twice", "y, thrice"]


def test_an_unknown_random_term_does_not_hide_a_flat_column(data):
    extended = with_columns(data, flat=data.frame["who"])
    found = bm.check(bm.MixedLogit("x + flat", random=bm.Normal("absent")), extended)
    whats = [f.what for f in found.findings if f.severity == "error"]
    assert len(whats) == 2
    assert "random term 'absent'" in whats[0]


def test_a_hardly_identified_direction_is_named(data):
    noise = np.random.default_rng(3).normal(size=data.n_rows)
    near = with_columns(data, z=data.frame["x"] + 0.005 * noise)
    found = bm.check(bm.MixedLogit("x + y + z", random=bm.Normal("x")), near)
    (finding,) = found.findings
    assert (finding.severity, finding.where) == ("warning", "mean[x], fixed[z]")
    assert found.weakest == ("mean[x]", "fixed[z]")
    assert found.condition > 1e4
    assert found.ok


def test_the_condition_number_of_a_multinomial_logit(data):
    problem = bind(bm.MixedLogit("x + y"), data)
    theta = multinomial(problem).coefficients
    grid = bm.population_grid(bm.gauss_hermite(1), 0, problem.n_persons)
    _, scores = Likelihood(problem, grid).by_person(theta)
    corr = scores.T @ scores
    r = abs(corr[0, 1]) / np.sqrt(corr[0, 0] * corr[1, 1])
    assert bm.check(bm.MixedLogit("x + y"), data).condition == pytest.approx((1 + r) / (1 - r))


def test_a_weight_is_so_many_persons_alike(data):
    frame = data.frame.assign(w=1.0 + data.frame["who"] % 2)
    heavy = frame[frame["w"] == 2]
    copies = pd.concat([frame, heavy.assign(who=heavy["who"] + 1000)])
    model = bm.MixedLogit("x + y")
    weighted = bm.check(model, choice_data(frame, weights="w"))
    assert weighted.condition == pytest.approx(bm.check(model, choice_data(copies)).condition)


def test_units_do_not_matter(data):
    once = bm.check(MODEL, data)
    other = bm.check(MODEL, with_columns(data, x=1e6 * data.frame["x"]))
    assert other.condition == pytest.approx(once.condition, rel=1e-6)
    assert [f.severity for f in other.findings] == ["note"]  # scales


def test_an_error_component_of_a_binary_choice():
    binary = choice_data(attributes(np.random.default_rng(1), 300, 1, alternatives=2))
    data = bm.simulate_choices(
        bm.MixedLogit("x + C(alt)"), {"fixed[x]": 1.0, "fixed[alt[1]]": 0.2}, binary, 1
    )
    found = bm.check(bm.MixedLogit("x + C(alt)", random=bm.Normal("alt[1]")), data)
    assert [f.where for f in found.findings if f.severity == "error"] == ["sd[alt[1]]"]
    assert np.isfinite(found.condition)


def test_what_is_held_is_nothing_to_identify(data):
    noise = np.random.default_rng(3).normal(size=data.n_rows)
    near = with_columns(data, z=data.frame["x"] + 0.005 * noise)
    model = bm.MixedLogit("x + y + z", random=bm.Normal("x"))
    held = replace(model, constraints=bm.Constraints({"fixed[z]": 0.1}))
    assert bm.check(held, near).findings == ()
    assert bm.check(held, near).condition < 100
    # A held coefficient leaves the others' curvature.
    own = replace(MODEL, constraints=bm.Constraints({"sd[x]": 0.0}))
    logit = bm.check(bm.MixedLogit("x + y"), data)
    assert bm.check(own, data).condition == pytest.approx(logit.condition, rel=0.05)
    few = simulated(MODEL, AT, 3, 30)
    held_all = replace(MODEL, constraints=bm.Constraints({"mean[x]": 0, "sd[x]": 0}))
    assert not any("parameters but only" in f.what for f in bm.check(held_all, few).findings)


def test_a_held_standard_deviation_is_no_error_component():
    binary = choice_data(attributes(np.random.default_rng(1), 300, 1, alternatives=2))
    model = bm.MixedLogit(
        "x + C(alt)",
        random=bm.Normal("alt[1]"),
        constraints=bm.Constraints({"sd[alt[1]]": 1.0}),
    )
    at = {"fixed[x]": 1.0, "mean[alt[1]]": 0.2, "sd[alt[1]]": 1.0}
    found = bm.check(model, bm.simulate_choices(model, at, binary, 1))
    assert found.ok
    assert [f.what for f in found.findings if "choices" in f.what and "rank" in f.what] == []


def test_no_more_persons_than_parameters_have_no_curvature():
    few = simulated(MODEL, AT, 3, 30)
    found = bm.check(MODEL, few)
    assert np.isnan(found.condition)
    assert "3 parameters but only 3 persons" in found.findings[0].what


def test_willingness_to_pay_space_and_the_outside_option(data):
    model = bm.MixedLogit("x + y", random=[bm.Normal("x"), bm.LogNormal("y", sign=-1)], wtp="y")
    assert np.isfinite(bm.check(model, data).condition)
    outside = simulated(MODEL, AT, 200, 5, outside_option=True)
    (finding,) = bm.check(MODEL, outside).findings
    assert "no alternative has a constant against the outside option" in finding.what


def test_a_scenario_has_no_choices(data):
    found = bm.check(MODEL, data.without(2))
    assert [f.severity for f in found.findings] == ["error"]
    assert "is a scenario" in found.findings[0].what


def test_what_is_no_model_or_no_data_is_refused(data):
    with pytest.raises(SpecificationError, match="the model comes first"):
        bm.check(data, MODEL)
    with pytest.raises(DataError, match="must be ChoiceData"):
        bm.check(MODEL, data.frame)
