"""The split of a difference: modes are maxima of what they say, and parts add up."""

import arviz as az
import numpy as np
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.log_prior import log_prior_group
from bayesmix.bayes.marginal_sampling import draws_dataset
from bayesmix.bayes.printed_density import printed_mode, printed_prior
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.psis import mean_errors
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.reporting.explain_difference import ERROR, PARTS, DifferenceSplit
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


@pytest.fixture(scope="module")
def sharp(data: bm.ChoiceData) -> xr.DataTree:
    return posterior(data, SHARP)


@pytest.fixture(scope="module")
def splits(data, fit, sharp) -> list[DifferenceSplit]:
    """Of one posterior, by nodes and draws of several seeds."""
    return [
        bm.explain_difference(fit, sharp, data, priors=SHARP, draws=1000, rng=seed)
        for seed in (3, 4)
    ]


def test_parts_add_up_and_the_prior_is_blamed_for_what_it_does(splits) -> None:
    parts = splits[0].parts
    assert list(parts.columns) == ["difference", *PARTS, ERROR]
    assert np.abs(parts[list(PARTS)].sum(axis=1) - parts["difference"]).max() < 1e-9
    assert parts["maximum"].abs().max() < 0.01
    assert parts["prior"].idxmin() == "mean[a]"
    assert parts.loc["mean[a]", "prior"] < -3
    assert parts.loc["corr[a, b]", "prior"] < -0.1  # eta = 6
    assert splits[0].pareto_k < 0.7
    assert all("skewness" in shown for shown in (repr(splits[0]), splits[0]._repr_html_()))
    assert len(splits[0].plot().axes[0].patches) == 5 * len(parts)


def test_modes_do_not_depend_on_the_seed(data, fit, sharp) -> None:
    """Nodes where the likelihood alone is are too few where a sharp prior is."""
    found = [
        bm.explain_difference(fit, sharp, data, priors=SHARP, rng=seed).estimates
        for seed in range(5)
    ]
    for name in ("flat mode", "mode"):
        modes = np.array([one[name] for one in found])
        assert (np.ptp(modes, axis=0) / found[0]["sd"]).max() < 0.03


def test_means_of_several_seeds_are_within_their_errors(splits, sharp) -> None:
    noise = sharp["posterior"].attrs["integration_error_sd"]  # what the sampler's nodes may move
    for split in splits:
        error = split.parts[ERROR]
        assert (error < 0.25).all()
        assert (error > 1 / np.sqrt(2000)).all()  # as many draws as the posterior has
        assert (split.parts["left over"].abs() < 3.5 * np.hypot(error, noise)).all()
        apart = (split.estimates["mean"] - splits[0].estimates["mean"]) / split.estimates["sd"]
        assert (apart.abs() < 3.5 * np.hypot(error, splits[0].parts[ERROR])).all()


def test_without_draws_skewness_has_the_error_of_the_posteriors_own(data, fit, sharp) -> None:
    parts = bm.explain_difference(fit, sharp, data, priors=SHARP, rng=3).parts
    assert "left over" not in parts
    attributes = sharp["posterior"].attrs
    independent = min(attributes["ess"], 2000)
    np.testing.assert_allclose(parts[ERROR], 1 / np.sqrt(independent))
    chains = sharp["posterior"].to_dataset()
    del chains.attrs["method"]
    found = mean_errors(chains, [chains["sd"].isel(random=0), 0 * chains["sd"].isel(random=0)])
    assert found[0] == pytest.approx(float(az.mcse(chains["sd"], method="mean")[0]))
    assert found[1] == 0


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
