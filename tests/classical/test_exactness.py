"""Few random coefficients are integrated exactly, standard errors included, whatever the law."""

from functools import cache

import numpy as np
import pytest
from scipy.special import ndtr

from bayesmix import CensoredNormal, LogNormal, MixedLogit, Normal, Triangular, Uniform, msle
from bayesmix.accuracy.refine import DEFAULT_TOLERANCE
from bayesmix.centring.grids import centre
from bayesmix.classical.error_check import relative_errors
from bayesmix.classical.fit import Fit
from bayesmix.classical.information import information_at
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, gauss_hermite, sobol, trapezoid
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.simulate import simulate_choices
from bayesmix.optimise.anchored_scores import anchored_scores, following_scores
from bayesmix.optimise.maximise import curvature
from tests.laws import LAWS
from tests.simulated import attributes, choice_data, simulated

AT = {
    "normal": (0.5, 1.0),
    "lognormal": (0.0, 0.7),
    "negative lognormal": (0.0, 0.7),
    "uniform": (0.5, 1.0),
    "triangular": (0.5, 1.0),
    "zero-bounded triangular": (0.5,),
    "negative zero-bounded triangular": (0.5,),
    "truncated below": (0.3, 1.0),
    "truncated above": (-0.3, 1.0),
    "truncated on both sides": (-0.2, 0.8),
    "exponential": (1.0,),
    "negative exponential": (1.0,),
    "gamma": (0.0, 0.7),
    "negative gamma": (0.0, 0.7),
    "johnson": (0.3, 1.2),
}
"""All but censored laws, whose mass at a bound the oracle's quadrature does not follow."""
STEEP = 3.0


def steep(model, at, persons, situations, columns, seed=3):
    """Simulated choices, with utilities steep in x."""
    rng = np.random.default_rng(seed)
    frame = attributes(rng, persons, situations, columns)
    frame["x"] *= STEEP
    return simulate_choices(model, at, choice_data(frame), rng)


def oracle(name, data, params):
    """Log-probabilities (I,) of single choices, by 400 pieces of Gauss-Legendre over the normal."""
    x, w = np.polynomial.legendre.leggauss(6)
    z = (np.linspace(-9, 9, 401)[:-1, None] + 0.0225 * (1 + x)).ravel()
    weight = np.tile(0.0225 * w, 400) * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    own = LAWS[name].coefficients[0]
    loc, scale = (0.0, *params[:-1])[-2:]
    law = own.law.twin(own, loc, scale)
    beta = own.sign * np.where(z < 0, law.ppf(ndtr(z)), law.isf(ndtr(-z)))
    frame = data.frame
    rows = frame[["x", "y"]].to_numpy().reshape(-1, 3, 2)
    chosen = frame["choice"].to_numpy().reshape(-1, 3).argmax(axis=1)
    v = rows[:, :, [0]] * beta + params[-1] * rows[:, :, [1]]
    top = v[np.arange(len(v)), chosen][:, None]
    return np.log((1 / np.exp(np.minimum(v - top, 700.0)).sum(axis=1)) @ weight)


def oracle_errors(name, data, params):
    """Robust and Hessian standard errors of the printed parameters, by differences alone."""
    step, size = 1e-3, len(params)
    unit = step * np.eye(size)
    value = {}

    def at(shift):
        key = tuple(np.round(shift / step).astype(int))
        if key not in value:
            value[key] = oracle(name, data, params + shift)
        return value[key]

    scores = np.stack([(at(u) - at(-u)) / (2 * step) for u in unit], axis=1)
    hessian = np.empty((size, size))
    for a in range(size):
        for b in range(size):
            corners = (
                at(unit[a] + unit[b])
                - at(unit[a] - unit[b])
                - at(unit[b] - unit[a])
                + at(-unit[a] - unit[b])
            )
            hessian[a, b] = -corners.sum() / (4 * step**2)
    bread = np.linalg.inv(hessian)
    return [np.sqrt(np.diag(v)) for v in (bread @ scores.T @ scores @ bread, bread)]


