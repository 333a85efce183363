"""Laws of likelihood ratios at a boundary: mixtures of chi-squared laws.

Where a variance is 0 under the null, its estimate cannot go to the other side: the likelihood ratio
is the squared length of a normal vector's projection onto the cone of what is allowed (Chernoff
1954; Self and Liang 1987; Stram and Lee 1994 for variances of random coefficients).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.optimize import nnls
from scipy.stats import chi2

from bayesmix.arrays import Array

DRAWS = 4096
BATCH = 128
"""Draws that are projected together: products of larger matrices would start threads."""
SEED = 20
ITERATIONS, SMALL = 400, 1e-4
"""Steps of a projection; where all move less, in standard errors of variances, they end."""


@dataclass(frozen=True)
class ChiBar:
    """``sum_d w_d chi2_d``: one chi-squared law, drawn with its weight; ``chi2_0`` is 0.

    Parameters
    ----------
    weights, dofs
        Weights, which sum to 1, and degrees of freedom.

    Examples
    --------
    >>> half = ChiBar((0.5, 0.5), (0, 1))
    >>> print(half)
    1/2 chi2(0) + 1/2 chi2(1)
    >>> round(half.sf(2.7055), 4)
    0.05
    """

    weights: tuple[float, ...]
    dofs: tuple[int, ...]

    def sf(self, statistic: float) -> float:
        """Probability of a value of at least ``statistic``."""
        if statistic <= 0:
            return 1.0
        parts = zip(self.weights, self.dofs, strict=True)
        return float(sum(w * chi2.sf(statistic, d) for w, d in parts if d > 0))

    def __str__(self) -> str:
        if len(self.weights) == 1:
            return f"chi2({self.dofs[0]})"
        parts = zip(self.weights, self.dofs, strict=True)
        return " + ".join(f"{_weight(w)} chi2({d})" for w, d in parts)


@dataclass(frozen=True, eq=False)
class ConeLaw:
    """Squared length of a normal vector's projection onto a cone, by simulation.

    Length and direction of the vector are independent, so that only directions are simulated:
    ``P(T >= t) = E[P(chi2_d >= t / f)]`` with ``f`` the share of the squared length that the
    projection keeps. Small probabilities are as accurate as large ones.

    Parameters
    ----------
    shares
        ``f`` (D,) of the draws.
    dimension
        Dimension d of the vector.
    """

    shares: Array
    dimension: int

    def sf(self, statistic: float) -> float:
        """Probability of a value of at least ``statistic``."""
        if statistic <= 0:
            return 1.0
        with np.errstate(divide="ignore"):
            return float(chi2.sf(statistic / self.shares, self.dimension).mean())

    def __str__(self) -> str:
        return (
            f"projection of a normal vector of dimension {self.dimension} onto the cone of "
            f"covariance matrices, {len(self.shares)} simulated directions"
        )


def _weight(value: float) -> str:
    halves = value * 64
    if abs(halves - round(halves)) > 1e-9:
        return f"{value:.3f}"
    numerator, denominator = round(halves), 64
    while numerator % 2 == 0 and denominator > 1:
        numerator, denominator = numerator // 2, denominator // 2
    return f"{numerator}/{denominator}" if denominator > 1 else f"{numerator}"


def boundary_law(blocks: Sequence[int], free: int, covariance: Array | None = None) -> Law:
    """The law of a likelihood ratio whose null sets covariance matrices to 0.

    Parameters
    ----------
    blocks
        Sizes of the covariance matrices that are 0 under the null: 1 for a variance alone.
    free
        Restrictions without a boundary: means, covariances with other coefficients.
    covariance
        Of the estimates of their elements at the null, block by block and row by row of the lower
        triangle; a multiple of it serves. Estimates are taken to be independent without it, and
        weights are then binomial for single variances.

    Examples
    --------
    >>> print(boundary_law([1], 2))
    1/2 chi2(2) + 1/2 chi2(3)
    >>> print(boundary_law([1, 1], 0))
    1/4 chi2(0) + 1/2 chi2(1) + 1/4 chi2(2)
    """
    if all(size == 1 for size in blocks):
        weights = orthant_weights(len(blocks), covariance)
        return ChiBar(tuple(weights), tuple(free + d for d in range(len(weights))))
    size = sum(m * (m + 1) // 2 for m in blocks)
    if covariance is None:
        # Independent elements of a normal matrix, as in the unitary ensembles: sd of
        # off-diagonal elements is that of diagonal ones over the root of 2.
        covariance = np.diag(1.0 / _lengths(blocks) ** 2)
    rng, draws = np.random.default_rng(SEED), DRAWS if size < 10 else DRAWS // 4
    inner, outer = rng.standard_normal((draws, size)), rng.standard_normal((draws, free))
    kept = projected_lengths(blocks, inner, covariance) + (outer**2).sum(axis=1)
    return ConeLaw(kept / ((inner**2).sum(axis=1) + (outer**2).sum(axis=1)), size + free)


def orthant_weights(size: int, covariance: Array | None) -> list[float]:
    """Weights (size + 1,) of the numbers of positive variances; binomial if independent."""
    if size == 2 and covariance is not None:
        rho = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        both = float(np.arccos(-rho) / (2 * np.pi))
        return [0.5 - both, 0.5, both]
    if size < 2 or covariance is None:
        return [comb(size, d) / 2**size for d in range(size + 1)]
    root = np.linalg.inv(np.linalg.cholesky(covariance))
    draws = np.random.default_rng(SEED).standard_normal((DRAWS, size))
    positive = [int((nnls(root, draw)[0] > 0).sum()) for draw in draws]
    return list(np.bincount(positive, minlength=size + 1) / DRAWS)


def projected_lengths(blocks: Sequence[int], normals: Array, covariance: Array) -> Array:
    """Squared lengths (D,) of projections onto a product of cones of covariance matrices.

    ``z = C n`` with ``C C'`` the covariance and ``n`` standard normals (D, d) is projected in the
    metric of the inverse covariance, by accelerated projected gradients (Beck and Teboulle 2009).
    """
    lengths = _lengths(blocks)
    # Every variance in units of its own error: a congruence, which keeps the cones.
    units = _units(blocks, covariance)
    scale = lengths / units
    root = np.linalg.cholesky(covariance * np.outer(scale, scale))
    weight = np.linalg.inv(root @ root.T)
    z = normals @ root.T
    parts = [_nearest(blocks, z[a : a + BATCH], weight) for a in range(0, len(z), BATCH)]
    found = np.concatenate(parts)
    return np.einsum("da,ab,db->d", found, weight, found)


def _nearest(blocks: Sequence[int], points: Array, weight: Array) -> Array:
    """Nearest points (D, d) of the cones in the metric ``weight`` (d, d)."""
    step = 1.0 / np.linalg.eigvalsh(weight)[-1]
    found, moving = np.empty_like(points), np.arange(len(points))
    z, x = points, _project(blocks, points)
    y = x
    for k in range(ITERATIONS):
        new = _project(blocks, y - step * (y - z) @ weight)
        found[moving] = new
        still = np.abs(new - x).max(axis=1) > SMALL
        if not still.any():
            break
        y = (new + k / (k + 3) * (new - x))[still]
        x, z, moving = new[still], z[still], moving[still]
    return found


def _lengths(blocks: Sequence[int]) -> Array:
    """Lengths (d,) of the elements: off-diagonal ones stand for two in a symmetric matrix."""
    return np.concatenate(
        [np.where(np.equal(*np.tril_indices(m)), 1.0, np.sqrt(2.0)) for m in blocks]
    )


def _units(blocks: Sequence[int], covariance: Array) -> Array:
    """Products (d,) of the units of rows and columns, in which variances have an error of 1."""
    errors, units, first = np.sqrt(np.diag(covariance)), [], 0
    for m in blocks:
        rows, columns = np.tril_indices(m)
        own = np.sqrt(errors[first : first + len(rows)][rows == columns])
        units.append(own[rows] * own[columns])
        first += len(rows)
    return np.concatenate(units)


def _project(blocks: Sequence[int], points: Array) -> Array:
    """Nearest positive semidefinite matrices, in the usual metric of matrices."""
    out, first, root2 = np.empty_like(points), 0, np.sqrt(2.0)
    for m in blocks:
        rows, columns = np.tril_indices(m)
        here = slice(first, first + len(rows))
        length = np.where(rows == columns, 1.0, root2)
        matrices = np.zeros((len(points), m, m))
        matrices[:, rows, columns] = matrices[:, columns, rows] = points[:, here] / length
        values, vectors = np.linalg.eigh(matrices)
        clipped = (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.swapaxes(1, 2)
        out[:, here] = clipped[:, rows, columns] * length
        first += len(rows)
    return out


Law = ChiBar | ConeLaw
