"""Persons' standard normals from what the sampler moves, centred by what each person's choices say.

A person's likelihood is taken for that of a normal law of the index, ``exp(h'b - b'H b / 2)``. With
``b = loc + L u`` and ``u ~ N(0, I)`` the law of u given choices has then the precision ``P`` and
the mean ``P^-1 g``,

    P = I + L'H L = R R',    g = L'(h - H loc),    u = R^-T (R^-1 g + z),

so that ``z`` would be standard normal whatever ``loc`` and ``L`` are. The law of u stays what it
is, for the density has its Jacobian: ``H = 0`` and ``h = 0`` are the non-centred form, and a large
``H`` is the centred one.
"""

from __future__ import annotations

import math

import numpy as np

from bayesmix.arrays import Array
from bayesmix.kernels.compiling import compiled, part


@part(error_model="numpy")
def _down(factor: Array, b: Array, out: Array) -> None:  # pragma: no cover - compiled
    """``R^-1 b``."""
    for k in range(b.shape[0]):
        total = b[k]
        for j in range(k):
            total -= factor[k, j] * out[j]
        out[k] = total / factor[k, k]


@part(error_model="numpy")
def _up(factor: Array, b: Array, out: Array) -> None:  # pragma: no cover - compiled
    """``R^-T b``."""
    n = b.shape[0]
    for k in range(n - 1, -1, -1):
        total = b[k]
        for j in range(k + 1, n):
            total -= factor[j, k] * out[j]
        out[k] = total / factor[k, k]


@part(error_model="numpy")
def _times(information: Array, chol: Array, out: Array) -> None:  # pragma: no cover - compiled
    """``H L``."""
    size = chol.shape[0]
    for k in range(size):
        for a in range(size):
            total = 0.0
            for j in range(a, size):
                total += information[k, j] * chol[j, a]
            out[k, a] = total


@part(error_model="numpy")
def _missed(  # pragma: no cover - compiled
    information: Array, pull: Array, loc: Array, out: Array
) -> None:
    """``h - H loc``."""
    for k in range(pull.shape[0]):
        out[k] = pull[k]
        for j in range(pull.shape[0]):
            out[k] -= information[k, j] * loc[j]


@part(error_model="numpy")
def _precision_factor(  # pragma: no cover - compiled
    chol: Array, middle: Array, out: Array
) -> None:
    """``R`` with ``R R' = I + L'(H L)``; NaN where that is no positive definite number."""
    size = chol.shape[0]
    for a in range(size):
        for b in range(a + 1):
            total = 1.0 if a == b else 0.0
            for k in range(a, size):
                total += chol[k, a] * middle[k, b]
            for k in range(b):
                total -= out[a, k] * out[b, k]
            out[a, b] = math.sqrt(total) if a == b else total / out[b, b]
        for b in range(a + 1, size):
            out[a, b] = 0.0


@compiled(nogil=True, error_model="numpy")
def centred_normals(  # pragma: no cover - compiled
    information: Array, pull: Array, loc: Array, chol: Array, z: Array
) -> tuple[float, Array, Array]:
    """Log-density of all ``z`` given the population, without choices; ``u`` and ``R``.

    Parameters
    ----------
    information, pull
        ``H`` (n, K, K) and ``h`` (n, K) of every person.
    loc
        Locations (1 or n, at least K).
    chol
        ``L`` (K, K).
    z
        What the sampler moves (n, K).

    Returns
    -------
    tuple
        ``sum_i (-u_i'u_i / 2 - log |R_i|)``, ``u`` (n, K) and ``R`` (n, K, K).
    """
    n, size = z.shape
    u, factor = np.empty((n, size)), np.empty((n, size, size))
    middle, missed = np.empty((size, size)), np.empty(size)
    g, w, total = np.empty(size), np.empty(size), 0.0
    for i in range(n):
        _times(information[i], chol, middle)
        _precision_factor(chol, middle, factor[i])
        _missed(information[i], pull[i], loc[min(i, loc.shape[0] - 1)], missed)
        for a in range(size):
            g[a] = 0.0
            for k in range(a, size):
                g[a] += chol[k, a] * missed[k]
        _down(factor[i], g, w)
        for a in range(size):
            w[a] += z[i, a]
        _up(factor[i], w, u[i])
        for a in range(size):
            total -= 0.5 * u[i, a] * u[i, a] + math.log(factor[i, a, a])
    return total, u, factor


@compiled(nogil=True, error_model="numpy")
def centred_slopes(  # pragma: no cover - compiled
    given: tuple[Array, Array, Array, Array], u: Array, factor: Array, by_d: Array
) -> tuple[Array, Array, Array]:
    """Derivatives of `centred_normals` plus what has the slopes ``by_d`` (n, K) by ``d = L u``.

    ``given`` are the first four arguments of `centred_normals`, ``u`` and ``factor`` what it
    returned. By ``z`` (n, K), by the person's ``loc`` (n, K), and by ``L`` (K, K), its lower
    triangle.
    """
    information, pull, loc, chol = given
    n, size = u.shape
    by_z, by_loc, by_chol = np.empty((n, size)), np.empty((n, size)), np.zeros((size, size))
    middle, missed = np.empty((size, size)), np.empty(size)
    by_u, by_g, y = np.empty(size), np.empty(size), np.empty(size)
    s, t = np.empty((size, size)), np.empty((size, size))
    for i in range(n):
        r, w = factor[i], by_z[i]
        _times(information[i], chol, middle)
        _missed(information[i], pull[i], loc[min(i, loc.shape[0] - 1)], missed)
        for a in range(size):
            by_u[a] = -u[i, a]
            for k in range(a, size):
                by_u[a] += chol[k, a] * by_d[i, k]
        _down(r, by_u, w)  # by z, and by R^-1 g
        _up(r, w, by_g)
        for a in range(size):  # y = R^-1 g = R'u - z, where z is not at hand: from g itself
            by_u[a] = 0.0
            for k in range(a, size):
                by_u[a] += chol[k, a] * missed[k]
        _down(r, by_u, y)
        # By R: -u w' - by_g y', and -1 / R_kk. Then the lower triangle of R'(by R), halved on the
        # diagonal, is what the Cholesky factor leaves of it.
        for a in range(size):
            for b in range(a + 1):
                total = 0.0
                for k in range(a, size):
                    total -= r[k, a] * (u[i, k] * w[b] + by_g[k] * y[b])
                s[a, b] = s[b, a] = 0.5 * total if a != b else 0.5 * (total - 1.0)
        # By P: R^-T S R^-1, S the symmetric matrix.
        for a in range(size):
            _up(r, s[a], t[a])  # rows of S R^-1, for S is symmetric
        for b in range(size):
            for a in range(size):
                by_u[a] = t[a, b]
            _up(r, by_u, y)
            for a in range(size):
                s[a, b] = y[a]
        # By L: d u', 2 H L (by P), and missed by_g'; by loc: -H L by_g.
        for k in range(size):
            for a in range(k + 1):
                total = by_d[i, k] * u[i, a] + missed[k] * by_g[a]
                for b in range(size):
                    total += 2.0 * middle[k, b] * s[b, a]
                by_chol[k, a] += total
            total = 0.0
            for a in range(size):
                total -= middle[k, a] * by_g[a]
            by_loc[i, k] = total
    return by_z, by_loc, by_chol
