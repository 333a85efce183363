"""Covariance matrices of estimates: curvature, scores of persons, and the sandwich of both.

All are of the parameters that people read; the free vector's are carried over by the delta method.
Scores are summed by person, not by situation: a panel's situations are not independent draws. Where
persons are not independent either, they are summed by cluster.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix import arguments
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.classical.carried import Carried
from bayesmix.errors import SpecificationError
from bayesmix.identification.weakest_direction import free_names
from bayesmix.likelihood.effective_weights import person_unit
from bayesmix.specification.constraint_map import ConstraintMap
from bayesmix.specification.layout import Layout
from bayesmix.specification.parameter import CORRELATION

WHOLE = 0.999
KINDS = ("robust", "cluster", "hessian", "opg")
SILENT = 1e-2
"""Scores' variance over curvature, below which an entry is at a boundary; elsewhere near 1."""


@dataclass(frozen=True, eq=False)
class Information:
    """What a sample tells about the free vector.

    Parameters
    ----------
    hessian
        Minus the second derivatives (P, P) of the weighted log-likelihood.
    scores
        Scores (I, P) of persons, unweighted.
    weights
        Weights (I,) of persons; of simulated moments, those of effective persons.
    groups
        Cluster (I,) of each person, from 0; None where persons are independent.
    grouped_by
        The column that the clusters come from.
    words
        Where the curvature comes from, if there is anything to say of it.
    constraint
        What is held and tied; curvature and scores are those along the directions that are free.
    first
        The first stage of a control function, whose sampling all covariances carry.
    """

    hessian: Array
    scores: Array
    weights: Array
    groups: Indices | None = None
    grouped_by: str | None = None
    words: str = ""
    constraint: ConstraintMap | None = None
    first: Carried | None = None

    @cached_property
    def opg(self) -> Array:
        """Weighted outer product (P, P) of persons' scores, ``sum_i w_i s_i s_i'``."""
        return (self.scores * self.weights[:, None]).T @ self.scores

    @cached_property
    def meat(self) -> Array:
        """``sum_i w_i^2 s_i s_i'``: equal to ``opg`` without weights."""
        weighted = self.scores * self.weights[:, None]
        return weighted.T @ weighted

    @property
    def n_groups(self) -> int:
        """Number of clusters G: of persons, where none were named."""
        return len(self.scores) if self.groups is None else int(self.groups.max()) + 1

    @property
    def kind(self) -> str:
        """The covariance that is printed: ``"cluster"`` where there are clusters."""
        return "robust" if self.groups is None else "cluster"

    def cluster_meat(self) -> Array:
        """``G / (G - 1) sum_g s_g s_g'`` with ``s_g`` the sum of ``w_i s_i`` over a cluster.

        Raises
        ------
        SpecificationError
            If there are no clusters.
        """
        n, sums = self.n_groups, self._cluster_sums()
        return n / (n - 1) * sums.T @ sums

    def _cluster_sums(self) -> Array:
        if self.groups is None:
            raise SpecificationError(
                "kind='cluster' needs clusters, and the fit has none: name a column of the data, "
                "msle(..., cluster='region') or fit.clustered(data, 'region')"
            )
        sums = np.zeros((self.n_groups, self.scores.shape[1]))
        np.add.at(sums, self.groups, self.scores * self.weights[:, None])
        return sums

    @property
    def silent(self) -> Flags:
        """Entries (P,) with curvature but without scores: standard deviations at the boundary 0.

        They have no normal limit, and so no standard error.
        """
        return np.diag(self.opg) < SILENT * np.diag(self.hessian)

    def covariance(self, kind: str | None = None) -> Array:
        """Covariance (P, P) of the free vector; NaN where the curvature is not that of a maximum.

        ``"hessian"`` is ``H^-1``, ``"opg"`` ``(S'S)^-1`` (Berndt, Hall, Hall and Hausman 1974),
        ``"robust"`` the sandwich ``H^-1 S'S H^-1`` (White 1982), ``"cluster"`` the same with
        scores summed by cluster (Liang and Zeger 1986); `kind` by default.
        """
        found = self.joint_covariance(kind)
        return found[: len(self.hessian), : len(self.hessian)]

    def joint_covariance(self, kind: str | None = None) -> Array:
        """`covariance` of the free vector and, behind it, of first-stage coefficients (P + G).

        The meat is that of the scores' sum as it moves with the first stage. Where its clusters are
        within those of persons, both are summed by cluster; elsewhere they are independent
        (Murphy and Topel 1985; Karaca-Mandic and Train 2003).
        """
        kind = self.kind if kind is None else kind
        arguments.one_of("kind", kind, KINDS)
        bread = self._inverse(self.opg if kind == "opg" else self.hessian)
        whole = np.eye(len(bread) + (0 if self.first is None else self.first.size))
        whole[: len(bread), : len(bread)] = bread
        if kind in ("robust", "cluster"):
            return whole @ self.joint_meat(kind) @ whole
        if self.first is None:
            return bread
        found = whole @ self.first.meat(np.zeros_like(bread)) @ whole
        found[: len(bread), : len(bread)] += bread
        return found

    def joint_meat(self, kind: str) -> Array:
        """Covariance (P + G, P + G) of the scores' sum, and behind it of first-stage coefficients.

        ``kind`` is ``"robust"`` or ``"cluster"``; without a first stage it is (P, P).
        """
        shared = None if self.first is None else self.first.groups
        if self.first is not None and shared is not None and kind == "cluster":
            return self.first.joint_meat(self._cluster_sums(), shared)
        own = self.meat if kind == "robust" else self.cluster_meat()
        return own if self.first is None else self.first.meat(own)

    def root(self) -> Array | None:
        """Root ``C`` (P, P) of the inverse curvature, ``C C' = H^-1``; None where there is none.

        (P, Q) under constraints.
        """
        try:
            root: Array = np.linalg.inv(np.linalg.cholesky(self.free(self.hessian))).T
        except np.linalg.LinAlgError:
            return None
        return root if self.constraint is None else self.constraint.directions @ root

    def free(self, matrix: Array) -> Array:
        """A curvature (P, P) of the free vector, in the Q entries that constraints leave free."""
        if self.constraint is None:
            return matrix
        return self.constraint.directions.T @ matrix @ self.constraint.directions

    def _inverse(self, matrix: Array) -> Array:
        """``D (D'HD)^-1 D'``: of parameters that are held there is no variance."""
        inverse = _inverse(self.free(matrix))
        if self.constraint is None:
            return inverse
        directions = self.constraint.directions
        if np.isnan(inverse).any():
            moving = directions.any(axis=1)
            return np.where(np.logical_or.outer(moving, moving), np.nan, 0.0)
        return directions @ inverse @ directions.T

    @property
    def held(self) -> Flags | None:
        """Which printed parameters (P,) are constants; None where none is."""
        return None if self.constraint is None else self.constraint.held

    @property
    def size(self) -> int:
        """Number Q of parameters that are free."""
        return len(self.hessian) if self.constraint is None else self.constraint.size

    @property
    def condition(self) -> float:
        """Condition number of the curvature, each parameter in units of its own curvature.

        Infinite where some direction has none, or the wrong sign.
        """
        hessian = self.free(self.hessian)
        scale = np.sqrt(np.abs(np.diag(hessian)))
        if (scale == 0).any() or not np.isfinite(scale).all():
            return float("inf")
        if not len(scale):
            return 1.0
        values = np.linalg.eigvalsh(hessian / np.outer(scale, scale))
        return float(values[-1] / values[0]) if values[0] > 0 else float("inf")

    def unidentified_direction(self, space: Layout) -> str | None:
        """In words, the direction that the likelihood does not identify; None where all is well."""
        hessian, names = self.free(self.hessian), free_names(space)
        if self.constraint is not None:
            names = tuple(names[p] for p in self.constraint.free)
        scale = np.sqrt(np.abs(np.diag(hessian)))
        if (scale == 0).any():
            return str(names[int(np.flatnonzero(scale == 0)[0])])
        values, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
        if values[0] > 1e-9 * values[-1]:
            return None
        direction = vectors[:, 0]
        heavy = np.argsort(-np.abs(direction))[:4]
        return " ".join(f"{direction[p]:+.2f} {names[p]}" for p in heavy if abs(direction[p]) > 0.1)


