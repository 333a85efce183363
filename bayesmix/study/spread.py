"""Values of ``[data.wide]``: patterns, lists and tables of columns, checked for their kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bayesmix.study.schema import LabelsOrCodes, Spread, SpreadByName

LARGE = 1e300

type Read = tuple[str, Any]
"""What is wrong, or an empty text and the value."""

COLUMNS = (
    'a pattern such as "{alternative}_price", a list of columns in the order of the alternatives, '
    'or a table such as {bus = "bus_price", walk = 0}'
)


def _spread(value: Any) -> Read:
    if isinstance(value, str) and value:
        return "", value
    parts = list(value.values() if isinstance(value, dict) else value) if _several(value) else []
    if parts and all(_column(one) for one in parts):
        return "", dict(value) if isinstance(value, dict) else list(value)
    return f"expected {COLUMNS}, got {value!r}", None


def _spread_by_name(value: Any) -> Read:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return "", list(value)
    if not isinstance(value, dict) or not value:
        example = 'price = "{alternative}_price"'
        return f"expected a table of attributes, such as {example}, got {value!r}", None
    for name, columns in value.items():
        problem, _ = _spread(columns)
        if problem:
            return f"attribute '{name}': {problem}", None
    return "", {name: _spread(columns)[1] for name, columns in value.items()}


def _labels(value: Any) -> Read:
    parts = list(value.values() if isinstance(value, dict) else value) if _several(value) else []
    if parts and all(type(one) in (str, int) for one in parts):
        if isinstance(value, dict):
            return "", {str(code): str(label) for code, label in value.items()}
        return "", [str(label) for label in parts]
    example = '["bus", "car"], or a table from codes to labels, such as {1 = "bus", 2 = "car"}'
    return f"expected a list of labels, such as {example}, got {value!r}", None


def _several(value: Any) -> bool:
    return isinstance(value, list | dict)


def _column(value: Any) -> bool:
    number = type(value) in (int, float) and abs(value) < LARGE
    return (isinstance(value, str) and bool(value)) or number


READERS: Mapping[type, Callable[[Any], Read]] = {
    Spread: _spread,
    SpreadByName: _spread_by_name,
    LabelsOrCodes: _labels,
}
