"""Instruments of simulated moments: attributes and their powers, the user's own, the optimal ones.

All are (R, M), a value for each row; the outside option's is 0, for its residual is implied by the
others': an instrument whose value there is not 0 is given as the difference from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.attributes import check_numeric
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import first_few
from bayesmix.errors import SpecificationError
from bayesmix.formulas.formula import evaluate
from bayesmix.formulas.variation import deviations, length, levels
from bayesmix.integration.descriptions import DrawRule
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.multinomial import Multinomial
from bayesmix.likelihood.persons import over_persons
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Grid, Problem
from bayesmix.likelihood.share_slopes import share_step, shares_of

INSTRUMENT_NODES = 256
"""Nodes a person of the optimal ones, at least: they are made once, not at each evaluation."""
DEPENDENT = 1e-6
"""Share of an instrument's length that the others leave, below which it is left out."""


def attribute_instruments(problem: Problem, logit: Multinomial) -> Array:
    """The attributes, and products and cubes of those with random coefficients.

    With ``a_itj = x_itj - sum_l p_itl x_itl`` at the multinomial logit's probabilities, the
    products ``a_k a_m`` are the directions in which heterogeneity moves shares away from that logit
    (McFadden and Train 2000). The cubes are more than is needed: moments left over test the model.
    """
    spread = problem.design.spread
    x = problem.design.attributes / spread
    means = _logit_means(problem, x, logit.coefficients * spread)
    size, data = problem.parameters.n_random, problem.data
    own = x[:, :size] - means[data.row_situation, :size]
    outside = -means[:, :size]

    def relative(function: Callable[[Array], Array]) -> Array:
        values = function(own)
        return values - function(outside)[data.row_situation] if data.outside_option else values

    products = [relative(partial(_product, k, m)) for k in range(size) for m in range(k + 1)]
    cubes = [relative(partial(_cube, k)) for k in range(size)]
    shifts = x[:, problem.parameters.within.shifted] * problem.z[data.row_person]
    return independent(np.column_stack([x, shifts, *products, *cubes]), data)


def _product(k: int, m: int, values: Array) -> Array:
    return values[:, k] * values[:, m]


def _cube(k: int, values: Array) -> Array:
    return values[:, k] ** 3


def _logit_means(problem: Problem, x: Array, coefficients: Array) -> Array:
    """Attributes' means (T, M) within situations, at the multinomial logit's probabilities."""
    data = problem.data
    start, situation = data.situation_start[:-1], data.row_situation
    v = x @ coefficients if problem.offset is None else x @ coefficients + problem.offset
    top = np.maximum.reduceat(v, start)
    top = np.maximum(top, 0.0) if data.outside_option else top
    q = np.exp(v - top[situation])
    total = np.add.reduceat(q, start) + (np.exp(-top) if data.outside_option else 0.0)
    return np.add.reduceat(x * q[:, None], start) / total[:, None]


def given_instruments(
    problem: Problem, instruments: str | Sequence[str] | Array, argument: str = "instruments"
) -> Array:
    """The user's instruments: a formula, names of columns, or an array (R, M) by row.

    Raises
    ------
    SpecificationError
        If the array is of another shape or not finite, or no instrument varies.
    DataError
        If a column is missing, or not numeric.
    """
    data = problem.data
    if isinstance(instruments, str):
        found = evaluate(instruments, data, trust=problem.model.trust)
        return _varying(found.values, found.names, data, argument)
    listed = isinstance(instruments, Sequence) and len(instruments)
    if listed and all(isinstance(name, str) for name in instruments):
        own = [str(name) for name in instruments]
        columns = np.column_stack([_column(data, name, argument) for name in own])
        return _varying(columns, own, data, argument)
    try:
        values = np.asarray(instruments, dtype=float)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 2 or len(values) != data.n_rows:
        raise SpecificationError(
            f"argument {argument!r} must be a formula, names of columns, or a finite array with a "
            f"row for each of the {data.n_rows} rows of data.frame, got shape {values.shape}"
        )
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        raise SpecificationError(
            f"argument {argument!r}: column {int(wrong[0, 1])} of the array is not finite in rows "
            f"{first_few(data.rows[np.unique(wrong[:, 0])])}: fill the values in"
        )
    return _varying(
        values, [f"column {m} of the array" for m in range(values.shape[1])], data, argument
    )


