"""Checks of what a rule is asked for with."""

from operator import index
from typing import Any

import numpy as np

from bayesmix.errors import SpecificationError


def whole(name: str, value: Any, least: int, most: int, remedy: str) -> int:
    """`value` as an int within bounds, or a SpecificationError that says what to do."""
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        raise SpecificationError(
            f"argument '{name}': expected a whole number from {least} to {most}, "
            f"got {value!r}: {remedy}"
        )
    return number


def flag(name: str, value: object) -> bool:
    """`value` as True or False, or a SpecificationError."""
    if not isinstance(value, bool | np.bool_):
        raise SpecificationError(
            f"argument '{name}': expected True or False, got {value!r}: give one of the two"
        )
    return bool(value)


def real(name: str, value: object, least: float, most: float, remedy: str) -> float:
    """`value` as a float in [least, most), or a SpecificationError that says what to do."""
    number = float(value) if isinstance(value, int | float | np.number) else np.nan
    if isinstance(value, bool) or not least <= number < most:
        raise SpecificationError(
            f"argument '{name}': expected a number in [{least:g}, {most:g}), got {value!r}: "
            f"{remedy}"
        )
    return number
