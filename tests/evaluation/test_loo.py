"""Leaving one person out, and one choice: against ArviZ, refits, and formulas."""

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

import bayesmix as bm
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.bayes.psis import left_out
from bayesmix.data.subset import take_persons
from bayesmix.evaluation.replicates import KnownPeople, drawn_codes, given_others
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + y", random=bm.Normal("x"))
TRUTH = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": -0.5}


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    return simulated(MODEL, TRUTH, 50, 4, seed=5, outside_option=True)


@pytest.fixture(scope="module")
def posterior(data: bm.ChoiceData) -> xr.DataTree:
    return bm.sample(MODEL, data, method="importance", draws=600, rng=1, progress=False)


def test_agrees_with_arviz_where_persons_count_once(
    data: bm.ChoiceData, posterior: xr.DataTree
) -> None:
    found, other = bm.loo(posterior, data), az.loo(posterior, pointwise=True)
    missed = found.rows["integration"]
    np.testing.assert_allclose(found.rows["log score"] - missed, other.elpd_i, atol=2e-3)
    assert found.log_score - missed.sum() == pytest.approx(other.elpd, abs=0.02)
    assert found.std_error == pytest.approx(other.se, abs=0.05)
    assert found.effective_parameters == pytest.approx(other.p, abs=0.02)
    assert list(found.rows.index) == list(data.persons)


def test_weights_are_copies_of_observations() -> None:
    """A normal mean with a flat prior: what remains without w_i copies of y_i is known."""
    rng = np.random.default_rng(2)
    y, w = rng.normal(size=8), np.array([1.0, 1, 2, 1, 3, 1, 1, 0.5])
    draws = rng.normal(w @ y / w.sum(), w.sum() ** -0.5, 200_000)
    found, shapes = left_out(norm.logpdf(y, draws[:, None], 1.0), w, 1.0)
    rest = w.sum() - w
    exact = norm.logpdf(y, (w @ y - w * y) / rest, np.sqrt(1 + 1 / rest))
    np.testing.assert_allclose(found.values, exact, atol=0.02)
    assert (np.abs(found.values - exact) < 4 * found.errors + 1e-3).all()
    assert shapes.max() < 0.7


def test_few_draws_have_no_tail() -> None:
    """Of twenty-five a fifth is five, which is the least that a Pareto law is fitted to."""
    draws = np.random.default_rng(1).normal(size=(25, 1))
    assert np.isfinite(left_out(norm.logpdf(draws), np.ones(1), 1.0)[0].values).all()
    with pytest.raises(bm.SpecificationError, match=r"24 draws are too few .* at least 25.*draws="):
        left_out(norm.logpdf(draws[1:]), np.ones(1), 1.0)


def test_sums_err_as_their_common_draws_do() -> None:
    """Of a normal mean again: over many samples of draws, scores and their sum err as they say."""
    y, w = norm.ppf(np.arange(1, 8) / 8) / 4, np.linspace(1.0, 1.6, 7)
    draws = np.random.default_rng(3).normal(w @ y / w.sum(), w.sum() ** -0.5, (100, 300, 1))
    each = [left_out(norm.logpdf(y, one, 1.0), w, 1.0)[0] for one in draws]
    values = np.stack([one.values for one in each])
    claimed = np.sqrt(np.mean([one.errors**2 for one in each], axis=0))
    # Standard deviations of 100 are known to 7 %.
    np.testing.assert_allclose(values.std(axis=0), claimed, rtol=0.28)
    total = np.sqrt(np.mean([one.sum_error(w) ** 2 for one in each]))
    assert (values @ w).std() == pytest.approx(total, rel=0.28)
    assert total > 1.5 * np.linalg.norm(w * claimed)


def test_exact_refits_are_within_the_monte_carlo_error(
    data: bm.ChoiceData, posterior: xr.DataTree
) -> None:
    weighed = bm.loo(posterior, data).rows
    worst = weighed["pareto_k"].nlargest(3).index
    rows = bm.loo(posterior, data, exact=list(worst), rng=3).rows
    assert (rows.loc[worst, "method"] == "importance").all()
    assert (rows.drop(worst)["method"] == "weights").all()
    gap = (rows["log score"] - weighed["log score"])[worst]
    error = np.hypot(rows["mcse"], weighed["mcse"])[worst]
    assert (gap.abs() < 2 * error).all()
    assert (gap != 0).all()


def test_scores_are_of_exact_integrals_whatever_the_samplers_nodes(data: bm.ChoiceData) -> None:
    """On few nodes for all persons; weighing the draws by quadrature says the same."""
    few = bm.sample(
        MODEL, data, method="importance", grid=bm.monte_carlo(200), draws=250, rng=2,
        progress=False,
    )  # fmt: skip
    problem = bind(MODEL, data)
    exact = Likelihood(problem, bm.population_grid(bm.gauss_hermite(40), 1, 50))
    thetas = free_vectors(problem, few["posterior"].to_dataset()).reshape(1000, -1)
    logp = np.stack([exact.by_person(theta)[0] for theta in thetas])
    error = logp.sum(axis=1) - few["sample_stats"]["sampled_log_likelihood"].to_numpy().ravel()
    weighed, _ = left_out(logp, np.ones(50), 1.0)
    right = np.logaddexp.reduce(error) - np.logaddexp.reduce(error[:, None] - logp, axis=0)
    rows = bm.loo(few, data).rows
    gap = rows["log score"] - right
    assert error.std() > 0.2
    assert (gap.abs() < 3 * rows["mcse"]).mean() > 0.95
    assert gap.abs().sum() < 0.4 * np.abs(weighed.values - right).sum()


