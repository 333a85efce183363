"""Variation within situations: all that a logit learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayesmix.data.choices import ChoiceData
from bayesmix.errors import DataError

Array = NDArray[np.float64]


def deviations(values: Array, data: ChoiceData) -> Array:
    """Deviations (R, M) of columns from their mean within each situation.

    With an outside option they are the values themselves: the outside option's are 0, and a column
    is judged against that.
    """
    if data.outside_option:
        return values
    start = data.situation_start
    sizes = np.diff(start)
    means = np.add.reduceat(values, start[:-1], axis=0) / sizes[:, None]
    centred = values - np.repeat(means, sizes, axis=0)
    scale = np.abs(values).max(axis=0, initial=0.0)
    centred[np.abs(centred) <= 1e-13 * scale] = 0.0
    return centred


def spread(values: Array, data: ChoiceData) -> Array:
    """Root mean square (M,) of the deviations of each column: its natural scale in a utility."""
    return np.sqrt((deviations(values, data) ** 2).mean(axis=0))


def check_variation(values: Array, names: tuple[str, ...], data: ChoiceData) -> None:
    """Refuse columns that no choice can inform.

    Raises
    ------
    DataError
        If a column has no variation within any situation, or columns are perfectly collinear
        within situations.
    """
    centred = deviations(values, data)
    size = np.sqrt((centred**2).sum(axis=0))
    flat = [name for name, s in zip(names, size, strict=True) if s == 0.0]
    if flat:
        raise DataError(
            f"{flat[0]!r} has no variation within any situation, so choices say nothing of its "
            f"coefficient: leave it out, or keep its interaction with the alternative alone, "
            f"C({data.alternative}):{flat[0]}"
        )
    if len(values) < len(names):
        raise DataError(f"{len(names)} columns but only {len(values)} rows: use fewer columns")
    _check_rank(centred / size, size, names)


def _check_rank(unit: Array, size: Array, names: tuple[str, ...]) -> None:
    """Refuse collinear columns (R, M), of length 1, and name the first such combination."""
    triangle = np.linalg.qr(unit, mode="r")
    dependent = np.flatnonzero(np.abs(np.diag(triangle)) < 1e-9)
    if not len(dependent):
        return
    m = int(dependent[0])
    weights = np.append(-np.linalg.solve(triangle[:m, :m], triangle[:m, m]), 1.0)
    combination = weights / size[: m + 1] * size[m]
    involved = [
        f"{c:+.4g} {name}"
        for w, c, name in zip(weights, combination, names, strict=False)
        if abs(w) > 1e-7
    ]
    raise DataError(
        f"columns are perfectly collinear within situations: {' '.join(involved)} = 0 "
        "(up to a constant a situation): leave one of them out"
    )
