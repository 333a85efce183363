"""Fixed points of many markets at once, by squared extrapolation (Varadhan and Roland 2008)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bayesmix.arrays import Array, Flags, Indices

WORSE = 2.0
"""An extrapolated point whose step is longer by more than this is given up for the plain one."""


class FixedPoint(NamedTuple):
    """Where a map stays where it is.

    Parameters
    ----------
    value
        (G, J), a row a market.
    error
        Largest entry (G,) of the map's last step; NaN where it left the numbers.
    evaluations
        How often the map was evaluated.
    """

    value: Array
    error: Array
    evaluations: int


def squarem(
    function: Callable[[Array], Array], start: Array, *, tolerance: Array | float, most: int
) -> FixedPoint:
    """The fixed point of a map that takes rows (G, J) of markets to rows, each by itself.

    ``x' = x - 2 a r + a^2 v`` with the step ``r = F(x) - x``, its change ``v`` and
    ``a = -|r| / |v|``, by row: the third scheme of Varadhan and Roland. Where the step from there
    is longer, or no number, that row goes on from ``F(F(x))``.

    Examples
    --------
    >>> found = squarem(np.cos, np.zeros((1, 1)), tolerance=1e-13, most=100)
    >>> round(float(found.value[0, 0]), 10), found.evaluations < 20
    (0.7390851332, True)
    """
    x = np.array(start)
    fx = function(x)
    count = 1
    while True:
        step = fx - x
        error = np.abs(step).max(axis=1)
        going = ~(error <= tolerance)
        if not going.any() or count + 2 > most:
            return FixedPoint(x, error, count)
        then = np.where(going[:, None], fx, x)
        f2 = function(then)
        jump = _extrapolated(x, step, f2 - then)
        usable = going & np.isfinite(jump).all(axis=1)
        plain = np.where(going[:, None], f2, x)
        x_new = np.where(usable[:, None], jump, plain)
        f_new = function(x_new)
        count += 2
        worse = usable & ~(np.abs(f_new - x_new).max(axis=1) <= WORSE * error)
        if worse.any():
            x_new = np.where(worse[:, None], plain, x_new)
            f_new = function(x_new)
            count += 1
        x, fx = x_new, f_new


def _extrapolated(x: Array, step: Array, then: Array) -> Array:
    """The squared extrapolation of each row, from its step and the one that follows."""
    change = then - step
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        a = -np.sqrt((step**2).sum(axis=1) / (change**2).sum(axis=1))[:, None]
        return x - 2 * a * step + a**2 * change


def solved_rows(matrices: Array, right: Array) -> tuple[Array, Flags]:
    """Solutions (G, J, ...) of a system for each market, NaN where it is singular, and which are.

    >>> solved_rows(np.array([[[2.0]], [[0.0]]]), np.array([[1.0], [1.0]]))[0].tolist()
    [[0.5], [nan]]
    """
    column = right.ndim == 2
    wide = right[..., None] if column else right
    fine = np.isfinite(matrices).all(axis=(1, 2)) & np.isfinite(wide).all(axis=(1, 2))
    found = np.full(wide.shape, np.nan)
    try:
        found[fine] = np.linalg.solve(matrices[fine], wide[fine])
    except np.linalg.LinAlgError:
        for g in np.flatnonzero(fine):
            found[g] = _one(matrices[g], wide[g])
    fine &= np.isfinite(found).all(axis=(1, 2))
    return (found[..., 0] if column else found), fine


def _one(matrix: Array, right: Array) -> Array:
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.full(right.shape, np.nan)


def cells(groups: Indices, codes: Indices, shape: tuple[int, int], values: Array) -> Array:
    """Sums (G, A) of values (R,) by group and code."""
    flat = np.bincount(groups * shape[1] + codes, values, shape[0] * shape[1])
    return flat.reshape(shape)
