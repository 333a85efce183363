"""Diversion: removal and finite changes by brute force, logits in closed form, who leaves."""

import numpy as np
import pytest

import bayesmix as bm
from bayesmix.errors import SpecificationError
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.point import Point
from tests.demand.test_elasticities import QUICK, moved
from tests.demand.test_shares import softmax
from tests.simulated import attributes, choice_data

KINDS = [
    {"kind": "removal"},
    {"kind": "quality"},
    {"kind": "price"},
    {"kind": "size"},
    {"kind": "finite", "attribute": "price", "change": lambda rows: 2 * rows["price"]},
]


@pytest.mark.parametrize("people", ["population", "known"])
@pytest.mark.parametrize("options", KINDS, ids=lambda o: o["kind"])
def test_rows_sum_to_one(fit, data, options, people):
    found = bm.diversion(fit, data, **options, by="half", people=people, **QUICK)
    for name in ("estimate", "logit"):
        values = found[name]
        assert values.dims == ("segment", "origin", "destination")
        np.testing.assert_allclose(values.sum("destination"), 1.0, atol=1e-12)
        assert (values.to_numpy()[:, np.arange(4), np.arange(4)] == 0).all()
    assert found["destination"].to_numpy().tolist() == [0, 1, 2, 3, "outside"]


@pytest.mark.parametrize("people", ["population", "known"])
def test_removal_is_removal(fit, data, people):
    found = bm.diversion(fit, data, people=people, **QUICK)["estimate"]
    now = bm.shares(fit, data, people=people, **QUICK)["estimate"]
    for j in range(4):
        gone = data.without(j)
        then = bm.shares(fit, data, scenario=gone, people=people, **QUICK)["estimate"]
        others = then["alternative"].to_numpy()
        expected = (then - now.sel(alternative=others)) / now.sel(alternative=j)
        np.testing.assert_allclose(
            found.sel(origin=j, destination=others), expected.to_numpy(), atol=1e-12
        )


def test_finite_changes_are_differences_of_shares(fit, data):
    double = {"attribute": "price", "change": lambda rows: 2 * rows["price"]}
    found = bm.diversion(fit, data, "finite", **double, **QUICK)["estimate"]
    now = bm.shares(fit, data, **QUICK)["estimate"]
    for j in range(4):
        change = moved(fit, data, "price", lambda x: 2 * x, j) - now
        expected = -(change / change.sel(alternative=j)).to_numpy()
        expected[j] = 0.0
        np.testing.assert_allclose(found.sel(origin=j), expected, atol=1e-12)


def test_derivatives_of_one_sign_give_the_ratio_of_derivatives(fit, data):
    """Price is disliked by all here, and size liked: |beta| is the derivative up to its sign."""
    for attribute in ("price", "size"):
        found = bm.diversion(fit, data, attribute, **QUICK)["estimate"].to_numpy()
        effect = bm.elasticities(fit, data, attribute, kind="marginal", **QUICK)["estimate"]
        expected = -effect.to_numpy() / np.diag(effect)[:, None]
        expected[np.arange(4), np.arange(4)] = 0.0
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_sizes_of_both_signs_do_not_cancel(fit, data):
    """The weights |beta_i| s_ij (1 - s_ij), summed over people and nodes by hand."""
    problem = bind(fit.model, data)
    grid = bm.population_grid(bm.sobol(64), 2, data.n_persons, np.random.default_rng(5))
    nodes, _ = grid.block(0, data.n_persons)
    beta, base = Point(problem, fit.theta).coefficients(nodes), Point(problem, fit.theta).base
    flows, leaving = np.zeros((4, 5)), np.zeros(4)
    start = data.situation_start
    for t, i in enumerate(np.repeat(np.arange(data.n_persons), np.diff(data.person_start))):
        rows = np.arange(start[t], start[t + 1])
        v = base[rows, None] + problem.design.random[rows] @ beta[i]
        e = np.vstack([np.exp(v), np.ones(64)])
        p, codes = e / e.sum(axis=0), [*data.alternative_code[rows], 4]
        size = abs(beta[i, 1]) * data.weights[i]
        for a, j in enumerate(codes[:-1]):
            flows[j, codes] += (p * p[a] * size).sum(axis=1)
            flows[j, j] -= (p[a] * p[a] * size).sum()
            leaving[j] += (p[a] * (1 - p[a]) * size).sum()
    assert (beta[:, 1] < 0).any()
    found = bm.diversion(fit, data, "quality", attribute=None, **QUICK)["estimate"]
    assert not np.allclose(found, flows / leaving[:, None], atol=1e-3)
    renamed = bm.diversion(fit, data, "column", attribute="quality", **QUICK)["estimate"]
    np.testing.assert_allclose(renamed, flows / leaving[:, None], atol=1e-12)


