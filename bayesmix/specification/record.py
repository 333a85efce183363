"""Models, and what they remember of their data, as plain records for files and attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bayesmix.data.choices import ChoiceData
from bayesmix.formulas.formula import Learnt
from bayesmix.formulas.reading import UntrustedError, is_trusted
from bayesmix.specification.classes import Classes, classes_of, laws_of
from bayesmix.specification.constraints import Constraints
from bayesmix.specification.control_function import ControlFunction
from bayesmix.specification.design import Design
from bayesmix.specification.laws.coefficient import Coefficient, Law
from bayesmix.specification.model import MixedLogit
from bayesmix.specification.nests import Nests
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
        **({"constraints": model.constraints.record()} if model.constraints else {}),
        **({} if model.control is None else {"control": model.control.record()}),
        **({} if model.nests is None else {"nests": model.nests.record()}),
    }


def model_from_record(record: dict[str, Any], *, trust: bool = False) -> MixedLogit:
    """The model of a record that `model_record` made.

    With ``trust``, or where this process's own code has trusted the very formulas, they may hold
    Python.

    Raises
    ------
    SpecificationError
        If they do, and are not trusted.
    """
    formula, laws = record["formula"], [_law(law) for law in record["random"]]
    control = ControlFunction(**record["control"]) if "control" in record else None
    further = () if control is None else control.formulas
    try:
        return MixedLogit(
            formula,
            laws,
            wtp=record["wtp"],
            scale=record.get("scale"),
            constraints=Constraints.from_record(record.get("constraints")),
            control=control,
            nests=Nests.from_record(record.get("nests")),
            trust=trust or is_trusted([*_formulas(formula, laws), *further]),
        )
    except UntrustedError as error:
        raise UntrustedError(
            f"a stored model: {error}; of a posterior, make its model once in this session, "
            "MixedLogit(..., trust=True)"
        ) from None


def _formulas(formula: str, laws: Sequence[Law | Classes]) -> Iterator[str]:
    """The formulas of a model that is not made yet, see `MixedLogit.formulas`."""
    yield formula
    yield from (c.mean for law in laws_of(laws) for c in law.coefficients)
    yield from classes_of(laws).formulas


def data_record(data: ChoiceData, design: Design) -> dict[str, Any]:
    """What parameters mean only with it.

    The offset, whether there is an outside option, sources of scales, what formulas learnt.
    """
    record: dict[str, Any] = {
        "offset": data.known.offset,
        "outside_option": data.outside_option,
        "learnt": _plain(design.learnt),
    }
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


def learnt_from_record(record: dict[str, Any]) -> Learnt | None:
    """What formulas had learnt, of a record that `data_record` made; None of old ones."""
    return None if "learnt" not in record else _arrays(record["learnt"])


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _arrays(value: Any) -> Any:
    """What `_plain` made plain: lists were arrays, and names of digits numbers."""
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: _arrays(one) for key, one in value.items()}
    return np.array(value) if isinstance(value, list) else value


def _law_record(law: Law | Classes) -> dict[str, Any]:
    if isinstance(law, Law):
        record = asdict(law)
        for one in record["coefficients"]:
            del one["shape"]  # of moments alone
        return record
    members = [m if isinstance(m, str) else _law_record(m) for m in law.members]
    return {"members": members, "number": law.number, "share": law.share}


def _law(record: dict[str, Any]) -> Any:
    if "members" in record:
        members = tuple(m if isinstance(m, str) else _law(m) for m in record["members"])
        return Classes(members, record["number"], record["share"])
    return Law(tuple(_coefficient(c) for c in record["coefficients"]), record["eta"])


def _coefficient(record: dict[str, Any]) -> Coefficient:
    return Coefficient(**{**record, "bounds": tuple(record["bounds"])})
