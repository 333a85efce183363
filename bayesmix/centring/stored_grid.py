"""Grids on disk: what they are made of (rule, key, anchor), and again grids from the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from bayesmix.centring.grids import PersonGrid, anchored_grid
from bayesmix.errors import DataError
from bayesmix.integration import descriptions
from bayesmix.integration.grids import PopulationGrid, population_grid
from bayesmix.likelihood.classes import ClassGrid, each_grid, of_classes
from bayesmix.likelihood.problem import Problem

RECORDS: Mapping[str, Callable[..., Any]] = {
    rule.__name__: rule
    for rule in (
        *(descriptions.Sobol, descriptions.Halton, descriptions.PlainHalton, descriptions.MLHS),
        *(descriptions.MonteCarlo, descriptions.GaussHermite, descriptions.Trapezoid),
        descriptions.Sparse,
        descriptions.Centred,
    )
}
"""What the rule of a stored grid may be."""


def _write_rule(rule: Any) -> dict[str, Any]:
    values = {f.name: getattr(rule, f.name) for f in fields(rule)}
    if isinstance(rule, descriptions.Centred):
        values["rule"] = _write_rule(rule.rule)
    return {"type": type(rule).__name__, **values}


def _read_rule(record: dict[str, Any]) -> Any:
    values = {k: v for k, v in record.items() if k != "type"}
    if "rule" in values:
        values["rule"] = _read_rule(values["rule"])
    if record["type"] not in RECORDS:
        raise DataError(
            f"a stored grid is of the rule {record['type']!r}; rules are {', '.join(RECORDS)}: "
            "give a file that fit.save(path) wrote"
        )
    return RECORDS[record["type"]](**values)


def write_grid(grid: PopulationGrid | PersonGrid | ClassGrid) -> dict[str, Any]:
    """A grid as a record for JSON."""
    parts: Sequence[PopulationGrid | PersonGrid] = each_grid(grid)
    if len(parts) > 1:
        return {"classes": [write_grid(part) for part in parts]}
    own = parts[0]
    if isinstance(own, PersonGrid):
        return {
            "rule": _write_rule(own.rule),
            "key": str(own.base.key),
            "anchor": own.anchors.theta,
        }
    return {"rule": _write_rule(own.rule), "key": str(own.key)}


def read_grid(record: dict[str, Any], problem: Problem) -> Any:
    """The grid of a record that `write_grid` made, of the persons of ``problem``."""
    if "classes" in record:
        return of_classes([read_grid(part, problem.within) for part in record["classes"]])
    rule, key = _read_rule(record["rule"]), int(record["key"])
    centred = isinstance(rule, descriptions.Centred)
    size = problem.parameters.n_random
    blank = population_grid(rule.rule if centred else rule, size, problem.n_persons, 0)
    base = PopulationGrid(blank.rule, blank.dimension, blank.persons, key)
    return (
        anchored_grid(problem, rule, np.array(record["anchor"], dtype=float), base)
        if centred
        else base
    )
