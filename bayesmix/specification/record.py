"""Models as plain records, for files and attributes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bayesmix.specification.mixing import Coefficient, Law
from bayesmix.specification.model import MixedLogit


def model_record(model: MixedLogit) -> dict[str, Any]:
    """The model as a record of strings, numbers and lists.

    >>> from bayesmix import MixedLogit, Normal
    >>> model = MixedLogit("price + time", random=[Normal("time")])
    >>> model_from_record(model_record(model)) == model
    True
    """
    return {
        "formula": model.formula,
        "random": [asdict(law) for law in model.random],
        "wtp": model.wtp,
        "scale": model.scale,
    }


def model_from_record(record: dict[str, Any]) -> MixedLogit:
    """The model of a record that `model_record` made."""
    laws = [
        Law(tuple(Coefficient(**c) for c in law["coefficients"]), law["eta"])
        for law in record["random"]
    ]
    return MixedLogit(record["formula"], laws, wtp=record["wtp"], scale=record.get("scale"))
