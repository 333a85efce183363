"""Posteriors of which some parameters are constants."""

from dataclasses import replace

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.bayes.posterior import LogPosterior, Whitened, serial_on
from bayesmix.bayes.prior_density import prior_value_and_gradient
from bayesmix.bayes.priors import make_priors
from bayesmix.errors import SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.likelihood.bind import bind
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + y + z", random=[bm.Correlated(bm.Normal("x"), bm.Normal("y"))])
AT = {
    "mean[x]": 0.6,
    "mean[y]": -0.4,
    "sd[x]": 0.8,
    "sd[y]": 0.7,
    "corr[x, y]": 0.0,
    "fixed[z]": 0.5,
}
HELD = {"mean[y]": -0.4, "sd[x]": 0.8, "corr[x, y]": 0.0, "fixed[z]": 0.5}


def data():
    return simulated(MODEL, AT, 150, 6, seed=2, columns=("x", "y", "z"))


def test_what_is_held_is_a_constant_and_the_rest_are_the_likelihoods():
    """With flat enough priors the posterior is about normal around the MSLE of the free ones."""
    choices = data()
    how = {"draws": 200, "tune": 200, "chains": 2, "rng": 1, "progress": False}
    tree = bm.sample(MODEL, choices, fixed=HELD, likelihood="marginal", **how)
    fit = bm.msle(MODEL, choices, fixed=HELD, grid=bm.gauss_hermite(9), starts=1, rng=1)
    table = bm.compare({"nuts": tree, "msle": fit}, differences=True)
    for name, value in HELD.items():
        assert table.loc[name, ("nuts", "estimate")] == pytest.approx(value, rel=1e-12)
        assert table.loc[name, ("nuts", "std error")] < 1e-12
        assert table.loc[name, ("msle", "estimate")] == pytest.approx(value, rel=1e-12)
        assert np.isnan(table.loc[name, ("msle", "difference (std errors)")])
    errors = np.sqrt(
        np.diag(fit.covariance("hessian").loc[["mean[x]", "sd[y]"], ["mean[x]", "sd[y]"]])
    )
    for name, error in zip(("mean[x]", "sd[y]"), errors, strict=True):
        gap = table.loc[name, ("nuts", "estimate")] - fit.params[name]
        assert abs(gap) < 0.5 * error
        assert table.loc[name, ("nuts", "std error")] == pytest.approx(error, rel=0.3)
    shares = bm.shares(tree, choices, draws=10, rng=1)
    assert shares.notnull().all().to_array().all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fixed": {"sd[x]": 0}}, "no standard deviation at 0"),
        ({"fixed": {"corr[x, y]": 0.5}}, "correlations at 0 alone"),
        ({"fixed": {"fixed[w]": 0}}, r"names 'fixed\[w\]'"),
        ({"fixed": {"fixed[z]": 0}, "noncentred": False}, "with noncentred=True"),
        ({"fixed": {"fixed[z]": 0}, "priors": {"fixed[z]": (0, 1)}}, "the parameter is held"),
    ],
)
def test_what_a_posterior_does_not_hold_is_refused(options, words):
    with pytest.raises(SpecificationError, match=words):
        bm.sample(MODEL, data(), progress=False, **options)


def test_ties_and_bounds_are_for_fits():
    tied = replace(MODEL, constraints=bm.Constraints(equal=[("mean[x]", "mean[y]")]))
    with pytest.raises(SpecificationError, match=r"neither tie nor bound.*equal coefficients add"):
        bm.sample(tied, data(), progress=False)
    linear = replace(MODEL, constraints=bm.Constraints(linear=["mean[x] = 2 * mean[y]"]))
    bounded = replace(MODEL, constraints=bm.Constraints(bounds={"mean[x]": (0, 2)}))
    for model, words in ((linear, "columns' combination"), (bounded, r"give a prior, priors=")):
        with pytest.raises(SpecificationError, match=words):
            bm.sample(model, data(), progress=False)
    with pytest.raises(SpecificationError, match=r"bm\.sample"):
        bm.pymc_model(tied, data())


def test_a_correlation_held_at_0_leaves_the_prior_of_independent_laws():
    """The Jacobian too: what is held is none of the coordinates of its row."""
    values = {}
    for name, law, held in (
        ("held", bm.LKJNormal("x", "y"), {"corr[x, y]": 0.0}),
        ("own", bm.Normal("x", "y"), None),
    ):
        model = bm.MixedLogit("x + y", random=law, constraints=bm.Constraints(held))
        problem = bind(model, data())
        priors, space = make_priors(problem), problem.parameters
        for size in (0.5, 0.05, 1e-4):
            sds = {"sd[x]": 0.3, "sd[y]": size, "corr[x, y]": 0.0}
            theta = space.theta({n: sds.get(n, 0.2) for n in space.names})
            values[name, size] = prior_value_and_gradient(problem, priors, theta)[0]
    for size in (0.05, 1e-4):
        ours, theirs = (values[n, size] - values[n, 0.5] for n in ("held", "own"))
        assert ours == pytest.approx(theirs, abs=1e-10)


def test_where_numbers_do_not_reach_there_is_no_exception():
    """An exception in a chain would be the end of the process."""
    model = bm.MixedLogit("x + y + z", random=bm.LKJNormal("x", "y", "z"))
    problem, rng = bind(model, data()), np.random.default_rng(1)
    grid = population_grid(bm.sobol(16), 3, problem.n_persons, 1)
    for given in ({}, {"cov": bm.InverseWishart(mean_precision=0.1)}):
        at = make_priors(problem, given)
        posterior = LogPosterior(problem, at, serial_on(problem, grid))
        size = problem.parameters.size
        found = Whitened(posterior, np.zeros(size), np.eye(size))
        for far in (1.0, 30.0, 400.0, 1e5):
            for _ in range(5):
                value, gradient = found(far * rng.normal(size=size))
                assert isinstance(value, float)
                assert gradient.shape == (size,)
        assert np.isfinite(found(np.zeros(size))[0])
