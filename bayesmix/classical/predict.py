"""Predicted probabilities of a fit: at its data, in a scenario, for new people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayesmix.data.choices import ChoiceData
from bayesmix.data.known import check_offset
from bayesmix.data.reserved import OUTSIDE
from bayesmix.errors import DataError, SpecificationError
from bayesmix.integration.grids import Seed, population_grid
from bayesmix.integration.rules import sobol
from bayesmix.likelihood.expected import NODES, expected_rows, outside_rows
from bayesmix.likelihood.problem import Problem, bind, bind_scenario, like, to_predict

if TYPE_CHECKING:
    from bayesmix.classical.fit import Fit

Array = NDArray[np.float64]


def predict(
    fit: Fit, data: ChoiceData | None, scenario: ChoiceData | None, rng: Seed
) -> pd.DataFrame:
    """`Fit.predict`."""
    problem = bound_like(fit, data)
    problem = to_predict(problem) if scenario is None else bind_scenario(problem, scenario)
    size = problem.parameters.n_random
    grid = population_grid(sobol(NODES), size, problem.n_persons, rng)
    return _table(problem, expected_rows(problem, grid, fit.theta))


def bound_like(fit: Fit, data: ChoiceData | None) -> Problem:
    """The fit's model on ``data``, with what its formula has learnt from the fit's own data."""
    if data is None:
        if fit.problem is None:
            raise SpecificationError("the fit does not know its data: give them, predict(data)")
        return fit.problem
    if not isinstance(data, ChoiceData):
        raise DataError(
            f"argument 'data' must be ChoiceData, got {type(data).__name__}: make it with "
            "ChoiceData.from_long or ChoiceData.from_wide"
        )
    if fit.problem is None:
        return bind(fit.model, data)
    if data is fit.problem.data:
        return fit.problem
    check_offset(data, fit.offset, "the fit")
    if data.outside_option != fit.problem.data.outside_option:
        having = ("without", "with")[fit.problem.data.outside_option]
        raise DataError(
            f"the fit is of data {having} an outside option, and these are not: give "
            f"outside_option={fit.problem.data.outside_option} where they are made"
        )
    return like(fit.problem, data)


def _table(problem: Problem, rows: Array) -> pd.DataFrame:
    """Probabilities of rows, in their order, each situation's outside option after its rows."""
    data = problem.data
    labels = np.array([*data.alternatives, OUTSIDE], dtype=object)
    situation, code, index, value = (
        data.row_situation,
        data.alternative_code,
        data.rows.to_numpy(),
        rows,
    )
    if data.outside_option:
        every = np.arange(data.n_situations)
        situation = np.concatenate([situation, every])
        order = np.argsort(situation, kind="stable")
        situation = situation[order]
        code = np.append(code, np.full(len(every), len(data.alternatives)))[order]
        index = np.append(index.astype(object), np.full(len(every), None))[order]
        value = np.append(value, outside_rows(problem, rows))[order]
    return pd.DataFrame(
        {
            "person": data.situations.get_level_values(0)[situation],
            "situation": data.situations.get_level_values(1)[situation],
            "alternative": pd.Series(labels[code]).infer_objects().to_numpy(),
            "probability": value,
        },
        index=pd.Index(index, name="row"),
    )
