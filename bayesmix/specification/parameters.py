"""Names of parameters, and the maps between the free vector and the parameters that people read.

The free vector ``theta`` (P,) is what optimisers move: means, the entries of a block-triangular
Cholesky factor ``L`` of the covariance of the indices, fixed coefficients, shifts of means by
covariates of persons. The parameters that are printed are ``mean[.]``, ``sd[.]``, ``corr[., .]``,
``fixed[.]``, ``shift[., .]``, with ``sd_k = |L_k|`` and ``corr_kl = L_k'L_l / (sd_k sd_l)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesmix import arguments
from bayesmix.arrays import Array, Flags, Indices
from bayesmix.errors import SpecificationError
from bayesmix.specification.given_values import check_names, number
from bayesmix.specification.one_class import OneClass
from bayesmix.specification.parameter import (
    CHOLESKY,
    CORRELATION,
    FIXED,
    LOG_NEST,
    LOG_SCALE,
    MEAN,
    NEST,
    SCALE,
    SD,
    SHAPE,
    SHIFT,
    Kind,
    Parameter,
)
from bayesmix.specification.values import Parameters


@dataclass(frozen=True)
class ParameterSpace(OneClass):
    """Layout of the parameters of one model: K random coefficients, F fixed ones.

    Parameters
    ----------
    random
        Names of the random coefficients, in the order of the laws.
    fixed
        Names of the fixed coefficients, in the order of the utility.
    blocks
        Positions of the random coefficients that share a full covariance matrix, block by block;
        together they cover ``0 .. K-1`` in order.
    centred
        Positions of the random coefficients whose index has mean 0 (without covariates).
    shifts
        Position of the random coefficient and name of the covariate of each shift, M of them.
    scales
        Names of the sources whose scale is a parameter, G of them; its logarithm in ``theta``.
    nests
        Names of the nests, M of them; the logarithms of their coefficients follow those of scales.
    shapes
        Position of the random coefficient and label of each further parameter of its law, E of
        them. They follow the means wherever these stand.
    """

    random: tuple[str, ...]
    fixed: tuple[str, ...]
    blocks: tuple[tuple[int, ...], ...]
    centred: tuple[int, ...] = ()
    shifts: tuple[tuple[int, str], ...] = ()
    scales: tuple[str, ...] = ()
    nests: tuple[str, ...] = ()
    shapes: tuple[tuple[int, str], ...] = ()

    @cached_property
    def located(self) -> Indices:
        """Which entries of the means (K + E,) are parameters: a mean may be 0, a shape is one."""
        means = [k for k in range(self.n_random) if k not in self.centred]
        shapes = range(self.n_random, self.n_random + len(self.shapes))
        return np.array([*means, *shapes], dtype=np.int64)

    @property
    def n_means(self) -> int:
        """Number of means among the parameters; the shapes of laws follow them."""
        return len(self.located) - len(self.shapes)

    @cached_property
    def shaped(self) -> Indices:
        """Position of the random coefficient of each shape (E,)."""
        return np.array([k for k, _ in self.shapes], dtype=np.int64)

    @cached_property
    def shape_names(self) -> tuple[str, ...]:
        return tuple(label for _, label in self.shapes)

    @cached_property
    def shifted(self) -> Indices:
        """Position of the random coefficient of each shift (M,)."""
        return np.array([k for k, _ in self.shifts], dtype=np.int64)

    @cached_property
    def located_names(self) -> tuple[str, ...]:
        return tuple(self.random[k] for k in self.located[: self.n_means])

    @cached_property
    def shift_names(self) -> tuple[str, ...]:
        return tuple(f"{self.random[k]}, {name}" for k, name in self.shifts)

    @cached_property
    def chol_index(self) -> tuple[Indices, Indices]:
        """Rows and columns of the free entries of ``L``, block by block, row by row."""
        pairs = [(k, j) for block in self.blocks for k in block for j in block if j <= k]
        rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return rows, columns

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Positions (earlier, later) of the correlated pairs."""
        return tuple((j, k) for block in self.blocks for j in block for k in block if j < k)

    @cached_property
    def pair_names(self) -> tuple[str, ...]:
        return tuple(f"{self.random[j]}, {self.random[k]}" for j, k in self.pairs)

    @cached_property
    def listed(self) -> tuple[Parameter, ...]:
        """The printed parameters, with their kinds, in order."""
        random, pairs = self.random, zip(self.pair_names, self.pairs, strict=True)
        shifts = zip(self.shift_names, self.shifts, strict=True)
        return (
            *(Parameter(MEAN, n, (n,)) for n in self.located_names),
            *(Parameter(SHAPE, n, (random[k],)) for k, n in self.shapes),
            *(Parameter(SD, n, (n,)) for n in random),
            *(Parameter(CORRELATION, n, (random[j], random[k])) for n, (j, k) in pairs),
            *(Parameter(FIXED, n, (n,)) for n in self.fixed),
            *(Parameter(SHIFT, n, (random[k],)) for n, (k, _) in shifts),
            *(Parameter(SCALE, n) for n in self.scales),
            *(Parameter(NEST, n) for n in self.nests),
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Flat names of the printed parameters."""
        return tuple(str(parameter) for parameter in self.listed)

    @cached_property
    def free_listed(self) -> tuple[Parameter, ...]:
        """The entries of the free vector, with their kinds; those of ``L`` are ``chol[., .]``."""
        random, kept = self.random, (MEAN, SHAPE, FIXED, SHIFT)
        entries = zip(*self.chol_index, strict=True)
        by_kind = [tuple(p for p in self.listed if p.kind == kind) for kind in kept]
        return (
            *by_kind[0],
            *by_kind[1],
            *(Parameter(CHOLESKY, f"{random[k]}, {random[j]}") for k, j in entries),
            *by_kind[2],
            *by_kind[3],
            *(Parameter(LOG_SCALE, n) for n in self.scales),
            *(Parameter(LOG_NEST, n) for n in self.nests),
        )

    def of_kind(self, kind: Kind) -> Flags:
        """Which of the printed parameters (P,) are of a kind."""
        return np.array([parameter.kind == kind for parameter in self.listed], dtype=bool)

    @property
    def size(self) -> int:
        """Number of parameters P, the same in both forms."""
        return len(self.names)

    @property
    def n_random(self) -> int:
        return len(self.random)

    @cached_property
    def n_logged(self) -> int:
        """Number of scales and nests, whose logarithms end the free vector."""
        return len(self.scales) + len(self.nests)

    # -- the free vector -----------------------------------------------------------------------

    def unpack(self, theta: Array) -> Parameters:
        """``theta (P,)``, or many (..., P), taken apart; `pack` is the inverse."""
        k, m, c = self.n_random, len(self.located), len(self.chol_index[0])
        many = theta.shape[:-1]
        mean, chol = np.zeros((*many, k + len(self.shapes))), np.zeros((*many, k, k))
        mean[..., self.located] = theta[..., :m]
        chol[..., *self.chol_index] = theta[..., m : m + c]
        fixed = m + c + len(self.fixed)
        scale = theta.shape[-1] - self.n_logged
        shifts = theta[..., scale - len(self.shifts) : scale]
        parts = theta[..., m + c : fixed], shifts, theta[..., scale:]
        return Parameters(mean, chol, *(part.copy() for part in parts))

    def pack(
        self,
        mean: Array,
        chol: Array,
        fixed: Array,
        shift: Array | None = None,
        log_scale: Array | None = None,
    ) -> Array:
        """The inverse of `unpack`; shifts and logarithms of scales and nests are 0 by default."""
        shift = np.zeros(len(self.shifts)) if shift is None else shift
        log_scale = np.zeros(self.n_logged) if log_scale is None else log_scale
        return np.concatenate([mean[self.located], chol[self.chol_index], fixed, shift, log_scale])

    def diagonal(self) -> Indices:
        """Positions in ``theta`` of the diagonal of ``L``."""
        rows, columns = self.chol_index
        return len(self.located) + np.flatnonzero(rows == columns)

    def canonical(self, theta: Array) -> Array:
        """The free vector of the same law whose Cholesky factor has a diagonal >= 0."""
        at = self.unpack(theta)
        signs = np.where(np.diag(at.chol) < 0, -1.0, 1.0)
        return self.pack(*at._replace(chol=at.chol * signs))

    # -- the parameters that people read ---------------------------------------------------------

    def natural(self, theta: Array) -> Array:
        """Values of `names` at ``theta``; a correlation with a standard deviation of 0 is NaN."""
        mean, chol, fixed, shift, log_scale = self.unpack(theta)
        sd, scale = np.sqrt((chol**2).sum(axis=1)), np.exp(log_scale)
        with np.errstate(invalid="ignore"):
            corr = [chol[j] @ chol[k] / (sd[j] * sd[k]) for j, k in self.pairs]
        corr_array = np.array(corr, dtype=float)
        return np.concatenate([mean[self.located], sd, corr_array, fixed, shift, scale])

    def jacobian(self, theta: Array) -> Array:
        """Derivatives (P, P) of `natural`; NaN in the rows of a standard deviation of 0."""
        at = self.unpack(theta)
        chol = at.chol
        k, m0, pairs = self.n_random, len(self.located), self.pairs
        rows, columns = self.chol_index
        sd = np.sqrt((chol**2).sum(axis=1))
        jac = np.zeros((self.size, self.size))
        jac[np.arange(m0), np.arange(m0)] = 1.0
        last = np.concatenate([np.ones(len(self.fixed) + len(self.shifts)), np.exp(at.log_scale)])
        if len(last):
            jac[-len(last) :, -len(last) :] = np.diag(last)
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = chol / sd[:, None]
            for m, (row, column) in enumerate(zip(rows, columns, strict=True)):
                jac[m0 + row, m0 + m] = unit[row, column]
                for p, (a, b) in enumerate(pairs):
                    if row in (a, b):
                        other = b if row == a else a
                        corr = unit[a] @ unit[b]
                        slope = (unit[other, column] - corr * unit[row, column]) / sd[row]
                        jac[m0 + k + p, m0 + m] = slope
        return jac

    def theta(self, values: Mapping[str, float] | pd.Series) -> Array:
        """The free vector of given parameters, by flat name; the inverse of `natural`.

        Raises
        ------
        SpecificationError
            If a name is missing or unknown, a value is not finite (but for a correlation with a
            standard deviation of 0, which has no meaning), a standard deviation is negative, or
            the correlations are not those of a positive definite matrix.
        """
        if not isinstance(values, Mapping | pd.Series):
            raise arguments.refused("params", "values by flat name, such as fit.params", values)
        given = dict(values.items())
        check_names(given, self.names)
        vector = np.array([number(name, given[name]) for name in self.names])
        k, m, p, f = self.n_random, len(self.located), len(self.pairs), len(self.fixed)
        cuts = np.cumsum([m, k, p, f, len(self.shifts)])
        means, sd, corr, fixed, shift, scale = np.split(vector, cuts)
        if not (scale > 0).all():
            names = self.names[-self.n_logged :]
            raise SpecificationError(f"{names} must be positive, got {scale.tolist()}")
        mean = np.zeros(k + len(self.shapes))
        mean[self.located] = means
        if (sd < 0).any():
            name = self.random[int(np.flatnonzero(sd < 0)[0])]
            raise SpecificationError(f"sd[{name}] is negative; a standard deviation is at least 0")
        still = np.array([sd[a] == 0 or sd[b] == 0 for a, b in self.pairs], dtype=bool)
        corr[still & np.isnan(corr)] = 0.0
        wrong = np.flatnonzero(~np.isfinite(vector))
        if len(wrong):
            name = self.names[int(wrong[0])]
            raise SpecificationError(f"{name} is {given[name]}; expected a finite number")
        matrix = np.eye(k)
        for (a, b), value in zip(self.pairs, corr, strict=True):
            matrix[a, b] = matrix[b, a] = value
        try:
            factor = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            raise SpecificationError(
                "the given corr[.] are not those of a positive definite correlation matrix"
            ) from None
        return self.pack(mean, sd[:, None] * factor, fixed, shift, np.log(scale))

    def series(self, values: Array) -> pd.Series:
        """A Series by flat name."""
        return pd.Series(values, index=pd.Index(self.names, name="parameter"))
