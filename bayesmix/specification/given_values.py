"""Values of parameters as people give them, by flat name, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from bayesmix.close_names import close_name
from bayesmix.errors import SpecificationError


def check_names(given: Mapping[Any, float], names: Sequence[str]) -> None:
    """Raise SpecificationError unless each of ``names`` has a value, and nothing else has one."""
    unknown = [name for name in given if name not in names]
    if unknown:
        near = close_name(unknown[0], names)
        hint = f"; did you mean {near!r}?" if near else f"; expected {list(names)}"
        raise SpecificationError(f"unknown parameter {unknown[0]!r}{hint}")
    missing = [name for name in names if name not in given]
    if missing:
        raise SpecificationError(f"no value for parameters {missing}; the model has {list(names)}")


def number(name: str, value: object) -> float:
    """A parameter's value, which may be NaN: a correlation may have none."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    raise SpecificationError(f"argument 'params': {name} must be a number, got {value!r}")
