"""Adaptive importance sampling: known moments and integrals, NUTS, and where it cannot do."""

import arviz as az
import numpy as np
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.bayes import marginal_sampling
from bayesmix.bayes.importance import ENOUGH, weigh
from bayesmix.bayes.marginal_sampling import Size, importance_draws
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.student_mixture import StudentMixture, fitted
from bayesmix.bayes.whitened import posterior_mode, whitened_posterior
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.kernels.threads import use_threads
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.threads import in_threads

SMALL = bm.MixedLogit("a + b", random=bm.LKJNormal("a", "b"))
GRID = bm.centred(bm.sobol(64), moments=True)
CENTRE = np.array([1.5, -0.8, 0.3, 0.0])
COVARIANCE = np.array(
    [[2.0, 0.9, 0.0, 0.3], [0.9, 1.0, -0.2, 0.0], [0.0, -0.2, 0.6, 0.1], [0.3, 0.0, 0.1, 1.4]]
)


def draws(values, size: int = 4, wanted: float = 5000.0, seed: int = 1):
    rng = np.random.default_rng(seed)
    return weigh(values, np.empty((0, size)), wanted=wanted, most=60_000, rng=rng)


def averages(found) -> tuple[np.ndarray, np.ndarray]:
    mean = found.weights @ found.x
    return mean, (found.x - mean).T @ ((found.x - mean) * found.weights[:, None])


def test_a_normal_target_has_its_moments_and_its_integral() -> None:
    law = stats.multivariate_normal(CENTRE, COVARIANCE)
    found = draws(lambda x: law.logpdf(x) - 321.5)
    mean, covariance = averages(found)
    sd = np.sqrt(np.diag(COVARIANCE))
    assert found.reliable
    assert found.ess >= 5000
    assert found.pareto_k < 0.5
    assert np.abs((mean - CENTRE) / sd).max() < 4 / np.sqrt(found.ess)
    assert np.abs((covariance - COVARIANCE) / np.outer(sd, sd)).max() < 6 / np.sqrt(found.ess)
    assert found.log_total == pytest.approx(-321.5, abs=4 / np.sqrt(found.ess))
    # The last proposals are nearly the target: two draws of three count, and more.
    assert found.ess / len(found.x) > 0.67


def test_a_student_target_has_its_moments() -> None:
    law = stats.multivariate_t(CENTRE, COVARIANCE, df=6)
    found = draws(law.logpdf)
    mean, covariance = averages(found)
    known = COVARIANCE * 6 / 4
    assert found.reliable
    assert np.abs((mean - CENTRE) / np.sqrt(np.diag(known))).max() < 4 / np.sqrt(found.ess)
    # Fourth moments of 6 degrees of freedom are three times the normal law's.
    assert np.abs(np.diag(covariance) / np.diag(known) - 1).max() < 10 / np.sqrt(found.ess)
    assert found.log_total == pytest.approx(0.0, abs=0.05)


def test_two_hills_take_a_mixture() -> None:
    hills = [stats.multivariate_normal(np.full(3, at), 0.3 * np.eye(3)) for at in (-2.0, 2.0)]

    def values(x):
        own = [np.log(w) + hill.logpdf(x) for w, hill in zip((0.3, 0.7), hills, strict=True)]
        return np.logaddexp(*own)

    found = draws(values, 3)
    assert found.reliable
    assert found.weights[found.x.sum(axis=1) > 0].sum() == pytest.approx(0.7, abs=0.03)
    assert found.ess / len(found.x) > 0.4  # one component has 0.1


def test_what_it_cannot_do_is_seen() -> None:
    def funnel(x):  # Neal (2003), in 25 dimensions
        scale = np.exp(1.5 * x[:, :1])
        return stats.norm.logpdf(x[:, 0]) + stats.norm.logpdf(x[:, 1:], 0.0, scale).sum(axis=1)

    assert not draws(funnel, 25).reliable
    assert not draws(lambda x: np.full(len(x), np.nan)).reliable


