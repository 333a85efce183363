"""Solutions of linear equations as a point and directions, by elimination."""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Flags

KEPT = 1e-9
"""Share of its terms by which an equation may be off and still hold."""
RANK = 1e-10
"""Size below which a number is 0."""


def eliminated(equations: Array, values: Array) -> tuple[Array, Array, Flags] | None:
    """``theta = offset + D phi`` (P,) of all solutions of ``A theta = q``; None without any.

    Entries that an equation of their own holds come first, exactly; the others in the order of the
    largest coefficients.

    Returns
    -------
    offset, directions, left
        (P,), ``D`` (P, P) with columns of 0 where an entry depends on others, and which entries
        (P,) are ``phi``.

    Examples
    --------
    >>> offset, directions, left = eliminated(np.array([[1.0, 1.0]]), np.array([1.0]))
    >>> offset.tolist(), directions[:, left].ravel().tolist()
    ([0.0, 1.0], [1.0, -1.0])
    """
    size = equations.shape[1]
    offset, directions = np.zeros(size), np.eye(size)
    left = np.ones(size, dtype=bool)
    single = np.count_nonzero(equations, axis=1) == 1
    for row, value in zip(equations[single], values[single], strict=True):
        entry = int(np.flatnonzero(row)[0])
        if not left[entry] and abs(offset[entry] - value / row[entry]) > KEPT:
            return None
        offset[entry], left[entry] = value / row[entry], False
    directions[~left] = 0.0
    rows, rest = equations[~single], values[~single]
    rest = rest - rows @ offset
    while len(rows):
        part = rows * left
        size = np.abs(part)
        if not size.max() > RANK:
            break
        # The last entry of a largest one depends on the others: ties follow the first.
        n, _ = np.unravel_index(int(np.argmax(size)), size.shape)
        entry = int(np.flatnonzero(size[n] >= size[n].max() * (1 - RANK))[-1])
        pivot = part[n, entry]
        direction = -part[n] / pivot
        direction[entry] = 0.0
        shift = rest[n] / pivot
        directions += np.outer(directions[:, entry], direction)
        offset = offset + directions[:, entry] * shift
        directions[:, entry] = 0.0
        rest = rest - rows[:, entry] * shift
        rows = rows + np.outer(rows[:, entry], direction)
        rows[:, entry] = 0.0
        left[entry] = False
    if len(rest) and np.abs(rest).max() > KEPT * (1.0 + np.abs(values).max()):
        return None
    return offset, directions, left
