"""Every mixing law by maximum simulated likelihood: recovery, moments of the estimates."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bayesmix import (
    CensoredNormal,
    Correlated,
    Exponential,
    Gamma,
    JohnsonSB,
    MixedLogit,
    Normal,
    Triangular,
    TruncatedNormal,
    Uniform,
    YeoJohnson,
    msle,
)
from bayesmix.classical.implied import implied_moments
from bayesmix.integration.rules import centred, sobol
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.simulate import draw_coefficients
from tests.simulated import simulated

TRUTHS = {
    "uniform": (Uniform("x"), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "triangular": (Triangular("x"), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "zero-bounded": (Triangular("x", zero_bounded=True, sign=-1), {"sd[x]": 0.5}),
    "truncated": (TruncatedNormal("x", lower=0), {"mean[x]": 0.5, "sd[x]": 1.0}),
    "censored": (CensoredNormal("x", lower=0), {"mean[x]": 0.3, "sd[x]": 1.0}),
    "exponential": (Exponential("x", sign=-1), {"sd[x]": 1.0}),
    "gamma": (Gamma("x", sign=-1), {"mean[x]": 0.0, "sd[x]": 0.7}),
    "johnson": (JohnsonSB("x", lower=-3, upper=0), {"mean[x]": 0.3, "sd[x]": 1.2}),
    "yeo-johnson": (YeoJohnson("x"), {"mean[x]": 0.4, "shape[x]": -1.0, "sd[x]": 1.2}),
    "correlated": (
        Correlated(Gamma("x", sign=-1), Uniform("y")),
        {"mean[x]": 0.0, "sd[x]": 0.7, "corr[x, y]": -0.5},
    ),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_parameters_and_moments_are_recovered(name):
    law, own = TRUTHS[name]
    truth = own | {"mean[y]": 0.6, "sd[y]": 0.8}
    model = MixedLogit("x + y", random=[law] if law.correlated else [law, Normal("y")])
    data = simulated(model, truth, 300, 8, seed=3)
    fit = msle(model, data, grid=centred(sobol(64)), starts=1, rng=1)
    for parameter, value in truth.items():
        assert abs(fit.params[parameter] - value) < 3 * fit.std_errors[parameter], parameter
    # The moments of the table are those of coefficients drawn from the law at the estimates.
    problem = bind(model, simulated(model, truth, 40_000, 1))
    beta = draw_coefficients(
        problem, problem.parameters.theta(fit.params), np.random.default_rng(1)
    )
    summary, x = fit.summary(), beta[:, 0]
    error, spread = x.std() / len(x) ** 0.5, summary["estimate"]
    share = (x > 0).mean()
    if "share positive[x]" in spread:
        assert spread["share positive[x]"] == pytest.approx(share, abs=0.01)
    mean = spread["implied mean[x]"] if "implied mean[x]" in spread else spread["mean[x]"]
    sd = spread["implied sd[x]"] if "implied sd[x]" in spread else spread["sd[x]"]
    assert x.mean() == pytest.approx(mean, abs=4 * error)
    assert x.std() == pytest.approx(sd, rel=0.03)


def test_the_share_of_people_who_are_not_at_a_bound_of_0():
    """Whoever is censored at 0 does not care: the table says how many do, from either side."""
    params = pd.Series({"mean[x]": 0.3, "sd[x]": 1.0})
    data = simulated(MixedLogit("x"), {"fixed[x]": 0.5}, 20, 2, columns=("x",))
    laws = (
        CensoredNormal("x", lower=0),
        CensoredNormal("x", lower=-2, upper=0),
        Normal("x", mean="0"),
    )
    of_laws = [implied_moments(bind(MixedLogit("x", random=law), data)) for law in laws]
    above, below = (found(params).rename(index=str) for found in of_laws[:2])
    assert above["share positive[x]"] == pytest.approx(norm.cdf(0.3))
    assert below["share negative[x]"] == pytest.approx(norm.cdf(-0.3))
    assert "share positive[x]" not in below
    assert of_laws[2] is None


def test_a_censored_law_that_shrinks_to_a_point_leaves_the_others_their_standard_errors():
    """As those of the fixed coefficient that it has become."""
    own = Normal("x")
    truth = {"mean[x]": 0.6, "sd[x]": 0.5, "fixed[y]": 0.45, "fixed[z]": -0.9}
    model = MixedLogit("x + y + z", random=[own])
    data = simulated(model, truth, 80, 6, seed=1, columns=("x", "y", "z"))
    point, law = (
        msle(MixedLogit("x + y + z", random=r), data, grid=centred(sobol(64)), starts=1, rng=1)
        for r in ([own], [own, CensoredNormal("z", upper=0)])
    )
    assert "sd[z] at the boundary 0" in law.message
    assert "Not identified" not in law.message
    assert np.isnan(law.std_errors["sd[z]"])
    found = law.std_errors.rename({"mean[z]": "fixed[z]"})[point.std_errors.index]
    np.testing.assert_allclose(found, point.std_errors, rtol=0.05)