def test_draws_and_density_of_a_mixture() -> None:
    rng = np.random.default_rng(4)
    roots = np.stack([np.linalg.cholesky(COVARIANCE), 0.5 * np.eye(4)])
    law = StudentMixture(np.array([0.25, 0.75]), np.stack([3 * CENTRE, -3 * CENTRE]), roots, 7.0)
    x = law.draw(4000, rng)
    own = [
        np.log(share) + stats.multivariate_t(centre, root @ root.T, df=7).logpdf(x)
        for share, centre, root in zip(law.shares, law.centres, law.roots, strict=True)
    ]
    np.testing.assert_allclose(law.log_density(x), np.logaddexp(*own), atol=1e-10)
    assert np.abs(x.mean(axis=0) + 1.5 * CENTRE).max() < 0.1
    again = fitted(x, np.full(len(x), 1 / len(x)), 2, 7.0, rng)
    assert sorted(again.shares) == pytest.approx([0.25, 0.75], abs=0.03)


def test_the_probability_of_the_data_is_that_of_quadrature(panel) -> None:
    problem = bind(bm.MixedLogit("a", random=bm.Normal("a")), panel)
    grid = population_grid(bm.gauss_hermite(12), 1, panel.n_persons)
    at = posterior_mode(problem, grid, np.array([0.8, 0.6]))
    posterior = whitened_posterior(problem, grid, at)
    tree = importance_draws(
        problem, posterior, Size(1000, 4, None), np.random.default_rng(2), False
    )
    (mean, sd), half = at.theta, 8 * np.abs(at.root).sum(axis=1)
    means = mean + half[0] * np.linspace(-1, 1, 41)
    sds = np.exp(np.log(sd) + half[1] * np.linspace(-1, 1, 41))
    loglik = [[posterior.posterior.likelihood(np.array([m, s]))[0] for s in sds] for m in means]
    scales = posterior.posterior.priors.table["scale"]
    prior = stats.norm.logpdf(means, 0.0, scales["mean[a]"])[:, None]
    prior = prior + stats.halfnorm.logpdf(sds, scale=scales["sd[a]"])
    whole = np.exp(np.array(loglik) + prior - np.max(loglik))
    integral = np.trapezoid(np.trapezoid(whole, sds, axis=1), means)
    expected = np.max(loglik) + np.log(integral)
    assert tree["posterior"].attrs["log_evidence"] == pytest.approx(expected, abs=0.05)


def test_the_probability_of_the_data_where_a_standard_deviation_is_held(panel) -> None:
    rule, how = bm.gauss_hermite(24), {"method": "importance", "rng": 2, "progress": False}
    model = bm.MixedLogit("a", random=bm.Normal("a"))
    tree = bm.sample(model, panel, fixed={"sd[a]": 0.6}, grid=rule, draws=500, **how)
    problem = bind(model, panel)
    likelihood = Likelihood(problem, population_grid(rule, 1, panel.n_persons))
    means = np.linspace(0.0, 2.0, 81)
    loglik = np.array([likelihood.value_and_gradient(np.array([m, 0.6]))[0] for m in means])
    prior = stats.norm.logpdf(means, 0.0, make_priors(problem).table.loc["mean[a]", "scale"])
    expected = loglik.max() + np.log(np.trapezoid(np.exp(loglik - loglik.max() + prior), means))
    assert tree["posterior"].attrs["log_evidence"] == pytest.approx(expected, abs=0.05)


def test_what_is_held_among_correlations_has_the_free_posteriors_density(panel, weighed) -> None:
    """``p(y | sd = s) / p(y) = p(s | y) / p(s)`` (Dickey 1971)."""
    held = bm.sample(
        SMALL,
        panel,
        fixed={"sd[a]": 0.8},
        method="importance",
        grid=GRID,
        draws=500,
        rng=2,
        progress=False,
    )
    evidence = [tree["posterior"].attrs["log_evidence"] for tree in (held, weighed)]
    draws = weighed["posterior"]["sd"].sel(random="a").to_numpy().ravel()
    density = np.mean(np.abs(draws - 0.8) < 0.04) / 0.08
    scale = make_priors(bind(SMALL, panel)).table.loc["sd[a]", "scale"]
    expected = np.log(density) - stats.halfnorm.logpdf(0.8, scale=scale)
    assert evidence[0] - evidence[1] == pytest.approx(expected, abs=0.15)


@pytest.fixture(scope="module")
def weighed(panel):
    return bm.sample(SMALL, panel, method="importance", grid=GRID, rng=5, progress=False)


def test_it_agrees_with_nuts(panel, weighed) -> None:
    nuts = bm.sample(SMALL, panel, grid=GRID, draws=1500, rng=6, progress=False)
    ours, theirs = (az.summary(tree, kind="all", round_to="none") for tree in (weighed, nuts))
    assert list(ours.index) == list(theirs.index)
    noise = np.hypot(ours["mcse_mean"], theirs["mcse_mean"])
    # Beyond Monte Carlo error, both have the integration error of nodes of their own.
    assert ((ours["mean"] - theirs["mean"]).abs() < 4 * noise + 0.05 * theirs["sd"]).all()
    assert (ours["sd"] / theirs["sd"]).between(0.93, 1.07).all()
    assert nuts["posterior"].attrs["method"] == "nuts"


