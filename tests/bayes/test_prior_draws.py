"""Draws of priors have the laws that samplers take them to have."""

import numpy as np
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.bayes.prior_draws import free_draws, prior_draws
from bayesmix.bayes.prior_values import prior_values
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.bind import bind
from bayesmix.specification.held_and_tied import held_and_tied

from .test_prior_density import LAWS
from .test_prior_values import bound

N = 4000


def near(values, expected, spread) -> None:
    """Averages of ``N`` independent draws, within 4.5 of their standard errors."""
    assert abs(values - expected) < 4.5 * spread / np.sqrt(N)


@pytest.mark.parametrize("kind", LAWS)
def test_the_density_of_draws_integrates_to_one(kind: str) -> None:
    """``E[q / p] = 1`` for any density q where p is: q is a narrower law about a draw."""
    problem, priors, _ = bound(kind)
    thetas = free_draws(problem, priors, N, np.random.default_rng(1))
    space = problem.parameters
    at = thetas.mean(axis=0), thetas.std(axis=0) / 2
    if kind == "wishart":  # its tails are heavy
        at = (
            np.median(thetas, axis=0),
            np.ptp(np.quantile(thetas, [0.25, 0.75], axis=0), axis=0) / 3,
        )
    logs = stats.norm.logpdf(thetas, *at)
    diagonal = space.diagonal()
    logs[:, diagonal] -= stats.norm.logsf(0.0, at[0][diagonal], at[1][diagonal])
    ratio = np.exp(logs.sum(axis=1) - prior_values(problem, priors, thetas))
    near(ratio.mean(), 1.0, ratio.std())


def test_moments_are_those_of_the_laws(panel) -> None:
    model = bm.MixedLogit("a + b + c + d", random=bm.LKJNormal("a", "b", "c", eta=2.0))
    given = {"mean[a]": (1.0, 0.5), "sd[b]": 2.0}
    drawn = prior_draws(bind(model, panel), given, N, np.random.default_rng(2))
    assert dict(drawn.sizes)["chain"] == 1
    mean, sd = (drawn[k].to_numpy()[0] for k in ("mean", "sd"))
    near(mean[:, 0].mean(), 1.0, 0.5)
    near(mean[:, 0].std(), 0.5, 0.5 / np.sqrt(2))
    near(sd[:, 1].mean(), 2 * np.sqrt(2 / np.pi), 2.0)
    corr = drawn["corr"].to_numpy()[0]
    # An entry of LKJ's law: (r + 1) / 2 is beta(eta + (n - 2) / 2, .).
    for r in corr.T:
        law = stats.beta(2.5, 2.5, -1, 2)
        assert stats.kstest(r, law.cdf).pvalue > 1e-3
        near((r**2).mean(), law.var(), (r**2).std())
    first, second, third = corr.T
    determinant = 1 + 2 * first * second * third - (corr**2).sum(axis=1)
    assert (determinant > 0).all()


def test_an_inverse_wishart_is_scipys(panel) -> None:
    model = bm.MixedLogit("a + b + d", random=bm.LKJNormal("a", "b"))
    scale = np.array([[2.0, 0.6], [0.6, 1.0]])
    given = {"cov": bm.InverseWishart(df=12.0, scale=scale, mean_precision=0.5, mean_location=1.0)}
    drawn = prior_draws(bind(model, panel), given, N, np.random.default_rng(3))
    sd, corr = drawn["sd"].to_numpy()[0], drawn["corr"].to_numpy()[0, :, 0]
    own = stats.invwishart(12.0, scale).rvs(N, random_state=4)
    for mine, theirs in [
        (sd[:, 0] ** 2, own[:, 0, 0]),
        (sd[:, 1] ** 2, own[:, 1, 1]),
        (corr * sd.prod(axis=1), own[:, 0, 1]),
    ]:
        assert stats.ks_2samp(mine, theirs).pvalue > 1e-3
    z = (drawn["mean"].to_numpy()[0] - 1.0) * np.sqrt(0.5) / sd
    assert stats.kstest(z[:, 0], "norm").pvalue > 1e-3


def test_what_is_held_stands_at_its_value(panel) -> None:
    block = bm.LKJNormal("a", "b", "c", eta=1.0)
    model = held_and_tied(
        bm.MixedLogit("a + b + c + d", random=block),
        {"corr[a, b]": 0.0, "mean[c]": 0.3, "fixed[d]": 1.0},
        None,
    )
    problem = bind(model, panel)
    drawn = prior_draws(problem, None, N, np.random.default_rng(5))
    corr = drawn["corr"].to_numpy()[0]
    assert (corr[:, 0] == 0).all()
    assert (drawn["mean"].sel(random="c") == 0.3).all()
    assert (drawn["fixed"].sel(term="d") == 1.0).all()
    # Given that the first is 0, the others are uniform in the unit disk.
    assert stats.kstest((corr[:, 1:] ** 2).sum(axis=1), "uniform").pvalue > 1e-3


def test_classes_are_in_the_order_of_the_posterior(panel) -> None:
    from bayesmix.bayes.class_labels import numbered_classes, ordering

    kinds = bm.LatentClass("a", bm.LKJNormal("b", "c"), classes=2)
    problem = bind(bm.MixedLogit("a + b + c + d", random=kinds), panel)
    order = ordering(problem, numbered_classes(problem))
    drawn = prior_draws(problem, {"share": (0.0, 0.5)}, N, np.random.default_rng(6), order)
    values = drawn[order.kind].to_numpy()[0][:, order.positions(problem)]
    assert (np.diff(values, axis=1) > 0).all()
    near(drawn["share"].to_numpy().std(), 0.5, 0.5 / np.sqrt(2))
    assert np.abs(drawn["corr"].to_numpy()).max() < 1
    assert set(drawn.data_vars) == set(problem.parameters.labels)


def test_values_in_an_order_of_laws_that_differ(panel) -> None:
    kinds = bm.LatentClass("a", classes=2)
    problem = bind(bm.MixedLogit("a + b", random=kinds), panel)
    from bayesmix.bayes.class_labels import numbered_classes, ordering

    order = ordering(problem, numbered_classes(problem))
    low, high = order.names
    given = {low: (0.0, 1.0), high: (0.5, 2.0)}
    drawn = prior_draws(problem, given, N, np.random.default_rng(7), order)
    places = order.positions(problem)
    first = drawn["fixed"].to_numpy()[0][:, places[0]]
    # p(x) is in proportion to phi(x) P(second > x).
    x = np.linspace(-8, 8, 4001)
    weight = stats.norm.pdf(x) * stats.norm.sf(x, 0.5, 2.0)
    near(first.mean(), (x * weight).sum() / weight.sum(), 1.0)
    with pytest.raises(bm.SpecificationError, match="exchange their names"):
        prior_draws(problem, {low: (50.0, 1.0)}, 10, np.random.default_rng(1), order)


def test_priors_of_a_model_without_random_coefficients(panel) -> None:
    drawn = prior_draws(bind(bm.MixedLogit("a + b"), panel), None, 7, np.random.default_rng(1))
    assert drawn["fixed"].shape == (1, 7, 2)
    assert make_priors(bind(bm.MixedLogit("a + b"), panel)).sd.each == ()
