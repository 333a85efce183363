"""Latent classes in PyMC: the likelihood of the fit, the order of classes, NUTS against MLE."""

import numpy as np
import pytensor.tensor as pt
import pytest
import xarray as xr

import bayesmix as bm
from bayesmix.bayes.class_labels import OrderedEntries, check_labels
from bayesmix.bayes.class_priors import prior_table
from bayesmix.bayes.pointwise import free_vectors
from bayesmix.centring.grids import centre
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.points_grid import points_grid
from tests.bayes.conftest import INTERPRETED
from tests.simulated import simulated

POINTS = bm.MixedLogit("x + y", bm.LatentClass("x"))
POINTS_AT = {"fixed[x, 1]": 1.5, "fixed[x, 2]": -1.5, "fixed[y]": 0.5, "share[2]": -0.7}
MIXED = bm.MixedLogit("x + y + w", [bm.LatentClass("x", bm.Normal("y")), bm.Normal("w")])
CORRELATED = bm.MixedLogit("x + y + w", bm.LatentClass("x", bm.LKJNormal("y", "w")))


@pytest.fixture(scope="module")
def data():
    return simulated(POINTS, POINTS_AT, 150, 5, seed=2)


@pytest.fixture(scope="module")
def fit(data):
    return bm.msle(POINTS, data, starts=2, rng=1)


@pytest.fixture(scope="module")
def posterior(data):
    return bm.sample(POINTS, data, draws=300, tune=200, chains=2, rng=1, progress=False)


@pytest.fixture(scope="module")
def trio():
    at = {"mean[x]": 1.0, "sd[x]": 1.0, "fixed[y]": 0.5, "fixed[w]": -0.5}
    model = bm.MixedLogit("x + y + w", bm.Normal("x"))
    return simulated(model, at, 40, 4, seed=3, columns=("x", "y", "w"))


def test_nuts_agrees_with_the_likelihood(fit, posterior):
    table = bm.compare({"MSLE": fit, "NUTS": posterior}, differences=True)
    assert list(table.index) == list(fit.params.index)
    # 600 draws: some 0.06 of Monte Carlo error, and the prior and skewness of 150 persons.
    assert (table[("NUTS", "difference (std errors)")].abs() < 0.35).all()
    ratio = table[("NUTS", "std error")] / table[("MSLE", "std error")]
    assert ratio.between(0.75, 1.3).all()


def test_a_person_left_out_of_classes_by_weights_and_by_a_refit(data, posterior):
    weighed = bm.loo(posterior, data).rows
    assert (weighed["method"] == "weights").all()
    logp = posterior["log_likelihood"]["choices"].to_numpy().reshape(-1, 150)
    harmonic = -np.log(np.exp(-logp).mean(axis=0))  # as weights that are not smoothed have it
    np.testing.assert_allclose(weighed["log score"], harmonic, atol=0.02)
    worst = weighed["pareto_k"].idxmax()
    exact = bm.loo(posterior, data, exact=[worst], rng=2).rows.loc[worst]
    assert exact["method"] == "nuts"
    error = np.hypot(exact["mcse"], weighed.loc[worst, "mcse"])
    assert 0 < abs(exact["log score"] - weighed.loc[worst, "log score"]) < 3 * error


def test_classes_are_in_one_order_and_the_posterior_says_so(posterior):
    draws = posterior["posterior"]
    values = draws["fixed"].sel(term=["x, 2", "x, 1"]).to_numpy()
    assert (np.diff(values, axis=-1) > 0).all()
    assert draws.attrs["ordering"] == "fixed[x, 2] < fixed[x, 1]"
    assert draws.attrs["labels"].startswith("no label switching: 4 half-chains")
    assert "share[2]" in draws.attrs["priors"]