def test_the_tree_is_like_any_other(panel, weighed) -> None:
    attrs = weighed["posterior"].attrs
    assert attrs["method"] == "importance"
    assert attrs["ess"] >= 4000
    assert attrs["pareto_k"] < 0.7
    assert weighed["sample_stats"]["logp"].shape == (4, 1000)
    table = az.summary(weighed, kind="all", round_to="none")
    assert table["r_hat"].max() < 1.01
    assert az.loo(weighed).p == pytest.approx(5, abs=2)
    assert "importance" in str(bm.compare({"importance": weighed}))
    for measure in (bm.elasticities, bm.diversion):
        found = (
            measure(weighed, panel, "a") if measure is bm.elasticities else measure(weighed, panel)
        )
        assert np.isfinite(found.to_array()).any()


def test_any_number_of_threads_gives_the_same_bits(panel, weighed) -> None:
    try:
        for threads in (1, 5):
            use_threads(threads)
            assert in_threads([lambda k=k: k for k in range(9)]) == list(range(9))
            tree = bm.sample(SMALL, panel, method="importance", grid=GRID, rng=5, progress=False)
            for name, own in weighed["posterior"].data_vars.items():
                assert (tree["posterior"][name] == own).all()
    finally:
        use_threads(None)


def test_fewer_effective_draws_than_asked_for_are_said(panel, monkeypatch) -> None:
    monkeypatch.setattr(marginal_sampling, "MOST", 0.4)
    monkeypatch.setattr(marginal_sampling, "MOST_LEAST", 0)
    with pytest.warns(UserWarning, match="4000 draws are worth fewer independent ones"):
        tree = bm.sample(SMALL, panel, method="importance", grid=GRID, rng=5, progress=False)
    assert 400 <= tree["posterior"].attrs["ess"] < 3600


def test_nuts_takes_over_in_words(panel, monkeypatch) -> None:
    monkeypatch.setattr(
        marginal_sampling, "weigh", lambda *_, **__: draws(lambda x: np.nan * x[:, 0])
    )
    with pytest.warns(UserWarning, match="does not reach this posterior .* NUTS samples it"):
        tree = bm.sample(
            SMALL, panel, method="importance", grid=GRID, draws=40, chains=1, rng=7, progress=False
        )
    assert tree["posterior"].attrs["method"] == "nuts"
    assert f"{min(ENOUGH, 40)} effective draws" in tree["posterior"].attrs["fallback"]
    assert "n_steps" in tree["sample_stats"]


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (SMALL, {"likelihood": "hierarchical"}, "too many to weigh"),
        (SMALL, {"tune": 100}, "'tune' is about the chains"),
        (SMALL, {"method": "gibbs"}, "'method' must be one of"),
        (bm.MixedLogit("a + b"), {}, "nothing is integrated"),
    ],
)
def test_what_it_is_not_for_is_refused(panel, model, options, words) -> None:
    with pytest.raises(SpecificationError, match=words):
        bm.sample(model, panel, **{"method": "importance", "progress": False, **options})


def test_scales_that_may_be_0_have_their_lower_tail() -> None:
    """A half-normal scale beside eight normals: how often it is small is known."""
    levels = np.zeros((1, 9))
    levels[0, 0] = 1 / np.sqrt(2)  # of unit curvature at the mode of its logarithm

    def values(x):
        t = x @ levels[0]
        return t - 0.5 * np.exp(2 * t) - 0.5 * (x[:, 1:] ** 2).sum(axis=1)

    most = np.array([0.01, 0.05, 0.2])
    found = np.zeros((12, 3))
    for seed in range(12):
        rng = np.random.default_rng(seed)
        draws = weigh(values, levels, wanted=400, most=20_000, rng=rng)
        below = np.exp(draws.x @ levels[0])[:, None] < most
        found[seed] = draws.weights @ below
    exact = stats.chi(1).cdf(most)
    error = found.std(axis=0, ddof=1) / np.sqrt(12)
    assert (np.abs(found.mean(axis=0) - exact) < 4 * error).all()
    assert (error < 0.1 * exact).all()
