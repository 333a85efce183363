"""The integration error of a stored fit: from certificates to JSON and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from bayesmix.accuracy.certificate import Certificate
from bayesmix.classical.simulation_error import SimulationError
from bayesmix.classical.stored_information import array_of
from bayesmix.likelihood.problem import Problem


def write_certificate(
    certificate: Certificate | SimulationError | None, persons: pd.Index | None
) -> dict[str, Any] | None:
    """The record of an integration error; of persons those that the data name."""
    if certificate is None:
        return None
    if isinstance(certificate, SimulationError):
        return {**vars(certificate), "share": certificate.share.to_list()}
    record = {f.name: getattr(certificate, f.name) for f in fields(Certificate)}
    record["shift"] = certificate.shift.to_dict(orient="list")
    record["noise"] = certificate.noise.to_list()
    if certificate.std_errors is not None:
        record["std_errors"] = certificate.std_errors.to_dict(orient="list")
    record["pareto_k"] = certificate.pareto_k.to_list()
    # Labels are for people, as text where JSON does not know them; positions are read again.
    labels = certificate.pareto_k.index
    record["pareto_persons"] = [k if isinstance(k, int | str) else str(k) for k in labels.to_list()]
    if persons is not None:
        record["pareto_positions"] = persons.get_indexer(labels)
    return record


def read_certificate(
    record: dict[str, Any] | None, problem: Problem
) -> Certificate | SimulationError | None:
    """The inverse of `write_certificate`, for the problem of the fit."""
    if record is None:
        return None
    if "share" in record:
        share = problem.parameters.series(array_of(record["share"])).rename("share")
        return SimulationError(record["estimator"], share, record["draws"])
    names = pd.Index(problem.parameters.names, name="parameter")
    persons = problem.data.persons
    if "pareto_positions" in record:
        persons = persons[np.array(record["pareto_positions"], dtype=np.int64)]
    else:  # of the first versions
        persons = pd.Index(record["pareto_persons"], name=persons.name)
    checked = record.get("std_errors")  # which files of the first versions of this format lack
    return Certificate(
        error=record["error"],
        error_interval=tuple(record["error_interval"]),
        bias=_number(record["bias"]),
        sd=_number(record["sd"]),
        shift=pd.DataFrame(record["shift"], index=names, dtype=float),
        pareto_k=pd.Series(record["pareto_k"], index=persons, name="pareto k", dtype=float),
        nodes=record["nodes"],
        reference_nodes=record["reference_nodes"],
        evaluations=record["evaluations"],
        seconds=record["seconds"],
        noise=pd.Series(record["noise"], index=names, dtype=float),
        unit=record.get("unit", 1.0),
        persons=record.get("persons", 0.0),
        std_errors=None if checked is None else pd.DataFrame(checked, index=names, dtype=float),
        std_errors_by=record.get("std_errors_by", ""),
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