def _varying(values: Array, names: Sequence[str], data: ChoiceData, argument: str) -> Array:
    """`independent` instruments, refused where one is a constant in each situation."""
    still = np.flatnonzero(length(deviations(values, data)) == 0.0)
    if len(still):
        named = first_few([names[int(m)] for m in still])
        raise SpecificationError(
            f"argument {argument!r}: {named} is the same in all "
            "rows of each situation, whose residuals sum to 0, and makes no moment: leave it out, "
            "or let it meet an attribute, such as income:price"
        )
    return independent(values, data)


def beside(z: Array, further: Array | None) -> Array:
    """Instruments (R, M) and further ones; those alone where there are none."""
    return z if further is None else np.column_stack([z, further])


def _column(data: ChoiceData, name: Any, argument: str) -> Array:
    if name == data.chosen:
        raise SpecificationError(
            f"argument {argument!r} names {name!r}, which holds the choices: a choice is no "
            "instrument for itself"
        )
    return check_numeric(data, name)


def independent(values: Array, data: ChoiceData) -> Array:
    """Columns (R, M) without those that are combinations of earlier ones within situations.

    A constant in each situation multiplies residuals that sum to 0, and so makes no moment.
    """
    within = deviations(values, data)
    size = length(within)
    kept: list[int] = []
    basis = np.empty((len(values), 0))
    for m in np.flatnonzero(size > 0.0):
        rest = within[:, m] / size[m]
        for _ in range(2):  # once more, for rounding
            rest = rest - basis @ (basis.T @ rest)
        left = np.linalg.norm(rest)
        if left > DEPENDENT:
            kept.append(int(m))
            basis = np.column_stack([basis, rest / left])
    far = levels(values, data)
    values = values if far is None else values - far[data.row_situation]
    return np.ascontiguousarray(values[:, kept] / (size[kept] / np.sqrt(len(values))))


def independent_grid(grid: PopulationGrid, rng: np.random.Generator) -> PopulationGrid:
    """Nodes for the optimal instruments, whose noise must be independent of the residuals'."""
    if not isinstance(grid.rule, DrawRule):
        return grid
    nodes = max(grid.size, INSTRUMENT_NODES)
    rule = replace(grid.rule, nodes=nodes) if grid.rule.random else sobol(nodes)
    while True:
        other = population_grid(rule, grid.dimension, grid.persons, rng)
        if other.key != grid.key:  # the grid may have been made with this very seed
            return other


def optimal_instruments(problem: Problem, grid: Grid, theta: Array) -> Array:
    """``d log s_itj / d theta`` (R, P), less that of the outside option where there is one.

    Under constraints (R, Q), along the directions that they leave free.

    ``d log s_0 = - sum_j d s_j / s_0``. With these the variance of the estimates is least among all
    functions of the attributes (Amemiya 1977; Chamberlain 1987), situation by situation.
    """
    step = share_step(problem, grid)
    blocks = over_persons(Point(problem, theta), grid, _optimal, step=step)
    return problem.free_columns(np.concatenate(list(blocks)))


def _optimal(here: Point, grid: Grid) -> Array:
    """`optimal_instruments` (n, P) of the rows of a block of persons."""
    panel = here.panel
    shares, slopes = shares_of(here, grid)
    logs = _ratio(slopes, shares)
    if not panel.outside:
        return logs
    start = panel.situation_start[:-1]
    left = 1.0 - np.add.reduceat(shares, start)
    outside = -_ratio(np.add.reduceat(slopes, start, axis=0), left)
    return logs - np.repeat(outside, np.diff(panel.situation_start), axis=0)


def _ratio(slopes: Array, shares: Array) -> Array:
    """Slopes over shares; 0 where an alternative is never chosen, to the last digit."""
    known = (shares > np.finfo(float).eps)[:, None]
    return np.divide(slopes, shares[:, None], out=np.zeros_like(slopes), where=known)