def test_free_vectors_and_demand(data, fit, posterior):
    problem = bind(POINTS, data)
    draws = posterior["posterior"].to_dataset()
    theta = free_vectors(problem, draws)[1, 7]
    values = dict(zip(problem.parameters.names, problem.parameters.natural(theta), strict=True))
    assert values["fixed[x, 2]"] == float(draws["fixed"].sel(term="x, 2")[1, 7])
    assert values["share[2]"] == float(draws["share"].sel(membership="2")[1, 7])
    logp = Likelihood(problem, points_grid(problem)).by_person(theta)[0]
    np.testing.assert_allclose(posterior["log_likelihood"]["choices"][1, 7], logp, atol=1e-12)
    ours = bm.class_probabilities(posterior, data, draws=50, rng=1)["estimate"]
    theirs = bm.class_probabilities(fit, data, draws=2, rng=1)["estimate"]
    assert abs(ours - theirs).max() < 0.1
    ratio = bm.wtp(posterior, "y", "x", draws=20, rng=1, quantiles=(0.1, 0.9))["estimate"]
    again = bm.wtp(fit, "y", "x", draws=20, rng=1, quantiles=(0.1, 0.9))["estimate"]
    np.testing.assert_allclose(ratio, again, atol=0.1)


def test_switched_labels_are_found(data, posterior):
    problem, draws = bind(POINTS, data), posterior["posterior"].to_dataset()
    turned = draws.copy(deep=True)
    turned["fixed"][1, 150:] = draws["fixed"][1, 150:].sel(term=["x, 2", "x, 1", "y"]).to_numpy()
    turned["share"][1, 150:] = -draws["share"][1, 150:]
    assert check_labels(problem, turned).switched == 1
    assert "label switching: 1 of 4" in str(check_labels(problem, turned))


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
@pytest.mark.parametrize("own", [False, True], ids=["population", "centred"])
@pytest.mark.parametrize("model", [MIXED, CORRELATED], ids=["independent", "correlated"])
def test_what_is_added_to_the_priors_is_the_likelihood(trio, model, own):
    problem = bind(model, trio)
    at = 0.5 * np.random.default_rng(4).normal(size=problem.parameters.size)
    grid = bm.population_grid(bm.sobol(8), 2, trio.n_persons, 1)
    if own:
        grid = centre(problem, bm.centred(bm.sobol(8)), at, 1)
    pymc = bm.pymc_model(model, trio, likelihood="marginal", grid=grid)
    start = pymc.initial_point()
    whole = pymc.compile_logp(vars=pymc.potentials, mode=INTERPRETED)(start)
    kinds = list(problem.parameters.labels)
    variables = [pymc[kind] for kind in kinds]
    inside = pymc.replace_rvs_by_values(variables)
    values = pymc.compile_fn(inside, on_unused_input="ignore", mode=INTERPRETED)(start)
    tree = xr.Dataset(
        {k: (("chain", "draw", k), v[None, None]) for k, v in zip(kinds, values, strict=True)}
    )
    theta = free_vectors(problem, tree)[0, 0]
    expected = Likelihood(problem, grid).value_and_gradient(theta)[0]
    assert float(whole) == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_ordered_entries_and_their_jacobian():
    transform, value = OrderedEntries([3, 0]), pt.constant([0.3, -1.0, 2.0, 0.5])
    there = transform.backward(value).eval()
    np.testing.assert_allclose(there, [0.5 + np.exp(0.3), -1.0, 2.0, 0.5])
    np.testing.assert_allclose(transform.forward(pt.constant(there)).eval(), value.data)
    step = 1e-6
    jacobian = np.array([
        (transform.backward(value + d).eval() - transform.backward(value - d).eval()) / (2 * step)
        for d in step * np.eye(4)
    ])  # fmt: skip
    expected = np.log(abs(np.linalg.det(jacobian)))
    assert float(transform.log_jac_det(value).eval()) == pytest.approx(expected, abs=1e-8)


def test_priors_are_of_each_class_and_can_be_replaced(data):
    problem = bind(POINTS, data)
    table = prior_table(problem, {"fixed[x, 2]": (-1.0, 0.5), "share[2]": (0.0, 1.0)})
    assert table.loc["fixed[x, 2]", ["location", "scale"]].tolist() == [-1.0, 0.5]
    assert table.loc["fixed[x, 1]", "location"] == 0.0
    assert table.loc["share[2]", "scale"] == 1.0
    with pytest.raises(SpecificationError, match="did you mean"):
        prior_table(problem, {"fixed[x, 3]": (0.0, 1.0)})


@pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")
def test_hierarchical_models(trio):
    pymc = bm.pymc_model(MIXED, trio)
    assert pymc.initial_point()["z"].shape == (40, 2)
    assert np.isfinite(pymc.compile_logp(mode=INTERPRETED)(pymc.initial_point()))
    with pytest.raises(SpecificationError, match="noncentred=True"):
        bm.pymc_model(MIXED, trio, noncentred=False)
