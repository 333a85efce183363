"""Willingness to pay: closed forms of ratios, and the mean that does not exist."""

import numpy as np
import pytest
from scipy.stats import norm

import bayesmix as bm
from bayesmix.demand.draws import parameter_draws
from bayesmix.errors import SpecificationError
from tests.demand.test_elasticities import bootstrapped
from tests.simulated import simulated

PROBABILITIES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
STATISTICS = ["mean", "quantile 0.05", "quantile 0.25", "median", "quantile 0.75", "quantile 0.95"]


def fitted(*laws, **sds):
    model = bm.MixedLogit("x + y", random=list(laws))
    at = {"x": 1.0, "y": -0.7}
    at = {f"{'mean' if n in sds else 'fixed'}[{n}]": v for n, v in at.items()}
    at |= {f"sd[{n}]": v for n, v in sds.items()}
    data = simulated(model, at, 150, 5, seed=2)
    return bm.msle(model, data, grid=bm.centred(bm.sobol(32)), starts=1, rng=1), data


@pytest.fixture(scope="module")
def lognormal():
    return fitted(bm.Normal("x"), bm.LogNormal("y", sign=-1), x=0.8, y=0.5)


def test_normal_over_fixed():
    fit, _ = fitted(bm.Normal("x"), x=1.2)
    p = fit.params
    found = bm.wtp(fit, "x", price="y", uncertainty="delta", rng=1)
    assert found["statistic"].to_numpy().tolist() == STATISTICS
    mean, sd = -p["mean[x]"] / p["fixed[y]"], -p["sd[x]"] / p["fixed[y]"]
    expected = mean + sd * norm.ppf(PROBABILITIES)
    assert float(found["estimate"][0]) == pytest.approx(mean, abs=1e-3 * sd)
    np.testing.assert_allclose(found["estimate"][1:], expected, atol=3e-3 * sd)
    ratio = fit.delta(lambda q: -q[["mean[x]"]] / q["fixed[y]"])["std error"].item()
    width = float(found["high"][0] - found["low"][0])
    assert width == pytest.approx(2 * norm.ppf(0.975) * ratio, rel=2e-3)


def test_a_lognormal_price_has_a_mean(lognormal):
    fit, data = lognormal
    p = fit.params
    found = bm.wtp(fit, "x", price="y", draws=3, rng=1)["estimate"].sel(statistic="mean")
    expected = p["mean[x]"] * np.exp(-p["mean[y]"] + p["sd[y]"] ** 2 / 2)
    assert float(found) == pytest.approx(expected, rel=5e-3)
    on_data = bm.wtp(fit, "x", price="y", data=data, draws=2, rng=1)["estimate"][0]
    assert float(on_data) == pytest.approx(expected, rel=5e-3)


def test_a_ratio_of_lognormals():
    fit, _ = fitted(bm.LogNormal("x"), bm.LogNormal("y", sign=-1), x=0.5, y=0.5)
    p = fit.params
    found = bm.wtp(fit, "x", price="y", draws=3, rng=1)["estimate"][1:]
    sd = np.hypot(p["sd[x]"], p["sd[y]"])
    expected = p["mean[x]"] - p["mean[y]"] + sd * norm.ppf(PROBABILITIES)
    np.testing.assert_allclose(np.log(found), expected, atol=0.01 * max(sd, 0.1))


def test_known_people_are_those_of_the_data(lognormal):
    fit, data = lognormal
    found = bm.wtp(fit, "x", price="y", data=data, people="known", draws=2, rng=3)
    persons = bm.individuals(fit, data, draws=400, rng=3)["beta"]
    ratio = -(persons.sel(random="x") / persons.sel(random="y")).to_numpy().ravel()
    median, spread = np.median(ratio), np.subtract(*np.quantile(ratio, [0.75, 0.25]))
    assert float(found["estimate"].sel(statistic="median")) == pytest.approx(
        median, abs=0.03 * spread
    )


def test_a_normal_price_has_no_mean():
    fit, _ = fitted(bm.Normal("x", "y"), x=0.8, y=0.3)
    found = bm.wtp(fit, "x", price="y", draws=3, rng=1)
    assert "mean" not in found["statistic"]
    assert "does not exist" in found.attrs["note"]
    with pytest.raises(SpecificationError, match=r"density at 0.*median.*LogNormal"):
        bm.wtp(fit, "x", price="y", mean=True, draws=3)


def test_a_posterior_needs_no_data(posterior, fit, data):
    found = bm.wtp(posterior, "np.log(size)", "quality", draws=6, rng=1)["estimate"]
    thetas = parameter_draws(posterior, data, 6).thetas
    each = [
        bm.wtp(
            fit, "np.log(size)", "quality", uncertainty=bootstrapped(fit, np.stack([t, t])), rng=1
        )["low"]
        for t in thetas
    ]
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-12)


def test_arguments_are_checked(lognormal):
    fit, _ = lognormal
    with pytest.raises(
        SpecificationError, match=r"no coefficient 'price': its coeff.*\['x', 'y'\]"
    ):
        bm.wtp(fit, "x")
    with pytest.raises(SpecificationError, match="give data="):
        bm.wtp(fit, "x", price="y", people="known")
    with pytest.raises(SpecificationError, match="'quantiles' must be different numbers"):
        bm.wtp(fit, "x", price="y", quantiles=[50])


@pytest.mark.parametrize(("term", "price"), [("pf", "cl"), ("cl", "pf")])
def test_a_coefficient_that_is_part_of_a_slope_is_refused(term, price):
    """The law of the reference group was printed as that of all people."""
    data = bm.examples.electricity()
    fit = bm.msle(bm.MixedLogit("pf + cl + C(seas):cl"), data)
    with pytest.raises(SpecificationError, match=r"'cl' by the terms \['seas\[1\]:cl'\]"):
        bm.wtp(fit, term, price=price, data=data)
