"""The likelihood of a problem on a grid: sums, gradients, weights, streaming, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from bayesmix import Correlated, LKJNormal, LogNormal, Normal
from bayesmix.centring.grids import centre
from bayesmix.data.examples import electricity
from bayesmix.errors import IntegrationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, sobol, sparse
from bayesmix.kernels.mixture import Mixture
from bayesmix.likelihood import persons as persons_module
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.persons import block_size, chunk_size, ranges
from bayesmix.specification.model import MixedLogit
from tests.oracles import choice_frame, choices, differences, log_integral

LAWS = {
    "none": [],
    "independent": [Normal("time", "mode[car]")],
    "lognormal": LogNormal("price", sign=-1),
    "correlated": [Correlated(Normal("time"), LogNormal("price", sign=-1)), Normal("mode[car]")],
}
every_law = pytest.mark.parametrize("laws", LAWS.values(), ids=list(LAWS))
# A sum of 30 terms of order 10, rounded.
ROUNDING = 1e-11


def likelihood(laws=LAWS["correlated"], *, outside=False, weights=None, rule=None, frame=None):
    frame = choice_frame(np.random.default_rng(1), outside=outside) if frame is None else frame
    problem = bind(
        MixedLogit("price + time + C(mode)", random=laws),
        choices(frame, outside_option=outside, weights=weights),
    )
    grid = population_grid(rule or sobol(50), problem.parameters.n_random, problem.n_persons, rng=2)
    return Likelihood(problem, grid)


def somewhere(function, seed=3):
    return np.random.default_rng(seed).normal(scale=0.5, size=function.problem.parameters.size)


@pytest.mark.parametrize("outside", [False, True])
@every_law
def test_log_integrals_are_the_oracles(laws, outside):
    function = likelihood(laws, outside=outside)
    theta, problem = somewhere(function), function.problem
    mean, chol, fixed, *_ = problem.parameters.unpack(theta)
    nodes = function.grid.block(0, problem.n_persons)
    mixture = Mixture(mean[None], chol, problem.laws, *nodes, known=problem.known)
    base = problem.design.fixed @ fixed
    expected = [log_integral(problem.panel(), i, base, mixture) for i in range(problem.n_persons)]
    np.testing.assert_allclose(function.by_person(theta)[0], expected, rtol=ROUNDING)


@every_law
def test_scores_are_the_differences_of_each_persons_log_integral(laws):
    function = likelihood(laws)
    theta = somewhere(function)
    expected = differences(lambda a: function.by_person(a)[0], theta).T
    np.testing.assert_allclose(function.by_person(theta)[1], expected, atol=1e-8)


@pytest.mark.parametrize("weights", [None, "weight"])
@every_law
def test_value_and_gradient_are_the_weighted_sums(laws, weights):
    function = likelihood(laws, weights=weights)
    theta, w = somewhere(function), function.problem.data.weights
    assert (w == 1).all() == (weights is None)
    logp, scores = function.by_person(theta)
    value, gradient = function.value_and_gradient(theta)
    np.testing.assert_allclose(value, w @ logp, rtol=ROUNDING)
    np.testing.assert_allclose(gradient, w @ scores, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("persons", [1, 7])
def test_streaming_gives_the_same_numbers(monkeypatch, persons):
    whole = likelihood(weights="weight")
    theta = somewhere(whole)
    people, total = whole.by_person(theta), whole.value_and_gradient(theta)
    monkeypatch.setattr(persons_module, "BLOCK_BYTES", persons * 8 * 50 * 4 + 1)
    streamed = likelihood(weights="weight")
    assert block_size(streamed.problem, streamed.grid) == persons
    for _ in range(2):  # made, and kept
        for a, b in zip(streamed.by_person(theta), people, strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(streamed.value_and_gradient(theta), total, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_chunk_too_small_for_one_person_holds_one(monkeypatch):
    monkeypatch.setattr(persons_module, "CHUNK_BYTES", 1)
    monkeypatch.setattr(persons_module, "BLOCK_BYTES", 1)
    function = likelihood()
    for size in (block_size, chunk_size):
        step = size(function.problem, function.grid)
        assert ranges(3, 6, step) == [(3, 4), (4, 5), (5, 6)]


def test_nodes_are_kept_where_they_are_few(monkeypatch):
    few = likelihood()
    theta, made = somewhere(few), []
    expected, block = few.by_person(theta), type(few.grid).block
    monkeypatch.setattr(
        type(few.grid), "block", lambda *a, **k: made.append(a[1:]) or block(*a, **k)
    )
    few.by_person(theta)
    assert made == []
    once = replace(few, keep=False)
    monkeypatch.setattr(persons_module, "STORED_BYTES", 1)
    monkeypatch.setattr(persons_module, "STORED_PERSON", 1)
    for function in (once, likelihood()):
        for number in (1, 2):
            found = function.by_person(theta)
            assert made == [(0, 30)] * number
            np.testing.assert_array_equal(found[1], expected[1])
        made.clear()


@pytest.mark.parametrize("order", ["shuffled", "reversed"])
def test_the_order_of_the_users_rows_has_no_meaning(order):
    frame = choice_frame(np.random.default_rng(1))
    before = likelihood(rule=gauss_hermite(4), frame=frame)
    turned = frame.sample(frac=1.0, random_state=4) if order == "shuffled" else frame[::-1]
    after = likelihood(rule=gauss_hermite(4), frame=turned)
    theta = somewhere(before)
    value, gradient = before.value_and_gradient(theta)
    again, gradient_again = after.value_and_gradient(theta)
    assert again == pytest.approx(value, abs=1e-10)
    np.testing.assert_allclose(gradient_again, gradient, atol=1e-10)


def test_standard_deviations_of_zero_give_the_multinomial_logit():
    frame = choice_frame(np.random.default_rng(1))
    mixed = likelihood(LAWS["independent"], frame=frame)
    plain = likelihood([], frame=frame)
    space = mixed.problem.parameters
    mean, fixed = np.array([-0.4, 0.3]), np.array([-1.0, 0.2])
    # The columns: price, mode[train] are fixed; then price, time, mode[car], mode[train].
    value, _ = mixed.value_and_gradient(space.pack(mean, np.zeros((2, 2)), fixed))
    names = [*space.random, *space.fixed]
    order = [names.index(name) for name in plain.problem.parameters.fixed]
    logit, _ = plain.value_and_gradient(np.concatenate([mean, fixed])[order])
    assert value == pytest.approx(logit, abs=1e-10)


def test_a_theta_that_is_not_a_number_gives_no_number():
    function = likelihood()
    theta = somewhere(function)
    for k in range(len(theta)):
        moved = theta.copy()
        moved[k] = np.nan
        value, gradient = function.value_and_gradient(moved)
        assert np.isnan(value)
        assert np.isnan(gradient).any()


@pytest.fixture(scope="module")
def panel():
    """Electricity with six correlated coefficients, at estimates of independent ones."""
    terms = ("pf", "cl", "loc", "wk", "tod", "seas")
    problem = bind(MixedLogit(" + ".join(terms), random=LKJNormal(*terms)), electricity())
    mean = np.array([-1.0, -0.2, 2.4, 1.7, -9.7, -9.9])
    sd = np.array([0.22, 0.41, 1.9, 1.25, 2.5, 1.6])
    return problem, problem.parameters.pack(mean, np.diag(sd), np.zeros(0))


def test_a_grid_with_integrals_that_are_not_positive_is_refused_by_name(panel):
    problem, theta = panel
    function = Likelihood(problem, population_grid(sparse(level=4), 6, problem.n_persons))
    logp, _ = function.by_person(theta)
    bad = problem.data.persons[np.isnan(logp)]
    assert 0 < len(bad) < problem.n_persons
    with pytest.raises(
        IntegrationError, match=rf"{len(bad)} of 361 persons is not positive"
    ) as caught:
        function.check(theta)
    message = str(caught.value)
    assert "sparse(level=4, family='kpn')" in message
    assert f"persons {bad[0]}, {bad[1]}, {bad[2]} and {len(bad) - 3} more" in message
    assert "centred(sobol(64))" in message


def test_overflowing_utilities_are_not_blamed_on_the_rule():
    function = likelihood(LAWS["lognormal"])
    theta = somewhere(function)
    theta[0] = 800.0
    with pytest.raises(IntegrationError, match=r"30 of 30 persons .* not finite; look for a mean"):
        function.check(theta)


def test_the_grid_named_as_remedy_is_accepted(panel):
    problem, theta = panel
    function = Likelihood(problem, centre(problem, centred(sobol(64)), theta, rng=1))
    function.check(theta)
    # Exact: -3878.85 at the maximum, of which these rounded estimates are near.
    assert function.value_and_gradient(theta)[0] == pytest.approx(-3880, abs=5)
