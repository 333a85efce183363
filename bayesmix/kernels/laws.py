"""Mixing laws as kernels know them: rows of numbers, and what is done by all of them.

A law is a function that is called by its number, see `law_functions`.

``laws`` (C, 7) has a row for each coefficient, 0 where it is its Gaussian index ``b = loc + d``
itself. A law that moves is a map ``T(d; loc, s, shape)`` of ``d = L_k u``, with location and the
length ``s`` of the row ``L_k`` by themselves; the others are maps ``T(b; shape)`` of the index.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled, part
from bayesmix.kernels.law_functions import call_fill, call_map

MAP, FILL, MOVES, BENDS, SHAPES, FIRST, TABLE = range(7)
"""Columns of ``laws``: numbers of the map and of what fills its table (0: none); whether it moves;
whether it writes its second derivative; how many shapes it has, and where in ``loc`` they begin;
length of its table."""
COLUMNS = 7
NO_KNOWN, NO_TABLES = np.zeros((0, 3)), np.zeros((0, 0))
LEAST_SCALE = 1e-100


def no_laws(size: int) -> Indices:
    """``laws`` (size, 7) of coefficients that are their indices."""
    return np.zeros((size, COLUMNS), dtype=np.int64)


def with_fixed(laws: Indices, number: int) -> Indices:
    """``laws`` of coefficients that so many others follow, which are locations themselves."""
    moved = laws.copy()
    moved[:, FIRST] += number
    return np.concatenate([moved, no_laws(number)])


def functions_of(laws: Indices) -> tuple[int, ...]:
    """Numbers of the functions that kernels call for ``laws`` (C, 7)."""
    return tuple(int(n) for n in laws[:, [MAP, FILL]].ravel() if n)


@part(error_model="numpy")
def row_length(row: Array) -> float:  # pragma: no cover - compiled
    """Length of a row of the Cholesky factor: the scale of its coefficient."""
    total = 0.0
    for j in range(row.shape[0]):
        total += row[j] * row[j]
    return math.sqrt(total)


@part(error_model="numpy")
def law_at(laws: Indices, k: int, loc: Array, scale: float) -> Array:  # pragma: no cover - compiled
    """Location, scale and shapes of coefficient k, of a row of locations and shapes."""
    count, first = laws[k, SHAPES], laws[k, FIRST]
    at = np.empty(2 + count)
    at[0], at[1] = loc[k], scale
    for j in range(count):
        at[2 + j] = loc[first + j]
    return at


@compiled(error_model="numpy")
def law_tables(  # pragma: no cover - compiled
    laws: Indices, known: Array, loc: Array, chol: Array
) -> Array:
    """Tables (C, .) of the laws that are dear at single points; (C, 0) without such laws.

    Shapes are those of the first row of ``loc``.
    """
    longest = 0
    for k in range(laws.shape[0]):
        longest = max(longest, laws[k, TABLE])
    tables = np.zeros((laws.shape[0], longest))
    for k in range(laws.shape[0]):
        if laws[k, FILL] != 0:
            at = law_at(laws, k, loc[0], row_length(chol[k]))
            call_fill(laws[k, FILL], at, known[k], tables[k, : laws[k, TABLE]])
    return tables


@part(error_model="numpy")
def law_bend(  # pragma: no cover - compiled
    laws: Indices, known: Array, k: int, x: float, at: Array
) -> float:
    """``T_dd`` of coefficient k at x: the map's own, or by differences of ``T_d``."""
    points, none = np.empty(1), np.empty(0)
    out = np.empty((3 + at.shape[0], 1))
    if laws[k, BENDS] != 0:
        points[0] = x
        call_map(laws[k, MAP], points, at, known[k], none, out)
        return out[2 + at.shape[0], 0]
    step = 1e-4 * (max(at[1], LEAST_SCALE) if laws[k, MOVES] != 0 else 1.0)
    points[0] = x + step
    call_map(laws[k, MAP], points, at, known[k], none, out)
    up = out[1, 0]
    points[0] = x - step
    call_map(laws[k, MAP], points, at, known[k], none, out)
    return (up - out[1, 0]) / (2.0 * step)


@compiled(error_model="numpy")
def law_values(  # pragma: no cover - compiled
    law: Indices, known: Array, d: Array, loc: Array, at: Array
) -> Array:
    """``T`` (n, G) of one law at ``d`` (n,) and locations (G,); ``law`` (7,) is a row of ``laws``.

    ``at`` are location, scale and shapes; the location is taken from ``loc``.
    """
    n, here = d.shape[0], at.copy()
    found = np.empty((n, loc.shape[0]))
    table, out = np.zeros(law[TABLE]), np.empty((3 + at.shape[0], n))
    if law[FILL] != 0:
        call_fill(law[FILL], here, known, table)
    x = np.empty(n)
    for g in range(loc.shape[0]):
        here[0] = loc[g]
        for i in range(n):
            x[i] = d[i] if law[MOVES] != 0 else loc[g] + d[i]
        call_map(law[MAP], x, here, known, table, out)
        for i in range(n):
            found[i, g] = out[0, i]
    return found


@compiled(error_model="numpy")
def law_reach(  # pragma: no cover - compiled
    law: Indices, known: Array, value: float, loc: Array, at: Array
) -> Array:
    """The standard normals (G,) at which a law that rises has a value, by bisection."""
    found, here, d = np.empty(loc.shape[0]), np.empty(1), np.empty(1)
    for g in range(loc.shape[0]):
        low, high = -40.0, 40.0
        here[0] = loc[g]
        for _ in range(60):
            middle = 0.5 * (low + high)
            d[0] = middle * at[1]
            if law_values(law, known, d, here, at)[0, 0] < value:
                low = middle
            else:
                high = middle
        found[g] = 0.5 * (low + high)
    return found


@compiled(error_model="numpy")
def law_table(  # pragma: no cover - compiled
    laws: Indices, known: Array, d: Array, loc: Array, scale: Array
) -> Array:
    """``T`` and its derivatives by d, location, scale and shapes (4 + E, n, K), of every law.

    ``d`` (n, K), ``loc`` (1 or n, K + E), ``scale`` (K,); a shape has its row of derivatives in the
    column of its coefficient.
    """
    n, size = d.shape
    found = np.zeros((4 + loc.shape[1] - size, n, size))
    none, x = np.empty(0), np.empty(n)
    for k in range(size):
        moves = laws[k, MOVES] != 0
        for i in range(n):
            x[i] = d[i, k] if moves else loc[min(i, loc.shape[0] - 1), k] + d[i, k]
        if laws[k, MAP] == 0:
            for i in range(n):
                found[0, i, k], found[1, i, k], found[2, i, k] = x[i], 1.0, 1.0
            continue
        # A law that moves is called for each location by itself.
        step = 1 if moves and loc.shape[0] > 1 else max(n, 1)
        for first in range(0, n, step):
            at = law_at(laws, k, loc[min(first, loc.shape[0] - 1)], scale[k])
            out = np.empty((3 + at.shape[0], step))
            call_map(laws[k, MAP], x[first : first + step], at, known[k], none, out)
            for s in range(step):
                i = first + s
                found[0, i, k], found[1, i, k] = out[0, s], out[1, s]
                found[2, i, k] = out[2, s] if moves else out[1, s]
                found[3, i, k] = out[3, s] if moves else 0.0
                for j in range(laws[k, SHAPES]):
                    found[4 + laws[k, FIRST] - size + j, i, k] = out[4 + j, s]
    return found
