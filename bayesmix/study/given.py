"""Values of study files that are no plain types: labels, amounts by label, priors by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LARGE = 1e300

type Read = tuple[str, Any]
"""What is wrong, or an empty text and the value."""


@dataclass(frozen=True)
class LabelList:
    """A list of labels of alternatives or firms, text or whole numbers."""


@dataclass(frozen=True)
class Amounts:
    """A number, or a table of numbers by label."""


@dataclass(frozen=True)
class ByLabel:
    """A table of numbers by label."""


@dataclass(frozen=True)
class Scalar:
    """A number, text, true or false."""


@dataclass(frozen=True)
class Scalars:
    """A table of numbers and texts by column."""


@dataclass(frozen=True)
class PriorsByName:
    """A table of priors by flat name or kind: a number, two, or a table with the key ``law``."""


@dataclass(frozen=True)
class NestsByName:
    """A table of nests by name: a list of labels, or a table of parts by label; and ``bounded``."""


def number(value: Any) -> bool:
    """Whether a value is a finite number, and not a truth value."""
    return type(value) in (int, float) and abs(value) < LARGE


def _labels(value: Any) -> Read:
    listed = isinstance(value, list) and bool(value)
    if not listed or not all(type(one) in (str, int) for one in value):
        return f'expected a list of labels, such as ["bus", "car"] or [1, 2], got {value!r}', None
    if len({(type(one), one) for one in value}) < len(value):
        return f"a label stands there twice: {value!r}", None
    return "", tuple(value)


def _by_label(value: Any) -> Read:
    if not isinstance(value, dict) or not value or not all(map(number, value.values())):
        return f"expected a table such as {{bus = 0.2, car = 0.8}}, got {value!r}", None
    return "", {str(label): float(one) for label, one in value.items()}


def _amounts(value: Any) -> Read:
    if number(value):
        return "", float(value)
    problem, found = _by_label(value)
    return (f"{problem}; or one number for all" if problem else ""), found


def _scalar(value: Any) -> Read:
    if number(value) or isinstance(value, str | bool):
        return "", value
    return f"expected a number, text, true or false, got {value!r}", None


def _scalars(value: Any) -> Read:
    if not isinstance(value, dict) or any(_scalar(one)[0] for one in value.values()):
        return f"expected a table such as {{price = 2.5, brand = 'own'}}, got {value!r}", None
    return "", dict(value)


def _priors(value: Any) -> Read:
    if not isinstance(value, dict):
        return f'expected a table such as {{"mean[price]" = [-1, 0.5]}}, got {value!r}', None
    for name, one in value.items():
        pair = isinstance(one, list) and len(one) == 2 and all(map(number, one))
        law = isinstance(one, dict) and isinstance(one.get("law"), str)
        if not (number(one) or pair or law):
            return (
                f'"{name}": expected a number, two, or a law such as {{law = "student-t", nu = 4, '
                f"mu = 0, sigma = 1}}, got {one!r}",
                None,
            )
    return "", dict(value)


def _nests(value: Any) -> Read:
    expected = 'expected a table of nests, such as {public = ["train", "bus"]}'
    if not isinstance(value, dict):
        return f"{expected}, got {value!r}", None
    for name, one in value.items():
        if name == "bounded" and isinstance(one, bool):
            continue
        problem = (_by_label if isinstance(one, dict) else _labels)(one)[0]
        if problem and name == "bounded":
            problem = f"expected true or false, or labels of a nest of that name, got {one!r}"
        if problem:
            return f"{name}: {problem}", None
    if not any(not isinstance(one, bool) for one in value.values()):
        return f"{expected}, and one nest at least", None
    return "", dict(value)


GIVEN: Mapping[type, Callable[[Any], Read]] = {
    LabelList: _labels,
    Amounts: _amounts,
    ByLabel: _by_label,
    Scalar: _scalar,
    Scalars: _scalars,
    PriorsByName: _priors,
    NestsByName: _nests,
}
