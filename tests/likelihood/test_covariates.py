"""Observed heterogeneity: means that depend on covariates of persons, and means of 0."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.optimize import approx_fprime

import bayesmix as bm
from bayesmix.bayes.graph import free_parameters, log_integrals, shared_chunk
from bayesmix.bayes.models import pymc_model
from bayesmix.centring.grids import centre
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import centred, sobol
from bayesmix.kernels.coefficient_space import density_integrals
from bayesmix.likelihood.bind import bind, bind_scenario
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.likelihood.point import Point
from bayesmix.optimise.freeze import freeze
from tests.bayes.conftest import INTERPRETED
from tests.oracles import choice_frame, choices
from tests.shares import shares_at

FORMULA = "price + time + C(mode)"
LAWS = {
    "normal": [bm.Normal("price", mean="1 + income + C(group)"), bm.Normal("time")],
    "error component": [bm.Normal("price"), bm.Normal("mode[train]", mean="0")],
    "lognormal without a constant": [bm.LogNormal("price", sign=-1, mean="0 + income")],
    "correlated": [bm.LKJNormal("time", "price", mean="income")],
}


def data(**columns):
    return choices(choice_frame(np.random.default_rng(1)).assign(**columns))


def problem(kind, wtp=None, **columns):
    return bind(bm.MixedLogit(FORMULA, random=LAWS[kind], wtp=wtp), data(**columns))


def point(bound):
    return np.random.default_rng(3).normal(scale=0.4, size=bound.parameters.size)


def test_names_and_layout():
    space = problem("normal").parameters
    assert space.names == (
        "mean[price]", "mean[time]", "sd[price]", "sd[time]", "fixed[mode[car]]",
        "fixed[mode[train]]", "shift[price, income]", "shift[price, group[young]]",
    )  # fmt: skip
    space = problem("error component").parameters
    assert space.names[:3] == ("mean[price]", "sd[price]", "sd[mode[train]]")
    space = problem("lognormal without a constant").parameters
    assert "mean[price]" not in space.names
    assert space.names[-1] == "shift[price, income]"


@pytest.mark.parametrize("kind", LAWS)
def test_the_free_vector_and_what_is_printed(kind):
    space = problem(kind).parameters
    theta = space.canonical(point(problem(kind)))
    natural = space.natural(theta)
    np.testing.assert_allclose(space.theta(dict(zip(space.names, natural, strict=True))), theta)
    numeric = np.array(
        [approx_fprime(theta, lambda t, p=p: space.natural(t)[p], 1e-7) for p in range(space.size)]
    )
    np.testing.assert_allclose(space.jacobian(theta), numeric, atol=1e-6)


@pytest.mark.parametrize("kind", LAWS)
def test_it_is_the_same_likelihood_person_by_person(kind):
    """Each person alone, with the mean that the covariates give, in the model without any."""
    bound = problem(kind)
    space, theta = bound.parameters, point(bound)
    grid = population_grid(sobol(16), space.n_random, bound.n_persons, 1)
    logp, scores = Likelihood(bound, grid).by_person(theta)
    plain = bind(
        bm.MixedLogit(FORMULA, random=[bm.Normal(*space.random)])
        if kind == "error component"
        else bm.MixedLogit(
            FORMULA,
            random={
                "normal": bm.Normal("price", "time"),
                "lognormal without a constant": bm.LogNormal("price", sign=-1),
                "correlated": bm.LKJNormal("time", "price"),
            }[kind],
        ),
        data(),
    )
    _, chol, fixed, *_ = space.unpack(theta)
    frame = bound.data.frame
    first = bound.data.situation_start[bound.data.person_start[:-1]]
    income = frame["income"].to_numpy()[first]
    young = (frame["group"] == "young").to_numpy()[first]
    value = dict(zip(space.names, space.natural(theta), strict=True))
    shift = sum(
        value.get(f"shift[price, {name}]", 0.0) * z
        for name, z in (("income", income), ("group[young]", young))
    )
    for i in range(5):
        mean = np.array([value.get(f"mean[{n}]", 0.0) for n in space.random])
        at = space.random.index("price")
        mean[at] += np.broadcast_to(shift, income.shape)[i]
        if kind == "correlated":
            mean[0] += value["shift[time, income]"] * income[i]
        np.testing.assert_allclose(
            np.broadcast_to(Point(bound, theta).locations, (30, len(mean)))[i], mean
        )
        expected, _ = Likelihood(plain, grid).by_person(plain.parameters.pack(mean, chol, fixed))
        assert logp[i] == pytest.approx(expected[i], abs=1e-12)
    function = Likelihood(bound, grid)
    gradient = function.value_and_gradient(theta)[1]
    numeric = approx_fprime(theta, lambda t: function.value_and_gradient(t)[0], 1e-7)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-5, atol=2e-4)
    np.testing.assert_allclose(bound.data.weights @ scores, gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["normal", "lognormal without a constant"])
def test_slopes_of_shares(kind):
    bound = problem(kind)
    theta = point(bound)
    grid = population_grid(sobol(8), bound.parameters.n_random, bound.n_persons, 1)
    (found,) = shares_at(bound, grid, theta)
    row = 7
    numeric = approx_fprime(theta, lambda t: next(shares_at(bound, grid, t)).values[row], 1e-7)
    np.testing.assert_allclose(found.slopes[row], numeric, atol=1e-6)


def test_chunks_of_persons_have_their_own_means():
    bound = problem("normal")
    theta = point(bound)
    grid = population_grid(sobol(8), 2, bound.n_persons, 1)
    whole = Point(bound, theta).mixture(*grid.block(0, 30)).loc
    part = Point(bound, theta).part(11, 20).mixture(*grid.block(11, 20)).loc
    np.testing.assert_array_equal(part, whole[11:20])


def test_willingness_to_pay_with_covariates():
    """With a fixed price: the preference-space model in other units."""
    law = bm.Normal("time", mean="1 + income")
    ours = bind(bm.MixedLogit("price + time", random=law, wtp="price"), data())
    theirs = bind(bm.MixedLogit("price + time", random=law), data())
    grid = population_grid(sobol(16), 1, ours.n_persons, 1)
    theta = np.array([0.7, 0.4, -0.8, 0.3])  # mean, sd, price, shift
    preference = theta * np.array([0.8, 0.8, 1.0, 0.8])
    np.testing.assert_allclose(
        Likelihood(ours, grid).by_person(theta)[0],
        Likelihood(theirs, grid).by_person(preference)[0],
        atol=1e-12,
    )


def test_nodes_fixed_in_coefficient_space():
    bound = bind(
        bm.MixedLogit("price", random=bm.Normal("price", mean="1 + income")),
        choices(choice_frame(np.random.default_rng(2), 300, 12)),
    )
    theta = bm.msle(bound.model, bound.data, rng=1, starts=1).theta
    grid = centre(bound, centred(sobol(64)), theta, 1)
    loc, chol = Point(bound, theta).locations, bound.parameters.unpack(theta)[1]
    logp, *_ = density_integrals(loc, chol, np.ones((1, 1), dtype=bool), *freeze(bound, grid)[0])
    np.testing.assert_allclose(logp, Likelihood(bound, grid).by_person(theta)[0], rtol=1e-11)


def test_estimates_cover_the_truth_in_both_paths():
    frame = choice_frame(np.random.default_rng(4), 300, 6)
    model = bm.MixedLogit("price + time", random=bm.Normal("price", mean="1 + income"))
    truth = {
        "mean[price]": -1.0,
        "sd[price]": 0.8,
        "fixed[time]": -0.5,
        "shift[price, income]": 0.6,
    }
    drawn = bm.simulate_choices(model, truth, choices(frame), rng=1)
    fit = bm.msle(model, drawn, rng=1)
    for name, value in truth.items():
        assert abs(fit.params[name] - value) < 3 * fit.std_errors[name]
    assert fit.params["shift[price, income]"] > 3 * fit.std_errors["shift[price, income]"]
    post = bm.sample(model, drawn, draws=200, tune=200, chains=2, rng=1, progress=False)
    shift = post["posterior"]["shift"].sel(shifted="price, income")
    gap = float(shift.mean()) - fit.params["shift[price, income]"]
    assert abs(gap) < 0.3 * fit.std_errors["shift[price, income]"]
    assert 0.7 < float(shift.std()) / fit.std_errors["shift[price, income]"] < 1.4
    table = bm.compare({"NUTS": post, "MSLE": fit})
    assert not table.loc["shift[price, income]"].isna().any()


def test_the_samplers_graph_is_the_same_model():
    bound = problem("lognormal without a constant")
    theta = point(bound)
    grid = population_grid(sobol(8), 1, bound.n_persons, 1)
    variable = pt.dvector()
    parameters = free_parameters(variable, bound.parameters)
    chunk = shared_chunk(bound.chunk(grid, 0, bound.n_persons))
    value = log_integrals(bound, chunk, parameters).sum()
    found, slope = pytensor.function(
        [variable], [value, pytensor.grad(value, variable)], mode=INTERPRETED
    )(theta)
    expected, gradient = Likelihood(bound, grid).value_and_gradient(theta)
    assert found == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(slope, gradient, atol=1e-9)


def test_the_hierarchical_model_has_the_shifts():
    model = pymc_model(problem("normal").model, data())
    assert {"mean", "sd", "shift", "fixed", "z"} <= set(model.named_vars)
    assert list(model.coords["shifted"]) == ["price, income", "price, group[young]"]


def test_scenarios_and_saved_fits(tmp_path):
    model = bm.MixedLogit("price + time", random=bm.Normal("price", mean="1 + income"))
    panel = choices(choice_frame(np.random.default_rng(4), 80, 6))
    fit = bm.msle(model, panel, rng=1, starts=1)
    fit.save(tmp_path / "fit.json")
    again = bm.Fit.load(tmp_path / "fit.json", panel)
    np.testing.assert_array_equal(again.params, fit.params)
    richer = panel.with_attribute("income", lambda f: f["income"] + 1.0)
    there, here = (
        bind(model, panel),
        Point(fit.problem, fit.theta).locations,
    )

    moved = Point(bind_scenario(there, richer), fit.theta).locations
    np.testing.assert_allclose(moved - here, fit.params["shift[price, income]"])


def test_what_cannot_be_a_covariate():
    def bound(mean, frame):
        return bind(bm.MixedLogit(FORMULA, random=bm.Normal("price", mean=mean)), choices(frame))

    frame = choice_frame(np.random.default_rng(1))
    with pytest.raises(
        DataError, match=r"'time' of a mean varies within \d+ of \d+ persons \(pers"
    ):
        bound("1 + time", frame)
    moved = frame["group"].where(
        frame.index != 1, "old" if frame["group"][1] == "young" else "young"
    )
    with pytest.raises(
        DataError, match=r"'group' of a mean .* 1 of \d+ persons \(person 0 in row 1\)"
    ):
        bound("1 + C(group)", frame.assign(group=moved))
    with pytest.raises(SpecificationError, match=r"a mean: .* 'np\.cumsum' reads other rows"):
        bound("1 + np.cumsum(income)", frame)
    with pytest.raises(DataError, match="'same' of a mean does not vary over persons"):
        bound("1 + same", frame.assign(same=2.0))
    with pytest.raises(DataError, match="'incom"):
        bound("1 + incom", frame)
    frame.loc[frame["who"] == 3, "income"] = np.nan
    missing = (
        r"'income' is missing for 1 of \d+ persons \(persons 3\): fill .*, or drop these persons"
    )
    with pytest.raises(DataError, match=missing):
        bound("1 + income", frame)
    classes = bm.MixedLogit(FORMULA, random=bm.LatentClass("price", share="1 + income"))
    with pytest.raises(DataError, match=missing):
        bind(classes, choices(frame))
    with pytest.raises(DataError, match=missing):
        bm.msle(bm.MixedLogit(FORMULA), choices(frame), cluster="income")
    # In the utility rows count, which may be marked unavailable.
    with pytest.raises(DataError, match=r"'income' is missing in \d+ of \d+ rows .*unavailable"):
        bind(bm.MixedLogit("price + C(mode):income"), choices(frame))
    with pytest.raises(SpecificationError, match="such as '1 \\+ income'"):
        bm.Normal("price", mean="1 + + (") and bound("1 + + (", frame)
