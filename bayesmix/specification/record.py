"""Models, and what they remember of their data, as plain records for files and attributes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from bayesmix.data.choices import ChoiceData
from bayesmix.specification.classes import Classes
from bayesmix.specification.mixing import Coefficient, Law
from bayesmix.specification.model import Design, MixedLogit
from bayesmix.specification.scale import Sources


def model_record(model: MixedLogit) -> dict[str, Any]:
    """The model as a record of strings, numbers and lists.

    >>> from bayesmix import MixedLogit, Normal
    >>> model = MixedLogit("price + time", random=[Normal("time")])
    >>> model_from_record(model_record(model)) == model
    True
    """
    return {
        "formula": model.formula,
        "random": [_law_record(law) for law in model.random],
        "wtp": model.wtp,
        "scale": model.scale,
    }


def model_from_record(record: dict[str, Any]) -> MixedLogit:
    """The model of a record that `model_record` made."""
    laws = [_law(law) for law in record["random"]]
    return MixedLogit(record["formula"], laws, wtp=record["wtp"], scale=record.get("scale"))


def data_record(data: ChoiceData, design: Design) -> dict[str, Any]:
    """What parameters mean only with it: the offset, and the sources that scales are of."""
    record: dict[str, Any] = {"offset": data.known.offset}
    found = design.sources
    if found is None:
        return record
    plain = [k if isinstance(k, str | int | float) else str(k) for k in found.labels]
    return record | {"sources": {"column": found.column, "labels": plain}}


def sources_from_record(record: dict[str, Any]) -> Sources | None:
    """The sources of a record that `data_record` made, of no situations."""
    if "sources" not in record:
        return None
    column, labels = record["sources"]["column"], tuple(record["sources"]["labels"])
    return Sources(column, labels, np.zeros(0, dtype=np.int64))


def _law_record(law: Law | Classes) -> dict[str, Any]:
    if isinstance(law, Law):
        return asdict(law)
    members = [m if isinstance(m, str) else _law_record(m) for m in law.members]
    return {"members": members, "number": law.number, "share": law.share}


def _law(record: dict[str, Any]) -> Any:
    if "members" in record:
        members = tuple(m if isinstance(m, str) else _law(m) for m in record["members"])
        return Classes(members, record["number"], record["share"])
    return Law(tuple(_coefficient(c) for c in record["coefficients"]), record["eta"])


def _coefficient(record: dict[str, Any]) -> Coefficient:
    return Coefficient(**{**record, "bounds": tuple(record["bounds"])})
