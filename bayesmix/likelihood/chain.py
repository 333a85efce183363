"""The chain rule from coefficients to theta, for every estimator: the one place.

Kernels return derivatives of a value of a person (``log P_i``, or a share) by what coefficients are
made of. There ``b = loc_i + L u``, ``loc_i = mean + shift z_i`` and ``v = c (x'fixed + w'T(b)) +
offset`` (see `bayesmix.likelihood.point`), so that the derivative

- by ``mean_k`` is that by ``loc_k``, and by a ``shift_m`` of coefficient k that times ``z_im``;
- by ``L_kj`` is that by ``b_k`` times ``u_j``, which the kernel sums over nodes. The diagonal's is
  that of a standard deviation. An error component is such a coefficient, without mean, whose
  column is 1 in its nest: by the *variance* ``L_kk^2`` it is that by ``L_kk`` over ``2 L_kk``.
  What is printed, ``sd_k = |L_k|``, has its Jacobian in `bayesmix.specification.parameters`;
- by a fixed coefficient is the sum over rows of the column times that by the row's utility;
- by the logarithm of a source's scale is the sum over its situations of that by their own;
- by the logarithm of a nest's coefficient is the sum of those of the person's situations.

The free vector holds, in this order, means, free entries of L, fixed coefficients, shifts, scales
or nests.
MSLE, scores and posterior moments come by `scores`, MSM by `in_theta`, nodes held in coefficient
space by `in_theta`, too, Louis's curvature by `law_entries` and `normal_scores`, PyTensor's graphs
by `location_cotangent`, `factor_cotangent` and `row_cotangent`: there theta is taken apart by the
graph itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bayesmix.arrays import Array, Indices
from bayesmix.kernels.mixture import Mixture
from bayesmix.kernels.situation_scales import scale_scores
from bayesmix.likelihood.ordered_sums import weighted_sum
from bayesmix.likelihood.point import Point
from bayesmix.specification.parameters import ParameterSpace


class Slopes(NamedTuple):
    """Derivatives of n values, each of one person, by what coefficients are made of.

    Parameters
    ----------
    loc
        By the locations, fixed willingness to pay and shapes of laws (n, K + . + E).
    chol
        By the free entries (n, E) of ``L``.
    z
        Covariates (n, M) of the person: one a shift.
    fixed, scale
        By fixed coefficients (n, F), and logarithms of scales (n, G) or of nests (n, M).
    """

    loc: Array
    chol: Array
    z: Array
    fixed: Array | None = None
    scale: Array | None = None


def in_theta(space: ParameterSpace, slopes: Slopes) -> Array:
    """Derivatives (n, P) by the free vector."""
    last = slopes.loc.shape[1] - len(space.shapes)
    means = np.delete(slopes.loc, slice(space.n_random, last), axis=1)
    rest = slopes.loc[:, space.n_random : last]
    parts = [means[:, space.located], slopes.chol, rest]
    if slopes.fixed is not None:
        parts.append(slopes.fixed)
    parts.append(means[:, space.shifted] * slopes.z)
    if slopes.scale is not None:
        parts.append(slopes.scale)
    return np.concatenate(parts, axis=1)


def summed_in_theta(
    space: ParameterSpace, weights: Array, d_loc: Array, d_chol: Array, z: Array
) -> Array:
    """`in_theta` of a weighted sum over persons (P,), of what no fixed coefficient is in.

    By the persons' locations (n, K), and by ``L`` (K, K), which is everybody's and summed already.
    """
    mean = np.zeros(space.n_random + len(space.shapes))
    mean[: space.n_random] = weighted_sum(weights, d_loc)
    shift = weighted_sum(weights, d_loc[:, space.shifted] * z) if space.shifts else None
    return space.pack(mean, d_chol, np.zeros(len(space.fixed)), shift)


def scores(
    point: Point,
    mixture: Mixture,
    by_kernel: tuple[Array, Array, Array],
    *,
    serial: bool = False,
    by_nest: Array | None = None,
) -> Array:
    """Scores (n, P) of persons' log-integrals on the nodes of ``mixture``.

    Parameters
    ----------
    point
        Some persons, at theta.
    mixture
        Their coefficients.
    by_kernel
        Derivatives of `bayesmix.kernels.integrals`: by locations (n, C), by ``L`` (n, C, K), and by
        the utilities of rows (R,), empty where no coefficient is fixed.
    serial
        Whether to stay on the calling thread.
    by_nest
        Derivatives by the logarithms of the coefficients of nests (n, M), where there are nests.
    """
    persons, space = point.persons, point.persons.parameters
    d_loc, d_chol, d_rows = by_kernel
    fixed, scale = None, by_nest
    if persons.x_fixed.shape[1]:
        d_rows = d_rows if point.scales is None else d_rows * point.scales
        products = persons.x_fixed * d_rows[:, None]
        fixed = np.add.reduceat(products, persons.first_rows, axis=0)
    if persons.source is not None:
        base = point.base
        linear = base if persons.offset is None else base - persons.offset
        threads = 1 if serial else None
        d_scale = scale_scores(point.panel, base, linear, mixture, threads=threads)
        codes = persons.source[:, None] == 1 + np.arange(len(space.scales))
        scale = np.add.reduceat(d_scale[:, None] * codes, point.panel.person_start[:-1], axis=0)
    entries = d_chol[:, *space.chol_index]
    return in_theta(space, Slopes(d_loc, entries, persons.z, fixed, scale))


def law_entries(space: ParameterSpace) -> tuple[Indices, Indices]:
    """Of every parameter of the laws (Q,) the index that it moves, and what it is multiplied by.

    ``db_row = u_column d theta``; a column of K stands for 1: means and shifts. In the order of the
    free vector: means, the entries of ``L``, and shifts.
    """
    rows, columns = space.chol_index
    ones = np.full(len(space.located), space.n_random)
    shifts = np.full(len(space.shifts), space.n_random)
    row = np.concatenate([space.located, rows, space.shifted]).astype(np.int64)
    return row, np.concatenate([ones, columns, shifts]).astype(np.int64)


def normal_scores(point: Point, nodes: Array) -> Array:
    """``d log phi(b; loc_i, L L') / d theta`` (n, Q, S) where b stays and the laws move.

    At standardised ``nodes`` (n, K, S), by `law_entries`:
    ``d log phi / d loc = L^-T u`` and ``d log phi / d L = L^-T (u u' - I)``.
    """
    space = point.persons.parameters
    row, column = law_entries(space)
    inverse = np.linalg.inv(point.parameters.chol)
    drop = np.where(row == column, np.diag(inverse)[row], 0.0)
    factors = law_factors(point)[:, :, None]
    found = (inverse.T @ nodes)[:, row] * with_one(nodes)[:, column] * factors
    return np.asarray(found - drop[:, None])


def law_factors(point: Point) -> Array:
    """What a parameter's effect on its index is multiplied by (n, Q): covariates of shifts."""
    persons, space = point.persons, point.persons.parameters
    first = len(space.located) + len(space.chol_index[0])
    factors = np.ones((persons.n_persons, first + len(space.shifts)))
    factors[:, first:] = persons.z
    return factors


def with_one(nodes: Array) -> Array:
    """Nodes and a one (n, K + 1, S)."""
    return np.concatenate([nodes, np.ones_like(nodes[:, :1])], axis=1)


# -- back through PyTensor's graphs: the same sums, of numbers or of variables -------------------


def location_cotangent(cotangent: Any, d_loc: Any, *, shared: bool) -> Any:
    """Of locations (n, C), or (1, C) where they are ``shared``, from that of the n values."""
    scaled = cotangent[:, None] * d_loc
    return scaled.sum(axis=0, keepdims=True) if shared else scaled


def factor_cotangent(cotangent: Any, d_chol: Any) -> Any:
    """Of ``L`` (C, K), which is everybody's."""
    return (cotangent[:, None, None] * d_chol).sum(axis=0)


def row_cotangent(cotangent: Any, d_rows: Any, person: Any) -> Any:
    """Of what only one person has: rows and situations, ``person`` (R,) says whose."""
    return d_rows * cotangent[person]
