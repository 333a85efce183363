"""Curvature and scores of a stored fit: from records of arrays to JSON and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import numpy as np

from bayesmix.classical.carried import Carried
from bayesmix.classical.covariance import Information
from bayesmix.likelihood.problem import Problem


def array_of(values: Any) -> np.ndarray:
    """Numbers as JSON has them, null for NaN."""
    return np.array(values, dtype=float)


def _packed(values: np.ndarray) -> dict[str, Any]:
    """An array of a row a person, which nobody reads, in a third of the space of its digits."""
    plain = np.ascontiguousarray(values, dtype="<f8")
    return {"shape": plain.shape, "float64": b64encode(plain.tobytes()).decode()}


def _unpacked(record: dict[str, Any]) -> np.ndarray:
    values = np.frombuffer(b64decode(record["float64"]), dtype="<f8")
    return values.astype(float).reshape(record["shape"])


def write_information(found: Information) -> dict[str, Any]:
    """The record of an information, of what JSON and arrays hold."""
    return {
        "hessian": found.hessian,
        "scores": _packed(found.scores),
        "weights": _packed(found.weights),
        "groups": None if found.groups is None else _packed(found.groups),
        "grouped_by": found.grouped_by,
        "first": None if found.first is None else _write_carried(found.first),
    }


def _write_carried(first: Carried) -> dict[str, Any]:
    return {
        "slopes": _packed(first.slopes),
        "influence": _packed(first.influence),
        "groups": None if first.groups is None else _packed(first.groups),
    }


def _read_carried(record: dict[str, Any]) -> Carried:
    groups = record["groups"]
    return Carried(
        _unpacked(record["slopes"]),
        _unpacked(record["influence"]),
        None if groups is None else _unpacked(groups).astype(np.int64),
    )


def read_information(record: dict[str, Any], problem: Problem) -> Information:
    """The inverse of `write_information`, for the problem of the fit."""
    size = problem.parameters.size
    groups, hessian, scores = record["groups"], array_of(record["hessian"]), record["scores"]
    first = record.get("first")  # which only fits with a control function have
    if hessian.shape != (size, size):
        raise ValueError(f"the information has shape {hessian.shape}, of {size} parameters")
    return Information(
        hessian,
        _unpacked(scores),
        _unpacked(record["weights"]),
        None if groups is None else _unpacked(groups).astype(np.int64),
        record["grouped_by"],
        constraint=problem.constraint,
        first=None if first is None else _read_carried(first),
    )
