"""The marginal graph is the likelihood of the MSLE; only priors are added."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

import bayesmix as bm
from bayesmix.bayes.by_classes import pymc_model_of
from bayesmix.bayes.initial_values import initial_values
from bayesmix.bayes.one_class_model import marginal_log_probabilities
from bayesmix.bayes.prior_values import prior_values
from bayesmix.bayes.priors import make_priors
from bayesmix.centring.grids import centre
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.values import Parameters
from tests.bayes.conftest import INTERPRETED
from tests.simulated import attributes, choice_data

from .conftest import MODEL, TRUTH
from .graphs import log_prior

INDEPENDENT = bm.MixedLogit(
    "a + b + c + d", random=[bm.Normal("a", "b"), bm.LogNormal("c", sign=-1)]
)


def log_densities(model, problem, theta):
    """Of all variables and potentials together, and of the priors alone, without Jacobians."""
    start = model.initial_point()
    values = initial_values(problem, theta)
    point = dict(start)
    for name, value in values.items():
        if name not in {v.name for v in model.free_RVs}:
            continue
        variable = model.rvs_to_values[model[name]]
        transform = model.rvs_to_transforms[model[name]]
        if transform is not None:
            value = transform.forward(pt.as_tensor(value), *model[name].owner.inputs).eval()
        point[variable.name] = np.asarray(value)
    whole = model.compile_logp(jacobian=False, mode=INTERPRETED)(point)
    priors = model.compile_logp(vars=model.free_RVs, jacobian=False, mode=INTERPRETED)(point)
    return float(whole), float(priors)


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
@pytest.mark.parametrize("name", ["independent", "correlated"])
def test_posterior_is_prior_times_the_likelihood_of_the_msle(panel, name):
    problem = bind(MODEL if name == "correlated" else INDEPENDENT, panel)
    truth = TRUTH if name == "correlated" else {k: v for k, v in TRUTH.items() if "corr" not in k}
    theta = problem.parameters.theta(truth)
    for grid in (
        bm.population_grid(bm.sobol(100), 3, panel.n_persons, 3),
        centre(problem, bm.centred(bm.sobol(32)), theta, 4),
    ):
        whole, priors = log_densities(pymc_model_of(problem, grid), problem, theta)
        assert whole - priors == pytest.approx(
            Likelihood(problem, grid).value_and_gradient(theta)[0], abs=1e-10
        )


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_an_error_component_next_to_all_constants_has_no_mean():
    rng = np.random.default_rng(5)
    frame = attributes(rng, 60, 4, ("x",))
    frame["nest"] = (frame["alt"] != 0).astype(float)
    model = bm.MixedLogit("x + C(alt) + nest", random=bm.Normal("nest", mean="0"))
    truth = {"sd[nest]": 1.5, "fixed[x]": 1.0, "fixed[alt[1]]": 0.3, "fixed[alt[2]]": -0.4}
    problem = bind(model, bm.simulate_choices(model, truth, choice_data(frame), rng))
    theta = problem.parameters.theta(truth)
    grid = centre(problem, bm.centred(bm.sobol(32)), theta, 4)
    whole, priors = log_densities(pymc_model_of(problem, grid), problem, theta)
    value = Likelihood(problem, grid).value_and_gradient(theta)[0]
    assert whole - priors == pytest.approx(value, abs=1e-10)
    hierarchical = bm.pymc_model(model, problem.data)
    assert {v.name for v in hierarchical.free_RVs} == {"sd", "fixed", "z"}


@pytest.mark.filterwarnings("ignore:`find_MAP` will:FutureWarning")
def test_mode_under_flat_priors_is_the_msle():
    data = bm.examples.electricity()
    model = bm.MixedLogit("pf + loc", random=[bm.Normal("loc")])
    fit = bm.msle(model, data, grid=bm.sobol(40), starts=1, rng=1)
    flat = {"mean[loc]": (0.0, 1e8), "sd[loc]": 1e8, "fixed[pf]": (0.0, 1e8)}
    with bm.pymc_model(model, data, likelihood="marginal", grid=fit.grid, priors=flat):
        mode = pm.find_MAP(progressbar=False, initvals={"sd": np.array([1.0])})
    found = [mode["mean"][0], mode["sd"][0], mode["fixed"][0]]
    assert np.abs((found - fit.params) / fit.std_errors).max() < 1e-3


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_prior_in_terms_of_the_factor_is_pymcs(panel):
    """Up to a constant: the whitened sampler's density is that of the random variables."""
    problem = bind(MODEL, panel)
    priors = make_priors(problem)
    model = pymc_model_of(problem, bm.population_grid(bm.sobol(4), 3, panel.n_persons, 1))
    at = Parameters(pt.dvector(), pt.dmatrix(), pt.dvector())
    ours = pytensor.function(list(at[:3]), log_prior(problem, priors, at), mode=INTERPRETED)
    rng = np.random.default_rng(5)
    differences = []
    for _ in range(4):
        theta = rng.normal(size=problem.parameters.size)
        theta[problem.parameters.diagonal()] = np.exp(rng.normal(size=3) / 2)
        _, theirs = log_densities(model, problem, theta)
        differences.append(float(ours(*problem.parameters.unpack(theta)[:3])) - theirs)
    assert np.ptp(differences) < 1e-9


