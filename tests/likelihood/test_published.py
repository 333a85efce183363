"""Log-likelihoods that other software printed, at the coefficients that it printed.

The draws of mlogit and xlogit (unscrambled Halton, 100 elements dropped) are reproduced, so that
the simulated values are met to the last digit; the cross-section of Swissmetro has exact values.
"""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.hermite_e import hermegauss

from bayesmix import Correlated, LogNormal, Normal
from bayesmix.centring.people import People
from bayesmix.centring.row_shares import expected_rows
from bayesmix.data.choices import ChoiceData
from bayesmix.integration.grids import OneGrid, population_grid
from bayesmix.integration.rules import gauss_hermite, halton
from bayesmix.likelihood.bind import bind
from bayesmix.likelihood.evaluate import Likelihood
from bayesmix.specification.model import MixedLogit

DIGITS = 1e-6  # as many as are recorded


@pytest.fixture(scope="module")
def reference(shared_file):
    """`reference("fishing", "xlogit_mnl")`: the record of a published result."""

    def read(name, key):
        records = json.loads(shared_file(name, "refs.json").read_text())
        return next(record for record in records if record["id"] == key)

    return read


@pytest.fixture(scope="module")
def electricity(shared_data):
    return ChoiceData.from_long(
        shared_data("electricity"),
        person="id",
        situation="chid",
        alternative="alt",
        chosen="choice",
    )


@pytest.fixture(scope="module")
def fishing(shared_data):
    return ChoiceData.from_long(
        shared_data("fishing"), person=None, situation="id", alternative="alt", chosen="choice"
    )


@pytest.fixture(scope="module")
def swissmetro(shared_data):
    """The cross-section, with the Swissmetro as the base of the constants."""
    frame = shared_data("swissmetro")
    frame["alt"] = pd.Categorical(frame["alt"], ["SM", "TRAIN", "CAR"])
    return ChoiceData.from_long(
        frame.assign(case=frame["id"] * 100 + frame["obs"]),
        person=None,
        situation="case",
        alternative="alt",
        chosen="choice",
        availability="avail",
    )


def loglik(data, model, theta, rule):
    """The log-likelihood in nats; ``theta`` maps a parameter space to the free vector."""
    problem = bind(model, data)
    grid = population_grid(rule, problem.parameters.n_random, problem.n_persons)
    value, _ = Likelihood(problem, grid).value_and_gradient(theta(problem.parameters))
    return value


def independent(coef):
    """The free vector of independent coefficients named "x" and "sd.x"."""

    def theta(space):
        mean = np.array([coef[n] for n in space.random])
        sd = np.diag([coef[f"sd.{n}"] for n in space.random])
        return space.pack(mean, sd, np.array([coef[n] for n in space.fixed]))

    return theta


@pytest.mark.parametrize(
    ("key", "nodes", "random", "value"),
    [
        ("mlogit_mxl1", 100, ["pf", "cl", "loc", "wk", "tod", "seas"], -3952.487732),
        ("mlogit_mxl2", 100, ["cl", "loc", "wk", "tod", "seas"], -3961.73529),
        ("xlogit_mxl", 600, ["pf", "cl", "loc", "wk", "tod", "seas"], -3888.46507),
    ],
)
def test_independent_normals_of_electricity(electricity, reference, key, nodes, random, value):
    coef = reference("electricity", key)["coef"]
    model = MixedLogit("pf + cl + loc + wk + tod + seas", random=Normal(*random))
    rule = halton(nodes, scramble=False)
    assert loglik(electricity, model, independent(coef), rule) == pytest.approx(value, abs=DIGITS)


def test_correlated_normals_and_lognormals_of_electricity(electricity, reference):
    coef = reference("electricity", "mlogit_mxl5_corr")["coef"]
    law = Correlated(Normal("cl", "loc", "wk"), LogNormal("tod", "seas", sign=-1))
    model = MixedLogit("pf + cl + loc + wk + tod + seas", random=law)

    def theta(space):
        names = space.random
        chol = np.zeros((5, 5))
        for k, row in enumerate(names):
            for j, column in enumerate(names[: k + 1]):
                chol[k, j] = coef[f"chol.{column}:{row}"]
        return space.pack(np.array([coef[n] for n in names]), chol, np.array([coef["pf"]]))

    value = loglik(electricity, model, theta, halton(100, scramble=False))
    assert value == pytest.approx(-3851.442048, abs=DIGITS)


