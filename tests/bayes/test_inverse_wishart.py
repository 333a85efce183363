"""The inverse-Wishart prior: SciPy's density, moments of prior draws, models on it, errors."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

import bayesmix as bm
from bayesmix.bayes.by_classes import pymc_model_of
from bayesmix.bayes.initial_values import initial_values
from bayesmix.bayes.priors import make_priors
from bayesmix.likelihood.bind import bind
from bayesmix.specification.values import Parameters
from tests.bayes.conftest import INTERPRETED

from .conftest import TRUTH
from .graphs import log_prior

THREE = bm.MixedLogit("a + b + c + d", random=[bm.Normal("d"), bm.LKJNormal("a", "b", "c")])
SCALE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.7], [0.5, -0.7, 2.0]])
MUBAR = np.array([0.3, -0.2, 1.0])
PRIOR = bm.InverseWishart(df=9.0, scale=SCALE, mean_precision=0.4, mean_location=MUBAR)


def factor(rng):
    """A lower triangular matrix (3, 3) with a positive diagonal."""
    chol = np.tril(rng.normal(size=(3, 3)))
    np.fill_diagonal(chol, np.exp(rng.normal(size=3) / 2))
    return chol


def log_jacobian(chol):
    """Of the lower triangle of L L' in that of L, by central differences."""
    rows = np.tril_indices(len(chol))
    columns = []
    for r, c in zip(*rows, strict=True):
        step = np.zeros_like(chol)
        step[r, c] = 1e-6
        up, down = chol + step, chol - step
        columns.append(((up @ up.T - down @ down.T) / 2e-6)[rows])
    return np.linalg.slogdet(np.array(columns))[1]


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_density_is_scipys_times_the_jacobian(panel):
    """And the means' given the covariance; up to a constant, at several points."""
    problem = bind(THREE, panel)
    priors = make_priors(problem, {"cov": PRIOR, "mean[d]": (0.0, 2.0), "sd[d]": 3.0})
    mean, chol = pt.dvector(), pt.dmatrix()
    ours = pytensor.function(
        [mean, chol], log_prior(problem, priors, Parameters(mean, chol)), mode=INTERPRETED
    )
    rng = np.random.default_rng(1)
    differences = []
    for _ in range(5):
        block, at, sd = factor(rng), 2 * rng.normal(size=4), np.exp(rng.normal())
        whole = np.zeros((4, 4))
        whole[0, 0], whole[1:, 1:] = sd, block
        sigma = block @ block.T
        expected = (
            stats.invwishart.logpdf(sigma, 9.0, SCALE)
            + log_jacobian(block)
            + stats.multivariate_normal.logpdf(at[1:], MUBAR, sigma / 0.4)
            + stats.norm.logpdf(at[0], 0.0, 2.0)
            + stats.halfnorm.logpdf(sd, scale=3.0)
        )
        differences.append(float(ours(at, whole)) - expected)
    assert np.ptp(differences) < 1e-6


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_prior_draws_have_the_moments(panel):
    """Of the covariance, V / (df - K - 1); of the means, E[Sigma] / precision."""
    model = bm.pymc_model(THREE, panel, priors={"cov[a, b, c]": PRIOR})
    draws = 1000
    wanted = [model["sd"], model["corr"], model["mean"]]
    sd, corr, mean = pm.draw(wanted, draws, random_seed=3, mode=INTERPRETED)
    sigma = np.array([[s[i] * s[j] for i, j in ((1, 2), (1, 3), (2, 3))] for s in sd]) * corr
    found = np.hstack([sd[:, 1:] ** 2, sigma])
    expected = np.append(np.diag(SCALE), SCALE[np.triu_indices(3, 1)]) / (9 - 3 - 1)
    error = found.std(axis=0) / np.sqrt(draws)
    assert np.abs((found.mean(axis=0) - expected) / error).max() < 4
    # The law itself, of one variance: inverse gamma with df - K + 1 degrees of freedom.
    law = stats.invgamma((9 - 3 + 1) / 2, scale=SCALE[2, 2] / 2)
    assert stats.kstest(found[:, 2], law.cdf).pvalue > 1e-3
    means = mean[:, 1:]
    assert np.abs((means.mean(axis=0) - MUBAR) / (means.std(axis=0) / draws**0.5)).max() < 4
    # Given the covariance the means' squares are chi-squared, whatever it is.
    whole = np.zeros((draws, 3, 3))
    whole[:, *np.triu_indices(3, 1)] = sigma
    whole = whole + whole.transpose(0, 2, 1) + np.einsum("di,ij->dij", sd[:, 1:] ** 2, np.eye(3))
    away = means - MUBAR
    square = 0.4 * np.einsum("di,dij,dj->d", away, np.linalg.inv(whole), away)
    assert stats.kstest(square, stats.chi2(3).cdf).pvalue > 1e-3


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_starting_values_are_those_of_the_factor(panel):
    """The plain model at a free vector: its deterministics are the vector's."""
    problem = bind(THREE, panel)
    truth = {
        "mean[d]": 0.7, "sd[d]": 0.4, "corr[a, c]": 0.2, "corr[b, c]": -0.3,
        **{name: TRUTH[name] for name in TRUTH if "d]" not in name},
    }  # fmt: skip
    theta = problem.parameters.theta(truth)
    priors = {"cov": PRIOR}
    model = pymc_model_of(problem, None, priors)
    values = initial_values(problem, theta, make_priors(problem, priors))
    names = {v.name for v in model.free_RVs} - {"z"}
    assert names <= set(values)
    given = {model[name]: values[name] for name in names}
    outputs = pytensor.function(
        [], pytensor.graph.replace.clone_replace(
            [model["mean"], model["sd"], model["corr"]],
            {rv: pt.constant(v) for rv, v in given.items()},
        ), mode=INTERPRETED,
    )()  # fmt: skip
    found = dict(zip(problem.parameters.names, np.concatenate(outputs), strict=True))
    assert found == pytest.approx(truth, abs=1e-9)


