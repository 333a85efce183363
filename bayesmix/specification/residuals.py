"""Records of a first stage: what was estimated on levels, and the residuals of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bayesmix.arrays import Array, Flags, Indices
from bayesmix.data.choices import ChoiceData
from bayesmix.data.columns import show
from bayesmix.errors import DataError, SpecificationError
from bayesmix.formulas.formula import Columns
from bayesmix.specification.control_function import REFUSE, ControlFunction
from bayesmix.specification.levels import Key, levels_of


@dataclass(frozen=True, eq=False)
class FirstStage:
    """The least squares of an endogenous attribute on its instruments, a row a level.

    Parameters
    ----------
    control
        What was asked for.
    keys
        Values of the columns of each level, L of them.
    price
        The attribute (L,).
    names
        Names of the regressors (G,): a constant, exogenous attributes, and the instruments.
    excluded
        Which of them (G,) are instruments.
    x
        The regressors (L, G).
    gamma
        Their coefficients (G,).
    clusters
        The cluster (L,) of each level, from 0.
    grouped_by
        The column that the clusters come from; None where each level is one.
    left_out
        Columns of the utility that are no regressors, and why, in words.
    """

    control: ControlFunction
    keys: tuple[Key, ...]
    price: Array
    names: tuple[str, ...]
    excluded: Flags
    x: Array
    gamma: Array
    clusters: Indices
    grouped_by: str | None
    left_out: tuple[str, ...] = ()

    @cached_property
    def residual(self) -> Array:
        """What the regressors leave of the attribute (L,)."""
        return self.residual_at(self.gamma)

    def residual_at(self, gamma: Array) -> Array:
        """Residuals (L,) with other coefficients."""
        return np.asarray(self.price - self.x @ gamma)

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.clusters.max()) + 1

    @cached_property
    def root(self) -> Array:
        """``R^-1`` (G, G) of the regressors' ``Q R``, so that ``(X'X)^-1 = R^-1 R^-T``."""
        size = np.sqrt((self.x**2).mean(axis=0))
        triangle = np.linalg.qr(self.x / size, mode="r")
        found: Array = np.linalg.inv(triangle) / size[:, None]
        return found

    @cached_property
    def influence(self) -> Array:
        """What each cluster does to the coefficients (N, G): ``(X'X)^-1 sum_l x_l mu_l``."""
        own = (self.x @ self.root) @ self.root.T * self.residual[:, None]
        sums = np.zeros((self.n_clusters, len(self.names)))
        np.add.at(sums, self.clusters, own)
        return sums

    def covariance(self) -> Array:
        """Covariance (G, G) of the coefficients, by cluster, ``N / (N - 1) sum_c psi_c psi_c'``."""
        n = self.n_clusters
        return n / (n - 1) * self.influence.T @ self.influence

    def again(self, counts: Indices) -> Array | None:
        """The coefficients (G,) with each cluster counted so often; None where they are none."""
        weight = np.sqrt(counts[self.clusters])
        size = np.sqrt((self.x**2).mean(axis=0))
        found, _, rank, _ = np.linalg.lstsq(
            self.x / size * weight[:, None], self.price * weight, rcond=None
        )
        return np.asarray(found / size) if rank == len(size) else None


@dataclass(frozen=True, eq=False)
class Residuals:
    """The residuals of rows: a first stage, and the level (R,) of each row, -1 of unknown ones."""

    first: FirstStage
    code: Indices

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.first.control.residuals

    def columns(self, gamma: Array | None = None) -> Array:
        """Powers (R, M) of the residuals, with the coefficients that were found, or others."""
        own = self.first.residual if gamma is None else self.first.residual_at(gamma)
        rows = np.append(own, 0.0)[self.code]
        return rows[:, None] ** np.arange(1, len(self.names) + 1)

    def on(self, data: ChoiceData) -> Residuals:
        """Those of other data or a scenario: a level keeps its own, whatever its price is there.

        Raises
        ------
        DataError
            If levels are new, unless their residual is to be 0.
        """
        control = self.first.control
        levels = levels_of(data, control.on)
        known = {key: place for place, key in enumerate(self.first.keys)}
        place = np.array([known.get(key, -1) for key in levels.keys], dtype=np.int64)
        fresh = np.flatnonzero(place < 0)
        if len(fresh) and control.new == REFUSE:
            row = int(levels.first[fresh[0]])
            raise DataError(
                f"{len(fresh)} levels of ControlFunction({control.price!r}) are not in the data of "
                f"the estimation, first {levels.words(int(fresh[0]))} (row "
                f"{show(data.rows[row])}), and have no residual: keep to the levels of these data, "
                "or take the shock of new ones for its mean, ControlFunction(..., new='zero')"
            )
        return Residuals(self.first, place[levels.code])


def with_residuals(columns: Columns, found: Residuals) -> Columns:
    """The columns of a utility, and those of the residuals."""
    twice = [name for name in found.names if name in columns.names]
    if twice:
        raise SpecificationError(
            f"the formula has a column {twice[0]!r} already, which ControlFunction adds: rename it"
        )
    values = np.ascontiguousarray(np.column_stack([columns.values, found.columns()]))
    return Columns(values, (*columns.names, *found.names), columns.state, columns.constant)