def test_normals_of_fishing(fishing, reference):
    coef = reference("fishing", "xlogit_mxl")["coef"]
    model = MixedLogit("price + catch", random=Normal("price", "catch"))
    value = loglik(fishing, model, independent(coef), halton(1000, scramble=False))
    assert value == pytest.approx(-1300.511342, abs=DIGITS)


def test_multinomial_logit_of_fishing(fishing, reference):
    coef = reference("fishing", "xlogit_mnl")["coef"]
    model = MixedLogit("C(alt) + C(alt):income + price + catch")

    def theta(space):
        printed = {f"alt[{a}]": f"_intercept.{a}" for a in ("boat", "charter", "pier")}
        printed |= {f"alt[{a}]:income": f"income.{a}" for a in ("boat", "charter", "pier")}
        return np.array([coef[printed.get(name, name)] for name in space.fixed])

    # Printed coefficients have few digits: the recorded -1215.137604 is that of more of them.
    value = loglik(fishing, model, theta, gauss_hermite(1))
    assert value == pytest.approx(-1215.137604, abs=5e-6)


SWISSMETRO = {"alt[TRAIN]": "asc_train", "alt[CAR]": "asc_car", "cost": "b_cost", "tt": "b_time"}


def biogeme(coef):
    """The free vector from the names of the biogeme examples."""

    def theta(space):
        mean = np.array([coef["b_time"] for _ in space.random])
        sd = np.array([[coef["b_time_s"]]]) if len(mean) else np.zeros((0, 0))
        return space.pack(mean, sd, np.array([coef[SWISSMETRO[n]] for n in space.fixed]))

    return theta


def test_multinomial_logit_of_swissmetro(swissmetro, reference):
    coef = reference("swissmetro", "biogeme_b01a_logit")["coef"]
    value = loglik(swissmetro, MixedLogit("C(alt) + tt + cost"), biogeme(coef), gauss_hermite(1))
    assert value == pytest.approx(-5331.252006916163, abs=1e-9)


def test_what_is_not_available_plays_no_role(swissmetro, shared_data):
    """1,161 situations without a car: no row, no probability, whatever its columns hold."""
    without = swissmetro.n_rows - 3 * swissmetro.n_situations
    assert without == -swissmetro.rows_left_out == -1161
    frame = shared_data("swissmetro")
    model = MixedLogit("C(alt) + tt + cost", random=Normal("tt"))
    coef = {"asc_train": -0.4, "asc_car": 0.1, "b_time": -2.3, "b_time_s": 1.7, "b_cost": -1.3}
    frame.loc[frame["avail"] == 0, ["tt", "cost"]] = np.nan
    frame["alt"] = pd.Categorical(frame["alt"], ["SM", "TRAIN", "CAR"])
    blank = ChoiceData.from_long(
        frame.assign(case=frame["id"] * 100 + frame["obs"]),
        person=None,
        situation="case",
        alternative="alt",
        chosen="choice",
        availability="avail",
    )
    problem = bind(model, blank)
    theta = biogeme(coef)(problem.parameters)
    grid = OneDimension(STEPS, np.exp(-0.5 * STEPS**2))
    shares, _ = expected_rows(People(problem, grid), problem, theta)
    sets = np.diff(blank.situation_start)
    np.testing.assert_allclose(np.add.reduceat(shares, blank.situation_start[:-1]), 1.0, rtol=1e-12)
    assert np.bincount(sets).tolist() == [0, 0, 1161, 6768 - 1161]
    same, _ = Likelihood(bind(model, swissmetro), grid).value_and_gradient(theta)
    assert Likelihood(problem, grid).value_and_gradient(theta)[0] == same


