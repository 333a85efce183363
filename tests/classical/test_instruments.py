"""Instruments of simulated moments: drawn, given, redundant."""

import numpy as np
import pytest

from bayesmix.classical.gmm import SituationMoments, weight_root
from bayesmix.classical.instruments import (
    independent,
    optimal_instruments,
)
from bayesmix.classical.msm import msm
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.bind import bind
from bayesmix.specification.laws.normal import Normal
from bayesmix.specification.model import MixedLogit
from tests.classical.moments_fits import MODEL, data
from tests.simulated import choice_data


def test_instruments_are_drawn_independently_of_residuals():
    """Also where the grid was made with the fit's own seed."""
    grid = population_grid(sobol(32), 1, 600, 1)
    fit = msm(MODEL, data(), grid=grid, rng=1)
    assert fit.grid is grid
    problem = bind(MODEL, data())
    same = SituationMoments(problem, grid, optimal_instruments(problem, grid, fit.theta))
    assert np.abs(same.by_person(fit.theta)[0].sum(axis=0)).max() > 1e-3


def test_the_users_instruments():
    formula = "x + y + I(x**2) + I(x*y)"
    fit = msm(MODEL, data(), grid=sobol(64), instruments=formula, steps="one-step", rng=1)
    x, y = data().frame["x"].to_numpy(), data().frame["y"].to_numpy()
    array = np.column_stack([x, y, x**2, x * y, x + y])  # the last says nothing new
    same = msm(MODEL, data(), grid=sobol(64), instruments=array, steps="one-step", rng=1)
    np.testing.assert_allclose(fit.params, same.params, atol=1e-8)
    assert fit.overidentification.df == same.overidentification.df == 1


def test_redundant_instruments_are_left_out():
    x, y = data().frame["x"].to_numpy(), data().frame["y"].to_numpy()
    constant = np.repeat(np.arange(data().n_situations), 3)  # the same for all alternatives
    kept = independent(np.column_stack([x, constant, 2 * x + constant, y]), data())
    assert kept.shape[1] == 2
    assert np.corrcoef(kept[:, 1], y)[0, 1] == pytest.approx(1.0)
    spread = np.diag([1.0, 4.0, 0.0])
    root = weight_root(spread, 2)
    np.testing.assert_allclose(root @ root.T, np.diag([1.0, 0.25, 0.0]), atol=1e-12)


def test_further_instruments_stand_beside_the_optimal_ones_and_test_the_model():
    how = {"grid": sobol(64), "rng": 1}
    plain, fit = msm(MODEL, data(), **how), msm(MODEL, data(), further="I(x**2) + x:y", **how)
    assert fit.overidentification.df == 2
    assert fit.overidentification.p_value > 0.01
    gap = (fit.params - plain.params).abs() / plain.std_errors
    assert 0.0 < gap.max() < 1.0
    short = MixedLogit("x", random=[Normal("x")])
    wrong = msm(short, data(), further=["y"], **how)
    assert wrong.overidentification.df == 1
    assert wrong.overidentification.p_value < 1e-6


def test_of_a_logit_further_moments_are_least_where_their_slopes_are_0():
    """``D' S^-1 g = 0`` in NumPy, S at the first step's estimates, which many persons make near."""
    fit = msm(MixedLogit("x + y"), data(), further="I(x**2)")
    frame, own = data().frame, data()
    x = frame[["x", "y"]].to_numpy()
    v = np.exp(x @ fit.params.to_numpy())
    sums = np.add.reduceat(v, own.situation_start[:-1])
    p = v / (sums + own.outside_option)[own.row_situation]
    y = frame[own.chosen].to_numpy()
    z = np.column_stack([x, x[:, 0] ** 2])
    starts = own.situation_start[own.person_start[:-1]]
    g = np.add.reduceat(z * (y - p)[:, None], starts)
    means = np.add.reduceat(x * p[:, None], own.situation_start[:-1])[own.row_situation]
    slopes = -(z * p[:, None]).T @ (x - means)
    root = np.linalg.cholesky(np.linalg.inv(g.T @ g))
    statistic = np.linalg.norm(root.T @ g.sum(axis=0)) ** 2
    assert fit.overidentification.statistic == pytest.approx(statistic, rel=0.01, abs=1e-3)
    step = np.linalg.lstsq(root.T @ slopes, root.T @ g.sum(axis=0), rcond=None)[0]
    assert (np.abs(step) < 0.02 * fit.std_errors).all()


def test_further_instruments_and_sequences_are_refused_together():
    with pytest.raises(SpecificationError, match="further"):
        msm(MODEL, data(), further="I(x**2)", moments="sequences")


@pytest.mark.parametrize("argument", ["instruments", "further"])
def test_instruments_that_are_nothing_are_refused_by_name_and_row(argument):
    table = data().frame.assign(still=lambda f: f["task"] * 1.0, lost=lambda f: f["x"])
    table.loc[7, "lost"] = np.nan
    sets = choice_data(table)
    hole = np.ones((sets.n_rows, 2)) * table[["x", "y"]].to_numpy()
    hole[4, 1] = np.inf
    for given, error, words in (
        ("x:y + still", SpecificationError, "'still' is the same in all rows"),
        (["still"], SpecificationError, "'still' is the same in all rows"),
        (["lost"], DataError, r"'lost' is missing in 1 of .*row 7"),
        (hole, SpecificationError, r"column 1 of the array is not finite in rows 4"),
    ):
        with pytest.raises(error, match=words):
            msm(MODEL, sets, **{argument: given}, grid=sobol(16), rng=1)