def test_nodes_fixed_in_coefficient_space_agree_at_the_anchor_and_nearby():
    data = bm.examples.electricity()
    model = bm.MixedLogit("cl + loc", random=[bm.LKJNormal("cl", "loc")])
    problem = bind(model, data)
    theta = problem.parameters.theta(
        {"mean[cl]": -0.1, "mean[loc]": 1.3, "sd[cl]": 0.3, "sd[loc]": 1.0, "corr[cl, loc]": 0.3}
    )
    grid = centre(problem, bm.centred(bm.sobol(256)), theta, 1)
    variable = pt.dvector()
    mean, chol, fixed = variable[:2], pt.zeros((2, 2)), pt.zeros(0)
    chol = chol[0, 0].set(variable[2])[1, 0].set(variable[3])[1, 1].set(variable[4])
    logp = marginal_log_probabilities(problem, grid, Parameters(mean, chol, fixed))
    fixed_nodes = pytensor.function([variable], logp, mode=INTERPRETED)
    moving = Likelihood(problem, grid)
    assert fixed_nodes(theta) == pytest.approx(moving.by_person(theta)[0], abs=1e-10)
    near = theta + 0.02
    exact = Likelihood(problem, centre(problem, bm.centred(bm.sobol(4096)), near, 2))
    assert np.abs(fixed_nodes(near) - exact.by_person(near)[0]).mean() < 0.02


def test_marginal_likelihood_needs_a_grid(panel):
    with pytest.raises(bm.SpecificationError, match=r"needs a grid: pass grid=fit\.grid"):
        bm.pymc_model(MODEL, panel, likelihood="marginal")
    with pytest.raises(bm.SpecificationError, match="'hierarchical', 'marginal', got 'both'"):
        bm.pymc_model(MODEL, panel, likelihood="both")


def test_nodes_are_not_fixed_where_the_population_is_nearly_singular():
    """A density that is nearly a point says nothing of larger standard deviations."""
    data = bm.examples.electricity()
    model = bm.MixedLogit("cl + loc", random=[bm.Normal("cl", "loc")])
    problem = bind(model, data)
    low = {"mean[cl]": -0.1, "mean[loc]": 1.3, "sd[cl]": 4e-4, "sd[loc]": 1.0}
    grid = centre(problem, bm.centred(bm.sobol(64)), problem.parameters.theta(low), 1)
    variable = pt.dvector()
    logp = marginal_log_probabilities(
        problem, grid, Parameters(variable[:2], pt.diag(variable[2:]))
    )
    function = pytensor.function([variable], logp, mode=INTERPRETED)
    wide = problem.parameters.theta(low | {"sd[cl]": 0.3})
    exact = Likelihood(problem, centre(problem, bm.centred(bm.sobol(1024)), wide, 2))
    assert function(wide).sum() == pytest.approx(exact.by_person(wide)[0].sum(), abs=10.0)


def test_a_grid_of_another_problem_is_refused(panel):
    """Of another dimension, or of another number of persons."""
    data = bm.examples.electricity()
    one = bm.msle(bm.MixedLogit("cl", random=[bm.Normal("cl")]), data, starts=1, rng=1,
                  grid=bm.centred(bm.sobol(8)))  # fmt: skip
    two = bm.MixedLogit("cl + loc", random=[bm.Normal("cl", "loc")])
    for grid in (one.grid, bm.population_grid(bm.sobol(8), 3, data.n_persons, 1)):
        with pytest.raises(bm.SpecificationError, match="random coefficients"):
            bm.msle(two, data, grid=grid)
        with pytest.raises(bm.SpecificationError, match="random coefficients"):
            bm.pymc_model(two, data, likelihood="marginal", grid=grid)
    with pytest.raises(bm.SpecificationError, match="persons"):
        bm.pymc_model(
            bm.MixedLogit("a", random=[bm.Normal("a")]), panel, likelihood="marginal", grid=one.grid
        )


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_priors_of_several_families_in_pymcs_variables(panel):
    """Stand-ins and the potential that makes up for them are the density of the free vector."""
    problem = bind(MODEL, panel)
    given = {
        "mean[a]": bm.Prior("student-t", nu=4, mu=0.2, sigma=1.5),
        "sd[b]": bm.Prior("gamma", alpha=2.5, beta=3.0),
        "corr": 3.0,
        "fixed": bm.Prior("laplace", mu=0, b=0.5),
    }
    priors = make_priors(problem, given)
    grid = bm.population_grid(bm.sobol(4), 3, panel.n_persons, 1)
    model, likelihood = pymc_model_of(problem, grid, given), Likelihood(problem, grid)
    first = problem.parameters.theta(TRUTH)
    thetas = np.stack([first, 0.7 * first, first + 0.2])
    theirs = [
        log_densities(model, problem, theta)[0] - likelihood.value_and_gradient(theta)[0]
        for theta in thetas
    ]
    assert np.ptp(theirs - prior_values(problem, priors, thetas)) < 1e-8