def test_multinomial_logit_in_closed_form():
    frame = attributes(np.random.default_rng(3), 60, 2)
    frame["choice"] = (frame["alt"] == frame["task"] % 3).astype(int)
    data = choice_data(frame)
    fit = bm.msle(bm.MixedLogit("x + y + C(alt)"), data)
    p = softmax(data, bind(fit.model, data).design.fixed @ fit.theta).reshape(-1, 3)
    for kind, w in (("removal", p), ("quality", p * (1 - p)), ("x", p * (1 - p))):
        expected = np.einsum("tj,tk,tj->jk", w / w.sum(axis=0), p, 1 / (1 - p))
        expected[np.arange(3), np.arange(3)] = 0.0
        found = bm.diversion(fit, data, kind, draws=3, rng=1)
        np.testing.assert_allclose(found["estimate"], expected, atol=1e-12)
        np.testing.assert_allclose(found["logit"], expected, atol=1e-12)


def test_a_segment_without_the_alternative_diverts_nobody(fit, data):
    only = data.with_attribute("half", "c", where=lambda f: f["who"] == 5)
    there = only.without(1)
    found = bm.diversion(fit, data, scenario=there, by="half", **QUICK)["estimate"]
    rows = data.frame[(data.frame["who"] == 5)]["alt"].unique()
    for j in (0, 2, 3):
        row = found.sel(segment="c", origin=j)
        assert np.isnan(row).all() if j not in rows else row.sum() == pytest.approx(1.0)


def test_who_leaves(fit, data):
    """Everybody who chose it, by the definition of a conditional mean; and the price sensitive."""
    found = bm.marginal_consumers(fit, data, covariates=["poor", "price"], **QUICK)
    assert bm.demand_table(found).shape == (4, 4)
    removal = found["estimate"]
    problem = bind(fit.model, data)
    grid = bm.population_grid(bm.sobol(64), 2, data.n_persons, np.random.default_rng(5))
    nodes, _ = grid.block(0, data.n_persons)
    beta, base = Point(problem, fit.theta).coefficients(nodes), Point(problem, fit.theta).base
    beta, w = beta[data.row_person], data.weights[data.row_person]
    v = base[:, None] + np.einsum("rk,rks->rs", problem.design.random, beta)
    p = np.column_stack([softmax(data, v[:, s]) for s in range(64)])
    for j in range(4):
        mine = data.alternative_code == j
        weight = (w[:, None] * p)[mine]
        means = np.einsum("rs,rks->k", weight, beta[mine]) / weight.sum()
        np.testing.assert_allclose(removal[j, :2], means, atol=1e-12)
        z = data.frame.loc[mine, ["poor", "price"]].to_numpy()
        np.testing.assert_allclose(
            removal[j, 2:], weight.sum(axis=1) @ z / weight.sum(), atol=1e-12
        )
    names = removal["characteristic"].to_numpy().tolist()
    assert names == ["price", "quality", "poor", "price (column)"]
    price = bm.marginal_consumers(fit, data, "price", **QUICK)["estimate"]
    assert (price.sel(characteristic="price") < removal[:, 0]).all()


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("removal", {"attribute": "price"}, "changes no attribute"),
        ("finite", {"attribute": "price"}, "needs the values"),
        ("price", {"change": lambda rows: rows["price"]}, "leaves all utilities as they are"),
        ("poor", {"change": lambda rows: rows["poor"]}, "leaves all utilities as they are"),
    ],
)
def test_interventions_are_checked(fit, data, kind, options, words):
    with pytest.raises(SpecificationError, match=words):
        bm.diversion(fit, data, kind, **options)
