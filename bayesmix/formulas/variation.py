"""Variation within situations: all that a logit learns from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.parts import Part, Rows, part_of, parts
from bayesmix.errors import Fault

COLLINEAR = 3e-7
"""Length of a combination of columns of length 1 that counts as none: its square, which is what
information has of it, drowns in rounding."""
EXACT = 1e-12
"""The same length, of what rounding alone leaves."""
LEVEL = (
    "; or, where a factor of one has a level that is large beside its spread, take that level away"
)
ROUNDING = 4 * np.finfo(float).eps
"""Deviation, relative to the largest value of the column, that rounding alone explains."""
DIGIT = 1e-4
"""Distance of a number from the next, from which rounding may be why values are all the same."""
FAR = 1e3
"""Level relative to the spread within situations from which it is taken away."""


def deviations(values: Array, data: ChoiceData) -> Array:
    """Deviations (R, M) of columns from their mean within each situation.

    With an outside option they are the values themselves: the outside option's are 0, and a column
    is judged against that.
    """
    if data.outside_option:
        return values
    out = np.empty(values.shape)
    for part, centred in deviations_by_part(values, data):
        out[part.rows] = centred
    return out


def deviations_by_part(values: Rows, data: ChoiceData) -> Iterator[tuple[Part, Array]]:
    """`deviations` of the rows of each part of the data."""
    scale = None if data.outside_option else largest_size(values, data)
    for part in parts(data, values):
        if scale is None:
            yield part, values[part.rows]
            continue
        _, centred = _around(values[part.rows], part)
        centred[np.abs(centred) <= ROUNDING * scale] = 0.0
        yield part, centred


def person_deviations(values: Rows, data: ChoiceData, persons: Indices) -> Iterator[Array]:
    """`deviations` of the rows of each of some persons."""
    scale = largest_size(values, data)
    for first, last in zip(data.person_start[persons], data.person_start[persons + 1], strict=True):
        part = part_of(data, int(first), int(last))
        centred = values[part.rows]
        if not data.outside_option:
            _, centred = _around(centred, part)
            centred[np.abs(centred) <= ROUNDING * scale] = 0.0
        yield centred


def largest_size(values: Rows, data: ChoiceData) -> Array:
    """Largest size (M,) of each column."""
    most = np.zeros(values.shape[1])
    for part in parts(data, values):
        most = np.maximum(most, np.abs(values[part.rows]).max(axis=0, initial=0.0))
    return most


def largest_deviation(values: Rows, data: ChoiceData) -> Array:
    """Largest size (M,) of the deviations of each column."""
    most = np.zeros(values.shape[1])
    for _, centred in deviations_by_part(values, data):
        most = np.maximum(most, np.abs(centred).max(axis=0, initial=0.0))
    return most


def _around(values: Array, part: Part) -> tuple[Array, Array]:
    """Means (t, M) of columns (r, M) within situations, and what is left (r, M).

    From differences to the situation's first row: they are exact where a level is large, and 0
    where all are equal.
    """
    start, situation = part.situation_start[:-1], part.row_situation
    first = values[start]
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is refused in words
        centred = values - first[situation]
    means = np.add.reduceat(centred, start, axis=0) / np.diff(part.situation_start)[:, None]
    centred -= means[situation]
    return first + means, centred


def levels(values: Rows, data: ChoiceData) -> Array | None:
    """What columns (R, M) are far from 0 by, (T, M); None where none is far.

    Choices see differences within situations. A level of a million times their size, such as a
    time stamp's, costs sums and squares their digits: a column that is `FAR` from 0 somewhere has
    its mean in each situation for a level, the others 0. With an outside option levels matter.
    """
    if data.outside_option or not all(values.shape):
        return None
    most = np.zeros(values.shape[1])
    for part in parts(data, values):
        means, _ = _around(values[part.rows], part)
        most = np.maximum(most, np.abs(means).max(axis=0, initial=0.0))
    far = most > FAR * spread(values, data)
    if not far.any():
        return None
    found = np.empty((data.n_situations, values.shape[1]))
    for part in parts(data, values):
        found[part.situations] = np.where(far, _around(values[part.rows], part)[0], 0.0)
    return found


def spread(values: Rows, data: ChoiceData) -> Array:
    """Root mean square (M,) of the deviations of each column: its natural scale in a utility."""
    unit, total = _squares(values, data)
    return np.sqrt(total / values.shape[0]) * unit


def _squares(values: Rows, data: ChoiceData) -> tuple[Array, Array]:
    """A power of 2 (M,) near the size of each column, and sums (M,) of squares over its square."""
    unit = _unit(largest_deviation(values, data))
    total = np.zeros(values.shape[1])
    for _, centred in deviations_by_part(values, data):
        total = total + ((centred / unit) ** 2).sum(axis=0)
    return unit, total


def _unit(size: Array) -> Array:
    """A power of 2 near each size: numbers over it have not been rounded."""
    found: Array = 2.0 ** np.clip(np.frexp(size)[1], -1000, 1000)
    return found


def variation_faults(values: Rows, names: tuple[str, ...], data: ChoiceData) -> Iterator[Fault]:
    """Columns (R, M) that no choice can inform: without variation, then collinear ones."""
    yield from flat_faults(values, names, data)
    if values.shape[0] < len(names):
        words = f"{len(names)} columns but only {values.shape[0]} rows"
        yield Fault(words, "use fewer columns", names)
        return
    size = within_length(values, data)
    kept = np.flatnonzero(size > 0.0)
    triangle = _triangle(values, data, kept, size[kept])
    while (found := _dependent(triangle)) is not None:
        place, weights = found
        # Columns of the triangle have the angles that those of the data have.
        gap = float(np.linalg.norm(triangle[:, : place + 1] @ weights) / np.linalg.norm(weights))
        yield _collinear(weights, size[kept], [names[k] for k in kept], gap)
        kept, triangle = np.delete(kept, place), np.delete(triangle, place, axis=1)


def _triangle(values: Rows, data: ChoiceData, kept: Indices, size: Array) -> Array:
    """The triangle (M, M) of the columns' deviations over their lengths, by parts of rows."""
    found = np.zeros((0, len(kept)))
    for _, centred in deviations_by_part(values, data):
        found = np.linalg.qr(np.concatenate([found, centred[:, kept] / size]), mode="r")
    return found