@pytest.mark.parametrize("name", AT)
def test_single_choices_of_every_law_are_exact(name):
    model = MixedLogit("x + y", random=LAWS[name])
    names = [n for n in ("mean[x]", "sd[x]") if len(AT[name]) == 2 or n == "sd[x]"]
    truth = dict(zip(names, AT[name], strict=True)) | {"fixed[y]": 0.6}
    data = steep(model, truth, 400, 1, ("x", "y"))
    fit = msle(model, data, starts=1, rng=1)
    assert list(fit.params.index) == [*names, "fixed[y]"]
    params = fit.params.to_numpy()
    assert fit.loglik == pytest.approx(oracle(name, data, params).sum(), abs=0.03)
    robust, hessian = oracle_errors(name, data, params)
    for kind, errors in (("robust", robust), ("hessian", hessian)):
        np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance(kind))), errors, rtol=0.02)
    assert fit.integration.std_error < 0.02
    assert "largest error of a standard error" in str(fit.integration)


FEW = {
    1: (["x"], {}),
    2: (["x", "y"], {"y": Triangular("y")}),
    3: (["x", "y", "z"], {"y": Uniform("y"), "z": Triangular("z")}),
}


@cache
def few(size, situations):
    """A fit with 1 to 3 random coefficients, and its problem."""
    terms, other = FEW[size]
    laws = [other.get(t, Normal(t)) for t in terms]
    model = MixedLogit(" + ".join(terms), random=laws)
    at = {}
    for t in terms:
        at |= {f"mean[{t}]": 0.3, f"sd[{t}]": 1.2}
    data = steep(model, at, 200 if size < 3 else 120, situations, tuple(terms))
    return msle(model, data, starts=1, rng=1), bind(model, data)


@pytest.mark.parametrize(("size", "situations"), [(1, 1), (1, 3), (2, 1), (2, 3), (3, 3)])
def test_one_to_three_dimensions_are_exact_on_cross_sections_and_panels(size, situations):
    fit, problem = few(size, situations)
    fine = population_grid(trapezoid({1: 1000, 2: 100, 3: 48}[size]), size, problem.n_persons)
    exact = Likelihood(problem, fine)
    logp, scores = exact.by_person(fit.theta)
    assert fit.loglik == pytest.approx(logp.sum(), abs=0.5)
    found = information_at(exact, fit.theta, scores)
    moved = np.linalg.solve(found.hessian, scores.sum(axis=0))
    errors = np.sqrt(np.diag(np.linalg.inv(found.hessian)))
    assert np.abs(moved / errors).max() < 0.05
    off = relative_errors(problem.parameters, fit.theta, fit.information, found)
    assert off.abs().to_numpy().max() < (0.02 if size < 3 else 0.03)
    assert DEFAULT_TOLERANCE.met_by(fit.integration)
    assert fit.integration.std_error < 0.02


@pytest.mark.parametrize("situations", [1, 4])
def test_censored_laws_have_draws_of_their_own(situations):
    """On nodes that persons share their likelihoods have kinks at the same parameters."""
    model = MixedLogit("x + y", random=CensoredNormal("x", lower=0))
    at = {"mean[x]": 0.5, "sd[x]": 1.0, "fixed[y]": -0.8}
    data = steep(model, at, 150 if situations == 1 else 100, situations, ("x", "y"))
    fit = msle(model, data, starts=1, rng=1)
    problem = bind(model, data)
    fine = Likelihood(problem, population_grid(trapezoid(2001), 1, problem.n_persons))
    logp, scores = fine.by_person(fit.theta)
    assert fit.loglik == pytest.approx(logp.sum(), abs=0.5)
    moved = fit.information.covariance("hessian") @ scores.sum(axis=0)
    assert np.abs(moved / np.sqrt(np.diag(fit.information.covariance("hessian")))).max() < 0.1
    assert fit.integration.within(0.5, 0.05)
    assert (
        fit.integration.std_error < 0.06
    )  # by scramblings, which differences with kinks tell apart


def test_three_coefficients_of_single_choices_go_on_to_equally_spaced_nodes():
    """No normal fits the posterior of a wide lognormal: products centred on persons miss it."""
    terms = ("x", "y", "z")
    model = MixedLogit("x + y + z", random=[Normal("x", "y"), LogNormal("z")])
    at = {f"{kind}[{t}]": v for t in terms for kind, v in (("mean", 0.3), ("sd", 1.2))}
    data = steep(model, at, 300, 1, terms)
    fit = msle(model, data, starts=1, rng=1)
    assert fit.grid.rule in (trapezoid(16), trapezoid(24))
    assert DEFAULT_TOLERANCE.met_by(fit.integration)
    assert fit.integration.std_error < 0.02
    fine = population_grid(trapezoid(40), 3, fit.problem.n_persons)
    exact = Likelihood(fit.problem, fine, keep=False).by_person(fit.theta)[0].sum()
    assert fit.loglik == pytest.approx(exact, abs=0.03)