def weighting(weights: Array) -> str:
    """In words, the weights' sum, and how many equal ones tell as much (Kish 1965); or ""."""
    if (weights == 1).all():
        return ""
    total = weights.sum()
    return (
        f"weights: sum {total:.6g}, effective persons {total / person_unit(weights):.1f}; the "
        "log-likelihood is weighted"
    )


def _inverse(matrix: Array) -> Array:
    scale = np.sqrt(np.abs(np.diag(matrix)))
    if not (scale > 0).all():
        return np.full_like(matrix, np.nan)
    try:
        root = np.linalg.cholesky(matrix / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)
    inverse = np.linalg.inv(root)
    return (inverse.T @ inverse) / np.outer(scale, scale)


def whole_correlations(space: Layout, theta: Array) -> Flags:
    """Whether each printed parameter (P,) is a correlation at its boundary of -1 and 1."""
    return space.of_kind(CORRELATION) & (np.abs(space.natural(theta)) > WHOLE)


def natural_covariance(
    space: Layout,
    theta: Array,
    covariance: Array,
    silent: Flags,
    constraint: ConstraintMap | None = None,
) -> Array:
    """Delta method from the free vector to the printed parameters, ``J V J'``.

    NaN in the rows and columns of parameters at a boundary: that move with ``silent`` entries (P,)
    before all, correlations of -1 and 1 or with a standard deviation of 0. The others are kept.
    0 for those that a ``constraint`` holds, but for correlations that it leaves none.
    """
    jacobian = space.jacobian(theta)
    size = np.abs(jacobian)
    good = np.isfinite(jacobian).all(axis=1)
    good &= size.max(axis=1, where=silent, initial=0.0) < size.max(axis=1)
    good &= ~whole_correlations(space, theta)
    full = np.full_like(covariance, np.nan)
    full[np.ix_(good, good)] = jacobian[good] @ covariance @ jacobian[good].T
    if constraint is not None:
        still = constraint.held & ~constraint.undefined
        full[still] = full[:, still] = 0.0
    return full


def shift_units(space: Layout, theta: Array, found: Information) -> Array:
    """Standard errors (P,) in which a certificate measures shifts: the larger of two kinds.

    Near a standard deviation of 0 the robust errors vanish, and any shift would be many of them.
    """
    errors = [
        np.sqrt(
            np.diag(
                natural_covariance(
                    space, theta, found.covariance(kind), found.silent, found.constraint
                )
            )
        )
        for kind in ("robust", "hessian")
    ]
    # With weights the curvature's errors depend on their scale; those by person do not.
    errors[1] *= np.sqrt(found.weights @ found.weights / found.weights.sum())
    larger = np.fmax(*errors)
    if found.held is not None:
        larger[found.held] = np.nan  # a constant is not shifted
    return larger
