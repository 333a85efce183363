"""What the first stage of a control function does to the covariance of estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmix.arrays import Array, Indices


@dataclass(frozen=True, eq=False)
class Carried:
    """The sampling of first-stage coefficients gamma, and how far the estimates move with them.

    The scores' sum moves by ``C (gamma_hat - gamma)``, and that is ``C sum_c psi_c`` over the
    clusters of the first stage (Murphy and Topel 1985, of any estimating equations).

    Parameters
    ----------
    slopes
        ``C`` (P, G): derivatives of the weighted sum of persons' scores in gamma.
    influence
        ``psi`` (N, G): what each cluster of levels does to gamma.
    groups
        The persons' cluster (N,) in which each of them is; None where persons and levels are
        clustered apart, and taken to be independent.
    """

    slopes: Array
    influence: Array
    groups: Indices | None = None

    @property
    def size(self) -> int:
        """Number G of first-stage coefficients."""
        return self.influence.shape[1]

    @property
    def lifted(self) -> Array:
        """``[C; I]`` (P + G, G): of the scores' sum and of gamma itself."""
        return np.vstack([self.slopes, np.eye(self.size)])

    def meat(self, persons: Array) -> Array:
        """The meat (P + G, P + G) of persons and levels that are independent.

        ``persons`` (P, P) is the persons' own.
        """
        n, own = len(self.influence), self.influence @ self.lifted.T
        found = n / (n - 1) * own.T @ own
        found[: len(persons), : len(persons)] += persons
        return found

    def joint_meat(self, sums: Array, groups: Indices) -> Array:
        """The same of clusters of both, by `groups`, from the persons' weighted scores (n, P)."""
        n = len(sums)
        whole = np.hstack([sums, np.zeros((n, self.size))])
        np.add.at(whole, groups, self.influence @ self.lifted.T)
        return n / (n - 1) * whole.T @ whole