@dataclass(frozen=True, eq=False)
class OneDimension(OneGrid):
    """A rule of one dimension as a grid that everyone shares."""

    nodes: np.ndarray
    weights: np.ndarray
    shared = True
    halves = ()

    @property
    def size(self):
        return len(self.nodes)

    def block(self, start, stop):
        return self.nodes[None, None], self.weights[None] / self.weights.sum()

    def part(self, start, stop):
        return self


STEPS = np.linspace(-9.0, 9.0, 601)


@pytest.mark.parametrize(
    ("key", "law", "exact"),
    [
        ("biogeme_b05a_normal_mixture", Normal("tt"), -5214.893421842725),
        ("biogeme_b05b_normal_mixture_integral", Normal("tt"), -5214.905269400305),
        ("biogeme_b17a_lognormal_mixture", LogNormal("tt", sign=-1), -5231.420108206014),
        ("biogeme_b17b_lognormal_mixture_integral", LogNormal("tt", sign=-1), -5231.455743367600),
    ],
)
def test_mixtures_over_the_cross_section_of_swissmetro(swissmetro, reference, key, law, exact):
    """Two rules. Of the recorded values the first is exact, the others are those of 120
    Gauss-Hermite nodes, off by up to 0.002; the trapezoidal rule is exact to rounding, and was
    evaluated in NumPy alone."""
    record = reference("swissmetro", key)
    problem = bind(MixedLogit("C(alt) + tt + cost", random=law), swissmetro)
    theta = biogeme(record["coef"])(problem.parameters)
    trapezoid = OneDimension(STEPS, np.exp(-0.5 * STEPS**2))
    hermite = OneDimension(*hermegauss(120))
    recorded = trapezoid if key == "biogeme_b05a_normal_mixture" else hermite
    for grid, expected in [(trapezoid, exact), (recorded, record["exact_ll_at_coef"])]:
        value, _ = Likelihood(problem, grid).value_and_gradient(theta)
        assert value == pytest.approx(expected, abs=DIGITS)


@dataclass(frozen=True, eq=False)
class GivenNodes(OneGrid):
    """The same given nodes (S, K) for everyone, equally weighted."""

    values: np.ndarray
    shared = True
    halves = ()

    @property
    def size(self):
        return len(self.values)

    def block(self, start, stop):
        nodes = np.ascontiguousarray(self.values.T)[None]
        return nodes, np.full((1, len(self.values)), 1 / len(self.values))

    def part(self, start, stop):
        return self


@pytest.mark.parametrize(
    ("key", "draws", "value"),
    [
        ("logitr_pref", "draws_logitr_mxl_pref.csv", -1243.54830192),
        ("logitr_wtp", "draws_logitr_mxl_wtp.csv", -1241.15678121),
    ],
)
def test_independent_normals_of_yogurt(shared_data, shared_file, reference, key, draws, value):
    """On logitr's own draws, in preference and in WTP space."""
    frame = shared_data("yogurt")
    data = ChoiceData.from_long(
        frame, person="id", situation="chid", alternative="alt", chosen="choice"
    )
    terms = ("feat", "brand[hiland]", "brand[weight]", "brand[yoplait]")
    coef = reference("yogurt", key)["coef"]
    wtp = "price" if "scalePar" in coef else None
    model = MixedLogit("price + feat + C(brand)", random=Normal(*terms), wtp=wtp)
    problem = bind(model, data)
    names = [term.replace("[", "").replace("]", "") for term in terms]
    mean = np.array([coef[n] for n in names])
    sd = np.array([coef[f"sd_{n}"] for n in names])
    price = -coef["scalePar"] if wtp else coef["price"]
    theta = problem.parameters.pack(mean, np.diag(sd), np.array([price]))
    nodes = pd.read_csv(shared_file("yogurt", draws)).to_numpy()[:, 1:]
    found, _ = Likelihood(problem, GivenNodes(nodes)).value_and_gradient(theta)
    assert found == pytest.approx(value, abs=DIGITS)
