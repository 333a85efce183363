"""The hierarchical posterior as numbers: PyTensor's graph of it, however persons are centred."""

from dataclasses import replace
from functools import cache

import arviz as az
import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.hierarchical import Hierarchical, information_at, no_information
from bayesmix.bayes.hierarchical_sampling import TUNE
from bayesmix.bayes.paths import check_centring, sampled_path
from bayesmix.bayes.priors import make_priors
from bayesmix.bayes.whitened import posterior_mode
from bayesmix.centring.grids import centre, find_anchors
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.point import Point
from tests.bayes.conftest import INTERPRETED
from tests.simulated import attributes, choice_data, simulated

from .conftest import TRUTH
from .graphs import whitened_model

WISHART = {"cov": bm.InverseWishart(mean_precision=0.2)}
MODELS = {
    "fixed coefficient": (bm.MixedLogit("a + b + c + d", random=bm.LKJNormal("a", "b")), {}),
    "inverse-Wishart": (bm.MixedLogit("a + b", random=bm.LKJNormal("a", "b")), WISHART),
    "law that moves": (bm.MixedLogit("a + b", random=[bm.Triangular("a"), bm.Normal("b")]), {}),
    "shape": (bm.MixedLogit("a + b", random=[bm.YeoJohnson("a"), bm.LogNormal("b")]), {}),
    "willingness to pay": (
        bm.MixedLogit("c + a + b", random=[bm.LogNormal("c", sign=-1), bm.Normal("a")], wtp="c"),
        {},
    ),
    "held": (
        bm.MixedLogit(
            "a + b",
            random=bm.LKJNormal("a", "b"),
            constraints=bm.Constraints(fixed={"corr[a, b]": 0.0}),
        ),
        {},
    ),
    "shift and scales": (
        bm.MixedLogit(
            "a + b + d", random=[bm.Normal("a", mean="1 + z"), bm.Normal("b")], scale="source"
        ),
        {},
    ),
}


@cache
def problem_of(name):
    """A model bound to choices of twenty persons, whose tasks are of two sources."""
    rng = np.random.default_rng(4)
    frame = attributes(rng, 20, 4, columns=("a", "b", "c", "d"))
    frame["c"] = np.exp(frame["c"] / 2)
    frame["z"] = np.repeat(rng.normal(size=20), 12)
    frame["source"] = np.where(frame["task"] % 2, "SP", "RP")
    return bind(MODELS[name][0], choice_data(frame))


@cache
def whitening_of(name):
    problem, priors = problem_of(name), MODELS[name][1]
    space = problem.parameters
    theta = problem.canonical(space.theta({n: TRUTH.get(n, 0.5) for n in space.names}))
    grid = centre(problem, bm.centred(bm.sobol(32)), theta, 1)
    return posterior_mode(problem, grid, theta, priors)


def forms(name):
    """The posterior without centring, and with the persons' information."""
    problem, at = problem_of(name), whitening_of(name)
    priors = make_priors(problem, MODELS[name][1])
    known = information_at(problem, at.theta), no_information(problem)
    partial, plain = (Hierarchical(problem, priors, at, own) for own in known)
    return plain, partial


@pytest.mark.parametrize("name", MODELS)
def test_value_and_gradient_without_centring_are_those_of_the_graph(name) -> None:
    plain, _ = forms(name)
    problem, at = problem_of(name), whitening_of(name)
    graph = whitened_model(problem, None, at, MODELS[name][1], hierarchical=True)
    value = graph.compile_logp(jacobian=False, mode=INTERPRETED)
    gradient = graph.compile_dlogp(jacobian=False, mode=INTERPRETED)
    rng, differences = np.random.default_rng(3), []
    for _ in range(2):
        x = rng.normal(size=plain.size)
        own, d_own = plain(x)
        z = x[plain.population :].reshape(problem.n_persons, -1)
        at_x = {"x": x[: plain.population], "z": z}
        differences.append(own - float(value(at_x)))
        np.testing.assert_allclose(d_own, gradient(at_x), rtol=1e-9, atol=1e-8)
    # What is left is the constant of the normals.
    assert differences == pytest.approx([z.size * np.log(2 * np.pi) / 2] * 2, abs=1e-8)


