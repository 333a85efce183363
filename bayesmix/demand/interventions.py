"""Changes of an alternative: of an attribute, of quality, its removal; and their effects on shares.

Attributes are columns of the data. What a change of one does to utilities goes through the formula
(``price:income``, ``log(price)``), with whatever it learnt from the data of the estimation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.choices import ChoiceData
from bayesmix.demand.sample import Here
from bayesmix.errors import SpecificationError
from bayesmix.kernels.substitution import (
    FINITE,
    QUALITY,
    REMOVAL,
    SIZE,
    SLOPE,
    Change,
)
from bayesmix.likelihood.bind import in_scenario
from bayesmix.likelihood.point import Point
from bayesmix.likelihood.problem import Problem

STEP = 2.0**-7
LEVELS = 3
"""Steps of a derivative: the largest, in units of the attribute's size, and how often halved."""


@dataclass(frozen=True, eq=False)
class Intervention:
    """What is done to each alternative in turn.

    Parameters
    ----------
    kind
        A code of `bayesmix.kernels.substitution`.
    by
        The problem with the columns by which utilities change, a unit of the attribute or in all,
        in the place of its design; None where no attribute changes.
    """

    kind: int
    by: Problem | None = None

    def beside(self, theta: Array) -> tuple[Point, ...]:
        """What `change` reads beside the persons."""
        return () if self.by is None else (Point(self.by, theta),)


def change(kind: int, here: Here, by: Point | None = None) -> Change:
    """The kernel's record for some persons; ``by`` has the columns by which utilities change."""
    piece = here.piece
    if by is None:
        return Change(kind, piece.panel.x, np.zeros(len(piece.panel.x)))
    return Change(kind, here.scaled(piece.place(by.persons.panel.x)), piece.place(by.base))


def removal() -> Intervention:
    """The alternative is taken away."""
    return Intervention(REMOVAL)


def quality() -> Intervention:
    """Its utility rises a little, by as much for everybody."""
    return Intervention(QUALITY)


def attribute_slope(problem: Problem, attribute: str, scale: Array | None = None) -> Intervention:
    """Its attribute rises a little, in proportion to ``scale`` (R,) where that is given."""
    return Intervention(SLOPE, with_columns(problem, derivative(problem, attribute), scale))


def attribute_size(problem: Problem, attribute: str) -> Intervention:
    """Its attribute gets a little worse for each person, whichever way that is."""
    return Intervention(SIZE, with_columns(problem, derivative(problem, attribute)))


def attribute_change(problem: Problem, attribute: str, value: Any) -> Intervention:
    """Its attribute takes the values that ``ChoiceData.with_attribute`` would give it."""
    by = difference(problem, problem.data.with_attribute(attribute, value))
    if not _own_columns(by).any():
        raise SpecificationError(
            f"argument 'change' leaves all utilities as they are: column {attribute!r} has these "
            f"values already, or plays no role in the formula {problem.model.formula!r}"
        )
    return Intervention(FINITE, by)


def difference(problem: Problem, scenario: ChoiceData) -> Problem:
    """The problem with the columns by which a scenario of the same rows differs from it."""
    return with_columns(problem, _scenario_columns(problem, scenario) - _own_columns(problem))


def derivative(problem: Problem, attribute: str) -> Array:
    """Derivatives (R, K + F + 1) of the design's columns and the offset in a column of the data.

    Central differences at three steps, extrapolated (Richardson 1911): a linear column's derivative
    is exact to rounding, a smooth one's to some 1e-13.

    Raises
    ------
    DataError
        If the data have no such column of numbers.
    SpecificationError
        If the utility does not depend on it, or takes it as categories.
    """
    values = problem.data.attribute(attribute)
    steps = STEP * _sizes(values)
    try:
        table = [
            _slope(lambda v: _columns(problem, attribute, v), values, steps / 2**level)
            for level in range(LEVELS)
        ]
    except SpecificationError as error:
        raise SpecificationError(
            f"the utility has no derivative in column {attribute!r}, whose values the formula "
            f"{problem.model.formula!r} takes as categories or within limits: give the value that "
            f"it changes to, change=... ({error})"
        ) from None
    for order in range(1, LEVELS):
        table = [b + (b - a) / (4**order - 1) for a, b in pairwise(table)]
    if not table[0].any():
        raise SpecificationError(
            f"utilities do not depend on column {attribute!r}: the formula is "
            f"{problem.model.formula!r}; name one of its attributes"
        )
    return table[0]


def _slope(function: Callable[[Array], Array], values: Array, steps: Array) -> Array:
    """Central differences (R, M) of columns, row by row."""
    up, down = values + steps, values - steps
    return (function(up) - function(down)) / (up - down)[:, None]


def _sizes(values: Array) -> Array:
    """Size (R,) of each value, for steps that do not leave the domain of a logarithm.

    Where all values have one sign, steps are in proportion to each, so that none crosses 0.
    """
    size = np.abs(values)
    if not size.any():
        return np.ones_like(size)
    one_sign = (values >= 0).all() or (values <= 0).all()
    floor = size[size > 0].min() if one_sign else np.sqrt((size**2).mean())
    return np.maximum(size, floor)


def _own_columns(problem: Problem) -> Array:
    """The design's columns, and what is known of the utilities, (R, K + F + 1)."""
    return problem.design.columns


def _columns(problem: Problem, attribute: str, value: Any) -> Array:
    """The columns (R, K + F + 1) where an attribute has another value everywhere."""
    return _scenario_columns(problem, problem.data.with_attribute(attribute, value))


def _scenario_columns(problem: Problem, scenario: ChoiceData) -> Array:
    return in_scenario(problem, scenario).columns


def with_columns(problem: Problem, columns: Array, scale: Array | None = None) -> Problem:
    """The problem with other columns in its design."""
    if scale is not None:
        columns = columns * scale[:, None]
    n_random = problem.design.random.shape[1]
    random, fixed, offset = np.split(columns, [n_random, -1], axis=1)
    design = replace(
        problem.design,
        random=np.ascontiguousarray(random),
        fixed=np.ascontiguousarray(fixed),
        offset=np.ascontiguousarray(offset[:, 0]),
        residuals=None,
        cells=None,
    )
    return replace(problem, design=design)
