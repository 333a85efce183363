"""Rules on disk: what they are called, and their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from bayesmix.errors import DataError
from bayesmix.integration import descriptions

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


def rule_record(rule: Any) -> dict[str, Any]:
    """A rule as a record for JSON."""
    values = {f.name: getattr(rule, f.name) for f in fields(rule)}
    if isinstance(rule, descriptions.Centred):
        values["rule"] = rule_record(rule.rule)
    return {"type": type(rule).__name__, **values}


def recorded_rule(record: Mapping[str, Any]) -> Any:
    """The rule of a record that `rule_record` made.

    Raises
    ------
    DataError
        If it is of no rule that is known.
    """
    values = {k: v for k, v in record.items() if k != "type"}
    if "rule" in values:
        values["rule"] = recorded_rule(values["rule"])
    if record["type"] not in RECORDS:
        raise DataError(
            f"a stored grid is of the rule {record['type']!r}; rules are {', '.join(RECORDS)}: "
            "give a file that fit.save(path) wrote"
        )
    return RECORDS[record["type"]](**values)
