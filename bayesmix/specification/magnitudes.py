"""Numbers too large, too small, or too near a constant for the arithmetic of a likelihood."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayesmix.arrays import Array, Flags
from bayesmix.data.choices import ChoiceData
from bayesmix.data.parts import Rows
from bayesmix.errors import Fault
from bayesmix.formulas.variation import largest_deviation, largest_size, spread

LARGEST = 1e100
"""Size above which, or below one over which, products are not numbers."""
CONSTANT = 3e3
"""Level relative to the spread from which a column is nearly a constant: the two have an
information whose digits are its square."""
DIGITS = 1e3
"""Spread, in steps between neighbouring numbers, below which rounding shows in estimates."""


def size_faults(values: Rows, names: tuple[str, ...], data: ChoiceData) -> Iterator[Fault]:
    """Columns (R, M) whose squares, or those of their coefficients, are not numbers."""
    size = largest_deviation(values, data)
    for m in np.flatnonzero(beyond(size)):
        yield Fault(
            f"{names[m]!r} varies by {size[m]:.2g} within situations: computers cannot hold the "
            "squares of such numbers and of their coefficients",
            f"give it in other units, such as {names[m]} divided by {size[m]:.0e}",
            (names[m],),
        )


def beyond(size: Array) -> Flags:
    """Which sizes have squares that are not numbers; 0 is none of them."""
    return (size > LARGEST) | ((size > 0.0) & (size < 1.0 / LARGEST))


def constant_faults(values: Rows, names: tuple[str, ...], data: ChoiceData) -> Iterator[Fault]:
    """Columns (R, M) that a constant against the outside option is hardly told from."""
    if data.outside_option:
        for m, level, size in near_constants(values[: data.n_rows]):
            yield near_constant(names[m], level, size)


def near_constants(values: Array) -> list[tuple[int, float, float]]:
    """Places, levels and spreads of columns (n, M) near a constant that dummies add up to."""
    middle, size = values.mean(axis=0), values.std(axis=0)
    near = (size > 0.0) & (np.abs(middle) > CONSTANT * size)
    if not near.any():
        return []
    dummies = values[:, ((values == 0.0) | (values == 1.0)).all(axis=0)]
    ones = np.ones(len(values))
    rest = ones - dummies @ np.linalg.lstsq(dummies, ones, rcond=None)[0]
    if np.abs(rest).max(initial=0.0) > 1e-9:
        return []
    return [(int(m), float(middle[m]), float(size[m])) for m in np.flatnonzero(near)]


def near_constant(name: str, level: float, size: float) -> Fault:
    """A column that a constant is hardly told from, and the column to take in its place."""
    near = f"{level:.6g}"
    sign = f"- {near}" if level > 0 else f"+ {near[1:]}"
    return Fault(
        f"{name!r} is near {near} everywhere and varies by {size:.2g}: it is hardly told from the "
        "constant beside it, and sums of squares lose the digits that differ",
        f"take its level away, I({name} {sign}): its coefficient stays the same, and the constant "
        "becomes that at this level",
        (name,),
    )


def rounded_columns(values: Rows, data: ChoiceData) -> list[tuple[int, float, float]]:
    """Places, sizes and steps of columns (R, M) of which rounding leaves few digits."""
    size, largest = spread(values, data), largest_size(values, data)
    step = np.spacing(largest)
    few = (size > 0.0) & (size < DIGITS * step)
    return [(int(m), float(largest[m]), float(step[m])) for m in np.flatnonzero(few)]
