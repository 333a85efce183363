"""Predicted probabilities of a fit: at its data, in a scenario, for new people and new sets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesmix.arguments import one_of, seed
from bayesmix.arrays import Array
from bayesmix.centring.people import past_choices, people
from bayesmix.centring.row_shares import NODES, expected_rows
from bayesmix.classical.estimates import Estimates
from bayesmix.data.choices import ChoiceData
from bayesmix.data.fingerprint import fingerprint
from bayesmix.data.reserved import OUTSIDE
from bayesmix.integration.grids import Seed
from bayesmix.likelihood.bind import bind_like, bind_scenario, to_predict
from bayesmix.likelihood.problem import Problem

PEOPLE = ("population", "known")
"""Whose coefficients expectations are over."""


def predict(
    fit: Estimates,
    data: ChoiceData | None,
    scenario: ChoiceData | None,
    sets: ChoiceData | None,
    who: str,
    rng: Seed,
) -> pd.DataFrame:
    """`Fit.predict`."""
    known = one_of("people", who, PEOPLE) == "known"
    generator = np.random.default_rng(seed("rng", rng))
    problem = bound_like(fit, data)
    there = problem if sets is None else bind_like(problem, sets, "predict")
    if known:
        problem = past_choices(problem, sets, own=is_own(fit, problem.data))
    persons = people(
        problem if known else there, fit.theta, known=known, nodes=NODES, rng=generator
    )
    there = to_predict(there) if scenario is None else bind_scenario(there, scenario)
    return probability_table(there, *expected_rows(persons, there, fit.theta))


def bound_like(fit: Estimates, data: ChoiceData | None) -> Problem:
    """The fit's model on ``data``, with what its formula has learnt from the fit's own data."""
    return fit.problem if data is None else bind_like(fit.problem, data)


def is_own(fit: Estimates, data: ChoiceData) -> bool:
    """Whether data hold the choices that the fit is of."""
    if fit.problem.data is data:
        return True
    return data.observed and fit.fingerprint == fingerprint(data)


def probability_table(
    problem: Problem, rows: Array, outside: Array, **further: tuple[Array, Array]
) -> pd.DataFrame:
    """Probabilities of rows, in their order, each situation's outside option after its rows."""
    data = problem.data
    labels = np.array([*data.alternatives, OUTSIDE], dtype=object)
    every = np.arange(len(outside))
    situation = np.concatenate([data.row_situation, every])
    order = np.argsort(situation, kind="stable")
    code = np.append(data.alternative_code, np.full(len(every), len(data.alternatives)))[order]
    index = data.rows.to_numpy()
    if len(every):
        index = np.append(index.astype(object), np.full(len(every), OUTSIDE, dtype=object))[order]
    situation = situation[order]
    columns = {"probability": (rows, outside), **further}
    return pd.DataFrame(
        {
            "person": data.situations.get_level_values(0)[situation],
            "situation": data.situations.get_level_values(1)[situation],
            "alternative": pd.Series(labels[code]).infer_objects().to_numpy(),
            **{name: np.append(*values)[order] for name, values in columns.items()},
        },
        index=pd.Index(index, name="row"),
    )