@pytest.mark.parametrize("name", MODELS)
def test_centring_is_a_change_of_variables(name) -> None:
    """The same density of the persons' normals u, with the Jacobian of the map to them."""
    plain, partial = forms(name)
    x = np.random.default_rng(7).normal(size=plain.size)
    u = partial.normals(x)
    chol = Point(plain.problem, partial.theta(x)).parameters.chol
    precision = np.eye(len(chol)) + chol.T @ partial.information.matrix @ chol
    log_jacobian = -0.5 * np.linalg.slogdet(precision)[1].sum()
    value, gradient = partial(x)
    other, _ = plain(np.concatenate([x[: plain.population], u.ravel()]))
    assert value == pytest.approx(other + log_jacobian, abs=1e-8)
    assert np.abs(u - x[plain.population :].reshape(u.shape)).max() > 0.1
    for place in [*range(plain.population), plain.population, plain.size - 1]:
        step = np.zeros(plain.size)
        step[place] = 1e-5
        slope = (partial(x + step)[0] - partial(x - step)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_the_normal_laws_are_those_of_the_modes() -> None:
    """At the anchor, z = 0 are the persons' modes, and z has the scale of their curvatures."""
    name = "fixed coefficient"
    _, partial = forms(name)
    problem, at = problem_of(name), whitening_of(name)
    anchors = find_anchors(problem, at.theta)
    middle = np.zeros(partial.size)
    np.testing.assert_allclose(partial.normals(middle), anchors.centres[:, 0], atol=1e-8)
    step = middle.copy()
    step[partial.population] = 1.0
    moved = partial.normals(step)[0] - partial.normals(middle)[0]
    root = anchors.roots[0, 0]
    precision = np.linalg.inv(root @ root.T)
    assert moved @ precision @ moved == pytest.approx(1.0)


def test_weights_are_refused_where_nothing_is_integrated(panel) -> None:
    model = bm.MixedLogit("a", random=bm.Normal("a"))
    weights = np.where(np.arange(len(panel.persons)) % 2, 0.5, 1.5)
    frame = panel.frame.assign(choice=0, w=np.repeat(weights, 24))
    frame.loc[frame.index[panel.chosen_row], "choice"] = 1
    names = {"person": "id", "situation": "task", "alternative": "alt", "chosen": "choice"}
    weighted = bm.ChoiceData.from_long(frame, **names, weights="w")
    with pytest.raises(bm.SpecificationError, match=r"persons have weights.*likelihood='marginal'"):
        bm.sample(model, weighted, likelihood="hierarchical", progress=False)


def test_a_person_of_weight_0_is_left_out() -> None:
    """So are persons in refits of `bm.loo`; without that person the population's slopes agree."""
    name = "fixed coefficient"
    problem, at = problem_of(name), whitening_of(name)
    weights = np.ones(20)
    weights[-1] = 0.0
    weighted = replace(problem, data=replace(problem.data, weights=weights))
    assert sampled_path(weighted, "hierarchical")[0] == "hierarchical"
    own = no_information(problem)
    one = Hierarchical(weighted, make_priors(problem), at, own)
    x = np.random.default_rng(3).normal(size=one.size)
    other = x.copy()
    other[-2:] = 0.0  # of the last person, whose normals now have their prior alone
    (value, slopes), (without, others) = one(x), one(other)
    assert value == pytest.approx(without - 0.5 * (x[-2:] ** 2).sum(), abs=1e-9)
    np.testing.assert_allclose(slopes[:-2], others[:-2], atol=1e-9)


def test_a_form_that_is_none_is_refused(panel) -> None:
    model = bm.MixedLogit("a", random=bm.Normal("a"))
    with pytest.raises(bm.SpecificationError, match=r"'noncentred' must be True, False, 'partial'"):
        bm.sample(model, panel, likelihood="hierarchical", noncentred="some", progress=False)


def test_forms_are_known_in_every_way_of_saying_them() -> None:
    """NumPy's True and False too: results of comparisons are these."""
    assert check_centring(np.True_) is True
    assert check_centring(np.False_) is False
    assert [check_centring(word) for word in ("auto", "partial")] == ["auto", "partial"]


def test_chains_are_gone_on_with_by_a_call_that_says_the_defaults(tmp_path) -> None:
    model = bm.MixedLogit("x", random=bm.Normal("x"))
    data = simulated(model, {"mean[x]": 1.0, "sd[x]": 0.7}, 20, 5, seed=2, columns=("x",))
    options = {"likelihood": "hierarchical", "draws": 10, "chains": 1, "rng": 3, "progress": False}
    first = bm.sample(model, data, checkpoint=tmp_path / "kept", **options)
    said = {"tune": TUNE, "noncentred": "partial"}
    again = bm.sample(model, data, checkpoint=tmp_path / "kept", **said, **options)
    np.testing.assert_array_equal(first["posterior"]["mean"], again["posterior"]["mean"])


def test_every_form_samples_the_marginal_posterior(panel) -> None:
    """With an inverse-Wishart prior, which plain variables of PyMC's had trouble with."""
    model = bm.MixedLogit("a + b", random=bm.LKJNormal("a", "b"))
    options = {"priors": WISHART, "rng": 5, "progress": False, "draws": 200}
    exact = bm.sample(model, panel, method="importance", **(options | {"draws": 1000}))
    wanted = az.summary(exact, kind="stats", round_to="none")
    for form in ("partial", True):
        tree = bm.sample(
            model, panel, likelihood="hierarchical", noncentred=form, chains=2, tune=150, **options
        )
        found = az.summary(tree, kind="all", round_to="none")
        assert found["r_hat"].max() < 1.05
        gap = (found["mean"] - wanted["mean"]).abs()
        assert (gap < 4 * found["mcse_mean"] + 0.1 * wanted["sd"]).all()
        assert (found["sd"] / wanted["sd"]).between(0.75, 1.33).all()
        assert int(tree["sample_stats"]["diverging"].sum()) == 0


def test_scores_without_a_person_are_those_of_refits() -> None:
    """Weights of a hierarchical posterior against posteriors sampled on its own path."""
    model = bm.MixedLogit("x", random=bm.Normal("x"))
    data = simulated(model, {"mean[x]": 1.0, "sd[x]": 0.7}, 20, 5, seed=2, columns=("x",))
    options = {"draws": 300, "chains": 2, "tune": 100, "rng": 3, "progress": False}
    posterior = bm.sample(model, data, likelihood="hierarchical", **options)
    weighed = bm.loo(posterior, data, refit=False).rows
    exact = bm.loo(posterior, data, exact=[4], rng=5, progress=False).rows.loc[4]
    assert exact["method"] == "nuts"
    gap = weighed.loc[4, "log score"] - exact["log score"]
    assert abs(gap) < 4 * np.hypot(weighed.loc[4, "mcse"], exact["mcse"])
