"""Grids on disk: from what they are made of (rule, key, anchor) again grids of the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayesmix.centring.grids import anchored_grid
from bayesmix.integration.descriptions import Centred
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.integration.stored_rule import recorded_rule
from bayesmix.likelihood.problem import Problem


def read_grid(record: dict[str, Any], problem: Problem) -> Any:
    """The grid of a grid's ``record``, of the persons of ``problem``."""
    within = problem.within
    return problem.together([_one(own, within) for own in record.get("classes", [record])])


def _one(record: dict[str, Any], problem: Problem) -> Any:
    """The grid of a class."""
    rule, key = recorded_rule(record["rule"]), int(record["key"])
    centred = isinstance(rule, Centred)
    size = problem.parameters.n_random
    blank = population_grid(rule.rule if centred else rule, size, problem.n_persons, 0)
    base = PopulationGrid(blank.rule, blank.dimension, blank.persons, key)
    return (
        anchored_grid(problem, rule, np.array(record["anchor"], dtype=float), base)
        if centred
        else base
    )
