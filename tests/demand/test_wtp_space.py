"""Demand of a model in WTP space is that of the same model in preference space."""

from functools import cache

import numpy as np
import pytest

import bayesmix as bm
from tests.oracles import choice_frame, choices

TERMS = "price + time + C(mode)"


@cache
def data():
    frame = choices(choice_frame(np.random.default_rng(4), 150, 6))
    model = bm.MixedLogit("price + time", random=bm.Normal("time"))
    truth = {"mean[time]": -0.5, "sd[time]": 1.0, "fixed[price]": -0.8}
    return bm.simulate_choices(model, truth, frame, rng=1)


@cache
def fits():
    """One likelihood in two spaces, on one quadrature: the optimum is the same."""
    return tuple(
        bm.msle(
            bm.MixedLogit(TERMS, random=bm.Normal("time"), wtp=wtp),
            data(),
            grid=bm.gauss_hermite(15),
            starts=1,
        )
        for wtp in (None, "price")
    )


QUANTITIES = {
    "shares": lambda fit, **how: bm.shares(fit, data(), **how),
    "elasticities": lambda fit, **how: bm.elasticities(fit, data(), "price", **how),
    "elasticities of time": lambda fit, **how: bm.elasticities(fit, data(), "time", **how),
    "removal": lambda fit, **how: bm.diversion(fit, data(), "removal", **how),
    "price": lambda fit, **how: bm.diversion(fit, data(), "price", attribute="price", **how),
    "known people": lambda fit, **how: bm.diversion(fit, data(), "removal", people="known", **how),
    "surplus": lambda fit, **how: bm.surplus(fit, data(), price="price", **how),
    "price curve": lambda fit, **how: bm.price_curve(
        fit, data(), "car", prices=[0.5, 1.0, 1.5], price="price", **how
    ),
    "willingness to pay": lambda fit, **how: bm.wtp(fit, "time", price="price", **how),
    "of what is fixed": lambda fit, **how: bm.wtp(fit, "mode[car]", price="price", **how),
}


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_quantities_are_the_same(quantity):
    preference, space = fits()
    assert space.loglik == pytest.approx(preference.loglik, abs=1e-6)
    one, other = (QUANTITIES[quantity](fit, uncertainty="delta", rng=1) for fit in fits())
    compared = [name for name in one.data_vars if np.issubdtype(one[name].dtype, np.number)]
    for name in compared:
        tolerance = 2e-3 if name in ("estimate", "logit") else 2e-2
        np.testing.assert_allclose(
            one[name].to_numpy(), other[name].to_numpy(), rtol=tolerance, atol=tolerance
        )


def test_a_random_willingness_with_a_random_price_has_its_own_law_back():
    law = [bm.LogNormal("price", sign=-1), bm.Normal("time")]
    fit = bm.msle(bm.MixedLogit(TERMS, random=law, wtp="price"), data(), rng=1, starts=1)
    found = bm.wtp(fit, "time", price="price", draws=5, rng=1)["estimate"]
    mean, sd = fit.params["mean[time]"], fit.params["sd[time]"]
    assert float(found.sel(statistic="median")) == pytest.approx(mean, abs=0.01 + 0.02 * sd)
    spread = float(found.sel(statistic="quantile 0.95") - found.sel(statistic="quantile 0.05"))
    assert spread == pytest.approx(2 * 1.6449 * sd, rel=0.03)


def test_covariates_need_to_know_whose_they_are():
    law = bm.Normal("time", mean="1 + income")
    fit = bm.msle(bm.MixedLogit(TERMS, random=law), data(), rng=1, starts=1)
    with pytest.raises(bm.SpecificationError, match="give data="):
        bm.wtp(fit, "time", price="price", draws=5, rng=1)
    found = bm.wtp(fit, "time", price="price", data=data(), draws=5, rng=1)["estimate"]
    assert np.isfinite(found).all()


def test_the_price_is_that_of_the_space():
    renamed = bm.MixedLogit("cost + time", random=bm.Normal("time"), wtp="cost")
    frame = data().frame.rename(columns={"price": "cost"})
    fit = bm.msle(renamed, choices(frame), grid=bm.gauss_hermite(9), starts=1)
    found = bm.wtp(fit, "time", draws=5, rng=1)
    assert found.attrs["price"] == "cost"
    assert found.equals(bm.wtp(fit, "time", "cost", draws=5, rng=1))
    assert bm.surplus(fit, choices(frame), draws=2, rng=1)["estimate"].notnull()
    assert bm.wtp(fits()[0], "time", draws=5, rng=1).attrs["price"] == "price"
