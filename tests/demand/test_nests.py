"""Demand of a nested logit against closed forms, the outside option in a nest."""

from __future__ import annotations

import numpy as np
import pytest

import bayesmix as bm
from tests.simulated import simulated

MODEL = bm.MixedLogit("x + p", nests=bm.Nests({"low": [0, 1], "out": [2, "outside"]}))
TRUTH = {"fixed[x]": 1.0, "fixed[p]": -0.8, "nest[low]": 0.4, "nest[out]": 0.7}
HOW = {"draws": 2, "rng": 1}


@pytest.fixture(scope="module")
def data():
    return simulated(MODEL, TRUTH, 150, 2, seed=2, columns=("x", "p"), outside_option=True)


@pytest.fixture(scope="module")
def fit(data):
    return bm.msle(MODEL, data, starts=1)


@pytest.fixture(scope="module")
def utilities(fit, data):
    """Utilities (T, 4) at the estimates, the outside option's last."""
    v = data.frame[["x", "p"]].to_numpy() @ fit.params[["fixed[x]", "fixed[p]"]].to_numpy()
    return np.column_stack([v.reshape(-1, 3), np.zeros(len(v) // 3)])


def closed(fit, v, offered=(0, 1, 2, 3)):
    """Probabilities (T, 4), and log-sums (T,), of the alternatives that are offered."""
    total, parts = 0.0, []
    for name, members in (("low", (0, 1)), ("out", (2, 3))):
        scale = fit.params[f"nest[{name}]"]
        own = [j for j in members if j in offered]
        z = np.exp(v[:, own] / scale)
        parts.append((own, z / z.sum(axis=1)[:, None], z.sum(axis=1) ** scale))
        total = total + parts[-1][2]
    prob = np.zeros_like(v)
    for own, within, value in parts:
        prob[:, own] = within * (value / total)[:, None]
    return prob, np.log(total)


def test_shares_and_predictions(fit, data, utilities):
    prob, _ = closed(fit, utilities)
    found = bm.shares(fit, data, **HOW)["estimate"]
    np.testing.assert_allclose(found, prob.mean(axis=0), atol=1e-12)
    table = bm.predict(fit, data, **HOW)
    assert table["probability"].to_numpy() == pytest.approx(prob.ravel(), abs=1e-12)
    assert fit.predict()["probability"].to_numpy() == pytest.approx(prob.ravel(), abs=1e-12)
    known = bm.shares(fit, data, people="known", **HOW)["estimate"]
    np.testing.assert_allclose(known, found, atol=1e-12)


def test_a_scenario_and_diversion_by_removal(fit, data, utilities):
    prob, _ = closed(fit, utilities)
    without, _ = closed(fit, utilities, (1, 2, 3))
    found = bm.shares(fit, data, scenario=data.without(0), **HOW)["estimate"]
    np.testing.assert_allclose(found, without.mean(axis=0)[1:], atol=1e-12)
    moved = bm.diversion(fit, data, **HOW)
    gain = (without - prob).mean(axis=0)[1:] / prob[:, 0].mean()
    np.testing.assert_allclose(moved["estimate"].sel(origin=0)[1:], gain, atol=1e-12)
    np.testing.assert_allclose(moved["estimate"].sum("destination"), 1.0, atol=1e-12)
    # More goes to what shares a nest than where shares alone decide.
    to = {"origin": 0, "destination": 1}
    assert moved["estimate"].sel(to) > moved["logit"].sel(to) + 0.1


def test_diversion_from_what_all_but_everybody_chooses(data):
    """Utilities of dozens: what one alternative leaves to the others is down to 1e-30."""
    held = {"fixed[x]": 25.0, "nest[low]": 0.5, "nest[out]": 0.7}
    sharp = bm.msle(MODEL, data, starts=1, fixed=held)
    v = data.frame[["x", "p"]].to_numpy() @ sharp.params[["fixed[x]", "fixed[p]"]].to_numpy()
    v = np.column_stack([v.reshape(-1, 3), np.zeros(len(v) // 3)])
    prob, _ = closed(sharp, v)
    assert (np.sort(prob, axis=1)[:, :3].sum(axis=1) < 1e-10).sum() > 30
    found = bm.diversion(sharp, data, **HOW)["estimate"]
    for j in range(3):
        others = [k for k in range(4) if k != j]
        gain = (closed(sharp, v, others)[0] - prob)[:, others].mean(axis=0) / prob[:, j].mean()
        np.testing.assert_allclose(found[j][others], gain, atol=1e-13)


def test_elasticities_are_those_of_differences(fit, data, utilities):
    found = bm.elasticities(fit, data, "p", kind="marginal", **HOW)["estimate"]
    for j in range(3):
        step = 1e-6 * np.eye(4)[j] * fit.params["fixed[p]"]
        up, down = (closed(fit, utilities + h)[0].mean(axis=0) for h in (step, -step))
        np.testing.assert_allclose(found[j], (up - down) / 2e-6, atol=1e-9)
    change = bm.elasticities(fit, data, "p", change=lambda rows: rows["p"] + 1, **HOW)
    new = closed(fit, utilities + np.eye(4)[1] * fit.params["fixed[p]"])[0]
    moved = new.mean(axis=0) - closed(fit, utilities)[0].mean(axis=0)
    np.testing.assert_allclose(change["estimate"].sel(changed=1), moved, atol=1e-12)


def test_surplus_and_price_curves(fit, data, utilities):
    slope = fit.params["fixed[p]"]
    before, after = (closed(fit, utilities, own)[1] for own in ((0, 1, 2, 3), (1, 2, 3)))
    found = bm.surplus(fit, data, price="p", scenario=data.without(0), **HOW)
    assert float(found["estimate"]) == pytest.approx((after - before).mean() / -slope, abs=1e-12)
    curve = bm.price_curve(fit, data, 2, price="p", prices=[-1.0, 0.5, 1.0], **HOW)
    own = utilities.copy()
    own[:, 2] += slope * (0.5 - data.frame["p"].to_numpy().reshape(-1, 3)[:, 2])
    expected = closed(fit, own)[0][:, 2].mean()
    share = curve["estimate"].sel(quantity="share", price=0.5)
    assert float(share) == pytest.approx(expected, abs=1e-12)


def test_shares_that_vanish_are_refused_in_words(fit, data):
    """Logarithms, which tell where they would go, are those of the logit."""
    far = data.with_attribute("x", -2000.0, alternative=2)
    for function, more in ((bm.diversion, ()), (bm.elasticities, ("p",))):
        with pytest.raises(bm.SpecificationError, match=r"below 1e-290, .* with nests .*without\("):
            function(fit, far, *more, **HOW)
    found = bm.shares(fit, far, **HOW)["estimate"]
    assert float(found.sel(alternative=2)) < 1e-290