def test_a_sharp_prior_is_the_posterior(panel):
    """Through the sampler: with many degrees of freedom the covariance is V / df, means mubar."""
    model = bm.MixedLogit("a + b", random=[bm.LKJNormal("a", "b")])
    there = np.array([[2.0, -0.6], [-0.6, 1.0]])
    prior = bm.InverseWishart(4e4, 4e4 * there, mean_precision=4e4, mean_location=[0.5, -1.0])
    found = bm.sample(
        model, panel, likelihood="marginal", priors={"cov": prior}, draws=40, tune=60, chains=1,
        rng=1, progress=False, grid=bm.centred(bm.sobol(32)),
    )["posterior"]  # fmt: skip
    means = found.to_dataset().mean(("chain", "draw"))
    np.testing.assert_allclose(means["mean"], [0.5, -1.0], atol=0.05)
    np.testing.assert_allclose(means["sd"] ** 2, [2.0, 1.0], rtol=0.05)
    np.testing.assert_allclose(means["corr"], -0.6 / 2.0**0.5, atol=0.03)
    assert "inverse-Wishart(df=40000, scale=" in found.attrs["priors"]
    assert "normal, covariance cov / 40000" in found.attrs["priors"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cov": bm.InverseWishart(df=2.0)}, r"above K - 1 = 2 .* got df=2; the default is .* 6"),
        ({"cov": bm.InverseWishart(scale=np.ones((2, 2)))}, r"\(3, 3\) matrix, got shape \(2, 2\)"),
        ({"cov": bm.InverseWishart(scale=-1.0)}, "symmetric and positive definite, got -1"),
        ({"cov": bm.InverseWishart(scale=SCALE + np.triu(SCALE, 1))}, "symmetric and positive"),
        ({"cov": bm.InverseWishart(mean_location=[0, 1])}, "finite number or 3 of them"),
        ({"cov[a, b]": bm.InverseWishart()}, r"names no correlated law; expected one of \['cov\[a"),
        ({"corr": bm.InverseWishart()}, "names no correlated law"),
        ({"cov": 3.0}, "must be a bm.InverseWishart, got 3"),
        ({"cov": PRIOR, "cov[a, b, c]": PRIOR}, "the same law's: give one"),
        ({"cov": bm.InverseWishart(), "sd[a]": 1.0}, r"'sd\[a\]'.*'cov\[a, b, c\]' is about it"),
        ({"cov": PRIOR, "mean[b]": (0.0, 1.0)}, r"'mean\[b\]'.*is about it already"),
    ],
)
def test_wrong_priors_are_named(panel, given, words):
    with pytest.raises(bm.SpecificationError, match=words):
        make_priors(bind(THREE, panel), given)


def test_what_has_no_such_prior(panel):
    component = bm.MixedLogit(
        "a + b", random=[bm.Correlated(bm.Normal("a"), bm.Normal("b", mean="0"))]
    )
    with pytest.raises(bm.SpecificationError, match="has no mean"):
        make_priors(bind(component, panel), {"cov": PRIOR})
    for name, value in (("df", 0), ("mean_precision", -1.0), ("df", np.inf)):
        with pytest.raises(bm.SpecificationError, match=f"'{name}' must be a finite number"):
            bm.InverseWishart(**{name: value})


def test_means_keep_their_priors_without_a_precision(panel):
    priors = make_priors(bind(THREE, panel), {"cov": bm.InverseWishart(), "mean[a]": (1.0, 2.0)})
    assert priors.mean.each[1].values == (1.0, 2.0)
    assert priors.table.loc["cov[a, b, c]", "law"] == "inverse-Wishart(df=6, scale=6 I)"
    assert not set(priors.table.index) & {"sd[a]", "sd[b]", "sd[c]", "corr[a, b, c]"}
    assert priors.table.loc["sd[d]", "law"] == "half-normal"
