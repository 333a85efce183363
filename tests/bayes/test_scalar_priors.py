"""Families of priors: densities of SciPy's, slopes, units; laws of other programs."""

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest

import bayesmix as bm
from bayesmix.bayes.prior_families import FAMILIES
from bayesmix.bayes.prior_laws import as_law
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.scalar_priors import Law, Laws
from bayesmix.likelihood.bind import bind

from .conftest import MODEL

EACH = {
    "normal": (0.3, 1.7),
    "student": (3.5, 0.3, 1.7),
    "laplace": (0.3, 1.7),
    "horseshoe": (0.3, 1.7),
    "half-normal": (0.8,),
    "half-student": (4.0, 0.8),
    "exponential": (1.4,),
    "gamma": (2.5, 1.4),
    "inverse-gamma": (3.5, 1.4),
    "lognormal": (-0.2, 0.6),
}
X = np.array([0.11, 0.7, 1.9])


def test_every_family_is_here() -> None:
    assert set(EACH) == set(FAMILIES) - {"none"}


@pytest.mark.parametrize("kind", EACH)
def test_densities_and_slopes_are_scipys(kind: str) -> None:
    law = Law(kind, EACH[kind])
    laws = Laws((law,) * 3)
    x = X if law.own.positive else X - 1.0
    np.testing.assert_allclose(laws.log_density(x), law.frozen.logpdf(x), atol=1e-12)
    value, slope = laws.value_and_gradient(x)
    above, below = (law.frozen.logpdf(x + d) for d in (1e-6, -1e-6))
    np.testing.assert_allclose(slope, (above - below) / 2e-6, rtol=1e-6, atol=1e-7)
    moved = laws.value_and_gradient(x + 0.1)[0] - value
    assert moved == pytest.approx((law.frozen.logpdf(x + 0.1) - law.frozen.logpdf(x)).sum())


@pytest.mark.parametrize("kind", EACH)
def test_laws_in_other_units(kind: str) -> None:
    law = Law(kind, EACH[kind])
    q = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(law.scaled(4.0).frozen.ppf(q), 4.0 * law.frozen.ppf(q))


@pytest.mark.parametrize("kind", EACH)
def test_standard_deviations_are_those_of_draws(kind: str) -> None:
    law = Law(kind, EACH[kind])
    drawn = Laws((law, law)).draw(40_000, np.random.default_rng(3)).ravel()
    error = np.sqrt(((drawn - drawn.mean()) ** 4).mean() / 80_000) / drawn.std() / 2
    assert abs(drawn.std() - law.frozen.std()) < 5 * error + 1e-3
    assert abs(np.mean(drawn < law.frozen.ppf(0.3)) - 0.3) < 5 * np.sqrt(0.21 / 80_000)


def test_half_student_laws_without_a_variance() -> None:
    assert np.isinf(Law("half-student", (2.0, 1.0)).frozen.std())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (lambda: pm.Normal.dist(0.5, 2.0), ("normal", (0.5, 2.0))),
        (lambda: pm.StudentT.dist(nu=4, mu=1, sigma=2.5), ("student", (4.0, 1.0, 2.5))),
        (lambda: pm.Cauchy.dist(1, 2), ("student", (1.0, 1.0, 2.0))),
        (lambda: pm.Laplace.dist(1, 2), ("laplace", (1.0, 2.0))),
        (lambda: pm.HalfNormal.dist(0.7), ("half-normal", (0.7,))),
        (lambda: pm.HalfStudentT.dist(nu=4, sigma=0.5), ("half-student", (4.0, 0.5))),
        (lambda: pm.HalfCauchy.dist(2.5), ("half-student", (1.0, 2.5))),
        (lambda: pm.Exponential.dist(lam=4.0), ("exponential", (4.0,))),
        (lambda: pm.Gamma.dist(alpha=2.5, beta=4.0), ("gamma", (2.5, 4.0))),
        (lambda: pm.Gamma.dist(mu=2.0, sigma=1.0), ("gamma", (4.0, 2.0))),
        (lambda: pm.InverseGamma.dist(alpha=3, beta=2.5), ("inverse-gamma", (3.0, 2.5))),
        (lambda: pm.LogNormal.dist(0.5, 2.0), ("lognormal", (0.5, 2.0))),
        (lambda: pm.LKJCorr.dist(n=3, eta=2.5), ("lkj", (2.5,))),
    ],
)
def test_laws_of_pymc(theirs, ours) -> None:
    law, scaled = as_law("sd[a]", theirs())
    assert (law.kind, law.values, scaled) == (ours[0], pytest.approx(ours[1], rel=1e-6), False)