def test_too_few_points_are_seen_by_their_standard_errors():
    """The largest error is known to a tenth of itself, also where estimates are right."""
    _, problem = few(1, 1)
    coarse = msle(problem.model, problem.data, grid=gauss_hermite(15), starts=1, rng=1)
    fine = Likelihood(problem, population_grid(trapezoid(400), 1, problem.n_persons))
    reference = information_at(fine, coarse.theta)
    true = relative_errors(problem.parameters, coarse.theta, coarse.information, reference)
    said = coarse.integration.std_errors
    assert true.abs().to_numpy().max() > 0.03
    np.testing.assert_allclose(said, true, atol=0.1 * true.abs().to_numpy().max())
    assert not coarse.integration.within(9.0, 9.0, 0.02)
    assert coarse.integration.within(9.0, 9.0)


def test_standard_errors_of_draws_are_checked_between_scramblings():
    _, problem = few(1, 3)
    fit = msle(problem.model, problem.data, grid=centred(sobol(64)), starts=1, rng=1)
    assert "between independent scramblings" in str(fit.integration)
    fine = Likelihood(problem, population_grid(trapezoid(400), 1, problem.n_persons))
    reference = information_at(fine, fit.theta)
    true = relative_errors(problem.parameters, fit.theta, fit.information, reference)
    assert true.abs().to_numpy().max() < fit.integration.std_error + 0.01
    assert fit.integration.std_error < 0.02


def test_standard_errors_of_coarse_population_draws_are_found_out():
    """Against draws centred on persons, whose own noise is far smaller."""
    _, problem = few(1, 3)
    fit = msle(problem.model, problem.data, grid=sobol(25), starts=1, rng=1)
    fine = Likelihood(problem, population_grid(trapezoid(400), 1, problem.n_persons))
    reference = information_at(fine, fit.theta)
    true = relative_errors(problem.parameters, fit.theta, fit.information, reference)
    assert true.abs().to_numpy().max() > 0.02
    np.testing.assert_allclose(fit.integration.std_errors, true, atol=0.01)


@pytest.mark.parametrize("situations", [1, 3])
def test_what_the_certificate_says_of_standard_errors_is_stored(situations, tmp_path):
    fit, problem = few(2, situations)
    fit.save(tmp_path / "fit.json")
    again = Fit.load(tmp_path / "fit.json", problem.data)
    assert str(again.integration) == str(fit.integration)
    assert again.grid.rule == fit.grid.rule
    np.testing.assert_array_equal(again.integration.std_errors, fit.integration.std_errors)


def test_standard_errors_on_draws_are_as_near_as_the_certificate_says():
    """Of a panel with four coefficients, against many nodes: curvature and scores."""
    names = ["x", "y", "z", "w"]
    model = MixedLogit(" + ".join(names), random=Normal(*names))
    at = {f"mean[{n}]": 0.5 for n in names} | {f"sd[{n}]": 1.0 for n in names}
    data = simulated(model, at, 250, 6, columns=tuple(names))
    fit = msle(model, data, starts=1, rng=1)
    assert "between independent scramblings" in str(fit.integration)
    problem, space = fit.problem, fit.space
    grid = centre(problem, centred(sobol(4096), moments=True), fit.theta, 5)
    scores = anchored_scores(problem, grid)[1]
    root = np.linalg.cholesky(np.linalg.inv(scores.T @ scores))
    hessian = curvature(following_scores(problem, grid.resized(1024)), fit.theta, root)
    bread = space.jacobian(fit.theta) @ np.linalg.inv(hessian)
    exact = {
        "hessian": np.sqrt(np.diag(bread @ hessian @ bread.T)),
        "robust": np.sqrt(np.diag(bread @ scores.T @ scores @ bread.T)),
    }
    said = fit.integration.std_errors
    assert fit.integration.std_error < 0.02
    for kind, errors in exact.items():
        own = np.sqrt(np.diag(fit.covariance(kind)))
        off = own / errors - 1.0
        assert np.abs(off).max() < 0.02
        # What is said of all parameters is of the size of what is so.
        assert np.sqrt((off**2).mean()) < 3 * np.sqrt((said[kind] ** 2).mean()) + 0.002
