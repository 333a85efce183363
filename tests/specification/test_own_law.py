"""A law of one's own, that of docs/own_law.md: every path, and where it is refused."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

import bayesmix as bm
from bayesmix.errors import SpecificationError
from bayesmix.kernels.laws import law_bend, law_table, law_values
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.laws.base import FAMILIES
from bayesmix.specification.laws.rows import known_of, row_of
from bayesmix.specification.moments import moments
from bayesmix.study import read_study
from tests.simulated import simulated

TEXT = (Path(__file__).parents[2] / "docs" / "own_law.md").read_text(encoding="utf-8")
AT = {"mean[x]": 0.6, "sd[x]": 1.2, "fixed[y]": -0.5}


@pytest.fixture(scope="module")
def laplace(tmp_path_factory):
    """The module that the document holds, from a file."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path_factory.mktemp("own") / "laplace.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("laplace", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["laplace"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["laplace"], FAMILIES["laplace"]


@pytest.fixture(scope="module")
def fitted(laplace):
    model = bm.MixedLogit("x + y", random=laplace.Laplace("x"))
    data = simulated(model, AT, 300, 8, seed=3)
    return bm.msle(model, data, grid=bm.centred(bm.sobol(64)), starts=1, rng=1), data


def test_it_is_fitted_and_its_likelihood_is_that_of_scipys_quantiles(laplace, fitted):
    fit, data = fitted
    for name, value in AT.items():
        assert abs(fit.params[name] - value) < 3 * fit.std_errors[name], name
    problem = bind(fit.model, data)
    grid = bm.population_grid(bm.sobol(4096), 1, data.n_persons, 1)
    logp = Likelihood(problem, grid).by_person(fit.theta)[0]
    c = fit.model.coefficients[0]
    twin = c.law.twin(c, fit.params["mean[x]"], fit.params["sd[x]"])
    nodes, _ = grid.block(0, 1)
    beta = twin.ppf(ndtr(nodes[0, 0]))
    rows = data.frame.iloc[:24]
    v = np.outer(rows["x"], beta) + fit.params["fixed[y]"] * rows["y"].to_numpy()[:, None]
    p = np.exp(v).reshape(8, 3, -1)
    chosen = rows["choice"].to_numpy().reshape(8, 3).argmax(axis=1)
    each = (p[np.arange(8), chosen] / p.sum(axis=1)).prod(axis=0)
    assert logp[0] == pytest.approx(np.log(each.mean()), rel=1e-9)
    found = moments(c, 0.6, 1.2)
    assert (found.mean, found.sd) == pytest.approx((0.6, 1.2))


def test_it_is_sampled_both_ways(fitted):
    fit, data = fitted
    for likelihood in ("marginal", "hierarchical"):
        posterior = bm.sample(
            fit.model, data, likelihood=likelihood, draws=200, tune=200, chains=2, rng=1,
            progress=False,
        )["posterior"]  # fmt: skip
        mean = float(posterior["mean"].mean())
        assert abs(mean - fit.params["mean[x]"]) < 2 * fit.std_errors["mean[x]"], likelihood


def test_demand_and_storage(fitted, tmp_path):
    fit, data = fitted
    assert bool(bm.elasticities(fit, data, "y").to_array().notnull().all())
    fit.save(tmp_path / "fit.nc")
    assert bm.Fit.load(tmp_path / "fit.nc", data).model == fit.model


def test_where_it_is_not_known_it_is_refused_with_words(laplace, fitted, tmp_path):
    fit, data = fitted
    family = FAMILIES.pop("laplace")
    try:
        with pytest.raises(bm.SpecificationError, match="known once the file that registers it"):
            bind(fit.model, data)
    finally:
        FAMILIES["laplace"] = family
    study = tmp_path / "small.toml"
    study.write_text(
        '[data]\nexample = "electricity"\n[utility]\nformula = "pf + cl"\n'
        '[[random]]\nlaw = "laplace"\nterms = ["pf"]\n'
    )
    with pytest.raises(bm.SpecificationError, match="a study does not run: fit it in Python"):
        read_study(study)


def test_a_name_that_is_taken_is_refused(laplace):
    with pytest.raises(bm.SpecificationError, match="'normal' is there already"):
        laplace.register(replace(FAMILIES["laplace"], name="normal"))


TABLED = """
import math

import numpy as np

from bayesmix.specification.laws import Family, independent, law_map, register

CELLS = 200


@law_map
def _fill(at, known, table):
    for k in range(CELLS + 1):
        table[k] = math.sinh(at[1] * (8.0 * k / CELLS - 4.0))


@law_map
def _map(d, at, known, table, out):
    s = max(at[1], 1e-100)
    for n in range(d.shape[0]):
        value = math.sinh(d[n])
        place = (d[n] / s + 4.0) * CELLS / 8.0
        k = int(place)
        if {guard}0 <= place and k < CELLS:
            value = table[k] + (place - k) * (table[k + 1] - table[k])
        out[0, n] = at[0] + value
        out[1, n] = math.cosh(d[n])
        out[2, n] = 1.0
        out[3, n] = 0.0


def Sinh(*terms, mean="1"):
    return independent("Sinh", terms, "{name}", mean=mean)


register(
    Family(
        name="{name}", words="sinh", make=Sinh, map=_map, moves=True, fill=_fill, table=CELLS + 1
    )
)
"""


def own_module(folder, name, guard):
    path = folder / f"{name}.py"
    path.write_text(TABLED.format(name=name, guard=guard), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_map_that_needs_its_table_everywhere_is_refused(tmp_path):
    """At single points there is none: compiled, it would read what happens to be there."""
    with pytest.raises(SpecificationError, match=r"'sinh_bad' reads a table that is empty"):
        own_module(tmp_path, "sinh_bad", "")
    assert "sinh_bad" not in FAMILIES


def test_a_table_is_filled_for_blocks_and_absent_at_single_points(tmp_path):
    module = own_module(tmp_path, "sinh_law", "table.shape[0] > 0 and ")
    try:
        c = module.Sinh("x").coefficients[0]
        z = np.linspace(-2.9, 3.1, 8)
        at, known = np.array([0.2, 0.8]), known_of(c)
        laws = row_of(c.law)[None, :]
        exact = 0.2 + np.sinh(0.8 * z)
        by_table = law_values(laws[0], known, 0.8 * z, np.array([0.2]), at)[:, 0]
        np.testing.assert_allclose(by_table, exact, rtol=2e-3)
        assert np.abs(by_table - exact).max() > 1e-6  # it is the table's
        alone = law_table(laws, known[None], 0.8 * z[:, None], np.array([[0.2]]), np.array([0.8]))
        np.testing.assert_allclose(alone[0, :, 0], exact, rtol=1e-12)
        bend = law_bend(laws, known[None], 0, 0.5, at)
        assert bend == pytest.approx(np.sinh(0.5), rel=1e-5)
    finally:
        del FAMILIES["sinh_law"]
