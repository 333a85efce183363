"""The split of a difference: modes are maxima of what they say, and parts add up."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.log_prior import log_prior_group
from bayesmix.bayes.marginal_sampling import draws_dataset
from bayesmix.bayes.printed_density import printed_mode, printed_prior
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.evaluate import Likelihood
from tests.bayes.test_prior_density import LAWS
from tests.bayes.test_prior_values import bound
from tests.simulated import simulated

MODEL = bm.MixedLogit("a + b", random=bm.LKJNormal("a", "b", eta=6.0))
TRUTH = {"mean[a]": 1.0, "mean[b]": -0.5, "sd[a]": 0.9, "sd[b]": 0.8, "corr[a, b]": 0.6}
SHARP = {"mean[a]": (0.0, 0.1)}


@pytest.mark.parametrize("kind", LAWS)
def test_the_prior_is_that_of_the_printed_parameters(kind: str) -> None:
    problem, priors, thetas = bound(kind)
    group = log_prior_group(problem, LAWS[kind][1], draws_dataset(problem, thetas[None]))
    expected = sum(part.sum(part.dims[2:]).to_numpy()[0] for part in group.data_vars.values())
    if "wishart" in kind:  # of a covariance: that of deviations and correlations has its Jacobian
        chol = problem.parameters.within.unpack(thetas).chol
        expected = expected + 3 * np.log(np.sqrt((chol**2).sum(axis=-1))).sum(axis=-1)
    found = [printed_prior(problem, priors, theta) for theta in thetas]
    assert np.ptp(np.array([value for value, _ in found]) - expected) < 1e-9
    step = 1e-6 * np.eye(problem.parameters.size)
    for theta, (_, gradient) in zip(thetas[:2], found, strict=False):
        ends = [
            [printed_prior(problem, priors, theta + sign * d)[0] for d in step] for sign in (1, -1)
        ]
        slopes = np.subtract(*ends) / 2e-6
        np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def data() -> bm.ChoiceData:
    return simulated(MODEL, TRUTH, 100, 6, seed=3, columns=("a", "b"))


@pytest.fixture(scope="module")
def fit(data: bm.ChoiceData) -> bm.Fit:
    return bm.msle(MODEL, data, grid=bm.sobol(64), starts=1, rng=1)


def posterior(data: bm.ChoiceData, priors=None):
    return bm.sample(
        MODEL, data, method="importance", priors=priors, draws=500, rng=2, progress=False
    )


def test_under_flat_priors_the_mode_is_the_maximum(fit: bm.Fit) -> None:
    problem = fit.problem
    found = problem.parameters.natural(printed_mode(problem, fit.grid, fit.theta * 1.03, None))
    assert np.abs((found - fit.params) / fit.std_errors).max() < 1e-3
    wide = {"mean": (0.0, 1e6), "sd": 1e6, "corr": 1.0}
    theta = printed_mode(problem, fit.grid, fit.theta, make_priors(problem, wide))
    again = problem.parameters.natural(theta)
    assert np.abs((again - fit.params) / fit.std_errors).max() < 1e-3


def test_slopes_of_likelihood_and_prior_cancel_at_the_mode(fit: bm.Fit) -> None:
    problem = fit.problem
    theta = printed_mode(problem, fit.grid, fit.theta, make_priors(problem, SHARP))
    _, score = Likelihood(problem, fit.grid).value_and_gradient(theta)
    # Of the mean alone, which is an entry of the free vector: -(m - 0) / 0.1^2.
    assert score[0] == pytest.approx(theta[0] / 0.01, abs=0.02)


def test_parts_add_up_and_the_prior_is_blamed_for_what_it_does(data, fit) -> None:
    found = posterior(data, SHARP)
    split = bm.explain_difference(fit, found, data, priors=SHARP, draws=1000, rng=2)
    parts = split.parts
    total = parts.drop(columns="difference").sum(axis=1)
    assert np.abs(total - parts["difference"]).max() < 1e-9
    assert np.abs(parts["left over"]).max() < 0.15  # two samples of some 1,000 and 2,000
    assert parts["maximum"].abs().max() < 0.01
    assert parts["prior"].idxmin() == "mean[a]"
    assert parts.loc["mean[a]", "prior"] < -3
    assert parts.loc["corr[a, b]", "prior"] < -0.1  # eta = 6
    assert split.pareto_k < 0.7
    assert all("skewness" in shown for shown in (repr(split), split._repr_html_()))
    assert len(split.plot().axes[0].patches) == 5 * len(parts)


def test_other_priors_models_and_data_are_refused(data, fit) -> None:
    tree = posterior(data)
    own = make_priors(fit.problem).laws["sd[a]"].values[0]
    for other in (SHARP, {"sd[a]": own * (1 + 1e-8)}):  # which a table of six digits does not tell
        with pytest.raises(bm.SpecificationError, match="not the priors of the posterior"):
            bm.explain_difference(fit, tree, data, priors=other)
    bm.explain_difference(fit, tree, data, priors={"sd[a]": own})
    del tree["posterior"].attrs["prior_record"]  # as earlier builds left it
    bm.explain_difference(fit, tree, data)
    with pytest.raises(bm.SpecificationError, match="not the priors of the posterior"):
        bm.explain_difference(fit, tree, data, priors=SHARP)
    choices = bm.simulate_choices(MODEL, TRUTH, data, rng=4)
    with pytest.raises(bm.DataError, match="not the choices that the fit is of"):
        bm.explain_difference(fit, tree, choices)
    independent = bm.msle(
        bm.MixedLogit("a + b", random=bm.Normal("a", "b")), data, grid=bm.sobol(16), starts=1, rng=1
    )
    with pytest.raises(bm.SpecificationError, match="of another model than the fit"):
        bm.explain_difference(independent, tree, data)
