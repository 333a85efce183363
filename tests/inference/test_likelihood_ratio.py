"""Likelihood ratios: nesting, scores of variances at 0, laws at the boundary, their size."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import bayesmix as bm
from bayesmix.errors import ConvergenceError, SpecificationError
from bayesmix.inference.chi_bar import ChiBar
from bayesmix.inference.nesting import nesting, null_params
from bayesmix.inference.null_scores import _variance_scores, boundary_covariance
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from tests.inference.ratios import AT, TRUTH, XY, X, Y, data, fit
from tests.inference.test_weighted_ratio import weighted
from tests.simulated import choice_data, simulated

CASES = {
    "one variance": ((), (X,), "1/2 chi2(0) + 1/2 chi2(1)"),
    "one more, uncorrelated": ((X,), (X, Y), "1/2 chi2(0) + 1/2 chi2(1)"),
    "one more and a covariance": ((X,), (XY,), "1/2 chi2(1) + 1/2 chi2(2)"),
    "a correlation": ((X, Y), (XY,), "chi2(1)"),
    "a covariance matrix": ((), (XY,), "dimension 3 onto the cone of covariance matrices"),
}


@pytest.mark.parametrize("case", list(CASES))
def test_laws_of_the_ratio(case):
    restricted, full, words = CASES[case]
    test = bm.lr_test(fit(*restricted), fit(*full))
    assert words in test.distribution
    assert test.statistic == pytest.approx(2 * (fit(*full).loglik - fit(*restricted).loglik))
    assert test.p_value == test.law.sf(test.statistic)
    assert test.p_value < 0.001 if not restricted else test.p_value > 0.001
    assert "integration error of the difference" in test.notes[0]


def test_a_normal_law_is_yeo_and_johnsons_without_its_shape():
    yeo = bm.YeoJohnson("x")
    test = bm.lr_test(fit(X), fit(yeo))
    assert (test.df, test.null) == (1, "shape[x] = 0")
    wald = bm.wald_test(fit(yeo), "shape[x] = 0", kind="hessian")
    assert test.statistic == pytest.approx(wald.statistic, abs=0.05 + 0.2 * wald.statistic)
    params = null_params(fit(X), fit(yeo))
    assert params == fit(X).params.to_dict() | {"shape[x]": 0.0}
    with pytest.raises(SpecificationError, match="another law in each"):
        bm.lr_test(fit(bm.Normal("x", mean="0")), fit(yeo))
    with pytest.raises(SpecificationError, match="another law in each"):
        bm.lr_test(fit(yeo), fit(X))


def test_a_degree_less_is_a_shape_of_0():
    one, two = (bm.SemiNonparametric("x", degree=degree) for degree in (1, 2))
    test = bm.lr_test(fit(one), fit(two))
    assert (test.df, test.null) == (1, "shape[x, 2] = 0")
    assert bm.lr_test(fit(X), fit(two)).null == "shape[x, 1], shape[x, 2] = 0"
    assert test.statistic > -0.01
    with pytest.raises(SpecificationError, match="another law in each"):
        bm.lr_test(fit(two), fit(one))


def test_a_nuisance_parameter_at_its_boundary_is_said():
    none = simulated(TRUTH, AT | {"sd[x]": 0.0}, 150, 5, columns=("x", "y", "z"), seed=3)
    grid = bm.gauss_hermite(7)
    restricted, full = (
        bm.msle(bm.MixedLogit(f, random=[X]), none, grid=grid, starts=1)
        for f in ("x + y", "x + y + z")
    )
    assert "sd[x] at the boundary 0" in full.message
    notes = bm.lr_test(restricted, full).notes
    assert any("sd[x] at the boundary 0, though not tested" in note for note in notes)
    logit = bm.msle(bm.MixedLogit("x + y + z"), none)
    tested = bm.lr_test(logit, full)
    assert not any("though not tested" in note for note in tested.notes)
    clear = bm.lr_test(fit(X, formula="x + y"), fit(X))
    assert not any("though not tested" in note for note in clear.notes)


def test_a_constant_against_the_outside_option_is_a_null_model():
    """Its estimate has a closed form: shares of all alternatives and of none."""
    at = {"fixed[Intercept]": -0.5, "fixed[x]": 0.8}
    sample = simulated(bm.MixedLogit("1 + x"), at, 100, 4, outside_option=True, seed=2)
    null, full = (bm.msle(bm.MixedLogit(f), sample) for f in ("1", "1 + x"))
    inside = (sample.chosen_row >= 0).mean()
    assert list(null.params.index) == ["fixed[Intercept]"]
    assert null.params["fixed[Intercept]"] == pytest.approx(np.log(inside / 3 / (1 - inside)))
    each = inside * np.log(inside / 3) + (1 - inside) * np.log(1 - inside)
    assert null.loglik == pytest.approx(sample.n_situations * each)
    test = bm.lr_test(null, full)
    assert (test.df, test.null) == (1, "fixed[x] = 0")
    assert test.p_value < 1e-6
    assert "fixed[Intercept]" in null.summary().index
    np.testing.assert_allclose(bm.shares(null, sample)["estimate"][:3], inside / 3)


def test_a_coefficient_of_zero_is_an_ordinary_restriction():
    test = bm.lr_test(fit(X, formula="x + y"), fit(X))
    assert (test.df, test.null) == (1, "fixed[z] = 0")
    assert test.p_value == pytest.approx(chi2.sf(test.statistic, 1))
    assert test.p_value > 0.01
    wald = bm.wald_test(fit(X), "fixed[z] = 0", kind="hessian")
    assert wald.statistic == pytest.approx(test.statistic, abs=0.02 + 0.1 * test.statistic)


def test_a_random_coefficient_may_be_left_out_with_its_mean():
    found = nesting(fit(formula="y + z"), fit(X))
    assert (found.blocks, found.free, found.null) == ((("x",),), 1, "mean[x], sd[x] = 0")


def test_lognormal_coefficients():
    minus = bm.LogNormal("y", sign=-1)
    found = nesting(fit(X), fit(X, minus))
    assert (found.blocks, found.free) == ((("y",),), 0)
    params = null_params(fit(X), fit(X, minus))
    assert -np.exp(params["mean[y]"]) == pytest.approx(fit(X).params["fixed[y]"])
    with pytest.raises(SpecificationError, match="'y' is lognormal, and never 0"):
        bm.lr_test(fit(X, formula="x + z"), fit(X, minus))


@pytest.mark.parametrize(
    ("restricted", "full", "words"),
    [
        ((X,), (), "'x' is random in the first, and not in the second"),
        ((X,), (bm.LogNormal("x"),), "'x' has another law in each"),
        ((XY,), (X, Y), r"corr\[x, y\] is in the first alone"),
        ((X,), (X,), "they have the same parameters"),
    ],
)
def test_models_that_are_not_nested_are_refused(restricted, full, words):
    with pytest.raises(SpecificationError, match=words):
        bm.lr_test(fit(*restricted), fit(*full))


def test_other_data_weights_and_estimators_are_refused():
    frame = data().frame
    weighted = choice_data(frame.assign(w=1.0 + frame["who"] % 2), weights="w")
    logit = bm.msle(bm.MixedLogit("x + y + z"), weighted)
    with pytest.raises(SpecificationError, match="of other choices or weights"):
        bm.lr_test(logit, fit(X))
    with pytest.raises(SpecificationError, match="two fits by maximum likelihood, got one by MSM"):
        bm.lr_test(fit(), replace(fit(X), estimator="MSM"))


def test_a_full_model_below_the_restricted_one_is_a_local_maximum():
    low = replace(fit(X, Y), loglik=fit(X).loglik - 1.0)
    with pytest.raises(ConvergenceError, match=r"above the full one's by 1\.000 nats"):
        bm.lr_test(fit(X), low)
    level = bm.lr_test(fit(X), replace(low, loglik=fit(X).loglik - 0.001))
    assert (level.statistic, level.p_value) == (0.0, 1.0)
    assert any("statistic 0" in note for note in level.notes)


def test_one_restriction_is_the_robust_wald_test():
    """Of a weighted logit, as the estimate comes near the null: both are quadratic in it."""
    weights = 0.1 + 3.0 * (np.arange(150) % 4 == 0)
    small, large = (weighted(weights, formula) for formula in ("x + y", "x + y + z"))
    test, wald = bm.lr_test(small, large), bm.wald_test(large, "fixed[z] = 0")
    naive = bm.wald_test(large, "fixed[z] = 0", kind="hessian")
    assert test.statistic == pytest.approx(wald.statistic, rel=0.02)
    assert abs(naive.statistic / wald.statistic - 1) > 0.1
    assert (test.df, test.law.dofs) == (1, (1,))


def test_fewer_clusters_than_restrictions_are_refused():
    halves = choice_data(data().frame.assign(half=data().frame["who"] // 75))
    small, large = (bm.msle(bm.MixedLogit(f), halves, cluster="half") for f in ("x", "x + y + z"))
    words = "scores of 2 clusters vary in fewer than 2 directions.*by a finer column"
    with pytest.raises(SpecificationError, match=words):
        bm.lr_test(small, large)


def test_singular_scores_without_clusters_are_said_to_be_of_persons():
    weights = 0.3 + np.arange(150) % 3
    small, large = (weighted(weights, formula) for formula in ("x", "x + y + z"))
    scores = np.outer(large.information.scores[:, 1], [1.0, 2.0, -1.0])
    alike = replace(large, information=replace(large.information, scores=scores))
    words = "scores of 150 persons vary in fewer than 2 directions.*restrict less.*sum 195, effect"
    with pytest.raises(SpecificationError, match=words) as refused:
        bm.lr_test(small, alike)
    assert "cluster" not in str(refused.value)


def test_clusters_of_equal_persons():
    """Everybody three times is one sample, if clusters say so."""
    frame = data().frame
    copies = [
        frame.assign(who=frame["who"] + 1000 * c, task=frame["task"] + 10**6 * c, real=frame["who"])
        for c in range(3)
    ]
    tripled = choice_data(pd.concat(copies))
    once, thrice = (
        [bm.msle(bm.MixedLogit(formula), sample, **options) for formula in ("x + y", "x + y + z")]
        for sample, options in ((data(), {}), (tripled, {"cluster": "real"}))
    )
    test = bm.lr_test(*thrice)
    assert "there are clusters" in test.notes[0]
    wald = bm.wald_test(once[1], "fixed[z] = 0")
    assert test.statistic == pytest.approx(wald.statistic * 149 / 150, rel=0.02)


def brute_force_scores(full, theta, terms):
    """``E[g g' + H] / 2`` of every person over the nodes of what varies already, in NumPy."""
    problem = bind(full.model, data())
    space, panel = problem.parameters, problem.panel()
    mean, chol, fixed, *_ = space.unpack(theta)
    nodes, weights = np.polynomial.hermite_e.hermegauss(25)
    points = np.zeros((space.n_random, 25))
    points[0] = nodes
    beta = mean[:, None] + chol @ points
    places = [space.random.index(t) for t in terms]
    found = []
    for i in range(problem.n_persons):
        logp, g, h = np.zeros(25), np.zeros((25, len(terms))), np.zeros((25, *[len(terms)] * 2))
        for t in range(panel.person_start[i], panel.person_start[i + 1]):
            rows = np.arange(panel.situation_start[t], panel.situation_start[t + 1])
            v = panel.x[rows] @ beta + (problem.design.fixed[rows] @ fixed)[:, None]
            p = np.exp(v) / np.exp(v).sum(axis=0)
            w, chosen = panel.x[rows][:, places], panel.chosen_row[t] - rows[0]
            logp += np.log(p[chosen])
            centre = p.T @ w
            g += w[chosen] - centre
            h -= np.einsum("js,ja,jb->sab", p, w, w) - centre[:, :, None] * centre[:, None]
        share = weights * np.exp(logp)
        second = np.einsum("sa,sb->sab", g, g) + h
        found.append(np.einsum("s,sab->ab", share / share.sum(), second))
    second = np.array(found)
    rows, columns = np.tril_indices(len(terms))
    return second[:, rows, columns] * np.where(rows == columns, 0.5, 1.0)


@pytest.mark.parametrize(
    ("restricted", "full", "terms"),
    [((), (XY,), ("x", "y")), ((X,), (X, Y, bm.Normal("z")), ("y", "z"))],
    ids=["from the logit", "with a coefficient that varies"],
)
def test_scores_of_variances_at_zero(restricted, full, terms):
    small, large = fit(*restricted), fit(*full)
    problem = bind(large.model, data())
    theta = problem.parameters.theta(null_params(small, large))
    # The oracle's points: 25 are not exact, but off by the same.
    grid = population_grid(bm.gauss_hermite(25), len(large.space.random), data().n_persons)
    likelihood = Likelihood(problem, grid)
    value, _ = likelihood.by_person(theta)
    found = _variance_scores(likelihood, theta, value, nesting(small, large))
    expected = brute_force_scores(large, theta, terms)
    if restricted:  # uncorrelated: no covariance between the two
        expected = expected[:, [0, 2]]
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_weights_come_from_the_covariance_at_the_null(monkeypatch):
    covariance = boundary_covariance(fit(), fit(X, Y), nesting(fit(), fit(X, Y)))
    rho = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    law = bm.lr_test(fit(), fit(X, Y)).law
    assert law.weights[2] == pytest.approx(0.25 + np.arcsin(rho) / (2 * np.pi))
    nothing = "bayesmix.inference.likelihood_ratio.boundary_covariance"
    monkeypatch.setattr(nothing, lambda *_: None)
    blind = bm.lr_test(fit(), fit(X, Y))
    assert blind.law == ChiBar((0.25, 0.5, 0.25), (0, 1, 2))
    assert any("as if estimates of the variances were independent" in n for n in blind.notes)


def test_the_ratio_has_its_law_under_the_null():
    """Half of the samples without variation have a ratio of 0; chi2(1) would never reject."""
    model, logit = bm.MixedLogit("x", random=X), bm.MixedLogit("x")
    p_values = []
    for seed in range(60):
        sample = simulated(logit, {"fixed[x]": 0.7}, 80, 5, columns=("x",), seed=seed)
        pair = (
            bm.msle(logit, sample),
            bm.msle(model, sample, grid=bm.gauss_hermite(7), starts=1),
        )
        p_values.append(bm.lr_test(*pair).p_value)
    p_values = np.array(p_values)
    # Binomial with 60 draws: 3.3 standard deviations around a half and around a tenth.
    assert 0.28 < (p_values > 0.5).mean() < 0.72
    assert (p_values < 0.1).mean() < 0.23
