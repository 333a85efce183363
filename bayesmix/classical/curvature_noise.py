"""Noise of curvatures from two scramblings of persons' nodes, told from groups of persons.

What two curvatures differ by in sum may be little by chance: a claim from it alone is wrong
manyfold in some fits. Every person has draws of their own, so groups of persons differ
independently, and the squares of their parts add to the variance of the sum.
"""

from __future__ import annotations

import numpy as np

from bayesmix.arrays import Array, Flags


def mean_curvature(curvatures: Array) -> Array:
    """The curvature (P, P) of all persons, the mean over scramblings of those (2, G, P, P)."""
    mean: Array = curvatures.mean(axis=0).sum(axis=0)
    return mean


def noisy_curvatures(curvatures: Array) -> Array:
    """The mean curvature with the noise of each group of persons alone (G, P, P)."""
    noise: Array = (curvatures[0] - curvatures[1]) / 2
    return mean_curvature(curvatures) + noise


def curvature_errors(jacobian: Array, curvatures: Array, held: Flags | None) -> Array:
    """Relative noise (P,) of standard errors from the mean of ``curvatures`` (2, G, P, P).

    Persons have draws of their own, so their noise adds in squares; ``jacobian`` (P, P) is of
    printed parameters. NaN where the curvature is that of no maximum, and of what is ``held``.
    """

    def errors(hessian: Array) -> Array:
        found: Array = np.sqrt(np.diag(jacobian @ np.linalg.pinv(hessian) @ jacobian.T))
        return found

    with np.errstate(invalid="ignore"):
        each = np.stack([errors(own) for own in noisy_curvatures(curvatures)])
        found = added_noise(each, errors(mean_curvature(curvatures)))
    return found if held is None else np.where(held, np.nan, found)


def added_noise(each: Array, mean: Array) -> Array:
    """Relative noise (P,) of values (P,), which are ``each`` (G, P) with a part of it alone.

    Infinite where a part leaves no value.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.where(np.isnan(each) & (mean > 0), np.inf, each / mean - 1.0)
        found: Array = np.sqrt((parts**2).sum(axis=0))
    return found
