"""Several starts: where they begin, and whether they come to one optimum."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.classical.ends import compare_ends
from bayesmix.classical.search import Search
from bayesmix.classical.starts import best_of, preference_start
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.multinomial import multinomial, starting_values
from bayesmix.optimise.climb import settle
from bayesmix.optimise.maximise import Optimum
from bayesmix.progress import progress_line
from tests.oracles import choice_frame, choices

TERMS = ("feat", "brand[hiland]", "brand[weight]", "brand[yoplait]")
YOGURT = "price + feat + C(brand)"


def data(persons=60, situations=8):
    frame = choice_frame(np.random.default_rng(5), persons, situations)
    return choices(frame)


def a_search(problem, line):
    return Search(problem, multinomial(problem), "bfgs", np.random.default_rng(1), line, 0.0)


@pytest.mark.parametrize("law", [None, "price"])
def test_willingness_to_pay_starts_from_the_preference_space_fit(law):
    random = [bm.Normal("time")] + ([bm.LogNormal("price", sign=-1)] if law else [])
    problem = bind(bm.MixedLogit("price + time", random=random, wtp="price"), data())
    with progress_line(False, "") as line:
        theta = preference_start(a_search(problem, line))
    space = problem.parameters
    found = dict(zip(space.names, space.natural(theta), strict=True))
    plain = bm.msle(bm.MixedLogit("price + time", random=random), data(), rng=1).params
    price = -np.exp(plain["mean[price]"]) if law else plain["fixed[price]"]
    assert found["mean[time]"] == pytest.approx(-plain["mean[time]"] / price, rel=0.2)
    assert found["sd[time]"] == pytest.approx(-plain["sd[time]"] / price, rel=0.5, abs=0.2)
    if not law:
        # The very same law of choices: no better point is anywhere near.
        fit = bm.msle(problem.model, data(), rng=1)
        value, _ = Likelihood(problem, fit.grid).value_and_gradient(theta)
        assert fit.loglik - 0.1 < value <= fit.loglik


def test_ends_on_grids_of_their_own_are_compared_on_one():
    """The best, the same optimum but for noise, and a search that failed."""
    problem = bind(bm.MixedLogit("price + time", random=bm.Normal("price")), data())
    rule = centred(sobol(64))
    first = starting_values(problem, multinomial(problem))
    with progress_line(False, "") as line:
        search = a_search(problem, line)
        ends = best_of(search, rule, [first])
        optimum, grid = settle(problem, centred(sobol(512)), ends.optimum.theta, search.rng)
        near = ends.optimum.theta + 0.02
        ends = type(ends)(
            ends.optimum,
            ends.grid,
            ends.optima.loc[[1, 1, 1]].assign(loglik=[1.0, 2.0, 3.0]),
            np.array([ends.optimum.theta, near, np.full_like(near, np.nan)]),
        )
        found = compare_ends(search, ends, optimum, grid, np.eye(len(near)) * 0.1)
        assert found.optimum is optimum
        np.testing.assert_array_equal(found.optima["loglik"][:2], optimum.value)
        assert np.isnan(found.optima["loglik"].iloc[2])
        # A best that another start beats gives way to it.
        worse = Optimum(optimum.theta + 3.0, -1e6, optimum.gradient, 0.0, 1, True, "")
        found = compare_ends(search, ends, worse, grid, np.eye(len(near)) * 0.1)
        assert found.optimum.value == pytest.approx(optimum.value, abs=0.5)


def test_yogurt_in_both_spaces(shared_data):
    """With a fixed price the two spaces are one model, and the default comes to one optimum."""
    panel = bm.ChoiceData.from_long(
        shared_data("yogurt"), person="id", situation="chid", alternative="alt", chosen="choice"
    )
    preference, space = (
        bm.msle(bm.MixedLogit(YOGURT, random=bm.Normal(*TERMS), wtp=wtp), panel, rng=1)
        for wtp in (None, "price")
    )
    assert space.loglik == pytest.approx(preference.loglik, abs=0.2)
    assert (space.optima["loglik"] == space.loglik).sum() >= 2
    for fit in (preference, space):
        assert "starts reached the best log-likelihood" in str(fit)
    price = -preference.params["fixed[price]"]
    errors = space.std_errors.drop("fixed[price]")
    expected = preference.params.drop("fixed[price]") / price
    assert ((space.params.drop("fixed[price]") - expected).abs() < 0.15 * errors).all()