class Gamma:  # what PreliZ's distributions look like
    def __init__(self, alpha: float, beta: float) -> None:
        self.alpha, self.beta = alpha, beta
        self.params_dict = {"mu": alpha / beta, "sigma": np.sqrt(alpha) / beta}


def test_laws_of_preliz_and_bambi() -> None:
    assert as_law("sd[a]", Gamma(2.0, 4.0))[0] == Law("gamma", (2.0, 4.0))
    of_bambi = SimpleNamespace(name="HalfStudentT", args={"nu": 4, "sigma": np.array(0.5)})
    assert as_law("sd[a]", of_bambi)[0] == Law("half-student", (4.0, 0.5))
    nested = SimpleNamespace(name="Normal", args={"mu": 0, "sigma": of_bambi})
    with pytest.raises(bm.SpecificationError, match="'sigma' of 'Normal' must be a positive"):
        as_law("mean[a]", nested)


def test_names_go_before_kinds(panel) -> None:
    given = {"mean[b]": (0.0, 0.3), "mean": (1.0, 2.0), "corr": pm.LKJCorr.dist(n=2, eta=5.0)}
    priors = make_priors(bind(MODEL, panel), given)
    assert [law.values for law in priors.mean.each] == [(1.0, 2.0), (0.0, 0.3), (1.0, 2.0)]
    assert priors.etas == (5.0, None)
    assert priors.table.loc["corr[a, b]", "law"] == "LKJ(eta=5)"
    assert make_priors(bind(MODEL, panel), {"corr[a, b]": 4}).etas == (4.0, None)


def test_scaled_priors_are_in_units_of_the_attribute(panel) -> None:
    problem = bind(MODEL, panel)
    law = bm.Prior("half-student-t", nu=4, sigma=2.0, scaled=True)
    found = make_priors(problem, {"sd": law}).sd.each
    assert found[0].values == pytest.approx((4.0, 2.0 / problem.design.spread[0]))
    assert found[2].values == pytest.approx((4.0, 2.0))  # a lognormal's index has no unit


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"meen": (0.0, 1.0)}, "did you mean 'mean'"),
        ({"shift": (0.0, 1.0)}, "no parameter 'shift'; expected one of"),
        ({"sd[a]": bm.Prior("normal", mu=0, sigma=1)}, "can be a positive number, and normal"),
        ({"mean[a]": pm.HalfNormal.dist(1.0)}, "can be any real number, and half-normal"),
        ({"mean[a]": bm.Prior("lkj", eta=2)}, "an LKJ law is of the correlations"),
        ({"corr[a, c]": 2.0}, r"'corr\[a, c\]' names no correlated law"),
        ({"corr": -2.0}, "LKJ's eta must be positive"),
        ({"corr": bm.Prior("normal", mu=0, sigma=1)}, "correlations have LKJ's law"),
        ({"mean[a]": pm.Beta.dist(1, 1)}, "there is no prior 'beta'"),
        ({"mean[a]": pm.Normal.dist(pm.Normal.dist(0, 1), 1)}, "own parameters must be numbers"),
        ({"mean[a]": pm.Normal.dist([0, 1], 1)}, "expected the law of one number"),
        ({"mean[a]": "normal"}, "must be numbers, a bm.Prior, or a law"),
        ({"cov": bm.InverseWishart(), "corr": 2.0}, "no law has LKJ's prior"),
        ({"cov": bm.InverseWishart(), "corr[a, b]": 2.0}, "has an inverse-Wishart prior"),
    ],
)
def test_what_is_no_prior_is_refused_in_words(panel, given, message) -> None:
    with pytest.raises(bm.SpecificationError, match=message):
        make_priors(bind(MODEL, panel), given)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mu": 0.0}, "needs its argument 'sigma'"),
        ({"mu": 0.0, "sigma": 0.0}, "'sigma' of 'normal' must be a positive number"),
        ({"mu": 0.0, "sigma": 1.0, "nu": 3}, "has no argument 'nu': its arguments are mu, sigma"),
    ],
)
def test_arguments_of_a_prior_are_checked(values, message) -> None:
    with pytest.raises(bm.SpecificationError, match=message):
        bm.Prior("normal", **values)
