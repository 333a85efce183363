"""Variation within situations: all that a logit learns from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from bayesmix.arrays import Array
from bayesmix.data.choices import ChoiceData
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
    _, centred = _around(values, data)
    scale = np.abs(values).max(axis=0, initial=0.0)
    centred[np.abs(centred) <= ROUNDING * scale] = 0.0
    return centred


def _around(values: Array, data: ChoiceData) -> tuple[Array, Array]:
    """Means (T, M) of columns within situations, and what is left (R, M).

    From differences to the situation's first row: they are exact where a level is large, and 0
    where all are equal.
    """
    start, situation = data.situation_start[:-1], data.row_situation
    first = values[start]
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is refused in words
        centred = values - first[situation]
    means = np.add.reduceat(centred, start, axis=0) / np.diff(data.situation_start)[:, None]
    centred -= means[situation]
    return first + means, centred


def levels(values: Array, data: ChoiceData) -> Array | None:
    """What columns (R, M) are far from 0 by, (T, M); None where none is far.

    Choices see differences within situations. A level of a million times their size, such as a
    time stamp's, costs sums and squares their digits: a column that is `FAR` from 0 somewhere has
    its mean in each situation for a level, the others 0. With an outside option levels matter.
    """
    if data.outside_option or not values.size:
        return None
    means, _ = _around(values, data)
    size = spread(values, data)
    far = np.abs(means).max(axis=0, initial=0.0) > FAR * size
    return np.where(far, means, 0.0) if far.any() else None


def spread(values: Array, data: ChoiceData) -> Array:
    """Root mean square (M,) of the deviations of each column: its natural scale in a utility."""
    unit, scaled = _scaled(deviations(values, data))
    return np.sqrt((scaled**2).mean(axis=0)) * unit


def _scaled(values: Array) -> tuple[Array, Array]:
    """A power of 2 (M,) near the size of each column, and the columns over it: no rounding."""
    unit = 2.0 ** np.clip(np.frexp(np.abs(values).max(axis=0, initial=0.0))[1], -1000, 1000)
    return unit, values / unit


def variation_faults(values: Array, names: tuple[str, ...], data: ChoiceData) -> Iterator[Fault]:
    """Columns (R, M) that no choice can inform: without variation, then collinear ones."""
    yield from flat_faults(values, names, data)
    if len(values) < len(names):
        words = f"{len(names)} columns but only {len(values)} rows"
        yield Fault(words, "use fewer columns", names)
        return
    centred = deviations(values, data)
    size = length(centred)
    kept = np.flatnonzero(size > 0.0)
    while (found := _dependent(centred[:, kept] / size[kept])) is not None:
        place, weights = found
        unit = centred[:, kept[: place + 1]] / size[kept[: place + 1]]
        gap = float(np.linalg.norm(unit @ weights) / np.linalg.norm(weights))
        yield _collinear(weights, size[kept], [names[k] for k in kept], gap)
        kept = np.delete(kept, place)


def flat_faults(values: Array, names: tuple[str, ...], data: ChoiceData) -> Iterator[Fault]:
    """Columns (R, M) that have no variation within any situation."""
    for m in np.flatnonzero(length(deviations(values, data)) == 0.0):
        remedy = "leave it out"
        if not data.outside_option and values[:, m].any():
            written = interaction(names[m], data)
            if written:
                remedy += f", or keep its interaction with the alternative alone, {written}"
        size = np.abs(values[:, m]).max(initial=0.0)
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
    unit, scaled = _scaled(values)
    return np.sqrt((scaled**2).sum(axis=0)) * unit


def _dependent(unit: Array) -> tuple[int, Array] | None:
    """The first of columns (R, M), of length 1, that is a combination of earlier ones, and it."""
    triangle = np.linalg.qr(unit, mode="r")
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