def flat_faults(values: Rows, names: tuple[str, ...], data: ChoiceData) -> Iterator[Fault]:
    """Columns (R, M) that have no variation within any situation."""
    flat = np.flatnonzero(largest_deviation(values, data) == 0.0)
    sizes = largest_size(values, data) if len(flat) else np.zeros(0)
    for m in flat:
        remedy, size = "leave it out", sizes[m]
        if not data.outside_option and size > 0.0:
            written = interaction(names[m], data)
            if written:
                remedy += f", or keep its interaction with the alternative alone, {written}"
        digits = f" (computers hold numbers near {size:.2g} to within {np.spacing(size):.1g})"
        yield Fault(
            f"{names[m]!r} has no variation within any situation, so choices say nothing of its "
            f"coefficient{digits if np.spacing(size) > DIGIT else ''}",
            remedy,
            (names[m],),
        )


def interaction(name: str, data: ChoiceData) -> str:
    """The interaction of a column of the utility with the alternative, as formulas write it.

    "" where it is one already.
    """
    columns, alternative = data.frame.columns, data.alternative
    parts = [name] if name in columns else name.split(":")
    if any(part.startswith(f"{alternative}[") for part in parts):
        return ""
    found = []
    for part in parts:
        column = part.partition("[")[0]
        if part.replace(".", "_").isidentifier():
            found.append(part)
        elif part in columns:
            found.append(f"`{part}`")
        elif part.endswith("]") and column in columns:
            found.append(f"C({column})")
        else:
            found.append(part if re.fullmatch(r"[\w.]+\(.*\)", part) else f"{{{part}}}")
    return ":".join([f"C({alternative})", *found])


def length(values: Array) -> Array:
    """Length (M,) of columns, whatever their size."""
    unit = _unit(np.abs(values).max(axis=0, initial=0.0))
    return np.sqrt(((values / unit) ** 2).sum(axis=0)) * unit


def within_length(values: Rows, data: ChoiceData) -> Array:
    """Length (M,) of the deviations of columns, whatever their size."""
    unit, total = _squares(values, data)
    return np.sqrt(total) * unit


def _dependent(triangle: Array) -> tuple[int, Array] | None:
    """The first of columns (M, M), of length 1, that is a combination of earlier ones, and it."""
    triangle = np.linalg.qr(triangle, mode="r")
    if not _singular(triangle):
        return None
    m = next(m for m in range(1, len(triangle)) if _singular(triangle[: m + 1, : m + 1]))
    return m, np.append(-np.linalg.solve(triangle[:m, :m], triangle[:m, m]), 1.0)


def _singular(triangle: Array) -> bool:
    # Not by the diagonal alone: powers of a column are each told apart from the earlier ones.
    return len(triangle) > 1 and np.linalg.svd(triangle, compute_uv=False)[-1] < COLLINEAR


def _collinear(weights: Array, size: Array, names: Sequence[str], gap: float) -> Fault:
    m = len(weights) - 1
    combination = weights / size[: m + 1] * size[m]
    involved = [p for p in range(m + 1) if abs(weights[p]) > 1e-6 * np.abs(weights).max()]
    words = " ".join(f"{combination[p]:+.4g} {names[p]}" for p in involved)
    return Fault(
        f"columns are perfectly collinear within situations: {words} = 0 "
        "(up to a constant a situation)",
        "leave one of them out" + (LEVEL if gap > EXACT else ""),
        tuple(names[p] for p in involved),
    )