def test_a_refit_is_the_posterior_of_the_others(
    data: bm.ChoiceData, posterior: xr.DataTree
) -> None:
    """Evaluated independently: sampled on the other persons' rows alone."""
    person = bm.loo(posterior, data, exact=[7], rng=3).rows.loc[7, "log score"]
    others = take_persons(data, np.delete(np.arange(50), 7))
    alone = bm.sample(MODEL, others, method="importance", draws=300, rng=4, progress=False)
    params = alone["posterior"].to_dataset().stack(s=("chain", "draw"))
    own = take_persons(data, np.array([7]))
    x = np.vstack([own.frame[["x", "y"]].to_numpy()])
    nodes, weight = np.polynomial.hermite_e.hermegauss(24)
    value = np.zeros(params.sizes["s"])
    for z, w in zip(nodes, weight / weight.sum(), strict=True):
        taste = params["mean"].to_numpy()[0] + params["sd"].to_numpy()[0] * z
        v = x[:, [0]] * taste + x[:, [1]] * params["fixed"].to_numpy()[0]
        logp = np.zeros(len(taste))
        for t, row in enumerate(own.chosen_row):
            here = v[own.situation_start[t] : own.situation_start[t + 1]]
            top = 0.0 if row < 0 else v[row]
            logp += top - np.log(1 + np.exp(here).sum(axis=0))
        value += w * np.exp(logp)
    assert person == pytest.approx(np.log(value.mean()), abs=0.03)


def test_priors_that_are_not_the_posteriors_own_are_refused(
    data: bm.ChoiceData, posterior: xr.DataTree
) -> None:
    with pytest.raises(bm.SpecificationError, match="has other priors than those given"):
        bm.loo(posterior, data, priors={"mean[x]": (0.0, 0.1)})
    with pytest.raises(bm.SpecificationError, match="no persons of the data, 99"):
        bm.loo(posterior, data, exact=[99])
    with pytest.raises(bm.DataError, match="other choices or choice sets"):
        bm.loo(posterior, take_persons(data, np.arange(49)))


def test_a_choice_given_the_others_is_a_ratio_of_integrals(data: bm.ChoiceData) -> None:
    """``P(y_i) / P(y_i without t)``, by Gauss-Hermite quadrature and kernels of their own."""
    problem = bind(MODEL, data)
    theta = problem.parameters.theta(TRUTH)
    who = KnownPeople(problem, theta, 512, np.random.default_rng(1))
    found, probabilities = who.over(theta, given_others)
    frame = data.frame
    kept = frame[frame["task"] != 1].drop(columns="choice")
    chosen = frame.loc[kept.index, "choice"]
    less = bm.ChoiceData.from_long(
        kept.assign(choice=chosen), person="who", situation="task", alternative="alt",
        chosen="choice", outside_option=True,
    )  # fmt: skip
    fine = bm.population_grid(bm.gauss_hermite(24), 1, 50)
    whole, without = (
        Likelihood(bind(MODEL, sets), fine).by_person(theta)[0][0] for sets in (data, less)
    )
    assert found[1] == pytest.approx(whole - without, abs=5e-3)
    start = data.situation_start
    inside = data.chosen_row >= 0
    sums = np.add.reduceat(probabilities, start[:-1])
    assert (sums < 1).all()
    np.testing.assert_allclose(probabilities[data.chosen_row[inside]], np.exp(found[inside]))
    np.testing.assert_allclose((1 - sums)[~inside], np.exp(found[~inside]))


def test_codes_are_drawn_with_their_probabilities(data: bm.ChoiceData) -> None:
    rng = np.random.default_rng(4)
    probabilities = rng.dirichlet(np.ones(4), data.n_situations)[:, :3].ravel()
    drawn = np.stack([drawn_codes(data, probabilities, rng) for _ in range(400)])
    for code in (0, 1, 2):
        expected = probabilities.reshape(-1, 3)[:, code].mean()
        assert (drawn == code).mean() == pytest.approx(expected, abs=0.006)


def test_of_single_choices_both_units_are_one() -> None:
    cross = simulated(MODEL, TRUTH, 80, 1, seed=6)
    posterior = bm.sample(
        MODEL, cross, method="importance", draws=125, rng=1, progress=False,
        grid=bm.centred(bm.sobol(256), moments=True),
    )  # fmt: skip
    person = bm.loo(posterior, cross, refit=False).rows["log score"].to_numpy()
    choice = bm.loo(posterior, cross, by="situation", draws=500).rows["log score"].to_numpy()
    np.testing.assert_allclose(choice, person, atol=0.01)
    assert isinstance(bm.loo(posterior, cross, by="situation").rows.index, pd.MultiIndex)
