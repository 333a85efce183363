"""A Cholesky factor from standard deviations and partial correlations, and derivatives by these.

``L_kj = sd_k tanh(y_kj) prod_{i < j} sech(y_ki)``, and the diagonal is what is left of the row. A
sampler asks for both thousands of times a second, of some twenty numbers: array by array they would
take as long as the likelihood.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.compiling import compiled

LOG_2 = math.log(2.0)


@compiled(error_model="numpy")
def factor_at(  # pragma: no cover - compiled
    q: Array, diagonal: Indices, start: Indices, before: Indices
) -> tuple[Array, float, Array]:
    """The vector (P,) with rows of ``L`` in it, ``log |d L / d q|``, and the slope (P,) of that.

    Parameters
    ----------
    q
        (P,), with ``log sd_k`` in the place of a row's diagonal, ``y_kj`` in those before; what is
        in no row stays.
    diagonal, start, before
        Of every row the place of its diagonal (K,), and those before it,
        ``before[start[k] : start[k + 1]]``.
    """
    found, slope, total = q.copy(), np.zeros_like(q), 0.0
    for k in range(len(diagonal)):
        size, product = math.exp(q[diagonal[k]]), 1.0
        m = start[k + 1] - start[k]
        total += (m + 1) * q[diagonal[k]]
        slope[diagonal[k]] = m + 1
        for a in range(m):
            place = before[start[k] + a]
            y = q[place]
            tanh = math.tanh(y)
            log_cosh = abs(y) + math.log1p(math.exp(-2.0 * abs(y))) - LOG_2
            found[place] = size * tanh * product
            product *= math.exp(-log_cosh)
            total -= (m - a) * log_cosh
            slope[place] = -(m - a) * tanh
        found[diagonal[k]] = size * product
    return found, total, slope


@compiled(error_model="numpy")
def factor_slopes(  # pragma: no cover - compiled
    q: Array, factor: Array, by_factor: Array, rows: tuple[Indices, Indices, Indices]
) -> Array:
    """Derivatives (P,) by ``q``, of those (P,) by the vector ``factor`` of `factor_at`."""
    diagonal, start, before = rows
    found = by_factor.copy()
    for k in range(len(diagonal)):
        size, product = math.exp(q[diagonal[k]]), 1.0
        for a in range(start[k], start[k + 1]):
            y = q[before[a]]
            sech = 1.0 / math.cosh(y)
            found[before[a]] = sech * sech * product * by_factor[before[a]] * size
            product *= sech
        # Of the entries from each on: an entry's y turns it up, and all that follow down.
        after = by_factor[diagonal[k]] * factor[diagonal[k]]
        for a in range(start[k + 1] - 1, start[k] - 1, -1):
            found[before[a]] -= math.tanh(q[before[a]]) * after
            after += by_factor[before[a]] * factor[before[a]]
        found[diagonal[k]] = after
    return found
